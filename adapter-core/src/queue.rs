//! The queue between the driver and one consumer: bounded, in order, one lock and one wake-up for a burst of events.
//!
//! The producer gathers a batch without a lock. At a flush the batch goes into the shared part, which the consumer swaps against the empty
//! queue in its hands.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use signalr_proto::json::DecodeError;
use signalr_proto::sink::{Budget, Gap};

/// What a stream of events yields.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Delivery<T> {
    /// An event's arguments.
    Value(T),
    /// Events may have been missed between the last value and the next one. Once an outage, before the first later event.
    Gap(Gap),
    /// Arguments came that do not fit the type asked for.
    Malformed(DecodeError),
    /// The consumer was slow and its queue drops the oldest: so many events were dropped here.
    Lagged(u64),
}

impl<T> Delivery<T> {
    /// The value, if it is one.
    pub fn into_value(self) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            _ => None,
        }
    }
}

/// What happens when a consumer is slower than its events.
pub struct QueueRule<T>(pub(crate) Rule<T>);

pub(crate) enum Rule<T> {
    Wait(Option<usize>),
    DropOldest(usize),
    Latest(Box<dyn Conflate<T>>),
}

impl<T> QueueRule<T> {
    /// Nothing is dropped: when so many events wait, the connection is not read any more until the consumer has caught up (unless the
    /// application awaits the hub: then reading goes on, up to `max_pending_bytes`).
    pub fn wait(capacity: usize) -> Self {
        Self(Rule::Wait(Some(capacity.max(1))))
    }

    /// The oldest events go; in their place stands [`Delivery::Lagged`] with their count.
    pub fn drop_oldest(capacity: usize) -> Self {
        Self(Rule::DropOldest(capacity.max(1)))
    }

    /// Of each key only the latest event waits; [`On::conflated`](crate::On::conflated) counts those it replaced. At most 16,384 keys wait;
    /// beyond that the oldest events go, as with [`drop_oldest`](Self::drop_oldest).
    pub fn latest_by<K: Hash + Eq + Send + 'static>(key: impl Fn(&T) -> K + Send + 'static) -> Self
    where
        T: 'static,
    {
        Self(Rule::Latest(Box::new(ByKey { key, places: HashMap::new() })))
    }
}

impl<T> Default for QueueRule<T> {
    /// [`wait`](Self::wait), with the connection's `max_pending_events`.
    fn default() -> Self {
        Self(Rule::Wait(None))
    }
}

const MAX_KEYS: usize = 16_384;

/// Finds the place of the waiting event of the same key.
pub(crate) trait Conflate<T>: Send {
    /// The place of the waiting event that `value` replaces; or remembers `place` for it.
    fn place(&mut self, value: &T, place: u64) -> Option<u64>;
    fn forget(&mut self);
}

struct ByKey<F, K> {
    key: F,
    places: HashMap<K, u64>,
}

impl<T, K: Hash + Eq + Send, F: Fn(&T) -> K + Send> Conflate<T> for ByKey<F, K> {
    fn place(&mut self, value: &T, place: u64) -> Option<u64> {
        match self.places.entry((self.key)(value)) {
            std::collections::hash_map::Entry::Occupied(known) => Some(*known.get()),
            std::collections::hash_map::Entry::Vacant(vacant) => {
                vacant.insert(place);
                None
            }
        }
    }

    fn forget(&mut self) {
        self.places.clear();
    }
}

struct Item<T> {
    delivery: Delivery<T>,
    cost: usize,
}

struct Ready<T> {
    items: VecDeque<Item<T>>,
    /// The place of the first item, counted over the life of the queue.
    first_place: u64,
    bytes: usize,
    waker: Option<Waker>,
    /// The producer is gone.
    is_closed: bool,
    /// The consumer is gone.
    is_abandoned: bool,
}

struct Common<T> {
    ready: Mutex<Ready<T>>,
    /// Events that were handed over and not consumed.
    pending: AtomicUsize,
    conflated: AtomicU64,
    budget: Budget,
}

