//! The book of rules in a running hub: shared, on the real clock, and with a task that lets time pass in it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::Notify;

use super::book::{FaultBook, Whom};
use super::events;
use super::fault::Fault;
use super::rule::{FaultId, Rule, RuleReport};
use crate::gateway::Gateway;
use crate::hubs::Hub;
use crate::lock::lock;
use crate::observe::{Journal, Note};
use crate::oracle::{Judge, Verdict};
use crate::peers::Peer;
use crate::wire::{WeakWire, Wire, WireFaults};

/// The records and ends that may be put off at once; beyond them nothing waits.
const MAX_LATE: usize = 100_000;

/// The faults of one hub.
#[derive(Debug)]
pub(crate) struct Faults {
    state: Mutex<State>,
    journal: Arc<Journal>,
    /// The rules that hold or wait, to be looked at without the lock.
    count: AtomicUsize,
    changed: Notify,
}

#[derive(Debug)]
struct State {
    book: FaultBook,
    seats: Vec<Seat>,
    /// The seats at which the dead are looked for next.
    crowded: usize,
    /// Whether a state held when the seats were settled last.
    had_states: bool,
    port: Vec<(FaultId, bool)>,
    late: BTreeMap<(Instant, u64), Late>,
    last_late: u64,
}

/// A socket that serves a hub's connection.
#[derive(Debug)]
struct Seat {
    wire: WeakWire,
    hub: Hub,
    connection: String,
    decided: Vec<(FaultId, bool)>,
}

/// Something put off.
#[derive(Debug)]
pub(crate) enum Late {
    /// Records that leave past the faults of records, which they have been through.
    Records(Arc<Peer>, Bytes),
    /// A blow to one connection.
    Blow(Arc<Peer>, Fault),
}

impl Faults {
    pub(crate) fn new(seed: u64, journal: &Arc<Journal>) -> Self {
        let state = State {
            book: FaultBook::new(seed),
            seats: Vec::new(),
            crowded: 64,
            had_states: false,
            port: Vec::new(),
            late: BTreeMap::new(),
            last_late: 0,
        };
        let journal = Arc::clone(journal);
        Self { state: Mutex::new(state), journal, count: AtomicUsize::new(0), changed: Notify::new() }
    }

