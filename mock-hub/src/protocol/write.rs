//! Outgoing records, byte for byte as ASP.NET Core writes them (`type` first, separator last).

use bytes::Bytes;
use signalr_proto::protocol::HubMessage;
use signalr_proto::protocol::message::{Completion, Invocation};

use super::json;

/// `{"type":6}` and its separator.
pub(crate) const PING: Bytes = Bytes::from_static(b"{\"type\":6}\x1e");
/// The handshake's positive answer.
pub(crate) const HANDSHAKE_ACCEPTED: Bytes = Bytes::from_static(b"{}\x1e");

/// The handshake's negative answer.
pub(crate) fn handshake_error(text: &str) -> Bytes {
    format!("{{\"error\":{}}}\x1e", json::string(text)).into()
}

/// An Invocation; `arguments` is a JSON array.
pub(crate) fn invocation(invocation_id: Option<&str>, target: &str, arguments: &str) -> Bytes {
    record(&HubMessage::Invocation(Invocation {
        invocation_id: invocation_id.map(Into::into),
        target: target.into(),
        arguments: arguments.into(),
        ..Invocation::default()
    }))
}

/// A StreamItem.
pub(crate) fn stream_item(invocation_id: &str, item: &str) -> Bytes {
    record(&HubMessage::StreamItem { invocation_id: invocation_id.into(), item: item.into() })
}

/// A Completion with a result.
pub(crate) fn completion(invocation_id: &str, result: &str) -> Bytes {
    ended(invocation_id, Completion::Result(result.into()))
}

/// A Completion with an error.
pub(crate) fn completion_error(invocation_id: &str, error: &str) -> Bytes {
    ended(invocation_id, Completion::Error(error.into()))
}

/// The Completion of a stream: neither result nor error.
pub(crate) fn completion_of_stream(invocation_id: &str) -> Bytes {
    ended(invocation_id, Completion::Void)
}

/// A Close record.
pub(crate) fn close(error: Option<&str>, allow_reconnect: bool) -> Bytes {
    record(&HubMessage::Close { error: error.map(Into::into), allow_reconnect })
}

/// An Ack: everything up to this number has come (stateful reconnect).
pub(crate) fn ack(sequence_id: i64) -> Bytes {
    record(&HubMessage::Ack { sequence_id })
}

/// A Sequence: the records that follow are counted from this number (stateful reconnect).
pub(crate) fn sequence(sequence_id: i64) -> Bytes {
    record(&HubMessage::Sequence { sequence_id })
}

fn ended(invocation_id: &str, outcome: Completion<'_>) -> Bytes {
    record(&HubMessage::Completion { invocation_id: invocation_id.into(), outcome })
}

fn record(message: &HubMessage<'_>) -> Bytes {
    message.to_record().into()
}
