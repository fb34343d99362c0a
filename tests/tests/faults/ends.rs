//! Ends of a connection, and what becomes of calls.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use adapter_core::{CallError, Cause, HubConnection, NotSent, OutcomeUnknown, RetryPolicy, Runtime, State};
use mock_hub::script::{Answer, Reply, ScriptHub, Session, SocketMessage};
use serde_json::json;
use tests::events::{find, name, up_to};
use tests::records::{CLOSE, CLOSE_AND_RECONNECT, event, id_of, result};
use tests::scenarios;
use tests::wait::{eventually, within};

scenarios! {
    a_call_that_waits_at_a_loss_has_an_unknown_outcome,
    a_call_after_the_loss_is_not_sent,
    a_goodbye_for_good_ends_it_whatever_the_policy,
    a_goodbye_that_allows_to_come_back_is_followed_by_the_policy,
}

/// Tries again soon, for ever.
fn soon() -> RetryPolicy {
    RetryPolicy::custom(|_| Some(Duration::from_millis(20)))
}

async fn a_call_that_waits_at_a_loss_has_an_unknown_outcome<R: Runtime>() {
    let hub = ScriptHub::start(|mut session: Session| async move {
        session.handshake().await;
        session.recv_json().await;
        session.abort();
    })
    .unwrap();
    let connection = HubConnection::<R>::builder(hub.hub_url("/hub")).build().unwrap();
    let mut events = connection.events();
    connection.start().await.unwrap();
    let outcome = within::<R, _>("the call ends", connection.invoke::<i64>("Slow", ())).await;
    let Err(CallError::OutcomeUnknown(OutcomeUnknown::Disconnected(reason))) = &outcome else { panic!("{outcome:?}") };
    assert_eq!(reason.cause(), Cause::Lost);
    assert_eq!(up_to::<R>(&mut events, "disconnected:lost").await, ["connected", "disconnected:lost"]);
    let outcome = connection.invoke::<i64>("Late", ()).await;
    assert!(matches!(outcome, Err(CallError::Rejected(_))), "{outcome:?}");
}

async fn a_call_after_the_loss_is_not_sent<R: Runtime>() {
    let is_open = Arc::new(AtomicBool::new(true));
    let gate = is_open.clone();
    let hub = ScriptHub::builder()
        .on_upgrade(move |_| match gate.load(Ordering::SeqCst) {
            true => Reply::Accept,
            false => Reply::from(Answer::new(503)),
        })
        .start(|mut session: Session| async move {
            session.handshake().await;
            while let Some(call) = session.recv_json().await {
                if call["target"] == "Die" {
                    return session.abort();
                }
                session.send_text(&result(id_of(&call), 7)).await;
            }
        })
        .unwrap();
    let connection = HubConnection::<R>::builder(hub.hub_url("/hub"))
        .skip_negotiation(true)
        .automatic_reconnect(soon())
        .build()
        .unwrap();
    let mut events = connection.events();
    connection.start().await.unwrap();
    is_open.store(false, Ordering::SeqCst);
    connection.send("Die", ()).await.unwrap();
    assert_eq!(up_to::<R>(&mut events, "reconnecting:lost").await, ["connected", "reconnecting:lost"]);
    for _ in 0..3 {
        find::<R, _>("another try", &mut events, |event| (name(event) == "waiting:http_status").then_some(())).await;
        assert_eq!(connection.state(), State::Reconnecting);
        let outcome = within::<R, _>("it ends at once", connection.invoke::<i64>("Seven", ())).await;
        let expected = CallError::NotSent(NotSent::NotConnected(State::Reconnecting));
        assert_eq!(outcome, Err(expected));
    }
    is_open.store(true, Ordering::SeqCst);
    find::<R, _>("it is back", &mut events, |event| (name(event) == "reconnected").then_some(())).await;
    assert_eq!(within::<R, _>("it works again", connection.invoke::<i64>("Seven", ())).await, Ok(7));
    assert_eq!(hub.sessions(), 2);
}

