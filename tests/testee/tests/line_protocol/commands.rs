//! Lines in general: the example, every command once, lines that mean nothing.

use mock_hub::{MockHub, Options};
use serde_json::{Value, json};

use crate::driver::Testee;
use crate::on_both_runtimes;

on_both_runtimes!(
    the_example,
    every_command_once,
    lines_that_mean_nothing,
    nothing_before_build_and_one_build_only,
    a_call_name_is_taken_while_its_call_is_under_way,
    the_end_of_the_input_is_the_end,
    nobody_reads_the_lines,
);

fn hub() -> MockHub {
    MockHub::start(Options { parallel_invocations: 4, ..Options::default() }).unwrap()
}

fn the_example(mut testee: Testee) {
    let hub = hub();
    testee.say([
        json!({"do": "build", "url": hub.hub_url("conformance"), "reconnectDelaysMs": [0, 100]}),
        json!({"do": "on", "target": "Notify", "as": "any"}),
        json!({"do": "start", "call": "s"}),
    ]);
    testee.expect(json!({"event": "built"}));
    let connected = testee.next();
    assert_eq!(connected["event"], "connected");
    assert_eq!(connected["serverConnectionId"].as_str(), Some(hub.connections()[0].id.as_str()));
    testee.expect(json!({"call": "s", "outcome": "ok"}));
    testee.say([json!({"do": "invoke", "call": "1", "target": "Add", "arguments": [1, 2], "as": "integer"})]);
    testee.expect(json!({"call": "1", "outcome": "value", "value": 3}));
    testee.say([json!({"do": "exit"})]);
    assert_eq!(testee.rest(), [json!({"event": "disconnected", "cause": "stopped", "message": null})]);
}

fn every_command_once(mut testee: Testee) {
    let hub = hub();
    testee.say([
        json!({"do": "build", "url": hub.hub_url("conformance")}),
        json!({"do": "on", "target": "Notify", "as": "integer,string"}),
        json!({"do": "answer", "target": "Question", "with": "echo", "delayMs": 1}),
        json!({"do": "start", "call": "start"}),
    ]);
    testee.wait(json!({"call": "start", "outcome": "ok"}));
    testee.say([
        json!({"do": "invoke", "call": "notify", "target": "SendBack", "arguments": ["Notify", [1, "one"]]}),
        json!({"do": "invoke", "call": "ask", "target": "AskMe", "arguments": ["Question", {"a": 1}]}),
        json!({"do": "send", "call": "send", "target": "Void"}),
        json!({"do": "stream", "call": "stream", "target": "Counter", "arguments": [2, 0]}),
        json!({"do": "invoke", "call": "upload", "target": "Upload", "streams": 1}),
        json!({"do": "item", "call": "upload", "stream": 0, "value": 40}),
        json!({"do": "item", "call": "upload", "stream": 0, "value": 2}),
        json!({"do": "finish", "call": "upload", "stream": 0}),
        json!({"do": "stream", "call": "forever", "target": "Forever", "arguments": ["k"]}),
        json!({"do": "subscribe", "call": "subscribe", "key": "K", "subscribe": ["JoinGroup", ["g"]], "unsubscribe": ["LeaveGroup", ["g"]]}),
    ]);
    let outcomes = testee.outcomes(["notify", "ask", "send", "stream", "upload", "subscribe"]);
    assert_eq!(
        outcomes.each_ref().map(|line| line["outcome"].as_str().unwrap()),
        ["value", "value", "ok", "end", "value", "ok"]
    );
    assert_eq!((&outcomes[1]["value"], &outcomes[4]["value"]), (&json!({"a": 1}), &json!(42)));
    let items: Vec<_> =
        testee.told(&json!({"call": "stream"})).iter().filter_map(|line| line["item"].as_u64()).collect();
    assert_eq!(items, [0, 1]);
    assert_eq!(testee.told(&json!({"event": "received", "target": "Notify", "arguments": [1, "one"]})).len(), 1);
    testee.say([
        json!({"do": "cancel", "call": "forever"}),
        json!({"do": "off", "target": "Notify"}),
        json!({"do": "invoke", "call": "again", "target": "SendBack", "arguments": ["Notify", [1, "one"]]}),
    ]);
    testee.wait(json!({"call": "forever", "outcome": "cancelled"}));
    testee.expect(json!({"event": "unhandled", "target": "Notify"}));
    testee.expect(json!({"call": "again", "outcome": "value", "value": null}));
    testee.say([json!({"do": "unsubscribe", "call": "unsubscribe", "key": "K"}), json!({"do": "state"})]);
    let state = testee.wait(json!({"event": "state"}));
    assert_eq!((&state["state"], &state["serverConnectionId"]), (&json!("connected"), &json!(hub.connections()[0].id)));
    if testee.told(&json!({"call": "unsubscribe"})).is_empty() {
        testee.wait(json!({"call": "unsubscribe", "outcome": "ok"}));
    }
    testee.say([json!({"do": "stop", "call": "stop"}), json!({"do": "exit"})]);
    testee.expect(json!({"event": "disconnected", "cause": "stopped", "message": null}));
    assert_eq!(testee.rest(), [json!({"call": "stop", "outcome": "ok"})]);
    let called: Vec<_> =
        hub.calls().iter().map(|call| call.target.clone()).filter(|target| target.ends_with("Group")).collect();
    assert_eq!(called, ["JoinGroup", "LeaveGroup"]);
}

