//! A TopstepX gateway and the ways into it.

use std::time::Duration;

use adapter_core::{HubConnection, HubConnectionBuilder, RetryPolicy, Runtime, TokenPlacement};
use mock_hub::{Login, MockHub, Options};
use serde_json::{Value, json};

use crate::http;
use crate::scripted;

/// A gateway that asks for tokens, as the real one does.
pub fn gateway() -> MockHub {
    MockHub::start(Options { require_token: Some(Vec::new()), ..Options::default() }).unwrap()
}

/// A REST call; gives the status and the body as JSON.
pub fn rest(gateway: &MockHub, path: &str, token: &str, body: &Value) -> Value {
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
pub fn token(gateway: &MockHub) -> String {
    let login = Login::default();
    let body = json!({ "userName": login.user, "apiKey": login.api_key });
    let (status, answer) = http::request("POST", &format!("{}/api/Auth/loginKey", gateway.url()), &body.to_string());
    assert_eq!(status, 200);
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer["success"], true, "{answer}");
    answer["token"].as_str().unwrap().to_owned()
}

/// The first account's id.
pub fn account(gateway: &MockHub, token: &str) -> i64 {
    let accounts = rest(gateway, "/api/Account/search", token, &json!({ "onlyActiveAccounts": true }));
    accounts["accounts"][0]["id"].as_i64().unwrap()
}

/// The documented recipe: WebSockets at once, the token in query and header, ten seconds, reconnecting.
pub fn recipe<R: Runtime>(gateway: &MockHub, hub: &str, token: &str) -> HubConnectionBuilder<R> {
    HubConnection::builder(gateway.hub_url(hub))
        .skip_negotiation(true)
        .access_token(token)
        .token_placement(TokenPlacement::Both)
        .connect_timeout(Duration::from_secs(10))
        .automatic_reconnect(RetryPolicy::signalr())
}

/// A connection by that recipe, connected.
pub async fn connect<R: Runtime>(gateway: &MockHub, hub: &str, token: &str) -> HubConnection<R> {
    scripted::connect(recipe(gateway, hub, token)).await
}
