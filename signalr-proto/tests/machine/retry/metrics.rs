//! What is counted about reconnecting, on a virtual clock.

use std::time::Duration;

use signalr_proto::io::IoFailureKind;
use signalr_proto::retry::{
    BreakerConfig, BreakerState, CircuitBreaker, Durations, FailureClass, RetryMetrics, RetryPolicy,
};
use signalr_proto::{HubConnectionConfig, Input};

use super::breaker::{at, fail, succeed};
use super::world::{Hub, connected, dials};
use crate::support::sim::{Sim, failure, subscription};

/// Count, sum, last and longest, in seconds.
fn seconds(durations: Durations) -> (u64, f64, f64, f64) {
    let Durations { count, sum, last, longest, .. } = durations;
    (count, sum.as_secs_f64(), last.as_secs_f64(), longest.as_secs_f64())
}

fn counts(metrics: &RetryMetrics) -> (usize, usize, usize, usize) {
    let subscriptions = metrics.subscriptions;
    (subscriptions.intended, subscriptions.acked, subscriptions.failed, metrics.gaps_open)
}

#[test]
fn an_outage_is_measured_from_the_loss_on() {
    let mut sim = connected(RetryPolicy::signalr());
    sim.subscribe(&subscription("a"));
    sim.complete("1");
    sim.lose();
    dials(&mut sim, Hub::Down, Duration::from_secs(6));
    dials(&mut sim, Hub::Up, Duration::from_secs(4));
    // Connected again 7 s after the loss; the hub agrees to the subscription 3 s later.
    let metrics = sim.retry_metrics();
    assert_eq!(seconds(metrics.time_to_reconnected), (1, 7.0, 7.0, 7.0));
    assert_eq!(metrics.time_to_ready, Durations::default());
    assert_eq!(counts(&metrics), (1, 0, 0, 1));
    sim.complete("2");
    let metrics = sim.retry_metrics();
    assert_eq!(seconds(metrics.time_to_ready), (1, 10.0, 10.0, 10.0));
    assert_eq!(seconds(metrics.gap_seconds), (1, 10.0, 10.0, 10.0));
    assert_eq!(counts(&metrics), (1, 1, 0, 0));
    assert_eq!((metrics.gap_total.of(FailureClass::Lost), metrics.gap_total.total()), (1, 1));
    assert_eq!(seconds(metrics.reconnect_delay), (3, 7.0, 5.0, 5.0));
    assert_eq!((metrics.attempts, metrics.connected), (4, 2));
    assert_eq!((metrics.connect_attempts.of(FailureClass::Refused), metrics.connect_attempts.total()), (2, 2));
    assert_eq!(seconds(metrics.session_lifetime), (1, 600.0, 600.0, 600.0));
    // A second one, shorter: the sums grow, the longest stays.
    sim.seconds(20);
    sim.lose();
    dials(&mut sim, Hub::Up, Duration::ZERO);
    sim.complete("3");
    let metrics = sim.retry_metrics();
    assert_eq!(seconds(metrics.time_to_ready), (2, 10.0, 0.0, 10.0));
    assert_eq!(seconds(metrics.session_lifetime), (2, 623.0, 23.0, 600.0));
}

#[test]
fn a_stop_ends_a_lifetime_and_no_outage() {
    let mut sim = connected(RetryPolicy::signalr());
    sim.stop();
    sim.lose();
    let metrics = sim.retry_metrics();
    assert_eq!(seconds(metrics.session_lifetime), (1, 600.0, 600.0, 600.0));
    sim.seconds(100);
    sim.start();
    sim.link();
    let metrics = sim.retry_metrics();
    assert_eq!((metrics.time_to_reconnected.count, metrics.time_to_ready.count, metrics.connected), (0, 0, 2));
    // Nor does an outage that somebody stopped.
    sim.lose();
    sim.stop();
    sim.seconds(100);
    sim.start();
    sim.wants();
    assert_eq!(sim.retry_metrics().time_to_reconnected.count, 0);
}

#[test]
fn failures_are_counted_by_their_class() {
    let mut sim = connected(RetryPolicy::delays([Duration::ZERO; 8]));
    sim.lose();
    for kind in [
        IoFailureKind::Refused,
        IoFailureKind::Refused,
        IoFailureKind::TimedOut,
        IoFailureKind::Tls,
        IoFailureKind::Status(429),
        IoFailureKind::Local,
        IoFailureKind::Protocol,
        IoFailureKind::Status(403),
    ] {
        sim.advance(Duration::ZERO);
        sim.open(Err(failure(kind)));
    }
    let metrics = sim.retry_metrics();
    let counted: Vec<_> = metrics.connect_attempts.iter().filter(|(_, count)| *count > 0).collect();
    let expected = [
        (FailureClass::Refused, 2),
        (FailureClass::Timeout, 1),
        (FailureClass::Throttled, 1),
        (FailureClass::Forbidden, 1),
        (FailureClass::Tls, 1),
        (FailureClass::Protocol, 1),
        (FailureClass::Local, 1),
    ];
    assert_eq!(counted, expected);
    assert_eq!(metrics.attempts, metrics.connected + metrics.connect_attempts.total());
}