/// A hub that says goodbye as soon as it is called, with an event behind it in the same frame; records what the client says then.
fn leaving(goodbye: &'static str, answers: &Arc<AtomicBool>) -> ScriptHub {
    let answers = answers.clone();
    ScriptHub::start(move |mut session: Session| {
        let answers = answers.clone();
        async move {
            session.handshake().await;
            session.recv_json().await;
            let last = format!("{}{goodbye}{}", event("N", &json!([1])), event("N", &json!([2])));
            session.send_text(&last).await;
            let record = session.recv_json().await;
            let said_goodbye = record.is_some_and(|record| record["type"] == 7);
            let closed = matches!(session.recv_message().await, Some(SocketMessage::Close(Some((1000, _)))));
            answers.store(said_goodbye && closed, Ordering::SeqCst);
            session.ignore_until_close().await;
        }
    })
    .unwrap()
}

async fn a_goodbye_for_good_ends_it_whatever_the_policy<R: Runtime>() {
    let answers = Arc::new(AtomicBool::new(false));
    let hub = leaving(CLOSE, &answers);
    let connection = HubConnection::<R>::builder(hub.hub_url("/hub")).automatic_reconnect(soon()).build().unwrap();
    let mut numbers = connection.on::<(i64,)>("N");
    let mut events = connection.events();
    connection.start().await.unwrap();
    let outcome = within::<R, _>("the call ends", connection.invoke::<i64>("Slow", ())).await;
    let Err(CallError::OutcomeUnknown(OutcomeUnknown::Disconnected(reason))) = &outcome else { panic!("{outcome:?}") };
    assert_eq!((reason.cause(), reason.may_retry()), (Cause::ClosedByHub, false));
    let names = up_to::<R>(&mut events, "disconnected:closed_by_hub").await;
    assert_eq!(
        names,
        ["connected", "invocation:N", "disconnected:closed_by_hub"],
        "what follows the goodbye is dropped"
    );
    let first = tests::wait::next::<R, _>("what stood before it", &mut numbers).await;
    assert_eq!(first.into_value(), Some((1,)));
    eventually::<R>("our goodbye answers the hub's", || answers.load(Ordering::SeqCst)).await;
    assert_eq!((hub.sessions(), connection.state()), (1, State::Disconnected));
}

async fn a_goodbye_that_allows_to_come_back_is_followed_by_the_policy<R: Runtime>() {
    let answers = Arc::new(AtomicBool::new(false));
    let hub = leaving(CLOSE_AND_RECONNECT, &answers);
    let connection = HubConnection::<R>::builder(hub.hub_url("/hub")).automatic_reconnect(soon()).build().unwrap();
    let _numbers = connection.on::<(i64,)>("N");
    let mut events = connection.events();
    connection.start().await.unwrap();
    let outcome = within::<R, _>("the call ends", connection.invoke::<i64>("Slow", ())).await;
    assert!(matches!(outcome, Err(CallError::OutcomeUnknown(OutcomeUnknown::Disconnected(_)))), "{outcome:?}");
    let names = up_to::<R>(&mut events, "restored").await;
    let expected =
        ["connected", "invocation:N", "reconnecting:closed_by_hub", "waiting:closed_by_hub", "reconnected", "restored"];
    assert_eq!(names, expected);
    eventually::<R>("our goodbye answers the hub's", || answers.load(Ordering::SeqCst)).await;

    // Without a policy it is an end like any other.
    let hub = leaving(CLOSE_AND_RECONNECT, &answers);
    let connection = HubConnection::<R>::builder(hub.hub_url("/hub")).build().unwrap();
    let mut events = connection.events();
    connection.start().await.unwrap();
    connection.send("Go", ()).await.unwrap();
    up_to::<R>(&mut events, "disconnected:closed_by_hub").await;
}
