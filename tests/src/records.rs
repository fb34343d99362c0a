//! Records as a scripted hub writes them.

use std::fmt::Display;

use serde_json::Value;

/// What ends a record.
pub const SEPARATOR: char = '\u{1e}';
/// The answer to a handshake that is accepted.
pub const ACCEPTED: &str = "{}\u{1e}";
/// A ping.
pub const PING: &str = "{\"type\":6}\u{1e}";
/// The goodbye for good.
pub const CLOSE: &str = "{\"type\":7}\u{1e}";
/// The goodbye after which a client may come back.
pub const CLOSE_AND_RECONNECT: &str = "{\"type\":7,\"allowReconnect\":true}\u{1e}";

/// An invocation that wants no result.
pub fn event(target: &str, arguments: &Value) -> String {
    format!("{{\"type\":1,\"target\":\"{target}\",\"arguments\":{arguments}}}{SEPARATOR}")
}

/// An invocation that wants a result.
pub fn question(id: &str, target: &str, arguments: &Value) -> String {
    format!("{{\"type\":1,\"invocationId\":\"{id}\",\"target\":\"{target}\",\"arguments\":{arguments}}}{SEPARATOR}")
}

/// An item of a stream.
pub fn item(id: &str, item: impl Display) -> String {
    format!("{{\"type\":2,\"invocationId\":\"{id}\",\"item\":{item}}}{SEPARATOR}")
}

/// The success of a call without a result, or the end of a stream.
pub fn completion(id: &str) -> String {
    format!("{{\"type\":3,\"invocationId\":\"{id}\"}}{SEPARATOR}")
}

/// The success of a call with a result.
pub fn result(id: &str, result: impl Display) -> String {
    format!("{{\"type\":3,\"invocationId\":\"{id}\",\"result\":{result}}}{SEPARATOR}")
}

/// The failure of a call.
pub fn failure(id: &str, error: &str) -> String {
    format!("{{\"type\":3,\"invocationId\":\"{id}\",\"error\":\"{error}\"}}{SEPARATOR}")
}

/// The id of a call that a client sent.
pub fn id_of(call: &Value) -> &str {
    call["invocationId"].as_str().unwrap_or_default()
}
