//! Scenarios happen as they are written; those that come along are run, faster than in life.

#![allow(clippy::unwrap_used, reason = "this is test code, though clippy does not see it")]

mod common;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use common::rest::User;
use common::{Client, DEADLINE, End, http};
use mock_hub::faults::Phase;
use mock_hub::scenario::Scenario;
use mock_hub::{MockHub, Options};
use serde_json::json;

const EP: &str = "CON.F.US.EP.Z26";
const MARKET: [(&str, &str); 2] =
    [("SubscribeContractQuotes", "[\"CON.F.US.EP.Z26\"]"), ("SubscribeContractTrades", "[\"CON.F.US.EP.Z26\"]")];

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(name)
}

fn gateway() -> MockHub {
    let options = Options { require_token: Some(Vec::new()), rate_limits: false, ..Options::default() };
    MockHub::start(options).unwrap()
}

/// Waits until this many rules are over, and yields how often each acted, by the fault's name.
async fn outcome(hub: &MockHub, rules: usize) -> Vec<(String, u64)> {
    let over = |hub: &MockHub| hub.faults().iter().filter(|report| report.phase == Phase::Over).count();
    assert!(hub.until(DEADLINE, |hub| over(hub) >= rules).await, "{:#?}", hub.faults());
    hub.faults().into_iter().map(|report| (report.rule.fault.name(), report.acted)).collect()
}

/// Waits until the rule of a fault is where it is waited for.
async fn reached(hub: &MockHub, fault: &str, phase: Phase) {
    let is_there = |hub: &MockHub| {
        let mut reports = hub.faults().into_iter().filter(|report| report.rule.fault.name() == fault);
        reports.any(|report| report.phase == phase)
    };
    assert!(hub.until(DEADLINE, is_there).await, "{:#?}", hub.faults());
}

/// A client that follows a hub through anything: it connects, subscribes, reads, and begins again, until told to stop.
async fn follow(hub: &MockHub, name: &str, token: &str, subscribe: &[(&str, &str)], until: Instant) -> Vec<String> {
    let url = format!("{}?access_token={token}", hub.hub_url(name));
    let mut ends = Vec::new();
    while Instant::now() < until {
        let mut client = match Client::open(&url).await {
            Ok(client) => client,
            Err(status) => {
                ends.push(format!("refused {status}"));
                tokio::time::sleep(Duration::from_millis(20)).await;
                continue;
            }
        };
        client.send(common::HANDSHAKE).await;
        for (id, (target, arguments)) in subscribe.iter().enumerate() {
            let call = format!("\"invocationId\":\"{id}\",\"target\":\"{target}\",\"arguments\":{arguments}");
            client.send(&format!("{{\"type\":1,{call}}}\u{1e}")).await;
        }
        let left = until.saturating_duration_since(Instant::now());
        let Ok((text, end)) = tokio::time::timeout(left, client.read_to_end()).await else {
            break;
        };
        let last = text.split_terminator('\u{1e}').next_back().unwrap_or_default();
        ends.push(format!("{end:?} after {last}"));
    }
    ends
}

#[tokio::test]
async fn a_bad_day_comes_with_all_its_mishaps() {
    let hub = gateway();
    let user = User::log_in(&hub).await;
    let account = hub.accounts(None)[0].id;
    let scenario = Scenario::read(file("bad-day.toml")).unwrap().faster(20.0);
    let (rules, steps) = (scenario.rules.len(), 1);
    let until = Instant::now() + Duration::from_millis(3100);
    hub.play(scenario).unwrap();
    let argument = format!("[{account}]");
    let mine = [("SubscribeOrders", argument.as_str())];
    let order = json!({ "accountId": account, "contractId": EP, "type": 2, "side": 0, "size": 1 });
    let (market, orders, ()) = tokio::join!(
        follow(&hub, "market", &user.token, &MARKET, until),
        follow(&hub, "user", &user.token, &mine, until),
        async {
            // The order is taken, and its answer lost.
            reached(&hub, "rest-drop", Phase::Active).await;
            let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", hub.port())).await.unwrap();
            let body = order.to_string();
            let request = format!(
                "POST /api/Order/place HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\
                 Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                user.token,
                body.len()
            );
            use tokio::io::{AsyncReadExt, AsyncWriteExt};
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer).await;
            assert_eq!(answer, b"");
        }
    );
    let acted = outcome(&hub, rules + steps).await;
    assert!(acted.iter().all(|(_, count)| *count > 0), "{acted:?}\n{market:#?}\n{orders:#?}");
    assert!(market.iter().any(|end| end.starts_with("Lost")), "{market:#?}");
    for ends in [&market, &orders] {
        let goodbye = "{\"type\":7,\"error\":\"Connection closed with an error.\",\"allowReconnect\":true}";
        assert!(ends.iter().any(|end| end.ends_with(goodbye)), "{ends:#?}");
        assert!(ends.iter().any(|end| end == "refused 503"), "{ends:#?}");
    }
    // Two bought and sold by somebody else, and one whose answer was lost: all of them are filled in the end.
    let request = json!({ "accountId": account, "startTimestamp": "2000-01-01T00:00:00Z" });
    let deadline = Instant::now() + DEADLINE;
    loop {
        let orders = user.done("Order/search", request.clone()).await["orders"].take();
        let seen = |order: &serde_json::Value| {
            let number = |member: &str| order[member].as_i64().unwrap_or_default();
            (number("side"), number("size"), number("status"))
        };
        let mut seen: Vec<_> = orders.as_array().unwrap().iter().map(seen).collect();
        seen.sort_unstable();
        if seen == [(0, 1, 2), (0, 2, 2), (1, 2, 2)] {
            return;
        }
        assert!(Instant::now() < deadline, "{orders:#}");
    }
}

