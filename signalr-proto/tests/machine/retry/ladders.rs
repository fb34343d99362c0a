//! The delays of each preset while nobody listens, and what the circuit breaker makes of them.

use std::time::Duration;

use signalr_proto::retry::{BreakerState, Exponential, RetryPolicy, WaitReason};
use signalr_proto::{HubConnectionConfig, State};

use super::world::{Hub, connected, dials, seconds, within};
use crate::support::sim::Sim;

const TEN_MINUTES: Duration = Duration::from_secs(600);

/// Cuts a connection whose hub is down for ten minutes: the dials in seconds.
fn outage(policy: RetryPolicy) -> (Sim, Vec<f64>) {
    let mut sim = connected(policy);
    sim.lose();
    let times = dials(&mut sim, Hub::Down, TEN_MINUTES);
    let times = seconds(&times);
    (sim, times)
}

#[test]
fn it_sig_011_signalr_dials_at_0_2_7_17_and_stops_with_its_breaker_closed() {
    let (mut sim, times) = outage(RetryPolicy::signalr());
    assert_eq!(times, [0.0, 2.0, 7.0, 17.0]);
    let delays: Vec<_> = sim.waits().into_iter().map(|wait| wait.delay.as_secs()).collect();
    assert_eq!(delays, [0, 2, 5, 10]);
    let metrics = sim.retry_metrics();
    assert_eq!((metrics.breaker_state, metrics.consecutive_failures), (Some(BreakerState::Closed), 4));
    assert_eq!((metrics.exhausted, sim.machine.state(), sim.idle()), (1, State::Disconnected, None));
}

/// Who asks for it has the first connection tried again, too, at the same times; by default `start` fails at its first failure.
#[test]
fn it_sig_011_a_first_connection_is_tried_again_when_asked_for() {
    let config = || HubConnectionConfig::default().skip_negotiation(true).automatic_reconnect(RetryPolicy::signalr());
    let mut sim = Sim::new(config());
    sim.start();
    assert_eq!(seconds(&dials(&mut sim, Hub::Down, TEN_MINUTES)), [0.0]);
    assert_eq!((sim.replies(), sim.waits().len()), (vec!["#1 start_failed refused".to_owned()], 0));

    let mut sim = Sim::new(config().retry_initial_connect(true));
    sim.start();
    // The first attempt, and then 0, 2, 5 and 10 s after each failure.
    assert_eq!(seconds(&dials(&mut sim, Hub::Down, TEN_MINUTES)), [0.0, 0.0, 2.0, 7.0, 17.0]);
    let delays: Vec<_> = sim.waits().into_iter().map(|wait| wait.delay.as_secs()).collect();
    assert_eq!(delays, [0, 2, 5, 10]);
    assert_eq!((sim.replies(), sim.machine.state()), (vec!["#1 start_failed refused".to_owned()], State::Disconnected));
}

#[test]
fn exponential_stops_after_five_and_its_breaker_opens_on_the_fifth_failure() {
    let (mut sim, times) = outage(RetryPolicy::exponential(Exponential::default()));
    assert_eq!(times, [0.1, 0.3, 0.7, 1.5, 3.1]);
    let states: Vec<_> = sim.waits().into_iter().map(|wait| wait.breaker).collect();
    assert_eq!(states, [Some(BreakerState::Closed); 5]);
    let metrics = sim.retry_metrics();
    assert_eq!((metrics.breaker.opened, metrics.exhausted, sim.machine.state()), (1, 1, State::Disconnected));
}

#[test]
fn signalr_guarded_is_paced_by_its_breaker_from_27_s_on() {
    let (_, times) = outage(RetryPolicy::signalr().guarded());
    assert_eq!(times, [0.0, 2.0, 7.0, 17.0, 27.0, 37.0, 57.0, 97.0, 177.0, 257.0, 337.0, 417.0, 497.0, 577.0]);
}

#[test]
fn exponential_guarded_is_paced_by_its_breaker_from_3_s_on() {
    let (_, times) = outage(RetryPolicy::exponential(Exponential::default()).guarded());
    let expected = [0.1, 0.3, 0.7, 1.5, 3.1, 13.1, 33.1, 73.1, 153.1, 233.1, 313.1, 393.1, 473.1, 553.1];
    assert_eq!(times, expected);
}

#[test]
fn tradings_burst_counts_once_and_leaves_four_rungs() {
    let (mut sim, times) = outage(RetryPolicy::trading());
    let expected =
        [0.0, 0.1, 0.3, 0.7, 1.5, 3.5, 8.5, 18.5, 28.5, 38.5, 58.5, 98.5, 178.5, 258.5, 338.5, 418.5, 498.5, 578.5];
    assert_eq!(times, expected);
    let whys: Vec<_> = sim.waits().into_iter().map(|wait| (wait.why, wait.breaker)).collect();
    assert_eq!(whys.get(8), Some(&(WaitReason::Policy, Some(BreakerState::Closed))), "{whys:?}");
    assert!(whys[9..].iter().all(|why| *why == (WaitReason::BreakerOpen, Some(BreakerState::Open))), "{whys:?}");
}

