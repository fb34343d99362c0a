//! Stopping: in every phase, together, and politely.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use adapter_core::{
    CallError, Cause, HubConnectionBuilder, NotSent, OutcomeUnknown, RetryPolicy, Runtime, StartError, State,
    SubscribeError,
};
use futures_util::future::{join, join_all};
use mock_hub::script::{Answer, Reply, Request, ScriptHub, Session, SocketMessage};
use serde_json::Value;
use tests::events::{up_to, waiting};
use tests::scenarios;
use tests::wait::{eventually, poll_once, within};

use super::{builder, connect, echo, echo_hub, soon};

scenarios! {
    a_stop_while_connecting_ends_the_start,
    a_stop_while_waiting_ends_the_wait,
    a_stop_while_reconnecting_ends_the_attempt,
    stops_join_each_other,
    what_was_sent_before_the_stop_arrives_before_the_goodbye,
    a_peer_that_does_not_answer_the_goodbye_is_left,
    a_stop_ends_what_waits_for_the_hub,
    a_stop_and_a_loss_at_once_end_once,
}

/// A start that hangs in one phase is ended by a stop, and nothing is told; later the connection works.
async fn stopped_in<R: Runtime>(
    phase: &str,
    hub: &ScriptHub,
    builder: HubConnectionBuilder<R>,
    reached: impl Fn(&ScriptHub) -> bool,
) {
    let connection =
        builder.connect_timeout(Duration::from_secs(60)).handshake_timeout(Duration::from_secs(60)).build().unwrap();
    let mut events = connection.events();
    let mut start = Box::pin(connection.start());
    assert_eq!(poll_once(&mut start), None, "{phase}");
    eventually::<R>(phase, || reached(hub)).await;
    assert_eq!(connection.state(), State::Connecting, "{phase}");
    let (outcome, ()) = within::<R, _>(phase, join(start, connection.stop())).await;
    let Err(StartError::Failed(reason)) = &outcome else { panic!("{phase}: {outcome:?}") };
    assert_eq!(reason.cause(), Cause::Stopped, "{phase}");
    assert_eq!(connection.state(), State::Disconnected, "{phase}");
    let requests = hub.requests().len();
    within::<R, _>(phase, connection.stop()).await;
    assert_eq!(waiting(&mut events), [""; 0], "{phase}: it was never connected");
    assert_eq!(hub.requests().len(), requests, "{phase}: nothing was dialled any more");
}

async fn a_stop_while_connecting_ends_the_start<R: Runtime>() {
    let never = |_: &Request| Reply::Never;
    let hub = ScriptHub::builder().on_negotiate(never).on_upgrade(never).start(echo).unwrap();
    let url = || adapter_core::HubConnection::<R>::builder(hub.hub_url("/hub"));
    let asked = Arc::new(Mutex::new(false));
    let asks = asked.clone();
    let hanging = move || {
        *asks.lock().unwrap() = true;
        std::future::pending::<Result<String, String>>()
    };
    stopped_in("the token", &hub, url().access_token_provider(hanging), move |_| *asked.lock().unwrap()).await;
    stopped_in("the negotiation", &hub, url(), |hub| hub.requests().len() == 1).await;
    stopped_in("the upgrade", &hub, url().skip_negotiation(true), |hub| hub.requests().len() == 2).await;

    let silent = ScriptHub::start(|mut session: Session| async move {
        session.recv_record().await;
        session.ignore_until_close().await;
    })
    .unwrap();
    stopped_in("the handshake", &silent, builder::<R>(&silent), |hub| hub.sessions() == 1).await;
    eventually::<R>("the hub sees the end", || silent.finished() == 1).await;
}

