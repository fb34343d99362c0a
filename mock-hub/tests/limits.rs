//! Whatever is asked of the hub, by whoever wants to break it: everything has a limit, and nothing is half done.

#![allow(clippy::unwrap_used, reason = "this is test code, though clippy does not see it")]

mod common;

use std::time::{Duration, Instant};

use common::rest::control;
use common::{Client, DEADLINE, http};
use mock_hub::faults::{Fault, Rule};
use mock_hub::{Clock, How, MockHub, Options};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const EP: &str = "CON.F.US.EP.Z26";

/// A hub where nothing moves by itself.
fn quiet() -> MockHub {
    let keep_alive = Duration::from_secs(3600);
    MockHub::start(Options { quotes_per_second: 0.0, keep_alive, ..Options::default() }).unwrap()
}

async fn post(hub: &MockHub, path: &str, body: &str) -> (u16, String) {
    let (status, _, body) = http("POST", &format!("{}/control/{path}", hub.url()), &[], body).await;
    (status, body)
}

#[tokio::test]
async fn rules_beyond_the_limit_are_refused_as_a_whole() {
    let hub = quiet();
    let rules = |count: usize| Value::from(vec![json!({ "fault": "no-pings" }); count]).to_string();
    assert_eq!(post(&hub, "faults", &rules(1_001)).await.0, 400);
    assert!(hub.faults().is_empty());
    assert_eq!(post(&hub, "faults", &rules(1_000)).await.0, 200);
    assert!(hub.inject(Fault::NoPings).is_err());
}

#[tokio::test]
async fn a_scenario_whose_rules_are_too_many_does_not_begin_and_neither_does_one_with_too_many_steps() {
    let hub = quiet();
    let mut many = "[[step]]\nat = \"0s\"\nlogin = \"user\"\n".to_owned();
    many.push_str(&"[[rule]]\nfault = \"no-pings\"\n".repeat(1_001));
    let (status, complaint) = post(&hub, "scenario", &many).await;
    assert!(status == 400 && complaint.contains("too many rules"), "{status} {complaint}");
    assert!(hub.faults().is_empty());

    let steps = "[[step]]\nat=\"1h\"\nrate=1.0\n".repeat(60_000);
    assert_eq!(post(&hub, "scenario", &steps).await.0, 200);
    let (status, complaint) = post(&hub, "scenario", &steps).await;
    assert!(status == 400 && complaint.contains("too many steps"), "{status} {complaint}");
}

#[tokio::test]
async fn of_delayed_events_so_many_wait_and_the_others_come_at_once() {
    let hub = quiet();
    let mut client = Client::connect(&hub.hub_url("conformance")).await;
    client.call("1", "JoinGroup", "[\"g\"]").await;
    let rule = hub.inject(Fault::DelayedEvents { by: Duration::from_secs(3600), group: None }).unwrap();
    let large = format!("[\"{}\"]", "x".repeat(1024 * 1024));
    for _ in 0..70 {
        hub.publish("conformance", "Large", &large, Some("g")).unwrap();
    }
    hub.heal(rule);
    hub.publish("conformance", "Last", "[]", Some("g")).unwrap();
    let mut at_once = 0;
    while !client.record().await.contains("Last") {
        at_once += 1;
    }
    assert!((1..=10).contains(&at_once), "{at_once} of 70 MiB found no room in 64");
}

#[tokio::test]
async fn events_that_are_late_by_the_same_time_keep_their_order() {
    let hub = quiet();
    let mut client = Client::connect(&hub.hub_url("conformance")).await;
    client.call("1", "JoinGroup", "[\"g\"]").await;
    hub.inject(Fault::DelayedEvents { by: Duration::from_millis(30), group: None }).unwrap();
    for number in 0..500 {
        hub.publish("conformance", "E", &format!("[{number}]"), Some("g")).unwrap();
    }
    for number in 0..500 {
        assert_eq!(client.json().await["arguments"], json!([number]));
    }
}

#[tokio::test]
async fn no_group_has_a_name_of_thousands_of_characters() {
    let hub = quiet();
    let mut client = Client::connect(&hub.hub_url("market")).await;
    for length in [1_000, 2_000] {
        let name = "x".repeat(length);
        let answer = client.call("1", "SubscribeContractQuotes", &format!("[\"{name}\"]")).await;
        assert_eq!(answer["result"], Value::Null);
    }
    let id = &hub.connections()[0].id;
    let groups: Vec<_> = hub.serials(id).unwrap().into_iter().map(|sent| sent.group.len()).collect();
    assert_eq!(groups, [1_000 + "quotes/".len()]);
    assert_eq!(hub.publish("market", "T", "[]", Some(&"y".repeat(2_000))).unwrap(), 0);
}

#[tokio::test]
async fn hostile_names_break_neither_records_nor_log_nor_truth() {
    let hub = quiet();
    let mut client = Client::connect(&hub.hub_url("market")).await;
    let names =
        ["\"}],\"x\":[{\"", "a\u{1e}{\"type\":7}\u{1e}", "<script>alert(1)</script>", "a\u{0}b\u{2028}", "\n# HELP"];
    for (index, name) in names.iter().enumerate() {
        let arguments = json!([name]).to_string();
        assert_eq!(client.call(&index.to_string(), "SubscribeContractQuotes", &arguments).await["result"], Value::Null);
        let group = format!("quotes/{name}");
        assert_eq!(hub.publish("market", name, &arguments, Some(&group)).unwrap(), 1);
        let event = client.json().await;
        assert_eq!((&event["target"], &event["arguments"][0]), (&json!(name), &json!(name)));
    }
    let log = control(&hub, "GET", "log").await;
    let groups: Vec<_> =
        log["events"].as_array().unwrap().iter().map(|event| event["group"].as_str().unwrap()).collect();
    assert_eq!(groups, names.map(|name| format!("quotes/{name}")));
    assert_eq!(control(&hub, "GET", "truth").await["connections"][0]["subscriptions"].as_array().unwrap().len(), 5);
    let (_, _, metrics) = http("GET", &format!("{}/metrics", hub.url()), &[], "").await;
    assert!(!metrics.contains("alert"), "{metrics}");
}

