//! Faults before the WebSocket is open: HTTP that is none, slow, cut off.

use std::io::Write;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use adapter_core::{Cause, HubConnection, HubConnectionBuilder, Runtime, StartError, State};
use futures_util::future::join_all;
use mock_hub::script::{Answer, Reply, Request, ScriptHub};
use serde_json::json;
use tests::raw::{RawServer, drain, drip, switching, text_frame};
use tests::records::{ACCEPTED, event};
use tests::scenarios;
use tests::wait::{next, within};

use super::behave;

scenarios! {
    answers_that_are_none_fail_the_attempt,
    no_answer_at_all_times_out,
    a_slow_upgrade_has_one_deadline,
    a_slow_upgrade_within_its_deadline_works,
    nobody_there_is_refused,
    an_overloaded_server_may_say_when,
}

/// The start fails for this cause, and the next one succeeds.
async fn fails<R: Runtime>(what: &str, builder: HubConnectionBuilder<R>, cause: Cause) {
    let connection = builder.connect_timeout(Duration::from_millis(500)).build().unwrap();
    let outcome = within::<R, _>(what, connection.start()).await;
    let Err(StartError::Failed(reason)) = &outcome else { panic!("{what}: {outcome:?}") };
    assert_eq!(reason.cause(), cause, "{what}: {reason}");
    assert!(!reason.explain().contains(char::is_control), "{what}: {reason:?}");
    assert_eq!(connection.state(), State::Disconnected);
    within::<R, _>(what, connection.start()).await.unwrap();
    assert_eq!(connection.invoke::<i64>("Seven", ()).await, Ok(7), "{what}");
}

/// Answers the first negotiation, or else the first upgrade, with this; all later ones well.
fn hub(at_upgrade: bool, reply: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> ScriptHub {
    let is_done = AtomicBool::new(false);
    let decide = std::sync::Arc::new(move |request: &Request| match is_done.swap(true, Ordering::SeqCst) {
        true => Reply::Accept,
        false => reply(request),
    });
    let builder = ScriptHub::builder();
    let builder = match at_upgrade {
        true => builder.on_upgrade(move |request| decide(request)),
        false => builder.on_negotiate(move |request| decide(request)),
    };
    builder.start(behave).unwrap()
}

fn bytes(text: &str) -> Reply {
    Reply::Bytes(text.as_bytes().to_vec())
}

async fn answers_that_are_none_fail_the_attempt<R: Runtime>() {
    let html = "<html><body>Please log in to the hotel's network</body></html>";
    let many = (0..200).map(|serial| format!("X-{serial}: 1\r\n")).collect::<String>();
    let both = |cause: Cause, reply: Reply| [(false, cause, reply.clone()), (true, cause, reply)];
    let cases: Vec<(bool, Cause, Reply)> = [
        both(Cause::Lost, Reply::Reset),
        both(Cause::Lost, Reply::Close),
        both(Cause::Lost, bytes("HTTP/1.1 200 OK\r\nContent-")),
        both(Cause::ProtocolViolation, bytes("SSH-2.0-OpenSSH_9.9\r\n\r\n\r\n")),
        both(Cause::ProtocolViolation, bytes("\0\0\0\0\r\n\r\n")),
        both(Cause::ProtocolViolation, bytes("HTTP/1.1 999999 Huh\r\n\r\n")),
        both(Cause::ProtocolViolation, bytes(&format!("HTTP/1.1 200 OK\r\n{many}Content-Length: 0\r\n\r\n"))),
        both(Cause::ProtocolViolation, bytes(&format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(100_000)))),
        both(Cause::HttpStatus, Answer::new(404).into()),
        both(Cause::HttpStatus, Answer::new(418).body(html).into()),
        both(Cause::HttpStatus, Answer::new(500).body(html).into()),
    ]
    .into_iter()
    .flatten()
    .chain([
        (true, Cause::HttpStatus, Answer::new(200).header("Content-Type", "text/html").body(html).into()),
        (true, Cause::HttpStatus, Answer::json("{}").into()),
        (true, Cause::HttpStatus, Answer::new(426).into()),
        (false, Cause::Negotiation, Answer::new(200).header("Content-Type", "text/html").body(html).into()),
        (false, Cause::Negotiation, Answer::json("").into()),
        (false, Cause::Negotiation, Answer::json("{}").into()),
        (false, Cause::Negotiation, Answer::json("[]").into()),
        (false, Cause::Negotiation, Answer::json(vec_text(b"\xff\xfe")).into()),
        (false, Cause::Negotiation, Answer::json(format!("{}{}", "[".repeat(100_000), "]".repeat(100_000))).into()),
        (false, Cause::Negotiation, Answer::json("{\"connectionId\":\"a\",\"availableTransports\":[]}").into()),
        (false, Cause::ProtocolViolation, Answer::json("x".repeat(2 << 20)).into()),
        (false, Cause::Lost, bytes("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")),
        (false, Cause::HttpStatus, Answer::new(204).into()),
    ])
    .collect();
    let runs = cases.into_iter().enumerate().map(|(index, (at_upgrade, cause, reply))| async move {
        let shown: String = format!("{reply:?}").chars().take(80).collect();
        let what = format!("{index}: {} {shown}", if at_upgrade { "upgrade" } else { "negotiation" });
        let hub = hub(at_upgrade, move |_| reply.clone());
        fails::<R>(&what, HubConnection::builder(hub.hub_url("/hub")), cause).await;
    });
    join_all(runs).await;

    // Answers to the upgrade that are nearly right.
    let keys: [fn(&str) -> String; 4] = [
        |answer| answer.replace("Sec-WebSocket-Accept: ", "Sec-WebSocket-Accept: A"),
        |answer| {
            answer
                .lines()
                .filter(|line| !line.starts_with("Sec-"))
                .map(|line| format!("{line}\r\n"))
                .collect::<String>()
        },
        |answer| answer.replace("Upgrade: websocket", "Upgrade: h2c"),
        |answer| answer.replace("Connection: Upgrade", "Connection: close"),
    ];
    for (index, spoil) in keys.into_iter().enumerate() {
        let hub = hub(true, move |request| {
            let key = format!("Sec-WebSocket-Key: {}\r\n\r\n", request.header("sec-websocket-key").unwrap_or_default());
            bytes(&spoil(&switching(&key)))
        });
        fails::<R>(&format!("spoilt {index}"), HubConnection::builder(hub.hub_url("/hub")), Cause::ProtocolViolation)
            .await;
    }
}

