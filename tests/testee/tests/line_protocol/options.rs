//! The options of `build`.

use std::time::{Duration, Instant};

use mock_hub::script::{Answer, Reply, ScriptHub};
use serde_json::{Value, json};

use crate::driver::{PATIENCE, Testee};
use crate::on_both_runtimes;

on_both_runtimes!(
    each_option_is_taken,
    what_cannot_be_is_named,
    headers_and_the_token_are_sent,
    the_list_of_tokens_moves_on,
    pings_are_sent,
    pings_can_be_off,
    a_stop_does_not_wait_for_ever,
);

fn each_option_is_taken(mut testee: Testee) {
    // An option of the wrong kind is refused; so what is taken here means something. Only one connection is ever built.
    let options = json!({
        "skipNegotiation": false, "accessTokens": ["a", "b"], "headers": {"X-A": "b"}, "reconnectDelaysMs": [0, 10],
        "retryInitialConnect": false, "keepAliveMs": 0, "serverTimeoutMs": 0, "handshakeTimeoutMs": 1_000, "connectTimeoutMs": 1_000,
        "stopTimeoutMs": 1_000, "callTimeoutMs": 0, "maxRecordBytes": 1_000, "maxPendingEvents": 1, "statefulReconnect": false,
        "protocol": "json", "transports": ["WebSockets"], "allowInsecureToken": true,
    });
    for (name, _) in options.as_object().unwrap() {
        let wrong = if name == "headers" { json!(5) } else { json!({"what": 1}) };
        testee.say([json!({"do": "build", "url": "http://127.0.0.1:9/", name: wrong})]);
        let answer = testee.next();
        assert!(
            answer["event"] == "config_error" && answer["message"].as_str().unwrap().contains(name),
            "{name}: {answer}"
        );
    }
    let mut build = json!({"do": "build", "url": "http://127.0.0.1:9/"});
    build.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
    testee.say([build]);
    testee.expect(json!({"event": "built"}));
}

fn what_cannot_be_is_named(mut testee: Testee) {
    for (name, options) in [
        ("protocol", json!({"protocol": "messagepack"})),
        ("transports", json!({"transports": ["LongPolling"]})),
        ("transports", json!({"transports": ["WebSockets", "ServerSentEvents"]})),
        ("transports", json!({"transports": []})),
        ("reconnectPreset", json!({"reconnectPreset": "someday"})),
        ("reconnectPreset", json!({"reconnectPreset": "microsoft", "reconnectDelaysMs": [0]})),
        ("accessTokens", json!({"accessToken": "a", "accessTokens": ["b"]})),
        ("accessTokens", json!({"accessTokens": []})),
        ("retries", json!({"retries": 5})),
        ("handshake_timeout", json!({"handshakeTimeoutMs": 0})),
        ("max_record_bytes", json!({"maxRecordBytes": 0})),
        ("a b", json!({"headers": {"a b": "c"}})),
        ("X-A", json!({"headers": {"X-A": "b\r\nX-C: d"}})),
        ("example.com", json!({"url": "http://example.com/", "accessToken": "t0ken"})),
        ("URL", json!({"url": "ftp://127.0.0.1/"})),
    ] {
        let mut build = json!({"do": "build", "url": "http://127.0.0.1:9/"});
        build.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
        testee.say([build]);
        let answer = testee.next();
        let message = answer["message"].as_str().unwrap().to_lowercase();
        assert!(answer["event"] == "config_error" && message.contains(&name.to_lowercase()), "{options}: {answer}");
        assert!(!message.contains("t0ken"));
    }
    let all =
        json!({"do": "build", "url": "http://127.0.0.1:9/", "reconnectPreset": "trading", "statefulReconnect": true});
    testee.say([all]);
    testee.expect(json!({"event": "built"}));
}

