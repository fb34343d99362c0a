//! Panics of the application's own code: they stay where they belong, and nobody waits for ever because of them.

use adapter_core::{CallError, HubConnection, Runtime};
use mock_hub::script::{ScriptHub, Session};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use tests::records::{event, id_of, question, result};
use tests::scenarios;
use tests::wait::{next, within};

use super::{builder, connect, echo_hub};

scenarios! {
    a_handler_that_panics_harms_nobody_else,
    a_decoder_that_panics_leaves_nobody_waiting,
    a_provider_that_panics_leaves_nobody_waiting,
}

async fn a_handler_that_panics_harms_nobody_else<R: Runtime>() {
    let hub = ScriptHub::start(|mut session: Session| async move {
        session.handshake().await;
        for (target, error, expected) in [
            ("Panics", json!("The handler panicked."), Value::Null),
            ("PanicsAtOnce", json!("The handler panicked."), Value::Null),
            ("Works", Value::Null, json!(2)),
        ] {
            session.send_text(&question("q", target, &json!([1]))).await;
            let answer = session.recv_json().await.unwrap();
            assert_eq!((&answer["error"], &answer["result"]), (&error, &expected), "{target}");
        }
        session.send_text(&event("Good", &json!([1]))).await;
        session.ignore_until_close().await;
    })
    .unwrap();
    let connection = HubConnection::<R>::builder(hub.hub_url("/hub")).build().unwrap();
    connection
        .handle("Panics", |_: (i64,)| async { if true { panic!("on purpose") } else { Ok::<i64, String>(1) } })
        .unwrap();
    connection.handle("PanicsAtOnce", panics_at_once).unwrap();
    connection.handle("Works", |(number,): (i64,)| async move { Ok::<_, String>(number + 1) }).unwrap();
    let mut good = connection.on::<(i64,)>("Good");
    within::<R, _>("the start", connection.start()).await.unwrap();
    assert_eq!(next::<R, _>("the hub is content", &mut good).await.into_value(), Some((1,)));
}

fn panics_at_once(_: (i64,)) -> std::future::Ready<Result<i64, String>> {
    panic!("on purpose")
}

#[derive(Debug)]
struct Explosive;

impl<'de> Deserialize<'de> for Explosive {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        panic!("on purpose")
    }
}

async fn a_decoder_that_panics_leaves_nobody_waiting<R: Runtime>() {
    let hub = ScriptHub::start(|mut session: Session| async move {
        session.handshake().await;
        while let Some(call) = session.recv_json().await {
            match call["target"].as_str() {
                Some("Explode") => session.send_text(&result(id_of(&call), 1)).await,
                _ => true,
            };
        }
    })
    .unwrap();
    let connection = connect::<R>(builder(&hub)).await;
    let never = connection.invoke::<i64>("Never", ());
    let explode = connection.invoke::<Explosive>("Explode", ());
    let (never, explode) = within::<R, _>("both end", futures_util::future::join(never, explode)).await;
    assert!(matches!(never, Err(CallError::OutcomeUnknown(_))), "{never:?}");
    assert!(explode.is_err(), "{explode:?}");
    // What is asked now is answered as well.
    within::<R, _>("a stop", connection.stop()).await;
    let outcome = within::<R, _>("a call", connection.invoke::<i64>("Never", ())).await;
    assert!(matches!(outcome, Err(CallError::Rejected(_))), "{outcome:?}");
}

async fn a_provider_that_panics_leaves_nobody_waiting<R: Runtime>() {
    let hub = echo_hub();
    let provider = || async { if true { panic!("on purpose") } else { Ok::<String, String>(String::new()) } };
    let connection = builder::<R>(&hub).access_token_provider(provider).build().unwrap();
    let outcome = within::<R, _>("the start ends", connection.start()).await;
    assert!(outcome.is_err(), "{outcome:?}");
    within::<R, _>("a stop", connection.stop()).await;
}
