//! The gateway's behaviour, and what a test can do to it.

mod common;

use std::time::Duration;

use common::{Client, DEADLINE, End, HANDSHAKE, http};
use mock_hub::{BadToken, Frame, How, MockHub, Options};
use serde_json::{Value, json};

fn start(options: Options) -> MockHub {
    MockHub::start(options).expect("a hub on loopback starts")
}

async fn connected(hub: &MockHub, count: usize) {
    assert!(hub.until(DEADLINE, |hub| hub.connections().len() == count).await, "{:?}", hub.connections());
}

#[tokio::test]
async fn quotes_begin_with_a_full_one_before_the_completion_and_count_without_a_hole() {
    let hub = start(Options { counted_quotes: true, quotes_per_second: 200.0, ..Options::default() });
    let mut client = Client::connect(&hub.hub_url("market")).await;
    let completion = client.call("1", "SubscribeContractQuotes", "[\"CON.F.US.MNQ.U26\"]").await;
    assert_eq!(completion, json!({ "type": 3, "invocationId": "1", "result": null }));

    let first = client.json().await;
    assert_eq!(first["target"], "GatewayQuote");
    let quote = &first["arguments"][1];
    for member in ["symbol", "lastPrice", "bestBid", "bestAsk", "change", "open", "high", "low", "volume", "timestamp"]
    {
        assert!(quote.get(member).is_some(), "no {member} in {quote}");
    }
    let mut serial = quote["volume"].as_u64().unwrap();
    for _ in 0..50 {
        let next = client.json().await;
        assert_eq!(next["arguments"][0], "CON.F.US.MNQ.U26");
        let quote = &next["arguments"][1];
        assert!(quote.get("open").is_none(), "not sparse: {quote}");
        assert_eq!(quote["lastUpdated"].as_str().map(str::len), Some("2026-11-20T14:30:00.1234567+00:00".len()));
        serial += 1;
        assert_eq!(quote["volume"], serial);
    }
    client.call("2", "UnsubscribeContractQuotes", "[\"CON.F.US.MNQ.U26\"]").await;
}

#[tokio::test]
async fn a_later_subscriber_continues_the_count() {
    let hub = start(Options { counted_quotes: true, quotes_per_second: 500.0, ..Options::default() });
    let mut early = Client::connect(&hub.hub_url("market")).await;
    early.call("1", "SubscribeContractQuotes", "[\"C\"]").await;
    while early.json().await["arguments"][1]["volume"].as_u64() < Some(20) {}
    let mut late = Client::connect(&hub.hub_url("market")).await;
    late.call("1", "SubscribeContractQuotes", "[\"C\"]").await;
    let first = late.json().await["arguments"][1]["volume"].as_u64().unwrap();
    assert!(first >= 20, "{first}");
    assert_eq!(late.json().await["arguments"][1]["volume"], first + 1);
}

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
async fn every_way_to_drop_a_connection_looks_as_it_should() {
    let hub = start(Options::default());
    let ends = [
        (How::Tcp, "", End::Lost),
        (How::Reset, "", End::Lost),
        (How::Close { allow_reconnect: false }, "{\"type\":7}\u{1e}", End::Closed(1000)),
        (How::Close { allow_reconnect: true }, "{\"type\":7,\"allowReconnect\":true}\u{1e}", End::Closed(1000)),
        (
            How::CloseWithError,
            "{\"type\":7,\"error\":\"Connection closed with an error.\",\"allowReconnect\":true}\u{1e}",
            End::Closed(1000),
        ),
        (How::WebSocket(1012), "", End::Closed(1012)),
    ];
    let count = ends.len() as u64;
    for (how, text, end) in ends {
        let mut client = Client::connect(&hub.hub_url("conformance")).await;
        connected(&hub, 1).await;
        let id = hub.connections()[0].id.clone();
        assert!(hub.drop_connection(&id, how));
        assert_eq!(client.read_to_end().await, (text.to_owned(), end), "{how:?}");
        connected(&hub, 0).await;
        assert!(!hub.drop_connection(&id, how));
    }
    assert_eq!(hub.accepted(), count);
}