#[tokio::test]
async fn tokens_end_in_three_ways() {
    let hub = gateway();
    // Between two of its ends there is time for a login, on a busy machine too.
    hub.play(Scenario::read(file("token-expiry.toml")).unwrap().faster(7.0)).unwrap();
    let connect = async |token: &str| Client::connect(&format!("{}?access_token={token}", hub.hub_url("user"))).await;

    let first = User::log_in(&hub).await;
    let (text, end) = connect(&first.token).await.read_to_end().await;
    assert_eq!((text.as_str(), end), ("{\"type\":7,\"allowReconnect\":true}\u{1e}", End::Closed(1000)));
    assert_eq!(first.post("Account/search", "{}").await.0, 401);

    let second = User::log_in(&hub).await;
    let mut connection = connect(&second.token).await;
    let is_over = |hub: &MockHub| hub.faults().len() == 2 && hub.faults()[1].phase == Phase::Over;
    assert!(hub.until(DEADLINE, is_over).await);
    assert_eq!(second.post("Account/search", "{}").await.0, 401);
    assert!(connection.call("1", "SubscribeAccounts", "[]").await.get("error").is_none());
    drop(connection);

    for _ in 0..2 {
        let user = User::log_in(&hub).await;
        let (text, end) = connect(&user.token).await.read_to_end().await;
        assert!(text.contains("\"target\":\"GatewayLogout\"") && text.ends_with("{\"type\":7}\u{1e}"), "{text}");
        assert_eq!(end, End::Closed(1000));
        assert_eq!(user.post("Account/search", "{}").await.0, 401);
    }
}

#[tokio::test]
async fn maintenance_closes_the_port_and_opens_it_again() {
    let hub = gateway();
    let user = User::log_in(&hub).await;
    let until = Instant::now() + Duration::from_millis(6000);
    // No faster: on a busy machine the proxy's time would be over before anybody came to see it.
    hub.play(Scenario::read(file("maintenance.toml")).unwrap().faster(8.0)).unwrap();
    let url = format!("{}/hubs/market/negotiate?negotiateVersion=1", hub.url());
    let (ends, ()) = tokio::join!(follow(&hub, "market", &user.token, &MARKET, until), async {
        reached(&hub, "refuse-connections", Phase::Over).await;
        let is_open = || std::net::TcpStream::connect(("127.0.0.1", hub.port())).is_ok();
        assert!(hub.until(DEADLINE, |_| is_open()).await);
        let (status, head, _) = http("POST", &url, &[], "").await;
        assert!(status == 503 && head.contains("retry-after: 5"), "{head}");
        assert_eq!(user.post("Account/search", "{}").await.0, 503);
    });
    assert!(ends[0].ends_with("{\"type\":7,\"allowReconnect\":true}"), "{ends:#?}");
    assert!(ends.iter().any(|end| end == "refused 0") && ends.iter().any(|end| end == "refused 503"), "{ends:#?}");
    let acted = outcome(&hub, 5).await;
    assert!(acted.iter().all(|(_, count)| *count > 0), "{acted:?}");
    assert_eq!(user.post("Account/search", "{\"onlyActiveAccounts\":true}").await.0, 200);
}

