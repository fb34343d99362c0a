//! Two logins of one user: the second one ends the first.

use std::time::Duration;

use mock_hub::{Login, MockHub, Options};

use crate::common::rest::{User, control};
use crate::common::{Client, DEADLINE, End};
use crate::start;

const LOGGED_OUT: &str = "{\"type\":1,\"target\":\"GatewayLogout\",\"arguments\":[]}\u{1e}";
const CLOSED: &str = "{\"type\":7}\u{1e}";

fn gateway(logout_close: Option<Duration>) -> MockHub {
    let users = vec![Login::default(), Login::new("ann", "key")];
    start(Options {
        require_token: Some(Vec::new()),
        quotes_per_second: 0.0,
        users,
        logout_close,
        ..Options::default()
    })
}

async fn connect(hub: &MockHub, name: &str, token: &str) -> Client {
    Client::connect(&format!("{}?access_token={token}", hub.hub_url(name))).await
}

async fn is_there(client: &mut Client, method: &str) -> bool {
    client.call("there", method, "[]").await["result"].is_null()
}

#[tokio::test]
async fn the_second_login_ends_the_first_on_both_hubs_and_nobody_else_s() {
    let hub = gateway(Some(Duration::from_millis(20)));
    let first = User::log_in(&hub).await;
    let mut lost = [connect(&hub, "market", &first.token).await, connect(&hub, "user", &first.token).await];
    let by_hand = hub.issue_token("user", DEADLINE);
    let ann = User::log_in_as(&hub, "ann", "key").await;
    let mut kept = [connect(&hub, "user", &by_hand).await, connect(&hub, "user", &ann.token).await];

    let second = User::log_in(&hub).await;
    for client in &mut lost {
        assert_eq!(client.read_to_end().await, (format!("{LOGGED_OUT}{CLOSED}"), End::Closed(1000)));
    }
    assert_eq!(first.post("Account/search", "{}").await, (401, String::new()));
    assert_eq!(Client::open(&format!("{}?access_token={}", hub.hub_url("user"), first.token)).await.err(), Some(401));
    for client in &mut kept {
        assert!(is_there(client, "SubscribeAccounts").await);
    }
    assert_eq!(second.post("Account/search", "{}").await.0, 200);
    // And back again.
    let mut user = connect(&hub, "user", &second.token).await;
    User::log_in(&hub).await;
    assert!(user.read_to_end().await.0.starts_with(LOGGED_OUT));
}

#[tokio::test]
async fn a_logout_may_leave_the_connection_open() {
    let hub = gateway(None);
    let first = User::log_in(&hub).await;
    let mut client = connect(&hub, "user", &first.token).await;
    User::log_in(&hub).await;
    assert_eq!(client.record().await, LOGGED_OUT.trim_end_matches('\u{1e}'));
    assert!(is_there(&mut client, "SubscribeAccounts").await);
}

#[tokio::test]
async fn a_logout_by_hand_reaches_every_session_of_the_user() {
    let hub = gateway(Some(Duration::from_millis(20)));
    let tokens = [User::log_in(&hub).await.token, hub.issue_token("user", DEADLINE)];
    let mut lost = [connect(&hub, "market", &tokens[0]).await, connect(&hub, "user", &tokens[1]).await];
    let ann = User::log_in_as(&hub, "ann", "key").await;
    let mut kept = connect(&hub, "user", &ann.token).await;
    assert_eq!(control(&hub, "POST", "logout?user=user").await["connections"], 2);
    for (client, token) in lost.iter_mut().zip(&tokens) {
        assert_eq!(client.read_to_end().await, (format!("{LOGGED_OUT}{CLOSED}"), End::Closed(1000)));
        assert_eq!(User::with(&hub, token).post("Account/search", "{}").await.0, 401);
    }
    assert!(is_there(&mut kept, "SubscribeAccounts").await);
    assert_eq!(hub.log_out(None), 1);
    assert!(kept.read_to_end().await.0.starts_with(LOGGED_OUT));
}
