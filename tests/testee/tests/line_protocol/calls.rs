//! Calls and handlers.

use mock_hub::{MockHub, Options};
use serde_json::{Value, json};

use crate::driver::Testee;
use crate::on_both_runtimes;

on_both_runtimes!(
    outcomes,
    results_of_every_kind,
    values_are_told_as_the_hub_wrote_them,
    arguments_of_every_kind,
    streams,
    uploads,
    answers,
    calls_are_made_in_the_order_of_their_lines,
    cancelling,
);

fn connected(testee: &mut Testee) -> MockHub {
    let hub = MockHub::start(Options { parallel_invocations: 4, ..Options::default() }).unwrap();
    testee.say([json!({"do": "build", "url": hub.hub_url("conformance")}), json!({"do": "start", "call": "s"})]);
    testee.wait(json!({"call": "s", "outcome": "ok"}));
    hub
}

fn invoke(testee: &mut Testee, target: &str, arguments: Value, shape: &str) -> Value {
    testee.say([json!({"do": "invoke", "call": "i", "target": target, "arguments": arguments, "as": shape})]);
    let [outcome] = testee.outcomes(["i"]);
    outcome
}

fn outcomes(mut testee: Testee) {
    let hub = MockHub::start(Options { parallel_invocations: 4, ..Options::default() }).unwrap();
    testee.say([
        json!({"do": "build", "url": hub.hub_url("conformance"), "callTimeoutMs": 60}),
        json!({"do": "invoke", "call": "early", "target": "Void"}),
        json!({"do": "start", "call": "s"}),
    ]);
    let [early, _] = testee.outcomes(["early", "s"]);
    assert_eq!(early["outcome"], "rejected");
    testee.say([
        json!({"do": "invoke", "call": "error", "target": "ThrowHubException", "arguments": ["boo"]}),
        json!({"do": "invoke", "call": "wrong", "target": "Echo", "arguments": ["x"], "as": "integer"}),
        json!({"do": "invoke", "call": "slow", "target": "Delay", "arguments": [60_000]}),
        json!({"do": "invoke", "call": "patient", "target": "Delay", "arguments": [200], "timeoutMs": 0}),
        json!({"do": "stream", "call": "stream", "target": "Forever", "arguments": ["k"], "timeoutMs": 40}),
    ]);
    let [error, wrong, slow, patient, stream] = testee.outcomes(["error", "wrong", "slow", "patient", "stream"]);
    assert_eq!(error["outcome"], "hub_error");
    assert!(error["message"].as_str().unwrap().ends_with("boo"));
    assert_eq!(wrong["outcome"], "decode_error");
    assert_eq!(slow["outcome"], "outcome_unknown");
    assert_eq!((&patient["outcome"], &patient["value"]), (&json!("value"), &json!(200)));
    assert_eq!(stream["outcome"], "outcome_unknown");
    testee.say([json!({"do": "stop", "call": "stop"})]);
    testee.wait(json!({"call": "stop", "outcome": "ok"}));
    assert_eq!(invoke(&mut testee, "Void", json!([]), "any")["outcome"], "rejected");
}

fn results_of_every_kind(mut testee: Testee) {
    let _hub = connected(&mut testee);
    assert_eq!(invoke(&mut testee, "Add", json!([1, 2]), "any"), json!({"call": "i", "outcome": "value", "value": 3}));
    assert_eq!(
        invoke(&mut testee, "Add", json!([1, 2]), "integer"),
        json!({"call": "i", "outcome": "value", "value": 3})
    );
    assert_eq!(invoke(&mut testee, "Add", json!([1, 2]), "nothing"), json!({"call": "i", "outcome": "value"}));
    assert_eq!(invoke(&mut testee, "Void", json!([]), "any"), json!({"call": "i", "outcome": "value", "value": null}));
    assert_eq!(invoke(&mut testee, "Void", json!([]), "nothing"), json!({"call": "i", "outcome": "value"}));
    assert_eq!(invoke(&mut testee, "Void", json!([]), "integer")["outcome"], "decode_error");
}