    /// Takes rules, all or none; what is due at once has happened when this returns.
    pub(crate) fn inject(&self, gateway: &Arc<Gateway>, rules: Vec<Rule>) -> Result<Vec<FaultId>, &'static str> {
        let injected: Vec<_> = rules.iter().map(|rule| (rule.fault.name(), rule.scope.clone())).collect();
        let ids = lock(&self.state).book.inject(Instant::now(), rules)?;
        for (fault, scope) in injected {
            tracing::info!(fault, ?scope, "a rule is injected");
        }
        self.turn(gateway);
        self.changed.notify_one();
        Ok(ids)
    }

    pub(crate) fn heal(&self, gateway: &Arc<Gateway>, id: FaultId) -> bool {
        self.change(gateway, |book| book.heal(id))
    }

    pub(crate) fn heal_all(&self, gateway: &Arc<Gateway>) -> usize {
        self.change(gateway, FaultBook::heal_all)
    }

    pub(crate) fn heal_where(&self, gateway: &Arc<Gateway>, which: impl Fn(&Fault) -> bool) -> usize {
        self.change(gateway, |book| book.heal_where(which))
    }

    pub(crate) fn reseed(&self, seed: u64) {
        lock(&self.state).book.reseed(seed);
    }

    pub(crate) fn reports(&self) -> Vec<RuleReport> {
        lock(&self.state).book.reports(Instant::now())
    }

    /// Whether there is no rule at all, so that nobody needs to ask.
    pub(crate) fn are_none(&self) -> bool {
        self.count.load(Ordering::Acquire) == 0
    }

    /// An opportunity for damage; see [`FaultBook::damage`].
    pub(crate) fn damage<T>(&self, whom: Whom<'_>, choose: impl FnMut(&Fault) -> Option<T>) -> Option<T> {
        if self.are_none() {
            return None;
        }
        let book = &mut lock(&self.state).book;
        let damage = book.damage(Instant::now(), whom, choose);
        self.tell(book);
        damage
    }

    /// What decides about every event on its way to every connection.
    pub(crate) fn judge(self: &Arc<Self>) -> Box<Judge> {
        let faults = Arc::clone(self);
        Box::new(move |peer, group| faults.verdict(peer, group))
    }

    fn verdict(&self, peer: &Peer, group: Option<&str>) -> Verdict {
        if self.are_none() {
            return Verdict::Deliver;
        }
        let whom = Whom::new(peer.hub.name(), &peer.id);
        let book = &mut lock(&self.state).book;
        let verdict = book.verdict(Instant::now(), whom, group);
        self.tell(book);
        verdict
    }

    /// Lets something happen later.
    pub(crate) fn put_off(&self, by: Duration, what: Late) {
        let mut state = lock(&self.state);
        let at = Instant::now().checked_add(by).filter(|_| state.late.len() < MAX_LATE);
        let Some(at) = at else {
            drop(state);
            return happen(what);
        };
        state.last_late += 1;
        let serial = state.last_late;
        state.late.insert((at, serial), what);
        drop(state);
        self.changed.notify_one();
    }

    /// Tells whom a socket serves from now on, so that the states that hold for the connection come over it.
    pub(crate) fn seat(&self, wire: &Wire, hub: Hub, connection: &str) {
        let mut state = lock(&self.state);
        if state.seats.len() >= state.crowded {
            state.seats.retain(|seat| seat.wire.upgrade().is_some());
            state.crowded = (state.seats.len() * 2).max(64);
        }
        let mut seat = Seat { wire: wire.downgrade(), hub, connection: connection.to_owned(), decided: Vec::new() };
        seat.settle(&mut state.book, Instant::now());
        self.tell(&mut state.book);
        state.seats.push(seat);
    }

    /// Notes each rule that has begun to act.
    fn tell(&self, book: &mut FaultBook) {
        for rule in book.newly_acting() {
            self.journal.note(Note::FaultActed { fault: &rule.fault, scope: &rule.scope });
        }
    }

    async fn changes(&self) {
        self.changed.notified().await;
    }

    fn change<T>(&self, gateway: &Arc<Gateway>, change: impl FnOnce(&mut FaultBook) -> T) -> T {
        let result = change(&mut lock(&self.state).book);
        self.turn(gateway);
        self.changed.notify_one();
        result
    }

    /// Does what is due and says when to come again.
    fn turn(&self, gateway: &Arc<Gateway>) -> Option<Instant> {
        let now = Instant::now();
        let is_something_due = lock(&self.state).book.is_something_due(now);
        // Never under the lock: others ask for a verdict while they hold the book of connections.
        let present = is_something_due.then(|| gateway.peers.present());
        let mut blows: Vec<(Option<Arc<Peer>>, Fault)> = Vec::new();
        let mut guard = lock(&self.state);
        let state = &mut *guard;
        let due = present.as_ref().map(|_| state.book.due(now));
        for due in due.into_iter().flatten() {
            if due.fault.is_for_everyone() {
                if state.book.strikes(due.id, Whom::default()) {
                    blows.push((None, due.fault));
                }
                continue;
            }
            for peer in present.iter().flatten() {
                if state.book.strikes(due.id, Whom::new(peer.hub.name(), &peer.id)) {
                    blows.push((Some(Arc::clone(peer)), due.fault.clone()));
                }
            }
        }
        self.tell(&mut state.book);
        state.book.expire(now);
        let is_closed = |fault: &Fault| matches!(fault, Fault::RefuseConnections).then_some(());
        let refuses = !state.book.states(now, Whom::default(), &mut state.port, is_closed).is_empty();
        // Also once after the last one, to let go of what it held.
        let has_states = state.book.has_states(now);
        if has_states || state.had_states {
            state.seats.retain_mut(|seat| seat.settle(&mut state.book, now));
        }
        state.had_states = has_states;
        self.tell(&mut state.book);
        let later = state.late.split_off(&(now, u64::MAX));
        let happening = std::mem::replace(&mut state.late, later);
        self.count.store(state.book.len(), Ordering::Release);
        let next = [state.book.next_change(now), state.late.keys().next().map(|(at, _)| *at)];
        drop(guard);

        gateway.accepting.send_if_modified(|accepting| std::mem::replace(accepting, !refuses) == refuses);
        for (peer, fault) in blows {
            match peer {
                Some(peer) => events::strike(&peer, &fault),
                None => events::strike_all(gateway, &fault),
            }
        }
        happening.into_values().for_each(happen);
        // A rule has begun or ended, or will be seen to have.
        gateway.changes.tell();
        next.into_iter().flatten().min()
    }
}

impl Seat {
    /// Brings the states that hold now over the socket; `false` when it is gone.
    fn settle(&mut self, book: &mut FaultBook, now: Instant) -> bool {
        let Some(wire) = self.wire.upgrade() else {
            return false;
        };
        let whom = Whom::new(self.hub.name(), &self.connection);
        let mut faults = WireFaults::default();
        // The port is nobody's seat.
        let choose = |fault: &Fault| (*fault != Fault::RefuseConnections).then(|| fault.clone());
        for state in book.states(now, whom, &mut self.decided, choose) {
            match state {
                Fault::Stall { direction } => {
                    faults.holds_in |= direction.is_in();
                    faults.holds_out |= direction.is_out();
                }
                Fault::BlackHole { direction } => {
                    faults.swallows_in |= direction.is_in();
                    faults.swallows_out |= direction.is_out();
                }
                Fault::Throttle { bytes_per_second, direction } => {
                    if direction.is_in() {
                        faults.in_rate = bytes_per_second;
                    }
                    if direction.is_out() {
                        faults.out_rate = bytes_per_second;
                    }
                }
                Fault::OneByteWrites => faults.writes_single_bytes = true,
                _ => {}
            }
        }
        wire.misbehave(faults);
        true
    }
}

/// Lets time pass until the hub ends.
pub(crate) async fn run(gateway: Arc<Gateway>) {
    loop {
        let next = gateway.faults.turn(&gateway);
        let time = async {
            match next {
                Some(at) => tokio::time::sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = time => {}
            () = gateway.faults.changes() => {}
        }
    }
}

fn happen(late: Late) {
    match late {
        Late::Records(peer, records) => drop(peer.outbox.push_frame(super::packing::text_frame(records))),
        Late::Blow(peer, fault) => events::strike(&peer, &fault),
    }
}
