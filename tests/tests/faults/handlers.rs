//! Handlers: none, at work, slow.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use adapter_core::{Delivery, HubConnection, QueueRule, Runtime, State};
use futures_util::StreamExt;
use mock_hub::script::{ScriptHub, Session};
use serde_json::json;
use tests::records::{event, id_of, question, result};
use tests::scenarios;
use tests::wait::{eventually, next, within};

scenarios! {
    a_question_without_a_handler_is_answered_with_an_error,
    a_handler_may_register_and_call,
    a_slow_handler_loses_nothing_and_holds_little,
}

async fn a_question_without_a_handler_is_answered_with_an_error<R: Runtime>() {
    let hub = ScriptHub::start(|mut session: Session| async move {
        session.handshake().await;
        // Nobody knows the one; somebody listens to the other, but does not answer.
        for target in ["Nobody", "Listener"] {
            session.send_text(&question("s7", target, &json!([1]))).await;
            let answer = session.recv_json().await.unwrap();
            assert_eq!((&answer["type"], &answer["invocationId"]), (&json!(3), &json!("s7")));
            assert_eq!(answer["error"], "Client didn't provide a result.");
            assert_eq!(answer.get("result"), None);
        }
        session.send_text(&event("Done", &json!([]))).await;
        session.ignore_until_close().await;
    })
    .unwrap();
    let connection = HubConnection::<R>::builder(hub.hub_url("/hub")).build().unwrap();
    let mut listener = connection.on::<(i64,)>("Listener");
    let mut done = connection.on::<()>("Done");
    connection.start().await.unwrap();
    assert_eq!(next::<R, _>("the hub is content", &mut done).await, Delivery::Value(()));
    assert_eq!(next::<R, _>("the listener hears it all the same", &mut listener).await, Delivery::Value((1,)));
    assert_eq!(connection.state(), State::Connected);
}

async fn a_handler_may_register_and_call<R: Runtime>() {
    let hub = ScriptHub::start(|mut session: Session| async move {
        session.handshake().await;
        session.send_text(&question("q", "Ask", &json!([20]))).await;
        let call = session.recv_json().await.unwrap();
        assert_eq!((&call["target"], &call["arguments"]), (&json!("Double"), &json!([20])));
        // The handler's own listener hears what comes before the answer to its call.
        session.send_text(&event("More", &json!([2]))).await;
        session.send_text(&result(id_of(&call), 40)).await;
        let answer = session.recv_json().await.unwrap();
        assert_eq!((&answer["type"], &answer["invocationId"], &answer["result"]), (&json!(3), &json!("q"), &json!(42)));
        session.send_text(&event("Done", &json!([]))).await;
        session.ignore_until_close().await;
    })
    .unwrap();
    let connection = HubConnection::<R>::builder(hub.hub_url("/hub")).build().unwrap();
    let weak = connection.downgrade();
    let registered = connection.handle("Ask", move |(number,): (i64,)| {
        let connection = weak.upgrade();
        async move {
            let connection = connection.ok_or("the connection is gone")?;
            let mut more = connection.on::<(i64,)>("More");
            let double: i64 = connection.invoke("Double", (number,)).await.map_err(|_| "the call failed")?;
            let Some(Delivery::Value((more,))) = more.next().await else { return Err("there was no more") };
            Ok::<_, &str>(double + more)
        }
    });
    registered.unwrap();
    let mut done = connection.on::<()>("Done");
    connection.start().await.unwrap();
    assert_eq!(next::<R, _>("the hub is content", &mut done).await, Delivery::Value(()));
}

const EVENTS: u64 = 200_000;
const CAPACITY: u64 = 1_024;
const A_FRAME: u64 = 100;

async fn a_slow_handler_loses_nothing_and_holds_little<R: Runtime>() {
    let sent = Arc::new(AtomicU64::new(0));
    let counter = sent.clone();
    let hub = ScriptHub::start(move |mut session: Session| {
        let counter = counter.clone();
        async move {
            session.handshake().await;
            let padding = "x".repeat(150);
            for first in (0..EVENTS).step_by(A_FRAME as usize) {
                let one = |serial: u64| event("Tick", &json!([serial, padding]));
                session.send_text(&(first..first + A_FRAME).map(one).collect::<String>()).await;
                counter.store(first + A_FRAME, Ordering::SeqCst);
            }
            session.ignore_until_close().await;
        }
    })
    .unwrap();
    let connection = HubConnection::<R>::builder(hub.hub_url("/hub")).build().unwrap();
    let mut ticks = connection.on_with::<(u64, String)>("Tick", QueueRule::wait(CAPACITY as usize));
    connection.start().await.unwrap();
    eventually::<R>("the queue is full", || connection.counters().delivered >= CAPACITY).await;
    for serial in 0..EVENTS {
        // What was read of the socket and not consumed: the queue, and the frame that made it full.
        let held = connection.counters().delivered - serial;
        assert!(held <= CAPACITY + A_FRAME, "{held} events are held");
        let Delivery::Value((tick, _)) = next::<R, _>("every tick", &mut ticks).await else {
            panic!("no gap, no loss")
        };
        assert_eq!(tick, serial);
        if serial == CAPACITY {
            assert!(sent.load(Ordering::SeqCst) < EVENTS, "the hub was held back");
        }
    }
    assert_eq!(connection.counters().delivered, EVENTS);
    assert_eq!(connection.state(), State::Connected);
    within::<R, _>("the goodbye", connection.stop()).await;
}