#[test]
fn an_exposed_trader_waits_20_s_at_most() {
    let (_, times) = outage(RetryPolicy::trading().max_delay(Duration::from_secs(20)));
    let times: Vec<_> = times.into_iter().map(Duration::from_secs_f64).collect();
    assert_eq!((within(&times, 0.0, 60.0), within(&times, 0.0, 600.0)), (11, 38));
    assert!(times.windows(2).all(|pair| pair[1] - pair[0] <= Duration::from_secs(20)));
}

#[test]
fn dials_of_the_first_minute_and_of_ten() {
    for (policy, first, all) in [
        (RetryPolicy::signalr().guarded(), 7, 14),
        (RetryPolicy::exponential(Exponential::default()).guarded(), 7, 14),
        (RetryPolicy::trading(), 11, 18),
    ] {
        let name = format!("{policy:?}");
        let (_, times) = outage(policy);
        let times: Vec<_> = times.into_iter().map(Duration::from_secs_f64).collect();
        assert_eq!((within(&times, 0.0, 60.0), within(&times, 0.0, 600.0)), (first, all), "{name}");
    }
}

#[test]
fn microsofts_policy_has_neither_classes_nor_breaker() {
    let (mut sim, times) = outage(RetryPolicy::microsoft());
    assert_eq!(times, [0.0, 2.0, 12.0, 42.0]);
    assert!(sim.waits().iter().all(|wait| wait.breaker.is_none()));
    assert_eq!(sim.retry_metrics().breaker_state, None);
}

/// The lag between the hub's return and the next dial, for outages of every length in a band, in steps of a tenth.
fn lags(policy: impl Fn() -> RetryPolicy, from: f64, to: f64) -> (f64, f64) {
    let (_, times) = outage_for(policy(), Duration::from_secs(1_900));
    let steps = 400;
    let lags: Vec<f64> = (0..steps)
        .map(|step| from + (to - from) * (f64::from(step) + 0.5) / f64::from(steps))
        .map(|back| times.iter().find(|time| **time >= back).expect("it goes on for ever") - back)
        .collect();
    (lags.iter().sum::<f64>() / f64::from(steps), lags.iter().copied().fold(0.0, f64::max))
}

fn outage_for(policy: RetryPolicy, lasting: Duration) -> (Sim, Vec<f64>) {
    let mut sim = connected(policy);
    sim.lose();
    let times = seconds(&dials(&mut sim, Hub::Down, lasting));
    (sim, times)
}

#[test]
fn how_soon_after_the_hubs_return_a_connection_is_there() {
    const BANDS: [(f64, f64); 6] = [(0.0, 1.0), (1.0, 5.0), (5.0, 20.0), (20.0, 60.0), (60.0, 300.0), (300.0, 1_800.0)];
    // Mean and longest, in seconds.
    type Row = (fn() -> RetryPolicy, [(f64, f64); 6]);
    let table: [Row; 4] = [
        (
            || RetryPolicy::signalr().guarded(),
            [(1.5, 2.0), (2.7, 5.0), (5.2, 10.0), (9.8, 40.0), (40.0, 80.0), (40.0, 80.0)],
        ),
        (
            || RetryPolicy::exponential(Exponential::default()).guarded(),
            [(0.3, 0.8), (4.7, 10.0), (9.8, 20.0), (20.0, 40.0), (40.0, 80.0), (40.0, 80.0)],
        ),
        (RetryPolicy::trading, [(0.3, 0.8), (2.1, 5.0), (4.6, 10.0), (8.6, 40.0), (40.0, 80.0), (40.0, 80.0)]),
        (
            || RetryPolicy::trading().max_delay(Duration::from_secs(20)),
            [(0.3, 0.8), (2.1, 5.0), (4.7, 10.0), (7.8, 20.0), (10.0, 20.0), (10.0, 20.0)],
        ),
    ];
    for (row, (policy, expected)) in table.into_iter().enumerate() {
        for ((from, to), (mean, longest)) in BANDS.into_iter().zip(expected) {
            let (measured_mean, measured_longest) = lags(policy, from, to);
            println!("row {row}, {from} to {to} s: {measured_mean:.2}/{measured_longest:.2}");
            assert!(measured_longest <= longest + 0.01, "row {row}, {from} to {to} s: {measured_longest}");
            assert!((measured_mean - mean).abs() <= mean * 0.1 + 0.05, "row {row}, {from} to {to} s: {measured_mean}");
        }
    }
}
