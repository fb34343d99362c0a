//! Subscriptions and what they bring.

use adapter_core::{HubConnection, On, Runtime};
use mock_hub::MockHub;
use serde_json::{Value, json};
use tests::scenarios;
use tests::wait::{next, within};

use super::{account, connect, gateway, rest, token};

const CONTRACT: &str = "CON.F.US.MNQ.Z26";

scenarios! {
    it_sig_004_trades_of_an_account,
    it_sig_005_positions_of_an_account,
    it_sig_006_orders_of_an_account,
    it_sig_007_quotes_of_a_contract,
}

struct Trader<R> {
    gateway: MockHub,
    token: String,
    account: i64,
    user: HubConnection<R>,
}

impl<R: Runtime> Trader<R> {
    async fn new() -> Self {
        let gateway = gateway();
        let token = token(&gateway);
        let account = account(&gateway, &token);
        let user = connect(&gateway, "user", &token).await;
        Self { gateway, token, account, user }
    }

    /// Subscribes; a successful subscription has no result.
    async fn subscribe(&self, method: &str, target: &str) -> On<(Value,)> {
        let events = self.user.on::<(Value,)>(target);
        let result = within::<R, _>("the subscription", self.user.invoke::<Value>(method, (self.account,))).await;
        assert_eq!(result, Ok(Value::Null));
        events
    }

    fn place(&self, order: Value) -> i64 {
        let mut body = json!({ "accountId": self.account, "contractId": CONTRACT, "size": 1 });
        body.as_object_mut().unwrap().extend(order.as_object().unwrap().clone());
        let answer = rest(&self.gateway, "/api/Order/place", &self.token, &body);
        assert_eq!(answer["success"], true, "{answer}");
        answer["orderId"].as_i64().unwrap()
    }
}

/// The data of the next event, out of its envelope, and the envelope's action.
async fn data<R: Runtime>(events: &mut On<(Value,)>) -> (i64, Value) {
    let (event,) = next::<R, _>("an event", events).await.into_value().unwrap();
    (event["action"].as_i64().unwrap(), event["data"].clone())
}

fn has_all(event: &Value, members: &[&str]) {
    for member in members {
        assert!(event.get(member).is_some(), "no {member}: {event}");
    }
}

async fn it_sig_004_trades_of_an_account<R: Runtime>() {
    let trader = Trader::<R>::new().await;
    let mut trades = trader.subscribe("SubscribeTrades", "GatewayUserTrade").await;
    let order = trader.place(json!({ "type": 2, "side": 0 }));
    let (action, trade) = data::<R>(&mut trades).await;
    let members =
        ["id", "accountId", "contractId", "creationTimestamp", "price", "fees", "side", "size", "voided", "orderId"];
    has_all(&trade, &members);
    assert_eq!((action, &trade["accountId"], &trade["orderId"]), (0, &json!(trader.account), &json!(order)));
    assert_eq!(trade.get("profitAndLoss"), None, "the opening half-turn has none: {trade}");
    // The closing one does.
    let close = trader.place(json!({ "type": 2, "side": 1 }));
    loop {
        let (_, trade) = data::<R>(&mut trades).await;
        if trade["orderId"] == close {
            return has_all(&trade, &["profitAndLoss"]);
        }
    }
}

async fn it_sig_005_positions_of_an_account<R: Runtime>() {
    let trader = Trader::<R>::new().await;
    let mut positions = trader.subscribe("SubscribePositions", "GatewayUserPosition").await;
    trader.place(json!({ "type": 2, "side": 0 }));
    let (action, opened) = data::<R>(&mut positions).await;
    has_all(&opened, &["id", "accountId", "contractId", "creationTimestamp", "type", "size", "averagePrice"]);
    assert_eq!((action, &opened["type"], &opened["size"]), (1, &json!(1), &json!(1)));
    trader.place(json!({ "type": 2, "side": 1 }));
    let (action, closed) = data::<R>(&mut positions).await;
    assert_eq!((action, &closed["type"], &closed["size"]), (2, &json!(0), &json!(0)), "a close has type 0");
    assert_eq!(closed["averagePrice"], opened["averagePrice"]);
}

async fn it_sig_006_orders_of_an_account<R: Runtime>() {
    let trader = Trader::<R>::new().await;
    let mut orders = trader.subscribe("SubscribeOrders", "GatewayUserOrder").await;
    let order = trader.place(json!({ "type": 2, "side": 0, "customTag": "first" }));
    let mut statuses = Vec::new();
    while statuses.last() != Some(&2) {
        let (action, event) = data::<R>(&mut orders).await;
        has_all(
            &event,
            &[
                "id",
                "accountId",
                "contractId",
                "symbolId",
                "creationTimestamp",
                "updateTimestamp",
                "status",
                "type",
                "side",
                "size",
                "fillVolume",
                "customTag",
            ],
        );
        assert_eq!((action, &event["id"]), (1, &json!(order)));
        statuses.push(event["status"].as_i64().unwrap());
    }
    assert_eq!(statuses, [6, 2], "pending, then filled");
}

async fn it_sig_007_quotes_of_a_contract<R: Runtime>() {
    let gateway = gateway();
    let market = connect::<R>(&gateway, "market", &token(&gateway)).await;
    let mut quotes = market.on::<(String, Value)>("GatewayQuote");
    let result =
        within::<R, _>("the subscription", market.invoke::<Value>("SubscribeContractQuotes", (CONTRACT,))).await;
    assert_eq!(result, Ok(Value::Null));
    let (contract, first) = next::<R, _>("the first quote", &mut quotes).await.into_value().unwrap();
    assert_eq!(contract, CONTRACT);
    has_all(
        &first,
        &[
            "symbol",
            "lastPrice",
            "bestBid",
            "bestAsk",
            "change",
            "changePercent",
            "open",
            "high",
            "low",
            "volume",
            "lastUpdated",
            "timestamp",
        ],
    );
    assert!(first["bestBid"].as_f64() < first["bestAsk"].as_f64());
    // What follows is sparse: in ten quotes at least one leaves something out.
    let mut sparse = 0;
    for _ in 0..10 {
        let (_, quote) = next::<R, _>("a quote", &mut quotes).await.into_value().unwrap();
        sparse += usize::from(quote.get("open").is_none());
    }
    assert!(sparse > 0);
}
