//! Durable subscriptions on the hubs that are shaped as TopstepX's.

use std::time::Duration;

use adapter_core::{Delivery, HubConnection, HubConnectionBuilder, On, RetryPolicy, Runtime, Subscription};
use futures_util::{FutureExt, StreamExt};
use serde::Deserialize;
use serde_json::{Value, json};
use tests::conformance;
use tests::events::{find, name, up_to};
use tests::hubs::{Hub, Server};
use tests::wait::{next, within};

use super::{connect, id};

conformance! {
    quotes_flow_once_subscribed,
    subscriptions_are_restored_after_a_loss,
    a_market_stream_has_no_silent_loss,
    a_group_s_events_reach_its_subscriber,
    unsubscribing_ends_the_flow,
    subscriptions_outlive_a_stop,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Quote {
    volume: i64,
    /// Only a full quote has it.
    open: Option<f64>,
}

type Quotes = On<(String, Quote)>;

const QUOTES: (&str, &str) = ("SubscribeContractQuotes", "UnsubscribeContractQuotes");

/// A contract that no other test of this run uses, so that its serials are this test's alone.
fn contract<R>(test: &str) -> String {
    let runtime = std::any::type_name::<R>().rsplit(':').next().unwrap_or_default();
    format!("CON.F.US.{test}{runtime}.Z26")
}

fn market<R: Runtime>(hub: &Hub) -> HubConnectionBuilder<R> {
    let soon = RetryPolicy::custom(|_| Some(Duration::from_millis(20)));
    HubConnection::builder(hub.hub_url("market")).access_token(hub.token("trader", 600)).automatic_reconnect(soon)
}

async fn subscribe<R: Runtime>(connection: &HubConnection<R>, contract: &str) -> Subscription {
    within::<R, _>("the subscribe", connection.subscribe(QUOTES, (contract,))).await.unwrap()
}

/// The serial of the next sparse quote.
async fn serial<R: Runtime>(quotes: &mut Quotes, contract: &str) -> i64 {
    loop {
        match next::<R, _>("a quote", quotes).await {
            Delivery::Value((id, quote)) if id == contract => {
                if quote.open.is_none() {
                    return quote.volume;
                }
            }
            other => panic!("{other:?}"),
        }
    }
}

async fn quotes_flow_once_subscribed<R: Runtime>(server: Server) {
    let connection = connect::<R>(market(server.usual())).await;
    let contract = contract::<R>("FLOW");
    let mut quotes = connection.on::<(String, Quote)>("GatewayQuote");
    let _subscription = subscribe(&connection, &contract).await;
    let Delivery::Value((id, full)) = next::<R, _>("the full quote", &mut quotes).await else { panic!("no value") };
    assert_eq!(id, contract);
    assert!(full.open.is_some(), "the first one is full");
    let first = serial::<R>(&mut quotes, &contract).await;
    for serial_after in first + 1..first + 20 {
        assert_eq!(serial::<R>(&mut quotes, &contract).await, serial_after);
    }
}

async fn subscriptions_are_restored_after_a_loss<R: Runtime>(server: Server) {
    let hub = server.usual();
    let connection = connect::<R>(market(hub)).await;
    let contract = contract::<R>("RESTORE");
    let mut quotes = connection.on::<(String, Quote)>("GatewayQuote");
    let subscription = subscribe(&connection, &contract).await;
    serial::<R>(&mut quotes, &contract).await;
    let mut life = connection.lifecycle();
    hub.drop_connection(&id(&connection), "tcp");
    let names = up_to::<R>(&mut life, "restored").await;
    let expected = ["reconnecting:lost", "gap_opened", "waiting:lost", "reconnected", "gap_closed", "restored"];
    assert_eq!(names, expected);
    let gap = loop {
        match next::<R, _>("the gap among the quotes", &mut quotes).await {
            Delivery::Gap(gap) => break gap,
            Delivery::Value(_) => {}
            other => panic!("{other:?}"),
        }
    };
    assert_eq!((gap.serial, gap.keys), (1, vec![subscription.key()]));
    assert_eq!(gap.reason.cause(), adapter_core::Cause::Lost);
    let first = serial::<R>(&mut quotes, &contract).await;
    assert_eq!(serial::<R>(&mut quotes, &contract).await, first + 1, "they flow again");
}

async fn a_market_stream_has_no_silent_loss<R: Runtime>(server: Server) {
    let hub = server.usual();
    let connection = connect::<R>(market(hub)).await;
    let contract = contract::<R>("LOSS");
    let mut quotes = connection.on::<(String, Quote)>("GatewayQuote");
    let _subscription = subscribe(&connection, &contract).await;
    let mut last = serial::<R>(&mut quotes, &contract).await;
    let mut gaps = 0;
    let mut since_gap = 0;
    let mut is_explained = false;
    while gaps < 3 || since_gap < 20 {
        match next::<R, _>("quotes and gaps", &mut quotes).await {
            Delivery::Gap(gap) => {
                gaps += 1;
                assert_eq!(gap.serial, gaps);
                (since_gap, is_explained) = (0, true);
            }
            Delivery::Value((_, quote)) if quote.open.is_some() => {}
            Delivery::Value((_, quote)) => {
                let follows = if is_explained { quote.volume > last } else { quote.volume == last + 1 };
                assert!(follows, "{} after {last}, explained: {is_explained}", quote.volume);
                (last, is_explained) = (quote.volume, false);
                since_gap += 1;
                if since_gap == 10 && gaps < 3 {
                    hub.drop_connection(&id(&connection), "tcp");
                }
            }
            other => panic!("{other:?}"),
        }
    }
}

async fn a_group_s_events_reach_its_subscriber<R: Runtime>(server: Server) {
    let hub = server.usual();
    let soon = RetryPolicy::custom(|_| Some(Duration::from_millis(20)));
    let builder = HubConnection::<R>::builder(hub.hub_url("user")).access_token(hub.token("trader", 600));
    let connection = connect(builder.automatic_reconnect(soon)).await;
    let mut orders = connection.on::<(Value,)>("GatewayUserOrder");
    let mut life = connection.lifecycle();
    // An account that no other test of this run uses.
    let account = 1_000 + contract::<R>("").len() as i64;
    let methods = ("SubscribeOrders", "UnsubscribeOrders");
    let subscription = connection.subscription(methods, (account,)).unwrap().feeding("GatewayUserOrder");
    within::<R, _>("the subscribe", subscription.subscribe()).await.unwrap();
    let group = format!("orders/{account}");
    let order = |serial: i64| json!([{"action": 1, "data": {"id": serial, "accountId": account}}]);
    hub.publish("user", "GatewayUserOrder", &order(1), &group);
    let mut serials = Vec::new();
    let mut read = async |serials: &mut Vec<i64>| match next::<R, _>("an order", &mut orders).await {
        Delivery::Value((order,)) => serials.push(order["data"]["id"].as_i64().unwrap()),
        Delivery::Gap(_) => serials.push(0),
        other => panic!("{other:?}"),
    };
    read(&mut serials).await;
    hub.drop_connection(&id(&connection), "tcp");
    up_to::<R>(&mut life, "restored").await;
    hub.publish("user", "GatewayUserOrder", &order(2), &group);
    hub.publish("user", "GatewayUserOrder", &order(3), &group);
    for _ in 0..3 {
        read(&mut serials).await;
    }
    assert_eq!(serials, [1, 0, 2, 3]);
}

async fn unsubscribing_ends_the_flow<R: Runtime>(server: Server) {
    let hub = server.usual();
    let connection = connect::<R>(market(hub)).await;
    let contract = contract::<R>("LEAVE");
    let mut quotes = connection.on::<(String, Quote)>("GatewayQuote");
    let first = subscribe(&connection, &contract).await;
    let second = subscribe(&connection, &contract).await;
    within::<R, _>("one leaves", first.unsubscribe()).await.unwrap();
    serial::<R>(&mut quotes, &contract).await;
    within::<R, _>("the last one leaves", second.unsubscribe()).await.unwrap();
    // What the hub was about to send as it heard of it may still come; after some other events have come, nothing does.
    let other = format!("{contract}.OTHER");
    let trades =
        within::<R, _>("another topic", connection.subscribe("SubscribeContractTrades", (&other,))).await.unwrap();
    let mut heard = connection.on::<(String, Value)>("GatewayTrade");
    next::<R, _>("a trade", &mut heard).await;
    while let Some(Some(_)) = quotes.next().now_or_never() {}
    for _ in 0..5 {
        next::<R, _>("a trade", &mut heard).await;
    }
    assert!(quotes.next().now_or_never().is_none(), "no quote comes any more");
    within::<R, _>("the other topic ends", trades.unsubscribe()).await.unwrap();
    let mut life = connection.lifecycle();
    hub.drop_connection(&id(&connection), "tcp");
    let names = up_to::<R>(&mut life, "restored").await;
    assert_eq!(names, ["reconnecting:lost", "waiting:lost", "reconnected", "restored"], "nothing is restored");
}

async fn subscriptions_outlive_a_stop<R: Runtime>(server: Server) {
    let connection = market::<R>(server.usual()).build().unwrap();
    let contract = contract::<R>("OUTLIVE");
    let mut quotes = connection.on::<(String, Quote)>("GatewayQuote");
    let mut life = connection.lifecycle();
    let subscription = connection.subscription(QUOTES, (&contract,)).unwrap();
    // Before the start it waits.
    let (subscribed, started) = futures_util::join!(subscription.subscribe(), connection.start());
    subscribed.unwrap();
    started.unwrap();
    serial::<R>(&mut quotes, &contract).await;
    within::<R, _>("the stop", connection.stop()).await;
    within::<R, _>("another start", connection.start()).await.unwrap();
    let names = up_to::<R>(&mut life, "gap_closed").await;
    let second = names.iter().rposition(|name| name == "connected").unwrap();
    assert_eq!(names[second - 1], "gap_opened", "{names:?}");
    find::<R, _>("restored", &mut life, |event| (name(event) == "restored").then_some(())).await;
    loop {
        match next::<R, _>("the gap", &mut quotes).await {
            Delivery::Gap(gap) => break assert_eq!(gap.keys, [subscription.key()]),
            Delivery::Value(_) => {}
            other => panic!("{other:?}"),
        }
    }
    serial::<R>(&mut quotes, &contract).await;
}
