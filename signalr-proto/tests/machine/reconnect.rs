//! What comes after a loss: delays, counters, ids.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use signalr_proto::io::IoFailureKind;
use signalr_proto::retry::{Exponential, RetryPolicy};
use signalr_proto::{HubConnectionConfig, State};

use crate::support::sim::{Sim, delays, failure, negotiated, reconnecting};
use crate::support::sinks::Shape;

/// Waits for the next attempt and fails it; gives back how long the wait was.
fn fail_next(sim: &mut Sim) -> Duration {
    let wait = sim.idle().expect("it waits");
    sim.advance(wait);
    sim.answer(500, "");
    wait
}

#[test]
fn delays_are_kept_to_the_nanosecond_and_the_last_failure_is_the_cause() {
    let ladder = [0, 1, 2_000_000_001, 123_456_789].map(Duration::from_nanos);
    let mut sim = Sim::new(HubConnectionConfig::default().automatic_reconnect(RetryPolicy::delays(ladder))).connect();
    sim.lose();
    assert_eq!(ladder.map(|_| fail_next(&mut sim)), ladder);
    assert_eq!(
        sim.events(),
        [
            "reconnecting lost",
            "waiting 1 0ns lost",
            "waiting 2 1ns http_status",
            "waiting 3 2.000000001s http_status",
            "waiting 4 123.456789ms http_status",
            "disconnected http_status",
        ]
    );
    assert_eq!((sim.machine.state(), sim.idle()), (State::Disconnected, None));
}

#[test]
fn every_outage_begins_at_the_first_delay() {
    let mut sim = Sim::new(reconnecting([10, 20])).connect();
    for outage in 2..5 {
        sim.lose();
        fail_next(&mut sim);
        sim.advance(Duration::from_millis(20));
        sim.link();
        assert_eq!(
            sim.events(),
            [
                "reconnecting lost".to_owned(),
                "waiting 1 10ms lost".to_owned(),
                "waiting 2 20ms http_status".to_owned(),
                // Two negotiations each: ids tell how many succeeded.
                format!("reconnected {outage} id{outage}"),
                "restored".to_owned(),
            ]
        );
    }
}

#[test]
fn a_failed_handshake_or_a_loss_during_it_fails_the_attempt() {
    let mut sim = Sim::new(reconnecting([0, 0, 0, 0])).connect();
    sim.lose();
    sim.seconds(0);
    sim.dial();
    sim.hub(r#"{"error":"no"}"#);
    sim.seconds(0);
    sim.dial();
    sim.lose();
    sim.seconds(0);
    sim.dial();
    sim.seconds(15);
    assert_eq!(
        sim.events(),
        [
            "reconnecting lost",
            "waiting 1 0ns lost",
            "waiting 2 0ns handshake_rejected",
            "waiting 3 0ns lost",
            "waiting 4 0ns handshake_timeout",
        ]
    );
}

#[test]
fn without_a_policy_a_loss_is_the_end() {
    let mut sim = Sim::connected();
    sim.lose();
    assert_eq!(sim.events(), ["disconnected lost"]);
    assert_eq!(sim.idle(), None);
    sim.start();
    sim.link();
    assert_eq!(sim.events(), ["connected 2 id2"]);
}

#[test]
fn a_first_connect_is_not_tried_again_unless_asked_for() {
    let mut sim = Sim::new(reconnecting([0, 0]));
    sim.start();
    sim.answer(500, "");
    assert_eq!(sim.replies(), ["#1 start_failed http_status"]);
    assert!(sim.events().is_empty());

    // n delays are n more attempts; the state stays connecting, reconnecting is not told.
    let mut sim = Sim::new(reconnecting([10, 20]).retry_initial_connect(true));
    sim.start();
    sim.answer(500, "");
    assert_eq!(sim.machine.state(), State::Connecting);
    assert_eq!(fail_next(&mut sim), Duration::from_millis(10));
    sim.start();
    assert_eq!(fail_next(&mut sim), Duration::from_millis(20));
    assert_eq!(sim.events(), ["waiting 1 10ms http_status", "waiting 2 20ms http_status"]);
    assert_eq!(sim.replies(), ["#1 start_failed http_status", "#2 start_failed http_status"]);
    assert_eq!(sim.machine.state(), State::Disconnected);

    let mut sim = Sim::new(reconnecting([10]).retry_initial_connect(true));
    sim.start();
    sim.answer(500, "");
    sim.advance(Duration::from_millis(10));
    sim.link();
    assert_eq!(sim.events(), ["waiting 1 10ms http_status", "connected 1 id1"]);
    assert_eq!(sim.replies(), ["#1 started"]);
    // Its failures do not count for the first outage.
    sim.lose();
    assert_eq!(sim.events(), ["reconnecting lost", "waiting 1 10ms lost"]);
}

#[test]
fn a_custom_policy_sees_count_time_and_reason() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let policy = RetryPolicy::custom(move |context| {
        log.lock().unwrap().push((context.previous_retry_count, context.elapsed, context.reason.cause().to_string()));
        (context.previous_retry_count < 2).then_some(Duration::from_secs(1))
    });
    let mut sim = Sim::new(HubConnectionConfig::default().automatic_reconnect(policy)).connect();
    sim.seconds(5);
    sim.lose();
    sim.seconds(1);
    sim.advance(Duration::from_millis(500));
    sim.answer(500, "");
    sim.seconds(1);
    sim.answer(200, &negotiated(2));
    sim.open(Err(failure(IoFailureKind::Refused)));
    let expected = [(0, 0, "lost"), (1, 1_500, "http_status"), (2, 2_500, "refused")];
    assert_eq!(
        *seen.lock().unwrap(),
        expected.map(|(count, millis, why)| (count, Duration::from_millis(millis), why.to_owned()))
    );
    assert_eq!(sim.machine.state(), State::Disconnected);
}

