//! Readers of quotes who do not keep up, over real sockets and without, on both runtimes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic where it stands")]

use std::future::Future;
use std::time::Duration;

use adapter_async_std::AsyncStd;
use adapter_core::{HubConnection, On, Runtime};
use adapter_tokio::Tokio;
use futures_util::{FutureExt, StreamExt};
use mock_hub::{MockHub, Options};
use topstep_model::{ContractId, Quote};
use topstep_session::market::{MarketConfig, TradingHours};
use topstep_session::{GapNotice, MarketSession, Offline, Update};

/// No scenario takes longer, however busy the machine is.
const LIMIT: Duration = Duration::from_secs(90);
/// What a listener who wants every quote may have waiting, and what one read of the socket may still bring.
const MOST_WAITING: u64 = 4_096 + 1_024;
/// And what waits at least before the hub is held up: notices of gaps count as well.
const LEAST_WAITING: u64 = 4_000;

fn on_tokio(scenario: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(LIMIT, scenario).await }).expect("the scenario ends in time");
}

fn on_async_std(scenario: impl Future<Output = ()>) {
    async_std::task::block_on(async_std::future::timeout(LIMIT, scenario)).expect("the scenario ends in time");
}

/// A session over a hub that floods it, and the contract of the flood.
struct Flood<R: Runtime> {
    connection: HubConnection<R>,
    done: On<[u8; 0]>,
    session: MarketSession,
    contract: ContractId,
    _hub: MockHub,
}

impl<R: Runtime> Flood<R> {
    async fn new() -> Self {
        let hub = MockHub::start(Options::default()).unwrap();
        let url = format!("{}/raw/hub", hub.url());
        let connection = HubConnection::<R>::builder(&url).build().unwrap();
        let config = MarketConfig::default().hours(TradingHours::always_open());
        let session = MarketSession::over_feed(connection.clone(), config).unwrap();
        let mut done = connection.on::<[u8; 0]>("Done");
        let mut first = connection.on::<(ContractId, Quote)>("GatewayQuote");
        connection.start().await.unwrap();
        connection.send("StartFlood", (1, 1)).await.unwrap();
        let contract = first.next().await.unwrap().into_value().unwrap().0;
        done.next().await.unwrap();
        Self { connection, done, session, contract, _hub: hub }
    }

    async fn start(&self, count: u64, per_frame: u64) {
        self.connection.send("StartFlood", (count, per_frame)).await.unwrap();
    }

    /// Waits until the machine has taken in so many quotes and, for a while, no more of them.
    async fn come_to_rest(&self, least: u64) -> u64 {
        let mut before = 0;
        let mut quiet = 0;
        loop {
            let now = self.session.counters().quotes;
            quiet = if now == before && now >= least { quiet + 1 } else { 0 };
            if quiet == 20 {
                return now;
            }
            before = now;
            R::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// Whoever wants every quote gets every quote, however late he reads: the hub waits for him, and goes on when he has read.
async fn every_quote_is_kept<R: Runtime>() {
    const COUNT: u64 = 30_000;
    let mut flood = Flood::<R>::new().await;
    let before = flood.session.counters().quotes;
    let mut quotes = flood.session.every_quote(flood.contract.clone()).await.unwrap();
    for per_frame in [1, 50] {
        let before = flood.session.counters().quotes.max(before);
        flood.start(COUNT, per_frame).await;
        let taken_in = flood.come_to_rest(before + LEAST_WAITING).await - before;
        assert!(taken_in <= MOST_WAITING, "the hub is held up after {taken_in}");

        let mut next = None;
        let mut read = 0;
        while read < COUNT {
            match quotes.next().await.unwrap() {
                Update::Value(told) => {
                    let volume = told.value.volume.unwrap();
                    assert_eq!(volume, next.unwrap_or(volume));
                    next = Some(volume + 1);
                    read += 1;
                }
                Update::Gap(GapNotice::Opened(_) | GapNotice::Closed(..)) if read <= 1 => {}
                other => panic!("{other:?}"),
            }
            let waiting = flood.session.counters().quotes - before - read;
            assert!(waiting <= MOST_WAITING, "{waiting} wait");
        }
        flood.done.next().await.unwrap();
    }
}

/// Whoever wants the latest only, and does not read, holds nobody up.
async fn the_latest_hold_nobody_up<R: Runtime>() {
    const COUNT: u64 = 20_000;
    let mut flood = Flood::<R>::new().await;
    let mut slow = flood.session.quotes(flood.contract.clone()).await.unwrap();
    let before = flood.session.counters().quotes;
    flood.start(COUNT, 50).await;
    flood.done.next().await.unwrap();
    assert_eq!(flood.session.counters().quotes - before, COUNT);
    let told = std::iter::from_fn(|| slow.next().now_or_never().flatten()).filter_map(Update::into_value).count();
    assert!(told <= 2, "the latest of each stretch, not {told}");
}

/// Whoever wanted every quote and is gone holds nobody up any more.
async fn a_reader_who_leaves_lets_go<R: Runtime>() {
    const COUNT: u64 = 20_000;
    let mut flood = Flood::<R>::new().await;
    let quotes = flood.session.every_quote(flood.contract.clone()).await.unwrap();
    let following = flood.session.follow([flood.contract.clone()]);
    let before = flood.session.counters().quotes;
    flood.start(COUNT, 50).await;
    assert!(flood.come_to_rest(before + LEAST_WAITING).await - before <= MOST_WAITING);
    drop(quotes);
    flood.done.next().await.unwrap();
    assert_eq!(flood.session.counters().quotes - before, COUNT);
    drop(following);
}

/// A stream that has to drop says so, even where no gap opens: here more unreadable events wait than a stream of the latest holds.
#[test]
fn what_is_dropped_is_told() {
    const COUNT: u64 = 20_000;
    let world = Offline::new("2026-11-20T18:00:00Z".parse().unwrap());
    let mut quotes = world.drive(world.market().quotes("CON.F.US.EP.Z26")).unwrap();
    while quotes.next().now_or_never().is_some() {}
    for _ in 0..COUNT {
        world.receive("GatewayQuote", r#"["CON.F.US.EP.Z26",{"bestBid":"x"}]"#);
    }
    let (mut missing, mut told) = (0, 0);
    while let Some(Some(update)) = quotes.next().now_or_never() {
        match update {
            Update::Lagged(count) => {
                assert_eq!(told, 0, "before what came later");
                missing += count;
            }
            Update::Malformed(_) => told += 1,
            other => panic!("{other:?}"),
        }
    }
    assert!(missing > 0);
    assert_eq!(missing + told, COUNT);
}

macro_rules! on_both_runtimes {
    ($($scenario:ident),*) => {$(
        mod $scenario {
            #[test]
            fn tokio() {
                super::on_tokio(super::$scenario::<super::Tokio>());
            }

            #[test]
            fn async_std() {
                super::on_async_std(super::$scenario::<super::AsyncStd>());
            }
        }
    )*};
}

on_both_runtimes!(every_quote_is_kept, the_latest_hold_nobody_up, a_reader_who_leaves_lets_go);
