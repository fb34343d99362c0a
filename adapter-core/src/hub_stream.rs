//! Streams that the hub sends.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;
use serde::de::DeserializeOwned;
use signalr_proto::error::{HubError, NotSent, OutcomeUnknown, Rejection};
use signalr_proto::json::{Cursor, DecodeError};
use signalr_proto::sink::{Budget, CallOutcome, CallSink, StreamOverflow};
use signalr_proto::{Command, Token};

use crate::queue::{Consumer, Delivery, Producer, QueueRule, queue};
use crate::shared::Lifeline;

/// What is wrong with a stream, or with one of its items.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum StreamError {
    /// The hub's method failed. The stream is over.
    #[error(transparent)]
    Hub(HubError),
    /// Not one byte of the call was sent. The stream is over.
    #[error(transparent)]
    NotSent(NotSent),
    /// The connection was lost, or the deadline passed, before the stream's end.
    #[error(transparent)]
    OutcomeUnknown(OutcomeUnknown),
    /// The call was refused on the spot.
    #[error(transparent)]
    Rejected(Rejection),
    /// One item does not fit the type asked for. The stream goes on.
    #[error("an item does not fit: {0}")]
    Decode(DecodeError),
    /// More than `max_stream_bytes` were unread. The stream is over, and was cancelled on the hub.
    #[error("the stream's items were not read fast enough")]
    Overflow,
}

type Item<T> = Result<T, StreamError>;

/// The items of one streaming call, in order. Dropping it cancels the stream on the hub.
///
/// It yields an error for each item that does not fit and goes on; any other error is its last item.
#[must_use = "a stream does nothing unless it is polled"]
pub struct HubStream<T> {
    consumer: Consumer<Item<T>>,
    unread: Budget,
    call: Token,
    is_over: bool,
    lifeline: Arc<Lifeline>,
}

impl<T> HubStream<T> {
    pub(crate) fn new((consumer, unread): (Consumer<Item<T>>, Budget), call: Token, lifeline: Arc<Lifeline>) -> Self {
        Self { consumer, unread, call, is_over: false, lifeline }
    }

    /// Bytes of records whose items were not read yet.
    pub fn unread_bytes(&self) -> usize {
        self.unread.bytes()
    }
}

impl<T> Stream for HubStream<T> {
    type Item = Item<T>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Item<T>>> {
        let this = self.get_mut();
        if this.is_over {
            return Poll::Ready(None);
        }
        loop {
            match std::task::ready!(this.consumer.poll_next(context, || {})) {
                Some(Delivery::Value(item)) => {
                    this.is_over = matches!(&item, Err(error) if !matches!(error, StreamError::Decode(_)));
                    return Poll::Ready(Some(item));
                }
                Some(_) => {}
                None => {
                    this.is_over = true;
                    return Poll::Ready(None);
                }
            }
        }
    }
}

impl<T> Unpin for HubStream<T> {}

impl<T> Drop for HubStream<T> {
    fn drop(&mut self) {
        self.consumer.abandon();
        if !self.is_over {
            let shared = &self.lifeline.shared;
            shared.command(shared.next_token(), Command::Cancel { call: self.call });
        }
    }
}

/// The two ends of a stream that may hold so many unread bytes.
pub(crate) fn channel<T>(max_bytes: usize) -> (ItemSink<T>, (Consumer<Item<T>>, Budget)) {
    let unread = Budget::default();
    let (producer, consumer) = queue(QueueRule::wait(usize::MAX), usize::MAX, unread.clone());
    let sink = ItemSink { staged: None, producer, unread: unread.clone(), max_bytes };
    (sink, (consumer, unread))
}

pub(crate) struct ItemSink<T> {
    staged: Option<T>,
    producer: Producer<Item<T>>,
    unread: Budget,
    max_bytes: usize,
}

/// An item has a place in a queue, however short its record.
const ITEM_COST: usize = 32;

impl<T: DeserializeOwned + Send> CallSink for ItemSink<T> {
    fn decode(&mut self, value: &mut Cursor<'_>) -> Result<(), DecodeError> {
        self.staged = Some(value.decode()?);
        Ok(())
    }

    fn commit_item(&mut self, cost: usize) -> Result<(), StreamOverflow> {
        let Some(item) = self.staged.take() else { return Ok(()) };
        if self.unread.bytes() + cost + ITEM_COST > self.max_bytes {
            return Err(StreamOverflow);
        }
        self.producer.push(Delivery::Value(Ok(item)), cost + ITEM_COST);
        Ok(())
    }

    fn malformed_item(&mut self, error: DecodeError) {
        self.producer.push(Delivery::Value(Err(StreamError::Decode(error))), ITEM_COST);
    }

    fn discard(&mut self) {
        self.staged = None;
    }

    fn flush(&mut self) {
        self.producer.flush();
    }

    fn finish(mut self: Box<Self>, outcome: CallOutcome) {
        let error = match outcome {
            CallOutcome::Value | CallOutcome::Completed | CallOutcome::Cancelled => return,
            CallOutcome::HubError(error) => StreamError::Hub(error),
            CallOutcome::Malformed(error) => StreamError::Decode(error),
            CallOutcome::NotSent(why) => StreamError::NotSent(why),
            CallOutcome::OutcomeUnknown(why) => StreamError::OutcomeUnknown(why),
            CallOutcome::Rejected(rejection) => StreamError::Rejected(rejection),
            CallOutcome::StreamOverflow => StreamError::Overflow,
            _ => StreamError::OutcomeUnknown(OutcomeUnknown::Cancelled),
        };
        self.producer.push(Delivery::Value(Err(error)), 0);
    }
}
