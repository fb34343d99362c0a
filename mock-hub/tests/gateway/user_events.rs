//! What the user hub says, to whom, and in which shape.

use mock_hub::{Clock, Login, MockHub, Options};
use serde_json::{Value, json};

use crate::common::Client;
use crate::common::rest::User;
use crate::{ACCOUNT, MNQ, OTHER_ACCOUNT, pass, start, still};

async fn connect(hub: &MockHub, user: &str) -> Client {
    let token = hub.issue_token(user, crate::common::DEADLINE);
    Client::connect(&format!("{}?access_token={token}", hub.hub_url("user"))).await
}

async fn subscribe_all(client: &mut Client, account: i32) {
    assert!(client.call("a", "SubscribeAccounts", "[]").await.get("error").is_none());
    for what in ["Orders", "Positions", "Trades"] {
        let completion = client.call(what, &format!("Subscribe{what}"), &format!("[{account}]")).await;
        assert_eq!(completion, json!({ "type": 3, "invocationId": what, "result": null }));
    }
}

async fn buy_one(user: &User) {
    let order = json!({ "accountId": ACCOUNT, "contractId": MNQ, "type": 2, "side": 0, "size": 1 });
    user.done("Order/place", order).await;
}

async fn targets(client: &mut Client, count: usize) -> Vec<String> {
    let mut targets = Vec::new();
    while targets.len() < count {
        targets.push(client.json().await["target"].as_str().unwrap().trim_start_matches("GatewayUser").to_owned());
    }
    targets
}

#[tokio::test]
async fn a_fill_is_told_in_the_captured_order() {
    let hub = still();
    let user = User::log_in(&hub).await;
    let mut client = connect(&hub, "user").await;
    subscribe_all(&mut client, ACCOUNT).await;
    buy_one(&user).await;
    pass(&hub);
    assert_eq!(targets(&mut client, 6).await, ["Order", "Trade", "Order", "Position", "Account", "Account"]);
    user.done("Position/closeContract", json!({ "accountId": ACCOUNT, "contractId": MNQ })).await;
    pass(&hub);
    let closing = ["Order", "Order", "Trade", "Trade", "Position", "Account", "Account"];
    assert_eq!(targets(&mut client, 7).await, closing);
}

#[tokio::test]
async fn events_come_in_an_envelope_or_bare_by_option() {
    for bare_user_events in [false, true] {
        let hub =
            start(Options { bare_user_events, clock: Clock::Virtual, quotes_per_second: 0.0, ..Options::default() });
        let user = User::log_in(&hub).await;
        let mut client = connect(&hub, "user").await;
        subscribe_all(&mut client, ACCOUNT).await;
        buy_one(&user).await;
        let record = client.json().await;
        let argument = &record["arguments"][0];
        let order = if bare_user_events { argument } else { &argument["data"] };
        assert_eq!((&order["accountId"], &order["status"]), (&json!(ACCOUNT), &json!(6)));
        assert_eq!(argument.get("action").is_some(), !bare_user_events);
        assert!(order.as_object().unwrap().values().all(|value| !value.is_null()), "{order}");
    }
}

#[tokio::test]
async fn a_foreign_account_is_silent_or_refused_by_option() {
    for refuse_foreign_accounts in [false, true] {
        let users = vec![Login::default(), Login::new("ann", "key")];
        let hub = start(Options {
            refuse_foreign_accounts,
            users,
            clock: Clock::Virtual,
            quotes_per_second: 0.0,
            ..Options::default()
        });
        let mut ann = connect(&hub, "ann").await;
        let answer = ann.call("1", "SubscribeOrders", &format!("[{ACCOUNT}]")).await;
        assert_eq!(answer.get("error").is_some(), refuse_foreign_accounts, "{answer}");
        ann.call("2", "SubscribeAccounts", "[]").await;
        let user = User::log_in(&hub).await;
        buy_one(&user).await;
        pass(&hub);
        // Her own account is what she hears of next.
        let hers = hub.accounts(Some("ann"))[0].id;
        hub.with_exchange(|now, exchange| exchange.set_can_trade(now, hers, false));
        let heard = ann.json().await;
        assert_eq!(heard["arguments"][0]["data"]["id"], hers, "{heard}");
        let calls = user.refused("Order/cancel", json!({ "accountId": hers, "orderId": 1 })).await;
        assert_eq!(calls, (1, Value::Null));
    }
}

#[tokio::test]
async fn each_account_has_its_own_groups() {
    let hub = still();
    let mut client = connect(&hub, "user").await;
    client.call("1", "SubscribeOrders", &format!("[{OTHER_ACCOUNT}]")).await;
    let user = User::log_in(&hub).await;
    buy_one(&user).await;
    let order = json!({ "accountId": OTHER_ACCOUNT, "contractId": MNQ, "type": 2, "side": 0, "size": 1 });
    user.done("Order/place", order).await;
    assert_eq!(client.json().await["arguments"][0]["data"]["accountId"], OTHER_ACCOUNT);
}

#[tokio::test]
async fn a_connection_without_a_token_is_the_first_user_s_and_subscribing_tells_no_past() {
    let hub = still();
    let user = User::log_in(&hub).await;
    buy_one(&user).await;
    pass(&hub);
    let mut client = Client::connect(&hub.hub_url("user")).await;
    subscribe_all(&mut client, ACCOUNT).await;
    let error = client.call("x", "SubscribeOrders", "[\"1\"]").await;
    assert!(error["error"].as_str().is_some_and(|text| text.contains("SubscribeOrders")));
    buy_one(&user).await;
    assert_eq!(client.json().await["arguments"][0]["data"]["status"], 6);
}
