//! Peers that mean harm: sizes, encodings, floods, stale voices.

use signalr_proto::io::{Action, AttemptId, HttpResponse, IoFailureKind, Payload, TransportEnd};
use signalr_proto::secret::Secret;
use signalr_proto::{HubConnectionConfig, Input, Machine, State};

use crate::support::sim::{Sim, failure, negotiated, reconnecting};
use crate::support::sinks::Shape;

#[test]
fn a_record_may_be_as_long_as_the_limit_and_not_longer() {
    let record = |length: usize| format!("{{\"type\":6}}{}", " ".repeat(length - 10));
    for cut in [1, 10, 99, 100, 101] {
        for (length, survives) in [(100, true), (101, false), (5_000, false)] {
            for ends in [true, false] {
                let mut sim = Sim::new(HubConnectionConfig::default().max_record_bytes(100)).connect();
                let text = record(length) + if ends { "\u{1e}" } else { "" };
                for chunk in text.as_bytes().chunks(cut) {
                    if sim.machine.state() == State::Connected {
                        sim.text(std::str::from_utf8(chunk).unwrap());
                    }
                }
                assert_eq!(
                    sim.machine.state() == State::Connected,
                    survives,
                    "{length} bytes in chunks of {cut}, ends: {ends}"
                );
                if !survives {
                    let events = sim.events();
                    assert!(events[0].starts_with("violation "), "{events:?}");
                    assert_eq!(events[1], "disconnected oversize");
                    assert_eq!(sim.wants(), ["abort #1"]);
                }
            }
        }
    }
}

#[test]
fn a_long_message_of_short_records_is_fine() {
    let mut sim = Sim::new(HubConnectionConfig::default().max_record_bytes(100)).connect();
    sim.text(&"{\"type\":6}\u{1e}".repeat(10_000));
    assert_eq!(sim.machine.counters().control, 10_001);
}

#[test]
fn a_message_over_the_transports_limit_is_oversize() {
    let mut sim = Sim::new(reconnecting([0])).connect();
    sim.lose_by(TransportEnd::Failed(failure(IoFailureKind::Oversize)));
    assert_eq!(sim.events()[0], "reconnecting oversize");
}

#[test]
fn a_violation_of_websocket_is_one_of_the_protocol() {
    let mut sim = Sim::new(reconnecting([0])).connect();
    sim.lose_by(TransportEnd::Failed(failure(IoFailureKind::Protocol)));
    let events = sim.events();
    assert!(events[0].starts_with("violation "));
    assert_eq!(events[1], "reconnecting protocol_violation");
}

