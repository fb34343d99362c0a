//! Deadlines and limits of calls.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use adapter_core::{CallError, NotSent, OutcomeUnknown, Rejection, Runtime, State, StreamError, SubscribeError};
use futures_util::{StreamExt, stream};
use mock_hub::script::{ScriptHub, Session};
use tests::records::{id_of, result};
use tests::scenarios;
use tests::wait::{eventually, next, poll_once, within};

use super::{builder, connect, echo_hub};

scenarios! {
    a_deadline_tells_what_was_sent_from_what_was_not,
    calls_beyond_the_limit_wait_for_room,
    a_full_outbound_queue_holds_calls_back,
    an_upload_waits_for_room,
    a_stream_s_deadline_covers_it_to_its_end,
    subscriptions_have_a_limit,
    arguments_must_be_a_list,
}

const SHORT: Option<Duration> = Some(Duration::from_millis(50));

async fn a_deadline_tells_what_was_sent_from_what_was_not<R: Runtime>() {
    let hub = echo_hub();
    let connection = connect::<R>(builder(&hub).max_pending_calls(1)).await;
    let mut first = Box::pin(connection.call("Never").timeout(None).invoke::<i64>());
    assert_eq!(poll_once(&mut first), None);
    let waiting = connection.call("Echo").arguments((1,)).timeout(SHORT).invoke::<i64>();
    assert_eq!(within::<R, _>("not sent", waiting).await, Err(CallError::NotSent(NotSent::Deadline)));
    drop(first);
    let sent = connection.call("Never").timeout(SHORT).invoke::<i64>();
    assert_eq!(within::<R, _>("sent", sent).await, Err(CallError::OutcomeUnknown(OutcomeUnknown::Deadline)));
    assert_eq!(within::<R, _>("it works on", connection.invoke::<i64>("Echo", (1,))).await, Ok(1));
}

async fn calls_beyond_the_limit_wait_for_room<R: Runtime>() {
    let most = Arc::new(AtomicUsize::new(0));
    let seen = most.clone();
    let hub = ScriptHub::start(move |mut session: Session| {
        let seen = seen.clone();
        async move {
            session.handshake().await;
            // Answers are given two by two: a third call is never there before.
            while let Some(one) = session.recv_json().await {
                let Some(two) = session.recv_json().await else { return };
                seen.fetch_add(2, Ordering::SeqCst);
                for call in [two, one] {
                    session.send_text(&result(id_of(&call), &call["arguments"][0])).await;
                }
            }
        }
    })
    .unwrap();
    let connection = connect::<R>(builder(&hub).max_pending_calls(2)).await;
    let calls = (0..100_i64).map(|serial| {
        let connection = connection.clone();
        async move { assert_eq!(connection.invoke::<i64>("Echo", (serial,)).await, Ok(serial)) }
    });
    within::<R, _>("all of them", futures_util::future::join_all(calls)).await;
    assert_eq!(most.load(Ordering::SeqCst), 100);
}

async fn a_full_outbound_queue_holds_calls_back<R: Runtime>() {
    // A hub that reads nothing until it is told to.
    let (go, gone) = futures_channel::oneshot::channel::<()>();
    let gate = std::sync::Mutex::new(Some(gone));
    let received = Arc::new(AtomicUsize::new(0));
    let counter = received.clone();
    let hub = ScriptHub::start(move |mut session: Session| {
        let (gate, counter) = (gate.lock().unwrap().take(), counter.clone());
        async move {
            session.handshake().await;
            if let Some(gate) = gate {
                // An error means that the test is over.
                let _ = gate.await;
            }
            while let Some(call) = session.recv_json().await {
                counter.fetch_add(1, Ordering::SeqCst);
                if let Some(id) = call["invocationId"].as_str() {
                    session.send_text(&result(id, 1)).await;
                }
            }
        }
    })
    .unwrap();
    let connection = connect::<R>(builder(&hub).max_outbound_bytes(1 << 20)).await;
    let megabyte = "x".repeat(1 << 20);
    // The sockets take some of it, then nothing more is handed out.
    let mut handed_out = 0;
    let outcome = loop {
        let send = connection.call("Bulk").arguments((&megabyte,)).timeout(Some(Duration::from_millis(300))).send();
        match within::<R, _>("a send", send).await {
            Ok(()) => handed_out += 1,
            Err(error) => break error,
        }
        assert!(handed_out < 200, "nothing holds it back");
    };
    assert_eq!(outcome, CallError::NotSent(NotSent::Deadline));
    let invoke = connection.call("Count").timeout(SHORT).invoke::<i64>();
    // The system may have found some room meanwhile.
    match within::<R, _>("an invoke", invoke).await {
        Err(CallError::OutcomeUnknown(OutcomeUnknown::Deadline)) => handed_out += 1,
        outcome => assert_eq!(outcome, Err(CallError::NotSent(NotSent::Deadline))),
    }
    assert_eq!(connection.state(), State::Connected);
    go.send(()).unwrap();
    assert_eq!(within::<R, _>("it flows again", connection.invoke::<i64>("Count", ())).await, Ok(1));
    // Those that were given up before they were handed out never arrive.
    assert_eq!(received.load(Ordering::SeqCst), handed_out + 1);
}

