//! What waits to be written to one connection: records in order, bounded in bytes, ended by a close.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use tokio_tungstenite::tungstenite::protocol::frame::Frame;

use super::pop_if;
use super::resume::Resume;

/// Beyond this a producer that can wait, waits.
pub(super) const SOFT_LIMIT: usize = 128 * 1024;
/// Beyond this nobody waits any more: the reader is too slow and the connection ends.
pub(super) const HARD_LIMIT: usize = 64 * 1024 * 1024;
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

#[derive(Debug, Default)]
pub(super) struct Outbound {
    queue: VecDeque<Queued>,
    bytes: usize,
    /// Pings and acknowledgements, which no data holds up.
    control: VecDeque<Bytes>,
    /// What a new socket begins with.
    again: VecDeque<Bytes>,
    last: Option<Last>,
}

#[derive(Debug)]
enum Queued {
    Record(Bytes),
    Frame(Frame),
}

#[derive(Debug)]
enum Last {
    /// A record, if there is one, then a close.
    Close(Option<Bytes>, u16),
    Discarded,
}

impl Outbound {
    /// Queues a record; `false` when there is no room at all. After the end everything is dropped.
    pub(super) fn push(&mut self, record: Bytes) -> bool {
        self.queue(record.len(), Queued::Record(record))
    }

    /// Queues a frame as it is, between the records before and after it.
    pub(super) fn push_frame(&mut self, frame: Frame) -> bool {
        self.queue(frame.len(), Queued::Frame(frame))
    }

    /// Queues a record that overtakes data.
    pub(super) fn push_control(&mut self, record: Bytes) {
        if self.last.is_none() {
            self.control.push_back(record);
        }
    }

    /// Begins a new socket: what was under way on the old one is said again, and nothing else of it.
    pub(super) fn say_again(&mut self, records: impl Iterator<Item = Bytes>) {
        self.again = records.collect();
        self.control.clear();
    }

    /// Ends the queue: what waits is still written, then `record`, then a close with `code`.
    pub(super) fn finish(&mut self, record: Option<Bytes>, code: u16) {
        if self.last.is_none() {
            self.last = Some(Last::Close(record, code));
        }
    }

    /// Ends the queue and forgets what waits.
    pub(super) fn discard(&mut self) {
        self.last = Some(Last::Discarded);
        self.queue = VecDeque::new();
        self.control.clear();
        self.again.clear();
        self.bytes = 0;
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn has_room(&self) -> bool {
        self.bytes < SOFT_LIMIT
    }

    pub(super) fn has_control(&self) -> bool {
        !self.control.is_empty()
    }

    /// Whether records wait that must not leave before an acknowledgement.
    pub(super) fn is_held_up(&self, resume: Option<&Resume>) -> bool {
        resume.is_some_and(Resume::is_full) && self.queue.front().is_some_and(Queued::is_counted)
    }

    /// Whether [`Outbound::poll`] has something.
    pub(super) fn is_ready(&self, resume: Option<&Resume>) -> bool {
        !self.again.is_empty()
            || !self.control.is_empty()
            || self.last.is_some()
            || (!self.queue.is_empty() && !resume.is_some_and(Resume::is_full))
    }

    /// The next thing to write; data waits while the buffer of stateful reconnect is full.
    pub(super) fn poll(&mut self, mut resume: Option<&mut Resume>) -> Option<Outgoing> {
        if matches!(self.last, Some(Last::Discarded)) {
            return Some(Outgoing::Discarded);
        }
        let mut frame = BytesMut::new();
        loop {
            match self.next_record(frame.len(), resume.as_deref_mut()) {
                Some(record) if frame.is_empty() => {
                    if !self.another_fits(record.len(), resume.as_deref()) {
                        return Some(Outgoing::Records(record));
                    }
                    frame.reserve(FRAME_TARGET);
                    frame.extend_from_slice(&record);
                }
                Some(record) => frame.extend_from_slice(&record),
                None => break,
            }
        }
        if !frame.is_empty() {
            return Some(Outgoing::Records(frame.freeze()));
        }
        if let Some(Queued::Frame(frame)) = pop_if(&mut self.queue, |queued| matches!(queued, Queued::Frame(_))) {
            self.bytes = self.bytes.saturating_sub(frame.len());
            return Some(Outgoing::Frame(frame));
        }
        match &mut self.last {
            Some(Last::Close(record, code)) => Some(record.take().map_or(Outgoing::Close(*code), Outgoing::Records)),
            _ => None,
        }
    }

    fn queue(&mut self, size: usize, queued: Queued) -> bool {
        if self.last.is_some() {
            return true;
        }
        if self.bytes + size > HARD_LIMIT {
            return false;
        }
        self.bytes += size;
        self.queue.push_back(queued);
        true
    }

    /// Takes the next record if it fits behind `length` bytes of a frame.
    fn next_record(&mut self, length: usize, resume: Option<&mut Resume>) -> Option<Bytes> {
        let fits = |record: &Bytes| length == 0 || length + record.len() <= FRAME_TARGET;
        if let Some(record) = pop_if(&mut self.again, |record| fits(record)) {
            return Some(record);
        }
        if !self.again.is_empty() {
            return None;
        }
        if let Some(record) = pop_if(&mut self.control, |record| fits(record)) {
            return Some(record);
        }
        let is_full = resume.as_deref().is_some_and(Resume::is_full);
        let record = pop_if(&mut self.queue, |queued| match queued {
            Queued::Record(record) => fits(record) && !(is_full && is_counted(record)),
            Queued::Frame(_) => false,
        });
        let Some(Queued::Record(record)) = record else { return None };
        self.bytes = self.bytes.saturating_sub(record.len());
        if let Some(resume) = resume.filter(|_| is_counted(&record)) {
            resume.count_sent(&record);
        }
        Some(record)
    }

    fn another_fits(&self, length: usize, resume: Option<&Resume>) -> bool {
        let next = self.again.front().or(self.control.front()).or(match self.queue.front() {
            Some(Queued::Record(record)) if !resume.is_some_and(Resume::is_full) => Some(record),
            _ => None,
        });
        next.is_some_and(|next| length + next.len() <= FRAME_TARGET)
    }
}

impl Queued {
    fn is_counted(&self) -> bool {
        matches!(self, Self::Record(record) if is_counted(record))
    }
}

/// Whether stateful reconnect counts a record: kinds 1 to 5, written as .NET writes them.
fn is_counted(record: &[u8]) -> bool {
    record.strip_prefix(b"{\"type\":").is_some_and(|rest| matches!(rest, [b'1'..=b'5', b',', ..]))
}

#[cfg(test)]
mod tests {
    use signalr_proto::time::Instant;

