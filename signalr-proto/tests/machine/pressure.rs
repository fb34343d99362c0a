//! Back-pressure: when reading pauses, and when it must not.

use std::sync::atomic::Ordering;
use std::time::Duration;

use signalr_proto::{Command, HubConnectionConfig, Input, Machine, Role, State};

use crate::support::sim::{Call, Sim, subscription};
use crate::support::sinks::{Gate, Handle, Shape};

const EVENT: &str = r#"{"type":1,"target":"m","arguments":[]}"#;

fn full() -> (Sim, Handle) {
    let mut sim = Sim::connected();
    let handle = sim.on("m", "on", Shape::Any);
    handle.set_full(true);
    sim.hub(EVENT);
    (sim, handle)
}

#[test]
fn a_full_consumer_pauses_reading_until_it_has_room() {
    let (mut sim, handle) = full();
    assert!(!sim.machine.wants_read());
    sim.input(Input::ConsumerReady);
    assert!(!sim.machine.wants_read(), "it is still full");
    handle.set_full(false);
    sim.input(Input::ConsumerReady);
    assert!(sim.machine.wants_read());
}

#[test]
fn a_full_consumer_of_another_target_counts_too() {
    let (mut sim, handle) = full();
    sim.on("other", "other", Shape::Any);
    sim.hub(r#"{"type":1,"target":"other","arguments":[]}"#);
    assert!(!sim.machine.wants_read());
    handle.set_full(false);
    sim.hub(r#"{"type":1,"target":"other","arguments":[]}"#);
    assert!(sim.machine.wants_read());
}

#[test]
fn a_consumer_that_leaves_does_not_hold_the_others_up() {
    let (mut sim, _) = full();
    sim.command(Command::Unregister { registration: signalr_proto::Token(2) });
    assert!(sim.machine.wants_read());
}

#[test]
fn reading_goes_on_while_the_application_awaits_the_hub() {
    // A call.
    let (mut sim, _) = full();
    let call = sim.invoke("M");
    assert!(sim.machine.wants_read());
    sim.hub(EVENT);
    assert!(sim.machine.wants_read());
    sim.complete("1");
    assert!(!sim.machine.wants_read());
    assert_eq!(sim.replies(), ["#2 done".to_owned(), format!("#{} value null", call.0)]);
    // A stream.
    let (mut sim, _) = full();
    let stream = sim.call(Call::stream("S"));
    assert!(sim.machine.wants_read());
    sim.cancel(stream);
    assert!(!sim.machine.wants_read());
    // A subscribe, an unsubscribe.
    let (mut sim, _) = full();
    sim.subscribe(&subscription("a"));
    assert!(sim.machine.wants_read());
    sim.complete("1");
    assert!(!sim.machine.wants_read());
    sim.unsubscribe(&subscription("a"), None);
    assert!(sim.machine.wants_read());
    sim.complete("2");
    assert!(!sim.machine.wants_read());
    // A stop.
    let (mut sim, _) = full();
    sim.stop();
    assert!(sim.machine.wants_read());
}

#[test]
fn at_the_limit_of_bytes_reading_pauses_whatever_waits() {
    let mut sim = Sim::new(HubConnectionConfig::default().max_pending_bytes(100)).connect();
    let handle = Handle { budget: Some(sim.machine.budget()), ..Handle::default() };
    let (handle, _) = sim.register("m", "on", Shape::Any, Role::Listener, handle);
    handle.set_full(true);
    sim.call(Call::invoke("M").within(Duration::from_secs(5)));
    sim.log.take();
    while sim.machine.wants_read() {
        sim.hub(EVENT);
    }
    let cost = handle.cost.load(Ordering::Relaxed);
    assert_eq!(cost, EVENT.len() * 100_usize.div_ceil(EVENT.len()), "the limit is passed by at most one message");
    assert_eq!(sim.events(), ["slow_consumer"], "told once");
    sim.seconds(5);
    assert_eq!(sim.replies(), ["#3 unknown deadline"], "deadlines decide");
    assert_eq!(sim.machine.state(), State::Connected);
    // Taken: reading goes on, and the next time it is told again.
    sim.machine.budget().release(cost);
    handle.set_full(false);
    sim.input(Input::ConsumerReady);
    assert!(sim.machine.wants_read());
    while sim.machine.wants_read() {
        sim.hub(EVENT);
    }
    assert_eq!(sim.events(), ["slow_consumer"]);
}

#[test]
fn a_new_connection_is_read_whatever_the_old_one_was() {
    let mut sim = Sim::new(crate::support::sim::reconnecting([0])).connect();
    let handle = sim.on("m", "on", Shape::Any);
    handle.set_full(true);
    sim.hub(EVENT);
    assert!(!sim.machine.wants_read());
    sim.lose();
    assert!(sim.machine.wants_read());
    sim.seconds(0);
    sim.dial();
    assert!(sim.machine.wants_read(), "the handshake must be read");
}

#[test]
fn a_full_gate_pauses_reading_and_taps_tell_every_invocation() {
    let mut sim = Sim::connected();
    sim.on("m", "on", Shape::Integer);
    let gate = Gate::default();
    sim.command(Command::Tap(Some(Box::new(gate.clone()))));
    sim.log.take();
    sim.hub(r#"{"type":1,"target":"m","arguments":[ 1 ]}"#);
    sim.hub(r#"{"type":1,"target":"m","arguments":["x"]}"#);
    sim.hub(r#"{"type":1,"target":"n","arguments":[]}"#);
    assert_eq!(sim.events(), ["invocation m [ 1 ] 1", "malformed m [0]", "unhandled n"]);
    gate.0.store(true, Ordering::Relaxed);
    sim.hub(EVENT);
    assert!(!sim.machine.wants_read());
    sim.command(Command::Tap(None));
    assert!(sim.machine.wants_read());
    sim.log.take();
    sim.hub(r#"{"type":1,"target":"m","arguments":[1]}"#);
    assert!(sim.events().is_empty());
}

#[test]
fn delivery_becomes_visible_at_a_flush() {
    let mut sim = Sim::connected();
    sim.on("m", "on", Shape::Any);
    sim.flushes = false;
    sim.hub(EVENT);
    sim.hub(EVENT);
    assert!(sim.sinks().is_empty());
    sim.machine.flush();
    assert_eq!(sim.sinks(), ["on []", "on []"]);
    // At a loss it does by itself, ahead of the gap.
    sim.hub(EVENT);
    sim.lose();
    assert_eq!(sim.sinks(), ["on []", "on gap 1 lost []"]);
}
