//! What connections said is written down, and played again as it was.

#![allow(clippy::unwrap_used, reason = "this is test code, though clippy does not see it")]

mod common;

use std::time::{Duration, Instant};

use common::{Client, DEADLINE, End, http};
use mock_hub::recording::{EntryKind, Recording, Speed, Way};
use mock_hub::{How, MockHub, Options};
use serde_json::{Value, json};

fn quiet() -> Options {
    Options { quotes_per_second: 0.0, keep_alive: Duration::from_secs(3600), ..Options::default() }
}

/// A conversation with calls, a stream, events, and an end by the hub: all records that the client gets.
async fn converse(client: &mut Client, first_id: u32, publish: impl FnOnce()) -> (Vec<Value>, End) {
    let id = |number: u32| (first_id + number).to_string();
    let mut records = vec![client.call(&id(0), "Add", "[1,2]").await];
    let stream =
        format!("{{\"type\":4,\"invocationId\":\"{}\",\"target\":\"Counter\",\"arguments\":[3,0]}}\u{1e}", id(1));
    client.send(&stream).await;
    while records.last().is_some_and(|record| record["type"] != 3 || record["invocationId"] == json!(id(0))) {
        records.push(client.json().await);
    }
    records.push(client.call(&id(2), "Echo", "[{\"invocationId\":\"0\",\"é\":[null]}]").await);
    publish();
    let (rest, end) = client.read_to_end().await;
    records.extend(rest.split_terminator('\u{1e}').map(|record| serde_json::from_str::<Value>(record).unwrap()));
    for record in &mut records {
        if let Some(id) = record.get_mut("invocationId") {
            *id = json!(id.as_str().unwrap().parse::<u32>().unwrap() - first_id);
        }
    }
    (records, end)
}

/// Records a conversation with the true hub.
async fn recorded(hub: &MockHub) -> (Vec<Value>, Recording) {
    hub.record_in_memory();
    let mut client = Client::connect(&hub.hub_url("conformance")).await;
    let said = converse(&mut client, 0, || {
        hub.publish("conformance", "Hello", "[1]", None).unwrap();
        hub.publish("conformance", "Hello", "[2]", None).unwrap();
        hub.drop_all(How::CloseWithError);
    })
    .await;
    assert_eq!(said.1, End::Closed(1000));
    assert!(hub.until(DEADLINE, |hub| hub.connections().is_empty()).await);
    (said.0, hub.stop_recording().unwrap().unwrap())
}

#[tokio::test]
async fn a_replay_says_what_was_said_with_the_ids_of_now_at_every_speed() {
    let (said, recording) = recorded(&MockHub::start(quiet()).unwrap()).await;
    assert!(said.len() >= 8, "{said:?}");
    for speed in [Speed::Real, Speed::Times(4.0), Speed::AsFastAsRead] {
        let hub = MockHub::replay(quiet(), &recording, speed).unwrap();
        // The first time, and once more: the last recorded connection is played again.
        for first_id in [100, 7] {
            let mut client = Client::connect(&hub.hub_url("conformance")).await;
            assert_eq!(converse(&mut client, first_id, || {}).await, (said.clone(), End::Closed(1000)), "{speed:?}");
        }
    }
}

#[tokio::test]
async fn a_recording_of_a_replay_is_the_recording() {
    let (_, first) = recorded(&MockHub::start(quiet()).unwrap()).await;
    let hub = MockHub::replay(quiet(), &first, Speed::AsFastAsRead).unwrap();
    hub.record_in_memory();
    let mut client = Client::connect(&hub.hub_url("conformance")).await;
    converse(&mut client, 0, || {}).await;
    let second = hub.stop_recording().unwrap().unwrap();
    let said = |recording: &Recording, way: Way| {
        let bytes =
            recording.entries.iter().filter(|entry| entry.direction == way).filter_map(|entry| match &entry.kind {
                EntryKind::Text(bytes) => Some(bytes.to_vec()),
                _ => None,
            });
        // Records may share messages in one and not in the other.
        String::from_utf8(bytes.collect::<Vec<_>>().concat()).unwrap()
    };
    assert_eq!(said(&first, Way::Out), said(&second, Way::Out));
    assert_eq!(said(&first, Way::In), said(&second, Way::In));
}

#[tokio::test]
async fn speed_is_kept() {
    let line = |t: u32, direction: &str, data: &str| {
        let data = json!(format!("{data}\u{1e}"));
        format!(
            "{{\"t\":{t},\"connection\":\"c\",\"hub\":\"market\",\"direction\":\"{direction}\",\"kind\":\"text\",\"data\":{data}}}\n"
        )
    };
    let text = [
        line(1000, "in", "{\"protocol\":\"json\",\"version\":1}"),
        line(1010, "out", "{}"),
        line(
            5000,
            "in",
            "{\"type\":1,\"invocationId\":\"0\",\"target\":\"SubscribeContractQuotes\",\"arguments\":[\"A\"]}",
        ),
        line(6000, "out", "{\"type\":1,\"target\":\"GatewayQuote\",\"arguments\":[1]}"),
        line(6000, "out", "{\"type\":3,\"invocationId\":\"0\",\"result\":null}"),
    ]
    .concat();
    let recording = Recording::parse(&text).unwrap();
    for (speed, least, most) in [
        (Speed::Times(2.0), Duration::from_millis(500), Duration::from_millis(4000)),
        (Speed::AsFastAsRead, Duration::ZERO, Duration::from_millis(400)),
    ] {
        let hub =
            MockHub::replay(Options { keep_alive: Duration::from_millis(100), ..quiet() }, &recording, speed).unwrap();
        let mut client = Client::connect(&hub.hub_url("market")).await;
        assert_eq!(hub.connections().len(), 1);
        let unknown = client.call("7", "NoSuchMethod", "[]").await;
        assert_eq!(unknown["error"], "The recording knows no such call.");
        let began = Instant::now();
        let answer = client.call("8", "SubscribeContractQuotes", "[\"A\"]").await;
        let took = began.elapsed();
        assert!(took >= least && took < most, "{speed:?}: {took:?}");
        assert_eq!(answer, json!({ "type": 3, "invocationId": "8", "result": null }));
        assert_eq!(client.json().await["target"], "GatewayQuote");
        // At the end the connection stays, and pings.
        for _ in 0..3 {
            assert_eq!(client.record().await, "{\"type\":6}");
        }
    }
}