async fn a_stop_while_waiting_ends_the_wait<R: Runtime>() {
    let hub = echo_hub();
    let far = RetryPolicy::delays([Duration::from_secs(3_600)]);
    let connection = connect::<R>(builder(&hub).automatic_reconnect(far)).await;
    let mut events = connection.events();
    connection.send("Die", ()).await.unwrap();
    assert_eq!(up_to::<R>(&mut events, "waiting:lost").await, ["reconnecting:lost", "waiting:lost"]);
    within::<R, _>("the stop", connection.stop()).await;
    assert_eq!(waiting(&mut events), ["disconnected:stopped"]);
    assert_eq!(hub.sessions(), 1);

    let refusing = ScriptHub::builder().on_upgrade(|_| Answer::new(503)).start(echo).unwrap();
    let far = RetryPolicy::delays([Duration::from_secs(3_600)]);
    let connection = builder::<R>(&refusing).automatic_reconnect(far).retry_initial_connect(true).build().unwrap();
    let mut events = connection.events();
    let mut start = Box::pin(connection.start());
    assert_eq!(poll_once(&mut start), None);
    assert_eq!(up_to::<R>(&mut events, "waiting:http_status").await, ["waiting:http_status"]);
    assert_eq!(connection.state(), State::Connecting);
    let (outcome, ()) = within::<R, _>("the stop", join(start, connection.stop())).await;
    assert!(matches!(&outcome, Err(StartError::Failed(reason)) if reason.cause() == Cause::Stopped), "{outcome:?}");
}

async fn a_stop_while_reconnecting_ends_the_attempt<R: Runtime>() {
    let upgrade = |request: &Request| if request.serial == 0 { Reply::Accept } else { Reply::Never };
    let hub = ScriptHub::builder().on_upgrade(upgrade).start(echo).unwrap();
    let connection = connect::<R>(builder(&hub).automatic_reconnect(soon())).await;
    let mut events = connection.events();
    connection.send("Die", ()).await.unwrap();
    eventually::<R>("another attempt", || hub.requests().len() == 2).await;
    assert_eq!(connection.state(), State::Reconnecting);
    within::<R, _>("the stop", connection.stop()).await;
    assert_eq!(waiting(&mut events), ["reconnecting:lost", "waiting:lost", "disconnected:stopped"]);
}

async fn stops_join_each_other<R: Runtime>() {
    let hub = echo_hub();
    let connection = connect::<R>(builder(&hub)).await;
    let mut events = connection.events();
    within::<R, _>("all of them", join_all((0..8).map(|_| connection.stop()))).await;
    assert_eq!(waiting(&mut events), ["disconnected:stopped"], "told once, and before the stops return");
    within::<R, _>("a stop of what is stopped", connection.stop()).await;
}

async fn what_was_sent_before_the_stop_arrives_before_the_goodbye<R: Runtime>() {
    let heard = Arc::<Mutex<Vec<String>>>::default();
    let log = heard.clone();
    let hub = ScriptHub::start(move |mut session: Session| {
        let log = log.clone();
        async move {
            session.handshake().await;
            loop {
                match session.recv_message().await {
                    Some(SocketMessage::Text(text)) => {
                        for record in text.split_terminator('\u{1e}') {
                            let record: Value = serde_json::from_str(record).unwrap();
                            let what =
                                record["target"].as_str().map_or_else(|| record["type"].to_string(), str::to_owned);
                            log.lock().unwrap().push(what);
                        }
                    }
                    Some(SocketMessage::Close(close)) => {
                        log.lock().unwrap().push(format!("close {:?}", close.unwrap().0))
                    }
                    Some(_) => {}
                    None => return,
                }
            }
        }
    })
    .unwrap();
    let connection = connect::<R>(builder(&hub)).await;
    let mut sends: Vec<_> = (0..100)
        .map(|serial| {
            Box::pin({
                let connection = connection.clone();
                async move { connection.send(&format!("Call{serial}"), ("x".repeat(10_000),)).await }
            })
        })
        .collect();
    // Issued and not waited for.
    let early: Vec<_> = sends.iter_mut().map(poll_once).collect();
    within::<R, _>("the stop", connection.stop()).await;
    for (send, early) in sends.into_iter().zip(early) {
        let outcome = match early {
            Some(outcome) => outcome,
            None => within::<R, _>("each send ends", send).await,
        };
        assert_eq!(outcome, Ok(()));
    }
    eventually::<R>("the hub has heard it all", || hub.finished() == 1).await;
    let heard: Vec<_> = heard.lock().unwrap().iter().filter(|what| *what != "6").cloned().collect();
    let expected: Vec<_> =
        (0..100).map(|serial| format!("Call{serial}")).chain(["7".to_owned(), "close 1000".to_owned()]).collect();
    assert_eq!(heard, expected);
}

