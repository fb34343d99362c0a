//! What layers above hang into a connection: sinks of their own, a watch over its life, queues beside it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use adapter_core::queue::{QueueRule, queue};
use adapter_core::{Delivery, Event, HubConnection, Runtime, read_arguments};
use futures_util::FutureExt;
use futures_util::future::poll_fn;
use mock_hub::script::{ScriptHub, Session};
use serde_json::json;
use signalr_proto::json::{Cursor, DecodeError};
use signalr_proto::sink::{Gap, InvocationSink, ResultTicket};
use tests::events::name;
use tests::records::{event, id_of, result};
use tests::scenarios;
use tests::wait::{eventually, within};

use super::{builder, soon};

scenarios! {
    a_sink_and_a_watch_have_one_order,
    a_sink_that_is_removed_hears_no_more,
    a_sink_that_is_full_pauses_the_connection_until_it_says_otherwise,
    a_queue_beside_the_connection_counts_in_its_budget,
    silence_is_counted_from_the_last_byte,
}

/// Sends `Fed` with what it is told to; answers everything; dies of `Die`.
async fn feed(mut session: Session) {
    session.handshake().await;
    while let Some(call) = session.recv_json().await {
        match call["target"].as_str() {
            Some("Die") => return session.abort(),
            Some("Flood") => {
                for number in 2..=call["arguments"][0].as_u64().unwrap() {
                    session.send_text(&event("Fed", &serde_json::json!([number]))).await;
                }
            }
            Some("Feed") => _ = session.send_text(&event("Fed", &call["arguments"])).await,
            Some(_) => _ = session.send_text(&result(id_of(&call), "null")).await,
            None => {}
        }
    }
}

/// Everything that was heard, by whomever, in one list.
type Heard = Arc<Mutex<Vec<String>>>;

/// A sink that notes what is done to it.
struct Noting {
    heard: Heard,
    staged: Option<i64>,
    is_full: Arc<AtomicBool>,
}

impl Noting {
    fn new(heard: &Heard) -> Self {
        Self { heard: heard.clone(), staged: None, is_full: Arc::default() }
    }

    fn note(&self, word: impl Into<String>) {
        self.heard.lock().unwrap().push(word.into());
    }
}

impl InvocationSink for Noting {
    fn decode(&mut self, arguments: &mut Cursor<'_>) -> Result<(), DecodeError> {
        let (number,) = read_arguments(arguments)?;
        self.staged = Some(number);
        Ok(())
    }

    fn commit(&mut self, _: usize, _: Option<ResultTicket>) {
        let number = self.staged.take().expect("a commit follows a decode");
        self.note(number.to_string());
    }

    fn discard(&mut self) {
        self.staged = None;
    }

    fn malformed(&mut self, _: DecodeError, _: usize) {
        self.note("malformed");
    }

    fn gap(&mut self, gap: &Gap) {
        self.note(format!("gap of {}", gap.keys.len()));
    }

    fn flush(&mut self) {}

    fn is_full(&self) -> bool {
        self.is_full.load(Ordering::SeqCst)
    }
}

async fn tell<R: Runtime>(connection: &HubConnection<R>, what: impl serde::Serialize) {
    within::<R, _>("the call", connection.send("Feed", (what,))).await.unwrap();
}

fn copy(heard: &Heard) -> Vec<String> {
    heard.lock().unwrap().clone()
}

async fn a_sink_and_a_watch_have_one_order<R: Runtime>() {
    let hub = ScriptHub::start(feed).unwrap();
    let connection = builder::<R>(&hub).automatic_reconnect(soon()).build().unwrap();
    let heard = Heard::default();
    let sink = connection.register("Fed", Box::new(Noting::new(&heard)));
    let watched = heard.clone();
    connection.watch(move |event: &Event| watched.lock().unwrap().push(name(event)));
    within::<R, _>("the start", connection.start()).await.unwrap();
    let wish = connection.subscription(("Subscribe", "Unsubscribe"), ("a",)).unwrap().feeding("Fed");
    within::<R, _>("the subscribe", wish.subscribe()).await.unwrap();
    tell(&connection, 1).await;
    tell(&connection, "one").await;
    tell(&connection, 2).await;
    eventually::<R>("it is heard", || copy(&heard).last().is_some_and(|word| word == "2")).await;
    connection.send("Die", ()).await.unwrap();
    eventually::<R>("it is restored", || copy(&heard).last().is_some_and(|word| word == "restored")).await;
    tell(&connection, 3).await;
    eventually::<R>("it is heard", || copy(&heard).last().is_some_and(|word| word == "3")).await;
    let expected = [
        "connected",
        "subscribed",
        "1",
        "malformed",
        "2",
        "gap of 1",
        "reconnecting:lost",
        "gap_opened",
        "waiting:lost",
        "reconnected",
        "gap_closed",
        "restored",
        "3",
    ];
    assert_eq!(copy(&heard), expected);
    drop(sink);
}

