//! What a line asks for.

use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::fields::{Fields, compact};

/// One line, understood.
pub(crate) enum Command {
    /// Make the connection. The options are read when it is made.
    Build { url: String, options: Fields },
    /// Listen to a target.
    On { target: String, shape: Shape },
    /// Forget all handlers of a target.
    Off { target: String },
    /// Answer the hub's invocations of a target.
    Answer { target: String, with: Answer, delay: Duration },
    /// Connect.
    Start { call: String },
    /// Call a method of the hub.
    Call { call: String, request: Request },
    /// An item of a stream to the hub.
    Item { call: String, stream: usize, value: Box<RawValue> },
    /// The end of a stream to the hub.
    Finish { call: String, stream: usize, error: Option<String> },
    /// Drop a call's future or stream.
    Cancel { call: String },
    /// Keep a subscription.
    Subscribe { call: String, key: String, subscribe: Method, unsubscribe: Option<Method> },
    /// Give it up.
    Unsubscribe { call: String, key: String },
    /// Tell the state.
    State,
    /// Disconnect.
    Stop { call: String },
    /// Disconnect and leave.
    Exit,
}

/// The arguments that a handler takes.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) enum Shape {
    /// Whatever they are.
    #[serde(rename = "any")]
    Any,
    /// Exactly one i64.
    #[serde(rename = "integer")]
    Integer,
    /// Exactly an i64 and a text.
    #[serde(rename = "integer,string")]
    IntegerAndString,
}

/// What a client-result handler answers.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// This result.
    Result(Box<RawValue>),
    /// This error.
    Error(String),
    /// Its first argument back.
    Echo,
}

/// A call of a method of the hub.
pub(crate) struct Request {
    pub(crate) kind: CallKind,
    pub(crate) target: String,
    pub(crate) arguments: Vec<Box<RawValue>>,
    pub(crate) result: ResultKind,
    pub(crate) streams: usize,
    /// The deadline of this call alone: `Some(None)` for none.
    pub(crate) timeout: Option<Option<Duration>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CallKind {
    Invoke,
    Send,
    Stream,
}

/// What the result of an invoke is taken for.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ResultKind {
    #[default]
    Any,
    Integer,
    /// It is not looked at.
    Nothing,
}

/// A method of the hub and its arguments.
pub(crate) type Method = (String, Vec<Box<RawValue>>);

/// More streams in one call are a slip of the pen.
const MAX_STREAMS: usize = 1_024;

impl Command {
    /// Reads one line. The error says what was not understood.
    pub(crate) fn parse(line: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(line).map_err(|_| "this is not UTF-8".to_owned())?;
        let mut fields = Fields::parse(text)?;
        let name: String = fields.required("do")?;
        let fields = &mut fields;
        let command = match name.as_str() {
            "build" => {
                let url = fields.required("url")?;
                return Ok(Self::Build { url, options: std::mem::replace(fields, Fields::parse("{}")?) });
            }
            "on" => Self::On { target: fields.required("target")?, shape: fields.required("as")? },
            "off" => Self::Off { target: fields.required("target")? },
            "answer" => Self::Answer {
                target: fields.required("target")?,
                with: answer(&fields.required::<Box<RawValue>>("with")?)?,
                delay: Duration::from_millis(fields.optional("delayMs")?.unwrap_or_default()),
            },
            "start" => Self::Start { call: fields.required("call")? },
            "stop" => Self::Stop { call: fields.required("call")? },
            "invoke" => Self::Call { call: fields.required("call")?, request: request(CallKind::Invoke, fields)? },
            "send" => Self::Call { call: fields.required("call")?, request: request(CallKind::Send, fields)? },
            "stream" => Self::Call { call: fields.required("call")?, request: request(CallKind::Stream, fields)? },
            "item" => Self::Item {
                call: fields.required("call")?,
                stream: fields.required("stream")?,
                value: fields.raw("value").ok_or_else(|| "`value` is missing".to_owned())?,
            },
            "finish" => Self::Finish {
                call: fields.required("call")?,
                stream: fields.required("stream")?,
                error: fields.optional("error")?,
            },
            "cancel" => Self::Cancel { call: fields.required("call")? },
            "subscribe" => Self::Subscribe {
                call: fields.required("call")?,
                key: fields.required("key")?,
                subscribe: compact_method(fields.required("subscribe")?),
                unsubscribe: fields.optional("unsubscribe")?.map(compact_method),
            },
            "unsubscribe" => Self::Unsubscribe { call: fields.required("call")?, key: fields.required("key")? },
            "state" => Self::State,
            "exit" => Self::Exit,
            _ => return Err(format!("there is no command `{name}`")),
        };
        fields.finish()?;
        Ok(command)
    }
}

