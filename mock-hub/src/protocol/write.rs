//! Outgoing records, byte for byte as ASP.NET Core writes them (`type` first, separator last).

use bytes::Bytes;

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
    let target = json::string(target);
    let record = match invocation_id {
        Some(id) => {
            let id = json::string(id);
            format!("{{\"type\":1,\"invocationId\":{id},\"target\":{target},\"arguments\":{arguments}}}\x1e")
        }
        None => format!("{{\"type\":1,\"target\":{target},\"arguments\":{arguments}}}\x1e"),
    };
    record.into()
}

/// A StreamItem.
pub(crate) fn stream_item(invocation_id: &str, item: &str) -> Bytes {
    format!("{{\"type\":2,\"invocationId\":{},\"item\":{item}}}\x1e", json::string(invocation_id)).into()
}

/// A Completion with a result.
pub(crate) fn completion(invocation_id: &str, result: &str) -> Bytes {
    format!("{{\"type\":3,\"invocationId\":{},\"result\":{result}}}\x1e", json::string(invocation_id)).into()
}

/// A Completion with an error.
pub(crate) fn completion_error(invocation_id: &str, error: &str) -> Bytes {
    let (id, error) = (json::string(invocation_id), json::string(error));
    format!("{{\"type\":3,\"invocationId\":{id},\"error\":{error}}}\x1e").into()
}

/// The Completion of a stream: neither result nor error.
pub(crate) fn completion_of_stream(invocation_id: &str) -> Bytes {
    format!("{{\"type\":3,\"invocationId\":{}}}\x1e", json::string(invocation_id)).into()
}

/// A Close record.
pub(crate) fn close(error: Option<&str>, allow_reconnect: bool) -> Bytes {
    let error = error.map(|text| format!(",\"error\":{}", json::string(text))).unwrap_or_default();
    let reconnect = if allow_reconnect { ",\"allowReconnect\":true" } else { "" };
    format!("{{\"type\":7{error}{reconnect}}}\x1e").into()
}
