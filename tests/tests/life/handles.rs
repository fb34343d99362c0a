//! Handles: what keeps a connection alive, and how it goes when nobody does.

use std::sync::{Arc, Mutex};

use adapter_core::{CallError, HubConnection, Runtime, StartError, State, SubscribeError};
use futures_util::StreamExt;
use futures_util::future::{Either, select};
use mock_hub::script::{ScriptHub, Session, SocketMessage};
use serde_json::json;
use tests::events::up_to;
use tests::records::event;
use tests::scenarios;
use tests::wait::{eventually, next, poll_once, within};

use super::{builder, connect, echo_hub, soon};

scenarios! {
    the_last_handle_says_goodbye,
    a_stream_keeps_the_connection,
    a_weak_handle_keeps_nothing,
    an_attempt_ends_with_its_last_handle,
    a_dropped_driver_settles_everything,
    handles_work_from_many_threads,
}

/// Notes how each of its connections ended: politely means a Close record and then a WebSocket close with 1000.
fn noting(ends: &Arc<Mutex<Vec<bool>>>) -> ScriptHub {
    let ends = ends.clone();
    ScriptHub::start(move |mut session: Session| {
        let ends = ends.clone();
        async move {
            session.handshake().await;
            session.send_text(&event("Good", &json!([1]))).await;
            let goodbye = session.recv_json().await.is_some_and(|record| record == json!({"type": 7}));
            let close = matches!(session.recv_message().await, Some(SocketMessage::Close(Some((1000, _)))));
            session.ignore_until_close().await;
            ends.lock().unwrap().push(goodbye && close);
        }
    })
    .unwrap()
}

async fn the_last_handle_says_goodbye<R: Runtime>() {
    let ends = Arc::default();
    let hub = noting(&ends);
    let connection = connect::<R>(builder(&hub).automatic_reconnect(soon())).await;
    let clone = connection.clone();
    drop(connection);
    assert_eq!(clone.state(), State::Connected);
    drop(clone);
    eventually::<R>("the hub hears the goodbye", || *ends.lock().unwrap() == [true]).await;
    assert_eq!(hub.sessions(), 1);
}

async fn a_stream_keeps_the_connection<R: Runtime>() {
    let ends = Arc::default();
    let hub = noting(&ends);
    let connection = builder::<R>(&hub).build().unwrap();
    let mut good = connection.on::<(i64,)>("Good");
    let events = connection.events();
    let weak = connection.downgrade();
    within::<R, _>("the start", connection.start()).await.unwrap();
    drop(connection);
    drop(events);
    assert_eq!(next::<R, _>("an event without a handle", &mut good).await.into_value(), Some((1,)));
    assert_eq!(weak.upgrade().map(|connection| connection.state()), Some(State::Connected));
    drop(good);
    assert!(weak.upgrade().is_none());
    eventually::<R>("the hub hears the goodbye", || *ends.lock().unwrap() == [true]).await;
}

async fn a_weak_handle_keeps_nothing<R: Runtime>() {
    let ends = Arc::default();
    let hub = noting(&ends);
    let connection = connect::<R>(builder(&hub)).await;
    let weak = connection.downgrade();
    // A handler is no handle either.
    let in_handler = weak.clone();
    connection
        .handle("Ask", move |()| {
            let is_alive = in_handler.upgrade().is_some();
            async move { Ok::<_, String>(is_alive) }
        })
        .unwrap();
    drop(connection);
    assert!(weak.clone().upgrade().is_none());
    eventually::<R>("the hub hears the goodbye", || *ends.lock().unwrap() == [true]).await;
}

async fn an_attempt_ends_with_its_last_handle<R: Runtime>() {
    let hub = ScriptHub::start(|mut session: Session| async move {
        session.recv_record().await;
        session.ignore_until_close().await;
    })
    .unwrap();
    let connection = builder::<R>(&hub).build().unwrap();
    let mut start = Box::pin(connection.start());
    assert_eq!(poll_once(&mut start), None);
    eventually::<R>("it shakes hands", || hub.sessions() == 1).await;
    drop(start);
    drop(connection);
    eventually::<R>("the hub sees the end", || hub.finished() == 1).await;
}

async fn a_dropped_driver_settles_everything<R: Runtime>() {
    let hub = echo_hub();
    let (connection, mut driver) = builder::<R>(&hub).automatic_reconnect(soon()).build_with_driver().unwrap();
    let mut events = connection.events();
    let drive = async { while driver.next().await.is_some() {} };
    match within::<R, _>("the start", select(Box::pin(drive), Box::pin(connection.start()))).await {
        Either::Right((outcome, _)) => outcome.unwrap(),
        Either::Left(_) => panic!("the driver ended"),
    }
    let mut never = Box::pin(connection.invoke::<i64>("Never", ()));
    let subscription = connection.subscription("Never", ()).unwrap();
    let mut subscribe = Box::pin(subscription.subscribe());
    let mut stream = connection.stream::<i64>("Never", ());
    assert_eq!((poll_once(&mut never), poll_once(&mut subscribe)), (None, None));
    drop(driver);
    let outcome = within::<R, _>("the call ends", never).await;
    assert!(matches!(&outcome, Err(CallError::NotSent(_) | CallError::OutcomeUnknown(_))), "{outcome:?}");
    let outcome = within::<R, _>("the subscribe ends", subscribe).await;
    assert!(matches!(&outcome, Err(SubscribeError::NotSent(_) | SubscribeError::OutcomeUnknown(_))), "{outcome:?}");
    assert!(next::<R, _>("the stream ends", &mut stream).await.is_err());
    assert_eq!(up_to::<R>(&mut events, "disconnected:stopped").await, ["connected", "disconnected:stopped"]);

    // And whatever is asked later is answered too.
    assert_eq!(connection.state(), State::Disconnected);
    within::<R, _>("a stop", connection.stop()).await;
    let outcome = within::<R, _>("a start", connection.start()).await;
    assert!(matches!(outcome, Err(StartError::Failed(_))), "{outcome:?}");
    let outcome = within::<R, _>("a call", connection.invoke::<i64>("Echo", (1,))).await;
    assert!(matches!(outcome, Err(CallError::Rejected(_))), "{outcome:?}");
    let outcome = within::<R, _>("a subscribe", subscription.subscribe()).await;
    assert!(outcome.is_err(), "{outcome:?}");
    eventually::<R>("the hub sees the end", || hub.finished() == 1).await;
}

async fn handles_work_from_many_threads<R: Runtime>() {
    let hub = echo_hub();
    let connection = connect::<R>(builder(&hub)).await;
    let (sender, mut answers) = futures_channel::mpsc::unbounded();
    for thread in 0..4_i64 {
        let (connection, sender) = (connection.clone(), sender.clone());
        R::spawn(async move {
            for serial in 0..50 {
                let number = thread * 1_000 + serial;
                let answer = connection.invoke::<i64>("Echo", (number,)).await;
                sender.unbounded_send(answer == Ok(number)).unwrap();
            }
        })
        .unwrap();
    }
    drop(sender);
    for _ in 0..200 {
        assert!(next::<R, _>("every answer", &mut answers).await);
    }
    assert_eq!(within::<R, _>("no more", answers.next()).await, None);
    fn is_shared<T: Send + Sync + Clone + 'static>(_: &T) {}
    is_shared::<HubConnection<R>>(&connection);
    is_shared(&connection.downgrade());
}
