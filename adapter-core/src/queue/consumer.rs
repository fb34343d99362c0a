//! The application's end of a queue.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use super::items::Items;
use super::{Common, Delivery};

/// The end of a queue that events are taken from: see [`queue`](super::queue).
///
/// Whoever drops it [abandons](Self::abandon) it first.
pub struct Consumer<T> {
    taken: Items<T>,
    /// Consumed, and not given back yet.
    consumed_events: usize,
    consumed_bytes: usize,
    /// Consumed events are given back by so many: an event each would cost as much as taking it.
    chunk: usize,
    common: Arc<Common<T>>,
}

impl<T> Consumer<T> {
    pub(super) fn new(capacity: usize, common: Arc<Common<T>>) -> Self {
        let chunk = (capacity / 16).clamp(1, 64);
        Self { taken: Items::new(), consumed_events: 0, consumed_bytes: 0, chunk, common }
    }

    /// The next event; `None` when there will be none any more. `consumed` is called when room was made.
    #[inline]
    pub fn poll_next(&mut self, context: &mut Context<'_>, consumed: impl FnOnce()) -> Poll<Option<Delivery<T>>> {
        if self.taken.is_empty() {
            match self.take(context) {
                Poll::Ready(true) => {}
                Poll::Ready(false) => return Poll::Ready(None),
                Poll::Pending => return Poll::Pending,
            }
        }
        self.consumed_events += 1;
        self.consumed_bytes += self.taken.first_cost();
        // With the last event, not at the next call: a consumer that has all it wanted may never call again.
        if self.consumed_events >= self.chunk || self.taken.len() == 1 {
            self.release();
            consumed();
        }
        Poll::Ready(self.taken.pop_front())
    }

    /// Takes all that waits. `false`: there will be no more.
    fn take(&mut self, context: &mut Context<'_>) -> Poll<bool> {
        let mut ready = self.common.lock();
        if ready.items.is_empty() {
            if ready.is_closed {
                return Poll::Ready(false);
            }
            match &mut ready.waker {
                Some(waker) => waker.clone_from(context.waker()),
                none => *none = Some(context.waker().clone()),
            }
            return Poll::Pending;
        }
        std::mem::swap(&mut self.taken, &mut ready.items);
        ready.bytes = 0;
        ready.first_place += self.taken.len() as u64;
        Poll::Ready(true)
    }

    /// Gives back what is consumed.
    fn release(&mut self) {
        self.common.pending.fetch_sub(std::mem::take(&mut self.consumed_events), Ordering::SeqCst);
        self.common.budget.release(std::mem::take(&mut self.consumed_bytes));
    }

    /// How many events gave way to a later one of the same key.
    pub fn conflated(&self) -> u64 {
        self.common.conflated.load(Ordering::Relaxed)
    }

    /// Says that nobody reads any more, and gives back everything that waits.
    pub fn abandon(&mut self) {
        self.consumed_events += self.taken.len();
        self.consumed_bytes += self.taken.cost();
        self.taken.clear();
        self.release();
        let mut ready = self.common.lock();
        ready.is_abandoned = true;
        // Dropped without the lock: it may be anything.
        let items = std::mem::replace(&mut ready.items, Items::new());
        ready.first_place += items.len() as u64;
        let bytes = std::mem::take(&mut ready.bytes);
        drop(ready);
        self.common.pending.fetch_sub(items.len(), Ordering::SeqCst);
        self.common.budget.release(bytes);
    }
}
