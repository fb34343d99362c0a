//! Asking for a subscription: one call a key, whoever wants it, and what the hub's answer means.

use signalr_proto::HubConnectionConfig;
use signalr_proto::subscription::SubscriptionRequest;

use crate::support::sim::{Sim, subscription};

use super::{outage, reconnect, sub, subscribed, unsub};

#[test]
fn a_subscribe_is_a_call_and_the_hubs_answer_ends_it() {
    let mut sim = Sim::connected();
    sim.subscribe(&subscription("a"));
    assert_eq!(sim.wire(), [sub(1, "a")]);
    assert!(sim.replies().is_empty());
    sim.complete("1");
    assert_eq!(sim.replies(), ["#2 subscribed 0"]);
    assert_eq!(sim.events(), ["subscribed a"], "no gap where nothing was lost");
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
fn keys_differ_by_methods_and_arguments() {
    let mut sim = Sim::connected();
    sim.subscribe(&subscription("a"));
    sim.subscribe(&subscription("b"));
    sim.subscribe(&SubscriptionRequest { unsubscribe: None, ..subscription("a") });
    assert_eq!(sim.wire(), [sub(1, "a"), sub(2, "b"), sub(3, "a")]);
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
    let expected = ["connected 1 id1", "subscribed a", "subscribed b", "subscribed c", "restored"];
    assert_eq!(sim.events(), expected, "no gap: nothing had been asked for before");
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
