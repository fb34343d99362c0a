//! Pings, the server timeout, suspension.

use std::time::Duration;

use signalr_proto::{HubConnectionConfig, Input, Machine, State};

use crate::support::sim::{Call, Sim, reconnecting};
use crate::support::sinks::Shape;

const PING: &str = r#"{"type":6}"#;

#[test]
fn a_ping_leaves_after_15_seconds_of_our_own_silence() {
    let mut sim = Sim::new(HubConnectionConfig::default().server_timeout(None)).connect();
    sim.advance(Duration::from_nanos(14_999_999_999));
    assert!(sim.wire().is_empty());
    sim.advance(Duration::from_nanos(1));
    assert_eq!(sim.wire(), [PING]);
    // Anything sent puts it off.
    sim.seconds(10);
    sim.call(Call::send("M"));
    sim.wire();
    sim.advance(Duration::from_nanos(14_999_999_999));
    assert!(sim.wire().is_empty());
    sim.advance(Duration::from_nanos(1));
    assert_eq!(sim.wire(), [PING]);
    sim.seconds(150);
    assert_eq!(sim.wire(), vec![PING; 10]);
}

#[test]
fn a_flood_from_the_hub_does_not_hold_the_ping_back() {
    let mut sim = Sim::connected();
    sim.on("m", "on", Shape::Any);
    let start = sim.now;
    while sim.wire().is_empty() {
        sim.advance(Duration::from_millis(100));
        for _ in 0..10 {
            sim.hub(r#"{"type":1,"target":"m","arguments":[]}"#);
        }
    }
    assert_eq!(sim.now.saturating_since(start), Duration::from_secs(15));
}

#[test]
fn a_ping_overtakes_queued_data() {
    let mut sim = Sim::connected();
    sim.is_ready = false;
    for _ in 0..10 {
        sim.call(Call::send("M").arguments(format!("[\"{}\"]", "x".repeat(20_000))));
    }
    sim.seconds(15);
    sim.pull();
    assert_eq!(sim.messages[0], format!("{PING}\u{1e}"));
}

#[test]
fn pings_do_not_pile_up_behind_a_transport_that_takes_nothing() {
    let mut sim = Sim::new(HubConnectionConfig::default().server_timeout(None)).connect();
    sim.is_ready = false;
    sim.seconds(3_600);
    sim.pull();
    assert_eq!(sim.wire(), [PING]);
}

#[test]
fn keep_alive_can_be_off() {
    let mut sim =
        Sim::new(HubConnectionConfig::default().keep_alive_interval(None).server_timeout(Some(Duration::ZERO)));
    sim.start();
    sim.link();
    assert_eq!(sim.wire(), [r#"{"protocol":"json","version":1}"#]);
    assert_eq!(sim.idle(), None, "there is nothing to wait for");
    assert_eq!(sim.machine.state(), State::Connected);
}

#[test]
fn silence_of_the_hub_ends_the_connection_after_30_seconds() {
    let mut sim = Sim::new(reconnecting([0])).connect();
    sim.advance(Duration::from_nanos(29_999_999_999));
    assert_eq!(sim.machine.state(), State::Connected);
    sim.advance(Duration::from_nanos(1));
    assert_eq!(sim.events(), ["reconnecting server_timeout", "waiting 1 0ns server_timeout"]);
    assert_eq!(sim.wants()[0], "abort #1");
}

#[test]
fn only_what_arrives_puts_the_server_timeout_off() {
    // What we send does not.
    let mut sim = Sim::new(reconnecting([0])).connect();
    for _ in 0..29 {
        sim.seconds(1);
        sim.call(Call::send("M"));
    }
    sim.seconds(1);
    assert_eq!(sim.machine.state(), State::Reconnecting);
    // Whatever arrives does: a ping, a WebSocket ping, half a record, an empty message.
    for arrival in 0..4 {
        let mut sim = Sim::connected();
        let attempt = sim.attempt.unwrap();
        for _ in 0..20 {
            sim.seconds(29);
            match arrival {
                0 => sim.hub(PING),
                1 => sim.input(Input::Alive { attempt }),
                2 => sim.text(" "),
                _ => sim.text(""),
            }
        }
        assert_eq!(sim.machine.state(), State::Connected, "arrival {arrival}");
        sim.seconds(30);
        assert_eq!(sim.machine.state(), State::Disconnected, "arrival {arrival}");
    }
}

#[test]
fn while_reading_is_paused_the_server_timeout_is_suspended() {
    let mut sim = Sim::connected();
    let handle = sim.on("m", "on", Shape::Any);
    handle.set_full(true);
    sim.hub(r#"{"type":1,"target":"m","arguments":[]}"#);
    assert!(!sim.machine.wants_read());
    sim.seconds(300);
    assert_eq!(sim.machine.state(), State::Connected);
    assert_eq!(sim.wire(), vec![PING; 20], "our own pings go on");
    handle.set_full(false);
    sim.input(Input::ConsumerReady);
    assert!(sim.machine.wants_read());
    sim.advance(Duration::from_nanos(29_999_999_999));
    assert_eq!(sim.machine.state(), State::Connected, "it begins anew");
    sim.advance(Duration::from_nanos(1));
    assert_eq!(sim.machine.state(), State::Disconnected);
}

#[test]
fn after_a_suspension_the_peer_has_five_seconds_to_show_itself() {
    let mut sim = Sim::new(reconnecting([0])).connect();
    sim.input(Input::Suspended);
    assert_eq!(sim.wants(), ["probe #1"]);
    sim.advance(Duration::from_nanos(4_999_999_999));
    assert_eq!(sim.machine.state(), State::Connected);
    sim.advance(Duration::from_nanos(1));
    assert_eq!(sim.events(), ["reconnecting server_timeout", "waiting 1 0ns server_timeout"]);

    for answer in [false, true] {
        let mut sim = Sim::connected();
        sim.input(Input::Suspended);
        sim.seconds(4);
        match answer {
            true => sim.hub(PING),
            false => sim.input(Input::Alive { attempt: sim.attempt.unwrap() }),
        }
        sim.seconds(20);
        assert_eq!(sim.machine.state(), State::Connected);
    }
    // There is nothing to probe where nothing is connected.
    let mut sim = Sim::new(HubConnectionConfig::default());
    sim.input(Input::Suspended);
    sim.start();
    sim.input(Input::Suspended);
    assert_eq!(sim.wants(), ["http #1"]);
}

#[test]
fn a_probe_waits_while_reading_is_paused() {
    let mut sim = Sim::connected();
    let handle = sim.on("m", "on", Shape::Any);
    handle.set_full(true);
    sim.hub(r#"{"type":1,"target":"m","arguments":[]}"#);
    sim.input(Input::Suspended);
    sim.seconds(7);
    assert_eq!(sim.machine.state(), State::Connected, "its pong cannot be read");
    handle.set_full(false);
    sim.input(Input::ConsumerReady);
    sim.advance(Duration::from_nanos(4_999_999_999));
    assert_eq!(sim.machine.state(), State::Connected);
    sim.advance(Duration::from_nanos(1));
    assert_eq!(sim.machine.state(), State::Disconnected);
}

#[test]
fn time_that_jumps_or_goes_back_does_not_upset_anything() {
    let mut sim = Sim::new(reconnecting([0])).connect();
    sim.seconds(10);
    sim.hub(PING);
    let now = sim.now;
    sim.now = now - Duration::from_secs(100);
    sim.hub(PING);
    sim.call(Call::send("M"));
    sim.now = now;
    sim.wire();
    sim.advance(Duration::from_nanos(14_999_999_999));
    assert!(sim.wire().is_empty(), "both count as of the latest instant");
    sim.seconds(15);
    assert_eq!(sim.machine.state(), State::Connected);
    // Eight hours at once: one timeout, not thousands of pings.
    sim.wire();
    sim.now = sim.now + Duration::from_secs(8 * 3_600);
    sim.machine.handle_timeout(sim.now);
    sim.settle();
    assert_eq!(sim.events(), ["reconnecting server_timeout", "waiting 1 0ns server_timeout"]);
    assert!(sim.wire().is_empty());
}