fn lines_that_mean_nothing(mut testee: Testee) {
    let hub = hub();
    testee.say([json!({"do": "build", "url": hub.hub_url("conformance")})]);
    testee.expect(json!({"event": "built"}));
    for line in [
        &b"\n"[..],
        b"what?\n",
        b"[]\n",
        b"{\"do\":\"state\"\n",
        b"{\"do\":\"\xff\"}\n",
        b"{\"do\":\"dance\"}\n",
        b"{\"do\":\"state\",\"and\":1}\n",
        b"{\"do\":\"start\"}\n",
        b"{\"do\":\"start\",\"call\":{}}\n",
        b"{\"do\":\"on\",\"target\":\"T\",\"as\":\"float\"}\n",
        b"{\"do\":\"invoke\",\"call\":\"1\",\"target\":\"T\",\"arguments\":1}\n",
        b"{\"do\":\"invoke\",\"call\":\"1\",\"target\":\"T\",\"timeoutMs\":-1}\n",
        b"{\"do\":\"item\",\"call\":\"nobody\",\"stream\":0,\"value\":1}\n",
        b"{\"do\":\"finish\",\"call\":\"nobody\",\"stream\":0}\n",
        b"{\"do\":\"cancel\",\"call\":\"nobody\"}\n",
        b"{\"do\":\"unsubscribe\",\"call\":\"u\",\"key\":\"nothing\"}\n",
        b"{\"do\":\"answer\",\"target\":\"T\",\"with\":\"silence\"}\n",
    ] {
        testee.write(line);
        let answer = testee.next();
        assert_eq!(answer["event"], "bad_command", "{line:?}");
        assert!(answer["message"].as_str().is_some_and(|message| !message.is_empty()));
    }
    testee.say([json!({"do": "state"})]);
    testee.expect(json!({"event": "state", "state": "disconnected", "serverConnectionId": null}));
    assert_eq!(testee.end(), [] as [Value; 0]);
}

fn nothing_before_build_and_one_build_only(mut testee: Testee) {
    let hub = hub();
    for command in [
        json!({"do": "state"}),
        json!({"do": "start", "call": "s"}),
        json!({"do": "on", "target": "T", "as": "any"}),
        json!({"do": "subscribe", "call": "s", "key": "K", "subscribe": ["S", []]}),
    ] {
        testee.say([command]);
        assert_eq!(testee.next()["event"], "bad_command");
    }
    testee.say([json!({"do": "build", "url": "no url"})]);
    assert_eq!(testee.next()["event"], "config_error");
    testee.say([
        json!({"do": "build", "url": hub.hub_url("conformance")}),
        json!({"do": "build", "url": hub.hub_url("conformance")}),
    ]);
    testee.expect(json!({"event": "built"}));
    assert_eq!(testee.next()["event"], "bad_command");
    assert_eq!(testee.end(), [] as [Value; 0]);
}