fn values_are_told_as_the_hub_wrote_them(mut testee: Testee) {
    let _hub = connected(&mut testee);
    let number = "79228162514264337593543950335.1230";
    for command in [
        format!(r#"{{"do":"invoke","call":"i","target":"Echo","arguments":[{number}]}}"#),
        r#"{"do":"stream","call":"p","target":"Pipe","arguments":[],"streams":1}"#.to_owned(),
        r#"{"do":"item","call":"p","stream":0,"value":"a b"}"#.to_owned(),
    ] {
        testee.write(format!("{command}\n").as_bytes());
    }
    let (mut value, mut item) = (None, None);
    while value.is_none() || item.is_none() {
        let text = testee.next_text();
        if text.contains(r#""call":"i""#) {
            value = Some(text);
        } else if text.contains(r#""call":"p""#) {
            item = Some(text);
        }
    }
    assert!(value.is_some_and(|text| text.ends_with(&format!(r#","call":"i","outcome":"value","value":{number}}}"#))));
    assert!(item.is_some_and(|text| text.ends_with(r#","call":"p","item":"A B"}"#)));
}

fn arguments_of_every_kind(mut testee: Testee) {
    let hub = connected(&mut testee);
    let id = hub.connections()[0].id.clone();
    testee.say([
        json!({"do": "on", "target": "Any", "as": "any"}),
        json!({"do": "on", "target": "One", "as": "integer"}),
        json!({"do": "on", "target": "Two", "as": "integer,string"}),
        json!({"do": "on", "target": "Both", "as": "any"}),
        json!({"do": "on", "target": "Both", "as": "integer"}),
    ]);
    // The handlers are there when this is answered.
    invoke(&mut testee, "Void", json!([]), "any");
    let mut send = |target: &str, arguments: &str| {
        hub.send_to(&id, target, arguments).unwrap();
        testee.next()
    };
    assert_eq!(send("Any", "[]"), json!({"event": "received", "target": "Any", "arguments": []}));
    assert_eq!(send("Any", r#"[1,{"a":[null]},"x"]"#)["arguments"], json!([1, {"a": [null]}, "x"]));
    assert_eq!(send("One", "[-9223372036854775808]")["arguments"], json!([i64::MIN]));
    assert_eq!(send("Two", r#"[1,"x"]"#)["arguments"], json!([1, "x"]));
    for (target, arguments) in [
        ("One", "[]"),
        ("One", "[1,2]"),
        ("One", "[1.5]"),
        ("One", "[9223372036854775808]"),
        ("Two", "[1]"),
        ("Two", "[1,2]"),
    ] {
        let line = send(target, arguments);
        assert_eq!((&line["event"], &line["target"]), (&json!("malformed"), &json!(target)), "{arguments}");
        assert!(line["message"].is_string());
    }
    assert_eq!(send("any", "[]"), json!({"event": "unhandled", "target": "any"}));
    // Each handler is called.
    assert_eq!(send("Both", "[7]"), json!({"event": "received", "target": "Both", "arguments": [7]}));
    testee.expect(json!({"event": "received", "target": "Both", "arguments": [7]}));
    hub.send_to(&id, "Both", "[\"x\"]").unwrap();
    assert_eq!(testee.next()["event"], "malformed");
    testee.expect(json!({"event": "received", "target": "Both", "arguments": ["x"]}));
    testee.say([json!({"do": "off", "target": "Both"})]);
    invoke(&mut testee, "Void", json!([]), "any");
    hub.send_to(&id, "Both", "[7]").unwrap();
    testee.expect(json!({"event": "unhandled", "target": "Both"}));
}

fn streams(mut testee: Testee) {
    let _hub = connected(&mut testee);
    testee.say([json!({"do": "stream", "call": "1", "target": "Counter", "arguments": [3, 0]})]);
    for item in 0..3 {
        testee.expect(json!({"call": "1", "item": item}));
    }
    testee.expect(json!({"call": "1", "outcome": "end"}));
    testee.say([json!({"do": "stream", "call": "2", "target": "CounterThenThrow", "arguments": [1, "boo"]})]);
    testee.expect(json!({"call": "2", "item": 0}));
    let outcome = testee.next();
    assert_eq!((&outcome["call"], &outcome["outcome"]), (&json!("2"), &json!("hub_error")));
    testee.say([json!({"do": "stream", "call": "3", "target": "NoSuchMethod"})]);
    assert_eq!(testee.next()["outcome"], "hub_error");
}

fn uploads(mut testee: Testee) {
    let _hub = connected(&mut testee);
    testee.say([
        json!({"do": "invoke", "call": "1", "target": "UploadTwo", "streams": 2}),
        json!({"do": "item", "call": "1", "stream": 1, "value": "a"}),
        json!({"do": "item", "call": "1", "stream": 0, "value": 1}),
        json!({"do": "item", "call": "1", "stream": 1, "value": "b"}),
        json!({"do": "item", "call": "1", "stream": 2, "value": 1}),
        json!({"do": "finish", "call": "1", "stream": 1, "error": null}),
        json!({"do": "item", "call": "1", "stream": 1, "value": "late"}),
        json!({"do": "finish", "call": "1", "stream": 0}),
    ]);
    testee.expect(json!({"event": "bad_command", "message": "the call `1` has no stream 2"}));
    testee.expect(json!({"call": "1", "outcome": "value", "value": "1:a,b"}));
    testee.say([
        json!({"do": "item", "call": "1", "stream": 0, "value": 1}),
        json!({"do": "finish", "call": "1", "stream": 0}),
        json!({"do": "stream", "call": "2", "target": "Pipe", "streams": 1}),
        json!({"do": "item", "call": "2", "stream": 0, "value": "a"}),
    ]);
    testee.expect(json!({"call": "2", "item": "A"}));
    testee.say([json!({"do": "finish", "call": "2", "stream": 0, "error": "enough"})]);
    let outcome = testee.next();
    assert_eq!((&outcome["call"], &outcome["outcome"]), (&json!("2"), &json!("hub_error")));
    assert!(outcome["message"].as_str().unwrap().contains("enough"));
    // A send is done at once, its streams are not.
    testee.say([json!({"do": "send", "call": "3", "target": "Upload", "streams": 1})]);
    testee.expect(json!({"call": "3", "outcome": "ok"}));
    testee.say([
        json!({"do": "item", "call": "3", "stream": 0, "value": 1}),
        json!({"do": "finish", "call": "3", "stream": 0}),
        json!({"do": "invoke", "call": "4", "target": "Add", "arguments": [1, 1]}),
    ]);
    testee.expect(json!({"call": "4", "outcome": "value", "value": 2}));
}

fn answers(mut testee: Testee) {
    let hub = connected(&mut testee);
    testee.say([
        json!({"do": "answer", "target": "Value", "with": {"result": {"a": [1, null]}}}),
        json!({"do": "answer", "target": "Null", "with": {"result": null}}),
        json!({"do": "answer", "target": "Error", "with": {"error": "no idea"}}),
        json!({"do": "answer", "target": "Echo", "with": "echo", "delayMs": 20}),
    ]);
    let mut ask = |target: &str, argument: Value| invoke(&mut testee, "AskMe", json!([target, argument]), "any");
    assert_eq!(ask("Value", json!(1))["value"], json!({"a": [1, null]}));
    assert_eq!(ask("Null", json!(1)), json!({"call": "i", "outcome": "value", "value": null}));
    assert_eq!(ask("Echo", json!(["x"]))["value"], json!(["x"]));
    for (target, text) in [("Error", "no idea"), ("Nobody", "Client didn't provide a result.")] {
        let outcome = ask(target, json!(1));
        assert_eq!(outcome["outcome"], "hub_error");
        assert!(outcome["message"].as_str().unwrap().contains(text), "{outcome}");
    }
    assert_eq!(testee.told(&json!({"event": "received", "target": "Value", "arguments": [1]})).len(), 1);
    assert_eq!(testee.told(&json!({"event": "unhandled", "target": "Nobody"})).len(), 1);
    testee.say([json!({"do": "answer", "target": "Value", "with": "echo"})]);
    assert_eq!(testee.next()["event"], "bad_command");
    testee.say([json!({"do": "off", "target": "Value"}), json!({"do": "answer", "target": "Value", "with": "echo"})]);
    assert_eq!(invoke(&mut testee, "AskMe", json!(["Value", 5]), "integer")["value"], 5);
    // One that wants no result runs the handler too.
    hub.send_to(&hub.connections()[0].id, "Value", "[1]").unwrap();
    testee.expect(json!({"event": "received", "target": "Value", "arguments": [1]}));
}

fn calls_are_made_in_the_order_of_their_lines(mut testee: Testee) {
    let hub = connected(&mut testee);
    testee.say((0..200).map(|number| {
        let verb = ["invoke", "send", "stream"][number % 3];
        json!({"do": verb, "call": number.to_string(), "target": "Echo", "arguments": [number]})
    }));
    testee.wait(json!({"call": "199"}));
    let echoed = hub
        .wait_for_calls(
            |calls| calls.iter().filter(|call| call.target == "Echo").count() == 200,
            crate::driver::PATIENCE,
        )
        .unwrap();
    let numbers: Vec<_> = echoed.iter().map(|call| call.arguments[0].clone()).collect();
    assert_eq!(numbers, (0..200).map(Value::from).collect::<Vec<_>>());
}

fn cancelling(mut testee: Testee) {
    let _hub = connected(&mut testee);
    testee.say([
        json!({"do": "stream", "call": "1", "target": "Forever", "arguments": ["k"]}),
        json!({"do": "invoke", "call": "2", "target": "Delay", "arguments": [100]}),
        json!({"do": "cancel", "call": "2"}),
    ]);
    testee.wait_for_all([json!({"call": "2", "outcome": "cancelled"}), json!({"call": "1", "item": 0})]);
    testee.say([json!({"do": "cancel", "call": "1"})]);
    testee.wait(json!({"call": "1", "outcome": "cancelled"}));
    loop {
        let outcome = invoke(&mut testee, "WasCancelled", json!(["k"]), "any");
        if outcome["value"] == true {
            break;
        }
    }
    // The answer to the second came after 100 ms, and nobody hears of it.
    invoke(&mut testee, "Delay", json!([150]), "any");
    assert_eq!(testee.told(&json!({"call": "2"})).len(), 1);
    let last = testee.told(&json!({"call": "1"}));
    assert_eq!(last.last().unwrap()["outcome"], "cancelled");
}
