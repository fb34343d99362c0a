//! REST calls, as a user or as nobody.

use mock_hub::MockHub;
use serde_json::{Value, json};

use super::http;

/// A user of the REST API.
pub(crate) struct User {
    url: String,
    pub(crate) token: String,
}

impl User {
    /// Logs in as the first user.
    pub(crate) async fn log_in(hub: &MockHub) -> Self {
        Self::log_in_as(hub, "user", "mock-key").await
    }

    pub(crate) async fn log_in_as(hub: &MockHub, name: &str, key: &str) -> Self {
        let answer = log_in(hub, name, key).await;
        assert_eq!(answer["success"], true, "{answer}");
        Self::with(hub, answer["token"].as_str().unwrap())
    }

    pub(crate) fn with(hub: &MockHub, token: &str) -> Self {
        Self { url: hub.url(), token: token.to_owned() }
    }

    /// The answer to a call that succeeds as HTTP knows it.
    pub(crate) async fn call(&self, path: &str, request: Value) -> Value {
        let (status, body) = self.post(path, &request.to_string()).await;
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    /// The answer to a call that succeeds.
    pub(crate) async fn done(&self, path: &str, request: Value) -> Value {
        let answer = self.call(path, request).await;
        assert_eq!((&answer["success"], &answer["errorCode"]), (&json!(true), &json!(0)), "{path}: {answer}");
        answer
    }

    /// The code and the message of a refusal.
    pub(crate) async fn refused(&self, path: &str, request: Value) -> (i64, Value) {
        let answer = self.call(path, request).await;
        assert_eq!(answer["success"], false, "{path}: {answer}");
        (answer["errorCode"].as_i64().unwrap(), answer["errorMessage"].clone())
    }

    pub(crate) async fn post(&self, path: &str, body: &str) -> (u16, String) {
        let bearer = format!("Bearer {}", self.token);
        let headers = [("Content-Type", "application/json"), ("Authorization", &*bearer)];
        let (status, _, body) = http("POST", &format!("{}/api/{path}", self.url), &headers, body).await;
        (status, body)
    }
}

/// The answer to a login.
pub(crate) async fn log_in(hub: &MockHub, name: &str, key: &str) -> Value {
    let login = json!({ "userName": name, "apiKey": key }).to_string();
    let url = format!("{}/api/Auth/loginKey", hub.url());
    let (status, _, body) = http("POST", &url, &[("Content-Type", "application/json")], &login).await;
    assert_eq!(status, 200, "{body}");
    serde_json::from_str(&body).unwrap()
}

/// A request to `/control`, which succeeds.
pub(crate) async fn control(hub: &MockHub, method: &str, path: &str) -> Value {
    let (status, _, body) = http(method, &format!("{}/control/{path}", hub.url()), &[], "").await;
    assert_eq!(status, 200, "{path}: {body}");
    serde_json::from_str(&body).unwrap_or_default()
}
