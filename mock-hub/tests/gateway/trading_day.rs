//! A day of trading: what the events say is what is true.

use std::collections::BTreeMap;

use mock_hub::MockHub;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::common::Client;
use crate::common::rest::{User, control};
use crate::{ACCOUNT, MNQ, pass, still};

/// What somebody believes who heard every event.
#[derive(Default)]
struct Belief {
    accounts: BTreeMap<i64, Value>,
    orders: BTreeMap<i64, Value>,
    positions: BTreeMap<String, Value>,
    trades: BTreeMap<i64, Value>,
}

impl Belief {
    fn hear(&mut self, record: &Value) {
        let event = &record["arguments"][0];
        let (action, data) = (event["action"].as_i64().unwrap(), event["data"].clone());
        let id = data["id"].as_i64().unwrap();
        match record["target"].as_str().unwrap() {
            "GatewayUserAccount" => drop(self.accounts.insert(id, data)),
            "GatewayUserOrder" => drop(self.orders.insert(id, data)),
            "GatewayUserTrade" => drop(self.trades.insert(id, data)),
            "GatewayUserPosition" => {
                let contract = data["contractId"].as_str().unwrap().to_owned();
                match action {
                    2 => drop(self.positions.remove(&contract)),
                    _ => drop(self.positions.insert(contract, data)),
                }
            }
            other => panic!("{other}"),
        }
    }

    fn is(&self, truth: &Value) {
        let list = |values: Vec<&Value>, name: &str| {
            let believed: Vec<_> = values.iter().map(|value| as_truth(value, &truth[name][0])).collect();
            assert_eq!(Value::from(believed), truth[name], "{name}");
        };
        list(self.orders.values().collect(), "orders");
        list(self.positions.values().collect(), "positions");
        list(self.trades.values().collect(), "trades");
        let account = &truth["accounts"][0];
        assert_eq!(as_truth(&self.accounts[&i64::from(ACCOUNT)], account), *account);
    }
}

/// The members of an event that a list of the truth has, decimals as texts.
fn as_truth(event: &Value, like: &Value) -> Value {
    let member = |(name, like): (&String, &Value)| {
        let value = event.get(name).cloned().unwrap_or_default();
        let is_price = ["rice", "alance", "profitAndLoss"].iter().any(|part| name.contains(part));
        let text = |value: Value| {
            Decimal::from_str_exact(&value.to_string()).map_or(Value::Null, |it| it.normalize().to_string().into())
        };
        (name.clone(), if is_price || like.is_string() && value.is_number() { text(value) } else { value })
    };
    like.as_object().unwrap().iter().map(member).collect()
}

async fn listen(client: &mut Client, belief: &mut Belief) -> Vec<(String, i64)> {
    client.send("{\"type\":1,\"invocationId\":\"fence\",\"target\":\"Fence\",\"arguments\":[]}\u{1e}").await;
    let mut heard = Vec::new();
    loop {
        let record = client.json().await;
        if record["invocationId"] == "fence" {
            return heard;
        }
        belief.hear(&record);
        let data = &record["arguments"][0]["data"];
        let target = record["target"].as_str().unwrap().trim_start_matches("GatewayUser").to_owned();
        heard.push((target, data.get("status").and_then(Value::as_i64).unwrap_or(-1)));
    }
}

fn ask(hub: &MockHub) -> Decimal {
    hub.with_market(|_, market| market.merged_quote(MNQ)).unwrap().ask
}

#[tokio::test]
async fn entry_bracket_target_and_close_are_told_and_true() {
    let hub = still();
    let user = User::log_in(&hub).await;
    let mut client = Client::connect(&hub.hub_url("user")).await;
    client.call("1", "SubscribeAccounts", "[]").await;
    for what in ["Orders", "Positions", "Trades"] {
        client.call(what, &format!("Subscribe{what}"), &format!("[{ACCOUNT}]")).await;
    }
    let mut belief = Belief::default();
    let truth = async || control(&hub, "GET", "truth?user=user").await;

    // An entry with both children, which wake when it has filled.
    let entry = json!({
        "accountId": ACCOUNT, "contractId": MNQ, "type": 2, "side": 0, "size": 2, "customTag": "day",
        "stopLossBracket": { "ticks": -40, "type": 4 }, "takeProfitBracket": { "ticks": 80, "type": 1 },
    });
    let id = user.done("Order/place", entry).await["orderId"].as_i64().unwrap();
    pass(&hub);
    let heard = listen(&mut client, &mut belief).await;
    let statuses: Vec<_> = heard.iter().filter(|(of, _)| of == "Order").map(|(_, status)| *status).collect();
    assert_eq!(statuses, [8, 6, 8, 2, 1, 1], "{heard:?}");
    belief.is(&truth().await);
    assert_eq!(belief.orders[&id]["status"], 2);

    // The market reaches the target: it fills, the stop goes, the position is closed.
    let target = belief.orders.values().find(|order| order["customTag"] == "day-TP").unwrap();
    let target = Decimal::from_str_exact(&target["limitPrice"].to_string()).unwrap();
    assert!(hub.set_price(MNQ, target + Decimal::ONE));
    pass(&hub);
    listen(&mut client, &mut belief).await;
    assert!(belief.positions.is_empty());
    let status = |tag: &str| belief.orders.values().find(|order| order["customTag"] == tag).unwrap()["status"].clone();
    assert_eq!((status("day-TP"), status("day-SL")), (json!(2), json!(3)));
    belief.is(&truth().await);

    // A short by a stop, scaled in, closed by hand; and an order that never fills.
    let stop = ask(&hub) - Decimal::from(5);
    let short = json!({
        "accountId": ACCOUNT, "contractId": MNQ, "type": 4, "side": 1, "size": 1,
        "stopPrice": stop.to_string(),
    });
    user.done("Order/place", short).await;
    let resting = json!({
        "accountId": ACCOUNT, "contractId": MNQ, "type": 1, "side": 0, "size": 1, "limitPrice": 15000,
    });
    let resting = user.done("Order/place", resting).await["orderId"].as_i64().unwrap();
    pass(&hub);
    hub.set_price(MNQ, stop - Decimal::from(3));
    pass(&hub);
    let more = json!({ "accountId": ACCOUNT, "contractId": MNQ, "type": 2, "side": 1, "size": 2 });
    user.done("Order/place", more).await;
    pass(&hub);
    listen(&mut client, &mut belief).await;
    assert_eq!((&belief.positions[MNQ]["type"], &belief.positions[MNQ]["size"]), (&json!(2), &json!(3)));
    belief.is(&truth().await);
    user.done("Position/closeContract", json!({ "accountId": ACCOUNT, "contractId": MNQ })).await;
    user.done("Order/cancel", json!({ "accountId": ACCOUNT, "orderId": resting })).await;
    pass(&hub);
    listen(&mut client, &mut belief).await;
    assert!(belief.positions.is_empty() && belief.orders[&resting]["status"] == 3);
    let truth = truth().await;
    belief.is(&truth);

    // REST says the same.
    let trades = user.done("Trade/search", json!({ "accountId": ACCOUNT })).await;
    assert_eq!(trades["trades"].as_array().unwrap().len(), belief.trades.len());
    let balance = user.done("Account/search", json!({})).await["accounts"][0]["balance"].to_string();
    assert_eq!(truth["accounts"][0]["balance"], balance.trim_end_matches(".0"));
}
