//! The life of a token: login, renewal, expiry, revocation, logout.

use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use mock_hub::{Login, Options};
use serde_json::{Value, json};

use crate::common::rest::{User, control, log_in};
use crate::common::{Client, DEADLINE, End, http};
use crate::{start, still};

async fn is_good(user: &User) -> bool {
    match user.post("Account/search", "{\"onlyActiveAccounts\":true}").await {
        (200, body) => body.contains("\"success\":true"),
        (status, body) => {
            assert_eq!((status, body.as_str()), (401, ""));
            false
        }
    }
}

#[tokio::test]
async fn a_login_gives_a_token_with_the_claims_seen_live() {
    let hub = still();
    let answer = log_in(&hub, "user", "mock-key").await;
    let members: Vec<_> = answer.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, ["errorCode", "errorMessage", "success", "token"]);
    let token = answer["token"].as_str().unwrap();
    let claims = BASE64URL_NOPAD.decode(token.split('.').nth(1).unwrap().as_bytes()).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!(claims["http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name"], "user");
    assert_eq!(claims["http://schemas.microsoft.com/ws/2008/06/identity/claims/role"], json!(["user", "market:tob"]));
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    assert!((86_300..=86_500).contains(&(claims["exp"].as_u64().unwrap() - now)));
    assert!(is_good(&User::with(&hub, token)).await);
}

#[tokio::test]
async fn a_refused_login_is_a_200_with_a_code() {
    let hub = still();
    let refused = |code| json!({ "token": null, "success": false, "errorCode": code, "errorMessage": null });
    assert_eq!(log_in(&hub, "user", "wrong").await, refused(3));
    assert_eq!(log_in(&hub, "nobody", "mock-key").await, refused(8));
    assert_eq!(log_in(&hub, "", "").await, refused(3));
    let json = [("Content-Type", "application/json")];
    let app = r#"{"userName":"user","password":"p","deviceId":"d","appId":"a","verifyKey":"v"}"#;
    let (status, _, body) = http("POST", &format!("{}/api/Auth/loginApp", hub.url()), &json, app).await;
    assert_eq!((status, serde_json::from_str::<Value>(&body).unwrap()), (200, refused(4)));
}

#[tokio::test]
async fn more_users_have_accounts_of_their_own_and_any_login_is_an_option() {
    let users = vec![Login::new("ann", "a"), Login::new("bob", "b")];
    let hub = start(Options { users, quotes_per_second: 0.0, ..Options::default() });
    let (ann, bob) = (User::log_in_as(&hub, "ann", "a").await, User::log_in_as(&hub, "bob", "b").await);
    let ids = async |user: &User| {
        let answer = user.done("Account/search", json!({ "onlyActiveAccounts": true })).await;
        answer["accounts"].as_array().unwrap().iter().map(|account| account["id"].as_i64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!((ids(&ann).await, ids(&bob).await), (vec![10_000_001, 10_000_002], vec![10_000_003, 10_000_004]));

    let open = start(Options { any_login: true, quotes_per_second: 0.0, ..Options::default() });
    assert_eq!(log_in(&open, "whoever", "whatever").await["success"], true);
    assert_eq!(log_in(&open, "whoever", "").await["errorCode"], 3);
}

#[tokio::test]
async fn validate_gives_another_token_of_the_same_login_and_logout_ends_both() {
    let hub = still();
    let old = User::log_in(&hub).await;
    let answer = old.done("Auth/validate", json!(null)).await;
    let new = User::with(&hub, answer["newToken"].as_str().unwrap());
    assert_ne!(old.token, new.token);
    assert!(is_good(&old).await && is_good(&new).await);
    assert_eq!(
        new.done("Auth/logout", json!(null)).await,
        json!({ "success": true, "errorCode": 0, "errorMessage": null })
    );
    assert!(!is_good(&old).await && !is_good(&new).await);
    assert_eq!(old.post("Auth/validate", "").await, (401, String::new()));
}

#[tokio::test]
async fn a_token_ends_with_its_life_or_by_hand() {
    let hub = start(Options { token_lifetime: Duration::from_millis(400), ..Options::default() });
    let user = User::log_in(&hub).await;
    assert!(is_good(&user).await);
    let began = std::time::Instant::now();
    while is_good(&user).await {
        assert!(began.elapsed() < DEADLINE, "it never ended");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(began.elapsed() > Duration::from_millis(200));

    let by_hand = User::with(&hub, &hub.issue_token("user", DEADLINE));
    assert!(is_good(&by_hand).await);
    control(&hub, "POST", &format!("revoke?token={}", by_hand.token)).await;
    assert!(!is_good(&by_hand).await);
}

#[tokio::test]
async fn a_connection_outlives_its_token_unless_told_otherwise() {
    let life = Duration::from_millis(300);
    let hub = start(Options { require_token: Some(Vec::new()), quotes_per_second: 0.0, ..Options::default() });
    let url =
        |hub: &mock_hub::MockHub| format!("{}?access_token={}", hub.hub_url("user"), hub.issue_token("user", life));
    let mut stays = Client::connect(&url(&hub)).await;
    let strict = start(Options { close_on_token_expiration: true, quotes_per_second: 0.0, ..Options::default() });
    let mut goes = Client::connect(&url(&strict)).await;
    let end = ("{\"type\":7,\"allowReconnect\":true}\u{1e}".to_owned(), End::Closed(1000));
    assert_eq!(goes.read_to_end().await, end);
    assert_eq!(stays.call("1", "SubscribeAccounts", "[]").await["result"], Value::Null);
    assert!(stays.is_silent_for(2 * life).await);
    assert_eq!(hub.connections().len(), 1);
}

#[tokio::test]
async fn nothing_that_a_hub_prints_holds_a_secret() {
    let hub = start(Options { require_token: Some(vec!["listed-token".to_owned()]), ..Options::default() });
    let user = User::log_in(&hub).await;
    let _client = Client::connect(&format!("{}?access_token={}", hub.hub_url("user"), user.token)).await;
    let printed = format!("{hub:?}");
    for secret in ["listed-token", "mock-key", &user.token] {
        assert!(!printed.contains(secret), "{printed}");
    }
}
