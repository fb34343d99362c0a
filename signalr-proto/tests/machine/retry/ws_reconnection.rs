//! The eight reconnection scenarios, and those of the integration suite, on a virtual clock.

use std::time::Duration;

use signalr_proto::io::{IoFailure, IoFailureKind};
use signalr_proto::retry::{Exponential, RetryPolicy};
use signalr_proto::{HubConnectionConfig, State};

use super::world::{Hub, connected, dials, refused, seconds};
use crate::support::sim::{Call, Sim, failure, subscription};

#[test]
fn ws_reconnection_exponential_backoff_on_disconnect() {
    let mut sim = connected(RetryPolicy::exponential(Exponential::default()));
    sim.lose();
    dials(&mut sim, Hub::Down, Duration::from_secs(60));
    let delays: Vec<_> = sim.waits().into_iter().map(|wait| wait.delay.as_millis()).collect();
    assert_eq!(delays, [100, 200, 400, 800, 1_600]);
}

#[test]
fn ws_reconnection_max_retries_enforcement() {
    let mut sim = connected(RetryPolicy::exponential(Exponential::default()));
    sim.lose();
    let times = dials(&mut sim, Hub::Down, Duration::from_secs(3_600));
    assert_eq!(times.len(), 5);
    assert_eq!((sim.machine.state(), sim.idle()), (State::Disconnected, None));
    assert_eq!(sim.events().last().map(String::as_str), Some("disconnected refused"));
}

#[test]
fn ws_reconnection_backoff_reset_on_success() {
    let mut sim = connected(RetryPolicy::exponential(Exponential::default()));
    for _ in 0..3 {
        sim.lose();
        dials(&mut sim, Hub::Down, Duration::from_millis(1_000));
        dials(&mut sim, Hub::Up, Duration::from_secs(60));
        let delays: Vec<_> = sim.waits().into_iter().map(|wait| wait.delay.as_millis()).collect();
        assert_eq!(delays, [100, 200, 400, 800]);
    }
}

/// However many ask for it, there is one dial.
#[test]
fn ws_reconnection_concurrent_reconnection_attempts() {
    let mut sim = connected(RetryPolicy::trading());
    sim.lose();
    sim.advance(Duration::ZERO);
    for _ in 0..8 {
        sim.command(signalr_proto::Command::ReconnectNow);
        sim.command(signalr_proto::Command::NetworkUp);
        sim.start();
    }
    let opens = sim.wants().into_iter().filter(|action| action.starts_with("open")).count();
    assert_eq!(opens, 1);
    assert!(sim.replies().iter().filter(|reply| reply.contains("start_rejected")).count() == 8);
}

/// Wishes survive; a call that may have reached the hub does not go out again, and one that cannot leave says so at once.
#[test]
fn ws_reconnection_connection_state_preservation() {
    let mut sim = connected(RetryPolicy::signalr());
    let request = subscription("a");
    sim.subscribe(&request);
    sim.complete("1");
    sim.invoke("PlaceOrder");
    sim.wire();
    sim.log.take();
    sim.lose();
    assert_eq!(sim.replies(), ["#3 unknown lost"]);
    sim.call(Call::invoke("WhileAway"));
    assert_eq!(sim.replies(), ["#4 not_sent reconnecting"]);
    dials(&mut sim, Hub::Up, Duration::from_secs(1));
    let wire = sim.wire();
    assert_eq!(wire.iter().filter(|record| record.contains("\"target\":\"Sub\"")).count(), 1, "{wire:?}");
    assert!(!wire.iter().any(|record| record.contains("PlaceOrder") || record.contains("WhileAway")), "{wire:?}");
}

