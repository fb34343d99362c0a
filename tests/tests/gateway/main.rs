//! A client of the gateway, as one would write it with the core alone: login by REST, both hubs, trades that come back as events.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic where it stands")]

mod events;
mod logins;
mod storm;

use std::time::Duration;

use adapter_core::{HubConnection, HubConnectionBuilder, RetryPolicy, Runtime, TokenPlacement};
use mock_hub::{Login, MockHub, Options};
use serde_json::{Value, json};
use tests::http;
use tests::wait::within;

/// A gateway that asks for tokens, as the real one does.
fn gateway() -> MockHub {
    MockHub::start(Options { require_token: Some(Vec::new()), ..Options::default() }).unwrap()
}

/// A REST call; gives the status and the body as JSON.
fn rest(gateway: &MockHub, path: &str, token: &str, body: &Value) -> Value {
    let (status, answer) = http::request_with(
        "POST",
        &format!("{}{path}", gateway.url()),
        &[("Authorization", &format!("Bearer {token}"))],
        &body.to_string(),
    );
    assert_eq!(status, 200, "{path}: {answer}");
    serde_json::from_str(&answer).unwrap()
}

/// Logs the default user in.
fn token(gateway: &MockHub) -> String {
    let login = Login::default();
    let body = json!({ "userName": login.user, "apiKey": login.api_key });
    let (status, answer) = http::request("POST", &format!("{}/api/Auth/loginKey", gateway.url()), &body.to_string());
    assert_eq!(status, 200);
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer["success"], true, "{answer}");
    answer["token"].as_str().unwrap().to_owned()
}

/// The first account's id.
fn account(gateway: &MockHub, token: &str) -> i64 {
    let accounts = rest(gateway, "/api/Account/search", token, &json!({ "onlyActiveAccounts": true }));
    accounts["accounts"][0]["id"].as_i64().unwrap()
}

/// The documented recipe: WebSockets at once, the token in query and header, ten seconds, reconnecting.
fn recipe<R: Runtime>(gateway: &MockHub, hub: &str, token: &str) -> HubConnectionBuilder<R> {
    HubConnection::builder(gateway.hub_url(hub))
        .skip_negotiation(true)
        .access_token(token)
        .token_placement(TokenPlacement::Both)
        .connect_timeout(Duration::from_secs(10))
        .automatic_reconnect(RetryPolicy::signalr())
}

async fn connect<R: Runtime>(gateway: &MockHub, hub: &str, token: &str) -> HubConnection<R> {
    let connection = recipe::<R>(gateway, hub, token).build().unwrap();
    within::<R, _>("the start", connection.start()).await.unwrap();
    connection
}