async fn a_peer_that_does_not_answer_the_goodbye_is_left<R: Runtime>() {
    let hub = ScriptHub::start(|mut session: Session| async move {
        session.handshake().await;
        session.hang().await;
    })
    .unwrap();
    let connection = connect::<R>(builder(&hub).stop_timeout(Duration::from_millis(200))).await;
    let mut events = connection.events();
    let began = Instant::now();
    within::<R, _>("the stop", connection.stop()).await;
    assert!(began.elapsed() >= Duration::from_millis(200), "it was given its time");
    assert_eq!(waiting(&mut events), ["disconnected:stopped"]);
    assert_eq!(connection.state(), State::Disconnected);
}

async fn a_stop_ends_what_waits_for_the_hub<R: Runtime>() {
    let hub = echo_hub();
    let connection = connect::<R>(builder(&hub)).await;
    let subscription = connection.subscription("Never", (1,)).unwrap();
    let mut subscribe = Box::pin(subscription.subscribe());
    let mut invoke = Box::pin(connection.invoke::<i64>("Never", ()));
    let mut stream = connection.stream::<i64>("Never", ());
    assert_eq!(poll_once(&mut subscribe), None);
    assert_eq!(poll_once(&mut invoke), None);
    // The answer to this one shows that those were sent.
    assert_eq!(within::<R, _>("a call", connection.invoke::<i64>("Echo", (1,))).await, Ok(1));
    within::<R, _>("the stop", connection.stop()).await;
    let outcome = within::<R, _>("the call ends", invoke).await;
    let stopped =
        |why: &OutcomeUnknown| matches!(why, OutcomeUnknown::Disconnected(reason) if reason.cause() == Cause::Stopped);
    assert!(matches!(&outcome, Err(CallError::OutcomeUnknown(why)) if stopped(why)), "{outcome:?}");
    let outcome = within::<R, _>("the subscribe ends", subscribe).await;
    assert!(matches!(&outcome, Err(SubscribeError::OutcomeUnknown(why)) if stopped(why)), "{outcome:?}");
    let outcome = tests::wait::next::<R, _>("the stream ends", &mut stream).await;
    assert!(matches!(&outcome, Err(adapter_core::StreamError::OutcomeUnknown(why)) if stopped(why)), "{outcome:?}");

    // A subscribe before any start ends with the stop of the attempt: it was never sent.
    let never = ScriptHub::builder().on_upgrade(|_| Reply::Never).start(echo).unwrap();
    let connection = builder::<R>(&never).build().unwrap();
    let subscription = connection.subscription("Echo", (1,)).unwrap();
    let mut subscribe = Box::pin(subscription.subscribe());
    let mut start = Box::pin(connection.start());
    assert_eq!((poll_once(&mut subscribe), poll_once(&mut start)), (None, None));
    within::<R, _>("the stop", connection.stop()).await;
    let outcome = within::<R, _>("the subscribe ends", subscribe).await;
    assert!(matches!(&outcome, Err(SubscribeError::NotSent(NotSent::Disconnected(_)))), "{outcome:?}");
}

async fn a_stop_and_a_loss_at_once_end_once<R: Runtime>() {
    let hub = echo_hub();
    for _ in 0..20 {
        let connection = connect::<R>(builder(&hub).automatic_reconnect(soon())).await;
        let mut events = connection.events();
        let (_, ()) = within::<R, _>("both", join(connection.send("Die", ()), connection.stop())).await;
        let names = waiting(&mut events);
        assert_eq!(names.last().map(String::as_str), Some("disconnected:stopped"), "{names:?}");
        assert_eq!(names.iter().filter(|name| name.starts_with("disconnected")).count(), 1, "{names:?}");
        assert_eq!(connection.state(), State::Disconnected);
    }
}
