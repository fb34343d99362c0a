//! Named policies, hints of the hub, and connections that outlive their transport.

use mock_hub::script::{Answer, Reply, ScriptHub, Session};
use serde_json::{Value, json};
use tests::hubs::{Profile, Server};
use tests::records::{event, id_of, result};
use tests::tls::TlsServer;

use crate::driver::{Testee, eventually};
use crate::on_both_runtimes;

on_both_runtimes!(
    the_preset_signalr,
    the_preset_microsoft,
    the_preset_exponential,
    the_preset_trading,
    a_hubs_wish_is_told_as_the_delay,
    a_date_counts_from_the_answers_own,
    a_403_ends_it_whatever_the_preset,
    a_tls_failure_waits_80_s_and_opens_the_breaker,
    a_lost_transport_is_replaced_without_a_word,
    a_lost_window_is_an_ordinary_outage,
    the_real_hub_keeps_a_connection,
);

/// Lets in the first upgrade and gives all others this.
fn hub(reply: Reply) -> ScriptHub {
    ScriptHub::builder()
        .on_upgrade(move |request| if request.serial == 0 { Reply::Accept } else { reply.clone() })
        .start(|mut session: Session| async move {
            session.handshake().await;
            // Dies of the first call.
            session.recv_json().await;
        })
        .unwrap()
}

fn start(testee: &mut Testee, url: &str, options: Value) {
    let mut build = json!({"do": "build", "url": url});
    build.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
    testee.say([build, json!({"do": "start", "call": "s"})]);
    testee.wait(json!({"call": "s", "outcome": "ok"}));
}

/// Connects under these options, then loses the connection.
fn lose(testee: &mut Testee, hub: &ScriptHub, mut options: Value) {
    options["skipNegotiation"] = json!(true);
    start(testee, &hub.hub_url("/hub"), options);
    testee.say([json!({"do": "send", "call": "die", "target": "Die"})]);
    // The call's own outcome may come before it or later.
    testee.wait(json!({"event": "reconnecting", "cause": "lost"}));
}

/// The next waits: attempt and delay in milliseconds. `breaker` must be what each says, or absent.
fn waits(testee: &mut Testee, count: usize, breaker: Option<&str>) -> Vec<(u64, u64)> {
    let mut waits = Vec::new();
    while waits.len() < count {
        let line = testee.wait(json!({"event": "waiting"}));
        assert_eq!(line.get("breaker").and_then(Value::as_str), breaker, "{line}");
        waits.push((line["attempt"].as_u64().unwrap(), line["delayMs"].as_u64().unwrap()));
    }
    waits
}

fn the_preset_signalr(mut testee: Testee) {
    let hub = hub(Answer::new(502).into());
    lose(&mut testee, &hub, json!({"reconnectPreset": "signalr"}));
    assert_eq!(waits(&mut testee, 3, Some("closed")), [(1, 0), (2, 2_000), (3, 5_000)]);
}

fn the_preset_microsoft(mut testee: Testee) {
    let hub = hub(Answer::new(502).into());
    lose(&mut testee, &hub, json!({"reconnectPreset": "microsoft"}));
    assert_eq!(waits(&mut testee, 3, None), [(1, 0), (2, 2_000), (3, 10_000)]);
}

fn the_preset_exponential(mut testee: Testee) {
    let hub = hub(Answer::new(502).into());
    lose(&mut testee, &hub, json!({"reconnectPreset": "exponential"}));
    let ladder = [(1, 100), (2, 200), (3, 400), (4, 800), (5, 1_600)];
    assert_eq!(waits(&mut testee, 5, Some("closed")), ladder);
    assert_eq!(testee.wait(json!({"event": "disconnected"}))["cause"], "http_status");
    assert_eq!(hub.requests().len(), 6);
}

/// The burst, then the ladder.
fn the_preset_trading(mut testee: Testee) {
    let hub = hub(Answer::new(502).into());
    lose(&mut testee, &hub, json!({"reconnectPreset": "trading"}));
    let burst = [(1, 0), (2, 100), (3, 200), (4, 400), (5, 800), (6, 2_000), (7, 5_000)];
    assert_eq!(waits(&mut testee, 7, Some("closed")), burst);
}

