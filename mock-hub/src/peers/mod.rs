//! The connections that are present: who they are, what groups they are in, and how they are told to go.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use time::OffsetDateTime;
use tokio::sync::{mpsc, watch};

use crate::clock::{Clock, stamp};
pub(crate) use crate::connection::Goodbye;
use crate::groups::Groups;
use crate::hubs::Hub;
use crate::lock::lock;
use crate::observe::{Metrics, Traffic, target_of};
use crate::oracle::{EventLog, Judge, Late, LoggedEvent, Published, SentEvents, Verdict};
use crate::outbox::Outbox;
use crate::tokens::Session;
use crate::wire::Wire;

/// How many departed connections are remembered.
const REMEMBERED_DEPARTURES: usize = 1000;
/// The groups that one connection may be in; it joins no more.
const MAX_GROUPS_OF_A_CONNECTION: usize = 100_000;

/// How the hub ends a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum How {
    /// The TCP socket is closed without a word (FIN): no Close record, no WebSocket close.
    Tcp,
    /// The TCP socket is reset (RST).
    Reset,
    /// SignalR's goodbye: a Close record, then WebSocket close 1000. With `allow_reconnect` clients reconnect,
    /// without it they stop for good (HubProtocol.md, Close Message Encoding).
    Close {
        /// Whether the record carries `"allowReconnect":true`.
        allow_reconnect: bool,
    },
    /// SignalR's goodbye with the text that ASP.NET Core uses for a failure of its own, and reconnecting allowed.
    CloseWithError,
    /// A WebSocket close with this code and no Close record, as from a proxy.
    WebSocket(u16),
}

/// A connection that has finished its handshake.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ConnectionInfo {
    /// The connection id that the server knows it by.
    pub id: String,
    /// The hub's name as in the path: `market`, `user`, `conformance`, `secure`, `lenient-market`.
    pub hub: &'static str,
    /// Whom the token names, where there was one.
    pub user: Option<String>,
    /// How long it has been connected.
    pub connected_for: Duration,
}

impl From<How> for Goodbye {
    fn from(how: How) -> Self {
        match how {
            How::Tcp => Self::Tcp,
            How::Reset => Self::Reset,
            How::Close { allow_reconnect } => Self::Close { error: None, allow_reconnect },
            How::CloseWithError => Self::failure(None),
            How::WebSocket(code) => Self::WebSocket(code),
        }
    }
}

/// What the upgrade request told about a client.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origin {
    pub(crate) path: String,
    pub(crate) user: Option<String>,
    pub(crate) session: Option<Session>,
    pub(crate) token_in_query: bool,
    pub(crate) token_in_header: bool,
    pub(crate) user_agent: String,
    pub(crate) signalr_user_agent: String,
}

/// One connection as the rest of the hub sees it.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) id: String,
    pub(crate) hub: Hub,
    pub(crate) origin: Origin,
    pub(crate) outbox: Outbox,
    pub(crate) traffic: Traffic,
    /// The socket; another one after a stateful reconnect, none before it.
    wire: Mutex<Option<Wire>>,
    /// How the socket alone was told to go, while the connection stays.
    cut: Mutex<Option<Goodbye>>,
    since: Instant,
    end: watch::Sender<Option<Goodbye>>,
}

impl Peer {
    pub(crate) fn new(id: String, hub: Hub, origin: Origin, wire: Wire, outbox: Outbox) -> Self {
        let (wire, cut, since) = (Mutex::new(Some(wire)), Mutex::default(), Instant::now());
        let traffic = Traffic::default();
        Self { id, hub, origin, outbox, traffic, wire, cut, since, end: watch::Sender::new(None) }
    }

    /// The socket, if there is one now.
    pub(crate) fn wire(&self) -> Option<Wire> {
        lock(&self.wire).clone()
    }

    pub(crate) fn change_wire(&self, wire: Option<Wire>) {
        *lock(&self.wire) = wire;
    }

