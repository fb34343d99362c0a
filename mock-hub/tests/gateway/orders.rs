//! Orders and positions over REST: each call done and refused.

use serde_json::{Value, json};

use crate::common::rest::{User, control};
use crate::{ACCOUNT, MNQ, OTHER_ACCOUNT, pass, still};

fn order(change: Value) -> Value {
    let mut order = json!({ "accountId": ACCOUNT, "contractId": MNQ, "type": 2, "side": 0, "size": 1 });
    order.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    order
}

async fn place(user: &User, change: Value) -> i64 {
    user.done("Order/place", order(change)).await["orderId"].as_i64().unwrap()
}

async fn by_id(user: &User, id: i64) -> Value {
    user.done("Order/searchById", json!({ "accountId": ACCOUNT, "orderId": id })).await["order"].clone()
}

async fn list(user: &User, call: &str, name: &str, request: Value) -> Vec<Value> {
    user.done(call, request).await[name].as_array().unwrap().clone()
}

fn ids(orders: &[Value]) -> Vec<i64> {
    orders.iter().map(|order| order["id"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn an_order_is_placed_found_changed_and_cancelled() {
    let hub = still();
    let user = User::log_in(&hub).await;
    let id = place(&user, json!({ "type": 1, "limitPrice": 20000, "customTag": "mine" })).await;
    assert!(id > i64::from(i32::MAX), "{id}");
    assert!(list(&user, "Order/searchOpen", "orders", json!({ "accountId": ACCOUNT })).await.is_empty(), "pending");
    pass(&hub);
    let open = list(&user, "Order/searchOpen", "orders", json!({ "accountId": ACCOUNT })).await;
    assert_eq!((ids(&open), &open[0]["status"], &open[0]["limitPrice"]), (vec![id], &json!(1), &json!(20000)));

    let change = json!({ "accountId": ACCOUNT, "orderId": id, "size": 3, "limitPrice": 20000.25 });
    let done = json!({ "success": true, "errorCode": 0, "errorMessage": null });
    assert_eq!(user.done("Order/modify", change).await, done);
    let changed = by_id(&user, id).await;
    assert_eq!((&changed["size"], &changed["limitPrice"]), (&json!(3), &json!(20000.25)));
    assert_eq!(user.done("Order/cancel", json!({ "accountId": ACCOUNT, "orderId": id })).await, done);
    assert_eq!(by_id(&user, id).await["status"], 3);

    let since = |time: &str| json!({ "accountId": ACCOUNT, "startTimestamp": time });
    assert_eq!(ids(&list(&user, "Order/search", "orders", since("2026-11-20T14:00:00Z")).await), [id]);
    assert!(list(&user, "Order/search", "orders", since("2026-11-20T15:00:00Z")).await.is_empty());
    // A time that was misspelt filters nothing.
    let misspelt = json!({ "accountId": ACCOUNT, "startTime": "2026-11-20T15:00:00Z" });
    assert_eq!(ids(&list(&user, "Order/search", "orders", misspelt).await), [id]);
}

#[tokio::test]
async fn a_query_filters_sorts_and_pages() {
    let hub = still();
    let user = User::log_in(&hub).await;
    let mut placed = Vec::new();
    for level in 0..5 {
        placed.push(place(&user, json!({ "type": 1, "limitPrice": 20000 + level })).await);
        pass(&hub);
    }
    user.done("Order/cancel", json!({ "accountId": ACCOUNT, "orderId": placed[0] })).await;
    let query = json!({
        "filter": { "accountId": ACCOUNT, "statuses": [1], "contractId": MNQ },
        "pageSize": 2, "pageOffset": 1, "sortBy": 1, "sortDirection": 1, "includeTotalCount": true,
    });
    let answer = user.done("Order/v2/query", query).await;
    assert_eq!(answer["totalCount"], 4);
    assert_eq!(ids(answer["orders"].as_array().unwrap()), [placed[3], placed[2]]);
    let all = user.done("Order/v2/query", json!({ "filter": { "accountId": ACCOUNT } })).await;
    assert_eq!((ids(all["orders"].as_array().unwrap()), &all["totalCount"]), (placed, &Value::Null));
    let foreign = json!({ "filter": { "accountId": 1 } });
    assert_eq!(user.refused("Order/v2/query", foreign).await, (1, Value::Null));
}

#[tokio::test]
async fn brackets_wait_with_their_entry_and_are_listed_by_the_query_alone() {
    let hub = still();
    let user = User::log_in(&hub).await;
    let brackets =
        json!({ "stopLossBracket": { "ticks": -40, "type": 4 }, "takeProfitBracket": { "ticks": 80, "type": 1 } });
    let limit = json!({ "type": 1, "limitPrice": 20000 });
    let mut entry = limit.as_object().unwrap().clone();
    entry.extend(brackets.as_object().unwrap().clone());
    let id = place(&user, Value::from(entry)).await;
    pass(&hub);
    let found = list(&user, "Order/search", "orders", json!({ "accountId": ACCOUNT })).await;
    assert_eq!(ids(&found), [id], "suspended children are in no search");
    let suspended = json!({ "filter": { "accountId": ACCOUNT, "statuses": [8] } });
    let children = list(&user, "Order/v2/query", "orders", suspended).await;
    assert_eq!(children.len(), 2);
    assert!(children.iter().all(|child| child["parentOrderId"] == id), "{children:?}");
}

#[tokio::test]
async fn what_the_venue_refuses_has_its_code_and_its_words() {
    let hub = still();
    let user = User::log_in(&hub).await;
    let long_stop = json!({ "stopLossBracket": { "ticks": 400, "type": 4 } });
    let words = "Invalid stop loss ticks (400). Ticks should be less than zero when longing.";
    for (change, code, message) in [
        (json!({ "accountId": 1 }), 1, Value::Null),
        (json!({ "contractId": "CON.F.US.NOPE.U26" }), 8, Value::Null),
        (json!({ "contractId": "CON.F.US.MNQ.H25" }), 9, Value::Null),
        (json!({ "type": 3 }), 2, json!("Invalid order type specified")),
        (json!({ "size": 0 }), 2, json!("Invalid order size specified")),
        (long_stop, 2, json!(words)),
        (
            json!({ "type": 4, "stopPrice": 99999.1 }),
            2,
            json!("Invalid stop price. Price is not aligned to tick size."),
        ),
        (json!({ "size": 100_000 }), 2, json!("Not enough margin.")),
    ] {
        assert_eq!(user.refused("Order/place", order(change.clone())).await, (code, message), "{change}");
    }
    for (call, request, code) in [
        ("Order/cancel", json!({ "accountId": ACCOUNT, "orderId": 1 }), 2),
        ("Order/cancel", json!({ "accountId": 1, "orderId": 1 }), 1),
        ("Order/modify", json!({ "accountId": ACCOUNT, "orderId": 1 }), 2),
        ("Order/modify", json!({ "accountId": 1, "orderId": 1 }), 1),
        ("Order/search", json!({ "accountId": 1 }), 1),
        ("Order/searchOpen", json!({ "accountId": 1 }), 1),
        ("Order/searchById", json!({ "accountId": ACCOUNT, "orderId": 1 }), 1),
        ("Position/searchOpen", json!({ "accountId": 1 }), 1),
        ("Trade/search", json!({ "accountId": 1 }), 1),
        ("Position/closeContract", json!({ "accountId": 1, "contractId": MNQ }), 1),
        ("Position/closeContract", json!({ "accountId": ACCOUNT, "contractId": MNQ }), 2),
        ("Position/closeContract", json!({ "accountId": ACCOUNT, "contractId": "CON.F.US.NOPE.U26" }), 3),
        ("Position/partialCloseContract", json!({ "accountId": 1, "contractId": MNQ, "size": 1 }), 1),
        ("Position/partialCloseContract", json!({ "accountId": ACCOUNT, "contractId": MNQ, "size": 1 }), 2),
    ] {
        assert_eq!(user.refused(call, request.clone()).await.0, code, "{call} {request}");
    }
}

#[tokio::test]
async fn positions_close_in_part_and_as_a_whole() {
    let hub = still();
    let user = User::log_in(&hub).await;
    place(&user, json!({ "size": 3 })).await;
    pass(&hub);
    let size = async || {
        let found = list(&user, "Position/searchOpen", "positions", json!({ "accountId": ACCOUNT })).await;
        found.first().map(|position| position["size"].as_i64().unwrap())
    };
    assert_eq!(size().await, Some(3));
    let part = |size| json!({ "accountId": ACCOUNT, "contractId": MNQ, "size": size });
    assert_eq!(user.refused("Position/partialCloseContract", part(4)).await.0, 5);
    user.done("Position/partialCloseContract", part(1)).await;
    pass(&hub);
    assert_eq!(size().await, Some(2));
    user.done("Position/closeContract", json!({ "accountId": ACCOUNT, "contractId": MNQ })).await;
    pass(&hub);
    assert_eq!(size().await, None);
    let trades = list(&user, "Trade/search", "trades", json!({ "accountId": ACCOUNT })).await;
    assert!(trades.len() >= 3 && trades.first().unwrap()["profitAndLoss"].is_number(), "{trades:?}");
    assert_eq!(trades.last().unwrap()["profitAndLoss"], Value::Null, "newest first, and the first one opened");
    assert!(list(&user, "Trade/search", "trades", json!({ "accountId": OTHER_ACCOUNT })).await.is_empty());
}

#[tokio::test]
async fn the_venue_s_moods_are_at_hand() {
    let hub = still();
    let user = User::log_in(&hub).await;
    let act = async |what: &str| control(&hub, "POST", &format!("order?accountId={ACCOUNT}&act={what}")).await;
    assert_eq!(act("reject-next&message=Outside%20of%20trading%20hours.").await["done"], true);
    assert_eq!(user.refused("Order/place", order(json!({}))).await, (2, json!("Outside of trading hours.")));
    let id = place(&user, json!({ "type": 1, "limitPrice": 20000, "size": 5 })).await;
    pass(&hub);
    assert_eq!(act(&format!("fill&orderId={id}&size=2")).await["done"], true);
    pass(&hub);
    assert_eq!(by_id(&user, id).await["fillVolume"], 2);
    assert_eq!(act(&format!("expire&orderId={id}")).await["done"], true);
    assert_eq!(by_id(&user, id).await["status"], 4);
    let trades = list(&user, "Trade/search", "trades", json!({ "accountId": ACCOUNT })).await;
    let trade = trades[0]["id"].as_i64().unwrap();
    assert_eq!(act(&format!("void&tradeId={trade}")).await["done"], true);
    assert_eq!(act(&format!("void&tradeId={trade}")).await["done"], false);
    control(&hub, "POST", &format!("account?accountId={ACCOUNT}&canTrade=false&balance=12.5")).await;
    let answer = user.done("Account/search", json!({ "onlyActiveAccounts": false })).await;
    let account = &answer["accounts"][0];
    assert_eq!((&account["canTrade"], &account["balance"]), (&json!(false), &json!(12.5)));
    assert_eq!(user.call("Order/place", order(json!({}))).await["success"], false);
    let (status, ..) =
        crate::common::http("POST", &format!("{}/control/order?accountId=1&act=dance", hub.url()), &[], "").await;
    assert_eq!(status, 400);
}
