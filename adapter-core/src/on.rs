//! Typed streams of the hub's invocations.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;
use serde::de::DeserializeOwned;
use signalr_proto::json::{Cursor, DecodeError};
use signalr_proto::sink::{Gap, InvocationSink, ResultTicket};
use signalr_proto::{Command, Token};

use crate::arguments;
use crate::queue::{Consumer, Delivery, Producer};
use crate::shared::Lifeline;

/// The invocations of one target, decoded: see [`HubConnection::on`](crate::HubConnection::on). Dropping it ends the registration.
#[must_use = "a stream does nothing unless it is polled"]
pub struct On<T> {
    consumer: Consumer<T>,
    registration: Token,
    lifeline: Arc<Lifeline>,
}

impl<T> On<T> {
    pub(crate) fn new(consumer: Consumer<T>, registration: Token, lifeline: Arc<Lifeline>) -> Self {
        Self { consumer, registration, lifeline }
    }

    /// How many events gave way to a later one of the same key. 0 unless the queue's rule is
    /// [`latest_by`](crate::QueueRule::latest_by).
    pub fn conflated(&self) -> u64 {
        self.consumer.conflated()
    }
}

impl<T> Stream for On<T> {
    type Item = Delivery<T>;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Delivery<T>>> {
        let this = self.get_mut();
        let shared = &this.lifeline.shared;
        this.consumer.poll_next(context, || shared.consumed())
    }
}

// Nothing in it is pinned.
impl<T> Unpin for On<T> {}

impl<T> Drop for On<T> {
    fn drop(&mut self) {
        let shared = &self.lifeline.shared;
        self.consumer.abandon();
        shared.command(shared.next_token(), Command::Unregister { registration: self.registration });
        shared.consumed();
    }
}

/// Decodes the arguments of a target, once, and queues them.
///
/// A value is staged in the queue's batch itself: it is large, and moving it costs more than taking it back.
pub(crate) struct EventSink<T> {
    producer: Producer<T>,
}

impl<T> EventSink<T> {
    pub(crate) fn new(producer: Producer<T>) -> Self {
        Self { producer }
    }
}

impl<T: DeserializeOwned + Send + 'static> InvocationSink for EventSink<T> {
    #[inline]
    fn decode(&mut self, arguments: &mut Cursor<'_>) -> Result<(), DecodeError> {
        self.producer.stage(arguments::read(arguments)?);
        Ok(())
    }

    #[inline]
    fn commit(&mut self, cost: usize, _: Option<ResultTicket>) {
        self.producer.commit(cost);
    }

    fn discard(&mut self) {
        self.producer.discard();
    }

    fn malformed(&mut self, error: DecodeError, cost: usize) {
        self.producer.push(Delivery::Malformed(error), cost);
    }

    fn gap(&mut self, gap: &Gap) {
        self.producer.push_gap(gap);
    }

    fn flush(&mut self) {
        self.producer.flush();
    }

    fn is_full(&self) -> bool {
        self.producer.is_full()
    }
}