fn a_hubs_wish_is_told_as_the_delay(mut testee: Testee) {
    for (status, options) in [
        (503, json!({"reconnectPreset": "exponential"})),
        (429, json!({"reconnectPreset": "trading"})),
        (503, json!({"reconnectDelaysMs": [100, 200]})),
    ] {
        let hub = hub(Answer::new(status).header("Retry-After", "60").into());
        let has_breaker = options.get("reconnectPreset").is_some();
        lose(&mut testee, &hub, options);
        let line = testee.wait(json!({"event": "waiting", "attempt": 2, "cause": "http_status"}));
        let delay = line["delayMs"].as_u64().unwrap();
        let longest = if has_breaker { 66_000 } else { 60_000 };
        assert!((60_000..=longest).contains(&delay), "at least what was asked for: {line}");
        testee.end();
        testee = testee.again();
    }
}

fn a_date_counts_from_the_answers_own(mut testee: Testee) {
    let answer = Answer::new(503).header("Date", "Wed, 21 Oct 2026 12:00:00 GMT");
    let hub = hub(answer.header("Retry-After", "Wed, 21 Oct 2026 12:01:30 GMT").into());
    lose(&mut testee, &hub, json!({"reconnectPreset": "trading"}));
    let delay = testee.wait(json!({"event": "waiting", "attempt": 2}))["delayMs"].as_u64().unwrap();
    assert!((90_000..=99_000).contains(&delay), "{delay}");
}

fn a_403_ends_it_whatever_the_preset(mut testee: Testee) {
    for preset in ["signalr", "microsoft", "exponential", "trading"] {
        let hub = hub(Answer::new(403).into());
        lose(&mut testee, &hub, json!({"reconnectPreset": preset}));
        assert_eq!(testee.wait(json!({"event": "disconnected"}))["cause"], "unauthorized", "{preset}");
        assert_eq!((testee.told(&json!({"event": "waiting"})).len(), hub.requests().len()), (1, 2), "{preset}");
        testee.end();
        testee = testee.again();
    }
}

fn a_tls_failure_waits_80_s_and_opens_the_breaker(mut testee: Testee) {
    // Nobody vouches for its certificate.
    let server = TlsServer::start(String::new());
    testee.say([
        json!({"do": "build", "url": server.url("/hub"), "reconnectPreset": "trading", "retryInitialConnect": true}),
        json!({"do": "start", "call": "s"}),
    ]);
    testee.expect(json!({"event": "built"}));
    let wait = json!({"event": "waiting", "attempt": 1, "delayMs": 80_000, "cause": "tls", "breaker": "open"});
    testee.expect(wait);
    testee.say([json!({"do": "stop", "call": "stop"})]);
    let [started, _] = testee.outcomes(["s", "stop"]);
    assert_eq!((&started["outcome"], &started["cause"]), (&json!("failed"), &json!("stopped")));
    assert!(server.requests().is_empty());
}

const NEGOTIATED: &str = r#"{"negotiateVersion":1,"connectionId":"kept","connectionToken":"secret","useStatefulReconnect":true,"availableTransports":[{"transport":"WebSockets","transferFormats":["Text"]}]}"#;

