//! Incoming records: what a client may say, judged as ASP.NET Core 10 judges it.
//!
//! The messages are `signalr_proto`'s. What stands here is where a hub of .NET is stricter or more lenient: it binds
//! arguments while it reads, checks every member it knows wherever it stands, and stops looking at the closing brace.

use std::borrow::Cow;
use std::ops::Range;

use serde_json::value::RawValue;
use signalr_proto::protocol::HubMessage;
use signalr_proto::protocol::message::Completion;

use crate::hubs::{Method, MethodError};
use crate::protocol::dotnet::{Members, NOT_JSON, Text, Type};

/// Who knows what a call's parameters and a stream's items are.
pub(super) trait Binder {
    /// The method of this name.
    fn method(&self, target: &str) -> Option<&'static Method>;
    /// The type of an open upload's items.
    fn item_type(&self, stream_id: &str) -> Option<Type>;
}

/// A client's message.
#[derive(Debug)]
pub(super) enum Record {
    /// Types 1 and 4.
    Invocation(Invocation),
    /// Type 2: an item of an upload.
    Item { stream_id: String, item: Box<RawValue> },
    /// Type 2 for an upload that is not open, or an item of the wrong type. The sequence of stateful reconnect does not
    /// count it, though the client does (seen live).
    UnboundItem { stream_id: String, detail: String },
    /// Type 3: the end of an upload, or the answer to a client result.
    Completion { id: String, outcome: Outcome },
    /// Type 5.
    CancelInvocation { id: String },
    /// Type 6.
    Ping,
    /// Type 7.
    Close,
    /// Type 8.
    Ack(i64),
    /// Type 9.
    Sequence(i64),
    /// A kind that nobody knows yet.
    Unknown,
}

/// A call of a hub method.
#[derive(Debug)]
pub(super) struct Invocation {
    pub(super) id: Option<String>,
    pub(super) target: String,
    pub(super) arguments: Vec<Box<RawValue>>,
    pub(super) stream_ids: Vec<String>,
    pub(super) is_stream: bool,
    /// The method, its parameters bound; or what the Completion says instead.
    pub(super) method: Result<&'static Method, Unbound>,
}

/// Why a call reaches no method.
#[derive(Debug)]
pub(super) enum Unbound {
    NoSuchMethod,
    Arguments(&'static Method, MethodError),
}

/// What a Completion carries.
#[derive(Debug)]
pub(crate) enum Outcome {
    Result(Box<RawValue>),
    Error(String),
    Nothing,
}

/// Reads a record; the error says why the connection must end.
pub(super) fn read(record: &[u8], binder: &impl Binder) -> Result<Record, String> {
    let text = Text::new(record);
    let mut walk = Walk { text: &text, binder, seen: Seen::default() };
    match walk.members()? {
        Walked::UnboundItem { stream_id, detail } => Ok(Record::UnboundItem { stream_id, detail }),
        Walked::To(end) => {
            let seen = walk.seen;
            seen.check_required()?;
            convert(text.as_str().get(..end).unwrap_or_default(), &text, seen, binder)
        }
    }
}

/// What the members said that matters beyond their values.
#[derive(Default)]
struct Seen<'t> {
    kind: Option<i32>,
    invocation_id: Option<Cow<'t, str>>,
    target: Option<Cow<'t, str>>,
    /// The arguments that came before any target: bound at the end.
    unbound_arguments: Option<Range<usize>>,
    has_arguments: bool,
    /// The first arguments that were bound and did not fit: later ones do not repair it.
    misfit: Option<Unbound>,
    /// An item that came before its stream's id: bound at the end.
    unbound_item: Option<Range<usize>>,
    has_item: bool,
    has_result: bool,
    has_error: bool,
    has_sequence_id: bool,
}

struct Walk<'t, B> {
    text: &'t Text<'t>,
    binder: &'t B,
    seen: Seen<'t>,
}

enum Walked {
    /// Behind the closing brace.
    To(usize),
    /// An item that binds to nothing ends the reading where it stands, whatever the record is (seen live).
    UnboundItem { stream_id: String, detail: String },
}