    /// Queues a record for this connection; one that reads too slowly is cut off instead.
    pub(crate) fn send(&self, record: impl Into<Bytes>) {
        self.traffic.queued();
        if !self.outbox.push(record.into()) {
            self.outbox.end(Goodbye::Reset);
        }
    }

    /// Queues a record once there is room.
    pub(crate) async fn send_when_there_is_room(&self, record: impl Into<Bytes>) {
        self.traffic.queued();
        if !self.outbox.push_when_there_is_room(record.into()).await {
            self.outbox.end(Goodbye::Reset);
        }
    }

    /// How long ago it came.
    pub(crate) fn age(&self) -> Duration {
        self.since.elapsed()
    }

    /// Ends the connection; the first reason holds. A lost socket ends no connection that can get another one.
    pub(crate) fn end(&self, goodbye: Goodbye) {
        let is_loss = matches!(goodbye, Goodbye::Tcp | Goodbye::Reset | Goodbye::Gone);
        if is_loss && self.is_resumable() {
            *lock(&self.cut) = Some(goodbye);
            self.outbox.stir();
        } else {
            self.outbox.end(goodbye);
        }
    }

    /// Whether the connection takes another socket.
    pub(crate) fn is_resumable(&self) -> bool {
        self.outbox.look(|connection| connection.is_resumable())
    }

    /// How the socket alone is to go, once.
    pub(crate) fn take_cut(&self) -> Option<Goodbye> {
        lock(&self.cut).take()
    }

    /// Tells everybody who waits that the connection is over.
    pub(crate) fn is_over(&self, goodbye: &Goodbye) {
        self.end.send_replace(Some(goodbye.clone()));
    }

    /// Waits until the connection is over.
    pub(crate) async fn ended(&self) -> Goodbye {
        let mut end = self.end.subscribe();
        match end.wait_for(Option::is_some).await {
            Ok(goodbye) => goodbye.clone().unwrap_or(Goodbye::Gone),
            Err(_) => Goodbye::Gone,
        }
    }
}

/// One that left.
#[derive(Clone, Debug)]
pub(crate) struct Departure {
    pub(crate) id: String,
    pub(crate) hub: Hub,
    pub(crate) error: Option<String>,
    pub(crate) at: String,
    pub(crate) subscriptions: Vec<SentEvents>,
}

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
    late: mpsc::UnboundedSender<Late>,
    late_events: Mutex<Option<mpsc::UnboundedReceiver<Late>>>,
}

#[derive(Debug, Default)]
struct Book {
    present: HashMap<String, Arc<Peer>>,
    order: VecDeque<String>,
    groups: HashMap<&'static str, Groups>,
    memberships: HashMap<String, HashSet<Arc<str>>>,
    departed: VecDeque<Departure>,
    accepted: u64,
    log: EventLog,
}

impl Peers {
    pub(crate) fn new(clock: Arc<Clock>) -> Self {
        let (late, late_events) = mpsc::unbounded_channel();
        let late_events = Mutex::new(Some(late_events));
        Self { metrics: Arc::default(), book: Mutex::default(), clock, judge: OnceLock::new(), late, late_events }
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
        book.departed.push_back(Departure { id: peer.id.clone(), hub: peer.hub, error, at, subscriptions });
        if book.departed.len() > REMEMBERED_DEPARTURES {
            book.departed.pop_front();
        }
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
            memberships.insert(book.groups.entry(peer.hub.class()).or_default().add(group, peer));
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
        lock(&self.book).departed.iter().cloned().collect()
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
        let group = book.groups.entry(class).or_default().entry(group);
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

    /// The events that were told to come later; there is one who waits for them.
    pub(crate) fn take_late_events(&self) -> Option<mpsc::UnboundedReceiver<Late>> {
        lock(&self.late_events).take()
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
            let departure = book.departed.iter().rev().find(|departure| departure.id == id)?;
            return Some(departure.subscriptions.clone());
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
                // Without a hub that runs nobody waits for it.
                let _ = self.late.send(Late { after, peer, group, number, record });
                false
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
