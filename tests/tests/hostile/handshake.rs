//! Answers to the handshake: cut, glued, none.

use std::time::Duration;

use adapter_core::{Cause, HubConnection, Runtime, StartError, State};
use futures_util::future::join_all;
use mock_hub::script::{ScriptHub, Session};
use serde_json::json;
use tests::records::{ACCEPTED, event};
use tests::scenarios;
use tests::wait::{next, within};

use super::{behave, builder};

scenarios! {
    an_answer_may_be_cut_anywhere,
    an_answer_may_be_glued_to_what_follows,
    an_answer_that_is_none_fails_the_start,
    an_end_in_place_of_an_answer_fails_the_start,
    silence_in_place_of_an_answer_fails_the_start,
}

/// An answer with something in it, and an event behind it.
fn answer() -> String {
    format!("{{\"minorVersion\":1,\"é\":[{{}}]}}\u{1e}{}", event("Good", &json!([1])))
}

async fn hears_the_event<R: Runtime>(what: &str, hub: &ScriptHub) {
    let connection = builder::<R>(hub).build().unwrap();
    let mut good = connection.on::<(i64,)>("Good");
    within::<R, _>(what, connection.start()).await.unwrap();
    assert_eq!(next::<R, _>(what, &mut good).await.into_value(), Some((1,)), "{what}");
}

async fn an_answer_may_be_cut_anywhere<R: Runtime>() {
    // Each connection is cut at another place, and by turns into messages, fragments and writes of the socket.
    let hub = ScriptHub::start(|mut session: Session| async move {
        let cut = session.serial() / 3;
        session.recv_record().await;
        let bytes = answer().into_bytes();
        let (head, tail) = bytes.split_at(cut);
        match session.serial() % 3 {
            0 => {
                session.send_binary(head).await;
                session.send_ping(b"between").await;
                session.send_binary(tail).await;
            }
            1 => _ = session.send_fragmented(&[head, b"", tail]).await,
            _ => {
                let frame = tests::raw::text_frame(&answer());
                session.write_raw_bytes(&frame[..cut]).await;
                session.write_raw_bytes(&frame[cut..]).await;
            }
        }
        session.ignore_until_close().await;
    })
    .unwrap();
    for cut in 0..=answer().len() {
        for way in ["messages", "fragments", "writes"] {
            hears_the_event::<R>(&format!("{way} cut at {cut}"), &hub).await;
        }
    }
}

async fn an_answer_may_be_glued_to_what_follows<R: Runtime>() {
    let hub = ScriptHub::start(|mut session: Session| async move {
        session.recv_record().await;
        session.send_text(&answer()).await;
        session.ignore_until_close().await;
    })
    .unwrap();
    hears_the_event::<R>("one message", &hub).await;
    let hub = ScriptHub::start(|mut session: Session| async move {
        session.recv_record().await;
        let bytes = answer().into_bytes();
        let pieces: Vec<&[u8]> = bytes.chunks(1).collect();
        session.send_fragmented(&pieces).await;
        session.ignore_until_close().await;
    })
    .unwrap();
    hears_the_event::<R>("byte by byte", &hub).await;
}

/// The start fails for this cause, and the next one succeeds.
async fn fails<R: Runtime>(what: &str, hub: &ScriptHub, cause: Cause) {
    let connection = builder::<R>(hub).handshake_timeout(Duration::from_millis(500)).build().unwrap();
    let outcome = within::<R, _>(what, connection.start()).await;
    let Err(StartError::Failed(reason)) = &outcome else { panic!("{what}: {outcome:?}") };
    assert_eq!(reason.cause(), cause, "{what}: {reason}");
    assert!(!reason.explain().contains(char::is_control), "{what}: {reason:?}");
    assert_eq!(connection.state(), State::Disconnected);
    within::<R, _>(what, connection.start()).await.unwrap();
    assert_eq!(connection.invoke::<i64>("Seven", ()).await, Ok(7), "{what}");
}

/// The first connection hears this in place of an answer.
fn answering(text: String) -> ScriptHub {
    ScriptHub::start(move |mut session: Session| {
        let text = text.clone();
        async move {
            if session.serial() > 0 {
                return behave(session).await;
            }
            session.recv_record().await;
            session.send_text(&text).await;
            session.ignore_until_close().await;
        }
    })
    .unwrap()
}

async fn an_answer_that_is_none_fails_the_start<R: Runtime>() {
    let event = event("Good", &json!([1]));
    let long = format!("{{\"x\":\"{}\"}}\u{1e}", "x".repeat(5_000));
    let cases = [
        ("\u{1e}", Cause::ProtocolViolation),
        ("garbage\u{1b}[31m\u{1e}", Cause::ProtocolViolation),
        ("null\u{1e}", Cause::ProtocolViolation),
        ("[]\u{1e}", Cause::ProtocolViolation),
        ("{}{}\u{1e}", Cause::ProtocolViolation),
        ("{\"error\":5}\u{1e}", Cause::ProtocolViolation),
        ("{\"type\":6}\u{1e}", Cause::ProtocolViolation),
        ("{\"type\":7,\"error\":\"go away\"}\u{1e}", Cause::ProtocolViolation),
        (&*event, Cause::ProtocolViolation),
        ("{\"error\":\"go away\\u001b\"}\u{1e}", Cause::HandshakeRejected),
        ("{\"error\":\"\"}\u{1e}", Cause::HandshakeRejected),
        (&*long, Cause::Oversize),
        // Half an answer is none.
        ("{}", Cause::HandshakeTimeout),
        ("", Cause::HandshakeTimeout),
    ];
    let runs = cases.map(|(text, cause)| async move {
        let what = format!("the answer {:?}", text.get(..40).unwrap_or(text));
        fails::<R>(&what, &answering(text.to_owned()), cause).await;
    });
    join_all(runs).await;
}

async fn an_end_in_place_of_an_answer_fails_the_start<R: Runtime>() {
    let runs = (0..6).map(|way| async move {
        let hub = ScriptHub::start(move |mut session: Session| async move {
            if session.serial() > 0 {
                return behave(session).await;
            }
            match way {
                0 => {}
                1 => session.abort(),
                2 => session.close(1000).await,
                3 => _ = session.recv_record().await,
                4 => {
                    session.recv_record().await;
                    session.send_text(&ACCEPTED[..1]).await;
                }
                _ => {
                    session.recv_record().await;
                    session.close(1011).await;
                }
            }
        })
        .unwrap();
        fails::<R>(&format!("end {way}"), &hub, Cause::Lost).await;
    });
    join_all(runs).await;
}

async fn silence_in_place_of_an_answer_fails_the_start<R: Runtime>() {
    let hub = ScriptHub::start(|mut session: Session| async move {
        if session.serial() > 0 {
            return behave(session).await;
        }
        // Signs of life are no answer.
        while session.send_ping(b"").await && session.recv_message().await.is_some() {}
    })
    .unwrap();
    fails::<R>("pings", &hub, Cause::HandshakeTimeout).await;
    let hub = ScriptHub::start(|session: Session| async move {
        match session.serial() {
            0 => session.hang().await,
            _ => behave(session).await,
        }
    })
    .unwrap();
    fails::<R>("nothing", &hub, Cause::HandshakeTimeout).await;
    assert!(HubConnection::<R>::builder("http://127.0.0.1:1/").handshake_timeout(Duration::ZERO).build().is_err());
}
