//! What a hub refuses, and what it accepts and never answers.

use std::time::Duration;

use adapter_core::{CallError, HubConnection, On, Rejection, RetryPolicy, Runtime, State, SubscribeError};
use futures_util::{FutureExt, StreamExt};
use mock_hub::exchange::{OrderType, PlaceOrder, Side};
use mock_hub::faults::Fault;
use mock_hub::{How, Login, MockHub, Options};
use serde_json::{Value, json};
use tests::events::up_to;
use tests::gateway::rest;
use tests::scenarios;
use tests::scripted;
use tests::wait::{eventually, next, poll_once, within};
use topstep_model::{DepthRow, MarketEvent, Order, Position, Rows, UserEvent, UserTrade};

use super::quotes::{CONTRACT, QUOTES, Quotes};

scenarios! {
    a_foreign_account_stays_silent,
    a_foreign_account_may_be_refused,
    a_contract_that_does_not_exist_stays_silent,
    a_subscription_after_close_waits_for_the_next_start,
    depth_without_its_entitlement_is_refused_and_costs_nothing_else,
}

const DEPTH: (&str, &str) = ("SubscribeContractMarketDepth", "UnsubscribeContractMarketDepth");

fn two_users(refuse_foreign_accounts: bool) -> MockHub {
    let users = vec![Login::default(), Login::new("other", "other-key")];
    MockHub::start(Options { require_token: Some(Vec::new()), users, refuse_foreign_accounts, ..Options::default() })
        .unwrap()
}

async fn user<R: Runtime>(hub: &MockHub, name: &str) -> HubConnection<R> {
    let token = hub.issue_token(name, Duration::from_secs(600));
    scripted::connect(HubConnection::builder(hub.hub_url("user")).skip_negotiation(true).access_token(token)).await
}

fn account(hub: &MockHub, user: &str) -> i32 {
    hub.accounts(Some(user))[0].id
}

fn buy(hub: &MockHub, account: i32) {
    let answer = hub.place(PlaceOrder::new(account, CONTRACT, OrderType::Market, Side::Buy, 1));
    assert_eq!(answer.code, 0, "{answer:?}");
}

/// Subscribing to somebody else's account succeeds, and brings nothing: the venue has not been seen to refuse it.
async fn a_foreign_account_stays_silent<R: Runtime>() {
    let hub = two_users(false);
    let (mine, theirs) = (account(&hub, "user"), account(&hub, "other"));
    let (me, them) = (user::<R>(&hub, "user").await, user::<R>(&hub, "other").await);
    let mut my_orders = me.on::<Rows<UserEvent<Order>>>("GatewayUserOrder");
    let mut my_positions = me.on::<Rows<UserEvent<Position>>>("GatewayUserPosition");
    let mut my_trades = me.on::<Rows<UserEvent<UserTrade>>>("GatewayUserTrade");
    let mut their_trades = them.on::<Rows<UserEvent<UserTrade>>>("GatewayUserTrade");
    for method in ["SubscribeOrders", "SubscribePositions", "SubscribeTrades"] {
        for account in [theirs, mine] {
            within::<R, _>(method, me.subscribe(method, (account,))).await.unwrap();
        }
    }
    within::<R, _>("their subscription", them.subscribe("SubscribeTrades", (theirs,))).await.unwrap();
    buy(&hub, theirs);
    let their_fill = next::<R, _>("their fill", &mut their_trades).await.into_value().unwrap();
    assert!(their_fill.values().all(|trade| trade.value.account_id.number() == i64::from(theirs)), "{their_fill:?}");
    // Had anything of theirs come here, it would stand before what is mine.
    buy(&hub, mine);
    let order = next::<R, _>("my order", &mut my_orders).await.into_value().unwrap();
    assert!(order.values().all(|order| order.value.account_id.number() == i64::from(mine)), "{order:?}");
    let position = next::<R, _>("my position", &mut my_positions).await.into_value().unwrap();
    assert!(position.values().all(|position| position.value.account_id.number() == i64::from(mine)), "{position:?}");
    let trade = next::<R, _>("my fill", &mut my_trades).await.into_value().unwrap();
    assert!(trade.values().all(|trade| trade.value.account_id.number() == i64::from(mine)), "{trade:?}");
}

/// A hub that does refuse it is believed: the error is its own, and the wish is none.
async fn a_foreign_account_may_be_refused<R: Runtime>() {
    let hub = two_users(true);
    let (mine, theirs) = (account(&hub, "user"), account(&hub, "other"));
    let me = user::<R>(&hub, "user").await;
    let refused = within::<R, _>("the refusal", me.subscribe("SubscribeOrders", (theirs,))).await.map(drop);
    let Err(SubscribeError::Hub(error)) = &refused else { panic!("{refused:?}") };
    assert!(error.message.contains(&theirs.to_string()), "{error}");
    within::<R, _>("my own", me.subscribe("SubscribeOrders", (mine,))).await.unwrap();
    let counts = me.retry_metrics().subscriptions;
    assert_eq!((counts.intended, counts.acked, counts.failed), (1, 1, 0), "{counts:?}");
    assert_eq!(me.state(), State::Connected);
}

