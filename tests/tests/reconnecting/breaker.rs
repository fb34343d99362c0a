//! The eight circuit breaker scenarios, with open times short enough for a test.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use adapter_core::{BreakerState, Delivery, Event, RetryPolicy, Runtime, State, WaitReason};
use mock_hub::script::{Reply, ScriptHub, Session};
use serde_json::json;
use tests::events::{find, up_to};
use tests::records::{event, id_of, result};
use tests::scenarios;
use tests::wait::{eventually, next, within};

use super::{answering, apart, assert_timely, builder, connect, delays, failing, ms, soon_broken, unwell, waits};

scenarios! {
    ws_breaker_opens_after_threshold,
    ws_breaker_half_open_after_timeout,
    ws_breaker_closes_on_success,
    ws_breaker_exponential_backoff_during_open,
    ws_breaker_metrics_collection,
    ws_breaker_mixed_valid_invalid_messages,
    ws_breaker_message_ordering_preservation,
    ws_breaker_connection_failure_handling,
}

const FOREVER: Duration = Duration::from_secs(3_600);

async fn ws_breaker_opens_after_threshold<R: Runtime>() {
    let hub = failing(usize::MAX - 1);
    let connection = connect::<R>(builder(&hub).automatic_reconnect(soon_broken(FOREVER, FOREVER))).await;
    let mut events = connection.lifecycle();
    connection.send("Die", ()).await.unwrap();
    let waits = waits::<R>(&mut events, 6).await;
    let (closed, open) = waits.split_at(5);
    assert!(closed.iter().all(|wait| wait.breaker == Some(BreakerState::Closed)), "{waits:?}");
    assert!(closed.iter().all(|wait| wait.why == WaitReason::Policy), "{waits:?}");
    assert_eq!((open[0].breaker, open[0].why), (Some(BreakerState::Open), WaitReason::BreakerOpen));
    assert_eq!((open[0].attempt, open[0].delay), (6, FOREVER));
    assert!(open[0].why.is_critical());
    let metrics = connection.retry_metrics();
    assert_eq!((metrics.breaker_state, metrics.consecutive_failures), (Some(BreakerState::Open), 5));
    // A hint that the network is up does not get past it; the application's own word does, once in a while.
    connection.network_up();
    assert_eq!(connection.retry_metrics().attempts, 6);
    connection.reconnect_now();
    assert_eq!(connection.retry_metrics().attempts, 7);
    assert_eq!(connection.state(), State::Reconnecting);
}

async fn ws_breaker_half_open_after_timeout<R: Runtime>() {
    // The probe gets no answer: it is the only one, however long that takes.
    let hub = answering(|serial| match serial {
        0 => Reply::Accept,
        1..=5 => unwell(),
        _ => Reply::Never,
    });
    let connection = connect::<R>(builder(&hub).automatic_reconnect(soon_broken(ms(300), FOREVER))).await;
    let mut events = connection.lifecycle();
    connection.send("Die", ()).await.unwrap();
    waits::<R>(&mut events, 6).await;
    eventually::<R>("the probe", || hub.requests().len() == 7).await;
    assert_timely(&apart(&hub, 5), &[ms(300)]);
    assert_eq!(connection.retry_metrics().breaker_state, Some(BreakerState::HalfOpen));
    connection.network_up();
    connection.reconnect_now();
    let metrics = connection.retry_metrics();
    assert_eq!((metrics.attempts, metrics.breaker.opened), (7, 1), "one probe at a time");
    within::<R, _>("the stop", connection.stop()).await;
    assert_eq!(hub.requests().len(), 7);
}

async fn ws_breaker_closes_on_success<R: Runtime>() {
    let hub = failing(5);
    let connection = connect::<R>(builder(&hub).automatic_reconnect(soon_broken(ms(100), ms(100)))).await;
    let mut events = connection.lifecycle();
    connection.send("Die", ()).await.unwrap();
    find::<R, _>("the probe's success", &mut events, |event| matches!(event, Event::Reconnected(_)).then_some(()))
        .await;
    let connected = Instant::now();
    // Usable at once, though the breaker waits for the third success: ten seconds of life.
    assert_eq!(within::<R, _>("a call", connection.invoke::<i64>("Echo", (7,))).await, Ok(7));
    assert_eq!(connection.retry_metrics().breaker_state, Some(BreakerState::HalfOpen));
    let is_closed = || connection.retry_metrics().breaker_state == Some(BreakerState::Closed);
    eventually::<R>("the breaker closes", is_closed).await;
    assert!(connected.elapsed() >= ms(9_900), "{:?}", connected.elapsed());
    assert_eq!(connection.retry_metrics().consecutive_failures, 0);
}

async fn ws_breaker_exponential_backoff_during_open<R: Runtime>() {
    let hub = failing(usize::MAX - 1);
    let connection = connect::<R>(builder(&hub).automatic_reconnect(soon_broken(ms(100), ms(800)))).await;
    let mut events = connection.lifecycle();
    connection.send("Die", ()).await.unwrap();
    let open = waits::<R>(&mut events, 11).await.split_off(5);
    let ladder = [100, 200, 400, 800, 800, 800].map(ms);
    assert_eq!(delays(&open), ladder);
    within::<R, _>("the stop", connection.stop()).await;
    assert_timely(&apart(&hub, 5), &ladder[..5]);
}