fn start(testee: &mut Testee, hub: &ScriptHub, options: Value) {
    let mut build = json!({"do": "build", "url": hub.hub_url("/hub")});
    build.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
    testee.say([build, json!({"do": "start", "call": "s"})]);
    testee.wait(json!({"call": "s", "outcome": "ok"}));
}

fn idle() -> ScriptHub {
    ScriptHub::start(|mut session| async move {
        session.handshake().await;
        session.ignore_until_close().await;
    })
    .unwrap()
}

fn headers_and_the_token_are_sent(mut testee: Testee) {
    let hub = idle();
    start(&mut testee, &hub, json!({"skipNegotiation": true, "accessToken": "t0ken", "headers": {"X-A": "b"}}));
    let requests = hub.requests();
    assert_eq!(requests.len(), 1, "nothing was negotiated");
    assert_eq!((requests[0].header("X-A"), requests[0].header("Authorization")), (Some("b"), Some("Bearer t0ken")));
    assert_eq!(testee.told(&json!({"event": "connected"}))[0]["serverConnectionId"], Value::Null);
}

fn the_list_of_tokens_moves_on(mut testee: Testee) {
    let hub = ScriptHub::builder()
        .on_negotiate(|request| match request.header("Authorization") {
            Some("Bearer stale") => Reply::from(Answer::new(401)),
            _ => Reply::Accept,
        })
        .start(|mut session| async move {
            session.handshake().await;
            if session.serial() > 1 {
                session.ignore_until_close().await;
            }
        })
        .unwrap();
    start(&mut testee, &hub, json!({"accessTokens": ["stale", "first", "second"], "reconnectDelaysMs": [1]}));
    // The scripts of the first two connections end at once.
    testee.wait(json!({"event": "restored"}));
    assert!(hub.wait_until(PATIENCE, |hub| hub.sessions() == 3));
    let tokens: Vec<_> = hub
        .requests()
        .iter()
        .map(|request| request.header("Authorization").unwrap_or_default().replace("Bearer ", ""))
        .collect();
    // A negotiation and an upgrade each; the refused negotiation is repeated with the next token.
    assert_eq!(tokens, ["stale", "first", "first", "second", "second", "second", "second"]);
}

fn pings_are_sent(mut testee: Testee) {
    let hub = ScriptHub::start(|mut session| async move {
        session.handshake().await;
        for _ in 0..5 {
            assert_eq!(session.recv_record().await.as_deref(), Some(r#"{"type":6}"#));
        }
        session.close(1000).await;
    })
    .unwrap();
    start(&mut testee, &hub, json!({"keepAliveMs": 5}));
    assert_eq!(testee.next()["cause"], "lost");
    assert!(hub.wait_until(PATIENCE, |hub| hub.finished() == 1));
}

fn pings_can_be_off(mut testee: Testee) {
    let hub = ScriptHub::start(|mut session| async move {
        session.handshake().await;
        let record = session.recv_record().await.unwrap_or_default();
        assert!(record.contains("First"), "the first record is the application's: {record}");
        session.ignore_until_close().await;
    })
    .unwrap();
    start(&mut testee, &hub, json!({"keepAliveMs": 0, "serverTimeoutMs": 0}));
    testee.say([json!({"do": "send", "call": "1", "target": "First"})]);
    testee.wait(json!({"call": "1", "outcome": "ok"}));
    testee.end();
}

fn a_stop_does_not_wait_for_ever(mut testee: Testee) {
    let hub = ScriptHub::start(|mut session| async move {
        session.handshake().await;
        session.hang().await;
    })
    .unwrap();
    start(&mut testee, &hub, json!({"stopTimeoutMs": 50}));
    let began = Instant::now();
    testee.say([json!({"do": "stop", "call": "stop"})]);
    testee.wait(json!({"event": "disconnected", "cause": "stopped"}));
    testee.expect(json!({"call": "stop", "outcome": "ok"}));
    let took = began.elapsed();
    assert!(took >= Duration::from_millis(50) && took < Duration::from_secs(4), "{took:?}");
}
