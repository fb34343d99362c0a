//! The hub handshake: always JSON, whatever the hub protocol (HubProtocol.md, Overview).

use crate::error::{ProtocolViolation, printable};
use crate::json::{Cursor, Kind};

/// The longest handshake answer worth reading: it holds at most an error text.
pub(crate) const MAX_RESPONSE_BYTES: usize = 4 << 10;

/// The request of a given version of the JSON hub protocol: 2 where stateful reconnect was negotiated, else 1.
pub(crate) fn request(version: u32) -> String {
    format!("{{\"protocol\":\"json\",\"version\":{version}}}\u{1e}")
}

/// What the hub answered.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Response {
    Accepted,
    Rejected(String),
}

/// Reads an answer. Unknown members are no fault; a `type` is: then it is not an answer but a message that came too early.
pub(crate) fn read_response(text: &str) -> Result<Response, ProtocolViolation> {
    let no_answer =
        || ProtocolViolation::new(format!("the hub's handshake response is none: {}", printable(text, 120)));
    let mut cursor = Cursor::new(text);
    let mut response = Response::Accepted;
    let mut first = true;
    cursor.begin_object().map_err(|_| no_answer())?;
    while let Some(name) = cursor.next_key(first).map_err(|_| no_answer())? {
        first = false;
        match &*name {
            "type" => return Err(ProtocolViolation::new("the hub sent a message in place of a handshake response")),
            "error" if cursor.peek_kind() == Some(Kind::String) => {
                response = Response::Rejected(printable(&cursor.string().map_err(|_| no_answer())?, 1024));
            }
            "error" => return Err(no_answer()),
            _ => _ = cursor.skip_value().map_err(|_| no_answer())?,
        }
    }
    cursor.finish().map_err(|_| no_answer())?;
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_told_apart() {
        for text in ["{}", " { } ", r#"{"minorVersion":56}"#, r#"{"x":{"error":"inner"}}"#] {
            assert_eq!(read_response(text), Ok(Response::Accepted), "{text}");
        }
        assert_eq!(read_response(r#"{"error":"X"}"#), Ok(Response::Rejected("X".to_owned())));
        assert_eq!(read_response(r#"{"error":""}"#), Ok(Response::Rejected(String::new())));
        for text in
            ["", "42", "[]", "null", r#"{"error":null}"#, r#"{"type":6}"#, r#"{"type":0}"#, "{}x", "{", "<html>"]
        {
            assert!(read_response(text).is_err(), "{text}");
        }
    }
}
