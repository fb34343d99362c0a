//! One line of a recording.

use std::collections::HashMap;

use bytes::Bytes;
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Who sent a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// The client.
    In,
    /// The hub.
    Out,
}

/// What a line tells.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EntryKind {
    /// A connection begins.
    Open,
    /// A text message; it need not be UTF-8.
    Text(Bytes),
    /// A binary message.
    Binary(Bytes),
    /// A WebSocket close with its code and reason, or the end of the socket without one.
    Close(Option<(u16, String)>),
}

/// One line of a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// Milliseconds since the recording began.
    pub t: u64,
    /// The connection's id, or whatever else tells connections apart.
    pub connection: String,
    /// The hub's name as in the path.
    pub hub: String,
    /// Who sent it.
    pub direction: Way,
    /// What it is.
    pub kind: EntryKind,
}

#[derive(Serialize, Deserialize)]
struct Line {
    t: u64,
    connection: String,
    hub: String,
    direction: Way,
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    data: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct CloseData {
    code: u16,
    #[serde(default)]
    reason: String,
}

impl Entry {
    /// The line, without its end.
    #[must_use]
    pub fn to_line(&self) -> String {
        let Self { t, connection, hub, direction, kind } = self;
        let (name, data, base64) = match kind {
            EntryKind::Open => ("open", None, None),
            EntryKind::Text(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => ("text", Some(super::blank::tokens(text).into()), None),
                Err(_) => ("text", None, Some(BASE64.encode(bytes))),
            },
            EntryKind::Binary(bytes) => match std::str::from_utf8(bytes) {
                // Records in binary frames are readable, and their tokens are blanked too.
                Ok(text) => ("binary", Some(super::blank::tokens(text).into()), None),
                Err(_) => ("binary", None, Some(BASE64.encode(bytes))),
            },
            EntryKind::Close(Some((code, reason))) => {
                ("close", Some(serde_json::json!({ "code": code, "reason": reason })), None)
            }
            EntryKind::Close(None) => ("close", None, None),
        };
        let line = Line {
            t: *t,
            connection: connection.clone(),
            hub: hub.clone(),
            direction: *direction,
            kind: name.to_owned(),
            data,
            base64,
        };
        serde_json::to_string(&line).expect("strings and numbers can be written")
    }
}

/// Reads lines of either form.
#[derive(Debug, Default)]
pub(super) struct Reader {
    /// The hub of each WebSocket of a proxy's transcript.
    hubs: HashMap<u64, String>,
}

impl Reader {
    /// What a line tells; nothing, where it tells of HTTP.
    pub(super) fn line(&mut self, line: &str) -> Result<Option<Entry>, String> {
        let value: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
        if value.get("ms").is_some() {
            return self.of_a_proxy(&value);
        }
        let line: Line = serde_json::from_value(value).map_err(|error| error.to_string())?;
        let payload = || match (&line.data, &line.base64) {
            (Some(Value::String(text)), None) => Ok(Bytes::from(text.clone())),
            (None, Some(base64)) => {
                BASE64.decode(base64.as_bytes()).map(Bytes::from).map_err(|_| "base64 is none".to_owned())
            }
            _ => Err("a message has either data, a string, or base64".to_owned()),
        };
        let kind = match line.kind.as_str() {
            "open" => EntryKind::Open,
            "text" => EntryKind::Text(payload()?),
            "binary" => EntryKind::Binary(payload()?),
            "close" => match line.data.clone() {
                None | Some(Value::Null) => EntryKind::Close(None),
                Some(data) => {
                    let close: CloseData = serde_json::from_value(data).map_err(|error| error.to_string())?;
                    EntryKind::Close(Some((close.code, close.reason)))
                }
            },
            other => return Err(format!("kind `{other}` is none of open, text, binary, close")),
        };
        let Line { t, connection, hub, direction, .. } = line;
        Ok(Some(Entry { t, connection, hub, direction, kind }))
    }

    /// `{"ms":12,"from":"client","ws":1,"upgrade"|"text"|"binary"|"close":...}`.
    fn of_a_proxy(&mut self, line: &Value) -> Result<Option<Entry>, String> {
        let (Some(t), Some(socket)) = (line["ms"].as_u64(), line["ws"].as_u64()) else {
            return Ok(None);
        };
        let direction = match line["from"].as_str() {
            Some("client") => Way::In,
            Some("server") => Way::Out,
            _ => return Err("from is client or server".to_owned()),
        };
        let kind = if let Some(url) = line["upgrade"]["url"].as_str() {
            let path = url.split('?').next().unwrap_or_default();
            let hub = path.rsplit('/').next().unwrap_or_default();
            self.hubs.insert(socket, hub.to_owned());
            EntryKind::Open
        } else if let Some(text) = line["text"].as_str() {
            EntryKind::Text(Bytes::from(text.to_owned()))
        } else if let Some(base64) = line["binary"].as_str() {
            EntryKind::Binary(BASE64.decode(base64.as_bytes()).map_err(|_| "binary is no base64")?.into())
        } else if let Some(close) = line.get("close") {
            let code = close["code"].as_u64().or(close.as_u64()).and_then(|code| u16::try_from(code).ok());
            EntryKind::Close(code.map(|code| (code, close["reason"].as_str().unwrap_or_default().to_owned())))
        } else {
            return Ok(None);
        };
        let hub = self.hubs.get(&socket).cloned().unwrap_or_default();
        Ok(Some(Entry { t, connection: format!("ws-{socket}"), hub, direction, kind }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_read_as_they_were_written() {
        let entry =
            |kind| Entry { t: 7, connection: "c".to_owned(), hub: "market".to_owned(), direction: Way::Out, kind };
        for kind in [
            EntryKind::Open,
            EntryKind::Text(Bytes::from_static("{\"é\":1}\u{1e}".as_bytes())),
            EntryKind::Text(Bytes::from_static(b"\xff")),
            EntryKind::Binary(Bytes::from_static(b"\x00\xfe")),
            EntryKind::Close(None),
            EntryKind::Close(Some((1012, "restart".to_owned()))),
        ] {
            let line = entry(kind.clone()).to_line();
            assert_eq!(Reader::default().line(&line), Ok(Some(entry(kind))), "{line}");
        }
    }

    #[test]
    fn a_proxys_lines_are_understood() {
        let mut reader = Reader::default();
        let mut read = |line| reader.line(line).unwrap().map(|entry| (entry.hub, entry.direction, entry.kind));
        assert_eq!(read(r#"{"ms":1,"from":"client","http":{"method":"POST"}}"#), None);
        let open = read(r#"{"ms":1,"from":"client","ws":1,"upgrade":{"url":"/hubs/market?id=x"}}"#);
        assert_eq!(open, Some(("market".to_owned(), Way::In, EntryKind::Open)));
        assert_eq!(read(r#"{"ms":2,"from":"server","ws":1,"status":101}"#), None);
        let text = read(r#"{"ms":3,"from":"server","ws":1,"text":"{}\u001e"}"#);
        assert_eq!(text, Some(("market".to_owned(), Way::Out, EntryKind::Text(Bytes::from_static(b"{}\x1e")))));
    }
}
