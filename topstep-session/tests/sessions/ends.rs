//! Ends: of a gateway, of its last handle, of its runtime.

use adapter_core::Runtime;
use futures_util::{FutureExt, StreamExt};
use mock_hub::faults::{Fault, Moment as When};
use topstep_session::{EventKind, Filter, Halt, SubscribeError};

use crate::support::*;

scenarios! {
    close_leaves_no_socket,
    a_venue_that_cannot_be_reached_can_be_closed,
    streams_keep_their_gateway,
    calls_under_way_keep_nothing,
    readers_and_handlers_end_with_the_gateway,
}

async fn close_leaves_no_socket<R: Runtime>() {
    let hub = venue();
    let gateway = connected::<R>(&hub).await;
    let mut quotes = gateway.market().quotes(CONTRACT).await.unwrap();
    let following = gateway.user_session().follow([first_account(&hub)]);
    until::<R>("both hubs are there", || hub.connections().len() == 2).await;
    within::<R, _>("it is closed", gateway.close()).await;
    assert!(hub.until(10 * SECOND, |hub| hub.connections().is_empty()).await);
    assert_eq!(gateway.halted(), Some(Halt::Closed));
    up_to::<R, _>(&mut quotes, "opened stopped").await;
    let upgrades = hub.upgrades();
    within::<R, _>("it is closed again", gateway.close()).await;
    gateway.reconnect_now();
    R::sleep(300 * MILLI).await;
    assert_eq!(hub.upgrades(), upgrades, "nobody dials any more");
    drop(following);
}

async fn a_venue_that_cannot_be_reached_can_be_closed<R: Runtime>() {
    let hub = venue();
    let gateway = connected::<R>(&hub).await;
    hub.refuse_upgrades(None, 503);
    let following = gateway.market().follow([CONTRACT.into()]);
    let mut events = gateway.events(Filter::all());
    loop {
        if let EventKind::Lifecycle { .. } = next::<R, _>(&mut events).await.kind {
            break;
        }
    }
    within::<R, _>("it is closed", gateway.close()).await;
    // And so ends what nobody holds any more.
    gateway.resume();
    drop((following, gateway));
    within::<R, _>("it ends", async { while events.next().await.is_some() {} }).await;
}

async fn streams_keep_their_gateway<R: Runtime>() {
    let hub = venue();
    let gateway = connected::<R>(&hub).await;
    let mut quotes = gateway.market().quotes(CONTRACT).await.unwrap();
    let mut orders = gateway.user(first_account(&hub)).orders().await.unwrap();
    drop(gateway);
    value::<R, _>(&mut quotes).await;
    // REST too: a gap closes by it.
    up_to::<R, _>(&mut orders, "closed nothing_missed").await;
    drop(orders);
    assert!(hub.set_price(CONTRACT, "6123.25".parse().unwrap()));
    value::<R, _>(&mut quotes).await;
    drop(quotes);
    assert!(hub.until(20 * SECOND, |hub| hub.connections().is_empty()).await, "with the last stream everything ends");
}

async fn calls_under_way_keep_nothing<R: Runtime>() {
    let hub = venue();
    let gateway = connected::<R>(&hub).await;
    let delay = |path: &str| Fault::RestDelay { path: Some(path.to_owned()), by: 40 * SECOND, moment: When::Before };
    for path in ["/api/Account/search", "/api/Order/v2/query", "/api/Position/searchOpen", "/api/Trade/search"] {
        hub.inject(delay(path)).unwrap();
    }
    let orders = gateway.user(first_account(&hub)).orders().await.unwrap();
    let begun = std::time::Instant::now();
    drop((orders, gateway));
    assert!(hub.until(20 * SECOND, |hub| hub.connections().is_empty()).await);
    assert!(begun.elapsed() < 15 * SECOND, "before REST has answered: {:?}", begun.elapsed());
}

async fn readers_and_handlers_end_with_the_gateway<R: Runtime>() {
    let hub = venue();
    let gateway = connected::<R>(&hub).await;
    let mut events = gateway.events(Filter::all());
    let (held, ended) = futures_channel::oneshot::channel::<()>();
    let handler = gateway.handle("idle", Filter::all(), move |_| {
        let _held = &held;
        std::future::ready(Ok::<_, String>(()))
    });
    let quotes = gateway.market().quotes(CONTRACT).await.unwrap();
    drop(gateway);
    next::<R, _>(&mut events).await;
    drop(quotes);
    within::<R, _>("the events end", async { while events.next().await.is_some() {} }).await;
    within::<R, _>("the handler ends", ended).await.unwrap_err();
    drop(handler);
}

/// A task that goes on would be seen here.
#[test]
fn the_last_handle_ends_every_task() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let hub = venue();
        let before = runtime.metrics().num_alive_tasks();
        let gateway = connected::<adapter_tokio::Tokio>(&hub).await;
        let quotes = gateway.market().quotes(CONTRACT).await.unwrap();
        let following = gateway.user_session().follow([first_account(&hub)]);
        let events = gateway.events(Filter::all());
        assert!(runtime.metrics().num_alive_tasks() > before);
        drop((gateway, quotes, following));
        until::<adapter_tokio::Tokio>("every task has ended", || runtime.metrics().num_alive_tasks() == before).await;
        drop(events);
    });
}

#[test]
fn streams_end_with_their_runtime() {
    let hub = venue();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (gateway, mut quotes) = runtime.block_on(async {
        let gateway = connected::<adapter_tokio::Tokio>(&hub).await;
        let quotes = gateway.market().quotes(CONTRACT).await.unwrap();
        (gateway, quotes)
    });
    drop(runtime);
    while let Some(update) = quotes.next().now_or_never().expect("nothing is waited for") {
        drop(update);
    }
    let market = gateway.market();
    assert_eq!(market.trades(CONTRACT).now_or_never().unwrap().unwrap_err(), SubscribeError::Closed);
    assert!(gateway.close().now_or_never().is_some(), "there is nothing to wait for");
    assert!(hub.wait_until(20 * SECOND, |hub| hub.connections().is_empty()));
}

#[test]
fn without_a_runtime_there_is_no_gateway() {
    let built = topstep_session::Gateway::builder()
        .url("http://127.0.0.1:1")
        .api_key("user", "key")
        .build::<adapter_tokio::Tokio>();
    assert!(matches!(built, Err(adapter_core::ConfigError::NoRuntime(_))), "{built:?}");
}