/// A hub that keeps connections (hub protocol version 2). Its first transport ends before the second call is answered; a later one is
/// either resumed, or unknown.
fn keeping(is_kept: bool) -> ScriptHub {
    ScriptHub::builder()
        .on_negotiate(|request| {
            assert_eq!(request.query("useStatefulReconnect"), Some("true"));
            Reply::from(Answer::json(NEGOTIATED))
        })
        .on_upgrade(move |request| {
            assert_eq!(request.query("id"), Some("secret"));
            if request.serial == 1 && !is_kept { Answer::new(404).into() } else { Reply::Accept }
        })
        .start(move |mut session: Session| async move {
            if session.serial() == 1 && is_kept {
                return resumed(&mut session).await;
            }
            assert_eq!(session.handshake().await.as_deref(), Some(r#"{"protocol":"json","version":2}"#));
            let first = session.recv_json().await.unwrap();
            session.send_text(&result(id_of(&first), 1)).await;
            if session.serial() > 0 {
                return session.ignore_until_close().await;
            }
            while let Some(record) = session.recv_json().await {
                if record["target"] == "Second" {
                    return;
                }
            }
        })
        .unwrap()
}

/// The other side begins with the first message that is not acknowledged, and so do we.
async fn resumed(session: &mut Session) {
    session.send_text("{\"type\":9,\"sequenceId\":2}\u{1e}").await;
    assert_eq!(session.recv_json().await, Some(json!({"type": 9, "sequenceId": 1})));
    let (first, second) = (session.recv_json().await.unwrap(), session.recv_json().await.unwrap());
    assert_eq!((&first["target"], &second["target"]), (&json!("First"), &json!("Second")), "repeated, in order");
    session.send_text(&event("News", &json!([1]))).await;
    session.send_text(&result(id_of(&second), 2)).await;
    session.ignore_until_close().await;
}

fn begin_stateful(testee: &mut Testee, hub: &ScriptHub) {
    start(testee, &hub.hub_url("/hub"), json!({"statefulReconnect": true, "reconnectPreset": "trading"}));
    testee.say([
        json!({"do": "on", "target": "News", "as": "any"}),
        json!({"do": "invoke", "call": "1", "target": "First"}),
    ]);
    testee.expect(json!({"call": "1", "outcome": "value", "value": 1}));
    testee.say([json!({"do": "invoke", "call": "2", "target": "Second"})]);
}

fn a_lost_transport_is_replaced_without_a_word(mut testee: Testee) {
    let hub = keeping(true);
    begin_stateful(&mut testee, &hub);
    // Between the loss and its answer: nothing.
    testee.expect(json!({"event": "received", "target": "News", "arguments": [1]}));
    testee.expect(json!({"call": "2", "outcome": "value", "value": 2}));
    testee.say([json!({"do": "state"})]);
    testee.expect(json!({"event": "state", "state": "connected", "serverConnectionId": "kept"}));
    assert_eq!((hub.sessions(), hub.requests().len()), (2, 3), "one negotiation, two upgrades");
    testee.say([json!({"do": "stop", "call": "stop"})]);
    testee.expect(json!({"event": "disconnected", "cause": "stopped", "message": null}));
    testee.expect(json!({"call": "stop", "outcome": "ok"}));
}

fn a_lost_window_is_an_ordinary_outage(mut testee: Testee) {
    let hub = keeping(false);
    begin_stateful(&mut testee, &hub);
    let reconnecting = testee.wait(json!({"event": "reconnecting"}));
    assert_eq!(reconnecting["cause"], "lost");
    let wait = json!({"event": "waiting", "attempt": 1, "delayMs": 0, "cause": "lost", "breaker": "closed"});
    let [_, second] = testee.wait_for_all([wait, json!({"call": "2"})]);
    assert_eq!(second["outcome"], "outcome_unknown");
    testee.wait(json!({"event": "restored"}));
    testee.say([json!({"do": "invoke", "call": "3", "target": "First"})]);
    testee.expect(json!({"call": "3", "outcome": "value", "value": 1}));
}

fn the_real_hub_keeps_a_connection(mut testee: Testee) {
    let Some(server) = Server::aspnetcore() else { return };
    let hub = server.hub(Profile::Stateful);
    let options = json!({"statefulReconnect": true, "reconnectPreset": "trading"});
    start(&mut testee, &hub.hub_url("conformance"), options);
    let id = testee.told(&json!({"event": "connected"}))[0]["serverConnectionId"].as_str().unwrap().to_owned();
    testee.say([json!({"do": "stream", "call": "c", "target": "Counter", "arguments": [60, 20]})]);
    testee.expect(json!({"call": "c", "item": 0}));
    hub.drop_connection(&id, "tcp");
    for item in 1..60 {
        testee.expect(json!({"call": "c", "item": item}));
    }
    testee.expect(json!({"call": "c", "outcome": "end"}));
    eventually(|| hub.has(&id));
}
