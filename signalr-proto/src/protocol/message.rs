//! The nine kinds of messages, read and written one at a time.
//!
//! The machine itself reads records in place; this is the codec for everybody else: servers, tools, tests.

use std::borrow::Cow;

use crate::error::ProtocolViolation;
use crate::json::{Cursor, DecodeError, write_string};
use crate::protocol::RECORD_SEPARATOR;
use crate::protocol::envelope::{self, Decoders, Envelope, Kind};

/// One message of the JSON hub protocol. JSON values are kept as their text.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum HubMessage<'a> {
    /// Type 1: calls a method; with an id, somebody awaits its completion.
    Invocation(Invocation<'a>),
    /// Type 2: one item of a stream.
    StreamItem {
        /// The stream's id.
        invocation_id: Cow<'a, str>,
        /// The item, as JSON text.
        item: Cow<'a, str>,
    },
    /// Type 3: the end of an invocation or of a stream.
    Completion {
        /// The id of what ends.
        invocation_id: Cow<'a, str>,
        /// How it ends.
        outcome: Completion<'a>,
    },
    /// Type 4: calls a method that answers with a stream.
    StreamInvocation(Invocation<'a>),
    /// Type 5: the caller wants no more of a stream.
    CancelInvocation {
        /// The stream's id.
        invocation_id: Cow<'a, str>,
    },
    /// Type 6: a sign of life.
    Ping,
    /// Type 7: a goodbye.
    Close {
        /// Why, if it is for a fault.
        error: Option<Cow<'a, str>>,
        /// Whether the client may connect again by itself.
        allow_reconnect: bool,
    },
    /// Type 8: what was received of a stateful connection.
    Ack {
        /// The number of the last message received.
        sequence_id: i64,
    },
    /// Type 9: where the resending of a stateful connection begins.
    Sequence {
        /// The number of the first message that follows.
        sequence_id: i64,
    },
    /// A type that this version does not know.
    Unknown {
        /// Its number.
        kind: i64,
    },
}

/// What types 1 and 4 hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Invocation<'a> {
    /// The id, if an answer is awaited. Type 4 always has one.
    pub invocation_id: Option<Cow<'a, str>>,
    /// The method's name.
    pub target: Cow<'a, str>,
    /// The arguments: the text of a JSON array, without those that are streams.
    pub arguments: Cow<'a, str>,
    /// The ids of the arguments that are streams, in their order.
    pub stream_ids: Vec<Cow<'a, str>>,
    /// Headers, which nothing in the protocol reads.
    pub headers: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

/// How an invocation or a stream ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Completion<'a> {
    /// Without a result.
    Void,
    /// With a result, as JSON text; `null` is one.
    Result(Cow<'a, str>),
    /// With an error text. An empty one counts as no error, in all of Microsoft's clients.
    Error(Cow<'a, str>),
}

impl<'a> HubMessage<'a> {
    /// Reads a record, its separator left off.
    pub fn read(record: &'a str) -> Result<Self, ProtocolViolation> {
        let mut envelope = Envelope::default();
        envelope::read(record, &mut NoDecoders, &mut envelope)?;
        let slice = |range: Option<std::ops::Range<usize>>| {
            Cow::Borrowed(range.and_then(|range| record.get(range)).unwrap_or("null"))
        };
        let id = || envelope.invocation_id.clone().unwrap_or_default();
        let invocation = || Invocation {
            invocation_id: envelope.invocation_id.clone(),
            target: envelope.target.clone().unwrap_or_default(),
            arguments: slice(envelope.arguments.clone()),
            stream_ids: envelope.stream_ids.clone(),
            headers: envelope.headers.clone(),
        };
        Ok(match envelope.kind {
            Kind::Invocation => Self::Invocation(invocation()),
            Kind::StreamInvocation => Self::StreamInvocation(invocation()),
            Kind::StreamItem => Self::StreamItem { invocation_id: id(), item: slice(envelope.item) },
            Kind::Completion => {
                let outcome = match (envelope.error.clone(), envelope.result.clone()) {
                    (Some(error), _) => Completion::Error(error),
                    (None, Some(result)) => Completion::Result(slice(Some(result))),
                    (None, None) => Completion::Void,
                };
                Self::Completion { invocation_id: id(), outcome }
            }
            Kind::CancelInvocation => Self::CancelInvocation { invocation_id: id() },
            Kind::Ping => Self::Ping,
            Kind::Close => Self::Close { error: envelope.error, allow_reconnect: envelope.allow_reconnect },
            Kind::Ack => Self::Ack { sequence_id: envelope.sequence_id.unwrap_or_default() },
            Kind::Sequence => Self::Sequence { sequence_id: envelope.sequence_id.unwrap_or_default() },
            Kind::Unknown(kind) => Self::Unknown { kind },
        })
    }

    /// Writes the message and the separator behind it, as .NET does: no nulls for what is absent, `arguments` always.
    pub fn write(&self, out: &mut String) {
        match self {
            Self::Invocation(invocation) => write_invocation(out, 1, invocation),
            Self::StreamInvocation(invocation) => write_invocation(out, 4, invocation),
            Self::StreamItem { invocation_id, item } => {
                write_head(out, 2, Some(invocation_id));
                out.push_str(",\"item\":");
                out.push_str(item);
            }
            Self::Completion { invocation_id, outcome } => {
                write_head(out, 3, Some(invocation_id));
                match outcome {
                    Completion::Void => {}
                    Completion::Result(result) => {
                        out.push_str(",\"result\":");
                        out.push_str(result);
                    }
                    Completion::Error(error) => write_member(out, "error", error),
                }
            }
            Self::CancelInvocation { invocation_id } => write_head(out, 5, Some(invocation_id)),
            Self::Ping => write_head(out, 6, None),
            Self::Close { error, allow_reconnect } => {
                write_head(out, 7, None);
                if let Some(error) = error {
                    write_member(out, "error", error);
                }
                if *allow_reconnect {
                    out.push_str(",\"allowReconnect\":true");
                }
            }
            Self::Ack { sequence_id } => write_sequence_id(out, 8, *sequence_id),
            Self::Sequence { sequence_id } => write_sequence_id(out, 9, *sequence_id),
            Self::Unknown { kind } => write_head(out, *kind, None),
        }
        out.push('}');
        out.push(char::from(RECORD_SEPARATOR));
    }

    /// The message as text, its separator included.
    pub fn to_record(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }
}

fn write_head(out: &mut String, kind: i64, invocation_id: Option<&str>) {
    out.push_str("{\"type\":");
    out.push_str(itoa::Buffer::new().format(kind));
    if let Some(id) = invocation_id {
        write_member(out, "invocationId", id);
    }
}

fn write_member(out: &mut String, name: &str, value: &str) {
    out.push_str(",\"");
    out.push_str(name);
    out.push_str("\":");
    write_string(out, value);
}

fn write_sequence_id(out: &mut String, kind: i64, sequence_id: i64) {
    write_head(out, kind, None);
    out.push_str(",\"sequenceId\":");
    out.push_str(itoa::Buffer::new().format(sequence_id));
}

fn write_invocation(out: &mut String, kind: i64, invocation: &Invocation<'_>) {
    out.reserve(invocation.arguments.len() + invocation.target.len() + 64);
    out.push_str("{\"type\":");
    out.push_str(itoa::Buffer::new().format(kind));
    for (index, (name, value)) in invocation.headers.iter().enumerate() {
        out.push_str(if index == 0 { ",\"headers\":{" } else { "," });
        write_string(out, name);
        out.push(':');
        write_string(out, value);
    }
    if !invocation.headers.is_empty() {
        out.push('}');
    }
    if let Some(id) = &invocation.invocation_id {
        write_member(out, "invocationId", id);
    }
    write_member(out, "target", &invocation.target);
    out.push_str(",\"arguments\":");
    out.push_str(&invocation.arguments);
    for (index, id) in invocation.stream_ids.iter().enumerate() {
        out.push_str(if index == 0 { ",\"streamIds\":[" } else { "," });
        write_string(out, id);
    }
    if !invocation.stream_ids.is_empty() {
        out.push(']');
    }
}

/// Nobody is registered: everything is checked and kept as text.
pub(crate) struct NoDecoders;

impl Decoders for NoDecoders {
    fn arguments(&mut self, _: &str, _: &mut Cursor<'_>) -> Option<Result<(), DecodeError>> {
        None
    }

    fn item(&mut self, _: &str, _: &mut Cursor<'_>) -> Option<Result<(), DecodeError>> {
        None
    }

    fn result(&mut self, _: &str, _: &mut Cursor<'_>) -> Option<Result<(), DecodeError>> {
        None
    }

    fn discard(&mut self) {}
}
