//! Why a start fails, and why a connection ends.

use std::io::{Read, Write};
use std::net::TcpListener;

use mock_hub::script::{Answer, Reply, ScriptHub};
use serde_json::{Value, json};

use crate::driver::Testee;
use crate::on_both_runtimes;

on_both_runtimes!(
    nobody_listens,
    an_unknown_name,
    refused_with_a_status,
    refused_for_want_of_a_token,
    no_negotiation,
    nobody_answers_the_negotiation,
    nobody_answers_the_upgrade,
    nobody_answers_the_handshake,
    a_refused_handshake,
    silence,
    a_record_that_is_too_long,
    a_broken_record,
    violations_that_do_not_end_it,
    no_tls_there,
);

/// Builds, starts, and gives the start's outcome.
fn start(testee: &mut Testee, url: &str, options: Value) -> Value {
    let mut build = json!({"do": "build", "url": url});
    build.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
    testee.say([build, json!({"do": "start", "call": "s"})]);
    let [outcome] = testee.outcomes(["s"]);
    outcome
}

fn assert_failed(outcome: &Value, cause: &str) {
    assert_eq!((&outcome["outcome"], &outcome["cause"]), (&json!("failed"), &json!(cause)), "{outcome}");
    assert!(outcome["message"].as_str().is_some_and(|message| !message.is_empty()));
}

fn answering(reply: Reply) -> ScriptHub {
    ScriptHub::builder().on_negotiate(move |_| reply.clone()).start(|_| async {}).unwrap()
}

fn nobody_listens(mut testee: Testee) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    assert_failed(&start(&mut testee, &format!("http://{address}/hub"), json!({})), "refused");
    // What was never connected is not disconnected.
    assert_eq!(testee.end(), [] as [Value; 0]);
}

fn an_unknown_name(mut testee: Testee) {
    assert_failed(&start(&mut testee, "http://no-such-host.invalid/hub", json!({})), "refused");
}

fn refused_with_a_status(mut testee: Testee) {
    let hub = answering(Reply::from(Answer::new(503)));
    assert_failed(&start(&mut testee, &hub.hub_url("/hub"), json!({})), "http_status");
}

fn refused_for_want_of_a_token(mut testee: Testee) {
    let hub = answering(Reply::from(Answer::new(401)));
    let outcome = start(
        &mut testee,
        &hub.hub_url("/hub"),
        json!({"accessToken": "t0ken", "reconnectDelaysMs": [1], "retryInitialConnect": true}),
    );
    assert_failed(&outcome, "unauthorized");
    assert!(!outcome.to_string().contains("t0ken"));
    // Asked once more, and never again.
    assert_eq!(hub.requests().len(), 2);
}

fn no_negotiation(mut testee: Testee) {
    let hub = answering(Reply::from(Answer::new(200).body("<html>")));
    assert_failed(&start(&mut testee, &hub.hub_url("/hub"), json!({})), "negotiation");
}

fn nobody_answers_the_negotiation(mut testee: Testee) {
    let hub = answering(Reply::Never);
    assert_failed(&start(&mut testee, &hub.hub_url("/hub"), json!({"connectTimeoutMs": 50})), "connect_timeout");
}

fn nobody_answers_the_upgrade(mut testee: Testee) {
    let hub = ScriptHub::builder().on_upgrade(|_| Reply::Never).start(|_| async {}).unwrap();
    assert_failed(&start(&mut testee, &hub.hub_url("/hub"), json!({"connectTimeoutMs": 50})), "connect_timeout");
}

fn nobody_answers_the_handshake(mut testee: Testee) {
    let hub = ScriptHub::start(|session| session.hang()).unwrap();
    assert_failed(&start(&mut testee, &hub.hub_url("/hub"), json!({"handshakeTimeoutMs": 50})), "handshake_timeout");
}

fn a_refused_handshake(mut testee: Testee) {
    let hub = ScriptHub::start(|mut session| async move {
        session.recv_record().await;
        session.send_text("{\"error\":\"not this protocol\"}\u{1e}").await;
        session.ignore_until_close().await;
    })
    .unwrap();
    let outcome = start(&mut testee, &hub.hub_url("/hub"), json!({}));
    assert_failed(&outcome, "handshake_rejected");
    assert!(outcome["message"].as_str().unwrap().contains("not this protocol"));
}

/// A hub that says this after the handshake, and then nothing more.
fn saying(text: &'static str) -> ScriptHub {
    ScriptHub::start(move |mut session| async move {
        session.handshake().await;
        session.send_text(text).await;
        session.ignore_until_close().await;
    })
    .unwrap()
}

fn silence(mut testee: Testee) {
    let hub = saying("");
    assert_eq!(start(&mut testee, &hub.hub_url("/hub"), json!({"serverTimeoutMs": 50}))["outcome"], "ok");
    assert_eq!(testee.wait(json!({"event": "disconnected"}))["cause"], "server_timeout");
}

fn a_record_that_is_too_long(mut testee: Testee) {
    let hub =
        saying("{\"type\":1,\"target\":\"T\",\"arguments\":[\"0123456789012345678901234567890123456789\"]}\u{1e}");
    assert_eq!(start(&mut testee, &hub.hub_url("/hub"), json!({"maxRecordBytes": 50}))["outcome"], "ok");
    testee.wait(json!({"event": "violation"}));
    assert_eq!(testee.wait(json!({"event": "disconnected"}))["cause"], "oversize");
}

fn a_broken_record(mut testee: Testee) {
    let hub = saying(
        "{\"type\":1,\"target\":\"Before\",\"arguments\":[]}\u{1e}{\"type\":1,\u{1e}{\"type\":1,\"target\":\"After\",\"arguments\":[]}\u{1e}",
    );
    assert_eq!(start(&mut testee, &hub.hub_url("/hub"), json!({}))["outcome"], "ok");
    testee.expect(json!({"event": "unhandled", "target": "Before"}));
    assert_eq!(testee.next()["event"], "violation");
    let disconnected = testee.next();
    assert_eq!(
        (&disconnected["event"], &disconnected["cause"]),
        (&json!("disconnected"), &json!("protocol_violation"))
    );
    assert_eq!(testee.end(), [] as [Value; 0]);
}

fn violations_that_do_not_end_it(mut testee: Testee) {
    let hub = saying(
        "{\"type\":99}\u{1e}{\"type\":3,\"invocationId\":\"77\"}\u{1e}{\"type\":1,\"target\":\"After\",\"arguments\":[]}\u{1e}",
    );
    assert_eq!(start(&mut testee, &hub.hub_url("/hub"), json!({}))["outcome"], "ok");
    assert_eq!(testee.next()["event"], "violation");
    assert_eq!(testee.next()["event"], "violation");
    testee.expect(json!({"event": "unhandled", "target": "After"}));
    testee.say([json!({"do": "state"})]);
    assert_eq!(testee.next()["state"], "connected");
}

fn no_tls_there(mut testee: Testee) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        // Whatever it is, it is no TLS.
        assert!(socket.read(&mut [0; 1024]).is_ok_and(|read| read > 0));
        socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
    });
    assert_failed(&start(&mut testee, &format!("https://{address}/hub"), json!({})), "tls");
    server.join().unwrap();
}