#[test]
fn binary_messages_are_bytes_like_any_other() {
    let mut sim = Sim::connected();
    sim.on("m", "on", Shape::Any);
    let record = "{\"type\":1,\"target\":\"m\",\"arguments\":[\"é🦀\"]}\u{1e}".as_bytes();
    for cut in 0..=record.len() {
        sim.binary(&record[..cut]);
        sim.binary(&record[cut..]);
        assert_eq!(sim.sinks(), ["on [\"é🦀\"]"], "cut at {cut}");
    }
    // A record may begin in a text message and end in a binary one.
    sim.text(r#"{"type":1,"target":"m","#);
    sim.binary(b"\"arguments\":[]}\x1e");
    assert_eq!(sim.sinks(), ["on []"]);
}

#[test]
fn bytes_that_are_no_utf8_end_the_connection() {
    for bytes in [
        &b"{\"type\":6,\"x\":\"\xff\"}\x1e"[..],
        b"\xc3\x1e",
        b"\xed\xa0\x80\x1e",
        b"\xf8\x88\x80\x80\x80\x1e",
        b"{\"type\":6}\xc0\x80\x1e",
    ] {
        let mut sim = Sim::connected();
        sim.binary(b"{\"type\":6}\x1e");
        sim.binary(bytes);
        assert_eq!(sim.events().last().map(String::as_str), Some("disconnected protocol_violation"), "{bytes:?}");
        assert_eq!(sim.machine.counters().control, 2);
    }
}

#[test]
fn stale_attempts_are_not_listened_to() {
    let mut sim = Sim::new(reconnecting([0, 0, 0])).connect();
    let old = sim.attempt.unwrap();
    sim.lose();
    sim.seconds(0);
    shout(&mut sim, old);
    sim.answer(200, &negotiated(9));
    shout(&mut sim, old);
    sim.open(Ok(()));
    shout(&mut sim, old);
    sim.hub("{}");
    assert_eq!(sim.machine.state(), State::Connected);
    sim.log.take();
    shout(&mut sim, old);
    sim.stop();
    sim.log.take();
    shout(&mut sim, old);
}

/// Everything that an old attempt could still say; nothing may come of it.
fn shout(sim: &mut Sim, attempt: AttemptId) {
    sim.log.take();
    let before = (sim.machine.state(), sim.machine.poll_timeout(), sim.machine.counters());
    let response = |status| HttpResponse {
        status,
        headers: http::HeaderMap::new(),
        body: bytes::Bytes::from(negotiated(5)),
        retry_after: None,
    };
    for input in [
        Input::TokenProvided { attempt, token: Ok(Some(Secret::from("old"))) },
        Input::TokenProvided { attempt, token: Err("old".to_owned()) },
        Input::Answered { attempt, response: Ok(response(200)) },
        Input::Answered { attempt, response: Ok(response(401)) },
        Input::Answered { attempt, response: Err(failure(IoFailureKind::Refused)) },
        Input::Opened { attempt, result: Ok(()) },
        Input::Opened { attempt, result: Err(failure(IoFailureKind::Refused)) },
        Input::Received { attempt, payload: Payload::Text("{}\u{1e}{\"type\":7}\u{1e}garbage\u{1e}") },
        Input::Received { attempt, payload: Payload::Binary(b"\xff\x1e") },
        Input::Alive { attempt },
        Input::Closed { attempt, reason: TransportEnd::Close { code: None, reason: String::new() } },
    ] {
        let shown = format!("{input:?}");
        sim.input(input);
        assert!(sim.log.take().is_empty(), "{shown}");
        assert_eq!((sim.machine.state(), sim.machine.poll_timeout(), sim.machine.counters()), before, "{shown}");
    }
}

#[test]
fn an_answer_in_the_wrong_stage_changes_nothing() {
    let mut sim = Sim::new(HubConnectionConfig::default());
    sim.start();
    let Action::Http { attempt, .. } = sim.action() else { panic!() };
    sim.log.take();
    sim.input(Input::TokenProvided { attempt, token: Err("x".to_owned()) });
    sim.input(Input::Opened { attempt, result: Ok(()) });
    sim.input(Input::Received { attempt, payload: Payload::Text("{}\u{1e}") });
    sim.input(Input::Alive { attempt });
    assert!(sim.log.take().is_empty());
    assert_eq!(sim.machine.state(), State::Connecting);
}

#[test]
fn floods_of_nonsense_are_counted_and_survived() {
    let mut sim = Sim::connected();
    for kind in [0, 10, 99, -5] {
        sim.text(&format!("{{\"type\":{kind}}}\u{1e}").repeat(100));
    }
    sim.text(&format!("{{\"type\":1,\"target\":\"{}\",\"arguments\":[]}}\u{1e}", "x".repeat(10_000)).repeat(10));
    let counters = sim.machine.counters();
    assert_eq!((counters.violations, counters.unhandled), (400, 10));
    assert!(sim.events().iter().all(|event| event.len() < 300), "what is quoted is cut");
    assert_eq!(sim.machine.state(), State::Connected);
}

#[test]
fn a_hub_that_asks_and_does_not_read_fills_no_memory() {
    let mut sim = Sim::new(HubConnectionConfig::default().max_outbound_bytes(10_000)).connect();
    sim.is_ready = false;
    for _ in 0..10_000 {
        sim.hub(r#"{"type":1,"invocationId":"s1","target":"nobody","arguments":[]}"#);
    }
    sim.pull();
    let bytes: usize = sim.messages.iter().map(String::len).sum();
    assert!(bytes < 11_000, "{bytes} bytes were queued");
    assert!(sim.wire().len() > 50);
}

#[test]
fn a_target_of_many_listeners_is_heard_by_each_once_and_by_those_that_can() {
    let mut sim = Sim::connected();
    sim.on("m", "a", Shape::Any);
    sim.on("m", "b", Shape::Integer);
    sim.on("m", "c", Shape::IntegerString);
    sim.hub(r#"{"type":1,"target":"m","arguments":[1]}"#);
    sim.hub(r#"{"type":1,"target":"m","arguments":[1,"x"]}"#);
    sim.hub(r#"{"type":1,"target":"m","arguments":[]}"#);
    let heard =
        |name: &str, lines: &[String]| lines.iter().filter(|line| line.starts_with(name)).cloned().collect::<Vec<_>>();
    let lines = sim.sinks();
    assert_eq!(heard("a", &lines), ["a [1]", "a [1,\"x\"]", "a []"]);
    assert_eq!(heard("b", &lines), ["b [1]", "b malformed [1]", "b malformed "]);
    assert_eq!(heard("c", &lines), ["c malformed ", "c [1,\"x\"]", "c malformed "]);
    let counters = sim.machine.counters();
    assert_eq!((counters.delivered, counters.malformed), (3, 0));
}