impl<B: Binder> Walk<'_, B> {
    fn members(&mut self) -> Result<Walked, String> {
        let mut members = Members::of(self.text)?;
        while let Some(name) = members.next_name()? {
            let seen = &mut self.seen;
            match &*name {
                "type" => {
                    let kind = members.int32("type")?;
                    seen.kind = Some(kind.ok_or("InvalidDataException: Expected 'type' to be of type Number.")?);
                }
                "invocationId" => seen.invocation_id = Some(members.string("invocationId")?),
                "target" => seen.target = Some(members.string("target")?),
                "arguments" => {
                    let range = members.array("arguments")?;
                    seen.has_arguments = true;
                    match seen.target.as_deref().filter(|target| !target.is_empty()) {
                        None => seen.unbound_arguments = Some(range),
                        Some(target) => {
                            let misfit = bind(self.binder, target, self.text, range).err();
                            seen.misfit = seen.misfit.take().or(misfit);
                        }
                    }
                }
                "item" => {
                    let range = members.skip()?;
                    seen.has_item = true;
                    let Some(id) = seen.invocation_id.as_deref().filter(|id| !id.is_empty()) else {
                        seen.unbound_item = Some(range);
                        continue;
                    };
                    if let Err(detail) = bind_item(self.binder, id, self.text, &range) {
                        return Ok(Walked::UnboundItem { stream_id: id.to_owned(), detail });
                    }
                }
                "result" => {
                    members.skip()?;
                    seen.has_result = true;
                }
                "error" => {
                    members.string("error")?;
                    seen.has_error = true;
                }
                "streamIds" => members.strings("streamIds")?,
                "headers" => members.headers()?,
                "allowReconnect" => members.boolean("allowReconnect")?,
                "sequenceId" => seen.has_sequence_id = members.int64("sequenceId")?.is_some(),
                _ => _ = members.skip()?,
            }
        }
        Ok(Walked::To(members.cursor.position()))
    }
}

impl Seen<'_> {
    /// The members that each kind needs, in the order in which .NET misses them.
    fn check_required(&self) -> Result<(), String> {
        let has_id = self.invocation_id.as_deref().is_some_and(|id| !id.is_empty());
        let missing = match self.kind {
            None => Some("type"),
            Some(2..=5) if self.invocation_id.is_none() => Some("invocationId"),
            Some(3..=5) if !has_id => Some("invocationId"),
            Some(1 | 4) if self.target.is_none() => Some("target"),
            Some(1 | 4) if !self.has_arguments => Some("arguments"),
            Some(2) if !self.has_item => Some("item"),
            Some(8 | 9) if !self.has_sequence_id => Some("sequenceId"),
            _ => None,
        };
        if let Some(name) = missing {
            return Err(format!("InvalidDataException: Missing required property '{name}'."));
        }
        if self.kind == Some(3) && self.has_error && self.has_result {
            return Err("InvalidDataException: The 'error' and 'result' properties are mutually exclusive.".to_owned());
        }
        Ok(())
    }
}

fn convert(record: &str, text: &Text<'_>, seen: Seen<'_>, binder: &impl Binder) -> Result<Record, String> {
    if let (Some(2), Some(range)) = (seen.kind, &seen.unbound_item) {
        let id = seen.invocation_id.as_deref().unwrap_or_default();
        if binder.item_type(id).is_none() {
            return Err(format!("KeyNotFoundException: No stream with id '{id}' could be found."));
        }
        if let Err(detail) = bind_item(binder, id, text, range) {
            return Ok(Record::UnboundItem { stream_id: id.to_owned(), detail });
        }
    }
    // Whatever the walk let through can be read.
    let message = HubMessage::read(record).map_err(|_| NOT_JSON.to_owned())?;
    let is_stream = matches!(message, HubMessage::StreamInvocation(_));
    Ok(match message {
        HubMessage::Invocation(call) | HubMessage::StreamInvocation(call) => {
            let late = seen.unbound_arguments.and_then(|range| bind(binder, &call.target, text, range).err());
            let method = binder.method(&call.target);
            Record::Invocation(Invocation {
                id: call.invocation_id.filter(|id| !id.is_empty()).map(Cow::into_owned),
                method: match (seen.misfit.or(late), method) {
                    (Some(misfit), _) => Err(misfit),
                    (None, Some(method)) => Ok(method),
                    (None, None) => Err(Unbound::NoSuchMethod),
                },
                arguments: serde_json::from_str(&call.arguments).map_err(|_| NOT_JSON.to_owned())?,
                stream_ids: call.stream_ids.into_iter().map(Cow::into_owned).collect(),
                target: call.target.into_owned(),
                is_stream,
            })
        }
        HubMessage::StreamItem { invocation_id, item } => {
            Record::Item { stream_id: invocation_id.into_owned(), item: raw(&item)? }
        }
        HubMessage::Completion { invocation_id, outcome } => {
            let outcome = match outcome {
                Completion::Void => Outcome::Nothing,
                Completion::Result(result) => Outcome::Result(raw(&result)?),
                Completion::Error(error) => Outcome::Error(error.into_owned()),
            };
            Record::Completion { id: invocation_id.into_owned(), outcome }
        }
        HubMessage::CancelInvocation { invocation_id } => Record::CancelInvocation { id: invocation_id.into_owned() },
        HubMessage::Ping => Record::Ping,
        HubMessage::Close { .. } => Record::Close,
        HubMessage::Ack { sequence_id } => Record::Ack(sequence_id),
        HubMessage::Sequence { sequence_id } => Record::Sequence(sequence_id),
        _ => Record::Unknown,
    })
}

