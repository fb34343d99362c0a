//! The nine kinds of messages: what is written, what is read, what is refused.

use std::borrow::Cow;

use proptest::prelude::*;
use signalr_proto::protocol::HubMessage;
use signalr_proto::protocol::message::{Completion, Invocation};

use crate::support::sim::Sim;
use crate::support::sinks::Shape;

fn invocation<'a>(id: Option<&'a str>, target: &'a str, arguments: &'a str) -> Invocation<'a> {
    Invocation {
        invocation_id: id.map(Cow::from),
        target: target.into(),
        arguments: arguments.into(),
        ..Invocation::default()
    }
}

fn completion<'a>(id: &'a str, outcome: Completion<'a>) -> HubMessage<'a> {
    HubMessage::Completion { invocation_id: id.into(), outcome }
}

/// One of each kind, with the bytes that .NET writes.
fn written() -> Vec<(HubMessage<'static>, &'static str)> {
    vec![
        (HubMessage::Invocation(invocation(None, "m", "[1]")), r#"{"type":1,"target":"m","arguments":[1]}"#),
        (
            HubMessage::Invocation(invocation(Some("7"), "m", "[]")),
            r#"{"type":1,"invocationId":"7","target":"m","arguments":[]}"#,
        ),
        (
            HubMessage::Invocation(Invocation {
                stream_ids: vec!["1".into(), "2".into()],
                headers: vec![("a".into(), "b".into()), ("c".into(), "\"".into())],
                ..invocation(Some("3"), "m", "[]")
            }),
            r#"{"type":1,"headers":{"a":"b","c":"\""},"invocationId":"3","target":"m","arguments":[],"streamIds":["1","2"]}"#,
        ),
        (
            HubMessage::StreamItem { invocation_id: "1".into(), item: "null".into() },
            r#"{"type":2,"invocationId":"1","item":null}"#,
        ),
        (completion("1", Completion::Void), r#"{"type":3,"invocationId":"1"}"#),
        (completion("1", Completion::Result("null".into())), r#"{"type":3,"invocationId":"1","result":null}"#),
        (completion("1", Completion::Error("no\u{1e}".into())), r#"{"type":3,"invocationId":"1","error":"no\u001E"}"#),
        (
            HubMessage::StreamInvocation(invocation(Some("4"), "s", "[\"x\"]")),
            r#"{"type":4,"invocationId":"4","target":"s","arguments":["x"]}"#,
        ),
        (HubMessage::CancelInvocation { invocation_id: "4".into() }, r#"{"type":5,"invocationId":"4"}"#),
        (HubMessage::Ping, r#"{"type":6}"#),
        (HubMessage::Close { error: None, allow_reconnect: false }, r#"{"type":7}"#),
        (
            HubMessage::Close { error: Some("".into()), allow_reconnect: true },
            r#"{"type":7,"error":"","allowReconnect":true}"#,
        ),
        (HubMessage::Ack { sequence_id: i64::MAX }, r#"{"type":8,"sequenceId":9223372036854775807}"#),
        (HubMessage::Sequence { sequence_id: -1 }, r#"{"type":9,"sequenceId":-1}"#),
        (HubMessage::Unknown { kind: 10 }, r#"{"type":10}"#),
    ]
}

#[test]
fn every_kind_is_written_as_dotnet_does_and_read_back() {
    for (message, text) in written() {
        assert_eq!(message.to_record(), format!("{text}\u{1e}"));
        assert_eq!(HubMessage::read(text).as_ref(), Ok(&message), "{text}");
    }
}

#[test]
fn the_order_of_members_means_nothing() {
    let members = [r#""type":3"#, r#""invocationId":"1""#, r#""result":{"type":7}"#, r#""x":[{"target":1}]"#];
    let mut orders = vec![vec![]];
    for _ in 0..members.len() {
        orders = orders
            .into_iter()
            .flat_map(|order: Vec<usize>| {
                (0..members.len())
                    .filter(|next| !order.contains(next))
                    .map(|next| [order.as_slice(), &[next]].concat())
                    .collect::<Vec<_>>()
            })
            .collect();
    }
    assert_eq!(orders.len(), 24);
    for order in orders {
        let text = format!("{{{}}}", order.iter().map(|index| members[*index]).collect::<Vec<_>>().join(" , "));
        assert_eq!(HubMessage::read(&text), Ok(completion("1", Completion::Result(r#"{"type":7}"#.into()))), "{text}");
    }
}

#[test]
fn what_is_read_of_odd_but_legal_records() {
    for (text, expected) in [
        // Unknown members and kinds are no fault, whatever else they hold.
        (r#"{"type":6,"foo":{"bar":[1,{}]}}"#, HubMessage::Ping),
        (r#"{"type":0}"#, HubMessage::Unknown { kind: 0 }),
        (r#"{"type":-1,"target":5}"#, HubMessage::Unknown { kind: -1 }),
        (r#"{"type":2147483648,"headers":1,"error":null}"#, HubMessage::Unknown { kind: 2_147_483_648 }),
        // Escapes in names and values.
        (r#"{"\u0074ype":6}"#, HubMessage::Ping),
        (
            r#"{"type":1,"target":"\u006d\"\\\/\b\f\n\r\t\ud83e\udd80","arguments":[]}"#,
            HubMessage::Invocation(invocation(None, "m\"\\/\u{8}\u{c}\n\r\t🦀", "[]")),
        ),
        // An id of no characters is none, for an invocation.
        (
            r#"{"type":1,"invocationId":"","target":"m","arguments":[]}"#,
            HubMessage::Invocation(invocation(None, "m", "[]")),
        ),
        // A target of no characters is a name like any other.
        (r#"{"type":1,"target":"","arguments":[]}"#, HubMessage::Invocation(invocation(None, "", "[]"))),
        // Duplicates: the last wins.
        (r#"{"type":1,"type":6}"#, HubMessage::Ping),
        (
            r#"{"type":1,"target":"a","target":"b","arguments":[1],"arguments":[2]}"#,
            HubMessage::Invocation(invocation(None, "b", "[2]")),
        ),
        (r#"{"type":3,"invocationId":"1","invocationId":"2"}"#, completion("2", Completion::Void)),
        (
            r#"{"type":7,"allowReconnect":true,"allowReconnect":false}"#,
            HubMessage::Close { error: None, allow_reconnect: false },
        ),
        // Void, null, an error beside a null result, an empty error.
        (r#"{"type":3,"invocationId":"1"}"#, completion("1", Completion::Void)),
        (r#"{"type":3,"invocationId":"1","result":null}"#, completion("1", Completion::Result("null".into()))),
        (r#"{"type":3,"invocationId":"1","error":"e","result":null}"#, completion("1", Completion::Error("e".into()))),
        (r#"{"type":3,"invocationId":"1","result":null,"error":"e"}"#, completion("1", Completion::Error("e".into()))),
        (r#"{"type":3,"invocationId":"1","error":""}"#, completion("1", Completion::Error("".into()))),
        // White space.
        (" \t\r\n{ \"type\" : 6 } \n", HubMessage::Ping),
        // A member that means nothing to the kind.
        (r#"{"type":6,"target":"m","arguments":[],"result":1,"item":2}"#, HubMessage::Ping),
        (
            r#"{"type":2,"invocationId":"1","item":[1,"x",null]}"#,
            HubMessage::StreamItem { invocation_id: "1".into(), item: r#"[1,"x",null]"#.into() },
        ),
    ] {
        assert_eq!(HubMessage::read(text), Ok(expected), "{text}");
    }
}

/// What ends a connection.
const FATAL: &[&str] = &[
    // Not JSON, not an object, nothing at all.
    "",
    " ",
    "x",
    "42",
    "[]",
    "null",
    "\"type\"",
    "{",
    "{\"type\":6",
    "{\"type\":6,}",
    "{,\"type\":6}",
    "{'type':6}",
    "{\"type\":6}x",
    "{\"type\":6}{}",
    "{\"type\":6}\0",
    "\0{\"type\":6}",
    "\u{feff}{\"type\":6}",
    "{\"type\":6/**/}",
    "{\"type\":6,\"x\":01}",
    "{\"type\":6,\"x\":\"\u{1}\"}",
    "{\"type\":6,\"x\":\"\\q\"}",
    "{\"type\":6,\"x\":nul}",
    // The type is missing or none.
    "{}",
    r#"{"target":"m","arguments":[]}"#,
    r#"{"type":null}"#,
    r#"{"type":"1"}"#,
    r#"{"type":6.0}"#,
    r#"{"type":6e0}"#,
    r#"{"type":99999999999999999999}"#,
    r#"{"Type":6}"#,
    // A required member is missing.
    r#"{"type":1,"arguments":[]}"#,
    r#"{"type":1,"target":"m"}"#,
    r#"{"type":2,"invocationId":"1"}"#,
    r#"{"type":2,"item":1}"#,
    r#"{"type":2,"invocationId":"","item":1}"#,
    r#"{"type":3}"#,
    r#"{"type":3,"invocationId":""}"#,
    r#"{"type":4,"target":"m","arguments":[]}"#,
    r#"{"type":5}"#,
    r#"{"type":8}"#,
    r#"{"type":9}"#,
    // A known member is of another type, even where it means nothing.
    r#"{"type":1,"target":null,"arguments":[]}"#,
    r#"{"type":1,"target":"m","arguments":null}"#,
    r#"{"type":1,"target":"m","arguments":{}}"#,
    r#"{"type":1,"invocationId":null,"target":"m","arguments":[]}"#,
    r#"{"type":1,"invocationId":1,"target":"m","arguments":[]}"#,
    r#"{"type":1,"target":"m","arguments":[],"streamIds":null}"#,
    r#"{"type":1,"target":"m","arguments":[],"streamIds":[1]}"#,
    r#"{"type":1,"target":"m","arguments":[],"headers":null}"#,
    r#"{"type":1,"target":"m","arguments":[],"headers":{"Foo":1}}"#,
    r#"{"type":3,"invocationId":"1","error":null}"#,
    r#"{"type":3,"invocationId":"1","error":1}"#,
    r#"{"type":6,"arguments":{}}"#,
    r#"{"type":6,"target":1}"#,
    r#"{"type":6,"headers":{"Foo":1}}"#,
    r#"{"type":7,"allowReconnect":null}"#,
    r#"{"type":7,"allowReconnect":"true"}"#,
    r#"{"type":7,"error":null}"#,
    r#"{"type":8,"sequenceId":"1"}"#,
    r#"{"type":8,"sequenceId":1.5}"#,
    // Both an error and a result.
    r#"{"type":3,"invocationId":"1","error":"e","result":0}"#,
    r#"{"type":3,"invocationId":"1","result":1,"error":""}"#,
    // Half a character where a text must be.
    r#"{"type":1,"target":"\ud800","arguments":[]}"#,
    r#"{"type":3,"invocationId":"\udc00"}"#,
];

#[test]
fn what_breaks_the_protocol_is_refused_with_a_reason() {
    for text in FATAL {
        let violation = HubMessage::read(text).expect_err(text);
        assert!(!violation.message().is_empty());
    }
}

#[test]
fn what_breaks_the_protocol_ends_the_connection_and_what_stood_before_it_is_delivered() {
    for text in FATAL {
        let mut sim = Sim::connected();
        sim.on("m", "on", Shape::Any);
        sim.log.take();
        let event = r#"{"type":1,"target":"m","arguments":[1]}"#;
        sim.text(&format!("{event}\u{1e}{text}\u{1e}{event}\u{1e}"));
        assert_eq!(sim.sinks(), ["on [1]", "on gap 1 protocol_violation []"], "{text}");
        let events = sim.events();
        assert!(events[0].starts_with("violation "), "{text}: {events:?}");
        assert_eq!(events[1..], ["disconnected protocol_violation"], "{text}");
        assert_eq!(sim.wants(), ["abort #1"], "{text}");
    }
}

#[test]
fn nesting_is_64_deep_with_the_record_itself_as_the_first() {
    let record = |depth: usize| {
        format!(r#"{{"type":1,"target":"m","arguments":{}{}}}"#, "[".repeat(depth - 1), "]".repeat(depth - 1))
    };
    assert!(HubMessage::read(&record(64)).is_ok());
    assert!(HubMessage::read(&record(65)).is_err());
    assert!(HubMessage::read(&record(100_000)).is_err());
    let unknown = |depth: usize| {
        format!(r#"{{"type":6,"x":{}{}}}"#, r#"{"a":"#.repeat(depth - 1), "1".to_owned() + &"}".repeat(depth - 1))
    };
    assert!(HubMessage::read(&unknown(64)).is_ok());
    assert!(HubMessage::read(&unknown(65)).is_err());
    // The same where somebody decodes in place, and where he decodes behind the closing brace.
    for (depth, is_fatal) in [(64, false), (65, true)] {
        let open = "[".repeat(depth - 1);
        let close = "]".repeat(depth - 1);
        for text in [
            format!(r#"{{"type":1,"target":"m","arguments":{open}{close}}}"#),
            format!(r#"{{"arguments":{open}{close},"target":"m","type":1}}"#),
        ] {
            let mut sim = Sim::connected();
            sim.on("m", "on", Shape::Any);
            sim.hub(&text);
            assert_eq!(sim.machine.state() == signalr_proto::State::Disconnected, is_fatal, "{depth}");
            assert_eq!(sim.machine.counters().delivered == 1, !is_fatal, "{depth}");
        }
    }
}

#[test]
fn arguments_are_decoded_in_place_and_the_last_word_wins() {
    for (record, expected) in [
        (r#"{"type":1,"target":"m","arguments":[1]}"#, "on [1]"),
        (r#"{"arguments":[1],"type":1,"target":"m"}"#, "on [1]"),
        (r#"{"arguments":[1],"target":"m","type":1}"#, "on [1]"),
        (r#"{"target":"m","arguments":[1],"type":1}"#, "on [1]"),
        (r#"{"type":1,"target":"m","arguments":[1],"arguments":[2]}"#, "on [2]"),
        (r#"{"type":1,"target":"m","arguments":["x"],"arguments":[2]}"#, "on [2]"),
        (r#"{"type":1,"target":"other","arguments":[1],"target":"m"}"#, "on [1]"),
        (r#"{"type":1,"target":"m","arguments":[1],"target":"other"}"#, "other [1]"),
        (r#"{"type":1,"target":"m","arguments":[1],"target":"m"}"#, "on [1]"),
        (r#"{"type":6,"target":"m","arguments":[1],"type":1}"#, "on [1]"),
        (r#"{"type":1,"target":"m","arguments":[1],"invocationId":"","headers":{"a":"b"}}"#, "on [1]"),
        (r#"{ "type" : 1 , "target" : "m" , "arguments" : [ 1 ] }"#, "on [1]"),
        // What does not fit is malformed, wherever it stands.
        (r#"{"type":1,"target":"m","arguments":[1],"arguments":["x"]}"#, "on malformed [0]"),
        (r#"{"arguments":["x"],"type":1,"target":"m"}"#, "on malformed [0]"),
        (r#"{"type":1,"target":"m","arguments":[]}"#, "on malformed "),
        (r#"{"type":1,"target":"m","arguments":[1,2]}"#, "on malformed [1]"),
        (r#"{"type":1,"target":"m","arguments":[1.5]}"#, "on malformed [0]"),
        (r#"{"type":1,"target":"m","arguments":["\ud800"]}"#, "on malformed [0]"),
    ] {
        let mut sim = Sim::connected();
        sim.on("m", "on", Shape::Integer);
        sim.on("other", "other", Shape::Integer);
        sim.hub(record);
        let lines = sim.sinks();
        assert_eq!(lines.len(), 1, "{record}: {lines:?}");
        assert!(lines[0].starts_with(expected), "{record}: {lines:?}");
        assert_eq!(sim.machine.state(), signalr_proto::State::Connected, "{record}");
    }
}

#[test]
fn what_a_later_member_takes_back_is_never_seen() {
    for record in [
        r#"{"type":1,"target":"m","arguments":[1],"type":6}"#,
        r#"{"type":1,"target":"m","arguments":[1],"type":99}"#,
        r#"{"type":1,"target":"m","arguments":[1],"target":"nobody"}"#,
    ] {
        let mut sim = Sim::connected();
        sim.on("m", "on", Shape::Integer);
        sim.hub(record);
        assert!(sim.sinks().is_empty(), "{record}");
        sim.hub(r#"{"type":1,"target":"m","arguments":[2]}"#);
        assert_eq!(sim.sinks(), ["on [2]"], "{record}");
    }
}

#[test]
fn targets_match_by_exact_case() {
    let mut sim = Sim::connected();
    sim.on("Notify", "on", Shape::Any);
    sim.hub(r#"{"type":1,"target":"notify","arguments":[]}"#);
    sim.hub(r#"{"type":1,"target":"Notify","arguments":[]}"#);
    assert_eq!(sim.sinks(), ["on []"]);
    assert_eq!(sim.events(), ["unhandled notify"]);
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "[a-z]{1,8}", any::<String>(), Just("\u{1e}\"\\\u{2028}🦀".to_owned())]
}

fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        text().prop_map(serde_json::Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
            proptest::collection::btree_map(text(), inner, 0..4)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
    .prop_map(|value| value.to_string())
}

fn any_invocation(needs_id: bool) -> impl Strategy<Value = Invocation<'static>> {
    let id = text().prop_map(move |id| if id.is_empty() { needs_id.then(|| "0".to_owned()) } else { Some(id) });
    let headers = proptest::collection::vec((text(), text()), 0..3);
    (id, text(), proptest::collection::vec(json(), 0..4), proptest::collection::vec(text(), 0..3), headers).prop_map(
        |(id, target, arguments, stream_ids, headers)| Invocation {
            invocation_id: id.map(Cow::from),
            target: target.into(),
            arguments: format!("[{}]", arguments.join(",")).into(),
            stream_ids: stream_ids.into_iter().map(Cow::from).collect(),
            headers: headers.into_iter().map(|(name, value)| (name.into(), value.into())).collect(),
        },
    )
}

fn any_message() -> impl Strategy<Value = HubMessage<'static>> {
    let id = || text().prop_map(|id| Cow::from(if id.is_empty() { "0".to_owned() } else { id }));
    let outcome = prop_oneof![
        Just(Completion::Void),
        json().prop_map(|result| Completion::Result(result.into())),
        text().prop_map(|error| Completion::Error(error.into())),
    ];
    prop_oneof![
        any_invocation(false).prop_map(HubMessage::Invocation),
        any_invocation(true).prop_map(HubMessage::StreamInvocation),
        (id(), json()).prop_map(|(invocation_id, item)| HubMessage::StreamItem { invocation_id, item: item.into() }),
        (id(), outcome).prop_map(|(invocation_id, outcome)| HubMessage::Completion { invocation_id, outcome }),
        id().prop_map(|invocation_id| HubMessage::CancelInvocation { invocation_id }),
        Just(HubMessage::Ping),
        (proptest::option::of(text()), any::<bool>())
            .prop_map(|(error, allow_reconnect)| HubMessage::Close { error: error.map(Cow::from), allow_reconnect }),
        any::<i64>().prop_map(|sequence_id| HubMessage::Ack { sequence_id }),
        any::<i64>().prop_map(|sequence_id| HubMessage::Sequence { sequence_id }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn every_message_survives_the_way_there_and_back(message in any_message()) {
        let record = message.to_record();
        let text = record.strip_suffix('\u{1e}').unwrap();
        prop_assert!(!text.contains('\u{1e}'), "the separator stands at the end alone");
        prop_assert_eq!(HubMessage::read(text).unwrap(), message);
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in r#"[{}\[\]":,0-9a-z\\ \ue000]{0,64}"#) {
        _ = HubMessage::read(&text);
    }
}
