//! Consumers that are slower than their events, by each rule of the queue.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use adapter_core::{Delivery, Event, HubConnection, On, QueueRule, Runtime, State};
use futures_util::{FutureExt, StreamExt};
use mock_hub::script::{ScriptHub, Session};
use serde_json::json;
use tests::events::{find, name};
use tests::records::{event, id_of, result};
use tests::scenarios;
use tests::wait::{eventually, next, poll_once, within};

use super::{builder, connect, soon};

scenarios! {
    a_waiting_queue_holds_the_hub_back,
    a_call_reads_on_past_a_full_queue,
    the_limit_of_bytes_holds_whatever_waits,
    the_oldest_may_go,
    the_latest_of_each_key_may_stay,
    a_gap_parts_what_must_not_replace_each_other,
    events_hold_the_hub_back_and_lifecycle_does_not,
    a_paused_connection_does_not_time_out,
}

const FRAME: u64 = 50;

/// Pours events `Tick(serial, key, padding)` for ever, counting them, and answers calls in between.
fn pouring(padding: usize, limit: u64) -> (ScriptHub, Arc<AtomicU64>) {
    let sent = Arc::new(AtomicU64::new(0));
    let counter = sent.clone();
    let hub = ScriptHub::start(move |mut session: Session| {
        let counter = counter.clone();
        async move {
            session.handshake().await;
            let padding = "x".repeat(padding);
            let mut serial = 0;
            loop {
                if serial < limit {
                    let one = |serial: u64| event("Tick", &json!([serial, serial % 10, padding]));
                    session.send_text(&(serial..serial + FRAME).map(one).collect::<String>()).await;
                    serial += FRAME;
                    counter.store(serial, Ordering::SeqCst);
                    if serial < limit {
                        // What came meanwhile is answered; nothing is waited for.
                        let Some(Some(call)) = session.recv_json().now_or_never() else { continue };
                        if call["target"] != "Never" {
                            session.send_text(&result(id_of(&call), 7)).await;
                        }
                        continue;
                    }
                    session.send_text(&event("Done", &json!([]))).await;
                }
                let Some(call) = session.recv_json().await else { return };
                if call["target"] == "Die" {
                    return session.abort();
                }
                session.send_text(&result(id_of(&call), 7)).await;
            }
        }
    })
    .unwrap();
    (hub, sent)
}

type Ticks = On<(u64, u64, String)>;

async fn read<R: Runtime>(ticks: &mut Ticks) -> u64 {
    match next::<R, _>("a tick", ticks).await {
        Delivery::Value((serial, ..)) => serial,
        other => panic!("{other:?}"),
    }
}

/// Waits until the hub has not got rid of anything for a while: it is held back.
async fn held_back<R: Runtime>(sent: &AtomicU64) -> u64 {
    let (mut last, mut unchanged) = (u64::MAX, 0);
    eventually::<R>("the hub is held back", || {
        let now = sent.load(Ordering::SeqCst);
        unchanged = if now == last { unchanged + 1 } else { 0 };
        last = now;
        unchanged >= 40
    })
    .await;
    last
}

/// Waits for the last event. Whoever asks the connection something then waits until all queues have what came with it.
async fn all_came<R: Runtime>(connection: &HubConnection<R>, done: &mut On<()>) {
    assert_eq!(next::<R, _>("all of them came", done).await, Delivery::Value(()));
    assert_eq!(connection.state(), State::Connected);
}

async fn a_waiting_queue_holds_the_hub_back<R: Runtime>() {
    const CAPACITY: u64 = 100;
    let (hub, sent) = pouring(1_000, u64::MAX);
    let connection = builder::<R>(&hub).build().unwrap();
    let mut ticks = connection.on_with("Tick", QueueRule::wait(CAPACITY as usize));
    within::<R, _>("the start", connection.start()).await.unwrap();
    held_back::<R>(&sent).await;
    assert!(connection.counters().delivered <= CAPACITY + FRAME, "{:?}", connection.counters());
    for serial in 0..20_000 {
        assert_eq!(read::<R>(&mut ticks).await, serial);
        let held = connection.counters().delivered - serial;
        assert!(held <= CAPACITY + FRAME + 1, "{held} are held");
    }
    assert_eq!(connection.state(), State::Connected);
    // A listener that has gone holds nobody back.
    held_back::<R>(&sent).await;
    let before = sent.load(Ordering::SeqCst);
    drop(ticks);
    eventually::<R>("it flows again", || sent.load(Ordering::SeqCst) > before + 10_000).await;
}

