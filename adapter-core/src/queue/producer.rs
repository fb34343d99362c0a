//! The driver's end of a queue.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use signalr_proto::sink::{Budget, Gap};

use super::items::Items;
use super::rule::{Conflate, Rule};
use super::{Common, Delivery, Fullness, Ready};

/// The end of a queue that events are put into: see [`queue`](super::queue).
///
/// Dropping it ends the consumer's stream.
pub struct Producer<T> {
    batch: Items<T>,
    batch_bytes: usize,
    /// The last item of the batch is staged: it counts for nothing until it is committed.
    is_staged: bool,
    rule: Rule<T>,
    capacity: usize,
    budget: Budget,
    common: Arc<Common<T>>,
}

impl<T> Producer<T> {
    pub(super) fn new(rule: Rule<T>, capacity: usize, common: Arc<Common<T>>) -> Self {
        let budget = common.budget.clone();
        Self { batch: Items::new(), batch_bytes: 0, is_staged: false, rule, capacity, budget, common }
    }

    /// Puts a value where it will be delivered from, should it be committed.
    #[inline]
    pub(crate) fn stage(&mut self, value: T) {
        self.discard();
        self.batch.push_back(Delivery::Value(value), 0);
        self.is_staged = true;
    }

    /// Makes an event of what is staged.
    #[inline]
    pub(crate) fn commit(&mut self, cost: usize) {
        if !std::mem::take(&mut self.is_staged) {
            return;
        }
        self.batch.set_last_cost(cost);
        self.count(cost);
    }

    /// Forgets what is staged.
    #[inline]
    pub(crate) fn discard(&mut self) {
        if std::mem::take(&mut self.is_staged) {
            self.batch.pop_back();
        }
    }

    /// Adds an event of so many bytes to the batch that the next flush hands over.
    #[inline]
    pub fn push(&mut self, delivery: Delivery<T>, cost: usize) {
        self.discard();
        self.batch.push_back(delivery, cost);
        self.count(cost);
    }

    /// The last item of the batch is an event from now on.
    #[inline]
    fn count(&mut self, cost: usize) {
        self.batch_bytes += cost;
        self.budget.add(cost);
        // A rule that drops needs no more than it may keep.
        if !matches!(self.rule, Rule::Wait(_)) && self.batch.len() > self.capacity {
            self.flush();
        }
    }

    /// A second gap before the first one was read is one gap: the later reason, all keys of both.
    pub(crate) fn push_gap(&mut self, gap: &Gap) {
        self.flush();
        let mut ready = self.common.lock();
        if let Some(Delivery::Gap(waiting)) = ready.items.last_mut() {
            merge(waiting, gap.clone());
            return;
        }
        drop(ready);
        if let Rule::Latest(keys) = &mut self.rule {
            // What came before the gap must not be replaced by what comes after it.
            keys.forget();
        }
        self.batch.push_back(Delivery::Gap(gap.clone()), 0);
        self.flush();
    }

    /// Hands the batch over, and wakes the consumer.
    pub fn flush(&mut self) {
        self.discard();
        if self.batch.is_empty() {
            return;
        }
        let mut ready = self.common.lock();
        let bytes = std::mem::take(&mut self.batch_bytes);
        if ready.is_abandoned {
            self.batch.clear();
            return self.budget.release(bytes);
        }
        ready.bytes += bytes;
        let mut added = self.batch.len();
        match &mut self.rule {
            Rule::Latest(keys) => added = conflate(&mut ready, &mut self.batch, keys.as_mut(), &self.common),
            Rule::Wait(_) | Rule::DropOldest(_) if ready.items.is_empty() => {
                std::mem::swap(&mut ready.items, &mut self.batch);
            }
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

    /// How many events wait for the consumer, those that are not flushed included.
    pub fn waiting(&self) -> usize {
        self.common.pending.load(Ordering::SeqCst) + self.batch.len()
    }

    /// Whether the consumer should be waited for. A queue that drops never says so.
    #[inline]
    pub fn is_full(&self) -> bool {
        matches!(self.rule, Rule::Wait(_)) && self.waiting() >= self.capacity
    }

    /// Whether nobody reads any more.
    pub fn is_abandoned(&self) -> bool {
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

/// Puts each event in the place of the waiting one of its key. How many are new.
fn conflate<T>(ready: &mut Ready<T>, batch: &mut Items<T>, keys: &mut dyn Conflate<T>, common: &Common<T>) -> usize {
    let mut added = 0;
    loop {
        let cost = batch.first_cost();
        let Some(delivery) = batch.pop_front() else { return added };
        let next = ready.first_place + ready.items.len() as u64;
        let known = match &delivery {
            Delivery::Value(value) => keys.place(value, ready.first_place, next),
            _ => None,
        };
        let index = known.and_then(|place| usize::try_from(place.checked_sub(ready.first_place)?).ok());
        match ready.items.replace(index.unwrap_or(usize::MAX), delivery, cost) {
            Ok(replaced) => {
                ready.bytes -= replaced;
                common.budget.release(replaced);
                common.conflated.fetch_add(1, Ordering::Relaxed);
            }
            Err(delivery) => {
                ready.items.push_back(delivery, cost);
                added += 1;
            }
        }
    }
}

/// Drops what is too much from the front. A gap among it stays: it is told first.
fn drop_oldest<T>(ready: &mut Ready<T>, capacity: usize, common: &Common<T>) {
    let mut dropped = 0;
    let mut removed = 0;
    let mut gap: Option<Gap> = None;
    // Two places are for what stands in front of the rest: the count, and a gap.
    while ready.items.len() + 2 > capacity.max(3) {
        let cost = ready.items.first_cost();
        let Some(delivery) = ready.items.pop_front() else { break };
        ready.first_place += 1;
        ready.bytes -= cost;
        common.budget.release(cost);
        removed += 1;
        match delivery {
            Delivery::Gap(found) => match &mut gap {
                Some(gap) => merge(gap, found),
                None => gap = Some(found),
            },
            Delivery::Lagged(count) => dropped += count,
            Delivery::Value(_) | Delivery::Malformed(_) => dropped += 1,
        }
    }
    common.pending.fetch_sub(removed, Ordering::SeqCst);
    for delivery in [(dropped > 0).then_some(Delivery::Lagged(dropped)), gap.map(Delivery::Gap)].into_iter().flatten() {
        ready.items.push_front(delivery, 0);
        ready.first_place = ready.first_place.wrapping_sub(1);
        common.pending.fetch_add(1, Ordering::SeqCst);
    }
}

/// One gap of two: the later reason, each key of both once. A queue that nobody reads must not grow with every outage.
fn merge(earlier: &mut Gap, later: Gap) {
    let keys = std::mem::take(&mut earlier.keys);
    *earlier = later;
    let fresh: Vec<_> = keys.into_iter().filter(|key| !earlier.keys.contains(key)).collect();
    earlier.keys.splice(0..0, fresh);
}
