//! Typed streams of everything that the venue tells.

use adapter_core::Runtime;
use futures_util::future::join_all;
use futures_util::{FutureExt, StreamExt};
use mock_hub::faults::{Fault, Moment as When};
use topstep_model::rest::PlaceOrder;
use topstep_model::{OrderSide, OrderStatus};
use topstep_session::{Known, LatestSource, Update};

use crate::support::*;

scenarios! {
    an_order_is_followed_to_its_fill,
    the_market_is_followed,
    a_hundred_contracts,
    latest_goes_from_live_to_rest_to_cache,
    listeners_share_a_subscription_and_the_last_one_ends_it,
}

async fn an_order_is_followed_to_its_fill<R: Runtime>() {
    let hub = venue();
    let gateway = connected::<R>(&hub).await;
    let id = first_account(&hub);
    let account = gateway.user(id);
    let mut orders = account.orders().await.unwrap();
    let mut positions = account.positions().await.unwrap();
    let mut fills = account.fills().await.unwrap();
    let mut accounts = gateway.user_session().accounts().await.unwrap();
    let order = gateway.place(PlaceOrder::market(id, CONTRACT.into(), OrderSide::Bid, 2)).await.unwrap();
    loop {
        let told = value::<R, _>(&mut orders).await;
        assert_eq!((told.id, told.account_id), (order, id));
        if told.status == OrderStatus::Filled {
            break;
        }
    }
    let fill = value::<R, _>(&mut fills).await;
    assert_eq!((fill.order_id, fill.contract_id.as_str()), (order, CONTRACT));
    let position = value::<R, _>(&mut positions).await;
    assert_eq!((position.account_id, position.contract_id.as_str()), (id, CONTRACT));
    assert_eq!(value::<R, _>(&mut accounts).await.id, id);
    until::<R>("it is believed", || {
        let position = account.position(&CONTRACT.into());
        position.known >= Known::Live && position.value.is_some_and(|position| position.size == 2)
    })
    .await;
    assert!(gateway.user_session().is_exposed());
}

async fn the_market_is_followed<R: Runtime>() {
    let hub = venue();
    let gateway = connected::<R>(&hub).await;
    let market = gateway.market();
    let mut quotes = market.quotes(CONTRACT).await.unwrap();
    let mut trades = market.trades(CONTRACT).await.unwrap();
    let mut depth = market.depth(CONTRACT).await.unwrap();
    hub.set_market_rate(100.0);
    let quote = value::<R, _>(&mut quotes).await;
    assert_eq!(quote.contract.as_str(), CONTRACT);
    assert_eq!(value::<R, _>(&mut trades).await.contract_id.unwrap().as_str(), CONTRACT);
    assert_eq!(value::<R, _>(&mut depth).await.contract.as_str(), CONTRACT);
    until::<R>("all of it is live", || {
        let state = market.state();
        let is_live = state.quotes[0].known == Known::Live && state.books[0].known == Known::Live;
        is_live && market.gaps_open().is_empty()
    })
    .await;
    let book = market.book(&CONTRACT.into()).unwrap();
    assert!(book.is_valid() && book.best_bid().unwrap().price < book.best_ask().unwrap().price);
}

async fn a_hundred_contracts<R: Runtime>() {
    let hub = venue();
    let gateway = connected::<R>(&hub).await;
    let market = gateway.market();
    let contracts: Vec<_> = (0..100).map(|number| format!("CON.F.US.X{number:02}.Z26")).collect();
    let streams = join_all(contracts.iter().map(|contract| market.quotes(contract.as_str()))).await;
    let mut streams: Vec<_> = streams.into_iter().map(Result::unwrap).collect();
    assert_eq!(calls(&hub, "SubscribeContractQuotes"), 100);
    let tell = || {
        for (number, contract) in contracts.iter().enumerate() {
            let row = format!(r#"["{contract}",{{"bestBid":{number},"bestAsk":{}}}]"#, number + 1);
            hub.publish("market", "GatewayQuote", &row, None).unwrap();
        }
    };
    tell();
    for (number, stream) in streams.iter_mut().enumerate() {
        let quote = value::<R, _>(stream).await;
        assert_eq!(quote.bid().unwrap().to_string(), number.to_string());
    }
    // All of them over a loss, each asked for once more.
    hub.drop_all(mock_hub::How::Reset);
    for stream in &mut streams {
        up_to::<R, _>(stream, "opened transport_lost").await;
    }
    until::<R>("all are asked for again", || calls(&hub, "SubscribeContractQuotes") == 200).await;
    until::<R>("it is restored", || {
        market.link().retry_metrics.is_some_and(|metrics| metrics.subscriptions.acked == 100)
    })
    .await;
    tell();
    for stream in &mut streams {
        assert_eq!(up_to::<R, _>(stream, "value").await, ["closed ticks_lost", "value"]);
    }
    drop(streams);
    until::<R>("all are left", || calls(&hub, "UnsubscribeContractQuotes") == 100).await;
}

async fn latest_goes_from_live_to_rest_to_cache<R: Runtime>() {
    let hub = venue();
    let gateway = connected::<R>(&hub).await;
    let mut quotes = gateway.market().quotes(CONTRACT).await.unwrap();
    value::<R, _>(&mut quotes).await;
    until::<R>("it is live", || {
        let latest = gateway.latest(CONTRACT, SECOND).now_or_never();
        latest.is_some_and(|latest| latest.is_ok_and(|latest| latest.source == LatestSource::Live))
    })
    .await;
    drop(quotes);
    let latest = gateway.latest(CONTRACT, 20 * SECOND).await.unwrap();
    assert_eq!(latest.source, LatestSource::Rest);
    let path = Some("/api/History/retrieveBars".to_owned());
    hub.inject(Fault::RestGarbage { path, body: None, moment: When::Before }).unwrap();
    let latest = gateway.latest(CONTRACT, 20 * SECOND).await.unwrap();
    assert_eq!(latest.source, LatestSource::Cache);
    assert!(latest.warning.is_some());
}

async fn listeners_share_a_subscription_and_the_last_one_ends_it<R: Runtime>() {
    let hub = venue();
    let gateway = connected::<R>(&hub).await;
    let market = gateway.market();
    let listened = join_all((0..5).map(|_| market.trades(CONTRACT))).await;
    let mut streams: Vec<_> = listened.into_iter().map(Result::unwrap).collect();
    hub.publish("market", "GatewayTrade", r#"["CON.F.US.EP.Z26",[{"price":6000,"volume":1,"type":0}]]"#, None).unwrap();
    for stream in &mut streams {
        value::<R, _>(stream).await;
        assert!(!matches!(stream.next().now_or_never(), Some(Some(Update::Value(_)))), "once");
    }
    let last = streams.pop();
    drop(streams);
    hub.publish("market", "GatewayTrade", r#"["CON.F.US.EP.Z26",[{"price":6001,"volume":1,"type":0}]]"#, None).unwrap();
    let mut last = last.unwrap();
    value::<R, _>(&mut last).await;
    assert_eq!((calls(&hub, "SubscribeContractTrades"), calls(&hub, "UnsubscribeContractTrades")), (1, 0));
    drop(last);
    until::<R>("it is left", || calls(&hub, "UnsubscribeContractTrades") == 1).await;
}
