//! Hints from outside: reconnect now, the network is up, a shorter longest wait; an explicit start.

use std::time::Duration;

use signalr_proto::retry::{BreakerState, RetryPolicy};
use signalr_proto::{Action, Command, State};

use super::world::{Hub, connected, dials, refused};
use crate::support::sim::{Sim, failure};

/// Cuts the connection and lets dials fail for so long.
fn down(policy: RetryPolicy, lasting: f64) -> Sim {
    let mut sim = connected(policy);
    sim.lose();
    dials(&mut sim, Hub::Down, Duration::from_secs_f64(lasting));
    sim.log.take();
    sim
}

#[test]
fn cf_43_reconnect_now_cuts_a_wait_short_once_in_five_seconds() {
    let mut sim = down(RetryPolicy::trading(), 9.0);
    sim.command(Command::ReconnectNow);
    assert!(sim.is_dialling());
    sim.open(Err(refused()));
    sim.command(Command::ReconnectNow);
    assert!(!sim.is_dialling(), "a second hint within 5 s");
    sim.seconds(5);
    sim.command(Command::ReconnectNow);
    assert!(sim.is_dialling());
}

#[test]
fn reconnect_now_uses_up_a_rung_like_any_attempt() {
    let mut sim = down(RetryPolicy::signalr(), 8.0);
    sim.command(Command::ReconnectNow);
    sim.open(Err(refused()));
    assert_eq!(sim.machine.state(), State::Disconnected, "it was the last rung");
}

#[test]
fn reconnect_now_does_nothing_while_connected_connecting_or_disconnected() {
    let mut sim = connected(RetryPolicy::signalr());
    sim.command(Command::ReconnectNow);
    assert!(sim.actions.is_empty());
    sim.lose();
    sim.advance(Duration::ZERO);
    let before = sim.actions.len();
    sim.command(Command::ReconnectNow);
    assert_eq!(sim.actions.len(), before);
    sim.stop();
    sim.wants();
    sim.command(Command::ReconnectNow);
    assert!(sim.actions.is_empty());
}

#[test]
fn the_network_is_up_obeys_an_open_breaker_and_reconnect_now_does_not() {
    let mut sim = down(RetryPolicy::trading(), 30.0);
    assert_eq!(sim.retry_metrics().breaker_state, Some(BreakerState::Open));
    sim.command(Command::NetworkUp);
    assert!(!sim.is_dialling());
    sim.command(Command::ReconnectNow);
    assert!(sim.is_dialling(), "the user's word stands over the breaker");
    sim.open(Ok(()));
    sim.hub("{}");
    assert_eq!(sim.machine.state(), State::Connected);
}

#[test]
fn the_network_is_up_is_followed_on_the_ladder_and_after_this_machines_own_failure() {
    let mut ladder = down(RetryPolicy::signalr(), 8.0);
    ladder.command(Command::NetworkUp);
    assert!(ladder.is_dialling());
    let mut offline = connected(RetryPolicy::trading());
    offline.lose();
    offline.advance(Duration::ZERO);
    offline.open(Err(failure(signalr_proto::io::IoFailureKind::Local)));
    offline.command(Command::NetworkUp);
    assert!(offline.is_dialling());
}

#[test]
fn a_shorter_longest_wait_shortens_the_one_under_way() {
    let mut sim = down(RetryPolicy::trading(), 200.0);
    assert!(sim.idle().is_some_and(|idle| idle > Duration::from_secs(50)), "{:?}", sim.idle());
    sim.command(Command::SetMaxDelay(Some(Duration::from_secs(20))));
    assert_eq!(sim.idle(), Some(Duration::from_secs(20)));
    sim.waits();
    dials(&mut sim, Hub::Down, Duration::from_secs(100));
    let delays: Vec<_> = sim.waits().into_iter().map(|wait| wait.delay.as_secs()).collect();
    assert_eq!(delays, [20; 5]);
    sim.command(Command::SetMaxDelay(None));
    dials(&mut sim, Hub::Down, Duration::from_secs(20));
    assert_eq!(sim.waits().pop().map(|wait| wait.delay.as_secs()), Some(80), "the policy's own again");
}

#[test]
fn taking_a_longest_wait_back_leaves_the_one_that_the_policy_was_made_with() {
    let mut sim = down(RetryPolicy::trading().max_delay(Duration::from_secs(20)), 200.0);
    sim.command(Command::SetMaxDelay(Some(Duration::from_secs(10))));
    sim.command(Command::SetMaxDelay(None));
    sim.waits();
    dials(&mut sim, Hub::Down, Duration::from_secs(100));
    let delays: Vec<_> = sim.waits().into_iter().map(|wait| wait.delay.as_secs()).collect();
    assert!(!delays.is_empty() && delays.iter().all(|delay| *delay == 20), "{delays:?}");
}

#[test]
fn what_the_server_asked_for_is_not_shortened() {
    let mut sim = connected(RetryPolicy::trading());
    sim.lose();
    sim.advance(Duration::ZERO);
    let failure = failure(signalr_proto::io::IoFailureKind::Status(429));
    sim.open(Err(signalr_proto::io::IoFailure { retry_after: Some(Duration::from_secs(100)), ..failure }));
    sim.command(Command::SetMaxDelay(Some(Duration::from_secs(20))));
    assert!(sim.idle().is_some_and(|idle| idle >= Duration::from_secs(100)));
}

#[test]
fn an_explicit_start_resets_an_open_breaker() {
    let mut sim = down(RetryPolicy::exponential(signalr_proto::retry::Exponential::default()), 20.0);
    assert_eq!(sim.machine.state(), State::Disconnected);
    assert_eq!(sim.retry_metrics().breaker.opened, 1);
    sim.start();
    assert!(matches!(sim.actions.back(), Some(Action::Open { .. })));
    let metrics = sim.retry_metrics();
    assert_eq!((metrics.breaker_state, metrics.consecutive_failures), (Some(BreakerState::Closed), 0));
}

#[test]
fn cf_44_a_stop_while_waiting_ends_at_once_and_nothing_is_dialled_afterwards() {
    let mut sim = down(RetryPolicy::trading(), 40.0);
    sim.stop();
    assert_eq!(sim.events(), ["disconnected stopped"]);
    assert_eq!((sim.machine.state(), sim.idle()), (State::Disconnected, None));
    sim.wants();
    sim.seconds(1_000);
    assert!(sim.actions.is_empty());
}
