//! Requests that never reach their call: path, method, token, rate, type, size, form, and the host.

use mock_hub::Options;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::common::http;
use crate::common::rest::User;
use crate::{ACCOUNT, start, still};

const CALLS: &[&str] = &[
    "Auth/validate",
    "Auth/logout",
    "Account/search",
    "Contract/available",
    "Contract/search",
    "Contract/searchById",
    "History/retrieveBars",
    "Order/search",
    "Order/searchOpen",
    "Order/searchById",
    "Order/v2/query",
    "Order/place",
    "Order/modify",
    "Order/cancel",
    "Position/searchOpen",
    "Position/closeContract",
    "Position/partialCloseContract",
    "Trade/search",
];

#[tokio::test]
async fn every_call_wants_a_token_and_a_post() {
    let hub = still();
    for call in CALLS {
        let url = format!("{}/api/{call}", hub.url());
        for headers in [&[][..], &[("Authorization", "Bearer bad")][..]] {
            let (status, head, body) = http("POST", &url, headers, "{}").await;
            assert_eq!((status, body.as_str()), (401, ""), "{call}");
            assert!(head.contains("content-length: 0"), "{head}");
        }
        let (status, head, body) = http("GET", &url, &[], "").await;
        assert_eq!((status, body.as_str()), (405, ""), "{call}");
        assert!(head.contains("allow: post"), "{head}");
    }
    let (status, ..) = http("POST", &format!("{}/api/Order/everything", hub.url()), &[], "{}").await;
    assert_eq!(status, 404);
    let (status, _, body) = http("GET", &format!("{}/api/Status/ping", hub.url()), &[], "").await;
    assert_eq!((status, body.as_str()), (200, "pong"));
}

#[tokio::test]
async fn paths_have_any_case() {
    let hub = still();
    let user = User::log_in(&hub).await;
    assert_eq!(user.post("account/SEARCH", "{}").await.0, 200);
}

fn problem(body: &str) -> Value {
    let problem: Value = serde_json::from_str(body).unwrap();
    assert_eq!((&problem["status"], problem["traceId"].is_string()), (&json!(400), true), "{body}");
    assert_eq!(problem["title"], "One or more validation errors occurred.");
    problem["errors"].clone()
}

#[tokio::test]
async fn what_does_not_bind_is_a_problem() {
    let hub = still();
    let user = User::log_in(&hub).await;
    let order = json!({ "accountId": ACCOUNT, "contractId": "C", "type": "Market", "side": 0, "size": 1 }).to_string();
    for (call, body, path) in [
        ("Order/place", order.as_str(), "$.type"),
        ("Order/place", "{", "$"),
        ("Account/search", "[]", "$"),
        ("Account/search", "{\"onlyActiveAccounts\":1}", "$.onlyActiveAccounts"),
        ("Order/search", "{\"accountId\":1.5}", "$.accountId"),
        ("Order/search", "{\"startTimestamp\":\"yesterday\"}", "$.startTimestamp"),
        ("Order/v2/query", "{\"filter\":{\"statuses\":[\"Open\"]}}", "$.filter.statuses"),
    ] {
        let (status, text) = user.post(call, body).await;
        assert_eq!(status, 400, "{call} {body}: {text}");
        let errors = problem(&text);
        assert_eq!(errors["request"], json!(["The request field is required."]), "{text}");
        assert!(errors[path][0].as_str().is_some_and(|text| text.contains(&format!("Path: {path} "))), "{text}");
    }
    let (_, text) = user.post("Account/search", "").await;
    assert_eq!(problem(&text)[""], json!(["A non-empty request body is required."]));
    let (_, text) = user.post("Order/place", "{}").await;
    assert_eq!(problem(&text), json!({ "ContractId": ["The ContractId field is required."] }));
    // Nothing is wrong with members that nobody knows.
    assert_eq!(user.post("Account/search", "{\"onlyActive\":1,\"x\":[{}]}").await.0, 200);
}

#[tokio::test]
async fn other_types_and_large_bodies_are_refused() {
    let hub = still();
    let user = User::log_in(&hub).await;
    let url = format!("{}/api/Account/search", hub.url());
    let bearer = format!("Bearer {}", user.token);
    let (status, head, _) =
        http("POST", &url, &[("Authorization", &*bearer), ("Content-Type", "text/plain")], "{}").await;
    assert_eq!(status, 415);
    assert!(head.contains("content-type: application/problem+json"), "{head}");
    let charset = [("Authorization", &*bearer), ("Content-Type", "application/json; charset=utf-8")];
    assert_eq!(http("POST", &url, &charset, "{}").await.0, 200);
    let large = format!("{{\"x\":\"{}\"}}", "x".repeat(70 * 1024));
    assert_eq!(user.post("Account/search", &large).await.0, 413);
}

#[tokio::test]
async fn a_call_too_many_is_refused_for_that_user_and_that_kind() {
    let hub = start(Options { retry_after: true, any_login: true, quotes_per_second: 0.0, ..Options::default() });
    let user = User::log_in(&hub).await;
    let bars = json!({ "contractId": "none", "unit": 2, "unitNumber": 1, "limit": 1 });
    for _ in 0..50 {
        assert_eq!(user.refused("History/retrieveBars", bars.clone()).await.0, 1);
    }
    assert_eq!(user.post("History/retrieveBars", &bars.to_string()).await, (429, String::new()));
    for _ in 0..200 {
        assert_eq!(user.post("Account/search", "{}").await.0, 200);
    }
    let (url, bearer) = (format!("{}/api/Account/search", hub.url()), format!("Bearer {}", user.token));
    let (status, head, body) = http("POST", &url, &[("Authorization", &*bearer)], "{}").await;
    assert_eq!((status, body.as_str()), (429, ""));
    let wait = head.split("retry-after: ").nth(1).and_then(|rest| rest.split("\r\n").next()).unwrap();
    assert!((1..=60).contains(&wait.parse::<u32>().unwrap()), "{head}");
    let other = User::log_in_as(&hub, "other", "key").await;
    assert_eq!(other.post("Account/search", "{}").await.0, 200);
}

#[tokio::test]
async fn only_loopback_names_are_answered_unless_the_hub_is_public() {
    let status = async |port: u16, host: &str| {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let request = format!("GET /api/Status/ping HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer.split(' ').nth(1).unwrap().parse::<u16>().unwrap()
    };
    let hub = still();
    for (host, expected) in
        [("127.0.0.1", 200), ("localhost:1", 200), ("[::1]:80", 200), ("example.com", 400), ("10.0.0.1", 400)]
    {
        assert_eq!(status(hub.port(), host).await, expected, "{host}");
    }
    let public = start(Options { public: true, quotes_per_second: 0.0, ..Options::default() });
    assert_eq!(status(public.port(), "example.com").await, 200);
}

#[tokio::test]
async fn too_many_headers_are_refused() {
    let hub = still();
    let headers: Vec<_> = (0..200).map(|_| ("X-Filler", "x")).collect();
    let (status, ..) = http("GET", &format!("{}/api/Status/ping", hub.url()), &headers, "").await;
    assert_eq!(status, 431);
}
