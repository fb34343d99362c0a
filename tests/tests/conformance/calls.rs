//! Invocations and their outcomes.

use std::time::Duration;

use adapter_core::{CallError, NotSent, OutcomeUnknown, Rejection, Runtime, State};
use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::conformance;
use tests::hubs::Server;
use tests::wait::{next, poll_once, within};

use super::{builder, connect};

conformance! {
    values_come_back,
    void_and_null_are_nothing,
    errors_are_the_hub_s_words,
    a_misfit_result_is_a_decode_error,
    a_send_arrives,
    two_hundred_calls_at_once_each_get_their_own_answer,
    a_call_s_own_deadline_ends_it,
    calls_without_a_connection_are_rejected,
    a_dropped_call_is_given_up,
    stop_settles_what_is_pending,
}

async fn values_come_back<R: Runtime>(server: Server) {
    let connection = connect::<R>(builder(server.usual())).await;
    assert_eq!(connection.invoke::<i64>("Add", (2, 40)).await, Ok(42));
    for value in [
        json!(null),
        json!(true),
        json!(-7),
        json!(9_007_199_254_740_993_i64),
        json!(0.25),
        json!(""),
        json!("a\u{1e}b\u{0}\"\\/\u{7f}é\u{2028}🦀"),
        json!([[], {}, [1, [2]]]),
        json!({"a": {"b": [null, false]}, "": 0}),
    ] {
        let echo: Value = within::<R, _>("the echo", connection.invoke("Echo", (&value,))).await.unwrap();
        assert_eq!(echo, value);
    }
    // Method names match in any case on these servers.
    assert_eq!(connection.invoke::<i64>("aDD", (1, 2)).await, Ok(3));
}

async fn void_and_null_are_nothing<R: Runtime>(server: Server) {
    let connection = connect::<R>(builder(server.usual())).await;
    for method in ["Void", "Null"] {
        assert_eq!(connection.invoke::<()>(method, ()).await, Ok(()));
        assert_eq!(connection.invoke::<Option<i64>>(method, ()).await, Ok(None));
        // ASP.NET Core gives null for void.
        assert_eq!(connection.call(method).invoke_optional::<Value>().await, Ok(Some(Value::Null)));
    }
}

async fn errors_are_the_hub_s_words<R: Runtime>(server: Server) {
    let connection = connect::<R>(builder(server.usual())).await;
    let cases = [
        ("ThrowHubException", json!(["no seats"]), "HubException: no seats"),
        ("Throw", json!(["secret"]), "An unexpected error occurred invoking 'Throw' on the server."),
        ("Nothing", json!([]), "Method does not exist."),
        ("Add", json!([1]), "Failed to invoke 'Add' due to an error on the server."),
        ("Add", json!([1, 2, 3]), "Failed to invoke 'Add' due to an error on the server."),
        ("Add", json!(["a", "b"]), "Failed to invoke 'Add' due to an error on the server."),
        (
            "Counter",
            json!([1, 0]),
            "The client attempted to invoke the streaming 'Counter' method with a non-streaming invocation.",
        ),
    ];
    for (method, arguments, expected) in cases {
        let outcome = within::<R, _>("the error", connection.invoke::<Value>(method, arguments)).await;
        let Err(CallError::Hub(error)) = &outcome else { panic!("{method}: {outcome:?}") };
        assert!(error.message.contains(expected), "{method}: {error}");
        assert!(!error.message.contains("secret"), "{error}");
    }
    assert_eq!(connection.invoke::<i64>("Add", (1, 2)).await, Ok(3));
}

async fn a_misfit_result_is_a_decode_error<R: Runtime>(server: Server) {
    let connection = connect::<R>(builder(server.usual())).await;
    let outcome = connection.invoke::<i64>("Echo", ("word",)).await;
    assert!(matches!(outcome, Err(CallError::Decode(_))), "{outcome:?}");
    let outcome = connection.invoke::<Vec<i64>>("Echo", ([1, 2],)).await;
    assert_eq!(outcome, Ok(vec![1, 2]));
    assert_eq!(connection.state(), State::Connected);
}

async fn a_send_arrives<R: Runtime>(server: Server) {
    let connection = connect::<R>(builder(server.usual())).await;
    let mut news = connection.on::<(i64, String)>("News");
    for serial in 0..10 {
        within::<R, _>("the send", connection.send("SendBack", ("News", json!([serial, "é"])))).await.unwrap();
    }
    for serial in 0..10 {
        let delivery = next::<R, _>("the news", &mut news).await;
        assert_eq!(delivery.into_value(), Some((serial, "é".to_owned())), "in their order");
    }
    // Nobody hears of a method that is not there.
    assert_eq!(connection.send("Nothing", ()).await, Ok(()));
    assert_eq!(connection.invoke::<i64>("Add", (1, 2)).await, Ok(3));
}

