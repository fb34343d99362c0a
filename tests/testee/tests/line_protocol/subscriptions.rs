//! Durable subscriptions, their gaps and their names.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use mock_hub::script::{ScriptHub, Session};
use mock_hub::{How, MockHub, Options};
use serde_json::{Value, json};

use crate::driver::{Testee, eventually};
use crate::on_both_runtimes;

on_both_runtimes!(
    a_wish_outlives_outages_and_stops,
    two_names_share_one_call,
    a_name_is_one_wish,
    a_refusal_is_believed,
    a_refused_restore_is_told,
    leaving_while_reconnecting,
    leaving_before_the_answer,
    stopping_before_the_answer,
    pending_at_a_loss,
);

fn hub() -> MockHub {
    MockHub::start(Options { quotes_per_second: 0.0, counted_quotes: true, ..Options::default() }).unwrap()
}

fn subscribe(call: &str, key: &str, contract: &str) -> Value {
    let (on, off) = (json!(["SubscribeContractQuotes", [contract]]), json!(["UnsubscribeContractQuotes", [contract]]));
    json!({"do": "subscribe", "call": call, "key": key, "subscribe": on, "unsubscribe": off})
}

fn unsubscribe(call: &str, key: &str) -> Value {
    json!({"do": "unsubscribe", "call": call, "key": key})
}

fn start(testee: &mut Testee, url: &str, delays: Value) {
    testee.say([json!({"do": "build", "url": url, "reconnectDelaysMs": delays}), json!({"do": "start", "call": "s"})]);
    testee.wait(json!({"call": "s", "outcome": "ok"}));
}

/// The methods that the hub was asked for.
fn called(hub: &MockHub) -> Vec<String> {
    hub.calls()
        .iter()
        .map(|call| format!("{} {}", call.target.replace("ContractQuotes", ""), call.arguments[0].as_str().unwrap()))
        .collect()
}

fn a_wish_outlives_outages_and_stops(mut testee: Testee) {
    let hub = hub();
    testee.say([
        json!({"do": "build", "url": hub.hub_url("market"), "reconnectDelaysMs": [1, 1]}),
        json!({"do": "on", "target": "GatewayQuote", "as": "any"}),
        subscribe("1", "A", "a"),
        json!({"do": "start", "call": "s"}),
        subscribe("2", "B", "b"),
    ]);
    let outcomes = testee.outcomes(["s", "1", "2"]);
    assert!(outcomes.iter().all(|line| line["outcome"] == "ok"));
    if testee.told(&json!({"event": "restored"})).is_empty() {
        testee.wait(json!({"event": "restored"}));
    }
    hub.drop_all(How::Tcp);
    assert_eq!(testee.wait(json!({"event": "reconnecting"}))["cause"], "lost");
    testee.expect(json!({"event": "gap", "key": "A", "state": "open"}));
    testee.expect(json!({"event": "gap", "key": "B", "state": "open"}));
    testee.expect(json!({"event": "waiting", "attempt": 1, "delayMs": 1, "cause": "lost"}));
    assert_eq!(testee.next()["event"], "reconnected");
    // The first quote of each stands before the answer to its subscribe.
    testee.wait(json!({"event": "gap", "key": "A", "state": "closed"}));
    testee.wait(json!({"event": "gap", "key": "B", "state": "closed"}));
    testee.expect(json!({"event": "restored"}));
    testee.say([json!({"do": "stop", "call": "stop"})]);
    testee.wait(json!({"call": "stop", "outcome": "ok"}));
    testee.say([json!({"do": "start", "call": "s"})]);
    testee.expect(json!({"event": "gap", "key": "A", "state": "open"}));
    testee.expect(json!({"event": "gap", "key": "B", "state": "open"}));
    assert_eq!(testee.next()["event"], "connected");
    testee.expect(json!({"call": "s", "outcome": "ok"}));
    testee.wait(json!({"event": "gap", "key": "B", "state": "closed"}));
    testee.expect(json!({"event": "restored"}));
    assert_eq!(called(&hub), ["Subscribe a", "Subscribe b"].repeat(3));
}

