//! The connections that are present, the groups they are in, and everything that is sent to them.

mod departures;
mod how;
mod peer;

use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Instant;

use bytes::Bytes;
use time::OffsetDateTime;

use crate::clock::{Clock, stamp};
pub(crate) use crate::connection::Goodbye;
use crate::groups::Groups;
use crate::lock::lock;
use crate::observe::{Metrics, target_of};
use crate::oracle::{EventLog, Judge, Late, LateEvents, LoggedEvent, Published, SentEvents, Verdict};
pub(crate) use departures::Departure;
use departures::Departures;
pub use how::{ConnectionInfo, How};
pub(crate) use peer::{Origin, Peer};

/// The groups that one connection may be in; it joins no more.
const MAX_GROUPS_OF_A_CONNECTION: usize = 100_000;

/// For whom of a group's members an event is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Audience<'a> {
    pub(crate) user: &'a str,
    /// Whether connections that gave no token belong to it.
    pub(crate) takes_nameless: bool,
}

/// The book of connections and groups, and the log of what they were sent.
pub(crate) struct Peers {
    pub(crate) metrics: Arc<Metrics>,
    book: Mutex<Book>,
    clock: Arc<Clock>,
    judge: OnceLock<Box<Judge>>,
    pub(crate) late_events: LateEvents,
}

#[derive(Debug, Default)]
struct Book {
    present: HashMap<String, Arc<Peer>>,
    order: VecDeque<String>,
    groups: HashMap<&'static str, Groups>,
    memberships: HashMap<String, HashSet<Arc<str>>>,
    departed: Departures,
    accepted: u64,
    log: EventLog,
}

impl Peers {
    pub(crate) fn new(clock: Arc<Clock>) -> Self {
        let (metrics, book, late_events) = (Arc::default(), Mutex::default(), LateEvents::default());
        Self { metrics, book, clock, judge: OnceLock::new(), late_events }
    }

    pub(crate) fn join(&self, peer: &Arc<Peer>) {
        let mut book = lock(&self.book);
        book.accepted += 1;
        book.order.push_back(peer.id.clone());
        book.present.insert(peer.id.clone(), Arc::clone(peer));
    }

    /// Forgets a connection and its groups; `false` when it never had joined.
    pub(crate) fn leave(&self, peer: &Peer, error: Option<String>) -> bool {
        let mut book = lock(&self.book);
        if book.present.remove(&peer.id).is_none() {
            return false;
        }
        book.order.retain(|id| *id != peer.id);
        let mut subscriptions = Vec::new();
        for group in book.memberships.remove(&peer.id).unwrap_or_default() {
            subscriptions.extend(book.groups.get_mut(peer.hub.class()).and_then(|groups| groups.remove(&group, peer)));
        }
        let at = stamp(self.clock.now());
        book.departed.push(Departure { id: peer.id.clone(), hub: peer.hub, error, at, subscriptions });
        true
    }

    pub(crate) fn join_group(&self, peer: &Arc<Peer>, group: &str) {
        let book = &mut *lock(&self.book);
        // A method may still run when its connection has gone.
        if !book.present.contains_key(&peer.id) {
            return;
        }
        let memberships = book.memberships.entry(peer.id.clone()).or_default();
        if !memberships.contains(group) && memberships.len() < MAX_GROUPS_OF_A_CONNECTION {
            memberships.extend(book.groups.entry(peer.hub.class()).or_default().add(group, peer));
        }
    }

    pub(crate) fn leave_group(&self, peer: &Peer, group: &str) {
        let book = &mut *lock(&self.book);
        let was_member = book.memberships.get_mut(&peer.id).is_some_and(|groups| groups.remove(group));
        if was_member && let Some(groups) = book.groups.get_mut(peer.hub.class()) {
            groups.remove(group, peer);
        }
    }

    pub(crate) fn find(&self, id: &str) -> Option<Arc<Peer>> {
        lock(&self.book).present.get(id).cloned()
    }

    /// The connections in the order of their arrival.
    pub(crate) fn present(&self) -> Vec<Arc<Peer>> {
        let book = lock(&self.book);
        book.order.iter().filter_map(|id| book.present.get(id).cloned()).collect()
    }

    pub(crate) fn infos(&self) -> Vec<ConnectionInfo> {
        let info = |peer: Arc<Peer>| ConnectionInfo {
            id: peer.id.clone(),
            hub: peer.hub.name(),
            user: peer.origin.user.clone(),
            connected_for: peer.age(),
        };
        self.present().into_iter().map(info).collect()
    }

    pub(crate) fn departed(&self) -> Vec<Departure> {
        lock(&self.book).departed.all()
    }

    pub(crate) fn accepted(&self) -> u64 {
        lock(&self.book).accepted
    }

    /// Queues a record for everybody in a group of a class of hubs.
    pub(crate) fn send_to_group(&self, class: &'static str, group: &str, record: &Bytes) -> usize {
        self.publish(self.clock.now(), class, group, None, record)
    }

