//! Streams that end badly, early, or are not read.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use adapter_core::{HubConnection, Runtime, State, StreamError};
use futures_util::StreamExt;
use mock_hub::script::{ScriptHub, Session};
use serde_json::Value;
use tests::records::{completion, failure, id_of, item, result};
use tests::scenarios;
use tests::wait::{eventually, next, within};

scenarios! {
    a_stream_may_end_with_an_error,
    a_dropped_stream_is_cancelled_on_the_hub,
    a_stream_that_nobody_reads_holds_up_no_call,
    a_stream_beyond_its_limit_ends_and_is_cancelled,
}

const ITEMS: u64 = 100_000;

async fn a_stream_may_end_with_an_error<R: Runtime>() {
    let hub = ScriptHub::start(|mut session: Session| async move {
        session.handshake().await;
        while let Some(call) = session.recv_json().await {
            let id = id_of(&call);
            let items = [item(id, 0), item(id, 1), item(id, "\"two\""), failure(id, "no more")].concat();
            session.send_text(&items).await;
        }
    })
    .unwrap();
    let connection = HubConnection::<R>::builder(hub.hub_url("/hub")).build().unwrap();
    connection.start().await.unwrap();
    let mut stream = connection.stream::<i64>("Count", ());
    assert_eq!(next::<R, _>("an item", &mut stream).await, Ok(0));
    assert_eq!(next::<R, _>("an item", &mut stream).await, Ok(1));
    let misfit = next::<R, _>("an item that does not fit", &mut stream).await;
    assert!(matches!(misfit, Err(StreamError::Decode(_))), "{misfit:?}");
    let end = next::<R, _>("the error", &mut stream).await;
    assert!(matches!(&end, Err(StreamError::Hub(error)) if error.message == "no more"), "{end:?}");
    assert_eq!(within::<R, _>("the end", stream.next()).await, None);
    assert_eq!(connection.state(), State::Connected);
}

async fn a_dropped_stream_is_cancelled_on_the_hub<R: Runtime>() {
    let cancelled = Arc::new(AtomicUsize::new(0));
    let seen = cancelled.clone();
    let hub = ScriptHub::start(move |mut session: Session| {
        let seen = seen.clone();
        async move {
            session.handshake().await;
            let call = session.recv_json().await.unwrap();
            assert_eq!(call["type"], 4);
            let id = id_of(&call);
            session.send_text(&item(id, 0)).await;
            let cancel = session.recv_json().await.unwrap();
            assert_eq!((&cancel["type"], &cancel["invocationId"]), (&Value::from(5), &call["invocationId"]));
            seen.fetch_add(1, Ordering::SeqCst);
            // The hub was faster than the cancel: what it still says harms nobody.
            session.send_text(&[item(id, 1), completion(id)].concat()).await;
            let call = session.recv_json().await.unwrap();
            session.send_text(&result(id_of(&call), 7)).await;
            session.ignore_until_close().await;
        }
    })
    .unwrap();
    let connection = HubConnection::<R>::builder(hub.hub_url("/hub")).build().unwrap();
    connection.start().await.unwrap();
    let mut stream = connection.stream::<i64>("Forever", ());
    assert_eq!(next::<R, _>("an item", &mut stream).await, Ok(0));
    drop(stream);
    eventually::<R>("the hub sees the cancel", || cancelled.load(Ordering::SeqCst) == 1).await;
    assert_eq!(within::<R, _>("a call", connection.invoke::<i64>("Seven", ())).await, Ok(7));
    let counters = connection.counters();
    assert_eq!((counters.abandoned, counters.violations), (2, 0));
}

/// Streams all items at once, then answers calls; counts cancels.
fn pouring(cancels: &Arc<AtomicUsize>) -> ScriptHub {
    let cancels = cancels.clone();
    ScriptHub::start(move |mut session: Session| {
        let cancels = cancels.clone();
        async move {
            session.handshake().await;
            while let Some(call) = session.recv_json().await {
                let id = id_of(&call);
                match call["type"].as_u64() {
                    Some(4) => {
                        for first in (0..ITEMS).step_by(500) {
                            let frame: String = (first..first + 500).map(|serial| item(id, serial)).collect();
                            session.send_text(&frame).await;
                        }
                        session.send_text(&completion(id)).await;
                    }
                    Some(5) => _ = cancels.fetch_add(1, Ordering::SeqCst),
                    _ => _ = session.send_text(&result(id, &call["arguments"][0])).await,
                }
            }
        }
    })
    .unwrap()
}

async fn a_stream_that_nobody_reads_holds_up_no_call<R: Runtime>() {
    let cancels = Arc::default();
    let hub = pouring(&cancels);
    let connection = HubConnection::<R>::builder(hub.hub_url("/hub")).build().unwrap();
    connection.start().await.unwrap();
    let mut stream = connection.stream::<u64>("Pour", ());
    for serial in 0..50_u64 {
        let answer = within::<R, _>("a call beside the stream", connection.invoke::<u64>("Echo", (serial,))).await;
        assert_eq!(answer, Ok(serial));
    }
    // The answers stand behind the items: all of them are here, and none was read.
    assert_eq!(connection.counters().items, ITEMS);
    assert!(stream.unread_bytes() <= 16 << 20, "{}", stream.unread_bytes());
    for serial in 0..ITEMS {
        assert_eq!(next::<R, _>("every item", &mut stream).await, Ok(serial));
    }
    assert_eq!(within::<R, _>("the end", stream.next()).await, None);
    assert_eq!(cancels.load(Ordering::SeqCst), 0);
}

async fn a_stream_beyond_its_limit_ends_and_is_cancelled<R: Runtime>() {
    let cancels = Arc::default();
    let hub = pouring(&cancels);
    let limit = 256 << 10;
    let connection = HubConnection::<R>::builder(hub.hub_url("/hub")).max_stream_bytes(limit).build().unwrap();
    connection.start().await.unwrap();
    let mut stream = connection.stream::<u64>("Pour", ());
    assert_eq!(within::<R, _>("a call", connection.invoke::<u64>("Echo", (1,))).await, Ok(1));
    assert!(stream.unread_bytes() <= limit);
    let mut read = 0;
    let error = loop {
        match next::<R, _>("items, then the error", &mut stream).await {
            Ok(item) => assert_eq!(item, read),
            Err(error) => break error,
        }
        read += 1;
    };
    assert_eq!(error, StreamError::Overflow);
    assert!(read > 0 && read < ITEMS, "{read}");
    assert_eq!(within::<R, _>("the end", stream.next()).await, None);
    eventually::<R>("the hub sees the cancel", || cancels.load(Ordering::SeqCst) == 1).await;
}
