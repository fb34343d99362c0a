//! What becomes of records between a connection's outbox and its WebSocket.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::Data;

use super::book::Whom;
use super::desk::Late;
use super::fault::Fault;
use super::packing;
use super::parts::AfterTruncation;
use crate::gateway::Gateway;
use crate::peers::{Goodbye, Peer};
use crate::protocol::write;

const SEPARATOR: u8 = 0x1e;

/// One thing that the writer does.
#[derive(Debug)]
pub(crate) enum Step {
    /// Writes this frame.
    Write(Frame),
    /// Ends the connection, when what stands before it has been written.
    End(Goodbye),
}

/// Takes records apart where rules say so, and puts what is left into frames. One for each WebSocket.
#[derive(Debug)]
pub(crate) struct Mangler {
    gateway: Arc<Gateway>,
    peer: Arc<Peer>,
    is_shaken: bool,
    is_mute: bool,
    held: Held,
    steps: Vec<Step>,
}

/// Records that wait for company.
#[derive(Debug, Default)]
struct Held {
    records: Vec<Bytes>,
    wanted: usize,
    until: Option<Instant>,
}

/// What a rule does to one record.
enum Blow {
    Lose,
    Twice,
    Late(Duration),
    Both,
    Replace(Bytes),
    Pad(usize),
    Truncate { keep: Option<usize>, then: AfterTruncation },
    BreakUtf8,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Event,
    Item,
    Completion,
    Ping,
    Other,
}

impl Mangler {
    pub(crate) fn new(gateway: &Arc<Gateway>, peer: &Arc<Peer>) -> Self {
        let (gateway, peer) = (Arc::clone(gateway), Arc::clone(peer));
        Self { gateway, peer, is_shaken: false, is_mute: false, held: Held::default(), steps: Vec::new() }
    }

    /// Whether records may pass untouched, all rules considered.
    pub(crate) fn is_idle(&mut self) -> bool {
        let idle = self.gateway.faults.are_none() && !self.is_mute && self.held.records.is_empty();
        // What passes untouched begins with the handshake response.
        self.is_shaken |= idle;
        idle
    }

    /// When [`Mangler::release`] must be called.
    pub(crate) fn held_until(&self) -> Option<Instant> {
        self.held.until
    }

    /// Lets go of the records that waited for company.
    pub(crate) fn release(&mut self) -> Vec<Step> {
        let held = std::mem::take(&mut self.held);
        self.pack(held.records.concat().into());
        std::mem::take(&mut self.steps)
    }

    /// Takes whole records, each with its separator.
    pub(crate) fn records(&mut self, mut records: Bytes) -> Vec<Step> {
        let mut run = BytesMut::new();
        while let Some(record) = next_record(&mut records) {
            if self.is_mute {
                continue;
            }
            if std::mem::replace(&mut self.is_shaken, true) {
                self.record(record, &mut run);
            } else {
                self.handshake(record, &mut run);
            }
        }
        self.flush(&mut run);
        std::mem::take(&mut self.steps)
    }

    fn handshake(&mut self, response: Bytes, run: &mut BytesMut) {
        let life = self.damage(|fault| matches!(fault, Fault::ShortLife { .. }).then(|| fault.clone()));
        if let Some(Fault::ShortLife { life, how }) = life {
            let blow = Fault::ShortLife { life, how };
            self.gateway.faults.put_off(life, Late::Blow(Arc::clone(&self.peer), blow));
        }
        let blow = self.damage(|fault| match fault {
            Fault::HandshakeError { .. }
            | Fault::HandshakeSilence
            | Fault::HandshakeGarbage { .. }
            | Fault::GluedHandshake { .. } => Some(fault.clone()),
            _ => None,
        });
        match blow {
            None => run.extend_from_slice(&response),
            Some(Fault::HandshakeError { text }) => {
                self.steps.push(Step::Write(packing::text_frame(write::handshake_error(&text))));
                self.steps.push(Step::End(Goodbye::WebSocket(1000)));
                self.is_mute = true;
            }
            Some(Fault::HandshakeGarbage { text }) => {
                let text = text.unwrap_or_else(|| "<html>502</html>".to_owned());
                run.extend_from_slice(format!("{text}\u{1e}").as_bytes());
            }
            Some(Fault::GluedHandshake { records }) => {
                run.extend_from_slice(&response);
                for record in records.unwrap_or_else(|| vec!["{\"type\":6}".to_owned()]) {
                    run.extend_from_slice(format!("{record}\u{1e}").as_bytes());
                }
            }
            Some(_) => self.is_mute = true,
        }
    }

