//! Restoring subscriptions on a new connection, and the gaps between.

use std::time::Duration;

use signalr_proto::Role;
use signalr_proto::subscription::SubscriptionRequest;

use crate::support::sim::{Call, Sim, reconnecting, subscription};
use crate::support::sinks::{Handle, Shape};

use super::{outage, reconnect, sub, subscribed};

#[test]
fn after_a_reconnect_the_wishes_go_first_in_their_order() {
    let mut sim = subscribed(outage(), &["b", "a", "c"]);
    sim.lose();
    sim.seconds(0);
    sim.dial();
    sim.is_ready = false;
    sim.hub("{}");
    sim.call(Call::send("Mine"));
    sim.pull();
    assert_eq!(
        sim.wire(),
        [
            r#"{"protocol":"json","version":1}"#.to_owned(),
            r#"{"type":6}"#.to_owned(),
            sub(4, "b"),
            sub(5, "a"),
            sub(6, "c"),
            r#"{"type":1,"target":"Mine","arguments":[]}"#.to_owned(),
        ]
    );
    sim.settle();
    for id in ["5", "4", "6"] {
        sim.complete(id);
    }
    assert_eq!(
        sim.events(),
        [
            "reconnecting lost",
            "gap_opened b lost",
            "gap_opened a lost",
            "gap_opened c lost",
            "waiting 1 0ns lost",
            "reconnected 2 id2",
            "gap_closed a",
            "gap_closed b",
            "gap_closed c",
            "restored",
        ]
    );
}

#[test]
fn a_loss_leaves_a_pending_subscribe_pending() {
    for answered_to_hub in [false, true] {
        let mut sim = Sim::new(outage()).connect();
        sim.is_ready = answered_to_hub;
        sim.subscribe(&subscription("a"));
        sim.is_ready = true;
        sim.lose();
        assert!(sim.replies().is_empty());
        // A gap for what had been written alone.
        let gaps = sim.events().iter().filter(|event| event.starts_with("gap_opened")).count();
        assert_eq!(gaps, usize::from(answered_to_hub));
        sim.seconds(0);
        sim.link();
        sim.complete("2");
        assert_eq!(sim.replies(), ["#2 subscribed 0"]);
    }
}

#[test]
fn a_refused_restore_is_tried_again_after_1_5_30_and_then_every_60_seconds() {
    let mut sim = subscribed(outage().keep_alive_interval(None).server_timeout(None), &["a"]);
    reconnect(&mut sim);
    sim.wire();
    sim.events();
    sim.refuse("2", "not now");
    assert_eq!(sim.events(), ["subscription_failed a not now", "restored"], "answered for, though not well");
    let mut id = 3;
    for wait in [1, 5, 30, 60, 60, 60] {
        sim.advance(Duration::from_secs(wait) - Duration::from_nanos(1));
        assert!(sim.wire().is_empty(), "before {wait} s");
        sim.advance(Duration::from_nanos(1));
        assert_eq!(sim.wire(), [sub(id, "a")], "after {wait} s");
        sim.refuse(&id.to_string(), "not now");
        assert_eq!(sim.events(), ["subscription_failed a not now"]);
        id += 1;
    }
    sim.seconds(60);
    sim.complete(&id.to_string());
    assert_eq!(sim.events(), ["gap_closed a"], "once the hub has agreed");
    assert!(sim.replies().is_empty());
}

#[test]
fn a_new_connection_begins_the_delays_of_a_refused_restore_anew() {
    let mut sim = subscribed(outage(), &["a"]);
    for _ in 0..3 {
        reconnect(&mut sim);
        let id = sim.wire().last().unwrap().split('"').nth(5).unwrap().to_owned();
        sim.refuse(&id, "no");
        sim.advance(Duration::from_nanos(999_999_999));
        assert!(sim.wire().is_empty());
        sim.advance(Duration::from_nanos(1));
        assert_eq!(sim.wire().len(), 1);
    }
}

#[test]
fn one_refusal_does_not_touch_the_others() {
    let mut sim = subscribed(outage(), &["a", "b"]);
    reconnect(&mut sim);
    sim.events();
    sim.refuse("3", "no");
    sim.complete("4");
    assert_eq!(sim.events(), ["subscription_failed a no", "gap_closed b", "restored"]);
}