async fn an_upload_waits_for_room<R: Runtime>() {
    let (go, gone) = futures_channel::oneshot::channel::<()>();
    let gate = std::sync::Mutex::new(Some(gone));
    let hub = ScriptHub::start(move |mut session: Session| {
        let gate = gate.lock().unwrap().take();
        async move {
            session.handshake().await;
            if let Some(gate) = gate {
                // An error means that the test is over.
                let _ = gate.await;
            }
            let call = session.recv_json().await.unwrap();
            let stream = call["streamIds"][0].clone();
            let mut items = 0;
            while let Some(record) = session.recv_json().await {
                assert_eq!(record["invocationId"], stream);
                if record["type"] == 3 {
                    session.send_text(&result(id_of(&call), items)).await;
                    break;
                }
                items += 1;
            }
            session.ignore_until_close().await;
        }
    })
    .unwrap();
    let connection = connect::<R>(builder(&hub).max_outbound_bytes(100_000)).await;
    let taken = Arc::new(AtomicUsize::new(0));
    let counter = taken.clone();
    let items = stream::iter(0..500).map(move |_| {
        counter.fetch_add(1, Ordering::SeqCst);
        Ok::<_, String>("x".repeat(100_000))
    });
    let mut call = Box::pin(connection.call("Upload").upload(items).invoke::<usize>());
    assert_eq!(poll_once(&mut call), None);
    eventually::<R>("some items are taken", || taken.load(Ordering::SeqCst) > 2).await;
    assert!(taken.load(Ordering::SeqCst) < 500, "no more than there is room for");
    go.send(()).unwrap();
    assert_eq!(within::<R, _>("all of them arrive", call).await, Ok(500));
}

async fn a_stream_s_deadline_covers_it_to_its_end<R: Runtime>() {
    let hub = echo_hub();
    let connection = connect::<R>(builder(&hub).call_timeout(Duration::from_millis(10))).await;
    let mut stream = connection.call("Never").timeout(SHORT).stream::<i64>();
    let end = next::<R, _>("the deadline", &mut stream).await;
    assert_eq!(end, Err(StreamError::OutcomeUnknown(OutcomeUnknown::Deadline)));
    assert_eq!(within::<R, _>("the end", stream.next()).await, None);
}

async fn subscriptions_have_a_limit<R: Runtime>() {
    let hub = echo_hub();
    let connection = connect::<R>(builder(&hub).max_subscriptions(2)).await;
    for serial in 0..2 {
        within::<R, _>("a subscribe", connection.subscribe("Echo", (serial,))).await.unwrap();
    }
    // The same wish again is no further one.
    within::<R, _>("the same", connection.subscribe("Echo", (1,))).await.unwrap();
    let third = within::<R, _>("one too many", connection.subscribe("Echo", (2,))).await.map(drop);
    assert_eq!(third, Err(SubscribeError::Rejected(Rejection::TooManySubscriptions(2))));
}

async fn arguments_must_be_a_list<R: Runtime>() {
    let hub = echo_hub();
    let connection = connect::<R>(builder(&hub)).await;
    let outcome = connection.invoke::<i64>("Echo", 1).await;
    assert!(matches!(outcome, Err(CallError::Rejected(Rejection::Invalid(_)))), "{outcome:?}");
    let mut stream = connection.stream::<i64>("Echo", "text");
    let outcome = next::<R, _>("the refusal", &mut stream).await;
    assert!(matches!(outcome, Err(StreamError::Rejected(Rejection::Invalid(_)))), "{outcome:?}");
    assert!(connection.subscription("Echo", 1).is_err());
    assert_eq!(connection.invoke::<i64>("Echo", [1]).await, Ok(1));
    assert_eq!(connection.invoke::<i64>("Echo", vec![1]).await, Ok(1));
}