    fn record(&mut self, record: Bytes, run: &mut BytesMut) {
        let kind = Kind::of(&record);
        let Some(blow) = self.damage(|fault| Blow::of(fault, kind)) else {
            return run.extend_from_slice(&record);
        };
        let text = record.strip_suffix(&[SEPARATOR]).unwrap_or(&record);
        match blow {
            Blow::Lose => {}
            Blow::Twice => run.extend_from_slice(&record.repeat(2)),
            Blow::Late(by) => self.gateway.faults.put_off(by, Late::Records(Arc::clone(&self.peer), record)),
            Blow::Both => run.extend_from_slice(&with_both(text)),
            Blow::Replace(other) => {
                let other = if other.is_empty() { malformed(text) } else { other };
                run.extend_from_slice(&other);
                run.extend_from_slice(&[SEPARATOR]);
            }
            Blow::Pad(size) => run.extend_from_slice(&padded(text, size)),
            Blow::Truncate { keep, then } => {
                run.extend_from_slice(head(text, keep.unwrap_or(text.len() / 2)));
                if then == AfterTruncation::Fin {
                    self.flush(run);
                    self.steps.push(Step::End(Goodbye::Tcp));
                    self.is_mute = true;
                }
            }
            Blow::BreakUtf8 => {
                self.flush(run);
                let (front, back) = text.split_at(text.len() / 2);
                let broken = [front, b"\xff", back, &[SEPARATOR]].concat();
                self.steps.push(Step::Write(packing::text_frame(broken.into())));
            }
        }
    }

    /// Ends a run of records that may share a message: it leaves now, or waits for company.
    fn flush(&mut self, run: &mut BytesMut) {
        let mut run = run.split().freeze();
        if run.is_empty() {
            return;
        }
        if self.held.records.is_empty() {
            let glue = self.damage(|fault| match fault {
                Fault::GluedRecords { records, hold } => Some((*records, *hold)),
                _ => None,
            });
            let Some((wanted, hold)) = glue else {
                return self.pack(run);
            };
            self.held = Held { records: Vec::new(), wanted, until: Instant::now().checked_add(hold) };
        }
        while let Some(record) = next_record(&mut run) {
            self.held.records.push(record);
            if self.held.records.len() >= self.held.wanted {
                let whole = std::mem::take(&mut self.held.records).concat();
                self.pack(whole.into());
            }
        }
        if self.held.records.is_empty() {
            self.held = Held::default();
        }
    }

    fn pack(&mut self, bytes: Bytes) {
        if bytes.is_empty() {
            return;
        }
        let is_binary = self.damage(|fault| matches!(fault, Fault::BinaryFrames).then_some(())).is_some();
        let kind = if is_binary { Data::Binary } else { Data::Text };
        let pieces = self.damage(|fault| match fault {
            Fault::SplitRecords { size } => Some((*size, None)),
            Fault::FragmentedRecords { size, with_pings } => Some((*size, Some(*with_pings))),
            _ => None,
        });
        let frames = match pieces {
            None => packing::whole(bytes, kind),
            Some((size, None)) => packing::messages(bytes, kind, size),
            Some((size, Some(with_pings))) => packing::fragments(bytes, kind, size, with_pings),
        };
        self.steps.extend(frames.into_iter().map(Step::Write));
    }

    fn damage<T>(&self, choose: impl FnMut(&Fault) -> Option<T>) -> Option<T> {
        self.gateway.faults.damage(Whom::new(self.peer.hub.name(), &self.peer.id), choose)
    }
}

impl Kind {
    /// The hub writes `type` first.
    fn of(record: &[u8]) -> Self {
        match record {
            [b'{', b'"', b't', b'y', b'p', b'e', b'"', b':', kind, b',' | b'}', ..] => match kind {
                b'1' => Self::Event,
                b'2' => Self::Item,
                b'3' => Self::Completion,
                b'6' => Self::Ping,
                _ => Self::Other,
            },
            _ => Self::Other,
        }
    }
}

