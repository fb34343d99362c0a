//! Starting, stopping, losing the connection.

use mock_hub::script::{Reply, ScriptHub};
use mock_hub::{How, MockHub, Options};
use serde_json::{Value, json};

use crate::driver::{PATIENCE, Testee};
use crate::on_both_runtimes;

on_both_runtimes!(
    an_outage_in_its_order,
    a_loss_without_reconnect,
    a_goodbye_of_the_hub,
    the_last_cause_is_told,
    start_and_stop_in_one_piece,
    starts_and_stops_join,
    stopping_while_reconnecting,
    retrying_the_first_connect,
    starting_again,
);

fn hub() -> MockHub {
    MockHub::start(Options { parallel_invocations: 4, ..Options::default() }).unwrap()
}

fn start(testee: &mut Testee, hub: &MockHub, options: Value) {
    let mut build = json!({"do": "build", "url": hub.hub_url("conformance")});
    build.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
    testee.say([build, json!({"do": "start", "call": "s"})]);
    testee.wait(json!({"call": "s", "outcome": "ok"}));
}

fn an_outage_in_its_order(mut testee: Testee) {
    let hub = hub();
    start(&mut testee, &hub, json!({"reconnectDelaysMs": [500, 50]}));
    testee.say([json!({"do": "invoke", "call": "lost", "target": "Delay", "arguments": [60_000]})]);
    hub.wait_for_calls(|calls| calls.len() == 1, PATIENCE).unwrap();
    hub.refuse_upgrades(Some(1), 503);
    assert_eq!(hub.drop_all(How::Tcp), 1);
    let reconnecting = testee.next();
    assert_eq!((&reconnecting["event"], &reconnecting["cause"]), (&json!("reconnecting"), &json!("lost")));
    assert!(reconnecting["message"].is_string());
    testee.expect(json!({"event": "waiting", "attempt": 1, "delayMs": 500, "cause": "lost"}));
    let [lost] = testee.outcomes(["lost"]);
    assert_eq!((&lost["outcome"], &lost["cause"]), (&json!("outcome_unknown"), &json!("lost")));
    testee.say([json!({"do": "invoke", "call": "meanwhile", "target": "Void"})]);
    testee.wait(json!({"event": "waiting", "attempt": 2, "delayMs": 50, "cause": "http_status"}));
    let reconnected = testee.wait(json!({"event": "reconnected"}));
    assert_eq!(reconnected["serverConnectionId"], hub.connections()[0].id);
    // Without subscriptions there is nothing to wait for, and no gap.
    testee.expect(json!({"event": "restored"}));
    assert!(testee.told(&json!({"event": "gap"})).is_empty());
    assert_eq!(testee.told(&json!({"call": "meanwhile"}))[0]["outcome"], "not_sent");
}

fn a_loss_without_reconnect(mut testee: Testee) {
    let hub = hub();
    start(&mut testee, &hub, json!({}));
    hub.drop_all(How::Reset);
    let disconnected = testee.next();
    assert_eq!((&disconnected["event"], &disconnected["cause"]), (&json!("disconnected"), &json!("lost")));
    assert!(disconnected["message"].is_string());
    assert_eq!(testee.end(), [] as [Value; 0]);
}

fn a_goodbye_of_the_hub(mut testee: Testee) {
    let hub = hub();
    start(&mut testee, &hub, json!({"reconnectDelaysMs": [1, 1, 1]}));
    hub.drop_all(How::Close { allow_reconnect: true });
    testee.wait(json!({"event": "reconnecting", "cause": "closed_by_hub"}));
    testee.wait(json!({"event": "restored"}));
    hub.drop_all(How::Close { allow_reconnect: false });
    let disconnected = testee.next();
    assert_eq!((&disconnected["event"], &disconnected["cause"]), (&json!("disconnected"), &json!("closed_by_hub")));
}

fn the_last_cause_is_told(mut testee: Testee) {
    let hub = hub();
    start(&mut testee, &hub, json!({"reconnectDelaysMs": [1, 1]}));
    hub.refuse_upgrades(None, 502);
    hub.drop_all(How::Tcp);
    testee.wait(json!({"event": "waiting", "attempt": 2, "cause": "http_status"}));
    let disconnected = testee.next();
    assert_eq!((&disconnected["event"], &disconnected["cause"]), (&json!("disconnected"), &json!("http_status")));
}

fn start_and_stop_in_one_piece(mut testee: Testee) {
    let hub = ScriptHub::builder().on_negotiate(|_| Reply::Never).start(|_| async {}).unwrap();
    testee.say([
        json!({"do": "build", "url": hub.hub_url("/hub")}),
        json!({"do": "start", "call": "start"}),
        json!({"do": "invoke", "call": "early", "target": "T"}),
        json!({"do": "state"}),
        json!({"do": "stop", "call": "stop"}),
        json!({"do": "state"}),
    ]);
    let [start, early, stop] = testee.outcomes(["start", "early", "stop"]);
    assert_eq!(
        (&start["outcome"], &start["cause"], &stop["outcome"]),
        (&json!("failed"), &json!("stopped"), &json!("ok"))
    );
    assert_eq!(early["outcome"], "not_sent");
    let rest = testee.end();
    // What was never connected is not disconnected.
    assert!(rest.iter().all(|line| line["event"] == "state"), "{rest:?}");
    let states: Vec<_> = testee.told(&json!({"event": "state"})).iter().map(|line| line["state"].clone()).collect();
    assert_eq!(states, ["connecting", "disconnected"]);
}

