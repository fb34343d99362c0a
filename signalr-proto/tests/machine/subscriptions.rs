//! Durable subscriptions: what is written in which order, who is told what, and the gaps between.

use std::time::Duration;

use signalr_proto::subscription::SubscriptionRequest;
use signalr_proto::{Command, HubConnectionConfig, Role, State};

use crate::support::sim::{Call, Sim, reconnecting, subscription};
use crate::support::sinks::{Handle, Shape};

fn sub(id: u64, key: &str) -> String {
    format!(r#"{{"type":1,"invocationId":"{id}","target":"Sub","arguments":["{key}"]}}"#)
}

fn unsub(id: u64, key: &str) -> String {
    format!(r#"{{"type":1,"invocationId":"{id}","target":"Unsub","arguments":["{key}"]}}"#)
}

/// Connected, with acknowledged subscriptions to these keys (ids 1, 2, ...; tokens #2, #3, ...).
fn subscribed(config: HubConnectionConfig, keys: &[&str]) -> Sim {
    let mut sim = Sim::new(config).connect();
    for (index, key) in keys.iter().enumerate() {
        sim.subscribe(&subscription(key));
        sim.complete(&(index + 1).to_string());
    }
    sim.wire();
    sim.log.take();
    sim
}

fn outage() -> HubConnectionConfig {
    reconnecting([0, 0, 0, 0])
}

fn reconnect(sim: &mut Sim) {
    sim.lose();
    sim.seconds(0);
    sim.link();
}

#[test]
fn a_subscribe_is_a_call_and_the_hubs_answer_ends_it() {
    let mut sim = Sim::connected();
    sim.subscribe(&subscription("a"));
    assert_eq!(sim.wire(), [sub(1, "a")]);
    assert!(sim.replies().is_empty());
    sim.complete("1");
    assert_eq!(sim.replies(), ["#2 subscribed 0"]);
    assert!(sim.events().is_empty(), "no gap where nothing was lost");
}

#[test]
fn a_refusal_at_first_is_believed() {
    let mut sim = Sim::new(outage()).connect();
    sim.subscribe(&subscription("a"));
    sim.refuse("1", "no such contract");
    assert_eq!(sim.replies(), ["#2 subscribe hub_error no such contract"]);
    sim.unsubscribe(&subscription("a"), None);
    assert!(sim.replies()[0].starts_with("#3 unsubscribe rejected"), "it is no wish any more");
    sim.wire();
    reconnect(&mut sim);
    assert_eq!(sim.wire().len(), 2, "handshake and ping alone");
    assert!(sim.events().iter().all(|event| !event.starts_with("gap")));
}

#[test]
fn a_second_subscriber_costs_no_second_call() {
    let mut sim = Sim::connected();
    sim.subscribe(&subscription("a"));
    sim.subscribe(&subscription("a"));
    assert_eq!(sim.wire(), [sub(1, "a")]);
    sim.complete("1");
    assert_eq!(sim.replies(), ["#2 subscribed 0", "#3 subscribed 0"]);
    sim.subscribe(&subscription("a"));
    assert_eq!(sim.replies(), ["#4 subscribed 0"], "at once");
    assert!(sim.wire().is_empty());
    // The hub is told with the last one.
    sim.unsubscribe(&subscription("a"), None);
    sim.unsubscribe(&subscription("a"), None);
    assert_eq!(sim.replies(), ["#5 unsubscribed", "#6 unsubscribed"]);
    assert!(sim.wire().is_empty());
    sim.unsubscribe(&subscription("a"), None);
    assert_eq!(sim.wire(), [unsub(2, "a")]);
    assert!(sim.replies().is_empty());
    sim.complete("2");
    assert_eq!(sim.replies(), ["#7 unsubscribed"]);
    sim.unsubscribe(&subscription("a"), None);
    assert!(sim.replies()[0].starts_with("#8 unsubscribe rejected"));
}

#[test]
fn two_waiting_subscribers_are_both_refused() {
    let mut sim = Sim::connected();
    sim.subscribe(&subscription("a"));
    sim.subscribe(&subscription("a"));
    sim.refuse("1", "no");
    assert_eq!(sim.replies(), ["#2 subscribe hub_error no", "#3 subscribe hub_error no"]);
}

#[test]
fn without_an_unsubscribe_method_leaving_is_a_matter_of_this_side() {
    let mut sim = Sim::connected();
    let request = SubscriptionRequest { unsubscribe: None, ..subscription("a") };
    sim.subscribe(&request);
    sim.complete("1");
    sim.wire();
    sim.unsubscribe(&request, None);
    assert!(sim.wire().is_empty());
    assert_eq!(sim.replies(), ["#2 subscribed 0", "#3 unsubscribed"]);
}

#[test]
fn keys_differ_by_methods_and_arguments() {
    let mut sim = Sim::connected();
    sim.subscribe(&subscription("a"));
    sim.subscribe(&subscription("b"));
    sim.subscribe(&SubscriptionRequest { unsubscribe: None, ..subscription("a") });
    assert_eq!(sim.wire(), [sub(1, "a"), sub(2, "b"), sub(3, "a")]);
}

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
fn a_wish_before_the_start_is_asked_for_once_connected() {
    let mut sim = Sim::new(HubConnectionConfig::default());
    sim.subscribe(&subscription("a"));
    sim.start();
    sim.subscribe(&subscription("b"));
    sim.dial();
    sim.subscribe(&subscription("c"));
    sim.seconds(14);
    sim.hub("{}");
    assert_eq!(sim.wire()[2..], [sub(1, "a"), sub(2, "b"), sub(3, "c")]);
    for id in ["1", "2", "3"] {
        sim.complete(id);
    }
    assert_eq!(sim.events(), ["connected 1 id1", "restored"], "no gap: nothing had been asked for before");
    assert_eq!(sim.replies(), ["#2 started", "#1 subscribed 0", "#3 subscribed 0", "#4 subscribed 0"]);
}

#[test]
fn a_failed_start_keeps_the_wish() {
    let mut sim = Sim::new(HubConnectionConfig::default());
    sim.subscribe(&subscription("a"));
    sim.start();
    sim.answer(500, "");
    assert_eq!(sim.replies(), ["#2 start_failed http_status"]);
    sim.start();
    sim.link();
    sim.complete("1");
    assert_eq!(sim.replies(), ["#3 started", "#1 subscribed 0"]);
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
fn an_unsubscribe_of_what_is_still_queued_sends_nothing() {
    let mut sim = Sim::connected();
    sim.is_ready = false;
    let pending = sim.subscribe(&subscription("a"));
    sim.unsubscribe(&subscription("a"), Some(pending));
    assert_eq!(sim.replies(), ["#2 subscribe cancelled", "#3 unsubscribed"]);
    sim.is_ready = true;
    sim.settle();
    assert!(sim.wire().is_empty());
}

#[test]
fn an_unsubscribe_in_flight_waits_for_the_subscribes_answer() {
    for (answer, ends_at_once) in
        [(r#"{"type":3,"invocationId":"1"}"#, false), (r#"{"type":3,"invocationId":"1","error":"no"}"#, true)]
    {
        let mut sim = Sim::connected();
        let pending = sim.subscribe(&subscription("a"));
        sim.wire();
        sim.unsubscribe(&subscription("a"), Some(pending));
        assert_eq!(sim.replies(), ["#2 subscribe cancelled"]);
        assert!(sim.wire().is_empty(), "two calls of a key never overlap");
        sim.hub(answer);
        if ends_at_once {
            assert_eq!((sim.replies(), sim.wire()), (vec!["#3 unsubscribed".to_owned()], vec![]));
        } else {
            assert_eq!((sim.replies(), sim.wire()), (vec![], vec![unsub(2, "a")]));
            sim.complete("2");
            assert_eq!(sim.replies(), ["#3 unsubscribed"]);
        }
    }
}

#[test]
fn an_unsubscribe_while_reconnecting_is_done_at_once_and_nothing_is_sent() {
    let mut sim = subscribed(outage(), &["a", "b"]);
    sim.lose();
    sim.unsubscribe(&subscription("a"), None);
    assert_eq!(sim.replies(), ["#4 unsubscribed"]);
    sim.seconds(0);
    sim.link();
    assert_eq!(sim.wire()[2..], [sub(3, "b")]);
    sim.complete("3");
    assert_eq!(sim.events().last().map(String::as_str), Some("restored"));
}

#[test]
fn an_unsubscribe_of_the_last_key_to_restore_completes_the_restore() {
    let mut sim = subscribed(outage(), &["a"]);
    reconnect(&mut sim);
    sim.events();
    sim.unsubscribe(&subscription("a"), None);
    assert_eq!(sim.events(), ["restored"]);
    sim.wire();
    sim.complete("2");
    assert_eq!(sim.wire(), [unsub(3, "a")]);
    sim.complete("3");
    assert_eq!(sim.replies(), ["#3 unsubscribed"]);
    assert!(sim.events().is_empty());
}

#[test]
fn subscribing_again_before_the_unsubscribe_is_acknowledged_begins_a_new_epoch() {
    let mut sim = subscribed(outage(), &["a"]);
    sim.unsubscribe(&subscription("a"), None);
    assert_eq!(sim.wire(), [unsub(2, "a")]);
    sim.subscribe(&subscription("a"));
    assert!(sim.wire().is_empty(), "two calls of a key never overlap");
    sim.complete("2");
    assert_eq!(sim.wire(), [sub(3, "a")]);
    assert_eq!(sim.replies(), ["#3 unsubscribed"]);
    sim.complete("3");
    assert_eq!(sim.replies(), ["#4 subscribed 1"]);
}

#[test]
fn subscribing_again_before_the_subscribe_is_acknowledged_answers_everybody() {
    for is_refused in [false, true] {
        let mut sim = Sim::connected();
        sim.subscribe(&subscription("a"));
        sim.unsubscribe(&subscription("a"), None);
        sim.subscribe(&subscription("a"));
        assert_eq!(sim.replies(), ["#2 subscribe cancelled"]);
        sim.wire();
        if is_refused {
            sim.refuse("1", "no");
        } else {
            sim.complete("1");
        }
        assert!(sim.wire().is_empty(), "the hub has what is wished");
        let mut replies = sim.replies();
        replies.sort();
        let subscribed = if is_refused { "#4 subscribe hub_error no" } else { "#4 subscribed 0" };
        assert_eq!(replies, ["#3 unsubscribed", subscribed]);
    }
}

#[test]
fn everybody_who_waits_is_told_when_the_last_one_leaves() {
    let mut sim = Sim::connected();
    let first = sim.subscribe(&subscription("a"));
    sim.subscribe(&subscription("a"));
    sim.unsubscribe(&subscription("a"), None);
    sim.unsubscribe(&subscription("a"), Some(first));
    sim.complete("1");
    sim.complete("2");
    let mut replies = sim.replies();
    replies.sort();
    assert_eq!(replies, ["#2 subscribe cancelled", "#3 subscribe cancelled", "#4 unsubscribed", "#5 unsubscribed"]);
}

#[test]
fn one_of_two_pending_subscribers_may_leave_by_name() {
    let mut sim = Sim::connected();
    let first = sim.subscribe(&subscription("a"));
    sim.subscribe(&subscription("a"));
    sim.unsubscribe(&subscription("a"), Some(first));
    assert_eq!(sim.replies(), ["#2 subscribe cancelled", "#4 unsubscribed"]);
    sim.complete("1");
    assert_eq!(sim.replies(), ["#3 subscribed 0"]);
}

#[test]
fn a_refused_unsubscribe_is_told_and_the_wish_is_gone() {
    let mut sim = subscribed(outage(), &["a"]);
    sim.unsubscribe(&subscription("a"), None);
    sim.refuse("2", "no");
    assert_eq!(sim.replies(), ["#3 unsubscribe hub_error no"]);
    sim.wire();
    reconnect(&mut sim);
    assert_eq!(sim.wire().len(), 2);
}

#[test]
fn a_loss_ends_an_unsubscribe_well_and_restores_nothing_of_it() {
    let mut sim = subscribed(outage(), &["a", "b"]);
    sim.unsubscribe(&subscription("a"), None);
    sim.unsubscribe(&subscription("b"), None);
    sim.subscribe(&subscription("b"));
    sim.wire();
    sim.lose();
    assert_eq!(sim.replies(), ["#4 unsubscribed", "#5 unsubscribed"]);
    assert_eq!(sim.events(), ["reconnecting lost", "gap_opened b lost", "waiting 1 0ns lost"]);
    sim.seconds(0);
    sim.link();
    assert_eq!(sim.wire()[2..], [sub(5, "b")]);
    sim.complete("5");
    assert_eq!(sim.replies(), ["#6 subscribed 0"]);
}

#[test]
fn wishes_outlive_a_stop_and_the_next_start_tells_the_gap() {
    let mut sim = subscribed(outage(), &["a"]);
    sim.on("m", "on", Shape::Any);
    sim.stop();
    sim.lose();
    assert_eq!(sim.events(), ["disconnected stopped"]);
    sim.subscribe(&subscription("b"));
    sim.start();
    sim.link();
    assert_eq!(sim.events(), ["gap_opened a stopped", "connected 2 id2"]);
    assert_eq!(sim.sinks(), ["on gap 1 stopped [Sub[\"a\"]]"]);
    assert_eq!(sim.wire()[2..], [sub(2, "a"), sub(3, "b")]);
    sim.complete("2");
    sim.complete("3");
    assert_eq!(sim.events(), ["gap_closed a", "restored"]);
}

#[test]
fn a_stop_ends_what_waits_truthfully_and_keeps_the_wish() {
    for (is_ready, expected) in [(true, "#2 subscribe unknown stopped"), (false, "#2 subscribe not_sent stopped")] {
        let mut sim = Sim::connected();
        sim.is_ready = is_ready;
        sim.subscribe(&subscription("a"));
        sim.stop();
        sim.lose();
        sim.is_ready = true;
        assert_eq!(sim.replies(), [expected, "#3 stopped"]);
        sim.start();
        sim.link();
        assert_eq!(sim.wire().last(), Some(&sub(2, "a")));
    }
}

#[test]
fn a_stop_during_an_outage_does_not_call_not_sent_what_was_sent() {
    for (is_ready, expected) in [(true, "#2 subscribe unknown stopped"), (false, "#2 subscribe not_sent stopped")] {
        let mut sim = Sim::new(reconnecting([1_000])).connect();
        sim.is_ready = is_ready;
        sim.subscribe(&subscription("a"));
        sim.lose();
        sim.stop();
        assert_eq!(sim.replies(), [expected, "#3 stopped"]);
    }
}

#[test]
fn a_stop_while_disconnected_ends_what_waits_too() {
    let mut sim = Sim::new(HubConnectionConfig::default());
    sim.subscribe(&subscription("a"));
    sim.stop();
    assert_eq!(sim.replies(), ["#1 subscribe not_sent stopped", "#2 stopped"]);
    sim.start();
    sim.link();
    assert_eq!(sim.wire().last(), Some(&sub(1, "a")), "the wish stays");
}

#[test]
fn a_hub_that_does_not_answer_is_told_and_a_late_answer_counts() {
    let mut sim = subscribed(outage().server_timeout(None).keep_alive_interval(None), &["a"]);
    sim.subscribe(&subscription("b"));
    sim.seconds(29);
    sim.subscribe(&subscription("b"));
    sim.seconds(1);
    assert_eq!(sim.replies(), ["#3 subscribe unknown deadline", "#4 subscribe unknown deadline"]);
    sim.complete("2");
    sim.subscribe(&subscription("b"));
    assert_eq!(sim.replies(), ["#5 subscribed 0"]);
    // A restore.
    reconnect(&mut sim);
    sim.events();
    sim.complete("3");
    sim.seconds(30);
    assert_eq!(
        sim.events(),
        ["gap_closed a", "subscription_failed b the hub did not answer within the deadline", "restored"]
    );
    sim.complete("4");
    assert_eq!(sim.events(), ["gap_closed b"]);
    // An unsubscribe.
    sim.log.take();
    sim.unsubscribe(&subscription("a"), None);
    sim.seconds(30);
    assert_eq!(sim.replies(), ["#6 unsubscribe hub_error the hub did not answer within the deadline"]);
    sim.complete("5");
    sim.unsubscribe(&subscription("a"), None);
    assert!(sim.replies()[0].starts_with("#7 unsubscribe rejected"), "it is gone");
}

#[test]
fn whoever_joins_a_call_without_an_answer_has_a_deadline_of_his_own() {
    let mut sim = Sim::new(HubConnectionConfig::default().server_timeout(None).keep_alive_interval(None)).connect();
    sim.subscribe(&subscription("a"));
    sim.seconds(30);
    sim.subscribe(&subscription("a"));
    sim.seconds(30);
    assert_eq!(sim.replies(), ["#2 subscribe unknown deadline", "#3 subscribe unknown deadline"]);
    // Leaving: the subscribe is still in flight.
    sim.unsubscribe(&subscription("a"), None);
    sim.unsubscribe(&subscription("a"), None);
    sim.seconds(30);
    assert_eq!(
        sim.replies(),
        ["#4 unsubscribed", "#5 unsubscribe hub_error the hub did not answer within the deadline"]
    );
    // Coming back behind it.
    sim.complete("1");
    assert_eq!(sim.wire().last(), Some(&unsub(2, "a")));
    sim.subscribe(&subscription("a"));
    sim.seconds(30);
    assert_eq!(sim.replies(), ["#6 subscribe not_sent deadline"], "only the unsubscribe was sent");
    sim.complete("2");
    assert_eq!(sim.wire(), [sub(3, "a")], "the wish stays");
}

#[test]
fn a_wish_kept_after_a_deadline_is_not_dropped_by_a_late_refusal() {
    let mut sim = Sim::new(HubConnectionConfig::default().server_timeout(None).keep_alive_interval(None)).connect();
    sim.subscribe(&subscription("a"));
    sim.seconds(30);
    sim.log.take();
    sim.wire();
    sim.refuse("1", "no");
    assert_eq!(sim.events(), ["subscription_failed a no"]);
    sim.seconds(1);
    assert_eq!(sim.wire(), [sub(2, "a")]);
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

#[test]
fn there_is_a_limit() {
    let mut sim = Sim::new(HubConnectionConfig::default().max_subscriptions(2)).connect();
    for key in ["a", "b", "c", "a"] {
        sim.subscribe(&subscription(key));
    }
    assert_eq!(sim.replies(), ["#4 subscribe rejected more than 2 subscriptions"]);
    assert_eq!(sim.wire().len(), 2);
}

#[test]
fn arguments_that_hold_a_separator_are_refused() {
    let mut sim = Sim::connected();
    sim.subscribe(&subscription("\u{1e}"));
    assert!(sim.replies()[0].starts_with("#2 subscribe rejected"));
}

#[test]
fn an_unsubscribe_after_the_end_is_done_at_once() {
    let mut sim = subscribed(HubConnectionConfig::default(), &["a"]);
    sim.lose();
    assert_eq!(sim.machine.state(), State::Disconnected);
    sim.log.take();
    sim.command(Command::Unsubscribe { key: subscription("a").key(), subscriber: None });
    assert_eq!(sim.replies(), ["#3 unsubscribed"]);
    sim.start();
    sim.link();
    assert_eq!(sim.wire().len(), 2);
    assert_eq!(sim.events(), ["connected 2 id2"], "there is nothing to restore");
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
