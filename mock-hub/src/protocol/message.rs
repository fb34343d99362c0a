//! Incoming records: what a client may say, judged as ASP.NET Core 10 judges it.

use std::fmt;

use serde::Deserialize;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

use super::json;

/// A client's message.
#[derive(Debug)]
pub(crate) enum Message {
    /// Types 1 and 4.
    Invocation(Invocation),
    /// Type 2: an item of an upload.
    StreamItem { id: String, item: Box<RawValue> },
    /// Type 3: the end of an upload, or the answer to a client result.
    Completion { id: String, outcome: Outcome },
    /// Type 5.
    CancelInvocation { id: String },
    /// Type 6.
    Ping,
    /// Type 7.
    Close,
    /// Ack and Sequence, and kinds that nobody knows yet.
    Ignored,
}

/// A call of a hub method.
#[derive(Debug)]
pub(crate) struct Invocation {
    pub(crate) id: Option<String>,
    pub(crate) target: String,
    pub(crate) arguments: Vec<Box<RawValue>>,
    pub(crate) stream_ids: Vec<String>,
    pub(crate) is_stream: bool,
}

/// What a Completion carries.
#[derive(Debug)]
pub(crate) enum Outcome {
    Result(Box<RawValue>),
    Error(String),
    Nothing,
}

/// Reads a record; the error says why the connection must end.
pub(crate) fn parse(record: &[u8]) -> Result<Message, String> {
    // Invalid UTF-8 can only come in binary frames. ASP.NET Core echoes it as U+FFFD where it does not matter.
    let text = String::from_utf8_lossy(record);
    if !json::is_shallow(&text) {
        return Err("Error reading JSON.".to_owned());
    }
    let mut input = serde_json::Deserializer::from_str(&text);
    // What follows the object is ignored, as System.Text.Json's reader stops at its end.
    let members = Members::deserialize(&mut input)
        .map_err(|error| if error.is_data() { error.to_string() } else { "Error reading JSON.".to_owned() })?;
    members.into_message()
}

/// The members of every kind of message. Each is type-checked wherever it stands, also where it means nothing.
#[derive(Default)]
struct Members {
    kind: Option<i32>,
    invocation_id: Option<String>,
    target: Option<String>,
    arguments: Option<Vec<Box<RawValue>>>,
    stream_ids: Option<Vec<String>>,
    item: Option<Box<RawValue>>,
    result: Option<Box<RawValue>>,
    error: Option<String>,
    sequence_id: Option<i64>,
}

impl Members {
    fn into_message(self) -> Result<Message, String> {
        let missing = |name: &str| format!("Missing required property '{name}'.");
        let id = |id: Option<String>| id.filter(|id| !id.is_empty()).ok_or_else(|| missing("invocationId"));
        match self.kind.ok_or_else(|| missing("type"))? {
            kind @ (1 | 4) => {
                let is_stream = kind == 4;
                let id = if is_stream { Some(id(self.invocation_id)?) } else { id(self.invocation_id).ok() };
                Ok(Message::Invocation(Invocation {
                    id,
                    target: self.target.ok_or_else(|| missing("target"))?,
                    arguments: self.arguments.ok_or_else(|| missing("arguments"))?,
                    stream_ids: self.stream_ids.unwrap_or_default(),
                    is_stream,
                }))
            }
            2 => {
                Ok(Message::StreamItem { id: id(self.invocation_id)?, item: self.item.ok_or_else(|| missing("item"))? })
            }
            3 => {
                let outcome = match (self.result, self.error) {
                    (Some(_), Some(_)) => {
                        return Err("The 'error' and 'result' properties are mutually exclusive.".to_owned());
                    }
                    (Some(result), None) => Outcome::Result(result),
                    (None, Some(error)) => Outcome::Error(error),
                    (None, None) => Outcome::Nothing,
                };
                Ok(Message::Completion { id: id(self.invocation_id)?, outcome })
            }
            5 => Ok(Message::CancelInvocation { id: id(self.invocation_id)? }),
            6 => Ok(Message::Ping),
            7 => Ok(Message::Close),
            8 | 9 => self.sequence_id.map(|_| Message::Ignored).ok_or_else(|| missing("sequenceId")),
            _ => Ok(Message::Ignored),
        }
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON Object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members = Members::default();
        while let Some(key) = map.next_key::<String>()? {
            // Taken raw first, so that a wrong type is told by the member's name. Of equal members the last wins.
            let value: &RawValue = map.next_value()?;
            match key.as_str() {
                "type" => members.kind = Some(typed(value, &key, "Number")?),
                "invocationId" => members.invocation_id = Some(typed(value, &key, "String")?),
                "target" => members.target = Some(typed(value, &key, "String")?),
                "arguments" => members.arguments = Some(typed(value, &key, "Array")?),
                "streamIds" => members.stream_ids = Some(typed(value, &key, "Array")?),
                "item" => members.item = Some(value.to_owned()),
                "result" => members.result = Some(value.to_owned()),
                "error" => members.error = Some(typed(value, &key, "String")?),
                "allowReconnect" => drop(typed::<bool, _>(value, &key, "Boolean")?),
                "headers" => drop(typed::<std::collections::HashMap<String, String>, _>(value, &key, "Object")?),
                "sequenceId" => members.sequence_id = Some(typed(value, &key, "Number")?),
                _ => {}
            }
        }
        Ok(members)
    }
}