#[test]
fn whoever_joins_a_refused_key_asks_again_and_is_believed_alone() {
    let mut sim = subscribed(outage(), &["a"]);
    reconnect(&mut sim);
    sim.refuse("2", "no");
    sim.wire();
    sim.log.take();
    sim.subscribe(&subscription("a"));
    assert_eq!(sim.wire(), [sub(3, "a")]);
    sim.refuse("3", "no");
    assert_eq!(sim.replies(), ["#3 subscribe hub_error no"]);
    assert_eq!(sim.events(), ["subscription_failed a no"], "the first subscriber's wish stays");
    sim.seconds(5);
    assert_eq!(sim.wire(), [sub(4, "a")]);
    // Leaving ends the attempts.
    sim.refuse("4", "no");
    sim.unsubscribe(&subscription("a"), None);
    sim.log.take();
    sim.seconds(29);
    assert!(sim.wire().iter().all(|record| record.contains("\"type\":6")));
}

#[test]
fn gaps_go_to_the_listeners_whose_targets_are_fed() {
    let mut sim = Sim::new(outage()).connect();
    sim.on("Quote", "quote", Shape::Any);
    sim.on("Trade", "trade", Shape::Any);
    let feeds = |key: &str, targets: &[&str]| SubscriptionRequest {
        targets: targets.iter().map(|target| (*target).to_owned()).collect(),
        ..subscription(key)
    };
    for (index, request) in
        [feeds("q", &["Quote"]), feeds("t", &["Trade", "Other"]), feeds("x", &[])].iter().enumerate()
    {
        sim.subscribe(request);
        sim.complete(&(index + 1).to_string());
    }
    sim.lose();
    let mut lines = sim.sinks();
    lines.sort();
    assert_eq!(lines, [r#"quote gap 1 lost [Sub["q"] Sub["x"]]"#, r#"trade gap 1 lost [Sub["t"] Sub["x"]]"#]);
}

#[test]
fn a_gap_stands_before_the_first_later_event() {
    let mut sim = subscribed(outage(), &["a"]);
    sim.register("m", "on", Shape::Any, Role::Listener, Handle::default());
    let event = r#"{"type":1,"target":"m","arguments":[1]}"#;
    sim.hub(event);
    sim.lose();
    sim.seconds(0);
    sim.dial();
    sim.text(&format!("{{}}\u{1e}{event}\u{1e}"));
    assert_eq!(sim.sinks(), ["on [1]", r#"on gap 1 lost [Sub["a"]]"#, "on [1]"]);
}

#[test]
fn a_loss_in_the_middle_of_a_restore_asks_for_all_again() {
    let mut sim = subscribed(outage(), &["a", "b", "c"]);
    reconnect(&mut sim);
    sim.complete("4");
    sim.wire();
    sim.log.take();
    reconnect(&mut sim);
    assert_eq!(sim.wire()[2..], [sub(7, "a"), sub(8, "b"), sub(9, "c")]);
    let events = sim.events();
    assert!(!events.contains(&"restored".to_owned()));
    assert_eq!(events.iter().filter(|event| event.starts_with("gap_opened")).count(), 3, "{events:?}");
    for id in ["7", "8", "9"] {
        sim.complete(id);
    }
    assert_eq!(sim.events(), ["gap_closed a", "gap_closed b", "gap_closed c", "restored"]);
}

/// What the hub does not answer twice over is asked for on another connection: once, until it has agreed.
#[test]
fn cf_37_what_the_hub_does_not_restore_costs_the_connection_once() {
    let mut sim = Sim::new(reconnecting([0])).connect();
    for (id, key) in ["1", "2"].iter().zip(["a", "b"]) {
        sim.subscribe(&subscription(key));
        sim.complete(id);
    }
    sim.lose();
    sim.seconds(0);
    sim.link();
    sim.complete("3");
    sim.log.take();
    let quiet = |sim: &mut Sim, seconds: u64| {
        for _ in 0..seconds {
            sim.seconds(1);
            sim.hub(r#"{"type":6}"#);
        }
    };
    quiet(&mut sim, 30);
    assert_eq!(sim.events(), ["subscription_failed b the hub did not answer within the deadline", "restored"]);
    quiet(&mut sim, 29);
    assert!(sim.events().is_empty());
    sim.seconds(1);
    assert_eq!(
        sim.events(),
        [
            "reconnecting server_timeout",
            "gap_opened a server_timeout",
            "gap_opened b server_timeout",
            "waiting 1 0ns server_timeout"
        ]
    );
    sim.link();
    sim.complete("5");
    sim.log.take();
    // A hub that never answers it costs the others no more than that.
    quiet(&mut sim, 600);
    assert_eq!(sim.events(), ["subscription_failed b the hub did not answer within the deadline", "restored"]);
    // Its answer still counts, and then it has its two chances again.
    sim.complete("6");
    assert_eq!(sim.events(), ["gap_closed b"]);
}
