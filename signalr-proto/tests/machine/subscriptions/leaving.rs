//! Leaving subscriptions, and what a stop does to those that wait.

use signalr_proto::subscription::SubscriptionRequest;
use signalr_proto::{Command, HubConnectionConfig, State};

use crate::support::sim::{Sim, reconnecting, subscription};
use crate::support::sinks::Shape;

use super::{outage, reconnect, sub, subscribed, unsub};

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
    assert_eq!(sim.events(), ["gap_closed a", "subscribed b", "restored"]);
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