async fn a_call_reads_on_past_a_full_queue<R: Runtime>() {
    const COUNT: u64 = 5_000;
    let (hub, _) = pouring(10, COUNT);
    let connection = builder::<R>(&hub).build().unwrap();
    let mut ticks = connection.on_with("Tick", QueueRule::wait(10));
    within::<R, _>("the start", connection.start()).await.unwrap();
    // Its answer stands behind all events, and nobody reads them.
    assert_eq!(within::<R, _>("the answer", connection.invoke::<i64>("Seven", ())).await, Ok(7));
    within::<R, _>("the stop waits for no consumer", connection.stop()).await;
    for serial in 0..connection.counters().delivered {
        assert_eq!(read::<R>(&mut ticks).await, serial);
    }
}

async fn the_limit_of_bytes_holds_whatever_waits<R: Runtime>() {
    const LIMIT: usize = 300_000;
    let (hub, sent) = pouring(1_000, u64::MAX);
    let connection = builder::<R>(&hub).max_pending_bytes(LIMIT).build().unwrap();
    let mut ticks = connection.on_with("Tick", QueueRule::wait(10));
    let mut life = connection.lifecycle();
    within::<R, _>("the start", connection.start()).await.unwrap();
    // For as long as this one waits, reading goes on past the full queue, up to the limit.
    let mut call = Box::pin(connection.call("Never").timeout(None).invoke::<i64>());
    assert_eq!(poll_once(&mut call), None);
    find::<R, _>("it is told", &mut life, |event| matches!(event, Event::SlowConsumer).then_some(())).await;
    held_back::<R>(&sent).await;
    let held = connection.counters().delivered;
    let most = (LIMIT / 1_000) as u64 + FRAME;
    assert!(held > FRAME && held <= most, "{held} are held, {most} are allowed");
    drop(call);
    for serial in 0..5_000 {
        assert_eq!(read::<R>(&mut ticks).await, serial, "and none was lost");
    }
}