#[tokio::test]
async fn steps_publish_trade_and_change_accounts_and_what_cannot_be_done_is_left_out() {
    let hub = MockHub::start(Options { quotes_per_second: 0.0, ..Options::default() }).unwrap();
    let account = hub.accounts(None)[1].id;
    let mut client = Client::connect(&hub.hub_url("user")).await;
    client.call("1", "SubscribeAccounts", "[]").await;
    let text = format!(
        r##"
        [[step]]
        at = "0s"
        price = {{ contract = "CON.F.US.NOTHING.Z26", to = 1 }}
        [[step]]
        at = "10ms"
        account = {{ account = "#2", balance = "1234.5" }}
        [[step]]
        at = "20ms"
        account = {{ account = {account}, can-trade = false }}
        [[step]]
        at = "30ms"
        order = {{ account = {account}, contract = "{EP}", side = "buy" }}
        [[step]]
        at = "40ms"
        publish = {{ hub = "user", target = "Hello", arguments = [1, "two", {{ three = [true] }}] }}
        "##
    );
    hub.play(text.parse().unwrap()).unwrap();
    let mut accounts = Vec::new();
    let hello = loop {
        let record = client.json().await;
        if record["target"] == "Hello" {
            break record;
        }
        accounts.push((
            record["arguments"][0]["data"]["balance"].as_f64(),
            record["arguments"][0]["data"]["canTrade"].clone(),
        ));
    };
    assert_eq!(accounts, [(Some(1234.5), json!(true)), (Some(1234.5), json!(false))]);
    assert_eq!(hello["arguments"], json!([1, "two", { "three": [true] }]));
}

#[tokio::test]
async fn a_hub_plays_the_scenario_it_is_started_with_and_does_not_start_with_a_bad_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.toml");
    std::fs::write(&path, "[[rule]]\nfault = { upgrade-status = { status = 418 } }\n").unwrap();
    let options = Options { scenario: Some(path.clone()), ..Options::default() };
    let hub = MockHub::start(options.clone()).unwrap();
    assert_eq!(Client::open(&hub.hub_url("market")).await.err(), Some(418));
    std::fs::write(&path, "seed = 1\n\n[[rule]]\nfault = \"no-such\"\n").unwrap();
    let error = MockHub::start(options).unwrap_err().to_string();
    assert!(error.contains("a.toml: line 4: unknown variant `no-such`"), "{error}");
}

#[tokio::test]
async fn a_scenario_is_begun_by_http() {
    let hub = MockHub::start(Options::default()).unwrap();
    let url = format!("{}/control/scenario", hub.url());
    let scenario = "[[step]]\nat = \"0s\"\nrule = { fault = { upgrade-status = { status = 418 } } }\n";
    assert_eq!(http("POST", &url, &[], scenario).await.0, 200);
    reached(&hub, "upgrade-status", Phase::Active).await;
    assert_eq!(Client::open(&hub.hub_url("market")).await.err(), Some(418));
    let (status, _, text) = http("POST", &url, &[], "[[step]]\nat = \"0s\"\n").await;
    assert_eq!((status, text.as_str()), (400, "line 1: a step does one thing"));
}

#[test]
fn the_scenarios_that_come_along_read_to_the_end() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let scenario = Scenario::read(entry.unwrap().path()).unwrap();
        assert!(!scenario.rules.is_empty() || !scenario.steps.is_empty());
        count += 1;
    }
    assert_eq!(count, 4, "each of them is run above");
}

#[tokio::test]
async fn without_the_role_depth_is_refused_and_the_rest_works() {
    let hub = gateway();
    hub.play(Scenario::read(file("no-depth.toml")).unwrap()).unwrap();
    let user = User::log_in(&hub).await;
    let mut client = Client::connect(&format!("{}?access_token={}", hub.hub_url("market"), user.token)).await;
    let refused = client.call("1", "SubscribeContractMarketDepth", "[\"CON.F.US.EP.Z26\"]").await;
    assert_eq!(refused["error"], "Failed to invoke 'SubscribeContractMarketDepth' because user is unauthorized");
    assert!(client.call("2", "SubscribeContractQuotes", "[\"CON.F.US.EP.Z26\"]").await.get("error").is_none());
    // Nobody who was refused is fed.
    assert!(
        hub.serials(&hub.connections()[0].id).unwrap_or_default().iter().all(|sent| !sent.group.starts_with("depth"))
    );
}