#[test]
fn a_policy_that_says_no_at_once_means_no_reconnecting() {
    let mut sim = Sim::new(HubConnectionConfig::default().automatic_reconnect(RetryPolicy::custom(|_| None))).connect();
    sim.lose();
    assert_eq!(sim.events(), ["disconnected lost"]);
}

#[test]
fn the_exponential_ladder_grows() {
    let policy =
        RetryPolicy::exponential(Exponential::default().first(Duration::from_secs(1)).cap(Duration::from_secs(3)));
    let mut sim = Sim::new(HubConnectionConfig::default().automatic_reconnect(policy)).connect();
    sim.lose();
    let waits: Vec<u64> = (0..5).map(|_| fail_next(&mut sim).as_secs()).collect();
    assert_eq!(waits, [1, 2, 3, 3, 3]);
}

#[test]
fn what_was_pending_is_settled_when_the_loss_is_told() {
    let mut sim = Sim::new(reconnecting([1_000])).connect();
    sim.invoke("M");
    sim.lose();
    assert_eq!(sim.replies(), ["#2 unknown lost"], "before any time has passed");
    assert_eq!(sim.machine.connection_id(), None);
}

#[test]
fn every_connection_has_an_id_of_its_own() {
    let mut sim = Sim::new(reconnecting([0])).connect();
    let first = sim.machine.connection_id().unwrap().clone();
    sim.lose();
    sim.seconds(0);
    sim.link();
    let second = sim.machine.connection_id().unwrap().clone();
    assert_eq!((first.local(), second.local()), (1, 2));
    assert_eq!((first.server_assigned(), second.server_assigned()), (Some("id1"), Some("id2")));
}

#[test]
fn listeners_outlive_an_outage_and_hear_one_gap() {
    let mut sim = Sim::new(HubConnectionConfig::default().automatic_reconnect(delays([0, 0, 0]))).connect();
    sim.on("m", "on", Shape::Any);
    sim.hub(r#"{"type":1,"target":"m","arguments":[1]}"#);
    sim.lose();
    sim.seconds(0);
    sim.answer(500, "");
    sim.seconds(0);
    sim.link();
    sim.hub(r#"{"type":1,"target":"m","arguments":[2]}"#);
    assert_eq!(sim.sinks(), ["on [1]", "on gap 1 lost []", "on [2]"]);
}

#[test]
fn half_a_record_of_the_old_connection_is_forgotten() {
    let mut sim = Sim::new(reconnecting([0])).connect();
    sim.on("m", "on", Shape::Any);
    sim.text(r#"{"type":1,"target":"m","#);
    sim.lose();
    sim.seconds(0);
    sim.link();
    sim.log.take();
    sim.text("\"arguments\":[1]}\u{1e}");
    assert_eq!(sim.sinks(), ["on gap 2 protocol_violation []"], "its second half alone is nothing");
}