async fn ws_breaker_metrics_collection<R: Runtime>() {
    let hub = failing(8);
    let connection = connect::<R>(builder(&hub).automatic_reconnect(soon_broken(ms(100), ms(800)))).await;
    let mut events = connection.lifecycle();
    connection.send("Die", ()).await.unwrap();
    up_to::<R>(&mut events, "restored").await;
    within::<R, _>("the stop", connection.stop()).await;
    let metrics = connection.retry_metrics();
    let breaker = metrics.breaker;
    // Five on the ladder and three probes failed; the fourth probe reported two successes and was stopped before the third.
    assert_eq!((breaker.opened, breaker.failed + breaker.ignored, breaker.succeeded), (4 + 1, 8 + 1, 2), "{breaker:?}");
    assert_eq!(breaker.permits, breaker.succeeded + breaker.failed + breaker.ignored + breaker.cancelled);
    assert!(breaker.open_for >= ms(100 + 200 + 400 + 800), "{breaker:?}");
    assert!(breaker.observed_for >= breaker.open_for, "{breaker:?}");
    assert_eq!((metrics.attempts, metrics.connected), (10, 2));
    assert_eq!(hub.requests().len(), 10);
}

/// Garbage between good messages is the business of a feed's own breaker: the connection's is not touched.
async fn ws_breaker_mixed_valid_invalid_messages<R: Runtime>() {
    let hub = ScriptHub::start(|mut session: Session| async move {
        session.handshake().await;
        let call = session.recv_json().await.unwrap_or_default();
        for index in 0..100 {
            session.send_text(&event("Price", &json!([index]))).await;
            session.send_text(&event("Price", &json!(["garbage"]))).await;
        }
        session.send_text(&result(id_of(&call), 7)).await;
        session.ignore_until_close().await;
    })
    .unwrap();
    let connection = connect::<R>(builder(&hub).automatic_reconnect(RetryPolicy::trading())).await;
    let mut prices = connection.on::<(i64,)>("Price");
    assert_eq!(within::<R, _>("the call", connection.invoke::<i64>("Begin", ())).await, Ok(7));
    for index in 0..100 {
        assert_eq!(next::<R, _>("a price", &mut prices).await, Delivery::Value((index,)));
        let garbage = next::<R, _>("garbage", &mut prices).await;
        assert!(matches!(garbage, Delivery::Malformed(_)), "{garbage:?}");
    }
    let metrics = connection.retry_metrics();
    assert_eq!((metrics.breaker_state, metrics.consecutive_failures), (Some(BreakerState::Closed), 0));
    assert_eq!((connection.state(), hub.sessions()), (State::Connected, 1));
}

/// The breaker opens, probes and fails on the way; what is delivered keeps its order throughout.
async fn ws_breaker_message_ordering_preservation<R: Runtime>() {
    let number = Arc::new(AtomicI64::new(0));
    let last = number.clone();
    let hub = ScriptHub::builder()
        .on_upgrade(|request| if (1..=6).contains(&request.serial) { unwell() } else { Reply::Accept })
        .start(move |mut session: Session| {
            let number = number.clone();
            async move {
                session.handshake().await;
                // Only now is somebody sure to listen.
                let call = session.recv_json().await.unwrap_or_default();
                for _ in 0..50 {
                    let next = number.fetch_add(1, Ordering::SeqCst);
                    session.send_text(&event("Number", &json!([next]))).await;
                }
                session.send_text(&result(id_of(&call), 7)).await;
                // A reset may overtake what was sent; the end does not.
                if session.serial() > 7 {
                    session.ignore_until_close().await;
                }
            }
        })
        .unwrap();
    let connection = connect::<R>(builder(&hub).automatic_reconnect(soon_broken(ms(100), ms(100)))).await;
    let mut numbers = connection.on::<(i64,)>("Number");
    let mut events = connection.lifecycle();
    let mut got = Vec::new();
    for round in 1..=3 {
        assert_eq!(within::<R, _>("the call", connection.invoke::<i64>("Count", ())).await, Ok(7));
        while got.len() < round * 50 {
            match next::<R, _>("a number", &mut numbers).await {
                Delivery::Value((number,)) => got.push(number),
                Delivery::Gap(_) => assert_eq!(got.len() % 50, 0, "a gap stands between two connections"),
                other => panic!("{other:?}"),
            }
        }
        if round < 3 {
            up_to::<R>(&mut events, "restored").await;
        }
    }
    assert_eq!(got, (0..last.load(Ordering::SeqCst)).collect::<Vec<_>>());
    assert!(connection.retry_metrics().breaker.opened >= 2, "{:?}", connection.retry_metrics());
}

async fn ws_breaker_connection_failure_handling<R: Runtime>() {
    let hub = failing(6);
    let connection = connect::<R>(builder(&hub).automatic_reconnect(soon_broken(ms(200), ms(1_600)))).await;
    let mut events = connection.lifecycle();
    connection.send("Die", ()).await.unwrap();
    // Five failures open it; the probe fails, and it stays open for twice as long; the next one succeeds.
    let open = waits::<R>(&mut events, 7).await.split_off(5);
    assert_eq!(delays(&open), [200, 400].map(ms));
    assert!(open.iter().all(|wait| wait.breaker == Some(BreakerState::Open)), "{open:?}");
    assert_eq!(up_to::<R>(&mut events, "restored").await, ["reconnected", "restored"]);
    assert_eq!(within::<R, _>("a call", connection.invoke::<i64>("Echo", (7,))).await, Ok(7));
    let metrics = connection.retry_metrics();
    assert_eq!((metrics.breaker_state, metrics.breaker.opened), (Some(BreakerState::HalfOpen), 2));
}
