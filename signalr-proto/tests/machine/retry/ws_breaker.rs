//! The eight circuit breaker scenarios, on a virtual clock.

use std::time::Duration;

use signalr_proto::retry::{BreakerConfig, BreakerState, CircuitBreaker, RetryPolicy};

use super::breaker::{at, fail, succeed};
use super::world::{Hub, connected, dials};

fn opened() -> CircuitBreaker {
    let mut breaker = CircuitBreaker::new(BreakerConfig::default());
    (0..5).for_each(|_| fail(&mut breaker, at(0.0)));
    breaker
}

#[test]
fn ws_breaker_opens_after_threshold() {
    let mut breaker = CircuitBreaker::new(BreakerConfig::default());
    for _ in 0..4 {
        fail(&mut breaker, at(0.0));
        assert_eq!(breaker.state(at(0.0)), BreakerState::Closed);
    }
    fail(&mut breaker, at(0.0));
    assert_eq!(breaker.state(at(0.0)), BreakerState::Open);
    assert!(breaker.acquire(at(0.0)).is_err());
}

#[test]
fn ws_breaker_half_open_after_timeout() {
    let mut breaker = opened();
    assert_eq!(breaker.state(at(9.999_999_999)), BreakerState::Open);
    assert_eq!(breaker.state(at(10.0)), BreakerState::HalfOpen);
    assert!(breaker.acquire(at(10.0)).is_ok());
}

#[test]
fn ws_breaker_closes_on_success() {
    let mut breaker = opened();
    for _ in 0..2 {
        succeed(&mut breaker, at(10.0));
        assert_eq!(breaker.state(at(10.0)), BreakerState::HalfOpen);
    }
    succeed(&mut breaker, at(10.0));
    assert_eq!(breaker.state(at(10.0)), BreakerState::Closed);
    // It begins at 10 s again.
    (0..5).for_each(|_| fail(&mut breaker, at(11.0)));
    assert_eq!(breaker.retry_after(at(11.0)), Some(Duration::from_secs(10)));
}

#[test]
fn ws_breaker_exponential_backoff_during_open() {
    let mut breaker = opened();
    let mut now = 0.0;
    let mut opened_for = Vec::new();
    for _ in 0..6 {
        let wait = breaker.retry_after(at(now)).expect("it is open");
        opened_for.push(wait.as_secs());
        now += wait.as_secs_f64();
        fail(&mut breaker, at(now));
    }
    assert_eq!(opened_for, [10, 20, 40, 80, 80, 80]);
}

#[test]
fn ws_breaker_metrics_collection() {
    let mut breaker = opened();
    assert!(breaker.acquire(at(1.0)).is_err());
    fail(&mut breaker, at(10.0));
    (0..3).for_each(|_| succeed(&mut breaker, at(30.0)));
    let cancelled = breaker.acquire(at(31.0)).expect("closed");
    breaker.cancelled(at(31.0), cancelled);
    let metrics = breaker.metrics();
    assert_eq!((metrics.permits, metrics.succeeded, metrics.failed, metrics.cancelled), (10, 3, 6, 1));
    // Closed, open, half-open, open, half-open, closed.
    assert_eq!((metrics.opened, metrics.transitions.total(), metrics.not_permitted), (2, 5, 1));
    assert_eq!((metrics.open_for, metrics.observed_for), (Duration::from_secs(30), Duration::from_secs(31)));
}

/// Garbage between good messages is the business of a feed's own breaker: the connection's is not touched.
#[test]
fn ws_breaker_mixed_valid_invalid_messages() {
    use crate::support::sinks::Shape;
    let mut sim = connected(RetryPolicy::trading());
    sim.on("T", "integers", Shape::Integer);
    for index in 0..100 {
        sim.hub(&format!(r#"{{"type":1,"target":"T","arguments":[{index}]}}"#));
        sim.hub(r#"{"type":1,"target":"T","arguments":["garbage"]}"#);
    }
    let counters = sim.machine.counters();
    assert_eq!((counters.delivered, counters.malformed), (100, 100));
    let metrics = sim.retry_metrics();
    assert_eq!((metrics.breaker_state, metrics.consecutive_failures), (Some(BreakerState::Closed), 0));
    assert_eq!(sim.machine.state(), signalr_proto::State::Connected);
}

#[test]
fn ws_breaker_message_ordering_preservation() {
    use crate::support::sinks::Shape;
    let mut sim = connected(RetryPolicy::trading());
    sim.on("T", "n", Shape::Integer);
    // The breaker opens, probes, and closes on the way; what is delivered keeps its order throughout.
    let mut next = 0;
    for round in 0..6 {
        for _ in 0..50 {
            sim.hub(&format!(r#"{{"type":1,"target":"T","arguments":[{next}]}}"#));
            next += 1;
        }
        sim.lose();
        let lasting = Duration::from_secs(10 * (round + 1));
        dials(&mut sim, Hub::Down, lasting);
        dials(&mut sim, Hub::Up, Duration::from_secs(100));
        assert_eq!(sim.machine.state(), signalr_proto::State::Connected);
    }
    let numbers: Vec<u64> =
        sim.sinks().iter().filter_map(|line| line.strip_prefix("n [")?.strip_suffix(']')?.parse().ok()).collect();
    assert_eq!(numbers, (0..next).collect::<Vec<u64>>());
}

#[test]
fn ws_breaker_connection_failure_handling() {
    let mut sim = connected(RetryPolicy::trading());
    sim.lose();
    dials(&mut sim, Hub::Down, Duration::from_secs(28));
    assert_eq!(sim.retry_metrics().breaker_state, Some(BreakerState::Closed));
    dials(&mut sim, Hub::Down, Duration::from_secs(1));
    assert_eq!(sim.retry_metrics().breaker_state, Some(BreakerState::Open));
    // The probe fails: twice as long.
    dials(&mut sim, Hub::Down, Duration::from_secs(10));
    assert_eq!(sim.retry_metrics().breaker.opened, 2);
    // The next one succeeds; the connection can be used at once, the breaker closes after 10 s of life.
    let up = dials(&mut sim, Hub::Up, Duration::from_secs(25));
    assert_eq!(up.len(), 1);
    assert_eq!(sim.machine.state(), signalr_proto::State::Connected);
    sim.seconds(10);
    assert_eq!(sim.retry_metrics().breaker_state, Some(BreakerState::Closed));
}

/// A probing connection reports three milestones; one that dies before the third opens the breaker for longer.
#[test]
fn a_probe_that_dies_young_opens_it_for_longer() {
    let mut sim = connected(RetryPolicy::signalr().guarded());
    sim.lose();
    dials(&mut sim, Hub::Down, Duration::from_secs(36));
    assert_eq!(sim.retry_metrics().breaker.opened, 1);
    // Accepted at 37 s; lives for 9 s.
    let times = dials(&mut sim, Hub::DropsAfter(Duration::from_secs(9)), Duration::from_secs(12));
    assert_eq!(times.len(), 1);
    let wait = sim.waits().pop().expect("it waits");
    assert_eq!((wait.delay.as_secs(), wait.breaker), (20, Some(BreakerState::Open)));
}
