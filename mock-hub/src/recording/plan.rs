//! What a replayed connection does: what it says and when, and what it first waits for. Pure.

use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;

use super::entry::{Entry, EntryKind, Way};

const SEPARATOR: char = '\u{1e}';

/// One step of a replayed connection, with the time of its recording.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Beat {
    pub(super) at: Duration,
    pub(super) act: Act,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Act {
    /// Waits until the client has sent its handshake request.
    AwaitHandshake,
    /// Waits until the client has made this call.
    AwaitCall(Call),
    /// Says a record, with its separator.
    Record(String),
    /// Says a message as it was.
    Message { bytes: Bytes, is_text: bool },
    /// Closes the WebSocket, or with `None` the socket.
    Close(Option<u16>),
}

impl Act {
    pub(super) fn awaited_call(&self) -> Option<&Call> {
        match self {
            Self::AwaitCall(call) => Some(call),
            _ => None,
        }
    }
}

/// A call that a client made, then or now.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Call {
    pub(super) id: Option<String>,
    pub(super) target: String,
    pub(super) arguments: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    r#type: i64,
    #[serde(default)]
    invocation_id: Option<String>,
    #[serde(default)]
    target: Option<String>,
    #[serde(default)]
    arguments: Value,
}

impl Call {
    /// The call that a client's record is, if it is one.
    pub(super) fn of(record: &str) -> Option<Self> {
        let Invocation { r#type: kind, invocation_id: id, target, arguments } = serde_json::from_str(record).ok()?;
        (kind == 1 || kind == 4).then_some(Self { id, target: target?, arguments })
    }

    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.target.eq_ignore_ascii_case(&other.target)
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.is_like(other) && self.arguments == other.arguments
    }

    /// Whether what follows a recorded call waits for it: an answer does, and so do the events of a subscription.
    fn is_awaited(&self) -> bool {
        self.id.is_some() || self.target.starts_with("Subscribe")
    }
}

/// What is to be done to play one connection.
pub(super) fn plan(entries: &[Entry], connection: &str) -> Vec<Beat> {
    let mut beats = Vec::new();
    let mut has_shaken = false;
    for entry in entries.iter().filter(|entry| entry.connection == connection) {
        let at = Duration::from_millis(entry.t);
        let mut push = |act| beats.push(Beat { at, act });
        match (&entry.direction, &entry.kind) {
            (_, EntryKind::Open) => {}
            // The client's end was its own; what the hub still said was an answer to it.
            (Way::In, EntryKind::Close(_)) => break,
            (Way::In, EntryKind::Text(bytes) | EntryKind::Binary(bytes)) => {
                let text = String::from_utf8_lossy(bytes);
                for record in text.split_terminator(SEPARATOR) {
                    if !std::mem::replace(&mut has_shaken, true) {
                        push(Act::AwaitHandshake);
                    } else if let Some(call) = Call::of(record).filter(Call::is_awaited) {
                        push(Act::AwaitCall(call));
                    }
                }
            }
            (Way::Out, EntryKind::Text(bytes)) => match std::str::from_utf8(bytes) {
                Ok(text) if text.ends_with(SEPARATOR) => {
                    text.split_inclusive(SEPARATOR).for_each(|record| push(Act::Record(record.to_owned())));
                }
                _ => push(Act::Message { bytes: bytes.clone(), is_text: true }),
            },
            (Way::Out, EntryKind::Binary(bytes)) => push(Act::Message { bytes: bytes.clone(), is_text: false }),
            (Way::Out, EntryKind::Close(close)) => push(Act::Close(match close {
                // No code of those may stand in a frame (RFC 6455, 7.4.1): no frame was seen, or none with a code.
                None | Some((1006, _)) => None,
                Some((1005, _)) => Some(1000),
                Some((code, _)) => Some(*code),
            })),
        }
    }
    beats
}

/// A recorded record with the invocation ids that the client uses now; `now_called` tells them.
pub(super) fn with_ids_of_now<'a>(record: &str, now_called: impl Fn(&str) -> Option<&'a str>) -> String {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Answer {
        r#type: i64,
        invocation_id: String,
    }
    let answer = serde_json::from_str::<Answer>(record.trim_end_matches(SEPARATOR));
    let Ok(Answer { r#type: 2 | 3, invocation_id: then }) = answer else {
        return record.to_owned();
    };
    let Some(now) = now_called(&then) else {
        return record.to_owned();
    };
    let member = |id: &str| format!("\"invocationId\":{}", crate::protocol::json::string(id));
    // The hub writes it before the item or the result, so the first one is the record's own.
    record.replacen(&member(&then), &member(now), 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(t: u64, direction: Way, text: &str) -> Entry {
        let kind = EntryKind::Text(Bytes::from(text.replace('|', "\u{1e}")));
        Entry { t, connection: "c".to_owned(), hub: "market".to_owned(), direction, kind }
    }

    #[test]
    fn a_plan_waits_for_calls_and_says_the_rest() {
        let entries = [
            entry(1, Way::In, "{\"protocol\":\"json\",\"version\":1}|"),
            entry(2, Way::Out, "{}|"),
            entry(3, Way::In, "{\"type\":6}|{\"type\":1,\"invocationId\":\"0\",\"target\":\"T\",\"arguments\":[1]}|"),
            entry(3, Way::In, "{\"type\":1,\"target\":\"Send\",\"arguments\":[]}|"),
            entry(4, Way::Out, "{\"type\":6}|{\"type\":3,\"invocationId\":\"0\",\"result\":1}|"),
            entry(5, Way::Out, "{\"type\":"),
        ];
        let acts: Vec<_> = plan(&entries, "c").into_iter().map(|beat| beat.act).collect();
        let call = Call { id: Some("0".to_owned()), target: "T".to_owned(), arguments: serde_json::json!([1]) };
        assert_eq!(
            acts,
            [
                Act::AwaitHandshake,
                Act::Record("{}\u{1e}".to_owned()),
                Act::AwaitCall(call),
                Act::Record("{\"type\":6}\u{1e}".to_owned()),
                Act::Record("{\"type\":3,\"invocationId\":\"0\",\"result\":1}\u{1e}".to_owned()),
                Act::Message { bytes: Bytes::from_static(b"{\"type\":"), is_text: true },
            ]
        );
        assert_eq!(plan(&entries, "d"), []);
    }

    #[test]
    fn answers_take_the_ids_of_now() {
        let now = |then: &str| (then == "0").then_some("77");
        let renamed = |record: &str| with_ids_of_now(record, now);
        assert_eq!(
            renamed("{\"type\":3,\"invocationId\":\"0\",\"result\":{\"invocationId\":\"0\"}}\u{1e}"),
            "{\"type\":3,\"invocationId\":\"77\",\"result\":{\"invocationId\":\"0\"}}\u{1e}"
        );
        let question = "{\"type\":1,\"invocationId\":\"0\",\"target\":\"Ask\",\"arguments\":[]}\u{1e}";
        assert_eq!(renamed(question), question);
        assert_eq!(renamed("{\"type\":6}\u{1e}"), "{\"type\":6}\u{1e}");
    }
}
