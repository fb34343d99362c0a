//! Hints from outside while a wait is under way, and the end in the middle of one.

use adapter_core::{BreakerState, RetryPolicy, Runtime, State};
use tests::events::up_to;
use tests::scenarios;
use tests::wait::{eventually, within};

use super::{answering, builder, connect, delays, failing, ms, soon_broken, unwell, waits};
use mock_hub::script::Reply;
use std::time::{Duration, Instant};

scenarios! {
    cf_43_network_up_hint,
    cf_44_backoff_during_close,
    a_shorter_longest_wait_cuts_the_one_under_way_short,
}

const HOUR: Duration = Duration::from_secs(3_600);

async fn cf_43_network_up_hint<R: Runtime>() {
    let hub = answering(|serial| if (1..=3).contains(&serial) { unwell() } else { Reply::Accept });
    let policy = RetryPolicy::delays([Duration::ZERO, HOUR, HOUR, HOUR]);
    let connection = connect::<R>(builder(&hub).automatic_reconnect(policy)).await;
    let mut events = connection.lifecycle();
    connection.send("Die", ()).await.unwrap();
    assert_eq!(delays(&waits::<R>(&mut events, 2).await), [Duration::ZERO, HOUR]);
    let hinted = Instant::now();
    connection.network_up();
    assert_eq!(delays(&waits::<R>(&mut events, 1).await), [HOUR], "it dialled at once");
    // Further hints are not followed until five seconds have gone; then the first one is.
    let attempts = || connection.retry_metrics().attempts;
    assert_eq!(attempts(), 3);
    eventually::<R>("a hint is followed again", || {
        connection.reconnect_now();
        attempts() > 3
    })
    .await;
    assert!(hinted.elapsed() >= ms(4_900), "{:?}", hinted.elapsed());
    assert_eq!(delays(&waits::<R>(&mut events, 1).await), [HOUR]);
    let hinted = Instant::now();
    eventually::<R>("the last one brings it back", || {
        connection.network_up();
        connection.state() == State::Connected
    })
    .await;
    assert!(hinted.elapsed() >= ms(4_500), "{:?}", hinted.elapsed());
    assert_eq!(hub.requests().len(), 5);
}

async fn cf_44_backoff_during_close<R: Runtime>() {
    let hub = failing(usize::MAX - 1);
    let connection = connect::<R>(builder(&hub).automatic_reconnect(soon_broken(ms(300), ms(300)))).await;
    let mut events = connection.lifecycle();
    connection.send("Die", ()).await.unwrap();
    let open = waits::<R>(&mut events, 6).await[5];
    assert_eq!(open.breaker, Some(BreakerState::Open));
    within::<R, _>("the stop", connection.stop()).await;
    assert_eq!(connection.state(), State::Disconnected);
    let told = up_to::<R>(&mut events, "disconnected:stopped").await;
    let attempts = connection.retry_metrics().attempts;
    // The time that was waited for passes, and nobody dials.
    let stopped = Instant::now();
    eventually::<R>("the time passes", || stopped.elapsed() > ms(900)).await;
    assert_eq!(connection.retry_metrics().attempts, attempts, "{told:?}");
    assert_eq!(u64::try_from(hub.requests().len()).unwrap(), attempts);
    // What was stopped can be started.
    drop(hub);
    assert!(within::<R, _>("the start", connection.start()).await.is_err());
    assert_eq!(connection.retry_metrics().attempts, attempts + 1);
}

async fn a_shorter_longest_wait_cuts_the_one_under_way_short<R: Runtime>() {
    let hub = failing(7);
    let connection = connect::<R>(builder(&hub).automatic_reconnect(soon_broken(HOUR, HOUR))).await;
    let mut events = connection.lifecycle();
    connection.send("Die", ()).await.unwrap();
    assert_eq!(waits::<R>(&mut events, 6).await[5].delay, HOUR);
    connection.set_max_delay(Some(ms(200)));
    assert_eq!(delays(&waits::<R>(&mut events, 2).await), [ms(200), ms(200)]);
    up_to::<R>(&mut events, "restored").await;
}