#[tokio::test]
async fn calls_are_told_apart_by_their_arguments() {
    let hub = MockHub::start(quiet()).unwrap();
    hub.record_in_memory();
    let mut client = Client::connect(&hub.hub_url("conformance")).await;
    client.call("0", "Echo", "[\"first\"]").await;
    client.call("1", "Echo", "[\"second\"]").await;
    let recording = hub.stop_recording().unwrap().unwrap();
    let hub = MockHub::replay(quiet(), &recording, Speed::AsFastAsRead).unwrap();
    let mut client = Client::connect(&hub.hub_url("conformance")).await;
    for (id, text) in [("5", "second"), ("6", "first")] {
        client
            .send(&format!(
                "{{\"type\":1,\"invocationId\":\"{id}\",\"target\":\"Echo\",\"arguments\":[\"{text}\"]}}\u{1e}"
            ))
            .await;
    }
    assert_eq!(client.json().await, json!({ "type": 3, "invocationId": "6", "result": "first" }));
    assert_eq!(client.json().await, json!({ "type": 3, "invocationId": "5", "result": "second" }));
    // Other arguments than any of then: the name decides.
    let mut other = Client::connect(&hub.hub_url("conformance")).await;
    assert_eq!(other.call("9", "Echo", "[\"third\"]").await["result"], "first");
}

#[tokio::test]
async fn a_recording_is_a_file_of_lines_without_tokens() {
    let folder = tempfile::tempdir().unwrap();
    let hub = MockHub::start(quiet()).unwrap();
    let token = hub.issue_token("ann", DEADLINE);
    let path = hub.record(folder.path().join("deep")).unwrap();
    let mut client = Client::connect(&format!("{}?access_token={token}", hub.hub_url("secure"))).await;
    client.call("0", "Echo", &format!("[\"a {token} b\"]")).await;
    drop(client);
    assert!(hub.until(DEADLINE, |hub| hub.connections().is_empty()).await);
    let recording = hub.stop_recording().unwrap().unwrap();
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.contains("a TOKEN b") && !text.contains(&token), "{text}");
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let seen = |key: &str| lines.iter().map(|line| line[key].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(seen("kind"), ["open", "text", "text", "text", "text", "close"]);
    assert_eq!(seen("direction"), ["in", "in", "out", "in", "out", "in"]);
    assert_eq!(lines[5]["data"], Value::Null);
    assert_eq!(recording.entries.len(), 6);
    assert!(hub.stop_recording().unwrap().is_none());
}

#[tokio::test]
async fn a_recording_is_switched_by_http() {
    let hub = MockHub::start(quiet()).unwrap();
    let url = format!("{}/control/record", hub.url());
    assert_eq!(http("GET", &url, &[], "").await.0, 404);
    assert_eq!(http("POST", &url, &[], "").await.0, 200);
    Client::connect(&hub.hub_url("market")).await;
    assert!(hub.until(DEADLINE, |hub| hub.connections().is_empty()).await);
    assert_eq!(http("GET", &url, &[], "").await.2.lines().count(), 4);
    let (status, _, text) = http("DELETE", &url, &[], "").await;
    assert_eq!((status, Recording::parse(&text).unwrap().connections().len()), (200, 1));
    assert_eq!(http("DELETE", &url, &[], "").await.0, 404);
}

#[test]
fn what_is_no_recording_is_told_by_its_line() {
    let good = "{\"t\":1,\"connection\":\"c\",\"hub\":\"market\",\"direction\":\"in\",\"kind\":\"open\"}";
    for (line, complaint) in [
        ("nothing", "line 2: expected"),
        ("{}", "line 2: missing field"),
        (
            "{\"t\":1,\"connection\":\"c\",\"hub\":\"m\",\"direction\":\"up\",\"kind\":\"open\"}",
            "line 2: unknown variant `up`",
        ),
        (
            "{\"t\":1,\"connection\":\"c\",\"hub\":\"m\",\"direction\":\"in\",\"kind\":\"text\"}",
            "line 2: a message has either",
        ),
    ] {
        let error = Recording::parse(&format!("{good}\n{line}\n")).unwrap_err().to_string();
        assert!(error.starts_with(complaint), "{error}");
    }
    for (text, speed) in [("max", Speed::AsFastAsRead), ("1", Speed::Real), ("2.5", Speed::Times(2.5))] {
        assert_eq!(text.parse(), Ok(speed));
    }
    assert!("0".parse::<Speed>().is_err() && "fast".parse::<Speed>().is_err());
}

#[tokio::test]
async fn a_hub_records_from_its_start_when_told_to() {
    let folder = tempfile::tempdir().unwrap();
    let hub = MockHub::start(Options { record: Some(folder.path().to_owned()), ..quiet() }).unwrap();
    let url = format!("{}/control/record", hub.url());
    assert_eq!(http("POST", &url, &[], "").await.0, 409);
    Client::connect(&hub.hub_url("market")).await;
    assert!(hub.until(DEADLINE, |hub| hub.connections().is_empty()).await);
    drop(hub);
    let path = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
    assert_eq!(Recording::read(path).unwrap().entries.len(), 4);
}