fn typed<'de, T: Deserialize<'de>, E: serde::de::Error>(value: &'de RawValue, key: &str, kind: &str) -> Result<T, E> {
    serde_json::from_str(value.get()).map_err(|_| E::custom(format_args!("Expected '{key}' to be of type {kind}.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_aspnetcore_calls_fatal_is_fatal() {
        let fatal = [
            "",
            "1",
            "[]",
            "{}",
            r#"{"type":null}"#,
            r#"{"type":"1"}"#,
            r#"{"type":6.0}"#,
            r#"{"type":6e0}"#,
            r#"{"type":6"#,
            r#"{"type":6,}"#,
            "\u{feff}{\"type\":6}",
            r#"{"type":6,"arguments":{}}"#,
            r#"{"type":6,"target":1}"#,
            r#"{"type":6,"streamIds":[1]}"#,
            r#"{"type":6,"error":null}"#,
            r#"{"type":6,"headers":{"Foo":1}}"#,
            r#"{"type":1,"arguments":[]}"#,
            r#"{"type":1,"target":null,"arguments":[]}"#,
            r#"{"type":1,"target":"M"}"#,
            r#"{"type":1,"target":"\ud800","arguments":[]}"#,
            r#"{"type":1,"invocationId":null,"target":"M","arguments":[]}"#,
            r#"{"type":4,"invocationId":"","target":"M","arguments":[]}"#,
            r#"{"type":2,"invocationId":"1"}"#,
            r#"{"type":3,"invocationId":"1","result":1,"error":""}"#,
            r#"{"type":5}"#,
            r#"{"type":8}"#,
        ];
        for record in fatal {
            assert!(parse(record.as_bytes()).is_err(), "{record}");
        }
    }

    #[test]
    fn what_aspnetcore_takes_is_taken() {
        let ping = |record: &str| matches!(parse(record.as_bytes()), Ok(Message::Ping));
        assert!(ping(r#"{"type":6}"#));
        assert!(ping(r#" { "type" : 6 } rubbish"#));
        assert!(ping(r#"{"type":1,"unknown":"\ud800","type":6}"#));
        assert!(ping(&format!(r#"{{"type":6,"deep":{}{}}}"#, "[".repeat(63), "]".repeat(63))));
        assert!(!ping(&format!(r#"{{"type":6,"deep":{}{}}}"#, "[".repeat(64), "]".repeat(64))));
        assert!(matches!(parse(br#"{"type":99}"#), Ok(Message::Ignored)));
        assert!(matches!(parse(br#"{"type":8,"sequenceId":-1}"#), Ok(Message::Ignored)));
        let call = parse(br#"{"invocationId":"","target":"","arguments":["\ud800"],"type":1}"#);
        assert!(matches!(call, Ok(Message::Invocation(Invocation { id: None, .. }))));
    }
}