fn two_names_share_one_call(mut testee: Testee) {
    let hub = hub();
    start(&mut testee, &hub.hub_url("market"), json!([1]));
    testee.say([subscribe("1", "A", "a"), subscribe("2", "B", "a")]);
    assert!(testee.outcomes(["1", "2"]).iter().all(|line| line["outcome"] == "ok"));
    hub.drop_all(How::Tcp);
    testee.wait(json!({"event": "gap", "key": "A", "state": "open"}));
    testee.expect(json!({"event": "gap", "key": "B", "state": "open"}));
    testee.wait(json!({"event": "gap", "key": "A", "state": "closed"}));
    testee.expect(json!({"event": "gap", "key": "B", "state": "closed"}));
    testee.expect(json!({"event": "restored"}));
    testee.say([unsubscribe("3", "A")]);
    testee.expect(json!({"call": "3", "outcome": "ok"}));
    assert_eq!(called(&hub), ["Subscribe a", "Subscribe a"]);
    testee.say([unsubscribe("4", "B")]);
    testee.expect(json!({"call": "4", "outcome": "ok"}));
    assert_eq!(called(&hub), ["Subscribe a", "Subscribe a", "Unsubscribe a"]);
    testee.say([unsubscribe("5", "B")]);
    assert_eq!(testee.next()["outcome"], "rejected");
}

