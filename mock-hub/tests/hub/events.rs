//! Methods, what is published, and what clients are asked.

use std::time::Duration;

use mock_hub::Options;
use serde_json::{Value, json};

use super::common::{Client, DEADLINE, End, HANDSHAKE};
use super::{connected, start};

#[tokio::test]
async fn the_market_hub_has_its_methods_and_no_others() {
    let hub = start(Options::default());
    let mut client = Client::connect(&hub.hub_url("market")).await;
    let error = |answer: Value| answer["error"].as_str().unwrap_or_default().to_owned();
    assert_eq!(
        error(client.call("1", "SubscribeContractBars", "[\"C\"]").await),
        "Failed to invoke 'SubscribeContractBars' due to an error on the server. HubException: Method does not exist."
    );
    assert_eq!(
        error(client.call("2", "SubscribeContractQuotes", "[]").await),
        "Failed to invoke 'SubscribeContractQuotes' due to an error on the server."
    );
    let mut user = Client::connect(&hub.hub_url("user")).await;
    assert_eq!(
        error(user.call("1", "SubscribeOrders", "[\"12\"]").await),
        "Failed to invoke 'SubscribeOrders' due to an error on the server."
    );
    assert_eq!(user.call("2", "subscribeaccounts", "[]").await["result"], Value::Null);
}

#[tokio::test]
async fn publish_reaches_the_group_and_nobody_else() {
    let hub = start(Options::default());
    let mut member = Client::connect(&hub.hub_url("user")).await;
    let mut other = Client::connect(&hub.hub_url("user")).await;
    member.call("1", "SubscribeOrders", "[7]").await;
    other.call("1", "SubscribeOrders", "[8]").await;
    assert_eq!(hub.publish("user", "GatewayUserOrder", "[{\"action\":1}]", Some("orders/7")).unwrap(), 1);
    assert_eq!(hub.publish("user", "ToAll", "[ 1 ]", None).unwrap(), 2);
    assert_eq!(member.record().await, r#"{"type":1,"target":"GatewayUserOrder","arguments":[{"action":1}]}"#);
    assert_eq!(member.record().await, r#"{"type":1,"target":"ToAll","arguments":[1]}"#);
    assert_eq!(other.record().await, r#"{"type":1,"target":"ToAll","arguments":[1]}"#);
    assert!(hub.publish("user", "T", "{}", None).is_err());
    assert!(hub.publish("no-such-hub", "T", "[]", None).is_err());
}

#[tokio::test]
async fn calls_are_logged_in_order_with_their_arguments() {
    let hub = start(Options::default());
    let mut client = Client::connect(&hub.hub_url("market")).await;
    client.send("{\"type\":1,\"target\":\"SubscribeContractTrades\",\"arguments\":[\"A\"]}\u{1e}").await;
    client.call("1", "NoSuchMethod", "[1,{\"b\":2}]").await;
    let calls = hub.calls_where(|calls| calls.len() == 2, DEADLINE).await.unwrap();
    assert_eq!((calls[0].target.as_str(), calls[0].invocation_id.as_deref()), ("SubscribeContractTrades", None));
    assert_eq!(calls[1].arguments, [json!(1), json!({ "b": 2 })]);
    assert_eq!((calls[1].hub, calls[1].invocation_id.as_deref()), ("market", Some("1")));
    assert_eq!(calls[0].connection_id, hub.connections()[0].id);
    let missing = hub.wait_for_calls(|calls| calls.len() == 3, Duration::from_millis(10));
    assert_eq!(missing.unwrap_err().len(), 2);
    hub.clear_calls();
    assert!(hub.calls().is_empty());
}

#[tokio::test]
async fn client_results_are_asked_from_outside_and_answered_by_the_right_one() {
    let hub = start(Options::default());
    let mut client = Client::connect(&hub.hub_url("conformance")).await;
    let mut meddler = Client::connect(&hub.hub_url("conformance")).await;
    connected(&hub, 2).await;
    let id = hub.connections()[0].id.clone();
    let client_side = async {
        let question = client.json().await;
        assert_eq!((&question["target"], &question["arguments"]), (&json!("Ask"), &json!([5])));
        let question_id = question["invocationId"].as_str().unwrap().to_owned();
        let answer = |result| format!("{{\"type\":3,\"invocationId\":\"{question_id}\",\"result\":{result}}}\u{1e}");
        meddler.send(&answer(0)).await;
        assert_eq!(meddler.read_to_end().await.1, End::Closed(1000));
        client.send(&answer(6)).await;
    };
    let (answer, ()) = tokio::join!(hub.ask(&id, "Ask", "[5]"), client_side);
    assert_eq!(answer, Ok("6".to_owned()));

    let leaving = async {
        client.json().await;
        drop(client);
    };
    let (answer, ()) = tokio::join!(hub.ask(&id, "Ask", "[]"), leaving);
    assert_eq!(answer, Err(format!("Connection '{id}' disconnected.")));
    connected(&hub, 0).await;
    assert_eq!(hub.ask(&id, "Ask", "[]").await, Err(format!("Connection '{id}' does not exist.")));
}

#[tokio::test]
async fn a_flood_is_whole_in_order_and_in_frames_of_the_size_asked_for() {
    let hub = start(Options::default());
    let mut client = Client::open(&format!("{}/raw/hub?id=raw", hub.url())).await.unwrap_or_else(|_| panic!("refused"));
    client.send(HANDSHAKE).await;
    assert_eq!(client.record().await, "{}");
    client.send("{\"type\":1,\"invocationId\":\"7\",\"target\":\"Echo\",\"arguments\":[12]}\u{1e}").await;
    assert_eq!(client.record().await, r#"{"type":3,"invocationId":"7","result":12}"#);
    client.send("{\"type\":1,\"target\":\"StartFlood\",\"arguments\":[10,4]}\u{1e}").await;
    let mut frames = Vec::new();
    loop {
        let frame = client.message().await.unwrap().to_text().unwrap().to_owned();
        if frame.contains("\"Done\"") {
            break;
        }
        frames.push(frame);
    }
    let records = |frame: &String| frame.matches('\u{1e}').count();
    assert_eq!(frames.iter().map(records).collect::<Vec<_>>(), [4, 4, 2]);
    let volume = |record: &str| serde_json::from_str::<Value>(record).unwrap()["arguments"][1]["volume"].as_u64();
    let text = frames.concat();
    let serials: Vec<_> = text.split_terminator('\u{1e}').map(volume).collect();
    assert_eq!(serials, (0..10).map(Some).collect::<Vec<_>>());
}
