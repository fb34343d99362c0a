//! Failure classes: what kind of failure it was decides what comes after it.

use std::time::Duration;

use signalr_proto::io::{IoFailure, IoFailureKind, TransportEnd};
use signalr_proto::retry::{BreakerState, FailureClass, RetryPolicy, WaitReason};
use signalr_proto::{HubConnectionConfig, State};

use super::world::{connected, refused};
use crate::support::sim::{Sim, Wait, failure};

/// Fails the dial under way, or the next one.
fn fail_dial(sim: &mut Sim, failure: IoFailure) -> Option<Wait> {
    if sim.machine.state() == State::Reconnecting && !sim.is_dialling() {
        let wait = sim.idle().expect("it waits");
        sim.advance(wait);
    }
    sim.open(Err(failure));
    sim.waits().pop()
}

fn status(status: u16, retry_after: Option<u64>) -> IoFailure {
    IoFailure { retry_after: retry_after.map(Duration::from_secs), ..failure(IoFailureKind::Status(status)) }
}

/// A connection that has just been lost and dials for the first time.
fn dialling(policy: RetryPolicy) -> Sim {
    let mut sim = connected(policy);
    sim.lose();
    sim.waits();
    sim.advance(Duration::ZERO);
    sim
}

fn closed(code: u16) -> TransportEnd {
    TransportEnd::Close { code: Some(code), reason: String::new() }
}

#[test]
fn a_loss_without_a_word_begins_at_the_first_rung_and_is_not_counted() {
    let mut sim = connected(RetryPolicy::signalr());
    sim.lose();
    let wait = sim.waits().pop().expect("it waits");
    assert_eq!((wait.delay, wait.why, wait.class), (Duration::ZERO, WaitReason::Policy, FailureClass::Lost));
    assert_eq!(sim.retry_metrics().consecutive_failures, 0);
}