#[tokio::test]
async fn a_running_stream_ends_with_its_connection_and_drop_all_takes_everybody() {
    let hub = start(Options::default());
    let mut first = Client::connect(&hub.hub_url("conformance")).await;
    let mut second = Client::connect(&hub.hub_url("market")).await;
    first.send("{\"type\":4,\"invocationId\":\"s\",\"target\":\"Forever\",\"arguments\":[\"key\"]}\u{1e}").await;
    assert_eq!(first.json().await["item"], 0);
    assert_eq!(hub.drop_all(How::Tcp), 2);
    assert_eq!(first.read_to_end().await.1, End::Lost);
    assert_eq!(second.read_to_end().await.1, End::Lost);
    let mut third = Client::connect(&hub.hub_url("conformance")).await;
    loop {
        if third.call("w", "WasCancelled", "[\"key\"]").await["result"] == true {
            break;
        }
    }
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
async fn raw_bytes_reach_the_client_as_they_are() {
    let hub = start(Options::default());
    let mut client = Client::connect(&hub.hub_url("conformance")).await;
    connected(&hub, 1).await;
    let id = hub.connections()[0].id.clone();
    assert!(hub.send_raw(&id, Frame::Binary(b"\x00\xff".to_vec())));
    assert_eq!(&client.message().await.unwrap().into_data()[..], b"\x00\xff");
    assert!(hub.send_record(&id, "{\"type\":99}"));
    assert_eq!(client.record().await, "{\"type\":99}");
    // A ping frame, by hand; then a text that is none.
    assert!(hub.send_raw(&id, Frame::Wire(b"\x81\x02ok".to_vec())));
    assert_eq!(client.message().await.unwrap().to_text().unwrap(), "ok");
    assert!(hub.send_raw(&id, Frame::Text(b"\xff".to_vec())));
    assert_eq!(client.message().await, Err(End::Lost));
    assert!(!hub.send_raw("nobody", Frame::Text(Vec::new())));
}

#[tokio::test]
async fn a_silenced_connection_says_nothing_and_stays() {
    let hub = start(Options { keep_alive: Duration::from_millis(20), ..Options::default() });
    let mut client = Client::connect(&hub.hub_url("conformance")).await;
    assert_eq!(client.record().await, "{\"type\":6}");
    assert!(hub.silence(&hub.connections()[0].id));
    client.send("{\"type\":1,\"invocationId\":\"1\",\"target\":\"Add\",\"arguments\":[1,2]}\u{1e}").await;
    hub.calls_where(|calls| calls.len() == 1, DEADLINE).await.unwrap();
    // Whatever had left before the silence.
    while !client.is_silent_for(Duration::from_millis(200)).await {}
    assert_eq!(hub.connections().len(), 1);
    drop(client);
    connected(&hub, 0).await;
}

#[tokio::test]
async fn pings_come_by_themselves_and_a_client_that_pinged_must_go_on() {
    let options = Options {
        keep_alive: Duration::from_millis(20),
        client_timeout: Duration::from_millis(100),
        ..Options::default()
    };
    let hub = start(options);
    let mut never_pinged = Client::connect(&hub.hub_url("conformance")).await;
    let mut pinged = Client::connect(&hub.hub_url("conformance")).await;
    pinged.send("{\"type\":6}\u{1e}").await;
    let (text, end) = pinged.read_to_end().await;
    assert!(text.starts_with("{\"type\":6}\u{1e}"), "{text}");
    assert!(
        text.ends_with("{\"type\":7,\"error\":\"Connection closed with an error.\",\"allowReconnect\":true}\u{1e}"),
        "{text}"
    );
    assert_eq!(end, End::Closed(1000));
    for _ in 0..10 {
        assert_eq!(never_pinged.record().await, "{\"type\":6}");
    }
}

#[tokio::test]
async fn upgrades_are_refused_as_often_as_told() {
    let hub = start(Options::default());
    let url = hub.hub_url("market");
    hub.refuse_upgrades(Some(2), 503);
    assert_eq!(Client::open(&url).await.err(), Some(503));
    assert_eq!(Client::open(&url).await.err(), Some(503));
    Client::connect(&url).await;
    hub.refuse_upgrades(None, 429);
    for _ in 0..3 {
        assert_eq!(Client::open(&url).await.err(), Some(429));
    }
    hub.accept_upgrades();
    Client::connect(&url).await;
    assert_eq!(hub.upgrades(), 7);
}

#[tokio::test]
async fn the_port_closes_and_opens_again() {
    let hub = start(Options::default());
    let mut before = Client::connect(&hub.hub_url("conformance")).await;
    let is_open = || std::net::TcpStream::connect(("127.0.0.1", hub.port())).is_ok();
    hub.refuse_connections();
    assert!(hub.until(DEADLINE, |_| !is_open()).await);
    assert_eq!(before.call("1", "Add", "[1,1]").await["result"], 2);
    hub.accept_connections();
    assert!(hub.until(DEADLINE, |_| is_open()).await);
    Client::connect(&hub.hub_url("conformance")).await;
}

#[tokio::test]
async fn tokens_open_doors_by_header_or_query_and_change_at_run_time() {
    let hub = start(Options { require_token: Some(vec!["good+/=".to_owned()]), ..Options::default() });
    let url = hub.hub_url("market");
    assert_eq!(Client::open(&url).await.err(), Some(401));
    assert!(Client::open_with(&url, &[("authorization", "Bearer good+/=")]).await.is_ok());
    assert!(Client::open(&format!("{url}?access_token=good%2B%2F%3D")).await.is_ok());

    let negotiate = format!("{url}/negotiate?negotiateVersion=1");
    let (status, head, body) = http("POST", &negotiate, &[("Authorization", "Bearer bad")], "").await;
    assert_eq!((status, body.as_str()), (401, ""));
    assert!(head.contains("www-authenticate: bearer error=\"invalid_token\""), "{head}");

    hub.set_tokens(Some(vec!["new".to_owned()]));
    assert_eq!(Client::open_with(&url, &[("authorization", "Bearer good+/=")]).await.err(), Some(401));
    assert!(Client::open_with(&url, &[("authorization", "Bearer new")]).await.is_ok());
    let issued = format!("Bearer {}", hub.issue_token("ann", DEADLINE));
    assert!(Client::open_with(&url, &[("authorization", &issued)]).await.is_ok());

    hub.set_bad_token(BadToken::AcceptThenClose);
    let mut unwelcome = Client::open(&url).await.unwrap_or_else(|status| panic!("{status}"));
    unwelcome.send(HANDSHAKE).await;
    assert_eq!(unwelcome.read_to_end().await, ("{}\u{1e}{\"type\":7}\u{1e}".to_owned(), End::Closed(1000)));
    hub.set_tokens(None);
    Client::connect(&url).await;
}

#[tokio::test]
async fn a_connection_ends_with_its_token() {
    let hub = start(Options::default());
    let token = hub.issue_token("ann", Duration::from_millis(300));
    let mut client = Client::connect(&format!("{}?access_token={token}", hub.hub_url("secure"))).await;
    assert_eq!(client.call("1", "WhoAmI", "[]").await["result"]["userIdentifier"], "ann");
    assert_eq!(
        client.read_to_end().await,
        ("{\"type\":7,\"allowReconnect\":true}\u{1e}".to_owned(), End::Closed(1000))
    );
}

#[tokio::test]
async fn negotiated_ids_are_good_for_one_connection() {
    let hub = start(Options { negotiation_lifetime: Duration::from_millis(500), ..Options::default() });
    let url = hub.hub_url("conformance");
    let (status, _, body) = http("POST", &format!("{url}/negotiate?negotiateVersion=1"), &[], "").await;
    assert_eq!(status, 200);
    let answer: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        answer["availableTransports"],
        json!([{ "transport": "WebSockets", "transferFormats": ["Text", "Binary"] }])
    );
    let (id, token) = (answer["connectionId"].as_str().unwrap(), answer["connectionToken"].as_str().unwrap());
    assert_ne!(id, token);
    assert_eq!(Client::open(&format!("{url}?id={id}")).await.err(), Some(404));
    let with_token = format!("{url}?id={token}");
    let client = Client::connect(&with_token).await;
    assert_eq!(hub.connections()[0].id, id);
    assert_eq!(Client::open(&with_token).await.err(), Some(409));
    drop(client);
    connected(&hub, 0).await;
    assert_eq!(Client::open(&with_token).await.err(), Some(404));

    let (_, _, body) = http("POST", &format!("{url}/negotiate?negotiateVersion=1"), &[], "").await;
    let answer: Value = serde_json::from_str(&body).unwrap();
    let late = format!("{url}?id={}", answer["connectionToken"].as_str().unwrap());
    assert!(!hub.until(Duration::from_millis(600), |_| false).await);
    assert_eq!(Client::open(&late).await.err(), Some(404));
    assert_eq!(hub.negotiations(), 2);
}

