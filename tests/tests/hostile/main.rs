//! Input that no honest peer sends: each has a clear cause, harms nothing that stood before it, and is survived.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic where it stands")]

mod dialling;
mod ends;
mod handshake;
mod harmless;
mod records;
mod websocket;

use std::time::Duration;

use adapter_core::{Delivery, Event, HubConnection, HubConnectionBuilder, RetryPolicy, Runtime, State};
use mock_hub::script::{ScriptHub, Session};
use serde_json::json;
use tests::events::{find, name, up_to};
use tests::records::{event, id_of, result};
use tests::wait::{next, within};

/// Something bad that a hub can do.
type Deed = fn(Session) -> futures_util::future::BoxFuture<'static, ()>;

/// One bad thing and what it must be called.
struct Case {
    name: &'static str,
    /// The cause, as one word.
    cause: &'static str,
    deed: Deed,
}

fn soon() -> RetryPolicy {
    RetryPolicy::custom(|_| Some(Duration::from_millis(5)))
}

fn builder<R: Runtime>(hub: &ScriptHub) -> HubConnectionBuilder<R> {
    HubConnection::builder(hub.hub_url("/hub")).skip_negotiation(true)
}

/// Behaves: answers every call with 7.
async fn behave(mut session: Session) {
    session.handshake().await;
    while let Some(call) = session.recv_json().await {
        session.send_text(&result(id_of(&call), 7)).await;
    }
}

/// A hub whose first connection hears a good event and then sees the deed; later ones are served well.
fn hub_that_does(deed: Deed) -> ScriptHub {
    ScriptHub::start(move |mut session: Session| async move {
        if session.serial() > 0 {
            return behave(session).await;
        }
        session.handshake().await;
        session.send_text(&event("Good", &json!([1]))).await;
        deed(session).await;
    })
    .unwrap()
}

/// The good event before the deed is delivered, the loss has the right cause, nothing after it is heard, and the reconnect works.
async fn survives<R: Runtime>(case: &Case) {
    let hub = hub_that_does(case.deed);
    let connection = builder::<R>(&hub).automatic_reconnect(soon()).build().unwrap();
    let mut good = connection.on::<(i64,)>("Good");
    let mut events = connection.events();
    within::<R, _>(case.name, connection.start()).await.unwrap();
    let told = find::<R, _>(case.name, &mut events, |event| match event {
        Event::Reconnecting(reason) => Some((reason.cause().as_str(), reason.explain().to_owned())),
        Event::Disconnected(reason) => panic!("{}: {reason}", case.name),
        _ => None,
    });
    let (cause, text) = told.await;
    assert_eq!(cause, case.cause, "{}: {text}", case.name);
    assert!(!text.is_empty() && text.len() < 2_000 && !text.contains(char::is_control), "{}: {text:?}", case.name);
    assert_eq!(next::<R, _>(case.name, &mut good).await, Delivery::Value((1,)), "{}", case.name);
    up_to::<R>(&mut events, "restored").await;
    assert_eq!(within::<R, _>(case.name, connection.invoke::<i64>("Seven", ())).await, Ok(7), "{}", case.name);
    assert!(
        matches!(next::<R, _>(case.name, &mut good).await, Delivery::Gap(_)),
        "{}: nothing of it, but the gap",
        case.name
    );
    assert_eq!(hub.sessions(), 2, "{}", case.name);
    within::<R, _>(case.name, connection.stop()).await;
}

/// The same without a policy: then it is the end.
async fn ends<R: Runtime>(case: &Case) {
    let hub = hub_that_does(case.deed);
    let connection = builder::<R>(&hub).build().unwrap();
    let mut events = connection.events();
    within::<R, _>(case.name, connection.start()).await.unwrap();
    let last =
        find::<R, _>(case.name, &mut events, |event| matches!(event, Event::Disconnected(_)).then(|| name(event)))
            .await;
    assert_eq!(last, format!("disconnected:{}", case.cause), "{}", case.name);
    assert_eq!(connection.state(), State::Disconnected);
    within::<R, _>(case.name, connection.start()).await.unwrap();
    assert_eq!(within::<R, _>(case.name, connection.invoke::<i64>("Seven", ())).await, Ok(7), "{}", case.name);
}