fn a_call_name_is_taken_while_its_call_is_under_way(mut testee: Testee) {
    let hub = hub();
    testee.say([json!({"do": "build", "url": hub.hub_url("conformance")}), json!({"do": "start", "call": "s"})]);
    testee.wait(json!({"call": "s", "outcome": "ok"}));
    testee.say([
        json!({"do": "stream", "call": "1", "target": "Forever", "arguments": ["k"]}),
        json!({"do": "invoke", "call": "1", "target": "Add", "arguments": [1, 2]}),
        json!({"do": "cancel", "call": "1"}),
        json!({"do": "cancel", "call": "1"}),
        json!({"do": "invoke", "call": "1", "target": "Add", "arguments": [3, 4]}),
    ]);
    testee.wait(json!({"event": "bad_command", "message": "a call `1` is under way"}));
    testee.wait(json!({"call": "1", "outcome": "cancelled"}));
    testee.expect(json!({"event": "bad_command", "message": "there is no call `1` under way"}));
    testee.expect(json!({"call": "1", "outcome": "value", "value": 7}));
}

fn the_end_of_the_input_is_the_end(mut testee: Testee) {
    let hub = hub();
    testee.say([json!({"do": "build", "url": hub.hub_url("conformance")}), json!({"do": "start", "call": "s"})]);
    testee.wait(json!({"call": "s", "outcome": "ok"}));
    // A last line needs no line break. What waits at the end has its outcome.
    testee.say([json!({"do": "invoke", "call": "1", "target": "Delay", "arguments": [60_000]})]);
    testee.write(br#"{"do":"state"}"#);
    let rest = testee.end();
    assert_eq!(rest[0]["event"], "state");
    assert_eq!(rest[1], json!({"event": "disconnected", "cause": "stopped", "message": null}));
    assert_eq!(
        (&rest[2]["call"], &rest[2]["outcome"], &rest[2]["cause"]),
        (&json!("1"), &json!("outcome_unknown"), &json!("stopped"))
    );
    assert_eq!(rest.len(), 3);
}

/// Lines are read while nobody reads what they cause, and what they cause is all there, in its order, when somebody does.
fn nobody_reads_the_lines(mut testee: Testee) {
    const EVENTS: u64 = 40_000;
    const CALLS: u64 = 5_000;
    let hub = hub();
    testee.say([
        json!({"do": "build", "url": hub.hub_url("conformance"), "maxPendingEvents": 16}),
        json!({"do": "on", "target": "Serial", "as": "any"}),
        json!({"do": "start", "call": "s"}),
    ]);
    testee.wait(json!({"call": "s", "outcome": "ok"}));
    testee.say([json!({"do": "send", "call": "flood", "target": "Flood", "arguments": [EVENTS, "Serial"]})]);
    // More than a pipe holds, either way: without the program's own thread for its input this would never return.
    testee.say(
        (0..CALLS).map(
            |number| json!({"do": "invoke", "call": number.to_string(), "target": "Add", "arguments": [number, 1]}),
        ),
    );
    let (mut received, mut outcomes) = (0, 0);
    while received < EVENTS || outcomes <= CALLS {
        let line = testee.next();
        if line["event"] == "received" {
            assert_eq!(line["arguments"], json!([received]));
            received += 1;
        } else if line.get("outcome").is_some() {
            outcomes += 1;
        }
    }
    let rest = testee.end();
    assert_eq!(rest, [json!({"event": "disconnected", "cause": "stopped", "message": null})]);
}
