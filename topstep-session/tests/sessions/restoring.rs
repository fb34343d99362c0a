//! Losses and goodbyes: what was followed is followed again, with its gaps in place.

use std::pin::pin;

use adapter_core::Runtime;
use futures_util::future::select;
use mock_hub::How;
use topstep_model::OrderSide;
use topstep_model::rest::PlaceOrder;
use topstep_session::{EventKind, Filter, Known};

use crate::support::*;

scenarios! {
    a_drop_is_restored_with_its_gaps_and_verdicts,
    what_happened_during_a_loss_is_told_by_rest,
    a_goodbye_is_followed_by_a_new_connection_after_ten_seconds,
}

async fn a_drop_is_restored_with_its_gaps_and_verdicts<R: Runtime>() {
    let hub = venue();
    let gateway = connected::<R>(&hub).await;
    let account = gateway.user(first_account(&hub));
    let mut orders = account.orders().await.unwrap();
    let mut quotes = gateway.market().quotes(CONTRACT).await.unwrap();
    let mut trades = gateway.market().trades(CONTRACT).await.unwrap();
    let mut depth = gateway.market().depth(CONTRACT).await.unwrap();
    assert_eq!(
        up_to::<R, _>(&mut orders, "closed nothing_missed").await,
        ["opened cold_start", "closed nothing_missed"]
    );
    up_to::<R, _>(&mut quotes, "closed ticks_lost").await;
    up_to::<R, _>(&mut trades, "closed ticks_lost").await;
    up_to::<R, _>(&mut depth, "closed ticks_lost").await;
    for (round, how) in [How::Reset, How::Tcp].into_iter().enumerate() {
        hub.drop_all(how);
        let lost = ["opened transport_lost", "closed nothing_missed"];
        assert_eq!(up_to::<R, _>(&mut orders, "closed nothing_missed").await, lost);
        for told in [
            up_to::<R, _>(&mut quotes, "closed ticks_lost").await,
            up_to::<R, _>(&mut trades, "closed ticks_lost").await,
            up_to::<R, _>(&mut depth, "closed ticks_lost").await,
        ] {
            let notices: Vec<_> = told.into_iter().filter(|word| word != "value").collect();
            assert_eq!(notices, ["opened transport_lost", "closed ticks_lost"]);
        }
        for method in
            ["SubscribeOrders", "SubscribeContractQuotes", "SubscribeContractTrades", "SubscribeContractMarketDepth"]
        {
            assert_eq!(calls(&hub, method), round + 2, "{method}: once for each connection");
        }
    }
    assert!(hub.calls().iter().all(|call| !call.target.starts_with("Unsubscribe")), "nothing is given up for that");
}

async fn what_happened_during_a_loss_is_told_by_rest<R: Runtime>() {
    let hub = venue();
    let gateway = connected::<R>(&hub).await;
    let id = first_account(&hub);
    let account = gateway.user(id);
    let mut orders = account.orders().await.unwrap();
    let mut positions = account.positions().await.unwrap();
    up_to::<R, _>(&mut orders, "closed nothing_missed").await;
    up_to::<R, _>(&mut positions, "closed nothing_missed").await;
    hub.refuse_upgrades(None, 503);
    hub.drop_all(How::Reset);
    up_to::<R, _>(&mut orders, "opened transport_lost").await;
    up_to::<R, _>(&mut positions, "opened transport_lost").await;
    gateway.place(PlaceOrder::market(id, CONTRACT.into(), OrderSide::Ask, 1)).await.unwrap();
    // It fills in its own time: nothing of it is left for the stream.
    until::<R>("it is filled", || {
        hub.truth(None)["positions"].as_array().is_some_and(|positions| !positions.is_empty())
    })
    .await;
    assert_eq!(account.position(&CONTRACT.into()).known, Known::Stale);
    hub.accept_upgrades();
    let asks = async {
        loop {
            gateway.reconnect_now();
            R::sleep(100 * MILLI).await;
        }
    };
    let connects = until::<R>("it is connected", || gateway.user_session().link().is_connected);
    select(pin!(asks), pin!(connects)).await;
    assert_eq!(up_to::<R, _>(&mut orders, "closed state_repaired").await, ["value", "closed state_repaired"]);
    assert_eq!(up_to::<R, _>(&mut positions, "closed state_repaired").await, ["value", "closed state_repaired"]);
    assert!(account.position(&CONTRACT.into()).value.is_some());
}

async fn a_goodbye_is_followed_by_a_new_connection_after_ten_seconds<R: Runtime>() {
    let hub = venue();
    let gateway = connected::<R>(&hub).await;
    let mut trades = gateway.market().trades(CONTRACT).await.unwrap();
    up_to::<R, _>(&mut trades, "closed ticks_lost").await;
    // A goodbye at once would be taken for a refused token.
    R::sleep(2 * SECOND + 200 * MILLI).await;
    let mut events = gateway.events(Filter::all());
    let begun = std::time::Instant::now();
    hub.drop_all(How::Close { allow_reconnect: false });
    loop {
        if let EventKind::Goodbye { is_unauthorized, .. } = next::<R, _>(&mut events).await.kind {
            assert!(!is_unauthorized);
            break;
        }
    }
    assert_eq!(up_to::<R, _>(&mut trades, "closed ticks_lost").await, ["opened closed_by_hub", "closed ticks_lost"]);
    assert!(begun.elapsed() >= 10 * SECOND, "{:?}", begun.elapsed());
    assert_eq!(gateway.market().link().connections, 2);
}