async fn the_oldest_may_go<R: Runtime>() {
    const COUNT: u64 = 10_000;
    const CAPACITY: u64 = 100;
    let (hub, _) = pouring(10, COUNT);
    let connection = builder::<R>(&hub).build().unwrap();
    let mut ticks: Ticks = connection.on_with("Tick", QueueRule::drop_oldest(CAPACITY as usize));
    let mut done = connection.on::<()>("Done");
    within::<R, _>("the start", connection.start()).await.unwrap();
    all_came(&connection, &mut done).await;
    let (mut lagged, mut values) = (0, Vec::new());
    while let Some(Some(delivery)) = ticks.next().now_or_never() {
        match delivery {
            Delivery::Lagged(count) => {
                assert!(values.is_empty(), "told where they are missing");
                lagged += count;
            }
            Delivery::Value((serial, ..)) => values.push(serial),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(lagged + values.len() as u64, COUNT, "every one is accounted for");
    assert!(values.len() as u64 <= CAPACITY && values.len() as u64 >= CAPACITY - 2, "{}", values.len());
    assert_eq!(values, (COUNT - values.len() as u64..COUNT).collect::<Vec<_>>(), "the latest stay, in order");
}

async fn the_latest_of_each_key_may_stay<R: Runtime>() {
    const COUNT: u64 = 10_000;
    let (hub, _) = pouring(10, COUNT);
    let connection = builder::<R>(&hub).build().unwrap();
    let mut ticks: Ticks = connection.on_with("Tick", QueueRule::latest_by(|(_, key, _): &(u64, u64, String)| *key));
    let mut done = connection.on::<()>("Done");
    within::<R, _>("the start", connection.start()).await.unwrap();
    all_came(&connection, &mut done).await;
    let mut serials = Vec::new();
    while let Some(Some(delivery)) = ticks.next().now_or_never() {
        serials.push(delivery.into_value().unwrap().0);
    }
    serials.sort_unstable();
    assert_eq!(serials, (COUNT - 10..COUNT).collect::<Vec<_>>(), "the latest of each of ten keys");
    assert_eq!(ticks.conflated(), COUNT - 10);
}

async fn a_gap_parts_what_must_not_replace_each_other<R: Runtime>() {
    let (hub, _) = pouring(10, 1_000);
    let connection = builder::<R>(&hub).automatic_reconnect(soon()).build().unwrap();
    let mut latest: Ticks = connection.on_with("Tick", QueueRule::latest_by(|(_, key, _): &(u64, u64, String)| *key));
    let mut oldest_go: Ticks = connection.on_with("Tick", QueueRule::drop_oldest(20));
    let mut done = connection.on::<()>("Done");
    within::<R, _>("the start", connection.start()).await.unwrap();
    assert_eq!(next::<R, _>("the first run", &mut done).await, Delivery::Value(()));
    connection.send("Die", ()).await.unwrap();
    assert!(matches!(next::<R, _>("the gap", &mut done).await, Delivery::Gap(_)));
    all_came(&connection, &mut done).await;
    let kinds = |ticks: &mut Ticks| {
        let mut kinds = String::new();
        while let Some(Some(delivery)) = ticks.next().now_or_never() {
            kinds.push(match delivery {
                Delivery::Value(_) => 'v',
                Delivery::Gap(_) => 'g',
                Delivery::Lagged(_) => 'l',
                _ => '?',
            });
        }
        kinds
    };
    assert_eq!(kinds(&mut latest), format!("{0}g{0}", "v".repeat(10)));
    let kinds = kinds(&mut oldest_go);
    assert!(kinds.contains('g') && kinds.contains('l') && kinds.len() <= 20, "the gap is told, whatever goes: {kinds}");
}

async fn events_hold_the_hub_back_and_lifecycle_does_not<R: Runtime>() {
    let (hub, sent) = pouring(1_000, u64::MAX);
    let connection = builder::<R>(&hub).max_pending_events(100).build().unwrap();
    let mut ticks: Ticks = connection.on_with("Tick", QueueRule::drop_oldest(10));
    let mut life = connection.lifecycle();
    let mut events = connection.events();
    within::<R, _>("the start", connection.start()).await.unwrap();
    held_back::<R>(&sent).await;
    let mut serial = 0;
    while serial < 10_000 {
        if let Event::Invocation { arguments, accepted, .. } = next::<R, _>("every event", &mut events).await {
            assert_eq!(accepted, 1);
            assert!(arguments.starts_with(&format!("[{serial},")), "{}", &arguments[..20]);
            serial += 1;
        }
    }
    assert_eq!(events.lagged(), 0);
    drop(events);
    let before = sent.load(Ordering::SeqCst);
    eventually::<R>("it flows again", || sent.load(Ordering::SeqCst) > before + 10_000).await;
    assert!(matches!(next::<R, _>("the latest", &mut ticks).await, Delivery::Lagged(_)));
    assert_eq!(name(&next::<R, _>("its life", &mut life).await), "connected");
}

async fn a_paused_connection_does_not_time_out<R: Runtime>() {
    let (hub, sent) = pouring(1_000, u64::MAX);
    let timeout = Duration::from_millis(200);
    let connection: HubConnection<R> =
        builder(&hub).server_timeout(timeout).keep_alive_interval(Duration::ZERO).build().unwrap();
    let mut ticks: Ticks = connection.on_with("Tick", QueueRule::wait(100));
    within::<R, _>("the start", connection.start()).await.unwrap();
    held_back::<R>(&sent).await;
    let paused = std::time::Instant::now();
    eventually::<R>("several timeouts pass", || paused.elapsed() > timeout * 4).await;
    assert_eq!(connection.state(), State::Connected, "nothing can be heard while nothing is read");
    for serial in 0..5_000 {
        assert_eq!(read::<R>(&mut ticks).await, serial);
    }
    drop(ticks);
    let idle = connect::<R>(builder(&super::echo_hub()).server_timeout(timeout)).await;
    eventually::<R>("read and silent, it does", || idle.state() == State::Disconnected).await;
}
