//! Stateful reconnect: what is counted, what is kept until it is acknowledged, what is said again on a new socket.
//!
//! As ASP.NET Core's `MessageBuffer` does: each side numbers its invocations, items, completions and cancels from 1 for
//! the life of the connection; the numbers themselves are never sent.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use signalr_proto::time::Instant;

use super::pop_if;

/// How often the hub looks whether there is something to acknowledge.
pub(super) const ACK_INTERVAL: Duration = Duration::from_secs(1);
/// How long a full buffer may wait for an acknowledgement while the hub reads nothing; then the hub gives up.
pub(super) const DEADLOCK_TIMEOUT: Duration = Duration::from_secs(5);
/// How long it may wait while the hub still reads.
pub(super) const STALL_TIMEOUT: Duration = Duration::from_secs(10);

/// The Sequence names a record that has not come.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SequenceTooLarge;

/// Both directions of a connection that can change its socket.
#[derive(Debug)]
pub(super) struct Resume {
    limit: usize,
    /// The acknowledgements go out at whole intervals from here.
    began: Instant,
    sent: i64,
    unacknowledged: VecDeque<(i64, Bytes)>,
    buffered: usize,
    next_received: i64,
    latest_received: i64,
    acknowledged: i64,
}

impl Resume {
    pub(super) fn new(now: Instant, limit: usize) -> Self {
        Self {
            limit,
            began: now,
            sent: 0,
            unacknowledged: VecDeque::new(),
            buffered: 0,
            next_received: 1,
            latest_received: 0,
            acknowledged: 0,
        }
    }

    /// Whether records that are counted must wait: the one that crosses the limit is still sent.
    pub(super) fn is_full(&self) -> bool {
        self.buffered > self.limit
    }

    /// Counts a record that is sent, and keeps it.
    pub(super) fn count_sent(&mut self, record: &Bytes) {
        self.sent += 1;
        self.buffered += record.len();
        self.unacknowledged.push_back((self.sent, record.clone()));
    }

    /// Forgets what the client has. A number beyond what was sent is not minded.
    pub(super) fn take_ack(&mut self, sequence_id: i64) {
        while let Some((_, record)) = pop_if(&mut self.unacknowledged, |(id, _)| *id <= sequence_id) {
            self.buffered -= record.len();
        }
    }

    /// Counts a record that came; `false` for one that had come before.
    pub(super) fn count_received(&mut self) -> bool {
        let id = self.next_received;
        self.next_received += 1;
        let is_new = id > self.latest_received;
        if is_new {
            self.latest_received = id;
        }
        is_new
    }

    pub(super) fn take_sequence(&mut self, sequence_id: i64) -> Result<(), SequenceTooLarge> {
        if sequence_id > self.next_received {
            return Err(SequenceTooLarge);
        }
        self.next_received = sequence_id;
        Ok(())
    }

    /// When the next acknowledgement is due, if there is something to acknowledge.
    pub(super) fn ack_due(&self, now: Instant) -> Option<Instant> {
        if self.latest_received <= self.acknowledged {
            return None;
        }
        let interval = u64::try_from(ACK_INTERVAL.as_nanos()).unwrap_or(u64::MAX);
        let elapsed = now.as_nanos().saturating_sub(self.began.as_nanos());
        let ticks = elapsed / interval + 1;
        Some(Instant::from_nanos(self.began.as_nanos().saturating_add(ticks.saturating_mul(interval))))
    }

    /// The number to acknowledge now.
    pub(super) fn ack(&mut self) -> Option<i64> {
        (self.latest_received > self.acknowledged).then(|| {
            self.acknowledged = self.latest_received;
            self.acknowledged
        })
    }

    /// What a new socket begins with: the number of the first record kept, or of the next one.
    pub(super) fn sequence(&self) -> i64 {
        self.unacknowledged.front().map_or(self.sent + 1, |(id, _)| *id)
    }

    pub(super) fn unacknowledged(&self) -> impl Iterator<Item = &Bytes> {
        self.unacknowledged.iter().map(|(_, record)| record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(length: usize) -> Bytes {
        Bytes::from(vec![b'x'; length])
    }

    #[test]
    fn what_crosses_the_limit_is_sent_and_an_ack_makes_room() {
        let mut resume = Resume::new(Instant::from_nanos(0), 100);
        resume.count_sent(&record(100));
        assert!(!resume.is_full());
        resume.count_sent(&record(1));
        assert!(resume.is_full());
        assert_eq!(resume.sequence(), 1);
        resume.take_ack(1);
        assert!(!resume.is_full());
        assert_eq!(resume.sequence(), 2);
        resume.take_ack(1000);
        assert_eq!((resume.sequence(), resume.unacknowledged().count()), (3, 0));
    }

    #[test]
    fn duplicates_are_known_after_a_sequence() {
        let mut resume = Resume::new(Instant::from_nanos(0), 100);
        assert!(resume.count_received() && resume.count_received() && resume.count_received());
        assert_eq!(resume.take_sequence(5), Err(SequenceTooLarge));
        assert_eq!(resume.take_sequence(2), Ok(()));
        assert!(!resume.count_received() && !resume.count_received());
        assert!(resume.count_received());
        assert_eq!(resume.take_sequence(5), Ok(()));
    }

    #[test]
    fn acks_are_due_at_whole_seconds_and_only_when_something_came() {
        let at = |nanos| Instant::from_nanos(nanos);
        let mut resume = Resume::new(at(500), 100);
        assert_eq!(resume.ack_due(at(600)), None);
        resume.count_received();
        assert_eq!(resume.ack_due(at(600)), Some(at(1_000_000_500)));
        assert_eq!(resume.ack_due(at(1_000_000_500)), Some(at(2_000_000_500)));
        assert_eq!(resume.ack(), Some(1));
        assert_eq!((resume.ack(), resume.ack_due(at(600))), (None, None));
    }
}