#[test]
fn flap_tokens_are_spent_and_come_back() {
    let mut sim = connected(RetryPolicy::microsoft());
    assert_eq!(sim.retry_metrics().flap_tokens, 5);
    sim.lose();
    dials(&mut sim, Hub::DropsAfter(Duration::from_millis(10)), Duration::from_millis(35));
    let metrics = sim.retry_metrics();
    assert_eq!((metrics.flaps, metrics.flap_tokens), (3, 2));
    sim.seconds(61);
    assert_eq!(sim.retry_metrics().flap_tokens, 4);
}

#[test]
fn a_resumed_connection_lives_on_and_its_lost_transport_counts_as_a_flap() {
    let config = HubConnectionConfig::default().stateful_reconnect(true).automatic_reconnect(RetryPolicy::trading());
    let mut sim = Sim::new(config);
    sim.start();
    let body = super::super::support::sim::negotiated(1).replacen(
        "{\"negotiateVersion\":1",
        "{\"negotiateVersion\":1,\"useStatefulReconnect\":true",
        1,
    );
    sim.answer(200, &body);
    sim.open(Ok(()));
    sim.hub("{}");
    sim.seconds(4);
    sim.lose();
    sim.seconds(0);
    sim.open(Ok(()));
    sim.hub(r#"{"type":9,"sequenceId":1}"#);
    let metrics = sim.retry_metrics();
    assert_eq!((metrics.flaps, metrics.connected, metrics.session_lifetime.count), (1, 1, 0), "{:?}", sim.events());
    sim.seconds(16);
    sim.hub(r#"{"type":7}"#);
    assert_eq!(seconds(sim.retry_metrics().session_lifetime), (1, 20.0, 20.0, 20.0));
}

#[test]
fn subscriptions_are_counted_by_what_the_hub_made_of_them() {
    let mut sim = connected(RetryPolicy::signalr());
    for (id, key) in ["1", "2", "3", "4"].iter().zip(["a", "b", "c", "d"]) {
        sim.subscribe(&subscription(key));
        sim.complete(id);
    }
    assert_eq!(counts(&sim.retry_metrics()), (4, 4, 0, 0));
    sim.lose();
    assert_eq!(counts(&sim.retry_metrics()), (4, 0, 0, 4));
    dials(&mut sim, Hub::Up, Duration::ZERO);
    sim.complete("5");
    sim.refuse("6", "not now");
    assert_eq!(counts(&sim.retry_metrics()), (4, 1, 1, 3));
    sim.unsubscribe(&subscription("a"), None);
    assert_eq!(counts(&sim.retry_metrics()), (3, 0, 1, 3), "on its way out");
    // The refused one is asked for again, and granted; what is never answered has failed too.
    sim.seconds(1);
    sim.complete("10");
    sim.seconds(29);
    assert_eq!(counts(&sim.retry_metrics()), (3, 1, 2, 2));
}

#[test]
fn a_breakers_transitions_are_counted_by_where_from_and_where_to() {
    use BreakerState::{Closed, HalfOpen, Isolated, Open};
    let mut breaker = CircuitBreaker::new(BreakerConfig::default());
    (0..5).for_each(|_| fail(&mut breaker, at(1.0)));
    assert_eq!(breaker.state(at(4.0)), Open);
    assert_eq!(breaker.metrics().current_open, Duration::from_secs(3));
    fail(&mut breaker, at(11.0));
    (0..2).for_each(|_| succeed(&mut breaker, at(31.0)));
    let metrics = breaker.metrics();
    assert_eq!((metrics.half_open_successes, metrics.current_open), (2, Duration::ZERO));
    succeed(&mut breaker, at(31.0));
    assert_eq!(breaker.metrics().half_open_successes, 0);
    breaker.isolate(at(32.0));
    assert_eq!(breaker.state(at(39.0)), Isolated);
    assert_eq!(breaker.metrics().current_open, Duration::from_secs(7));
    breaker.reset(at(40.0));
    let transitions = breaker.metrics().transitions;
    let counted: Vec<_> = transitions.iter().filter(|(.., count)| *count > 0).collect();
    let expected = [
        (Closed, Open, 1),
        (Closed, Isolated, 1),
        (Open, HalfOpen, 2),
        (HalfOpen, Closed, 1),
        (HalfOpen, Open, 1),
        (Isolated, Closed, 1),
    ];
    assert_eq!(counted, expected);
    assert_eq!((transitions.of(Open, HalfOpen), transitions.of(Open, Closed), transitions.total()), (2, 0, 7));
}

/// Asking costs nothing and changes nothing.
#[test]
fn the_same_question_has_the_same_answer() {
    let mut sim = connected(RetryPolicy::trading());
    sim.lose();
    dials(&mut sim, Hub::Down, Duration::from_secs(45));
    let first = sim.retry_metrics();
    assert_eq!(sim.retry_metrics(), first);
    assert!(first.breaker.current_open > Duration::ZERO);
    sim.input(Input::ConsumerReady);
    assert_eq!(sim.retry_metrics(), first);
}
