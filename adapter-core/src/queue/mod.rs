//! The queue between the driver and one consumer: bounded, in order, one lock and one wake-up for a burst of events.
//!
//! It is public for layers that make streams of their own on top of a connection, fed by a [decoder](crate::HubConnection::register).
//!
//! The producer gathers a batch without a lock. At a flush the batch goes into the shared part, which the consumer swaps
//! against the empty queue in its hands. So an event is moved twice: into the batch and out of it.

mod consumer;
mod items;
mod producer;
mod rule;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use signalr_proto::json::DecodeError;
use signalr_proto::sink::{Budget, Gap};

pub use consumer::Consumer;
pub use producer::Producer;
pub use rule::QueueRule;

use items::Items;
use rule::{MAX_KEYS, Rule};

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

/// Says how full a queue is, without its type.
pub(crate) trait Fullness: Send + Sync {
    fn is_full(&self, capacity: usize) -> bool;
}

/// Makes a queue whose unread bytes count in `budget`. `default_capacity` holds for a rule that names none.
pub fn queue<T>(rule: QueueRule<T>, default_capacity: usize, budget: Budget) -> (Producer<T>, Consumer<T>) {
    let capacity = match &rule.0 {
        Rule::Wait(capacity) => capacity.unwrap_or(default_capacity),
        Rule::DropOldest(capacity) => *capacity,
        Rule::Latest(_) => MAX_KEYS,
    };
    let ready =
        Ready { items: Items::new(), first_place: 0, bytes: 0, waker: None, is_closed: false, is_abandoned: false };
    let common = Arc::new(Common {
        ready: Mutex::new(ready),
        pending: AtomicUsize::new(0),
        conflated: AtomicU64::new(0),
        budget,
    });
    (Producer::new(rule.0, capacity, common.clone()), Consumer::new(capacity, common))
}

/// What both ends share.
struct Common<T> {
    ready: Mutex<Ready<T>>,
    /// Events that were handed over and not consumed.
    pending: AtomicUsize,
    conflated: AtomicU64,
    budget: Budget,
}

struct Ready<T> {
    items: Items<T>,
    /// The place of the first item, counted over the life of the queue.
    first_place: u64,
    bytes: usize,
    waker: Option<Waker>,
    /// The producer is gone.
    is_closed: bool,
    /// The consumer is gone.
    is_abandoned: bool,
}

impl<T> Common<T> {
    fn lock(&self) -> MutexGuard<'_, Ready<T>> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Send> Fullness for Common<T> {
    fn is_full(&self, capacity: usize) -> bool {
        self.pending.load(Ordering::SeqCst) >= capacity
    }
}
