//! Stateful reconnect: nothing lost, nothing twice, while the transport is replaced.

mod programs;

use std::time::Duration;

use http::HeaderMap;
use signalr_proto::io::{IoFailureKind, TransportEnd};
use signalr_proto::retry::RetryPolicy;
use signalr_proto::{Command, HubConnectionConfig, Role, State};

use crate::support::sim::{Call, Sim, failure, subscription};
use crate::support::sinks::{Handle, Shape};

const STATEFUL: &str = r#"{"negotiateVersion":1,"connectionId":"id","connectionToken":"token","useStatefulReconnect":true,"availableTransports":[{"transport":"WebSockets","transferFormats":["Text"]}]}"#;

fn config() -> HubConnectionConfig {
    HubConnectionConfig::default().stateful_reconnect(true).keep_alive_interval(None)
}

/// Connected to a hub that agreed; the log is empty.
fn connected_with(config: HubConnectionConfig) -> Sim {
    let mut sim = Sim::new(config);
    sim.start();
    let (url, _) = sim.answer(200, STATEFUL);
    assert!(url.ends_with("/negotiate?negotiateVersion=1&useStatefulReconnect=true"), "{url}");
    sim.open(Ok(()));
    assert_eq!(sim.wire(), [r#"{"protocol":"json","version":2}"#]);
    sim.hub("{}");
    sim.log.take();
    sim
}

fn connected() -> Sim {
    connected_with(config())
}

/// Loses the transport and has it replaced; the hub resends from message `first` on.
fn resume(sim: &mut Sim, first: i64) -> Vec<String> {
    sim.lose();
    sim.seconds(0);
    let (url, _) = sim.open(Ok(()));
    assert!(url.ends_with("/chat?id=token"), "{url}");
    let wire = sim.wire();
    sim.hub(&format!(r#"{{"type":9,"sequenceId":{first}}}"#));
    wire
}

fn event(sim: &mut Sim, number: u32) {
    sim.hub(&format!(r#"{{"type":1,"target":"T","arguments":[{number}]}}"#));
}

#[test]
fn a_hub_that_does_not_agree_gets_version_1_and_an_ordinary_loss() {
    let mut sim = Sim::new(config().automatic_reconnect(RetryPolicy::signalr()));
    sim.start();
    sim.answer(200, &crate::support::sim::negotiated(1));
    sim.open(Ok(()));
    assert_eq!(sim.wire(), [r#"{"protocol":"json","version":1}"#]);
    sim.hub("{}");
    sim.log.take();
    sim.lose();
    assert_eq!(sim.events(), ["reconnecting lost", "waiting 1 0ns lost"]);
}

#[test]
fn it_is_off_by_default_and_without_negotiation() {
    let mut sim = Sim::new(HubConnectionConfig::default());
    sim.start();
    let (url, _) = sim.answer(200, STATEFUL);
    assert!(!url.contains("useStatefulReconnect"), "{url}");
    sim.open(Ok(()));
    assert_eq!(sim.wire(), [r#"{"protocol":"json","version":1}"#], "a hub that offers it unasked is not believed");
    let mut direct = Sim::new(config().skip_negotiation(true));
    direct.start();
    direct.open(Ok(()));
    assert_eq!(direct.wire(), [r#"{"protocol":"json","version":1}"#]);
}

#[test]
fn what_was_not_acknowledged_is_sent_again_behind_a_sequence_and_the_rest_is_not() {
    let mut sim = connected();
    for target in ["A", "B", "C"] {
        sim.invoke(target);
    }
    sim.wire();
    sim.hub(r#"{"type":8,"sequenceId":1}"#);
    let wire = resume(&mut sim, 1);
    assert_eq!(
        wire,
        [
            r#"{"type":9,"sequenceId":2}"#,
            r#"{"type":1,"invocationId":"2","target":"B","arguments":[]}"#,
            r#"{"type":1,"invocationId":"3","target":"C","arguments":[]}"#,
        ]
    );
    for id in ["1", "2", "3"] {
        sim.complete(id);
    }
    assert_eq!(sim.replies(), ["#2 value null", "#3 value null", "#4 value null"]);
    assert_eq!(sim.events(), ["interrupted lost", "resumed"]);
}

#[test]
fn with_nothing_to_repeat_the_sequence_names_the_next_message() {
    let mut sim = connected();
    assert_eq!(resume(&mut sim, 1), [r#"{"type":9,"sequenceId":1}"#]);
    sim.invoke("A");
    sim.wire();
    sim.hub(r#"{"type":8,"sequenceId":1}"#);
    assert_eq!(resume(&mut sim, 1), [r#"{"type":9,"sequenceId":2}"#]);
}

#[test]
fn what_the_hub_repeats_is_delivered_once() {
    let mut sim = connected();
    sim.on("T", "t", Shape::Any);
    (1..=5).for_each(|number| event(&mut sim, number));
    resume(&mut sim, 3);
    (3..=8).for_each(|number| event(&mut sim, number));
    assert_eq!(sim.sinks(), (1..=8).map(|number| format!("t [{number}]")).collect::<Vec<_>>());
    assert_eq!(sim.machine.counters().repeated, 3);
}

#[test]
fn a_record_cut_by_the_loss_is_read_whole_from_its_repetition() {
    let mut sim = connected();
    sim.on("T", "t", Shape::Any);
    sim.text("{\"type\":1,\"target\":\"T\",\"argu");
    resume(&mut sim, 1);
    event(&mut sim, 1);
    assert_eq!(sim.sinks(), ["t [1]"]);
}

#[test]
fn the_state_stays_connected_and_calls_wait() {
    let mut sim = connected();
    sim.lose();
    assert_eq!(sim.machine.state(), State::Connected);
    assert_eq!(sim.machine.transport(), None);
    sim.invoke("Later");
    sim.subscribe(&subscription("a"));
    assert!(sim.wire().is_empty() && sim.replies().is_empty());
    sim.seconds(0);
    sim.open(Ok(()));
    assert_eq!(
        sim.wire(),
        [
            r#"{"type":9,"sequenceId":1}"#,
            r#"{"type":1,"invocationId":"1","target":"Later","arguments":[]}"#,
            r#"{"type":1,"invocationId":"2","target":"Sub","arguments":["a"]}"#,
        ]
    );
}

#[test]
fn acks_leave_after_a_second_and_only_when_they_say_something_new() {
    let mut sim = connected();
    sim.on("T", "t", Shape::Any);
    event(&mut sim, 1);
    sim.advance(Duration::from_nanos(999_999_999));
    event(&mut sim, 2);
    assert!(sim.wire().is_empty());
    sim.advance(Duration::from_nanos(1));
    assert_eq!(sim.wire(), [r#"{"type":8,"sequenceId":2}"#]);
    sim.hub(r#"{"type":6}"#);
    sim.seconds(10);
    assert!(sim.wire().is_empty(), "a ping is not numbered");
}

#[test]
fn acks_leave_at_a_quarter_of_the_buffer() {
    let mut sim = connected();
    sim.on("T", "t", Shape::Any);
    let payload = "x".repeat(9_000);
    let send = |sim: &mut Sim| sim.hub(&format!(r#"{{"type":1,"target":"T","arguments":["{payload}"]}}"#));
    send(&mut sim);
    send(&mut sim);
    assert!(sim.wire().is_empty());
    send(&mut sim);
    assert_eq!(sim.wire(), [r#"{"type":8,"sequenceId":3}"#]);
}

#[test]
fn an_ack_leaves_before_any_invocation() {
    let mut sim = connected();
    sim.on("T", "t", Shape::Any);
    event(&mut sim, 1);
    sim.invoke("A");
    sim.invoke("B");
    let wire = sim.wire();
    assert_eq!(wire[0], r#"{"type":8,"sequenceId":1}"#);
    assert_eq!(wire.len(), 3, "{wire:?}");
}

/// A hub reads Acks in line with invocations and stops writing while too much is unacknowledged: a client that acknowledges on a timer only
/// waits for the hub, which waits for it.
#[test]
fn a_large_result_and_many_invocations_do_not_deadlock() {
    let mut sim = connected();
    sim.invoke("Large");
    sim.wire();
    sim.hub(&format!(r#"{{"type":3,"invocationId":"1","result":"{}"}}"#, "x".repeat(1_000_000)));
    for _ in 0..20 {
        sim.invoke("Next");
    }
    assert_eq!(sim.wire()[0], r#"{"type":8,"sequenceId":1}"#, "without any time passing");
}

#[test]
fn calls_wait_at_the_limit_of_what_is_kept_and_an_ack_lets_them_go() {
    let mut sim = connected_with(config().stateful_buffer_bytes(500));
    let large = || Call::invoke("Large").arguments(format!("[\"{}\"]", "x".repeat(300))).within(Duration::from_secs(5));
    sim.call(large());
    sim.call(large());
    assert_eq!(sim.wire().len(), 1);
    sim.hub(r#"{"type":8,"sequenceId":1}"#);
    assert_eq!(sim.wire().len(), 1);
    sim.call(large());
    sim.seconds(5);
    let replies = sim.replies();
    assert_eq!(replies, ["#2 unknown deadline", "#3 unknown deadline", "#4 not_sent deadline"]);
}

#[test]
fn dials_follow_the_policy_within_the_window_and_use_up_no_rung() {
    let mut sim = connected_with(config().automatic_reconnect(RetryPolicy::signalr()));
    sim.lose();
    let mut dials = Vec::new();
    let begin = sim.now;
    for _ in 0..3 {
        let wait = sim.idle().expect("it waits");
        sim.advance(wait);
        dials.push(sim.now.saturating_since(begin).as_secs());
        sim.open(Err(failure(IoFailureKind::Refused)));
    }
    assert_eq!(dials, [0, 2, 7]);
    sim.advance(Duration::from_nanos(7_999_999_999));
    assert_eq!((sim.machine.state(), sim.events()), (State::Connected, vec!["interrupted lost".to_owned()]));
    sim.advance(Duration::from_nanos(1));
    assert_eq!(sim.events(), ["reconnecting lost", "waiting 1 0ns lost"], "rung 0, after 15 s");
}

#[test]
fn a_policy_that_never_tries_again_resumes_once() {
    let mut sim = connected();
    sim.lose();
    sim.seconds(0);
    sim.open(Err(failure(IoFailureKind::Refused)));
    assert_eq!(sim.events(), ["interrupted lost", "disconnected lost"]);
    assert_eq!(sim.idle(), None);
}

#[test]
fn a_hub_that_forgot_the_connection_makes_it_an_ordinary_loss_with_honest_gaps() {
    for status in [404, 204, 409] {
        let mut sim = connected_with(config().automatic_reconnect(RetryPolicy::signalr()));
        sim.subscribe(&subscription("a"));
        sim.complete("1");
        sim.invoke("Sent");
        sim.log.take();
        sim.lose();
        sim.invoke("Queued");
        sim.seconds(0);
        sim.open(Err(failure(IoFailureKind::Status(status))));
        assert_eq!(
            sim.events(),
            ["interrupted lost", "reconnecting lost", "gap_opened a lost", "waiting 1 0ns lost"],
            "{status}"
        );
        assert_eq!(sim.replies(), ["#3 unknown lost", "#4 not_sent lost"]);
        // What comes next is a connection of its own: negotiated, numbered from 1.
        sim.seconds(0);
        sim.answer(200, STATEFUL);
        sim.open(Ok(()));
        sim.hub("{}");
        assert!(sim.wire().iter().any(|record| record.contains("\"target\":\"Sub\"")));
    }
}

#[test]
fn each_dial_asks_for_a_token_and_a_401_asks_once_more() {
    let mut sim = Sim::new(config().token_provider(true).allow_insecure_token(true));
    sim.start();
    sim.provide(Some("one"));
    sim.answer(200, STATEFUL);
    sim.open(Ok(()));
    sim.hub("{}");
    sim.log.take();
    sim.lose();
    sim.seconds(0);
    sim.provide(Some("two"));
    sim.open(Err(failure(IoFailureKind::Status(401))));
    sim.provide(Some("three"));
    let (_, headers) = sim.open(Ok(()));
    assert_eq!(bearer(&headers), "Bearer three");
    assert_eq!(sim.events(), ["interrupted lost", "resumed"]);
    sim.hub(r#"{"type":9,"sequenceId":1}"#);
    sim.lose();
    sim.seconds(0);
    sim.provide(Some("four"));
    sim.open(Err(failure(IoFailureKind::Status(401))));
    sim.provide(Some("five"));
    sim.open(Err(failure(IoFailureKind::Status(401))));
    assert_eq!(sim.events(), ["interrupted lost", "disconnected unauthorized"]);
}

fn bearer(headers: &HeaderMap) -> String {
    headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

#[test]
fn a_provider_that_hangs_fails_the_dial_alone() {
    let mut sim =
        Sim::new(config().token_provider(true).allow_insecure_token(true).automatic_reconnect(RetryPolicy::signalr()));
    sim.start();
    sim.provide(Some("one"));
    sim.answer(200, STATEFUL);
    sim.open(Ok(()));
    sim.hub("{}");
    sim.log.take();
    sim.lose();
    sim.seconds(12);
    sim.wants();
    assert_eq!(sim.machine.state(), State::Connected);
    sim.seconds(3);
    assert_eq!(sim.machine.state(), State::Reconnecting, "the window is over");
}

#[test]
fn a_goodbye_is_no_interruption() {
    let mut sim = connected_with(config().automatic_reconnect(RetryPolicy::signalr()));
    sim.hub(r#"{"type":7,"allowReconnect":true}"#);
    assert!(sim.events()[0].starts_with("reconnecting closed_by_hub"));
    let mut silent = connected_with(config().automatic_reconnect(RetryPolicy::signalr()));
    silent.seconds(30);
    assert!(silent.events()[0].starts_with("reconnecting server_timeout"));
}

#[test]
fn a_close_of_the_websocket_alone_is_an_interruption() {
    let mut sim = connected();
    sim.lose_by(TransportEnd::Close { code: Some(1006), reason: String::new() });
    assert_eq!(sim.events(), ["interrupted lost"]);
}

#[test]
fn a_sequence_beyond_what_was_received_ends_the_connection() {
    let mut sim = connected();
    sim.lose();
    sim.seconds(0);
    sim.open(Ok(()));
    sim.hub(r#"{"type":9,"sequenceId":2}"#);
    let events = sim.events();
    assert!(events.iter().any(|event| event.starts_with("violation")), "{events:?}");
    assert_eq!(events.last().map(String::as_str), Some("disconnected protocol_violation"));
}

#[test]
fn a_message_before_the_sequence_ends_the_connection() {
    let mut sim = connected();
    sim.on("T", "t", Shape::Any);
    sim.lose();
    sim.seconds(0);
    sim.open(Ok(()));
    sim.hub(r#"{"type":6}"#);
    assert_eq!(sim.machine.state(), State::Connected, "a ping is no message");
    event(&mut sim, 1);
    assert_eq!(sim.machine.state(), State::Disconnected);
    assert!(!sim.sinks().contains(&"t [1]".to_owned()));
}

#[test]
fn a_stop_while_interrupted_ends_at_once() {
    for dialling in [false, true] {
        let mut sim = connected();
        sim.invoke("A");
        sim.log.take();
        sim.lose();
        if dialling {
            sim.seconds(0);
        }
        sim.stop();
        assert_eq!(sim.events(), ["interrupted lost", "disconnected stopped"]);
        assert_eq!(sim.replies(), ["#2 unknown stopped", "#3 stopped"]);
        assert_eq!((sim.machine.state(), sim.idle()), (State::Disconnected, None));
    }
}

#[test]
fn a_client_result_asked_for_before_is_answered_after() {
    let mut sim = connected();
    let (handle, _) = sim.register("Ask", "answer", Shape::Any, Role::Responder, Handle::default());
    sim.hub(r#"{"type":1,"invocationId":"s1","target":"Ask","arguments":[1]}"#);
    let ticket = handle.take_ticket().expect("it is asked");
    resume(&mut sim, 2);
    sim.wire();
    sim.command(Command::Complete { ticket, result: Ok("7".to_owned()) });
    assert_eq!(
        sim.wire(),
        [r#"{"type":8,"sequenceId":1}"#, r#"{"type":3,"invocationId":"s1","result":7}"#],
        "with the Ack ahead of it"
    );
}

#[test]
fn a_transport_that_is_lost_again_and_again_is_dialled_more_slowly() {
    let mut sim = connected_with(config().automatic_reconnect(RetryPolicy::signalr()));
    let mut waits = Vec::new();
    for _ in 0..7 {
        sim.lose();
        let wait = sim.idle().expect("it waits");
        waits.push(wait.as_secs());
        sim.advance(wait);
        sim.open(Ok(()));
        sim.hub(r#"{"type":9,"sequenceId":1}"#);
    }
    assert_eq!(waits, [0, 0, 0, 0, 0, 2, 5]);
}