fn a_name_is_one_wish(mut testee: Testee) {
    let hub = hub();
    start(&mut testee, &hub.hub_url("market"), json!([1]));
    testee.say([subscribe("1", "A", "a"), subscribe("2", "A", "a"), subscribe("3", "A", "b")]);
    let [refused, ..] = testee.wait_for_all([
        json!({"event": "bad_command"}),
        json!({"call": "1", "outcome": "ok"}),
        json!({"call": "2", "outcome": "ok"}),
    ]);
    assert_eq!(refused["message"], r#"the key `A` stands for SubscribeContractQuotes["a"]"#);
    testee.say([unsubscribe("4", "A")]);
    testee.wait(json!({"call": "4", "outcome": "ok"}));
    testee.say([subscribe("5", "A", "b")]);
    testee.wait(json!({"call": "5", "outcome": "ok"}));
    assert_eq!(called(&hub), ["Subscribe a", "Unsubscribe a", "Subscribe b"]);
}

fn a_refusal_is_believed(mut testee: Testee) {
    let hub = hub();
    start(&mut testee, &hub.hub_url("market"), json!([1]));
    testee.say([json!({"do": "subscribe", "call": "1", "key": "A", "subscribe": ["NoSuchMethod", []]})]);
    let refused = testee.next();
    assert_eq!((&refused["call"], &refused["outcome"]), (&json!("1"), &json!("hub_error")));
    hub.drop_all(How::Tcp);
    testee.wait(json!({"event": "waiting"}));
    assert_eq!(testee.next()["event"], "reconnected");
    testee.expect(json!({"event": "restored"}));
    testee.say([unsubscribe("2", "A")]);
    assert_eq!(testee.next()["outcome"], "rejected");
}

/// Answers every invocation, as `answer` says for the number of the connection.
async fn answering(mut session: Session, answer: impl Fn(usize) -> Option<&'static str>) {
    session.handshake().await;
    while let Some(record) = session.recv_json().await {
        if let (Some(id), Some(answer)) = (record["invocationId"].as_str(), answer(session.serial())) {
            session.send_text(&format!("{{\"type\":3,\"invocationId\":\"{id}\"{answer}}}\u{1e}")).await;
        }
    }
}

fn a_refused_restore_is_told(mut testee: Testee) {
    // The first connection ends after its first answer.
    let hub = ScriptHub::start(|session| async move {
        if session.serial() > 0 {
            return answering(session, |_| Some(",\"error\":\"not you\"")).await;
        }
        let mut session = session;
        session.handshake().await;
        let record = session.recv_json().await.unwrap();
        session.send_text(&format!("{{\"type\":3,\"invocationId\":{}}}\u{1e}", record["invocationId"])).await;
    })
    .unwrap();
    start(&mut testee, &hub.hub_url("/hub"), json!([1]));
    testee.say([subscribe("1", "A", "a")]);
    testee.wait(json!({"call": "1", "outcome": "ok"}));
    let failed = testee.wait(json!({"event": "subscription_failed"}));
    assert_eq!(failed, json!({"event": "subscription_failed", "key": "A", "message": "not you"}));
    testee.expect(json!({"event": "restored"}));
    assert!(testee.told(&json!({"event": "gap", "state": "closed"})).is_empty());
}

fn leaving_while_reconnecting(mut testee: Testee) {
    let hub = hub();
    start(&mut testee, &hub.hub_url("market"), json!([1_000]));
    testee.say([subscribe("1", "A", "a"), subscribe("2", "B", "b")]);
    testee.outcomes(["1", "2"]);
    hub.drop_all(How::Tcp);
    testee.wait(json!({"event": "waiting"}));
    testee.say([unsubscribe("3", "A"), subscribe("4", "C", "c"), subscribe("5", "D", "b")]);
    testee.expect(json!({"call": "3", "outcome": "ok"}));
    assert_eq!(testee.next()["event"], "reconnected");
    assert!(testee.outcomes(["4", "5"]).iter().all(|line| line["outcome"] == "ok"));
    assert_eq!(called(&hub), ["Subscribe a", "Subscribe b", "Subscribe b", "Subscribe c"]);
    assert_eq!(testee.told(&json!({"event": "gap", "key": "B"})).len(), 2);
    assert!(testee.told(&json!({"event": "gap", "key": "A", "state": "closed"})).is_empty());
    // They were not there when it opened.
    assert!(testee.told(&json!({"event": "gap", "key": "C"})).is_empty());
    assert!(testee.told(&json!({"event": "gap", "key": "D"})).is_empty());
}

fn leaving_before_the_answer(mut testee: Testee) {
    let hub = hub();
    testee.say([
        json!({"do": "build", "url": hub.hub_url("market")}),
        subscribe("1", "A", "a"),
        unsubscribe("2", "A"),
        subscribe("3", "B", "b"),
        json!({"do": "cancel", "call": "3"}),
        json!({"do": "start", "call": "s"}),
    ]);
    testee.expect(json!({"event": "built"}));
    let [left, ended] = testee.outcomes(["1", "2"]);
    assert_eq!((&left["outcome"], &ended["outcome"]), (&json!("cancelled"), &json!("ok")));
    testee.wait(json!({"event": "restored"}));
    // Whoever does not wait for it still wishes it.
    assert_eq!(called(&hub), ["Subscribe b"]);
    assert_eq!(testee.told(&json!({"call": "3"})).len(), 1);
}

fn stopping_before_the_answer(mut testee: Testee) {
    let asked = Arc::new(AtomicUsize::new(0));
    let hub = ScriptHub::start({
        let asked = asked.clone();
        move |session| {
            let asked = asked.clone();
            async move {
                answering(session, move |_| {
                    // The first is never answered.
                    (asked.fetch_add(1, Ordering::SeqCst) > 0).then_some("")
                })
                .await;
            }
        }
    })
    .unwrap();
    start(&mut testee, &hub.hub_url("/hub"), json!([1]));
    testee.say([subscribe("1", "A", "a")]);
    eventually(|| asked.load(Ordering::SeqCst) > 0);
    testee.say([json!({"do": "stop", "call": "stop"})]);
    let [subscribed, stopped] = testee.outcomes(["1", "stop"]);
    assert_eq!((&subscribed["outcome"], &subscribed["cause"]), (&json!("outcome_unknown"), &json!("stopped")));
    assert_eq!(stopped["outcome"], "ok");
    testee.say([json!({"do": "start", "call": "s"})]);
    testee.expect(json!({"event": "gap", "key": "A", "state": "open"}));
    testee.wait(json!({"event": "gap", "key": "A", "state": "closed"}));
    testee.expect(json!({"event": "restored"}));
}

fn pending_at_a_loss(mut testee: Testee) {
    let hub = ScriptHub::start(|session| async move {
        if session.serial() > 0 {
            return answering(session, |_| Some("")).await;
        }
        let mut session = session;
        session.handshake().await;
        session.recv_json().await;
    })
    .unwrap();
    start(&mut testee, &hub.hub_url("/hub"), json!([1]));
    testee.say([subscribe("1", "A", "a"), subscribe("2", "B", "a")]);
    let outcomes = testee.outcomes(["1", "2"]);
    assert!(outcomes.iter().all(|line| line["outcome"] == "ok"), "{outcomes:?}");
    let states: Vec<_> =
        testee.told(&json!({"event": "gap", "key": "A"})).iter().map(|line| line["state"].clone()).collect();
    assert_eq!(states, ["open", "closed"]);
}