impl Blow {
    fn of(fault: &Fault, kind: Kind) -> Option<Self> {
        match (fault, kind) {
            (Fault::NoPings, Kind::Ping) | (Fault::LostCompletion, Kind::Completion) => Some(Self::Lose),
            (Fault::DuplicateCompletion, Kind::Completion) => Some(Self::Twice),
            (Fault::LateCompletion { by }, Kind::Completion) => Some(Self::Late(*by)),
            (Fault::CompletionWithBoth, Kind::Completion) => Some(Self::Both),
            (Fault::OversizedRecord { bytes }, Kind::Event) => Some(Self::Pad(*bytes)),
            (_, Kind::Ping | Kind::Other) => None,
            (Fault::MalformedRecord { text }, _) => {
                Some(Self::Replace(text.clone().map(Bytes::from).unwrap_or_default()))
            }
            (Fault::TruncatedRecord { keep, then }, _) => Some(Self::Truncate { keep: *keep, then: *then }),
            (Fault::InvalidUtf8, _) => Some(Self::BreakUtf8),
            _ => None,
        }
    }
}

/// Cuts the next record off, its separator included; what has none is a record too.
fn next_record(bytes: &mut Bytes) -> Option<Bytes> {
    if bytes.is_empty() {
        return None;
    }
    let end = bytes.iter().position(|byte| *byte == SEPARATOR).map_or(bytes.len(), |found| found + 1);
    Some(bytes.split_to(end))
}

/// A record whose first colon has gone wrong.
fn malformed(record: &[u8]) -> Bytes {
    let mut broken = record.to_vec();
    if let Some(colon) = broken.iter_mut().find(|byte| **byte == b':') {
        *colon = b';';
    }
    broken.into()
}

/// The first bytes of a record, no character cut in two.
fn head(record: &[u8], length: usize) -> &[u8] {
    let mut end = length.min(record.len());
    while record.get(end).is_some_and(|byte| byte & 0b1100_0000 == 0b1000_0000) {
        end -= 1;
    }
    record.get(..end).unwrap_or(record)
}

/// A record with a member more that means nothing, so long that the whole has this size, separator included.
fn padded(record: &[u8], size: usize) -> Bytes {
    let body = record.strip_suffix(b"}").unwrap_or(record);
    let around = b",\"padding\":\"\"}\x1e".len();
    let padding = "x".repeat(size.saturating_sub(body.len() + around));
    [body, b",\"padding\":\"", padding.as_bytes(), b"\"}\x1e"].concat().into()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Completion<'a> {
    #[serde(borrow)]
    invocation_id: &'a RawValue,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

/// A completion with a result, never null, and an error.
fn with_both(completion: &[u8]) -> Bytes {
    let Ok(Completion { invocation_id, result, error }) = serde_json::from_slice(completion) else {
        // The hub wrote it itself: it is one.
        return Bytes::copy_from_slice(completion);
    };
    let result = result.map_or("1", RawValue::get);
    let error = error.map_or("\"An error beside the result.\"", RawValue::get);
    format!("{{\"type\":3,\"invocationId\":{invocation_id},\"result\":{result},\"error\":{error}}}\u{1e}").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damaged_records_are_what_their_names_say() {
        assert_eq!(&malformed(b"{\"type\":1,\"a\":2}")[..], b"{\"type\";1,\"a\":2}");
        assert_eq!(head("aé".as_bytes(), 2), b"a");
        let long = padded(b"{\"type\":1}", 100);
        assert_eq!(long.len(), 100);
        assert!(serde_json::from_slice::<serde_json::Value>(&long[..99]).is_ok());
        let both = with_both(br#"{"type":3,"invocationId":"7","result":null}"#);
        assert_eq!(
            &both[..],
            b"{\"type\":3,\"invocationId\":\"7\",\"result\":1,\"error\":\"An error beside the result.\"}\x1e"
        );
    }

    #[test]
    fn kinds_are_told_by_their_first_member() {
        assert!(Kind::of(b"{\"type\":3,\"x\":1}\x1e") == Kind::Completion);
        assert!(Kind::of(b"{\"type\":6}\x1e") == Kind::Ping);
        assert!(Kind::of(b"{\"type\":42}\x1e") == Kind::Other);
        assert!(Kind::of(b"{}\x1e") == Kind::Other);
    }
}
