//! The program, called as it is documented.

#![allow(clippy::unwrap_used, reason = "this is test code, though clippy does not see it")]

mod common;

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use common::{Client, http};
use serde_json::{Value, json};

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

#[test]
fn a_wrong_option_is_told_and_leaves_with_2() {
    let output = Command::new(env!("CARGO_BIN_EXE_mock-hub")).arg("--no-such-option").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--no-such-option"));
}