impl<T> Common<T> {
    fn lock(&self) -> MutexGuard<'_, Ready<T>> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The driver's end.
pub(crate) struct Producer<T> {
    batch: VecDeque<Item<T>>,
    batch_bytes: usize,
    rule: Rule<T>,
    capacity: usize,
    common: Arc<Common<T>>,
}

/// The application's end.
pub(crate) struct Consumer<T> {
    taken: VecDeque<Item<T>>,
    /// Consumed, and not given back yet.
    consumed_events: usize,
    consumed_bytes: usize,
    /// Consumed events are given back by so many: an event each would cost as much as taking it.
    chunk: usize,
    common: Arc<Common<T>>,
}

/// Says how full a queue is, without its type.
pub(crate) trait Fullness: Send + Sync {
    fn is_full(&self, capacity: usize) -> bool;
}

impl<T: Send> Fullness for Common<T> {
    fn is_full(&self, capacity: usize) -> bool {
        self.pending.load(Ordering::SeqCst) >= capacity
    }
}

/// A queue whose unread bytes count in `budget`.
pub(crate) fn queue<T>(rule: QueueRule<T>, default_capacity: usize, budget: Budget) -> (Producer<T>, Consumer<T>) {
    let capacity = match &rule.0 {
        Rule::Wait(capacity) => capacity.unwrap_or(default_capacity),
        Rule::DropOldest(capacity) => *capacity,
        Rule::Latest(_) => MAX_KEYS,
    };
    let ready = Ready { items: VecDeque::new(), first_place: 0, bytes: 0, waker: None, is_closed: false, is_abandoned: false };
    let common = Arc::new(Common {
        ready: Mutex::new(ready),
        pending: AtomicUsize::new(0),
        conflated: AtomicU64::new(0),
        budget,
    });
    let producer = Producer { batch: VecDeque::new(), batch_bytes: 0, rule: rule.0, capacity, common: common.clone() };
    let chunk = (capacity / 16).clamp(1, 64);
    (producer, Consumer { taken: VecDeque::new(), consumed_events: 0, consumed_bytes: 0, chunk, common })
}

impl<T> Producer<T> {
    #[inline]
    pub(crate) fn push(&mut self, delivery: Delivery<T>, cost: usize) {
        self.batch_bytes += cost;
        self.common.budget.add(cost);
        self.batch.push_back(Item { delivery, cost });
        // A rule that drops needs no more than it may keep.
        if !matches!(self.rule, Rule::Wait(_)) && self.batch.len() > self.capacity {
            self.flush();
        }
    }

    /// A second gap before the first one was read is one gap: the later reason, all keys of both.
    pub(crate) fn push_gap(&mut self, gap: &Gap) {
        self.flush();
        let mut ready = self.common.lock();
        if let Some(Item { delivery: Delivery::Gap(waiting), .. }) = ready.items.back_mut() {
            let earlier = std::mem::replace(waiting, gap.clone());
            let fresh: Vec<_> = earlier.keys.into_iter().filter(|key| !waiting.keys.contains(key)).collect();
            waiting.keys.splice(0..0, fresh);
            return;
        }
        if let Rule::Latest(keys) = &mut self.rule {
            // What came before the gap must not be replaced by what comes after it.
            keys.forget();
        }
        self.batch.push_back(Item { delivery: Delivery::Gap(gap.clone()), cost: 0 });
        drop(ready);
        self.flush();
    }

