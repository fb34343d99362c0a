//! The latest price, from whoever can tell it in time.

use std::time::{Duration, Instant};

use adapter_core::Runtime;
use futures_util::future::join_all;
use mock_hub::How;
use mock_hub::faults::{Fault, Moment as When};
use topstep_session::{Latest, LatestError, LatestSource, LatestWarning};

use crate::support::*;

scenarios! {
    without_a_stream_the_last_bar_tells,
    fifty_who_ask_for_one_contract_ask_once,
    a_venue_that_is_too_slow_leaves_the_cache_with_a_warning,
    a_venue_that_fails_leaves_the_cache_with_a_warning,
    without_a_cache_it_is_an_error,
    a_live_quote_comes_first_and_is_remembered,
}

const BARS: &str = "/api/History/retrieveBars";

fn slow(by: Duration) -> Fault {
    Fault::RestDelay { path: Some(BARS.to_owned()), by, moment: When::Before }
}

fn is_from_a_bar(latest: &Latest) -> bool {
    (latest.source, latest.warning, latest.bid, latest.ask) == (LatestSource::Rest, None, None, None)
}

async fn without_a_stream_the_last_bar_tells<R: Runtime>() {
    let hub = venue();
    let gateway = connected::<R>(&hub).await;
    assert!(hub.set_price(CONTRACT, "6123.25".parse().unwrap()));
    let latest = gateway.latest(CONTRACT, 5 * SECOND).await.unwrap();
    assert!(is_from_a_bar(&latest), "{latest:?}");
    assert_eq!((latest.contract.as_str(), latest.price), (CONTRACT, price("6123.25")));
    assert!(latest.age < 120 * SECOND, "the bar is not over: {:?}", latest.age);
}

async fn fifty_who_ask_for_one_contract_ask_once<R: Runtime>() {
    let hub = venue();
    let gateway = connected::<R>(&hub).await;
    let rule = hub.inject(slow(300 * MILLI)).unwrap();
    let answers = join_all((0..50).map(|_| gateway.latest(CONTRACT, 10 * SECOND))).await;
    assert!(answers.iter().all(|latest| latest.as_ref().is_ok_and(is_from_a_bar)));
    assert_eq!(scraped::<R>(&hub).await.calls(BARS, 200), 1);
    hub.heal(rule);
    gateway.latest(CONTRACT, 10 * SECOND).await.unwrap();
    assert_eq!(scraped::<R>(&hub).await.calls(BARS, 200), 2, "the next asks anew");
}

async fn a_venue_that_is_too_slow_leaves_the_cache_with_a_warning<R: Runtime>() {
    let hub = venue();
    let gateway = connected::<R>(&hub).await;
    let known = gateway.latest(CONTRACT, 5 * SECOND).await.unwrap();
    hub.inject(slow(7 * SECOND)).unwrap();
    let begun = Instant::now();
    let latest = gateway.latest(CONTRACT, SECOND).await.unwrap();
    assert!((SECOND..6 * SECOND).contains(&begun.elapsed()), "{:?}", begun.elapsed());
    assert_eq!((latest.source, latest.price), (LatestSource::Cache, known.price));
    assert_eq!(latest.warning.map(LatestWarning::as_str), Some("external_api_timeout"));
    assert!(latest.age >= known.age + SECOND && latest.age < 300 * SECOND, "{:?}", latest.age);
}

async fn a_venue_that_fails_leaves_the_cache_with_a_warning<R: Runtime>() {
    let hub = venue();
    let gateway = connected::<R>(&hub).await;
    let known = gateway.latest(CONTRACT, 5 * SECOND).await.unwrap();
    let path = Some(BARS.to_owned());
    hub.inject(Fault::RestGarbage { path, body: None, moment: When::Before }).unwrap();
    let latest = gateway.latest(CONTRACT, 10 * SECOND).await.unwrap();
    assert_eq!((latest.source, latest.warning), (LatestSource::Cache, Some(LatestWarning::ExternalApiError)));
    assert_eq!(latest.price, known.price);
}

async fn without_a_cache_it_is_an_error<R: Runtime>() {
    let hub = venue();
    let gateway = connected::<R>(&hub).await;
    assert_eq!(gateway.latest("CON.F.US.NONE.Z26", 5 * SECOND).await, Err(LatestError::Failed));
    hub.inject(slow(7 * SECOND)).unwrap();
    assert_eq!(gateway.latest(CONTRACT, 100 * MILLI).await, Err(LatestError::TimedOut));
}

async fn a_live_quote_comes_first_and_is_remembered<R: Runtime>() {
    let hub = venue();
    let gateway = connected::<R>(&hub).await;
    hub.inject(slow(30 * SECOND)).unwrap();
    let quotes = gateway.market().quotes(CONTRACT).await.unwrap();
    assert!(hub.set_price(CONTRACT, "6123.25".parse().unwrap()));
    let last = price("6123.25");
    let is_live = |latest: &Latest| latest.source == LatestSource::Live && latest.price == last;
    until::<R, _>("the stream tells it", async || {
        gateway.latest(CONTRACT, Duration::ZERO).await.is_ok_and(|latest| is_live(&latest))
    })
    .await;
    let live = gateway.latest(CONTRACT, Duration::ZERO).await.unwrap();
    assert!(live.bid.is_some() && live.ask.is_some() && live.warning.is_none(), "{live:?}");

    // It is lost; REST is slow; what the stream said last is told as old.
    hub.refuse_upgrades(None, 503);
    hub.drop_all(How::Reset);
    until::<R, _>("the stream is lost", async || {
        gateway.latest(CONTRACT, Duration::ZERO).await.is_ok_and(|latest| latest.source != LatestSource::Live)
    })
    .await;
    let old = gateway.latest(CONTRACT, 100 * MILLI).await.unwrap();
    assert_eq!((old.source, old.price), (LatestSource::Cache, last));
    assert!(old.age >= 100 * MILLI && old.warning == Some(LatestWarning::ExternalApiTimeout), "{old:?}");
    assert_eq!(scraped::<R>(&hub).await.calls(BARS, 200), 0);
    drop(quotes);
}