fn starts_and_stops_join(mut testee: Testee) {
    let hub = ScriptHub::start(|mut session| async move {
        session.handshake().await;
        session.hang().await;
    })
    .unwrap();
    testee.say([
        json!({"do": "build", "url": hub.hub_url("/hub"), "stopTimeoutMs": 500}),
        json!({"do": "stop", "call": "idle"}),
        json!({"do": "start", "call": "1"}),
        json!({"do": "start", "call": "2"}),
    ]);
    testee.expect(json!({"event": "built"}));
    testee.expect(json!({"call": "idle", "outcome": "ok"}));
    assert_eq!(testee.next()["event"], "connected");
    testee.expect(json!({"call": "1", "outcome": "ok"}));
    testee.expect(json!({"call": "2", "outcome": "ok"}));
    assert_eq!(hub.sessions(), 1);
    testee.say([
        json!({"do": "start", "call": "late"}),
        json!({"do": "stop", "call": "3"}),
        json!({"do": "state"}),
        json!({"do": "start", "call": "too soon"}),
        json!({"do": "invoke", "call": "too late", "target": "T"}),
        json!({"do": "stop", "call": "4"}),
    ]);
    assert_eq!(testee.next()["outcome"], "rejected");
    testee.expect(json!({"event": "state", "state": "disconnecting", "serverConnectionId": connection_id(&testee)}));
    assert_eq!(testee.next()["outcome"], "rejected");
    assert_eq!(testee.next()["outcome"], "rejected");
    testee.expect(json!({"event": "disconnected", "cause": "stopped", "message": null}));
    testee.expect(json!({"call": "3", "outcome": "ok"}));
    testee.expect(json!({"call": "4", "outcome": "ok"}));
}

fn connection_id(testee: &Testee) -> Value {
    testee.told(&json!({"event": "connected"}))[0]["serverConnectionId"].clone()
}

fn stopping_while_reconnecting(mut testee: Testee) {
    let hub = hub();
    start(&mut testee, &hub, json!({"reconnectDelaysMs": [60_000]}));
    hub.drop_all(How::Tcp);
    testee.wait(json!({"event": "waiting"}));
    testee.say([json!({"do": "state"}), json!({"do": "start", "call": "no"}), json!({"do": "stop", "call": "stop"})]);
    testee.expect(json!({"event": "state", "state": "reconnecting", "serverConnectionId": null}));
    assert_eq!(testee.next()["outcome"], "rejected");
    testee.expect(json!({"event": "disconnected", "cause": "stopped", "message": null}));
    testee.expect(json!({"call": "stop", "outcome": "ok"}));
}

fn retrying_the_first_connect(mut testee: Testee) {
    let hub = hub();
    hub.refuse_upgrades(Some(5), 503);
    testee.say([
        json!({"do": "build", "url": hub.hub_url("conformance"), "reconnectDelaysMs": [1, 2], "retryInitialConnect": true}),
        json!({"do": "start", "call": "1"}),
    ]);
    testee.expect(json!({"event": "built"}));
    testee.expect(json!({"event": "waiting", "attempt": 1, "delayMs": 1, "cause": "http_status"}));
    testee.expect(json!({"event": "waiting", "attempt": 2, "delayMs": 2, "cause": "http_status"}));
    let failed = testee.next();
    assert_eq!((&failed["outcome"], &failed["cause"]), (&json!("failed"), &json!("http_status")));
    assert_eq!(hub.upgrades(), 3);
    testee.say([json!({"do": "start", "call": "2"})]);
    testee.expect(json!({"event": "waiting", "attempt": 1, "delayMs": 1, "cause": "http_status"}));
    testee.expect(json!({"event": "waiting", "attempt": 2, "delayMs": 2, "cause": "http_status"}));
    assert_eq!(testee.next()["event"], "connected");
    testee.expect(json!({"call": "2", "outcome": "ok"}));
}

fn starting_again(mut testee: Testee) {
    let hub = hub();
    start(&mut testee, &hub, json!({}));
    for _ in 0..3 {
        testee.say([json!({"do": "stop", "call": "stop"})]);
        testee.expect(json!({"event": "disconnected", "cause": "stopped", "message": null}));
        testee.expect(json!({"call": "stop", "outcome": "ok"}));
        testee.say([json!({"do": "start", "call": "s"})]);
        assert_eq!(testee.next()["event"], "connected");
        testee.expect(json!({"call": "s", "outcome": "ok"}));
    }
    assert_eq!(hub.accepted(), 4);
}
