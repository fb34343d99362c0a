//! The log of events: each has a serial, in the order of publication over all hubs.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use time::OffsetDateTime;

/// The events and the bytes that the log holds; the oldest go first.
const MAX_EVENTS: usize = 65_536;
const MAX_BYTES: usize = 32 * 1024 * 1024;

/// An event as it enters the log.
#[derive(Debug)]
pub(crate) struct Published {
    pub(crate) at: OffsetDateTime,
    pub(crate) class: &'static str,
    pub(crate) group: Option<Arc<str>>,
    pub(crate) number: u64,
    pub(crate) connection_id: Option<String>,
    pub(crate) record: Bytes,
}

/// An event that the hub published, whoever it reached.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoggedEvent {
    /// Its place among all events of the hub, from 1.
    pub serial: u64,
    /// When it was published, by the hub's clock.
    pub at: OffsetDateTime,
    /// `market`, `user` or `conformance`.
    pub hub: &'static str,
    /// The group that it was for; `None` for everybody, or for one connection.
    pub group: Option<String>,
    /// Its place among the events of its group, from 1; 0 for an event that was for one connection or for everybody.
    pub number: u64,
    /// The one connection that it was for: the answer to a subscription, such as a full quote.
    pub connection_id: Option<String>,
    /// The method of the client that it calls.
    pub target: String,
    /// The arguments, a JSON array.
    pub arguments: String,
}

#[derive(Debug, Default)]
pub(crate) struct EventLog {
    events: VecDeque<Published>,
    bytes: usize,
    /// The serial of the latest event.
    last: u64,
}

impl EventLog {
    /// Appends an event and yields its serial.
    pub(crate) fn push(&mut self, event: Published) -> u64 {
        self.bytes += event.record.len();
        self.events.push_back(event);
        self.last += 1;
        while self.events.len() > MAX_EVENTS || self.bytes > MAX_BYTES {
            let Some(oldest) = self.events.pop_front() else { break };
            self.bytes -= oldest.record.len();
        }
        self.last
    }

    /// The events from a serial on, of one group where one is named; at most `limit`.
    pub(crate) fn from(&self, serial: u64, group: Option<&str>, limit: usize) -> Vec<LoggedEvent> {
        let first = self.last + 1 - self.events.len() as u64;
        let skipped = usize::try_from(serial.saturating_sub(first)).unwrap_or(usize::MAX);
        let numbered = self.events.iter().zip(first..).skip(skipped);
        let fits = |event: &Published| group.is_none_or(|group| event.group.as_deref() == Some(group));
        numbered.filter(|(event, _)| fits(event)).take(limit).map(|(event, serial)| event.told(serial)).collect()
    }
}

impl Published {
    fn told(&self, serial: u64) -> LoggedEvent {
        #[derive(Deserialize)]
        struct Invocation<'a> {
            target: String,
            #[serde(borrow)]
            arguments: &'a RawValue,
        }
        let text = self.record.strip_suffix(b"\x1e").unwrap_or(&self.record);
        let invocation = serde_json::from_slice::<Invocation<'_>>(text).ok();
        let (target, arguments) =
            invocation.map_or_else(Default::default, |record| (record.target, record.arguments.get().to_owned()));
        LoggedEvent {
            serial,
            at: self.at,
            hub: self.class,
            group: self.group.as_deref().map(str::to_owned),
            number: self.number,
            connection_id: self.connection_id.clone(),
            target,
            arguments,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(group: &str, size: usize) -> Published {
        let record = format!("{{\"type\":1,\"target\":\"T\",\"arguments\":[\"{}\"]}}\u{1e}", "x".repeat(size));
        let group = Some(Arc::from(group));
        let at = OffsetDateTime::UNIX_EPOCH;
        Published { at, class: "market", group, number: 7, connection_id: None, record: record.into() }
    }

    #[test]
    fn events_are_found_by_serial_and_group() {
        let mut log = EventLog::default();
        assert_eq!(log.from(0, None, 10), []);
        let serials: Vec<_> = ["a", "b", "a"].map(|group| log.push(event(group, 1))).into();
        assert_eq!(serials, [1, 2, 3]);
        let found =
            |from, group, limit| log.from(from, group, limit).into_iter().map(|event| event.serial).collect::<Vec<_>>();
        assert_eq!(found(0, None, 10), [1, 2, 3]);
        assert_eq!(found(2, None, 1), [2]);
        assert_eq!(found(0, Some("a"), 10), [1, 3]);
        assert_eq!(found(4, None, 10), [0; 0]);
        let first = &log.from(1, None, 1)[0];
        assert_eq!((first.target.as_str(), first.arguments.as_str(), first.number), ("T", "[\"x\"]", 7));
    }

    #[test]
    fn the_log_is_bounded_in_bytes_and_keeps_its_serials() {
        let mut log = EventLog::default();
        for _ in 0..40 {
            log.push(event("a", 1024 * 1024));
        }
        let kept = log.from(0, None, usize::MAX);
        assert!(kept.len() < 32 && kept.last().map(|event| event.serial) == Some(40), "{}", kept.len());
    }
}
