//! Nothing that an application passes in can write a line or a record of its own.

use std::sync::{Arc, Mutex};

use adapter_core::{Cause, ConfigError, HubConnection, Runtime, TokenPlacement};
use mock_hub::script::{ScriptHub, Session};
use serde_json::{Value, json};
use tests::records::{id_of, result};
use tests::scenarios;
use tests::wait::within;

use super::refused;

scenarios! {
    header_names_and_values_hold_no_line_ends,
    tokens_hold_no_line_ends,
    a_record_s_end_in_a_call_stays_inside_of_it,
    headers_arrive_as_they_were_given,
}

async fn header_names_and_values_hold_no_line_ends<R: Runtime>() {
    let builder = || HubConnection::<R>::builder("http://127.0.0.1:1/hub");
    for value in ["a\r\nX-Injected: 1", "a\nb", "a\rb", "a\0b", "\u{7f}", "\u{1e}"] {
        let outcome = builder().header("X-Fine", value).build().map(drop);
        assert_eq!(outcome, Err(ConfigError::Header { name: "X-Fine".to_owned() }), "{value:?}");
    }
    for name in ["", "X Fine", "X:Fine", "X\r\nFine", "X\nY: Z", "Ünfein", "X\0"] {
        let outcome = builder().header(name, "fine").build().map(drop);
        assert!(matches!(outcome, Err(ConfigError::Header { .. })), "{name:?}: {outcome:?}");
    }
}

async fn tokens_hold_no_line_ends<R: Runtime>() {
    let hub = ScriptHub::start(|mut session: Session| async move { session.ignore_until_close().await }).unwrap();
    for token in ["a\r\nX-Injected: 1", "a\nb", "a b", "a\tb", "a\0b", "é", "\u{7f}", "\u{1e}"] {
        for placement in [TokenPlacement::Header, TokenPlacement::Query, TokenPlacement::Both] {
            for skip_negotiation in [false, true] {
                let builder = HubConnection::<R>::builder(hub.hub_url("/hub")).skip_negotiation(skip_negotiation);
                refused(builder.access_token(token).token_placement(placement), Cause::Unauthorized).await;
            }
        }
    }
    assert!(hub.requests().is_empty(), "nothing was sent: {:?}", hub.requests());
}

async fn a_record_s_end_in_a_call_stays_inside_of_it<R: Runtime>() {
    let records = Arc::<Mutex<Vec<Value>>>::default();
    let seen = records.clone();
    let hub = ScriptHub::start(move |mut session: Session| {
        let seen = seen.clone();
        async move {
            session.handshake().await;
            while let Some(record) = session.recv_json().await {
                let id = id_of(&record).to_owned();
                seen.lock().unwrap().push(record);
                session.send_text(&result(&id, "null")).await;
            }
        }
    })
    .unwrap();
    let connection = HubConnection::<R>::builder(hub.hub_url("/hub")).build().unwrap();
    connection.start().await.unwrap();
    let evil = "x\u{1e}{\"type\":7}\u{1e}\r\n\"\\";
    let call = connection.call(evil).arguments((evil, json!({evil: evil}))).header(evil, evil);
    within::<R, _>("the answer", call.invoke::<()>()).await.unwrap();
    let records = records.lock().unwrap().clone();
    assert_eq!(records.len(), 1, "{records:?}");
    assert_eq!(records[0]["target"], evil);
    assert_eq!(records[0]["arguments"], json!([evil, {evil: evil}]));
    assert_eq!(records[0]["headers"], json!({evil: evil}));
}

async fn headers_arrive_as_they_were_given<R: Runtime>() {
    let hub = ScriptHub::start(|mut session: Session| async move {
        session.handshake().await;
        session.ignore_until_close().await;
    })
    .unwrap();
    let builder =
        HubConnection::<R>::builder(hub.hub_url("/hub")).header("X-Trace", "one two").access_token("the-token");
    let connection = builder.build().unwrap();
    within::<R, _>("the start", connection.start()).await.unwrap();
    let requests = hub.requests();
    assert_eq!(requests.len(), 2);
    for request in &requests {
        assert_eq!(request.header("x-trace"), Some("one two"));
        assert_eq!(request.header("authorization"), Some("Bearer the-token"));
        assert_eq!(request.header("origin"), None, "only browsers have one");
        assert_eq!(request.query("access_token"), None);
    }
    assert_eq!((&*requests[0].method, &*requests[0].target), ("POST", "/hub/negotiate?negotiateVersion=1"));
}
