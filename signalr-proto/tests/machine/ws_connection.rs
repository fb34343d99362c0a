//! The connection scenarios that name a time, to the nanosecond.
//!
//! The machine takes no time of its own: whatever a bound says (a connection within 2 s, an event within 10, 100 or 500 ms), all of it is the
//! hub's and the network's.

use std::time::Duration;

use signalr_proto::{HubConnectionConfig, State};

use crate::support::sim::Sim;
use crate::support::sinks::Shape;

/// As TopstepX documents it: WebSockets at once, and ten seconds.
fn recipe() -> HubConnectionConfig {
    HubConnectionConfig::default().skip_negotiation(true).connect_timeout(Duration::from_secs(10))
}

const NANOSECOND: Duration = Duration::from_nanos(1);

#[test]
fn ws_connection_basic_takes_no_time_of_its_own() {
    let mut sim = Sim::new(recipe());
    let began = sim.now;
    sim.on("Price", "price", Shape::Integer);
    sim.start();
    sim.link();
    assert_eq!((sim.machine.state(), sim.now), (State::Connected, began));
    assert_eq!(sim.events(), ["connected 1 -"]);
    assert_eq!(sim.replies().last().map(String::as_str), Some("#2 started"));
    // Told at the very instant at which it comes, each by itself, a hundred in one go too.
    for serial in 0..100 {
        sim.hub(&format!(r#"{{"type":1,"target":"Price","arguments":[{serial}]}}"#));
        assert_eq!((sim.sinks(), sim.now), (vec![format!("price [{serial}]")], began));
    }
    let burst: String =
        (0..100).map(|serial| format!("{{\"type\":1,\"target\":\"Price\",\"arguments\":[{serial}]}}\u{1e}")).collect();
    sim.text(&burst);
    assert_eq!((sim.sinks().len(), sim.now), (100, began));
}

#[test]
fn ws_connection_timeout_handling_ends_at_its_deadlines() {
    // The dial with its upgrade.
    let mut sim = Sim::new(recipe());
    sim.start();
    sim.advance(Duration::from_secs(10) - NANOSECOND);
    assert_eq!((sim.machine.state(), sim.replies()), (State::Connecting, vec![]));
    sim.advance(NANOSECOND);
    assert_eq!(sim.replies(), ["#1 start_failed connect_timeout"]);
    assert_eq!((sim.machine.state(), sim.idle()), (State::Disconnected, None));
    assert_eq!(sim.wants().last().map(String::as_str), Some("abort #1"));

    // The handshake has a deadline of its own.
    let mut sim = Sim::new(recipe());
    sim.start();
    sim.dial();
    sim.advance(Duration::from_secs(15) - NANOSECOND);
    assert_eq!((sim.machine.state(), sim.replies()), (State::Connecting, vec![]));
    sim.advance(NANOSECOND);
    assert_eq!(sim.replies(), ["#1 start_failed handshake_timeout"]);
    assert_eq!(sim.machine.state(), State::Disconnected);
}