fn bind(binder: &impl Binder, target: &str, text: &Text<'_>, range: Range<usize>) -> Result<(), Unbound> {
    let method = binder.method(target).ok_or(Unbound::NoSuchMethod)?;
    let arguments = elements(text.as_str(), &range);
    if arguments.len() != method.parameters {
        let (given, expected) = (arguments.len(), method.parameters);
        let detail = format!("Invocation provides {given} argument(s) but target expects {expected}.");
        return Err(Unbound::Arguments(method, MethodError::Binding(detail)));
    }
    let fits = arguments.iter().zip(method.types).all(|(argument, wanted)| text.bind(argument, *wanted).is_ok());
    if fits { Ok(()) } else { Err(Unbound::Arguments(method, MethodError::wrong_argument_type())) }
}

fn bind_item(binder: &impl Binder, id: &str, text: &Text<'_>, range: &Range<usize>) -> Result<(), String> {
    match binder.item_type(id) {
        Some(wanted) => text.bind(range, wanted),
        None => Err(format!("KeyNotFoundException: No stream with id '{id}' could be found.")),
    }
}

/// Where the elements of an array stand that was found to be one.
fn elements(text: &str, array: &Range<usize>) -> Vec<Range<usize>> {
    let mut cursor = signalr_proto::json::Cursor::at(text, array.start, 1);
    let mut elements = Vec::new();
    if cursor.begin_array().is_err() {
        return elements;
    }
    while let Ok(true) = cursor.next_element(elements.is_empty()) {
        let Ok(range) = cursor.skip_value() else { break };
        elements.push(range);
    }
    elements
}