#[test]
fn cf_31_an_announced_end_spreads_the_return_over_two_seconds_and_goes_on_at_the_second_rung() {
    let mut delays = Vec::new();
    for seed in 0..200 {
        let policy = RetryPolicy::signalr();
        let config =
            HubConnectionConfig::default().skip_negotiation(true).server_timeout(None).automatic_reconnect(policy);
        let mut sim = Sim::new(config.seed(seed)).connect();
        sim.seconds(60);
        match seed % 4 {
            0 => sim.hub(r#"{"type":7,"allowReconnect":true}"#),
            1 => sim.lose_by(closed(1001)),
            2 => sim.lose_by(closed(1012)),
            _ => sim.lose_by(closed(1013)),
        }
        let wait = sim.waits().pop().expect("it waits");
        assert_eq!(
            (wait.why, wait.class, wait.breaker),
            (WaitReason::Drain, FailureClass::Drain, Some(BreakerState::Closed))
        );
        assert!(wait.delay < Duration::from_secs(2), "{:?}", wait.delay);
        delays.push(wait.delay);
        let next = fail_dial(&mut sim, refused()).expect("it goes on");
        assert_eq!(next.delay, Duration::from_secs(2), "the second rung");
    }
    delays.sort();
    let of_the_first_half = delays.iter().filter(|delay| **delay < Duration::from_secs(1)).count();
    assert!((70..130).contains(&of_the_first_half), "{of_the_first_half} of 200 in the first second");
    let most = delays
        .iter()
        .map(|from| delays.iter().filter(|to| **to >= *from && **to < *from + Duration::from_millis(100)).count())
        .max();
    assert!(most.is_some_and(|most| most < 30), "{most:?} of 200 within 100 ms");
}

#[test]
fn cf_30_a_close_for_good_ends_it() {
    let mut sim = connected(RetryPolicy::trading());
    sim.hub(r#"{"type":7}"#);
    assert_eq!((sim.machine.state(), sim.waits().len()), (State::Disconnected, 0));
    assert_eq!(sim.events(), ["disconnected closed_by_hub"]);
}

#[test]
fn nobody_listening_takes_the_next_rung_and_counts() {
    let mut sim = dialling(RetryPolicy::signalr());
    for (count, delay) in [(1, 2), (2, 5), (3, 10)] {
        let wait = fail_dial(&mut sim, refused()).expect("it goes on");
        assert_eq!((wait.delay, wait.class), (Duration::from_secs(delay), FailureClass::Refused));
        assert_eq!(sim.retry_metrics().consecutive_failures, count);
    }
}

#[test]
fn a_timeout_is_measured_from_the_beginning_of_the_attempt() {
    let mut sim = dialling(RetryPolicy::signalr());
    // Nothing answers for 10 s: the 2 s of the next rung have long been paid.
    sim.seconds(10);
    let wait = sim.waits().pop().expect("it waits");
    assert_eq!((wait.delay, wait.class), (Duration::ZERO, FailureClass::Timeout));
    let mut late = dialling(RetryPolicy::signalr());
    late.seconds(1);
    let wait = fail_dial(&mut late, failure(IoFailureKind::TimedOut)).expect("it waits");
    assert_eq!((wait.delay, wait.class), (Duration::from_secs(1), FailureClass::Timeout));
}

#[test]
fn a_throttling_hub_is_given_its_time_and_up_to_a_tenth_more() {
    for (code, after) in [(429, 30), (503, 7)] {
        let mut sim = dialling(RetryPolicy::signalr());
        let wait = fail_dial(&mut sim, status(code, Some(after))).expect("it waits");
        let asked = Duration::from_secs(after);
        assert!(wait.delay >= asked && wait.delay < asked + asked / 10, "{:?}", wait.delay);
        assert_eq!((wait.why, wait.class), (WaitReason::RetryAfter, FailureClass::Throttled));
        assert_eq!(sim.retry_metrics().consecutive_failures, 1);
    }
    let mut without = dialling(RetryPolicy::signalr());
    let wait = fail_dial(&mut without, status(429, None)).expect("it waits");
    assert_eq!((wait.delay, wait.class), (Duration::from_secs(2), FailureClass::Throttled));
    let mut down = dialling(RetryPolicy::signalr());
    assert_eq!(fail_dial(&mut down, status(503, None)).map(|wait| wait.class), Some(FailureClass::Refused));
}

#[test]
fn a_wish_of_the_server_is_followed_for_five_minutes_at_most_and_never_shortens() {
    let mut sim = dialling(RetryPolicy::microsoft());
    assert_eq!(fail_dial(&mut sim, status(503, Some(86_400))).map(|wait| wait.delay), Some(Duration::from_secs(300)));
    assert_eq!(fail_dial(&mut sim, status(503, Some(1))).map(|wait| wait.delay), Some(Duration::from_secs(10)));
}

#[test]
fn a_forbidden_client_is_not_dialled_again() {
    let mut sim = dialling(RetryPolicy::trading());
    assert_eq!(fail_dial(&mut sim, status(403, None)), None);
    assert_eq!(sim.events().pop().as_deref(), Some("disconnected unauthorized"));
    assert_eq!(sim.retry_metrics().breaker_state, Some(BreakerState::Isolated));
    // An explicit start is permitted all the same.
    sim.start();
    sim.open(Ok(()));
    sim.hub("{}");
    assert_eq!(sim.machine.state(), State::Connected);
    assert_eq!(sim.retry_metrics().breaker_state, Some(BreakerState::Closed));
}

#[test]
fn a_certificate_that_is_not_trusted_is_looked_at_every_80_s() {
    let mut sim = dialling(RetryPolicy::trading());
    for _ in 0..12 {
        let wait = fail_dial(&mut sim, failure(IoFailureKind::Tls)).expect("again and again");
        assert!(wait.delay >= Duration::from_secs(80), "{:?}", wait.delay);
        assert!(wait.delay == Duration::from_secs(80), "{:?}", wait.delay);
        assert!(wait.why.is_critical());
        assert_eq!(wait.class, FailureClass::Tls);
        assert_eq!(wait.breaker, Some(BreakerState::Open), "opened at once");
    }
}

#[test]
fn a_peer_that_does_not_speak_the_protocol_gets_three_attempts() {
    let mut sim = dialling(RetryPolicy::trading());
    for _ in 0..2 {
        let wait = fail_dial(&mut sim, failure(IoFailureKind::Protocol)).expect("it goes on");
        assert_eq!(wait.class, FailureClass::Protocol);
    }
    assert_eq!(fail_dial(&mut sim, failure(IoFailureKind::Protocol)), None);
    assert_eq!(sim.events().pop().as_deref(), Some("disconnected protocol_violation"));
    // Anything else in between begins the count anew.
    let mut mixed = dialling(RetryPolicy::trading());
    for _ in 0..4 {
        for kind in [IoFailureKind::Protocol, IoFailureKind::Protocol, IoFailureKind::Refused] {
            assert!(fail_dial(&mut mixed, failure(kind)).is_some());
        }
    }
}

#[test]
fn this_machines_own_failure_is_looked_after_every_5_s_and_not_counted() {
    let mut sim = dialling(RetryPolicy::trading());
    for _ in 0..8 {
        let wait = fail_dial(&mut sim, failure(IoFailureKind::Local)).expect("it waits");
        assert_eq!(
            (wait.delay, wait.why, wait.class),
            (Duration::from_secs(5), WaitReason::Local, FailureClass::Local)
        );
        assert_eq!(wait.breaker, Some(BreakerState::Closed));
    }
}

#[test]
fn a_record_over_the_limit_goes_on_at_the_second_rung_and_counts() {
    let mut sim = connected(RetryPolicy::signalr());
    sim.lose_by(closed(1009));
    let wait = sim.waits().pop().expect("it waits");
    assert_eq!((wait.delay, wait.class), (Duration::from_secs(2), FailureClass::Oversize));
}

#[test]
fn a_table_of_delays_means_what_it_says_whatever_the_failure() {
    for kind in [IoFailureKind::Tls, IoFailureKind::Local, IoFailureKind::Protocol, IoFailureKind::TimedOut] {
        let mut sim = dialling(RetryPolicy::microsoft());
        let delays: Vec<_> =
            std::iter::from_fn(|| fail_dial(&mut sim, failure(kind))).map(|wait| wait.delay.as_secs()).collect();
        assert_eq!(delays, [2, 10, 30], "{kind:?}");
    }
    let mut sim = connected(RetryPolicy::microsoft());
    sim.hub(r#"{"type":7,"allowReconnect":true}"#);
    assert_eq!(sim.waits().pop().map(|wait| wait.delay), Some(Duration::ZERO));
}
