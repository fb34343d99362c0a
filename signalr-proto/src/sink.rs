//! Where decoded values go: the decoders that come with a registration or a call.
//!
//! A record is read once. When its reader reaches the arguments, the item or the result of something that somebody registered, it hands its
//! cursor to that somebody's sink, which decodes the value in place and keeps it *staged*. Only when the whole record has turned out well does
//! the machine say `commit`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::{DisconnectReason, HubError, NotSent, OutcomeUnknown, Rejection};
use crate::io::AttemptId;
use crate::json::{Cursor, DecodeError};
use crate::subscription::SubscriptionKey;

/// Receives the invocations of one target.
///
/// Calls come in the order of the records: `decode`, then either `commit` or `discard`; `malformed` and `gap` stand between records. What was
/// committed since the last `flush` need not be visible to the consumer.
pub trait InvocationSink: Send {
    /// Decodes the arguments (a JSON array) at the cursor and stages them.
    fn decode(&mut self, arguments: &mut Cursor<'_>) -> Result<(), DecodeError>;

    /// Makes an event of what is staged. `cost` is the length of its record in bytes; `ticket` is there if the hub awaits a result.
    fn commit(&mut self, cost: usize, ticket: Option<ResultTicket>);

    /// Forgets what is staged.
    fn discard(&mut self);

    /// Arguments came that do not fit.
    fn malformed(&mut self, error: DecodeError, cost: usize);

    /// Events may have been missed from here on.
    fn gap(&mut self, gap: &Gap);

    /// Makes everything up to here visible to the consumer.
    fn flush(&mut self);

    /// Whether the consumer should be waited for. Sinks that drop or conflate never say so.
    fn is_full(&self) -> bool {
        false
    }
}

/// Receives the result of one invocation, or the items of one stream.
pub trait CallSink: Send {
    /// Decodes the result or the item at the cursor and stages it.
    fn decode(&mut self, value: &mut Cursor<'_>) -> Result<(), DecodeError>;

    /// Takes the staged item over. `cost` is the length of its record in bytes. `Err` means that the consumer has more unread than it may.
    fn commit_item(&mut self, cost: usize) -> Result<(), StreamOverflow> {
        let _ = cost;
        Ok(())
    }

    /// An item came that does not fit.
    fn malformed_item(&mut self, error: DecodeError) {
        let _ = error;
    }

    /// Forgets what is staged.
    fn discard(&mut self);

    /// Makes the items up to here visible to the consumer.
    fn flush(&mut self) {}

    /// The call is over. Called once, by whoever took the reply from the machine; a result is what was staged last.
    fn finish(self: Box<Self>, outcome: CallOutcome);
}

/// A stream's consumer had more unread than `max_stream_bytes`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the stream's items were not read fast enough")]
pub struct StreamOverflow;

/// How a call ended.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum CallOutcome {
    /// The hub gave a result, which is staged in the call's sink.
    Value,
    /// The hub completed without a result; or a stream came to its end; or a `send` was handed to the transport.
    Completed,
    /// The hub's method failed.
    HubError(HubError),
    /// The hub gave a result that does not fit the type asked for.
    Malformed(DecodeError),
    /// Nothing of it was sent.
    NotSent(NotSent),
    /// It was sent, and no answer will come.
    OutcomeUnknown(OutcomeUnknown),
    /// It was refused on the spot.
    Rejected(Rejection),
    /// The stream's consumer did not keep up; the stream was cancelled on the hub.
    StreamOverflow,
    /// The caller gave it up.
    Cancelled,
}

/// The right to answer one client result: the hub waits for exactly one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultTicket {
    pub(crate) attempt: AttemptId,
    pub(crate) invocation_id: Box<str>,
}

/// An interval in which events may have been missed. It ends with the lifecycle's `Restored`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// Counts the gaps of a connection, from 1.
    pub serial: u64,
    /// Why the connection was lost.
    pub reason: DisconnectReason,
    /// The durable subscriptions whose events may have been missed. None where there are no subscriptions.
    pub keys: Vec<SubscriptionKey>,
}

/// Counts the bytes that a connection's consumers have not taken yet. Clones share one count.
#[derive(Debug, Clone, Default)]
pub struct Budget(Arc<AtomicUsize>);

impl Budget {
    /// Something was queued.
    pub fn add(&self, bytes: usize) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Something was taken.
    pub fn release(&self, bytes: usize) {
        self.0.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Bytes queued now.
    pub fn bytes(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}