#[tokio::test]
async fn requests_that_are_no_upgrades_are_told_so() {
    let hub = start(Options::default());
    let url = hub.hub_url("conformance");
    for (method, path, status, body) in [
        ("GET", "", 400, "Connection ID required"),
        ("POST", "?id=", 400, "Connection ID required"),
        ("GET", "?id=x", 404, "No Connection with that ID"),
        ("PUT", "", 405, ""),
        ("GET", "/negotiate", 405, ""),
    ] {
        let (answered, head, text) = http(method, &format!("{url}{path}"), &[], "").await;
        assert_eq!((answered, text.as_str()), (status, body), "{method} {path}");
        assert!(!head.contains("allow:"), "{head}");
    }
    let (status, ..) = http("POST", &format!("{}/HUBS/Conformance/Negotiate/", hub.url()), &[], "").await;
    assert_eq!(status, 200);
    let (status, ..) = http("GET", &format!("{}/nothing", hub.url()), &[], "").await;
    assert_eq!(status, 404);
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

#[test]
fn stop_ends_the_thread_and_every_socket_without_a_runtime_of_the_caller() {
    use std::io::Read;
    let hub = start(Options::default());
    let mut socket = std::net::TcpStream::connect(("127.0.0.1", hub.port())).unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    hub.stop();
    let mut byte = [0];
    assert!(matches!(socket.read(&mut byte), Ok(0) | Err(_)));
    assert!(std::net::TcpStream::connect(("127.0.0.1", hub.port())).is_err());
    hub.stop();
    assert!(!hub.wait_until(Duration::from_millis(10), |_| false));
}
