//! The program, called as it is documented.

#![allow(clippy::unwrap_used, reason = "this is test code, though clippy does not see it")]

mod common;

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use common::{Client, http};
use serde_json::{Value, json};

const LOGIN: &str = r#"{"userName":"user","apiKey":"mock-key"}"#;

struct Hub {
    child: Child,
    first_line: Value,
}

impl Hub {
    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_mock-hub"))
            .args(arguments)
            .arg("--exit-with-stdin")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        Self { first_line: serde_json::from_str(&line).unwrap(), child }
    }

    fn text(&self, member: &str) -> &str {
        self.first_line[member].as_str().unwrap()
    }

    /// Ends it as its parent's end would, and yields what it had said to people.
    fn end(mut self) -> String {
        drop(self.child.stdin.take());
        assert!(self.child.wait().unwrap().success());
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        said
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn the_documented_call_is_a_gateway_that_asks_for_tokens() {
    let hub = Hub::start(&["--port", "0", "--seed", "7", "--rate", "100"]);
    let url = hub.text("url").to_owned();
    assert!(url.starts_with("http://127.0.0.1:") && hub.first_line["pid"] == hub.child.id());
    let login = json!({ "userName": hub.text("userName"), "apiKey": hub.text("apiKey") }).to_string();
    let json_type = ("Content-Type", "application/json");
    let (status, _, body) = http("POST", &format!("{url}/api/Auth/loginKey"), &[json_type], &login).await;
    let answer: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &answer["success"]), (200, &json!(true)));
    let token = answer["token"].as_str().unwrap().to_owned();

    for name in ["market", "user"] {
        let hub_url = format!("{url}/hubs/{name}");
        assert_eq!(Client::open(&hub_url).await.err(), Some(401));
        assert_eq!(Client::open(&format!("{hub_url}?access_token=bad")).await.err(), Some(401));
        Client::connect(&format!("{hub_url}?access_token={token}")).await;
    }
    assert_eq!(http("POST", &format!("{url}/api/Account/search"), &[json_type], "{}").await.0, 401);

    let said = hub.end();
    for example in ["/api/Auth/loginKey", "HubConnection", "curl"] {
        assert!(said.contains(example), "no {example}: {said}");
    }
    assert!(!said.contains(&token), "no token is told");
}

#[tokio::test]
async fn bad_tokens_may_be_let_in_and_closed() {
    let hub = Hub::start(&["--accept-then-close", "--rate", "0", "--log", "off"]);
    let mut client = Client::open(&format!("{}/hubs/user?access_token=bad", hub.text("url")))
        .await
        .unwrap_or_else(|status| panic!("{status}"));
    client.send(common::HANDSHAKE).await;
    assert_eq!(client.read_to_end().await.0, "{}\u{1e}{\"type\":7}\u{1e}");
}

#[tokio::test]
async fn a_parent_that_never_reads_the_log_does_not_hold_the_hub_up() {
    let hub = Hub::start(&["--rate", "0"]);
    let url = format!("{}/control/market?rate=0", hub.text("url"));
    // A line each: more than a pipe holds.
    for _ in 0..1_500 {
        assert_eq!(http("POST", &url, &[], "").await.0, 200);
    }
}

/// The log of the program after a day of trading, the ids of connections aside.
async fn day(seed: &str) -> String {
    let hub = Hub::start(&["--virtual-clock", "--rate", "100", "--seed", seed, "--log", "off"]);
    let url = hub.text("url").to_owned();
    let json_type = ("Content-Type", "application/json");
    let (_, _, body) = http("POST", &format!("{url}/api/Auth/loginKey"), &[json_type], LOGIN).await;
    let token = serde_json::from_str::<Value>(&body).unwrap()["token"].as_str().unwrap().to_owned();
    let mut market = Client::connect(&format!("{url}/hubs/market?access_token={token}")).await;
    for (id, topic) in ["Quotes", "Trades", "MarketDepth"].into_iter().enumerate() {
        market.call(&id.to_string(), &format!("SubscribeContract{topic}"), "[\"CON.F.US.MNQ.Z26\"]").await;
    }
    let bearer = format!("Bearer {token}");
    for side in [0, 1, 1, 0] {
        let order = json!({
            "accountId": 10_000_001, "contractId": "CON.F.US.MNQ.Z26", "type": 2, "side": side, "size": 2,
            "takeProfitBracket": { "ticks": if side == 0 { 8 } else { -8 }, "type": 1 },
        });
        let headers = [json_type, ("Authorization", &*bearer)];
        http("POST", &format!("{url}/api/Order/place"), &headers, &order.to_string()).await;
        http("POST", &format!("{url}/control/advance?ms=2500"), &[], "").await;
    }
    let (_, _, connections) = http("GET", &format!("{url}/control/connections"), &[], "").await;
    let connections: Value = serde_json::from_str(&connections).unwrap();
    let id = connections["present"][0]["connectionId"].as_str().unwrap();
    let (_, _, log) = http("GET", &format!("{url}/control/log?limit=10000"), &[], "").await;
    log.replace(id, "ID")
}

#[tokio::test]
async fn two_processes_of_one_seed_write_the_same_log() {
    let (once, again, other) = (day("7").await, day("7").await, day("8").await);
    assert!(once.len() > 100_000, "{}", once.len());
    let differs = once.bytes().zip(again.bytes()).position(|(one, other)| one != other);
    assert!(once == again, "from {differs:?} on");
    assert!(once != other);
}

#[test]
fn a_wrong_option_is_told_and_leaves_with_2() {
    let output = Command::new(env!("CARGO_BIN_EXE_mock-hub")).arg("--no-such-option").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--no-such-option"));
}
