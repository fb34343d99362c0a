//! Every tool of the scripted server.

mod common;

use std::time::Duration;

use common::{Client, DEADLINE, End, HANDSHAKE, http};
use mock_hub::script::{Answer, Reply, ScriptHub, SocketMessage};
use tokio_tungstenite::tungstenite::Message;

async fn lost_without_a_word(hub: &ScriptHub) {
    let mut client = Client::open(&hub.hub_url("/hub")).await.unwrap_or_else(|status| panic!("{status}"));
    assert_eq!(client.read_to_end().await, (String::new(), End::Lost));
}

/// Whoever waits may have another runtime, or none at all.
#[test]
fn waiting_needs_no_runtime_of_the_callers() {
    let hub = ScriptHub::start(|_| async {}).unwrap();
    assert!(futures_util::FutureExt::now_or_never(hub.until(DEADLINE, |hub| hub.sessions() == 0)).unwrap());
}

#[tokio::test]
async fn a_script_reads_and_writes_what_it_likes() {
    let hub = ScriptHub::start(|mut session| async move {
        assert_eq!(session.request().query("x"), Some("1"));
        assert_eq!(session.handshake().await.as_deref(), Some("{\"protocol\":\"json\",\"version\":1}"));
        assert_eq!(session.recv_record().await.as_deref(), Some("{\"type\":6}"));
        assert_eq!(session.recv_json().await.unwrap()["target"], "T");
        assert_eq!(session.recv_message().await, Some(SocketMessage::Binary(vec![0xff])));
        assert!(session.send_text("half").await);
        assert!(session.send_binary(b" a record\x1e").await);
        assert!(session.send_fragmented(&[b"in ", "thrée".as_bytes(), b" parts\x1e"]).await);
        assert!(session.write_raw_bytes(b"\x81\x04raw\x1e").await);
        session.close(1012).await;
    })
    .unwrap();
    let mut client = Client::open(&hub.hub_url("/hub?x=1")).await.unwrap_or_else(|status| panic!("{status}"));
    client.send(HANDSHAKE).await;
    // Records need not respect messages.
    client.send("{\"type\":6}\u{1e}{\"type\":6}\u{1e}{\"type\":1,").await;
    client.send("\"target\":\"T\",\"arguments\":[]}\u{1e}").await;
    client.send_message(Message::binary(vec![0xff])).await;
    let expected = "{}\u{1e}half a record\u{1e}in thrée parts\u{1e}raw\u{1e}";
    assert_eq!(client.read_to_end().await, (expected.to_owned(), End::Closed(1012)));
    assert!(hub.until(DEADLINE, |hub| hub.finished() == 1).await);
    assert_eq!(hub.sessions(), 1);
}

#[tokio::test]
async fn a_session_ends_by_abort_by_its_scripts_end_or_never() {
    lost_without_a_word(&ScriptHub::start(|session| async { session.abort() }).unwrap()).await;
    lost_without_a_word(&ScriptHub::start(|session| async { drop(session) }).unwrap()).await;

    let hub = ScriptHub::start(|session| async { session.hang().await }).unwrap();
    let mut client = Client::open(&hub.hub_url("/hub")).await.unwrap_or_else(|status| panic!("{status}"));
    assert!(client.is_silent_for(Duration::from_millis(100)).await);
    hub.stop();
    assert_eq!(client.read_to_end().await.1, End::Lost);
}

#[tokio::test]
async fn ignoring_still_answers_a_close() {
    let hub = ScriptHub::start(|mut session| async move { session.ignore_until_close().await }).unwrap();
    let mut client = Client::open(&hub.hub_url("/hub")).await.unwrap_or_else(|status| panic!("{status}"));
    client.send("whatever").await;
    client.send_message(Message::Close(None)).await;
    assert_eq!(client.read_to_end().await, (String::new(), End::Closed(1005)));
    assert!(hub.until(DEADLINE, |hub| hub.finished() == 1).await);
}

#[tokio::test]
async fn requests_are_recorded_and_negotiate_has_a_default() {
    let hub = ScriptHub::start(|session| async { drop(session) }).unwrap();
    let url = hub.hub_url("/hub/negotiate?negotiateVersion=1");
    let (status, _, body) = http("POST", &url, &[("X-Mine", "yes")], "body").await;
    assert_eq!(status, 200);
    assert!(body.contains("\"connectionToken\""), "{body}");
    let (status, ..) = http("GET", &hub.hub_url("/other"), &[], "").await;
    assert_eq!(status, 404);
    lost_without_a_word(&hub).await;

    let requests = hub.requests();
    assert_eq!(requests.iter().map(|request| request.serial).collect::<Vec<_>>(), [0, 1, 0]);
    assert!(requests[0].is_negotiate() && !requests[1].is_negotiate() && requests[2].is_upgrade());
    assert_eq!((requests[0].header("x-mine"), requests[0].body.as_slice()), (Some("yes"), &b"body"[..]));
    assert_eq!(requests[0].query("negotiateVersion"), Some("1"));
}

#[tokio::test]
async fn hooks_decide_on_every_request() {
    let hub = ScriptHub::builder()
        .on_negotiate(|request| {
            (u16::try_from(500 + request.serial).unwrap(), vec![("Retry-After".to_owned(), "2".to_owned())], "busy")
        })
        .on_upgrade(|request| match request.serial {
            0 => Reply::from(Answer::new(429).header("Retry-After", "7")),
            1 => Reply::Bytes(b"SSH-2.0-not a web server\r\n\r\n".to_vec()),
            2 => Reply::Reset,
            3 => Reply::Close,
            4 => Reply::Never,
            _ => Reply::Accept,
        })
        .start(|mut session| async move {
            assert_eq!(session.serial(), 5);
            session.send_text("here").await;
            session.hang().await;
        })
        .unwrap();
    let (status, head, body) = http("POST", &hub.hub_url("/hub/negotiate"), &[], "").await;
    assert_eq!((status, body.as_str()), (500, "busy"));
    assert!(head.contains("retry-after: 2"), "{head}");

    let url = hub.hub_url("/hub");
    assert_eq!(Client::open(&url).await.err(), Some(429));
    for _ in 0..3 {
        assert_eq!(Client::open(&url).await.err(), Some(0));
    }
    assert!(tokio::time::timeout(Duration::from_millis(100), Client::open(&url)).await.is_err());
    let mut client = Client::open(&url).await.unwrap_or_else(|status| panic!("{status}"));
    assert_eq!(client.message().await.unwrap().to_text().unwrap(), "here");
    assert_eq!(hub.sessions(), 1);
}

#[tokio::test]
async fn a_scripts_failed_assertion_fails_the_test() {
    let hub = ScriptHub::start(|session| async move { assert!(session.serial() > 0, "told") }).unwrap();
    lost_without_a_word(&hub).await;
    assert!(hub.until(DEADLINE, |hub| hub.finished() == 1).await);
    assert_eq!(hub.take_panics(), ["told"]);

    let hub = ScriptHub::start(|_| async { panic!("not taken") }).unwrap();
    lost_without_a_word(&hub).await;
    assert!(hub.until(DEADLINE, |hub| hub.finished() == 1).await);
    let dropped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(hub)));
    assert!(dropped.is_err());
}
