//! Feeds that turn to garbage: degraded, a gap, a fresh snapshot; everything else untouched.

use signalr_proto::State;
use signalr_proto::subscription::SubscriptionRequest;

use crate::support::sim::{Sim, subscription};
use crate::support::sinks::Shape;

fn feeding(key: &str, target: &str) -> SubscriptionRequest {
    SubscriptionRequest { targets: vec![target.to_owned()], ..subscription(key) }
}

/// Connected, with `a` feeding T and `b` feeding U, and a listener for integers on each.
fn fed() -> Sim {
    let mut sim = Sim::connected();
    sim.on("T", "t", Shape::Integer);
    sim.on("U", "u", Shape::Integer);
    sim.subscribe(&feeding("a", "T"));
    sim.subscribe(&feeding("b", "U"));
    sim.complete("1");
    sim.complete("2");
    sim.wire();
    sim.log.take();
    sim
}

fn send(sim: &mut Sim, target: &str, argument: &str) {
    sim.hub(&format!(r#"{{"type":1,"target":"{target}","arguments":[{argument}]}}"#));
}

fn garbage(sim: &mut Sim, times: usize) {
    (0..times).for_each(|_| send(sim, "T", "\"garbage\""));
}

/// The events but for the malformed ones, which come one for each payload.
fn news(sim: &mut Sim) -> Vec<String> {
    sim.events().into_iter().filter(|event| !event.starts_with("malformed")).collect()
}

#[test]
fn five_in_a_row_degrade_the_feed_and_its_subscription_is_asked_for_anew() {
    let mut sim = fed();
    garbage(&mut sim, 4);
    assert!(news(&mut sim).is_empty());
    garbage(&mut sim, 1);
    assert_eq!(news(&mut sim), ["feed_degraded T", "gap_opened a protocol_violation"]);
    assert_eq!(sim.wire(), [r#"{"type":1,"invocationId":"3","target":"Unsub","arguments":["a"]}"#]);
    sim.complete("3");
    assert_eq!(sim.wire(), [r#"{"type":1,"invocationId":"4","target":"Sub","arguments":["a"]}"#]);
    send(&mut sim, "T", "1");
    sim.complete("4");
    assert_eq!(news(&mut sim), ["feed_recovered T", "gap_closed a"]);
    assert_eq!(sim.machine.state(), State::Connected);
    let told: Vec<_> = sim.sinks().into_iter().filter(|line| !line.contains("malformed")).collect();
    assert_eq!(
        told,
        ["t gap 1 protocol_violation [Sub[\"a\"]]", "t [1]"],
        "the gap stands before the next event; U has none"
    );
}

#[test]
fn any_good_payload_begins_the_count_anew() {
    let mut sim = fed();
    for number in 0..20 {
        garbage(&mut sim, 4);
        send(&mut sim, "T", &number.to_string());
    }
    assert!(news(&mut sim).is_empty());
    assert!(sim.wire().is_empty());
    let numbers: Vec<_> = sim.sinks().into_iter().filter(|line| !line.contains("malformed")).collect();
    assert_eq!(numbers, (0..20).map(|number| format!("t [{number}]")).collect::<Vec<_>>());
}

#[test]
fn the_other_feed_goes_on() {
    let mut sim = fed();
    for number in 0..5 {
        garbage(&mut sim, 1);
        send(&mut sim, "U", &number.to_string());
    }
    let others: Vec<_> = sim.sinks().into_iter().filter(|line| line.starts_with('u')).collect();
    assert_eq!(others, (0..5).map(|number| format!("u [{number}]")).collect::<Vec<_>>());
    assert_eq!(news(&mut sim), ["feed_degraded T", "gap_opened a protocol_violation"]);
}

#[test]
fn while_it_gets_no_better_it_is_asked_for_again_after_10_20_40_80_s() {
    let mut sim = fed();
    let mut asked = Vec::new();
    for second in 0..400 {
        // The hub pings, and sends garbage twice a second.
        garbage(&mut sim, 5);
        for record in sim.wire() {
            if let Some(id) = record.split("\"invocationId\":\"").nth(1).and_then(|rest| rest.split('"').next()) {
                sim.complete(id);
            }
            if record.contains("Unsub") {
                asked.push(second);
            }
        }
        sim.seconds(1);
    }
    assert_eq!(asked, [0, 10, 30, 70, 150, 230, 310, 390]);
    assert_eq!(sim.machine.state(), State::Connected);
}

#[test]
fn a_target_that_no_subscription_names_is_told_and_nothing_is_asked() {
    let mut sim = Sim::connected();
    sim.on("T", "t", Shape::Integer);
    sim.subscribe(&subscription("a"));
    sim.complete("1");
    sim.wire();
    sim.log.take();
    garbage(&mut sim, 5);
    assert_eq!(news(&mut sim), ["feed_degraded T"]);
    assert!(sim.wire().is_empty());
}

#[test]
fn a_new_connection_begins_with_a_clean_slate() {
    let mut sim = Sim::new(crate::support::sim::reconnecting([0, 0])).connect();
    sim.on("T", "t", Shape::Integer);
    for _ in 0..2 {
        garbage(&mut sim, 4);
        sim.lose();
        sim.seconds(0);
        sim.link();
    }
    assert!(!sim.events().iter().any(|event| event.starts_with("feed")));
}