#[tokio::test]
async fn the_log_tells_arguments_to_the_byte() {
    let hub = quiet();
    let arguments = "[{\"z\":1,\"a\":0.0000005,\"id\":9007199254740993,\"price\":5023.2500}]";
    hub.publish("user", "E", arguments, None).unwrap();
    let (_, _, body) = http("GET", &format!("{}/control/log", hub.url()), &[], "").await;
    assert!(body.contains(&format!("\"arguments\":{arguments}")), "{body}");
}

#[tokio::test]
async fn counters_never_go_back_while_a_connection_ends() {
    let hub = quiet();
    let mut client = Client::connect(&hub.hub_url("conformance")).await;
    for id in 0..5 {
        client.call(&id.to_string(), "Add", "[1,2]").await;
    }
    // It never answers the hub's close, so that its socket lingers.
    let _deaf = client.into_stream();
    hub.drop_all(How::Close { allow_reconnect: false });
    assert!(hub.until(DEADLINE, |hub| hub.connections().is_empty()).await);
    let (_, _, metrics) = http("GET", &format!("{}/metrics", hub.url()), &[], "").await;
    assert!(metrics.contains("mock_hub_received_messages_total{hub=\"conformance\"} 6"), "{metrics}");
}

#[tokio::test]
async fn a_virtual_clock_passes_idle_time_at_once() {
    let options = Options { clock: Clock::Virtual, quotes_per_second: 0.0, ..Options::default() };
    let hub = MockHub::start(options).unwrap();
    let began = Instant::now();
    hub.advance(Duration::from_secs(10 * 366 * 24 * 3600)).unwrap();
    assert!(began.elapsed() < DEADLINE, "{:?}", began.elapsed());
    assert_eq!(control(&hub, "POST", "advance?ms=1").await["now"], "2036-11-27T14:30:00.001+00:00");
    assert!(hub.advance(Duration::MAX).is_err(), "it ends some time");
    let six_years = Duration::from_secs(6 * 365 * 24 * 3600);
    assert!(hub.advance(six_years).is_ok() && hub.advance(six_years).is_err());
}

#[tokio::test]
async fn a_request_names_this_machine_once() {
    let hub = quiet();
    for (hosts, status) in [
        ("Host: 127.0.0.1\r\n", "200"),
        ("Host: [::1]:9\r\n", "200"),
        ("Host: 127.0.0.1\r\nHost: example.com\r\n", "400"),
        ("Host: 127.0.0.1:1@example.com\r\n", "400"),
        ("Host:\r\n", "400"),
        ("", "400"),
    ] {
        let mut socket = TcpStream::connect(("127.0.0.1", hub.port())).await.unwrap();
        let request = format!("GET /api/Status/ping HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n");
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer.split(' ').nth(1), Some(status), "{hosts:?}");
    }
}

#[tokio::test]
async fn messages_and_records_have_a_limit() {
    use common::End;
    use tokio_tungstenite::tungstenite::Message;

    let hub = quiet();
    // Many records may share a message ...
    let mut client = Client::connect(&hub.hub_url("conformance")).await;
    client.send(&"{\"type\":6}\u{1e}".repeat(100_000)).await;
    assert_eq!(client.call("1", "Add", "[1,2]").await["result"], 3);
    // ... which has its own limit, whether the bytes come or are only announced.
    let mut socket = client.into_stream();
    let _ = socket.write_all(&[&[0x81, 0xff][..], &(16_u64 * 1024 * 1024).to_be_bytes(), &[0; 4]].concat()).await;
    let mut answer = Vec::new();
    tokio::time::timeout(DEADLINE, socket.read_to_end(&mut answer)).await.expect("an end").unwrap();
    assert!(answer.ends_with(&[0x88, 2, 0x03, 0xf1]), "a close with 1009: {answer:?}");

    let mut large = Client::connect(&hub.hub_url("conformance")).await;
    let _ = large.try_send(Message::text("x".repeat(40_000))).await;
    let (said, end) = large.read_to_end().await;
    assert!(said.contains("Connection closed with an error.") && end == End::Closed(1000), "{said} {end:?}");
}

#[tokio::test]
async fn a_price_or_a_balance_without_end_is_cut() {
    let options = Options { clock: Clock::Virtual, quotes_per_second: 0.0, ..Options::default() };
    let hub = MockHub::start(options).unwrap();
    let account = hub.accounts(None)[0].id;
    for number in
        ["79228162514264337593543950335", "-79228162514264337593543950335", "1", "0.0000000000000000000000000001"]
    {
        control(&hub, "POST", &format!("account?accountId={account}&balance={number}")).await;
        let _ = post(&hub, &format!("price?contract={EP}&price={number}"), "").await;
        for side in [mock_hub::exchange::Side::Buy, mock_hub::exchange::Side::Sell] {
            let order =
                mock_hub::exchange::PlaceOrder::new(account, EP, mock_hub::exchange::OrderType::Market, side, 100);
            hub.place(order);
            hub.advance(Duration::from_secs(1)).unwrap();
        }
        assert!(control(&hub, "GET", "truth").await["accounts"][0]["balance"].is_string());
    }
    hub.inject(Rule::new(Fault::LostEvents { group: None }).every(Duration::from_nanos(1))).unwrap();
}