/// Bytes that are no text, where a text is asked for.
fn vec_text(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

async fn no_answer_at_all_times_out<R: Runtime>() {
    for at_upgrade in [false, true] {
        let hub = hub(at_upgrade, |_| Reply::Never);
        fails::<R>("never", HubConnection::builder(hub.hub_url("/hub")), Cause::ConnectTimeout).await;
    }
}

async fn a_slow_upgrade_has_one_deadline<R: Runtime>() {
    let server = RawServer::start(|head, mut socket| {
        let answer = if head.starts_with("GET") {
            switching(&head)
        } else {
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_owned()
        };
        // 150 bytes of these take a second and a half.
        drip(&mut socket, answer.as_bytes(), || thread::sleep(Duration::from_millis(15)));
        drain(socket);
    });
    for skip_negotiation in [true, false] {
        let builder = HubConnection::<R>::builder(server.url("/hub")).skip_negotiation(skip_negotiation);
        let connection = builder.connect_timeout(Duration::from_millis(300)).build().unwrap();
        let began = Instant::now();
        let outcome = within::<R, _>("the deadline", connection.start()).await;
        assert!(
            matches!(&outcome, Err(StartError::Failed(reason)) if reason.cause() == Cause::ConnectTimeout),
            "{outcome:?}"
        );
        assert!(began.elapsed() >= Duration::from_millis(300), "{:?}", began.elapsed());
    }
    assert_eq!(server.requests(), 2);
}

async fn a_slow_upgrade_within_its_deadline_works<R: Runtime>() {
    let server = RawServer::start(|head, mut socket: TcpStream| {
        let mut bytes = switching(&head).into_bytes();
        bytes.extend(text_frame(ACCEPTED));
        bytes.extend(text_frame(&event("Good", &json!(["é"]))));
        drip(&mut socket, &bytes, thread::yield_now);
        drain(socket);
    });
    let glued = RawServer::start(|head, mut socket: TcpStream| {
        let mut bytes = switching(&head).into_bytes();
        bytes.extend(text_frame(ACCEPTED));
        bytes.extend(text_frame(&event("Good", &json!(["é"]))));
        // All of it at once: the first frames travel with the answer to the upgrade.
        socket.write_all(&bytes).unwrap();
        drain(socket);
    });
    for server in [server, glued] {
        let connection = HubConnection::<R>::builder(server.url("/hub")).skip_negotiation(true).build().unwrap();
        let mut good = connection.on::<(String,)>("Good");
        within::<R, _>("the start", connection.start()).await.unwrap();
        assert_eq!(next::<R, _>("the event", &mut good).await.into_value(), Some(("é".to_owned(),)));
    }
}

async fn nobody_there_is_refused<R: Runtime>() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for url in [format!("http://{nobody}/hub"), "http://no-such-host.invalid/hub".to_owned()] {
        for skip_negotiation in [false, true] {
            let connection = HubConnection::<R>::builder(&*url).skip_negotiation(skip_negotiation).build().unwrap();
            let outcome = within::<R, _>("the refusal", connection.start()).await;
            assert!(
                matches!(&outcome, Err(StartError::Failed(reason)) if reason.cause() == Cause::Refused),
                "{outcome:?}"
            );
        }
    }
}

async fn an_overloaded_server_may_say_when<R: Runtime>() {
    for at_upgrade in [false, true] {
        let hub = hub(at_upgrade, |_| Answer::new(503).header("Retry-After", "1").into());
        let builder = HubConnection::<R>::builder(hub.hub_url("/hub")).retry_initial_connect(true);
        let connection = builder.automatic_reconnect(super::soon()).build().unwrap();
        let began = Instant::now();
        within::<R, _>("the start", connection.start()).await.unwrap();
        assert!(began.elapsed() >= Duration::from_secs(1), "{:?}", began.elapsed());
    }
}
