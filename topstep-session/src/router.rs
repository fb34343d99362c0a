//! Everything that happens on both hubs, in one order.

mod event;
mod filter;
mod handle;
mod stream;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use adapter_core::Delivery;
use adapter_core::queue::{Producer, QueueRule, queue};
use signalr_proto::sink::Budget;

pub use event::{EventKind, SessionEvent};
pub use filter::Filter;
pub use handle::Handler;
pub(crate) use handle::handle;
pub use stream::Events;

use crate::moment::Moment;

/// What an event counts in a queue. They are counted, not weighed.
const COST: usize = 0;

/// How many times its capacity a queue holds at the very most.
const BEYOND: usize = 4;

/// Hands every event to everybody who wants to hear it.
///
/// Who does not read what is about money in time holds the user hub up. Of the market a reader that is full misses what comes, and is told how
/// much. What comes of itself all the same (gaps, answers of REST, the life of the connections) is missed only by a reader that is full four
/// times over.
#[derive(Default)]
pub(crate) struct Router {
    taps: Mutex<Taps>,
    is_heard: AtomicBool,
    serial: AtomicU64,
}

#[derive(Default)]
struct Taps {
    taps: Vec<Tap>,
}

struct Tap {
    filter: Filter,
    producer: Producer<SessionEvent>,
    capacity: usize,
    is_gone: Arc<AtomicBool>,
    missed: u64,
}

impl Router {
    /// Whether anybody listens.
    pub(crate) fn is_heard(&self) -> bool {
        self.is_heard.load(Ordering::Relaxed)
    }

    /// Tells an event at once.
    pub(crate) fn tell(&self, now: Moment, kind: EventKind) {
        if self.is_heard() {
            self.tell_later(now, kind);
            self.flush();
        }
    }

    /// Tells an event with the next flush.
    pub(crate) fn tell_later(&self, now: Moment, kind: EventKind) {
        let mut taps = self.lock();
        // Under the lock: a later serial never comes first.
        let event = SessionEvent { serial: self.serial.fetch_add(1, Ordering::Relaxed) + 1, at: now, kind };
        for tap in &mut taps.taps {
            tap.tell(&event);
        }
    }

    pub(crate) fn flush(&self) {
        if !self.is_heard() {
            return;
        }
        let mut taps = self.lock();
        for tap in &mut taps.taps {
            tap.producer.flush();
        }
        taps.taps.retain(|tap| !tap.is_gone.load(Ordering::Relaxed));
        self.is_heard.store(!taps.taps.is_empty(), Ordering::Relaxed);
    }

    /// Whether somebody wants the user hub to wait.
    pub(crate) fn is_full(&self) -> bool {
        self.is_heard() && self.lock().taps.iter().any(|tap| tap.filter.takes_money() && tap.producer.is_full())
    }

    /// Listens from now on.
    pub(crate) fn listen(&self, filter: Filter, capacity: usize, made_room: Arc<dyn Fn() + Send + Sync>) -> Events {
        let (producer, consumer) = queue(QueueRule::wait(capacity), capacity, Budget::default());
        let is_gone = Arc::new(AtomicBool::new(false));
        let mut taps = self.lock();
        // Whoever comes and goes while nothing happens leaves nothing behind.
        taps.taps.retain(|tap| !tap.is_gone.load(Ordering::Relaxed));
        taps.taps.push(Tap { filter, producer, capacity, is_gone: is_gone.clone(), missed: 0 });
        self.is_heard.store(true, Ordering::Relaxed);
        drop(taps);
        Events::new(consumer, is_gone, made_room)
    }

    fn lock(&self) -> MutexGuard<'_, Taps> {
        self.taps.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tap {
    fn tell(&mut self, event: &SessionEvent) {
        if !self.filter.takes(&event.kind) {
            return;
        }
        let waiting = self.producer.waiting();
        let has_room =
            if event.kind.is_market_data() { waiting < self.capacity } else { waiting < BEYOND * self.capacity };
        if !has_room {
            self.missed += 1;
            return;
        }
        if self.missed > 0 {
            let kind = EventKind::Missed { events: std::mem::take(&mut self.missed) };
            let missed = SessionEvent { serial: event.serial, at: event.at, kind };
            self.producer.push(Delivery::Value(missed), COST);
        }
        self.producer.push(Delivery::Value(event.clone()), COST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_and_goes_leaves_nothing_behind() {
        let router = Router::default();
        for _ in 0..100 {
            drop(router.listen(Filter::all(), 1, Arc::new(|| {})));
        }
        assert_eq!(router.lock().taps.len(), 1, "only the last one, until the next event or listener");
    }
}