    use super::*;

    fn records(outgoing: Option<Outgoing>) -> String {
        match outgoing {
            Some(Outgoing::Records(records)) => String::from_utf8(records.to_vec()).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn records_that_wait_together_leave_in_one_frame_and_a_frame_keeps_its_place() {
        let mut outbound = Outbound::default();
        assert!(outbound.push(Bytes::from_static(b"a\x1e")));
        assert!(outbound.push(Bytes::from_static(b"b\x1e")));
        assert!(outbound.push_frame(Frame::ping(Bytes::from_static(b"p"))));
        assert!(outbound.push(Bytes::from_static(b"c\x1e")));
        outbound.finish(Some(Bytes::from_static(b"d\x1e")), 1000);
        assert!(outbound.push(Bytes::from_static(b"late\x1e")));

        assert_eq!(records(outbound.poll(None)), "a\x1eb\x1e");
        assert!(matches!(outbound.poll(None), Some(Outgoing::Frame(_))));
        assert_eq!(records(outbound.poll(None)), "c\x1e");
        assert_eq!(records(outbound.poll(None)), "d\x1e");
        assert!(matches!(outbound.poll(None), Some(Outgoing::Close(1000))));
    }

    #[test]
    fn the_hard_limit_refuses() {
        let mut outbound = Outbound::default();
        let large = Bytes::from(vec![b'x'; HARD_LIMIT]);
        assert!(outbound.push(large.clone()));
        assert!(!outbound.push(large));
    }

    #[test]
    fn a_full_buffer_holds_data_up_and_nothing_else() {
        let mut resume = Resume::new(Instant::from_nanos(0), 10);
        let mut outbound = Outbound::default();
        let item = || Bytes::from_static(b"{\"type\":1,\"target\":\"m\"}\x1e");
        assert!(outbound.push(item()) && outbound.push(item()));
        outbound.push_control(Bytes::from_static(b"{\"type\":6}\x1e"));
        assert_eq!(records(outbound.poll(Some(&mut resume))), "{\"type\":6}\x1e{\"type\":1,\"target\":\"m\"}\x1e");
        assert!(outbound.is_held_up(Some(&resume)) && !outbound.is_ready(Some(&resume)));
        assert!(outbound.poll(Some(&mut resume)).is_none());
        resume.take_ack(1);
        assert!(outbound.is_ready(Some(&resume)));
        assert_eq!(records(outbound.poll(Some(&mut resume))), "{\"type\":1,\"target\":\"m\"}\x1e");
    }
}