fn raw(json: &str) -> Result<Box<RawValue>, String> {
    RawValue::from_string(json.to_owned()).map_err(|_| NOT_JSON.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hubs::Hub;

    struct Open;

    impl Binder for Open {
        fn method(&self, target: &str) -> Option<&'static Method> {
            Hub::Conformance.method(target)
        }

        fn item_type(&self, stream_id: &str) -> Option<Type> {
            (stream_id == "open").then_some(Type::Int)
        }
    }

    fn fatal(record: &str) -> String {
        read(record.as_bytes(), &Open).map_or_else(|error| error, |record| panic!("{record:?}"))
    }

    fn taken(record: &str) -> Record {
        read(record.as_bytes(), &Open).unwrap_or_else(|error| panic!("{record}: {error}"))
    }

    #[test]
    fn what_aspnetcore_calls_fatal_is_fatal_in_its_words() {
        let invalid = |text: &str| format!("InvalidDataException: {text}");
        for (record, detail) in [
            ("", invalid("Error reading JSON.")),
            ("1", invalid("Unexpected JSON Token Type 'Number'. Expected a JSON Object.")),
            ("[]", invalid("Unexpected JSON Token Type 'Array'. Expected a JSON Object.")),
            ("{}", invalid("Missing required property 'type'.")),
            (r#"{"type":null}"#, invalid("Expected 'type' to be of type Number.")),
            (r#"{"type":"1"}"#, invalid("Expected 'type' to be of type Number.")),
            (r#"{"type":6"#, invalid("Error reading JSON.")),
            (r#"{"type":6,}"#, invalid("Error reading JSON.")),
            ("\u{feff}{\"type\":6}", invalid("Error reading JSON.")),
            (r#"{"type":6,"arguments":{}}"#, invalid("Expected 'arguments' to be of type Array.")),
            (r#"{"type":6,"target":1}"#, invalid("Expected 'target' to be of type String.")),
            (r#"{"type":6,"streamIds":[null]}"#, invalid("Null value for 'streamIds' is not valid.")),
            (r#"{"type":6,"error":null}"#, invalid("Expected 'error' to be of type String.")),
            (r#"{"type":6,"headers":{"Foo":1}}"#, invalid("Expected header 'Foo' to be of type String.")),
            (r#"{"type":6,"headers":1}"#, invalid("Expected 'headers' to be of type StartObject.")),
            (r#"{"type":6,"allowReconnect":1}"#, invalid("Expected 'allowReconnect' to be true or false.")),
            (r#"{"type":1,"arguments":[]}"#, invalid("Missing required property 'target'.")),
            (r#"{"type":1,"target":"M"}"#, invalid("Missing required property 'arguments'.")),
            (r#"{"type":4,"target":"M","arguments":[]}"#, invalid("Missing required property 'invocationId'.")),
            (r#"{"type":2,"item":1}"#, invalid("Missing required property 'invocationId'.")),
            (r#"{"type":2,"invocationId":"1"}"#, invalid("Missing required property 'item'.")),
            (
                r#"{"type":3,"invocationId":"1","result":null,"error":""}"#,
                invalid("The 'error' and 'result' properties are mutually exclusive."),
            ),
            (r#"{"type":5,"invocationId":""}"#, invalid("Missing required property 'invocationId'.")),
            (r#"{"type":8}"#, invalid("Missing required property 'sequenceId'.")),
        ] {
            assert_eq!(fatal(record), detail, "{record}");
        }
        for (record, kind) in [
            (r#"{"type":6.0}"#, "FormatException"),
            (r#"{"type":6e0}"#, "FormatException"),
            (r#"{"type":6,"streamIds":[1]}"#, "InvalidOperationException"),
            (r#"{"type":1,"target":"\ud800","arguments":[]}"#, "InvalidOperationException"),
            (r#"{"type":6,"\ud800":1}"#, "InvalidOperationException"),
            (r#"{"type":2,"item":1,"invocationId":"shut"}"#, "KeyNotFoundException"),
        ] {
            assert!(fatal(record).starts_with(kind), "{record}: {}", fatal(record));
        }
    }

    #[test]
    fn what_aspnetcore_takes_is_taken() {
        let ping = |record: &str| matches!(taken(record), Record::Ping);
        assert!(ping(r#"{"type":6}"#));
        assert!(ping(r#" { "type" : 6 } rubbish"#));
        assert!(ping(r#"{"type":1,"unknown":"\ud800","type":6}"#));
        assert!(ping(&format!(r#"{{"type":6,"deep":{}{}}}"#, "[".repeat(63), "]".repeat(63))));
        assert_eq!(fatal(&format!(r#"{{"type":6,"deep":{}{}}}"#, "[".repeat(64), "]".repeat(64))), NOT_JSON);
        assert!(matches!(taken(r#"{"type":99}"#), Record::Unknown));
        assert!(matches!(taken(r#"{"type":8,"sequenceId":-1}"#), Record::Ack(-1)));
        assert!(matches!(read(b"{\"type\":6,\"\xff\":\"\xff\"}\xff", &Open), Ok(Record::Ping)));
    }

    #[test]
    fn arguments_are_bound_where_they_stand() {
        let fits = |record: &str| match taken(record) {
            Record::Invocation(call) => call.method.is_ok(),
            other => panic!("{other:?}"),
        };
        assert!(fits(r#"{"type":1,"arguments":[1],"arguments":[1,2],"target":"ADD"}"#));
        assert!(!fits(r#"{"type":1,"target":"Add","arguments":[1],"arguments":[1,2]}"#));
        assert!(!fits(r#"{"type":1,"target":"Add","arguments":[1,1.0]}"#));
        assert!(!fits(r#"{"type":1,"target":"","arguments":[]}"#));
        assert!(fits(r#"{"type":1,"target":"Throw","arguments":[null]}"#));
        assert!(!fits(r#"{"type":1,"target":"Throw","arguments":["\ud800"]}"#));
        assert!(fits(r#"{"type":1,"target":"Echo","arguments":["\ud800"]}"#));
    }

    #[test]
    fn items_without_a_stream_swallow_their_record() {
        for record in [
            r#"{"type":2,"invocationId":"shut","item":1}"#,
            r#"{"type":2,"invocationId":"open","item":"x"}"#,
            r#"{"type":2,"item":"x","invocationId":"open"}"#,
            r#"{"type":1,"invocationId":"shut","item":1,"target":"Add","arguments":[1,2]}"#,
        ] {
            assert!(matches!(taken(record), Record::UnboundItem { .. }), "{record}");
        }
        assert!(matches!(taken(r#"{"type":2,"item":1,"invocationId":"open"}"#), Record::Item { .. }));
    }
}
