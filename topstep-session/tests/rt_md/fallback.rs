//! What is told when the data source is slow, or fails.

use std::time::Instant;

use adapter_core::Runtime;
use mock_hub::faults::{Fault, Moment as When, Rule};
use topstep_model::Price;
use topstep_session::{AlertKind, LatestSource, LatestWarning};

use crate::support::*;

scenarios! {
    rt_md_data_source_timeout,
    rt_md_intermittent_failures,
}

async fn rt_md_data_source_timeout<R: Runtime>() {
    let hub = venue();
    let gateway = connected::<R>(&hub).await;
    set(&hub, CONTRACT, "6150.5");
    let known = gateway.latest(CONTRACT, 10 * SECOND).await.unwrap();
    assert_eq!((known.source, known.price), (LatestSource::Rest, price("6150.5")));
    let delay = Fault::RestDelay { path: Some(BARS.to_owned()), by: 7 * SECOND, moment: When::Before };
    hub.inject(delay).unwrap();
    let begun = Instant::now();
    let latest = gateway.latest(CONTRACT, 4 * SECOND).await.unwrap();
    assert!((4 * SECOND..6 * SECOND).contains(&begun.elapsed()), "{:?}", begun.elapsed());
    assert_eq!((latest.source, latest.price), (LatestSource::Cache, known.price));
    assert_eq!(latest.warning.map(LatestWarning::as_str), Some("external_api_timeout"));
    assert_eq!(latest.contract.as_str(), CONTRACT);
    // A bar is as old as its end; then comes what was waited for.
    assert!(latest.age >= 4 * SECOND && latest.age < 300 * SECOND, "{:?}", latest.age);
    let health = gateway.health();
    assert_eq!((health.cache.hits, health.cache.misses), (1, 0));
    // The try goes on without those who have given up; that it took more than 5 s is an alarm.
    let is_slow = || gateway.health().alerts.iter().any(|alert| alert.kind == AlertKind::SlowRest);
    until::<R>("the timeout is seen", 20 * SECOND, is_slow).await;
}

async fn rt_md_intermittent_failures<R: Runtime>() {
    let hub = venue();
    let gateway = connected::<R>(&hub).await;
    set(&hub, CONTRACT, "6175.25");
    let failure = Fault::RestStatus {
        path: Some(BARS.to_owned()),
        status: 500,
        retry_after: None,
        body: None,
        moment: When::Before,
    };
    hub.inject(Rule::new(failure).times(2)).unwrap();
    let before = gateway.health().rest.unwrap();
    let begun = Instant::now();
    let latest = gateway.latest(CONTRACT, 10 * SECOND).await.unwrap();
    let took = begun.elapsed();
    println!("the third try succeeded after {took:?}");
    assert!((3 * SECOND..8 * SECOND).contains(&took), "1 s and 2 s: {took:?}");
    assert_eq!((latest.source, latest.warning), (LatestSource::Rest, None));
    assert_eq!(latest.price, price("6175.25"));
    assert!(latest.price > Price::ZERO);
    assert_eq!((answered::<R>(&hub, BARS, 500).await, answered::<R>(&hub, BARS, 200).await), (2, 1), "three attempts");
    let after = gateway.health().rest.unwrap();
    assert_eq!((after.calls - before.calls, after.failures - before.failures), (3, 2));
}