async fn two_hundred_calls_at_once_each_get_their_own_answer<R: Runtime>(server: Server) {
    let connection = connect::<R>(builder(server.usual())).await;
    let calls = (0..200_i64).map(|serial| {
        let connection = connection.clone();
        async move {
            match serial % 4 {
                0 => assert_eq!(connection.invoke::<i64>("Delay", (serial % 7,)).await, Ok(serial % 7)),
                1 => {
                    let outcome = connection.invoke::<Value>("ThrowHubException", (format!("number {serial}."),)).await;
                    let Err(CallError::Hub(error)) = outcome else { panic!("{outcome:?}") };
                    assert!(error.message.ends_with(&format!("number {serial}.")), "{error}");
                }
                2 => assert_eq!(connection.invoke::<i64>("Add", (serial, 1)).await, Ok(serial + 1)),
                _ => assert_eq!(connection.invoke::<(i64,)>("Echo", ([serial],)).await, Ok((serial,))),
            }
        }
    });
    within::<R, _>("all of them", join_all(calls)).await;
}

async fn a_call_s_own_deadline_ends_it<R: Runtime>(server: Server) {
    let connection = connect::<R>(builder(server.usual())).await;
    let slow = connection.call("Delay").arguments((1_000,)).timeout(Some(Duration::from_millis(50)));
    let outcome = within::<R, _>("the deadline", slow.invoke::<i64>()).await;
    assert_eq!(outcome, Err(CallError::OutcomeUnknown(OutcomeUnknown::Deadline)));
    let never = connection.call("Delay").arguments((0,)).timeout(None);
    assert_eq!(within::<R, _>("the answer", never.invoke::<i64>()).await, Ok(0));
    // The answer of the first one comes late, and harms nobody.
    assert_eq!(within::<R, _>("a later call", connection.invoke::<i64>("Delay", (1_100,))).await, Ok(1_100));
    assert_eq!((connection.counters().abandoned, connection.counters().violations), (1, 0));

    let hasty = connect::<R>(builder(server.usual()).call_timeout(Duration::from_millis(50))).await;
    let outcome = within::<R, _>("the default deadline", hasty.invoke::<i64>("Delay", (1_000,))).await;
    assert_eq!(outcome, Err(CallError::OutcomeUnknown(OutcomeUnknown::Deadline)));
}

async fn calls_without_a_connection_are_rejected<R: Runtime>(server: Server) {
    let connection = builder::<R>(server.usual()).build().unwrap();
    let rejected = Err(CallError::Rejected(Rejection::NotActive));
    assert_eq!(connection.invoke::<i64>("Add", (1, 2)).await, rejected);
    let mut start = Box::pin(connection.start());
    assert_eq!(poll_once(&mut start), None);
    let early = connection.invoke::<i64>("Add", (1, 2)).await;
    assert_eq!(early, Err(CallError::NotSent(NotSent::NotConnected(State::Connecting))));
    within::<R, _>("the start", start).await.unwrap();
    assert_eq!(connection.invoke::<i64>("Add", (1, 2)).await, Ok(3));
    within::<R, _>("the stop", connection.stop()).await;
    assert_eq!(connection.invoke::<i64>("Add", (1, 2)).await, rejected);
    assert_eq!(connection.send("Void", ()).await, Err(CallError::Rejected(Rejection::NotActive)));
    within::<R, _>("another start", connection.start()).await.unwrap();
    assert_eq!(connection.invoke::<i64>("Add", (1, 2)).await, Ok(3));
}

async fn a_dropped_call_is_given_up<R: Runtime>(server: Server) {
    let connection = connect::<R>(builder(server.usual())).await;
    for _ in 0..100 {
        let mut call = Box::pin(connection.invoke::<i64>("Delay", (1,)));
        assert_eq!(poll_once(&mut call), None);
    }
    // The answers to all of them come before this one, or are never sent for.
    assert_eq!(within::<R, _>("a later call", connection.invoke::<i64>("Delay", (200,))).await, Ok(200));
    assert_eq!(connection.counters().violations, 0);
}

async fn stop_settles_what_is_pending<R: Runtime>(server: Server) {
    let connection = connect::<R>(builder(server.usual())).await;
    assert_eq!(connection.invoke::<i64>("Add", (1, 2)).await, Ok(3));
    let mut slow: Vec<_> = (0..3).map(|_| Box::pin(connection.invoke::<i64>("Delay", (30_000,)))).collect();
    for call in &mut slow {
        assert_eq!(poll_once(call), None);
    }
    within::<R, _>("the stop waits for no call", connection.stop()).await;
    assert_eq!(connection.state(), State::Disconnected);
    for call in slow {
        let outcome = within::<R, _>("each call ends", call).await;
        let Err(CallError::OutcomeUnknown(OutcomeUnknown::Disconnected(reason))) = &outcome else {
            panic!("{outcome:?}")
        };
        assert_eq!(reason.cause(), adapter_core::Cause::Stopped);
    }
}