    /// [`Peers::send_to_group`] for the members among an audience, of an event that happened at `at`.
    pub(crate) fn publish(
        &self,
        at: OffsetDateTime,
        class: &'static str,
        group: &str,
        audience: Option<Audience<'_>>,
        record: &Bytes,
    ) -> usize {
        let book = &mut *lock(&self.book);
        let Some(group) = book.groups.entry(class).or_default().entry(group) else {
            return 0;
        };
        let number = group.next_number();
        let name = Arc::clone(group.name());
        let reached = group.deliver(number, record, |peer| {
            audience.is_none_or(|audience| audience.has(peer)) && self.may_go(peer, Some(&name), number, record)
        });
        self.metrics.published(target_of(class, &name), reached);
        let (group, record) = (Some(name), record.clone());
        book.log.push(Published { at, class, group, number, connection_id: None, record });
        reached
    }

    /// Queues a record for every connection of a class of hubs.
    pub(crate) fn send_to_all(&self, class: &'static str, record: &Bytes) -> usize {
        let members: Vec<_> = self.present().into_iter().filter(|peer| peer.hub.class() == class).collect();
        let mut reached = 0;
        for peer in &members {
            if self.may_go(peer, None, 0, record) {
                peer.send(record.clone());
                reached += 1;
            }
        }
        lock(&self.book).log.push(self.logged(class, None, None, record));
        reached
    }

    /// Every group that has members, with its class and their count.
    pub(crate) fn group_sizes(&self) -> Vec<(&'static str, String, usize)> {
        let book = lock(&self.book);
        let of_class = |(class, groups): (&&'static str, &Groups)| {
            groups.sizes().map(|(group, members)| (*class, group.to_owned(), members)).collect::<Vec<_>>()
        };
        book.groups.iter().flat_map(of_class).collect()
    }

    /// The groups that a connection is in.
    pub(crate) fn subscriptions_of(&self, id: &str) -> Vec<String> {
        let book = lock(&self.book);
        let groups = book.memberships.get(id).into_iter().flatten();
        groups.map(|group| group.as_ref().to_owned()).collect()
    }

    /// Queues a record for one connection: an event for it alone, such as the full quote of a subscription.
    pub(crate) fn send_to_one(&self, peer: &Arc<Peer>, group: Option<&str>, record: &Bytes) {
        let group = group.map(Arc::from);
        if self.may_go(peer, group.as_ref(), 0, record) {
            peer.send(record.clone());
        }
        lock(&self.book).log.push(self.logged(peer.hub.class(), group, Some(peer.id.clone()), record));
    }

    /// Lets somebody decide about every event on its way to every connection; the first one who asked stays.
    pub(crate) fn set_judge(&self, judge: Box<Judge>) {
        let _ = self.judge.set(judge);
    }

    /// Queues an event whose time has come.
    pub(crate) fn send_late(&self, late: Late) {
        if let Some(group) = late.group.filter(|_| late.number > 0)
            && let Some(groups) = lock(&self.book).groups.get_mut(late.peer.hub.class())
        {
            groups.note_late(&group, &late.peer, late.number);
        }
        late.peer.send(late.record);
    }

    /// The log's events from a serial on, of one group where one is named; at most `limit`.
    pub(crate) fn log(&self, from: u64, group: Option<&str>, limit: usize) -> Vec<LoggedEvent> {
        lock(&self.book).log.from(from, group, limit)
    }

    /// What a connection was sent for each of its subscriptions; also of one that left not long ago.
    pub(crate) fn sent(&self, id: &str) -> Option<Vec<SentEvents>> {
        let book = lock(&self.book);
        let Some(peer) = book.present.get(id) else {
            return book.departed.sent(id);
        };
        let groups = book.groups.get(peer.hub.class());
        let memberships = book.memberships.get(id).into_iter().flatten();
        let mut sent: Vec<_> = memberships.filter_map(|group| groups?.sent(group, peer)).collect();
        sent.sort_by(|a, b| a.group.cmp(&b.group));
        Some(sent)
    }

    /// Every event passes here on its way to every connection.
    fn may_go(&self, peer: &Arc<Peer>, group: Option<&Arc<str>>, number: u64, record: &Bytes) -> bool {
        let Some(judge) = self.judge.get() else {
            return true;
        };
        match judge(peer, group.map(|group| &**group)) {
            Verdict::Deliver => true,
            Verdict::Lose => false,
            Verdict::Delay(after) => {
                let (peer, group, record) = (Arc::clone(peer), group.cloned(), record.clone());
                match Instant::now().checked_add(after) {
                    Some(at) => !self.late_events.keep(Late { at, peer, group, number, record }),
                    None => false,
                }
            }
        }
    }

    fn logged(
        &self,
        class: &'static str,
        group: Option<Arc<str>>,
        connection_id: Option<String>,
        record: &Bytes,
    ) -> Published {
        Published { at: self.clock.now(), class, group, number: 0, connection_id, record: record.clone() }
    }
}

impl Audience<'_> {
    fn has(self, peer: &Peer) -> bool {
        peer.origin.user.as_deref().map_or(self.takes_nameless, |user| user == self.user)
    }
}

impl fmt::Debug for Peers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Peers").field("present", &lock(&self.book).order).finish_non_exhaustive()
    }
}