    pub(crate) fn flush(&mut self) {
        if self.batch.is_empty() {
            return;
        }
        let mut ready = self.common.lock();
        let bytes = std::mem::take(&mut self.batch_bytes);
        if ready.is_abandoned {
            self.batch.clear();
            return self.common.budget.release(bytes);
        }
        ready.bytes += bytes;
        let mut added = self.batch.len();
        match &mut self.rule {
            Rule::Latest(keys) => added = conflate(&mut ready, &mut self.batch, keys.as_mut(), &self.common),
            Rule::Wait(_) | Rule::DropOldest(_) if ready.items.is_empty() => std::mem::swap(&mut ready.items, &mut self.batch),
            Rule::Wait(_) | Rule::DropOldest(_) => ready.items.append(&mut self.batch),
        }
        self.common.pending.fetch_add(added, Ordering::SeqCst);
        if !matches!(self.rule, Rule::Wait(_)) && ready.items.len() > self.capacity {
            drop_oldest(&mut ready, self.capacity, &self.common);
            if let Rule::Latest(keys) = &mut self.rule {
                keys.forget();
            }
        }
        let waker = ready.waker.take();
        drop(ready);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    pub(crate) fn is_full(&self) -> bool {
        matches!(self.rule, Rule::Wait(_)) && self.common.pending.load(Ordering::SeqCst) + self.batch.len() >= self.capacity
    }

    /// Whether nobody reads any more.
    pub(crate) fn is_abandoned(&self) -> bool {
        self.common.lock().is_abandoned
    }

    pub(crate) fn capacity(&self) -> usize {
        self.capacity
    }
}

impl<T: Send + 'static> Producer<T> {
    pub(crate) fn fullness(&self) -> Arc<dyn Fullness> {
        self.common.clone()
    }
}

/// Puts each event in the place of the waiting one of its key. How many are new.
fn conflate<T>(ready: &mut Ready<T>, batch: &mut VecDeque<Item<T>>, keys: &mut dyn Conflate<T>, common: &Common<T>) -> usize {
    let mut added = 0;
    for item in batch.drain(..) {
        let next_place = ready.first_place + ready.items.len() as u64;
        let known = match &item.delivery {
            Delivery::Value(value) => keys.place(value, next_place),
            _ => None,
        };
        let slot = known.and_then(|place| usize::try_from(place.checked_sub(ready.first_place)?).ok()).and_then(|index| ready.items.get_mut(index));
        match slot {
            Some(slot) => {
                let replaced = std::mem::replace(slot, item);
                ready.bytes -= replaced.cost;
                common.budget.release(replaced.cost);
                common.conflated.fetch_add(1, Ordering::Relaxed);
            }
            None => {
                if let (Some(_), Delivery::Value(value)) = (known, &item.delivery) {
                    // The waiting one was taken meanwhile: all places are old.
                    keys.forget();
                    keys.place(value, next_place);
                }
                ready.items.push_back(item);
                added += 1;
            }
        }
    }
    added
}

/// Drops what is too much from the front. A gap among it stays: it is told first.
fn drop_oldest<T>(ready: &mut Ready<T>, capacity: usize, common: &Common<T>) {
    let mut dropped = 0;
    let mut removed = 0;
    let mut gap: Option<Gap> = None;
    // Two places are for what stands in front of the rest: the count, and a gap.
    while ready.items.len() + 2 > capacity.max(3) {
        let Some(item) = ready.items.pop_front() else { break };
        ready.first_place += 1;
        ready.bytes -= item.cost;
        common.budget.release(item.cost);
        removed += 1;
        match item.delivery {
            Delivery::Gap(found) => match &mut gap {
                Some(gap) => {
                    gap.serial = found.serial;
                    gap.reason = found.reason;
                    gap.keys.extend(found.keys);
                }
                None => gap = Some(found),
            },
            Delivery::Lagged(count) => dropped += count,
            Delivery::Value(_) | Delivery::Malformed(_) => dropped += 1,
        }
    }
    common.pending.fetch_sub(removed, Ordering::SeqCst);
    for delivery in [(dropped > 0).then_some(Delivery::Lagged(dropped)), gap.map(Delivery::Gap)].into_iter().flatten() {
        ready.items.push_front(Item { delivery, cost: 0 });
        ready.first_place = ready.first_place.wrapping_sub(1);
        common.pending.fetch_add(1, Ordering::SeqCst);
    }
}

impl<T> Drop for Producer<T> {
    fn drop(&mut self) {
        self.flush();
        let mut ready = self.common.lock();
        ready.is_closed = true;
        let waker = ready.waker.take();
        drop(ready);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<T> Consumer<T> {
    /// The next event; `None` when there will be none any more. `consumed` is called when room was made.
    #[inline]
    pub(crate) fn poll_next(&mut self, context: &mut Context<'_>, consumed: impl FnOnce()) -> Poll<Option<Delivery<T>>> {
        if self.taken.is_empty() {
            let mut ready = self.common.lock();
            if ready.items.is_empty() {
                if ready.is_closed {
                    return Poll::Ready(None);
                }
                ready.waker = Some(context.waker().clone());
                return Poll::Pending;
            }
            std::mem::swap(&mut self.taken, &mut ready.items);
            ready.bytes = 0;
            ready.first_place += self.taken.len() as u64;
        }
        let Some(Item { delivery, cost }) = self.taken.pop_front() else { return Poll::Ready(None) };
        self.consumed_events += 1;
        self.consumed_bytes += cost;
        // With the last event, not at the next call: a consumer that has all it wanted may never call again.
        if self.consumed_events >= self.chunk || self.taken.is_empty() {
            self.release();
            consumed();
        }
        Poll::Ready(Some(delivery))
    }

    /// Gives back what is consumed.
    fn release(&mut self) {
        self.common.pending.fetch_sub(std::mem::take(&mut self.consumed_events), Ordering::SeqCst);
        self.common.budget.release(std::mem::take(&mut self.consumed_bytes));
    }

    pub(crate) fn conflated(&self) -> u64 {
        self.common.conflated.load(Ordering::Relaxed)
    }

    /// Nobody reads any more: gives back everything that waits.
    pub(crate) fn abandon(&mut self) {
        self.consumed_events += self.taken.len();
        self.consumed_bytes += self.taken.drain(..).map(|item| item.cost).sum::<usize>();
        self.release();
        let mut ready = self.common.lock();
        ready.is_abandoned = true;
        let events = ready.items.len();
        ready.items.clear();
        ready.first_place += events as u64;
        let bytes = std::mem::take(&mut ready.bytes);
        drop(ready);
        self.common.pending.fetch_sub(events, Ordering::SeqCst);
        self.common.budget.release(bytes);
    }
}