async fn a_sink_that_is_removed_hears_no_more<R: Runtime>() {
    let hub = ScriptHub::start(feed).unwrap();
    let connection = builder::<R>(&hub).build().unwrap();
    let (removed, kept) = (Heard::default(), Heard::default());
    let registration = connection.register("Fed", Box::new(Noting::new(&removed)));
    let sink = Noting::new(&kept);
    drop(connection.register("Fed", Box::new(sink)));
    within::<R, _>("the start", connection.start()).await.unwrap();
    tell(&connection, 1).await;
    eventually::<R>("both hear", || copy(&kept) == ["1"]).await;
    assert_eq!(copy(&removed), ["1"]);
    registration.remove();
    tell(&connection, 2).await;
    eventually::<R>("the other hears", || copy(&kept) == ["1", "2"]).await;
    assert_eq!(copy(&removed), ["1"]);
}

async fn a_sink_that_is_full_pauses_the_connection_until_it_says_otherwise<R: Runtime>() {
    let hub = ScriptHub::start(feed).unwrap();
    let connection = builder::<R>(&hub).build().unwrap();
    let heard = Heard::default();
    let sink = Noting::new(&heard);
    let is_full = sink.is_full.clone();
    drop(connection.register("Fed", Box::new(sink)));
    within::<R, _>("the start", connection.start()).await.unwrap();
    tell(&connection, 1).await;
    eventually::<R>("it is heard", || copy(&heard) == ["1"]).await;
    is_full.store(true, Ordering::SeqCst);
    // One call, for a call that waits lets reading go on. What is in its hands already may still come; then nothing does.
    within::<R, _>("the call", connection.send("Flood", (1_000,))).await.unwrap();
    let is_quiet = || connection.silence().is_some_and(|silence| silence > std::time::Duration::from_millis(200));
    eventually::<R>("nothing is read any more", is_quiet).await;
    let before = copy(&heard).len();
    assert!(before < 1_000, "reading is paused: {before}");
    is_full.store(false, Ordering::SeqCst);
    connection.made_room();
    eventually::<R>("all is heard", || copy(&heard).len() == 1_000).await;
    assert!(copy(&heard).iter().enumerate().all(|(place, number)| *number == (place + 1).to_string()));
}

async fn a_queue_beside_the_connection_counts_in_its_budget<R: Runtime>() {
    let hub = ScriptHub::start(feed).unwrap();
    let connection = builder::<R>(&hub).build().unwrap();
    let budget = connection.budget();
    let before = budget.bytes();
    let (mut producer, mut consumer) = queue::<u32>(QueueRule::wait(4), 4, connection.budget());
    for number in 0..4 {
        producer.push(Delivery::Value(number), 100);
    }
    assert_eq!((producer.waiting(), producer.is_full()), (4, true), "what is not flushed counts too");
    producer.flush();
    assert_eq!(budget.bytes() - before, 400);
    let mut made_room = 0;
    for number in 0..4 {
        let taken = poll_fn(|context| consumer.poll_next(context, || made_room += 1)).now_or_never();
        assert_eq!(taken, Some(Some(Delivery::Value(number))));
    }
    assert_eq!((producer.waiting(), producer.is_full(), made_room), (0, false, 4));
    assert_eq!(budget.bytes(), before);
    // Whoever reads no more gives back what waits, and takes nothing new.
    producer.push(Delivery::Value(5), 100);
    producer.flush();
    consumer.abandon();
    assert_eq!((budget.bytes(), producer.waiting(), producer.is_abandoned()), (before, 0, true));
    producer.push(Delivery::Value(6), 100);
    producer.flush();
    assert_eq!((budget.bytes(), producer.waiting()), (before, 0));
    drop(producer);
    assert_eq!(poll_fn(|context| consumer.poll_next(context, || {})).now_or_never(), Some(None));
}

async fn silence_is_counted_from_the_last_byte<R: Runtime>() {
    let hub = ScriptHub::start(feed).unwrap();
    let connection = builder::<R>(&hub).build().unwrap();
    assert_eq!(connection.silence(), None, "nothing was ever heard");
    within::<R, _>("the start", connection.start()).await.unwrap();
    let enough = std::time::Duration::from_millis(300);
    eventually::<R>("it is silent", || connection.silence().is_some_and(|silence| silence > enough)).await;
    tell(&connection, json!(1)).await;
    eventually::<R>("it is heard again", || connection.silence().is_some_and(|silence| silence < enough)).await;
}
