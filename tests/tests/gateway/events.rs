//! Subscriptions and what they bring.

use std::time::{Duration, Instant};

use adapter_core::{HubConnection, On, Runtime};
use mock_hub::{Clock, MockHub, Options};
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
    it_sig_007_quotes_come_at_the_market_s_pace,
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
    let placed = Instant::now();
    let order = trader.place(json!({ "type": 2, "side": 0 }));
    let (action, trade) = data::<R>(&mut trades).await;
    assert!(
        placed.elapsed() < Duration::from_secs(5),
        "500 ms, and ten times that over sockets: {:?}",
        placed.elapsed()
    );
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
    assert_eq!(opened["accountId"], trader.account);
    // Every change of it is told.
    trader.place(json!({ "type": 2, "side": 0, "size": 2 }));
    let (_, grown) = data::<R>(&mut positions).await;
    assert_eq!((&grown["id"], &grown["type"], &grown["size"]), (&opened["id"], &json!(1), &json!(3)));
    trader.place(json!({ "type": 2, "side": 1, "size": 3 }));
    let (action, closed) = data::<R>(&mut positions).await;
    assert_eq!((action, &closed["type"], &closed["size"]), (2, &json!(0), &json!(0)), "a close has type 0");
    assert_eq!(closed["averagePrice"], grown["averagePrice"]);
}

async fn it_sig_006_orders_of_an_account<R: Runtime>() {
    let trader = Trader::<R>::new().await;
    let mut orders = trader.subscribe("SubscribeOrders", "GatewayUserOrder").await;
    let order = trader.place(json!({ "type": 2, "side": 0, "customTag": "first" }));
    let (mut statuses, mut filled) = (Vec::new(), None);
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
        assert_eq!((action, &event["id"], &event["accountId"]), (1, &json!(order), &json!(trader.account)));
        statuses.push(event["status"].as_i64().unwrap());
        filled = event["filledPrice"].as_f64();
    }
    assert_eq!(statuses, [6, 2], "pending, then filled");
    // What is out of reach stays open, until it is cancelled. Its price is there, and none that it has not.
    let away = filled.unwrap() - 500.0;
    for (kind, side, price, other) in [(1, 0, "limitPrice", "stopPrice"), (4, 1, "stopPrice", "limitPrice")] {
        let order = trader.place(json!({ "type": kind, "side": side, price: away }));
        let mut statuses = Vec::new();
        while statuses.last() != Some(&3) {
            let (_, event) = data::<R>(&mut orders).await;
            assert_eq!((&event["id"], &event["type"]), (&json!(order), &json!(kind)));
            assert_eq!((event[price].as_f64(), event.get(other)), (Some(away), None), "{event}");
            statuses.push(event["status"].as_i64().unwrap());
            if statuses.last() == Some(&1) {
                let cancel = json!({ "accountId": trader.account, "orderId": order });
                assert_eq!(rest(&trader.gateway, "/api/Order/cancel", &trader.token, &cancel)["success"], true);
            }
        }
        assert!(statuses.ends_with(&[1, 3]) && statuses.iter().all(|status| (0..=8).contains(status)), "{statuses:?}");
    }
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
            "symbolName",
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

/// One every 10 to 100 ms, on the hub's own clock.
async fn it_sig_007_quotes_come_at_the_market_s_pace<R: Runtime>() {
    let options = Options { require_token: Some(Vec::new()), clock: Clock::Virtual, ..Options::default() };
    let gateway = MockHub::start(options).unwrap();
    let market = connect::<R>(&gateway, "market", &gateway.issue_token("user", Duration::from_secs(600))).await;
    let mut quotes = market.on::<(String, Value)>("GatewayQuote");
    within::<R, _>("the subscription", market.subscribe("SubscribeContractQuotes", (CONTRACT,))).await.unwrap();
    next::<R, _>("the full quote", &mut quotes).await.into_value().unwrap();
    gateway.advance(Duration::from_secs(10)).unwrap();
    // The full quote was for this connection alone.
    let log = gateway.log(0, Some(&format!("quotes/{CONTRACT}")), usize::MAX);
    let sent = log.iter().filter(|event| event.number > 0).count();
    assert!((100..=1_000).contains(&sent), "{sent} quotes in 10 s");
    for _ in 0..sent {
        next::<R, _>("a quote", &mut quotes).await.into_value().unwrap();
    }
}
