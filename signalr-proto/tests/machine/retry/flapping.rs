//! The flap budget: a hub that accepts and then drops costs few dials, whatever the policy.

use std::time::Duration;

use signalr_proto::retry::{Exponential, RetryPolicy};
use signalr_proto::{HubConnectionConfig, State};

use super::world::{Hub, connected, dials, seconds, within};
use crate::support::sim::Sim;

const TEN_MINUTES: Duration = Duration::from_secs(600);

type Named = (&'static str, fn() -> RetryPolicy);

fn policies() -> [Named; 7] {
    [
        ("signalr", RetryPolicy::signalr),
        ("signalr guarded", || RetryPolicy::signalr().guarded()),
        ("exponential", || RetryPolicy::exponential(Exponential::default())),
        ("trading", RetryPolicy::trading),
        ("microsoft", RetryPolicy::microsoft),
        ("one delay of zero", || RetryPolicy::delays([Duration::ZERO])),
        ("a rule of its own", || RetryPolicy::custom(|_| Some(Duration::ZERO))),
    ]
}

#[test]
fn at_most_twelve_dials_in_the_first_minute_and_fifteen_in_the_nine_after_it() {
    for (name, policy) in policies() {
        for lives in [0.0, 0.001, 0.05, 0.5, 1.0, 2.0, 3.3, 5.0, 7.5, 9.0, 9.9, 9.999] {
            let mut sim = connected(policy());
            sim.lose();
            let times = dials(&mut sim, Hub::DropsAfter(Duration::from_secs_f64(lives)), TEN_MINUTES);
            let (first, after) = (within(&times, 0.0, 60.0), within(&times, 60.0, 600.0));
            assert!(first <= 12, "{name}, {lives} s: {first} in the first minute: {:?}", seconds(&times));
            assert!(after <= 15, "{name}, {lives} s: {after} in the nine after it: {:?}", seconds(&times));
            assert!(after >= 5, "{name}, {lives} s: it gave up: {:?}", seconds(&times));
            for begin in &times {
                let from = begin.as_secs_f64();
                assert!(within(&times, from, from + 10.0) <= 8, "{name}, {lives} s: {:?}", seconds(&times));
            }
            assert_ne!(sim.machine.state(), State::Disconnected, "{name}, {lives} s: a flap ends nothing");
        }
    }
}

#[test]
fn the_waits_of_a_hub_that_drops_at_once() {
    let mut sim = connected(RetryPolicy::signalr().guarded());
    sim.lose();
    let times = dials(&mut sim, Hub::DropsAfter(Duration::from_millis(50)), TEN_MINUTES);
    let expected = [
        0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 2.3, 7.35, 17.4, 27.45, 37.5, 57.55, 97.6, 177.65, 257.7, 337.75, 417.8,
        497.85, 577.9,
    ];
    assert_eq!(seconds(&times), expected);
}

#[test]
fn a_connection_that_lives_for_ten_seconds_is_no_flap() {
    let mut sim = connected(RetryPolicy::microsoft());
    sim.lose();
    let times = dials(&mut sim, Hub::DropsAfter(Duration::from_secs(10)), TEN_MINUTES);
    let expected: Vec<f64> = (0..=60).map(|count| f64::from(count) * 10.0).collect();
    assert_eq!(seconds(&times), expected);
}

#[test]
fn a_policy_that_never_tries_again_is_not_made_to() {
    let mut sim = Sim::new(HubConnectionConfig::default().skip_negotiation(true)).connect();
    sim.lose();
    assert_eq!((sim.machine.state(), sim.idle()), (State::Disconnected, None));
}

#[test]
fn a_wait_for_the_flap_budget_says_so() {
    let mut sim = connected(RetryPolicy::microsoft());
    sim.lose();
    let _ = dials(&mut sim, Hub::DropsAfter(Duration::ZERO), Duration::from_secs(3));
    let waits: Vec<_> =
        sim.waits().into_iter().map(|wait| (wait.attempt, wait.delay.as_secs(), wait.why.as_str())).collect();
    let expected =
        [(1, 0, "policy"); 6].into_iter().chain([(1, 2, "flapping"), (1, 5, "flapping")]).collect::<Vec<_>>();
    assert_eq!(waits, expected);
    assert_eq!(sim.retry_metrics().flaps, 7);
}