fn request(kind: CallKind, fields: &mut Fields) -> Result<Request, String> {
    let streams = fields.optional("streams")?.unwrap_or_default();
    if streams > MAX_STREAMS {
        return Err(format!("`streams`: more than {MAX_STREAMS}"));
    }
    let timeout: Option<u64> = fields.optional("timeoutMs")?;
    Ok(Request {
        kind,
        target: fields.required("target")?,
        arguments: fields.optional("arguments")?.unwrap_or_default(),
        result: fields.optional("as")?.unwrap_or_default(),
        streams,
        timeout: timeout.map(|milliseconds| (milliseconds > 0).then(|| Duration::from_millis(milliseconds))),
    })
}

fn answer(with: &RawValue) -> Result<Answer, String> {
    if let Ok(word) = serde_json::from_str::<String>(with.get()) {
        return if word == "echo" { Ok(Answer::Echo) } else { Err(format!("`with`: there is no answer `{word}`")) };
    }
    let mut fields = Fields::parse(with.get()).map_err(|error| format!("`with`: {error}"))?;
    let answer = match fields.raw("result") {
        Some(result) => Answer::Result(result),
        None => Answer::Error(fields.required("error")?),
    };
    fields.finish()?;
    Ok(answer)
}

fn compact_method((name, arguments): Method) -> Method {
    (name, arguments.iter().map(|argument| compact(argument)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_has_defaults() {
        let Ok(Command::Call { call, request }) = Command::parse(br#"{"do":"invoke","call":"1","target":"T"}"#) else {
            panic!("it is a call")
        };
        assert_eq!(
            (call.as_str(), request.target.as_str(), request.arguments.len(), request.streams),
            ("1", "T", 0, 0)
        );
        assert!(matches!((request.kind, request.result, request.timeout), (CallKind::Invoke, ResultKind::Any, None)));
        let Ok(Command::Call { request, .. }) =
            Command::parse(br#"{"do":"send","call":"1","target":"T","timeoutMs":0}"#)
        else {
            panic!("it is a call")
        };
        assert_eq!(request.timeout, Some(None));
    }

    #[test]
    fn spellings_of_one_subscription_are_one() {
        let line = br#"{"do":"subscribe","call":"1","key":"k","subscribe":["S",[ {"a" : 1} ]],"unsubscribe":null}"#;
        let Ok(Command::Subscribe { subscribe, unsubscribe, .. }) = Command::parse(line) else {
            panic!("it is a subscribe")
        };
        assert_eq!(subscribe.1[0].get(), r#"{"a":1}"#);
        assert!(unsubscribe.is_none());
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        for line in [
            "",
            "x",
            "[]",
            "{}",
            r#"{"do":"dance"}"#,
            r#"{"do":5}"#,
            r#"{"do":"state","x":1}"#,
            r#"{"do":"start"}"#,
            r#"{"do":"start","call":1}"#,
            r#"{"do":"build"}"#,
            r#"{"do":"on","target":"T"}"#,
            r#"{"do":"on","target":"T","as":"float"}"#,
            r#"{"do":"invoke","call":"1","target":"T","arguments":{}}"#,
            r#"{"do":"invoke","call":"1","target":"T","argument":[]}"#,
            r#"{"do":"invoke","call":"1","target":"T","as":"integer,string"}"#,
            r#"{"do":"invoke","call":"1","target":"T","streams":-1}"#,
            r#"{"do":"invoke","call":"1","target":"T","streams":1000000}"#,
            r#"{"do":"item","call":"1","stream":0}"#,
            r#"{"do":"answer","target":"T","with":"nothing"}"#,
            r#"{"do":"answer","target":"T","with":{}}"#,
            r#"{"do":"answer","target":"T","with":{"result":1,"error":"x"}}"#,
            r#"{"do":"subscribe","call":"1","key":"k","subscribe":["S"]}"#,
            "{\"do\":\"state\"}\u{1e}",
        ] {
            assert!(Command::parse(line.as_bytes()).is_err(), "{line}");
        }
        assert!(Command::parse(b"{\"do\":\"\xff\"}").is_err());
    }
}
