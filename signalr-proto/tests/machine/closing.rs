//! The end of a connection: our own stop in every phase, and the hub's goodbye.

use std::time::Duration;

use signalr_proto::io::TransportEnd;
use signalr_proto::{HubConnectionConfig, Machine, State};

use crate::support::sim::{Call, Sim, reconnecting};
use crate::support::sinks::Shape;

#[test]
fn stop_says_goodbye_and_waits_for_the_end() {
    let mut sim = Sim::connected();
    sim.invoke("M");
    let stop = sim.stop();
    assert_eq!(sim.machine.state(), State::Disconnecting);
    assert_eq!(sim.wants(), [r#"flush #1 {"type":7} 5s"#]);
    assert!(sim.log.take().is_empty(), "not over yet");
    // An answer that still comes counts.
    sim.complete("1");
    assert_eq!(sim.replies(), ["#2 value null"]);
    sim.hub(r#"{"type":7}"#);
    assert!(sim.log.take().is_empty());
    sim.lose_by(TransportEnd::Close { code: Some(1000), reason: String::new() });
    let lines: Vec<String> = sim.log.take().into_iter().map(|(_, line)| line).collect();
    assert_eq!(lines, ["disconnected stopped".to_owned(), format!("#{} stopped", stop.0)]);
    assert_eq!(sim.machine.state(), State::Disconnected);
    assert_eq!(sim.machine.connection_id(), None);
    assert_eq!(sim.idle(), None);
    assert!(sim.machine.is_drained());
}

#[test]
fn a_stop_that_takes_too_long_is_cut() {
    let mut sim = Sim::connected();
    sim.invoke("M");
    sim.stop();
    sim.stop();
    sim.wants();
    sim.advance(Duration::from_nanos(4_999_999_999));
    assert!(sim.log.take().is_empty());
    sim.advance(Duration::from_nanos(1));
    assert_eq!(sim.wants(), ["abort #1"]);
    assert_eq!(sim.replies(), ["#2 unknown stopped", "#3 stopped", "#4 stopped"], "a second stop joins the first");
    assert_eq!(sim.events(), ["disconnected stopped"]);
}

#[test]
fn stop_in_every_phase_before_the_connection() {
    let mut stages: Vec<(&str, Sim)> = Vec::new();
    let begin = || {
        let mut sim = Sim::at("https://h/", HubConnectionConfig::default().token_provider(true));
        sim.start();
        sim
    };
    stages.push(("token", begin()));
    let mut sim = begin();
    sim.provide(None);
    stages.push(("negotiate", sim));
    let mut sim = begin();
    sim.provide(None);
    sim.answer(200, &crate::support::sim::negotiated(1));
    stages.push(("open", sim));
    let mut sim = begin();
    sim.dial();
    stages.push(("handshake", sim));
    for (stage, mut sim) in stages {
        sim.wants();
        sim.stop();
        assert_eq!(sim.replies(), ["#1 start_failed stopped", "#2 stopped"], "{stage}");
        assert_eq!(sim.wants(), ["abort #1"], "{stage}");
        assert!(sim.events().is_empty(), "{stage}: nothing had been connected");
        assert_eq!((sim.machine.state(), sim.idle()), (State::Disconnected, None), "{stage}");
        // It can be started again.
        sim.start();
        sim.link();
        assert_eq!(sim.replies(), ["#3 started"], "{stage}");
    }
}

#[test]
fn stop_while_waiting_for_the_next_attempt_and_during_it() {
    for elapsed in [500, 1_000] {
        let mut sim = Sim::new(reconnecting([1_000])).connect();
        sim.lose();
        sim.advance(Duration::from_millis(elapsed));
        sim.log.take();
        sim.stop();
        assert_eq!(sim.events(), ["disconnected stopped"]);
        assert_eq!(sim.replies(), ["#2 stopped"]);
        sim.actions.clear();
        sim.log.take();
        sim.seconds(100);
        assert!(sim.log.take().is_empty(), "no dial afterwards");
    }
    // The wait of a first connect.
    let mut sim = Sim::new(reconnecting([1_000]).retry_initial_connect(true));
    sim.start();
    sim.answer(500, "");
    sim.log.take();
    sim.stop();
    assert_eq!(sim.replies(), ["#1 start_failed stopped", "#2 stopped"]);
    assert!(sim.events().is_empty());
}

#[test]
fn stop_when_disconnected_is_fine() {
    let mut sim = Sim::new(HubConnectionConfig::default());
    sim.stop();
    assert_eq!(sim.replies(), ["#1 stopped"]);
    assert!(sim.wants().is_empty());
}

#[test]
fn start_joins_or_is_refused() {
    let mut sim = Sim::new(reconnecting([1_000]));
    sim.start();
    sim.start();
    sim.link();
    sim.start();
    assert_eq!(
        sim.replies(),
        ["#1 started", "#2 started", "#3 start_rejected the connection cannot be started while it is connected"]
    );
    sim.lose();
    sim.start();
    assert_eq!(sim.replies(), ["#4 start_rejected the connection cannot be started while it is reconnecting"]);
    sim.seconds(1);
    sim.link();
    sim.stop();
    sim.start();
    assert_eq!(sim.replies(), ["#6 start_rejected the connection cannot be started while it is disconnecting"]);
}

#[test]
fn queued_records_may_still_leave_before_the_goodbye() {
    let mut sim = Sim::connected();
    sim.is_ready = false;
    sim.call(Call::send("Queued"));
    sim.stop();
    sim.pull();
    assert!(sim.wire()[0].contains("Queued"));
    sim.settle();
    assert_eq!(sim.replies(), ["#2 completed"]);
}

#[test]
fn the_hubs_goodbye_ends_it_unless_it_allows_a_reconnect() {
    let event = r#"{"type":1,"target":"m","arguments":[1]}"#;
    for (close, config, expected) in [
        (r#"{"type":7}"#, reconnecting([0]), vec!["disconnected closed_by_hub"]),
        (r#"{"type":7,"error":"bye"}"#, reconnecting([0]), vec!["disconnected closed_by_hub"]),
        (r#"{"type":7,"allowReconnect":false}"#, reconnecting([0]), vec!["disconnected closed_by_hub"]),
        (r#"{"type":7,"allowReconnect":true}"#, HubConnectionConfig::default(), vec!["disconnected closed_by_hub"]),
        (
            r#"{"type":7,"error":"bye","allowReconnect":true}"#,
            reconnecting([0]),
            vec!["reconnecting closed_by_hub", "waiting 1 0ns closed_by_hub"],
        ),
    ] {
        let mut sim = Sim::new(config).connect();
        sim.on("m", "on", Shape::Any);
        sim.invoke("M");
        sim.log.take();
        sim.text(&format!("{event}\u{1e}{close}\u{1e}{event}\u{1e}garbage\u{1e}"));
        assert_eq!(sim.events(), expected, "{close}");
        assert_eq!(sim.sinks(), ["on [1]", "on gap 1 closed_by_hub []"], "{close}: what follows it is not looked at");
        assert_eq!(sim.replies(), ["#3 unknown closed_by_hub"], "{close}");
        assert_eq!(sim.wants(), [r#"flush #1 {"type":7} 5s"#], "{close}");
        // What the old transport still says changes nothing.
        sim.hub(event);
        sim.lose();
        assert!(sim.log.take().is_empty(), "{close}");
    }
}

#[test]
fn the_end_of_the_transport_is_a_loss_however_polite() {
    for end in [
        TransportEnd::Close { code: Some(1000), reason: "bye".to_owned() },
        TransportEnd::Close { code: None, reason: String::new() },
        TransportEnd::Failed(crate::support::sim::failure(signalr_proto::io::IoFailureKind::Lost)),
        TransportEnd::Failed(crate::support::sim::failure(signalr_proto::io::IoFailureKind::TimedOut)),
    ] {
        let mut sim = Sim::new(reconnecting([0])).connect();
        sim.lose_by(end);
        assert_eq!(sim.events()[0], "reconnecting lost");
        assert!(sim.wants().is_empty(), "there is nothing left to close");
    }
}

#[test]
fn what_the_hub_breaks_during_a_goodbye_changes_no_event_however_it_is_cut() {
    let event = r#"{"type":1,"target":"m","arguments":[1]}"#;
    let bytes = format!("{event}\u{1e}garbage\u{1e}{event}\u{1e}");
    for cut in 0..=bytes.len() {
        let mut sim = Sim::connected();
        sim.on("m", "on", Shape::Any);
        sim.stop();
        sim.log.take();
        sim.text(&bytes[..cut]);
        sim.text(&bytes[cut..]);
        assert_eq!(sim.sinks(), ["on [1]"], "cut at {cut}");
        assert_eq!(sim.events().len(), 1, "cut at {cut}");
        sim.lose();
        assert_eq!(sim.events(), ["disconnected stopped"]);
    }
}

#[test]
fn a_stopped_connection_begins_again_with_a_gap() {
    let mut sim = Sim::connected();
    sim.on("m", "on", Shape::Any);
    sim.stop();
    sim.lose();
    assert!(sim.sinks().is_empty());
    sim.start();
    sim.link();
    assert_eq!(sim.sinks(), ["on gap 1 stopped []"]);
    assert_eq!(sim.events(), ["disconnected stopped", "connected 2 id2"], "nothing had to be restored");
}

/// Law 14: every close that the machine starts names its cause.
#[test]
fn every_hang_up_names_its_cause() {
    use signalr_proto::error::Cause;
    use signalr_proto::time::Instant;
    use signalr_proto::{Action, Command, HubConnection, HubConnectionConfig, Input, Machine, Payload, Token};

    let hangs_up_on = |received: &str, until: u64| {
        let config = HubConnectionConfig::default().skip_negotiation(true).max_record_bytes(100);
        let mut machine = HubConnection::new("http://127.0.0.1/hub", config).unwrap();
        let now = Instant::from_nanos(0);
        machine.handle_command(now, Token(1), Command::Start);
        let Some(Action::Open { attempt, .. }) = machine.poll_action() else { panic!("a start opens a WebSocket") };
        machine.handle_input(now, Input::Opened { attempt, result: Ok(()) });
        machine.handle_input(now, Input::Received { attempt, payload: Payload::Text(received) });
        machine.handle_timeout(now + std::time::Duration::from_secs(until));
        match machine.poll_action() {
            Some(Action::Close { cause, .. }) => cause,
            other => panic!("after {received:?}: {other:?}"),
        }
    };
    let long = format!("{{}}\u{1e}{}", "x".repeat(101));
    for (received, until, cause) in [
        ("", 15, Cause::HandshakeTimeout),
        ("{\"error\":\"no\"}\u{1e}", 0, Cause::HandshakeRejected),
        ("{}\u{1e}", 30, Cause::ServerTimeout),
        ("{}\u{1e}garbage\u{1e}", 0, Cause::ProtocolViolation),
        ("{}\u{1e}{\"type\":7}\u{1e}", 0, Cause::ClosedByHub),
        (&long, 0, Cause::Oversize),
    ] {
        assert_eq!(hangs_up_on(received, until), cause, "{received:?}");
    }
}