#[test]
fn ws_reconnection_failure_modes() {
    let dial: [(IoFailureKind, &str); 6] = [
        (IoFailureKind::Refused, "refused"),
        (IoFailureKind::TimedOut, "connect_timeout"),
        (IoFailureKind::Tls, "tls"),
        (IoFailureKind::Status(502), "http_status"),
        (IoFailureKind::Protocol, "protocol_violation"),
        (IoFailureKind::Lost, "lost"),
    ];
    for (kind, cause) in dial {
        let mut sim = connected(RetryPolicy::signalr());
        sim.lose();
        sim.advance(Duration::ZERO);
        sim.open(Err(failure(kind)));
        assert_eq!(sim.machine.state(), State::Reconnecting, "{kind:?}");
        assert!(sim.events().last().is_some_and(|event| event.starts_with("waiting 2") && event.ends_with(cause)));
        let wait = sim.idle().expect("it waits");
        sim.advance(wait);
        sim.link();
        assert_eq!(sim.machine.state(), State::Connected, "{kind:?}");
    }
}

/// The kind of failure decides how long is waited.
#[test]
fn ws_reconnection_adaptive_backoff_strategy() {
    let mut waits = Vec::new();
    for failure in [
        refused(),
        IoFailure { retry_after: Some(Duration::from_secs(60)), ..failure(IoFailureKind::Status(503)) },
        failure(IoFailureKind::Tls),
        failure(IoFailureKind::Local),
    ] {
        let mut sim = connected(RetryPolicy::signalr());
        sim.lose();
        sim.advance(Duration::ZERO);
        sim.open(Err(failure));
        waits.push(sim.waits().pop().map(|wait| (wait.why.as_str(), wait.delay.as_secs())));
    }
    let [policy, retry_after, tls, local] = waits[..] else { panic!("{waits:?}") };
    assert_eq!((policy, tls, local), (Some(("policy", 2)), Some(("tls", 80)), Some(("local", 5))));
    assert!(retry_after.is_some_and(|(why, seconds)| why == "retry_after" && (60..=66).contains(&seconds)));
}

#[test]
fn ws_reconnection_forced_disconnect() {
    let mut sim = connected(RetryPolicy::trading());
    sim.stop();
    sim.lose();
    assert_eq!(sim.events(), ["disconnected stopped"]);
    sim.wants();
    sim.seconds(3_600);
    assert!(sim.actions.is_empty(), "who asked for the end gets it");
}

#[test]
fn it_sig_010_a_dropped_connection_is_back_with_a_new_id_within_five_seconds() {
    let mut sim = Sim::new(HubConnectionConfig::default().automatic_reconnect(RetryPolicy::signalr())).connect();
    sim.seconds(12);
    sim.lose();
    sim.seconds(0);
    assert_eq!(sim.machine.state(), State::Reconnecting);
    sim.answer(500, "");
    sim.seconds(2);
    sim.link();
    assert_eq!(
        sim.events(),
        ["reconnecting lost", "waiting 1 0ns lost", "waiting 2 2s http_status", "reconnected 2 id2", "restored"]
    );
    assert_eq!(sim.machine.state(), State::Connected);
}

#[test]
fn it_sig_012_every_subscription_is_restored_once_and_each_has_its_gap() {
    let mut sim = connected(RetryPolicy::signalr());
    for (id, key) in ["a", "b", "c"].iter().enumerate() {
        sim.subscribe(&subscription(key));
        sim.complete(&(id + 1).to_string());
    }
    sim.wire();
    sim.log.take();
    sim.lose();
    let times = dials(&mut sim, Hub::Up, Duration::from_secs(1));
    assert_eq!(seconds(&times), [0.0]);
    let subscribes: Vec<_> = sim.wire().into_iter().filter(|record| record.contains("\"target\":\"Sub\"")).collect();
    assert_eq!(subscribes.len(), 3, "{subscribes:?}");
    for id in ["4", "5", "6"] {
        sim.complete(id);
    }
    let events = sim.events();
    let of = |prefix: &str| events.iter().filter(|event| event.starts_with(prefix)).count();
    assert_eq!((of("gap_opened"), of("gap_closed"), of("restored")), (3, 3, 1), "{events:?}");
    assert_eq!(events.last().map(String::as_str), Some("restored"));
}
