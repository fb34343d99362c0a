//! What waits to be written to one connection: records in order, bounded in bytes, ended by a close.

use std::collections::VecDeque;
use std::sync::Mutex;

use bytes::{Bytes, BytesMut};
use tokio::sync::Notify;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;

use crate::lock::lock;

/// Beyond this a producer that can wait, waits.
const SOFT_LIMIT: usize = 128 * 1024;
/// Beyond this nobody waits any more: the reader is too slow and the connection ends.
const HARD_LIMIT: usize = 64 * 1024 * 1024;
/// Records that wait together leave together, as with ASP.NET Core; a frame grows to about this size.
const FRAME_TARGET: usize = 16 * 1024;

/// One thing for the writer to do.
#[derive(Debug)]
pub(crate) enum Outgoing {
    /// Whole records, each with its separator, for one text frame.
    Records(Bytes),
    /// A frame exactly as it is.
    Frame(Frame),
    /// The WebSocket's close with this code; nothing follows.
    Close(u16),
    /// Stop writing at once, saying nothing.
    Discarded,
}

/// A queue of outgoing records that any thread may fill and one writer empties.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    state: Mutex<State>,
    filled: Notify,
    emptied: Notify,
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<Queued>,
    bytes: usize,
    close: Option<u16>,
    discarded: bool,
}

#[derive(Debug)]
enum Queued {
    Record(Bytes),
    Frame(Frame),
}

impl Outbox {
    /// Queues a record, its separator included; `false` when the connection must end because it reads too slowly.
    pub(crate) fn push(&self, record: Bytes) -> bool {
        let size = record.len();
        self.queue(Queued::Record(record), size)
    }

    /// Queues a frame as it is, between the records before and after it.
    pub(crate) fn push_frame(&self, frame: Frame) -> bool {
        let size = frame.len();
        self.queue(Queued::Frame(frame), size)
    }

    /// Queues a record once there is room for it; `false` as with [`Outbox::push`].
    pub(crate) async fn push_when_there_is_room(&self, record: Bytes) -> bool {
        loop {
            let room = self.emptied.notified();
            let mut room = std::pin::pin!(room);
            room.as_mut().enable();
            if lock(&self.state).bytes < SOFT_LIMIT {
                return self.push(record);
            }
            room.await;
        }
    }

    /// The bytes that wait.
    pub(crate) fn queued_bytes(&self) -> usize {
        lock(&self.state).bytes
    }

    /// Ends the queue: what waits is still written, then `last`, then a close with `code`. Later pushes are dropped.
    pub(crate) fn finish(&self, last: Option<Bytes>, code: u16) {
        if let Some(record) = last {
            self.push(record);
        }
        let mut state = lock(&self.state);
        if state.close.is_none() {
            state.close = Some(code);
        }
        drop(state);
        self.filled.notify_one();
        self.emptied.notify_waiters();
    }

    /// Ends the queue and forgets what waits.
    pub(crate) fn discard(&self) {
        let mut state = lock(&self.state);
        state.discarded = true;
        state.queue.clear();
        state.bytes = 0;
        drop(state);
        self.filled.notify_one();
        self.emptied.notify_waiters();
    }

    /// Waits for the next thing to write.
    pub(crate) async fn next(&self) -> Outgoing {
        loop {
            let filled = self.filled.notified();
            if let Some(next) = self.take() {
                self.emptied.notify_waiters();
                return next;
            }
            filled.await;
        }
    }

    fn queue(&self, item: Queued, size: usize) -> bool {
        let mut state = lock(&self.state);
        if state.discarded || state.close.is_some() {
            return true;
        }
        if state.bytes + size > HARD_LIMIT {
            return false;
        }
        state.bytes += size;
        state.queue.push_back(item);
        drop(state);
        self.filled.notify_one();
        true
    }

    fn take(&self) -> Option<Outgoing> {
        let mut state = lock(&self.state);
        if state.discarded {
            return Some(Outgoing::Discarded);
        }
        let first = match state.queue.pop_front() {
            Some(Queued::Record(record)) => record,
            Some(Queued::Frame(frame)) => {
                state.bytes = state.bytes.saturating_sub(frame.len());
                return Some(Outgoing::Frame(frame));
            }
            None => return state.close.map(Outgoing::Close),
        };
        state.bytes = state.bytes.saturating_sub(first.len());
        if !state.next_record_fits(first.len()) {
            return Some(Outgoing::Records(first));
        }
        let mut frame = BytesMut::with_capacity(FRAME_TARGET);
        frame.extend_from_slice(&first);
        while state.next_record_fits(frame.len()) {
            if let Some(Queued::Record(record)) = state.queue.pop_front() {
                state.bytes = state.bytes.saturating_sub(record.len());
                frame.extend_from_slice(&record);
            }
        }
        Some(Outgoing::Records(frame.freeze()))
    }
}

impl State {
    fn next_record_fits(&self, length: usize) -> bool {
        matches!(self.queue.front(), Some(Queued::Record(record)) if length + record.len() <= FRAME_TARGET)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn records_that_wait_together_leave_in_one_frame_and_a_frame_keeps_its_place() {
        let outbox = Outbox::default();
        assert!(outbox.push(Bytes::from_static(b"a\x1e")));
        assert!(outbox.push(Bytes::from_static(b"b\x1e")));
        assert!(outbox.push_frame(Frame::ping(Bytes::from_static(b"p"))));
        outbox.finish(Some(Bytes::from_static(b"c\x1e")), 1000);
        assert!(outbox.push(Bytes::from_static(b"late\x1e")));

        assert!(matches!(outbox.next().await, Outgoing::Records(records) if &records[..] == b"a\x1eb\x1e"));
        assert!(matches!(outbox.next().await, Outgoing::Frame(_)));
        assert!(matches!(outbox.next().await, Outgoing::Records(records) if &records[..] == b"c\x1e"));
        assert!(matches!(outbox.next().await, Outgoing::Close(1000)));
    }

    #[test]
    fn the_hard_limit_refuses() {
        let outbox = Outbox::default();
        let large = Bytes::from(vec![b'x'; HARD_LIMIT]);
        assert!(outbox.push(large.clone()));
        assert!(!outbox.push(large));
    }
}
