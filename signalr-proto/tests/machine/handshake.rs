//! The first two records of a connection.

use std::time::Duration;

use signalr_proto::io::{IoFailureKind, TransportEnd};
use signalr_proto::{Machine, State};

use crate::support::sim::{Sim, failure};
use crate::support::sinks::Shape;
use signalr_proto::HubConnectionConfig;

fn dialled() -> Sim {
    let mut sim = Sim::new(HubConnectionConfig::default());
    sim.on("m", "on", Shape::Any);
    sim.start();
    sim.dial();
    sim.log.take();
    sim
}

const EVENT: &str = r#"{"type":1,"target":"m","arguments":[1]}"#;

#[test]
fn the_request_goes_first_then_the_ping_behind_the_answer() {
    let mut sim = dialled();
    assert_eq!(sim.wire(), [r#"{"protocol":"json","version":1}"#]);
    assert_eq!(sim.machine.state(), State::Connecting);
    sim.hub("{}");
    assert_eq!(sim.wire(), [r#"{"type":6}"#]);
    assert_eq!(sim.events(), ["connected 1 id1"]);
    assert_eq!(sim.replies(), ["#2 started"]);
    assert_eq!(sim.machine.state(), State::Connected);
}

#[test]
fn records_glued_to_the_answer_follow_it() {
    let mut sim = dialled();
    sim.text(&format!("{{}}\u{1e}{EVENT}\u{1e}{EVENT}\u{1e}{{\"type\":6}}\u{1e}"));
    assert_eq!(sim.sinks(), ["on [1]", "on [1]"]);
    assert_eq!(sim.machine.counters().control, 2);
}

#[test]
fn the_answer_may_be_cut_at_every_byte() {
    let whole = format!("{{\"minorVersion\":1}}\u{1e}{EVENT}\u{1e}");
    for cut in 0..=whole.len() {
        for binary in [false, true] {
            let mut sim = dialled();
            let (first, second) = whole.split_at(cut);
            if binary {
                sim.binary(first.as_bytes());
                sim.binary(second.as_bytes());
            } else {
                sim.text(first);
                sim.text(second);
            }
            assert_eq!(sim.events(), ["connected 1 id1"], "cut at {cut}");
            assert_eq!(sim.sinks(), ["on [1]"], "cut at {cut}");
        }
    }
    let mut sim = dialled();
    for byte in whole.as_bytes() {
        sim.binary(&[*byte]);
    }
    assert_eq!((sim.events(), sim.sinks()), (vec!["connected 1 id1".to_owned()], vec!["on [1]".to_owned()]));
}

#[test]
fn a_first_record_over_the_handshakes_limit_may_follow_the_answer() {
    let mut sim = dialled();
    let long = format!(r#"{{"type":1,"target":"m","arguments":["{}"]}}"#, "x".repeat(100_000));
    sim.text(&format!("{{}}\u{1e}{long}\u{1e}"));
    assert_eq!(sim.machine.counters().delivered, 1);
}

#[test]
fn what_is_no_welcome_fails_the_start() {
    for (answer, cause) in [
        (r#"{"error":"X"}"#, "handshake_rejected"),
        (r#"{"error":""}"#, "handshake_rejected"),
        (r#"{"error":null}"#, "protocol_violation"),
        (r#"{"type":6}"#, "protocol_violation"),
        (r#"{"type":0}"#, "protocol_violation"),
        (EVENT, "protocol_violation"),
        ("", "protocol_violation"),
        ("42", "protocol_violation"),
        ("[]", "protocol_violation"),
        ("{}x", "protocol_violation"),
        ("\u{feff}{}", "protocol_violation"),
    ] {
        let mut sim = dialled();
        sim.text(&format!("{answer}\u{1e}{EVENT}\u{1e}"));
        assert_eq!(sim.replies(), [format!("#2 start_failed {cause}")], "{answer}");
        assert!(sim.sinks().is_empty(), "{answer}");
        assert_eq!(sim.wants(), ["abort #1"], "{answer}");
        assert!(sim.events().iter().all(|event| event.starts_with("violation ")), "{answer}");
        assert_eq!(sim.machine.state(), State::Disconnected);
        assert!(sim.machine.is_drained());
    }
}

#[test]
fn an_answer_without_an_end_is_too_long() {
    for chunk in [1, 7, 4_096, 5_000] {
        let mut sim = dialled();
        for _ in 0..5_000_usize.div_ceil(chunk) {
            if sim.machine.state() == State::Connecting {
                sim.text(&" ".repeat(chunk));
            }
        }
        assert_eq!(sim.replies(), ["#2 start_failed oversize"]);
    }
}

#[test]
fn silence_ends_after_15_seconds() {
    let mut sim = dialled();
    sim.seconds(14);
    sim.text("{");
    sim.advance(Duration::from_nanos(999_999_999));
    assert_eq!(sim.machine.state(), State::Connecting);
    sim.advance(Duration::from_nanos(1));
    assert_eq!(sim.replies(), ["#2 start_failed handshake_timeout"]);
    assert_eq!(sim.wants(), ["abort #1"]);
    assert_eq!(sim.idle(), None);
}

#[test]
fn the_end_of_the_transport_fails_the_start() {
    for (end, cause) in [
        (TransportEnd::Close { code: Some(1000), reason: String::new() }, "lost"),
        (TransportEnd::Failed(failure(IoFailureKind::Lost)), "lost"),
        (TransportEnd::Failed(failure(IoFailureKind::Oversize)), "oversize"),
        (TransportEnd::Failed(failure(IoFailureKind::Protocol)), "protocol_violation"),
        (TransportEnd::Failed(failure(IoFailureKind::Local)), "local"),
    ] {
        let mut sim = dialled();
        sim.lose_by(end);
        assert_eq!(sim.replies(), [format!("#2 start_failed {cause}")]);
        assert!(sim.wants().is_empty(), "there is nothing left to close");
        assert!(sim.events().is_empty(), "nothing had been connected");
    }
}