/// The hub takes any name; the contract search and the order desk do not.
async fn a_contract_that_does_not_exist_stays_silent<R: Runtime>() {
    const NONE: &str = "CON.F.US.NONE.Z26";
    let hub = MockHub::start(Options { quotes_per_second: 200.0, ..Options::default() }).unwrap();
    let connection = scripted::connect::<R>(HubConnection::builder(hub.hub_url("market")).skip_negotiation(true)).await;
    let mut quotes = connection.on::<Quotes>("GatewayQuote");
    let answer = within::<R, _>("the subscription", connection.invoke::<Value>(QUOTES.0, (NONE,))).await;
    assert_eq!(answer, Ok(Value::Null));
    within::<R, _>("one that is there", connection.subscribe(QUOTES, (CONTRACT,))).await.unwrap();
    for _ in 0..50 {
        let rows = next::<R, _>("a quote", &mut quotes).await.into_value().unwrap();
        assert!(rows.values().all(|quote| quote.contract_id.as_str() == CONTRACT), "{rows:?}");
    }
    let token = hub.issue_token("user", Duration::from_secs(600));
    let found = rest(&hub, "/api/Contract/searchById", &token, &json!({ "contractId": NONE }));
    assert_eq!((&found["success"], &found["errorCode"]), (&json!(false), &json!(1)), "{found}");
    let order = json!({ "accountId": account(&hub, "user"), "contractId": NONE, "type": 2, "side": 0, "size": 1 });
    let placed = rest(&hub, "/api/Order/place", &token, &order);
    assert_eq!((&placed["success"], &placed["errorCode"]), (&json!(false), &json!(8)), "{placed}");
}

/// A call is refused on the spot; a subscription is a wish, which the next start serves.
async fn a_subscription_after_close_waits_for_the_next_start<R: Runtime>() {
    let hub = MockHub::start(Options { quotes_per_second: 200.0, ..Options::default() }).unwrap();
    let connection = scripted::connect::<R>(HubConnection::builder(hub.hub_url("market")).skip_negotiation(true)).await;
    let mut quotes = connection.on::<Quotes>("GatewayQuote");
    within::<R, _>("the stop", connection.stop()).await;
    let refused = within::<R, _>("the call", connection.invoke::<Value>(QUOTES.0, (CONTRACT,))).await;
    assert_eq!(refused, Err(CallError::Rejected(Rejection::NotActive)));
    let mut wish = Box::pin(connection.subscribe(QUOTES, (CONTRACT,)));
    assert!(poll_once(&mut wish).is_none());
    assert!(hub.calls().is_empty() && quotes.next().now_or_never().is_none(), "{:?}", hub.calls());
    within::<R, _>("the start", connection.start()).await.unwrap();
    within::<R, _>("the subscription", wish).await.unwrap();
    first_value::<R, _>(&mut quotes).await;
    assert_eq!(hub.calls().len(), 1, "{:?}", hub.calls());
}

/// The first value, behind the gap that a stop is.
async fn first_value<R: Runtime, T>(events: &mut On<T>) -> T {
    loop {
        if let Some(value) = next::<R, _>("a value", events).await.into_value() {
            return value;
        }
    }
}

/// The refusal names the method; quotes go on; nobody asks again, not after a reconnect either; later it may be granted.
async fn depth_without_its_entitlement_is_refused_and_costs_nothing_else<R: Runtime>() {
    let hub = MockHub::start(Options { quotes_per_second: 200.0, ..Options::default() }).unwrap();
    let rule = hub.inject(Fault::UnauthorizedSubscriptions { method: Some(DEPTH.0.to_owned()) }).unwrap();
    let soon = RetryPolicy::custom(|_| Some(Duration::from_millis(20)));
    let builder = HubConnection::builder(hub.hub_url("market")).skip_negotiation(true).automatic_reconnect(soon);
    let connection = scripted::connect::<R>(builder).await;
    let mut events = connection.lifecycle();
    let mut quotes = connection.on::<Quotes>("GatewayQuote");
    let mut depth = connection.on::<Rows<MarketEvent<DepthRow>>>("GatewayDepth");
    within::<R, _>("quotes", connection.subscribe(QUOTES, (CONTRACT,))).await.unwrap();
    let refused = within::<R, _>("depth", connection.subscribe(DEPTH, (CONTRACT,))).await.map(drop);
    let Err(SubscribeError::Hub(error)) = &refused else { panic!("{refused:?}") };
    assert_eq!(error.message, "Failed to invoke 'SubscribeContractMarketDepth' because user is unauthorized");
    first_value::<R, _>(&mut quotes).await;
    assert_eq!(connection.state(), State::Connected);

    assert_eq!(hub.drop_all(How::Tcp), 1);
    up_to::<R>(&mut events, "restored").await;
    eventually::<R>("another connection", || hub.connections().len() == 1).await;
    for _ in 0..50 {
        first_value::<R, _>(&mut quotes).await;
    }
    let asked = |method: &str| hub.calls().iter().filter(|call| call.target == method).count();
    assert_eq!((asked(QUOTES.0), asked(DEPTH.0)), (2, 1), "what was refused is no wish");
    assert!(hub.heal(rule));
    within::<R, _>("depth", connection.subscribe(DEPTH, (CONTRACT,))).await.unwrap();
    let rows = first_value::<R, _>(&mut depth).await;
    assert!(rows.values().count() > 0 && rows.errors().count() == 0, "{rows:?}");
}
