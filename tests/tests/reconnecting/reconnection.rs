//! The eight reconnection scenarios.

use adapter_core::{
    BreakerConfig, CallError, Cause, Event, Exponential, FailureClass, HubConnection, NotSent, RetryPolicy, Runtime,
    State, WaitReason,
};
use futures_util::future::join_all;
use mock_hub::script::{Answer, Reply, ScriptHub, Session};
use tests::events::{find, name, up_to};
use tests::records::{completion, id_of};
use tests::scenarios;
use tests::tls::TlsServer;
use tests::wait::{eventually, within};

use super::{
    Wait, answering, apart, assert_timely, builder, connect, delays, echo, failing, ms, soon_broken, unwell, wait_of,
    waits,
};

scenarios! {
    ws_reconnection_exponential_backoff_on_disconnect,
    ws_reconnection_max_retries_enforcement,
    ws_reconnection_backoff_reset_on_success,
    ws_reconnection_concurrent_reconnection_attempts,
    ws_reconnection_connection_state_preservation,
    ws_reconnection_failure_modes,
    ws_reconnection_adaptive_backoff_strategy,
    ws_reconnection_forced_disconnect,
}

fn quick() -> RetryPolicy {
    RetryPolicy::exponential(Exponential::default().first(ms(10)))
}

async fn ws_reconnection_exponential_backoff_on_disconnect<R: Runtime>() {
    let hub = failing(4);
    let connection = connect::<R>(builder(&hub).automatic_reconnect(RetryPolicy::exponential(<_>::default()))).await;
    let mut events = connection.lifecycle();
    connection.send("Die", ()).await.unwrap();
    let ladder = [100, 200, 400, 800, 1_600].map(ms);
    assert_eq!(delays(&waits::<R>(&mut events, 5).await), ladder);
    up_to::<R>(&mut events, "restored").await;
    assert_timely(&apart(&hub, 1), &ladder[1..]);
}

async fn ws_reconnection_max_retries_enforcement<R: Runtime>() {
    let hub = failing(5);
    let connection = connect::<R>(builder(&hub).automatic_reconnect(quick())).await;
    let mut events = connection.lifecycle();
    connection.send("Die", ()).await.unwrap();
    let names = up_to::<R>(&mut events, "disconnected:http_status").await;
    assert_eq!(names.iter().filter(|name| name.starts_with("waiting")).count(), 5, "{names:?}");
    assert_eq!((connection.state(), hub.requests().len()), (State::Disconnected, 6));
    let metrics = connection.retry_metrics();
    assert_eq!((metrics.attempts, metrics.exhausted), (6, 1));
    // The application may begin anew at any time, whatever the breaker has seen.
    within::<R, _>("the start", connection.start()).await.unwrap();
    assert_eq!(hub.requests().len(), 7, "nothing was dialled in between");
}

async fn ws_reconnection_backoff_reset_on_success<R: Runtime>() {
    let hub = answering(|serial| if serial % 4 == 0 { Reply::Accept } else { unwell() });
    // What failed counts for the breaker until a connection has lived for ten seconds; that is not the point here.
    let patient = quick().breaker(BreakerConfig::default().threshold(50));
    let connection = connect::<R>(builder(&hub).automatic_reconnect(patient)).await;
    for _ in 0..3 {
        let mut events = connection.lifecycle();
        connection.send("Die", ()).await.unwrap();
        assert_eq!(delays(&waits::<R>(&mut events, 4).await), [10, 20, 40, 80].map(ms));
        up_to::<R>(&mut events, "restored").await;
    }
}

/// However many ask for it, there is one dial.
async fn ws_reconnection_concurrent_reconnection_attempts<R: Runtime>() {
    let hub = failing(1);
    let policy = RetryPolicy::delays([ms(0), ms(3_600_000)]);
    let connection = connect::<R>(builder(&hub).automatic_reconnect(policy)).await;
    let mut events = connection.lifecycle();
    connection.send("Die", ()).await.unwrap();
    waits::<R>(&mut events, 2).await;
    let asking = (0..8).map(|_| {
        let connection = connection.clone();
        async move {
            connection.reconnect_now();
            connection.network_up();
            connection.start().await
        }
    });
    let starts = within::<R, _>("the starts", join_all(asking)).await;
    assert!(starts.iter().all(Result::is_err), "a start is no way to reconnect: {starts:?}");
    up_to::<R>(&mut events, "restored").await;
    assert_eq!((hub.requests().len(), hub.sessions()), (3, 2));
}

/// Wishes survive; a call that may have reached the hub does not go out again, and one that cannot leave says so at once.
async fn ws_reconnection_connection_state_preservation<R: Runtime>() {
    let (told, heard) = std::sync::mpsc::channel();
    let hub = ScriptHub::builder()
        .on_upgrade(|request| if request.serial == 1 { unwell() } else { Reply::Accept })
        .start(move |mut session: Session| {
            let told = told.clone();
            async move {
                session.handshake().await;
                while let Some(call) = session.recv_json().await {
                    let target = call["target"].as_str().unwrap_or_default().to_owned();
                    told.send((session.serial(), target.clone())).unwrap();
                    match target.as_str() {
                        "Die" => return session.abort(),
                        "PlaceOrder" => {}
                        _ => _ = session.send_text(&completion(id_of(&call))).await,
                    }
                }
            }
        })
        .unwrap();
    let policy = RetryPolicy::delays([ms(0), ms(300)]);
    let connection = connect::<R>(builder(&hub).automatic_reconnect(policy)).await;
    let mut events = connection.lifecycle();
    within::<R, _>("the subscription", connection.subscribe("Subscribe", (1,))).await.unwrap();
    let order = connection.invoke::<()>("PlaceOrder", (1,));
    let dying = connection.send("Die", ());
    let (order, died) = within::<R, _>("the loss", futures_util::future::join(order, dying)).await;
    died.unwrap();
    assert!(matches!(&order, Err(CallError::OutcomeUnknown(_))), "{order:?}");
    // Connected again only after 300 ms: this cannot leave now, and does not wait.
    waits::<R>(&mut events, 2).await;
    let away = within::<R, _>("the call meanwhile", connection.invoke::<()>("Meanwhile", ())).await;
    assert!(matches!(&away, Err(CallError::NotSent(NotSent::NotConnected(State::Reconnecting)))), "{away:?}");
    up_to::<R>(&mut events, "restored").await;
    within::<R, _>("a call", connection.invoke::<()>("After", ())).await.unwrap();
    let calls: Vec<_> = heard.try_iter().filter(|(serial, _)| *serial == 2).map(|(_, target)| target).collect();
    assert_eq!(calls, ["Subscribe", "After"]);
}

async fn ws_reconnection_failure_modes<R: Runtime>() {
    let html = Answer::new(200).header("Content-Type", "text/html").body("<html>maintenance</html>");
    let modes: [(Cause, FailureClass, Reply); 9] = [
        (Cause::Lost, FailureClass::Lost, Reply::Reset),
        (Cause::Lost, FailureClass::Lost, Reply::Close),
        (Cause::ConnectTimeout, FailureClass::Timeout, Reply::Never),
        (Cause::HttpStatus, FailureClass::Refused, Answer::new(502).into()),
        (Cause::HttpStatus, FailureClass::Refused, Answer::new(503).into()),
        (Cause::HttpStatus, FailureClass::Throttled, Answer::new(429).into()),
        (Cause::HttpStatus, FailureClass::Refused, Answer::new(404).into()),
        (Cause::HttpStatus, FailureClass::Refused, html.into()),
        (Cause::ProtocolViolation, FailureClass::Protocol, Reply::Bytes(b"SSH-2.0-OpenSSH_9.9\r\n\r\n".to_vec())),
    ];
    let runs = modes.into_iter().enumerate().map(|(index, (cause, class, reply))| async move {
        let hub = answering(move |serial| if serial == 1 { reply.clone() } else { Reply::Accept });
        let connection = connect::<R>(builder(&hub).connect_timeout(ms(500)).automatic_reconnect(quick())).await;
        let mut events = connection.lifecycle();
        connection.send("Die", ()).await.unwrap();
        let told = find::<R, _>("the second wait", &mut events, |event| match event {
            Event::Waiting { attempt: 2, reason, .. } => Some((reason.cause(), reason.class())),
            _ => None,
        });
        assert_eq!(told.await, (cause, class), "mode {index}");
        up_to::<R>(&mut events, "restored").await;
        assert_eq!(within::<R, _>("a call", connection.invoke::<i64>("Echo", (7,))).await, Ok(7));
    });
    join_all(runs).await;
    handshakes_that_fail::<R>().await;
}

/// The upgrade succeeds and the handshake does not: refused, garbled, unanswered.
async fn handshakes_that_fail<R: Runtime>() {
    for (answer, cause) in [
        (Some("{\"error\":\"not today\"}\u{1e}"), "handshake_rejected"),
        (Some("garbage\u{1e}"), "protocol_violation"),
        (None, "handshake_timeout"),
    ] {
        let hub = ScriptHub::start(move |mut session: Session| async move {
            match (session.serial(), answer) {
                (1, Some(answer)) => {
                    session.recv_record().await;
                    session.send_text(answer).await;
                    session.ignore_until_close().await;
                }
                (1, None) => session.ignore_until_close().await,
                _ => echo(session).await,
            }
        })
        .unwrap();
        let builder = builder::<R>(&hub).handshake_timeout(ms(500)).automatic_reconnect(quick());
        let connection = connect::<R>(builder).await;
        let mut events = connection.lifecycle();
        connection.send("Die", ()).await.unwrap();
        let names = up_to::<R>(&mut events, "restored").await;
        let waiting = format!("waiting:{cause}");
        assert_eq!(names, ["reconnecting:lost", "waiting:lost", &waiting, "reconnected", "restored"]);
    }
}

/// The kind of failure decides how long is waited.
async fn ws_reconnection_adaptive_backoff_strategy<R: Runtime>() {
    let second_wait = async |reply: Reply| {
        let hub = answering(move |serial| if serial == 0 { Reply::Accept } else { reply.clone() });
        let connection = connect::<R>(builder(&hub).automatic_reconnect(RetryPolicy::signalr())).await;
        let mut events = connection.lifecycle();
        connection.send("Die", ()).await.unwrap();
        let wait = waits::<R>(&mut events, 2).await[1];
        within::<R, _>("the stop", connection.stop()).await;
        wait
    };
    let policy = second_wait(unwell()).await;
    assert_eq!((policy.why, policy.delay), (WaitReason::Policy, ms(2_000)));
    for status in [429, 503] {
        let throttled = second_wait(Answer::new(status).header("Retry-After", "60").into()).await;
        assert_eq!((throttled.why, throttled.class), (WaitReason::RetryAfter, FailureClass::Throttled));
        assert!((60_000..=66_000).contains(&throttled.delay.as_millis()), "up to 10 % more: {throttled:?}");
    }

    // An announced end: at random within two seconds.
    let hub = answering(|_| Reply::Accept);
    let connection = connect::<R>(builder(&hub).automatic_reconnect(RetryPolicy::signalr())).await;
    let mut events = connection.lifecycle();
    connection.send("Drain", ()).await.unwrap();
    let drain = waits::<R>(&mut events, 1).await[0];
    assert_eq!((drain.why, drain.class), (WaitReason::Drain, FailureClass::Drain));
    assert!(drain.delay < ms(2_000), "{drain:?}");

    // A certificate that nobody vouches for: rarely, whatever the ladder says.
    let server = TlsServer::start(String::new());
    let policy = RetryPolicy::signalr();
    let untrusting = HubConnection::<R>::builder(server.url("/hub")).skip_negotiation(true);
    let connection = untrusting.automatic_reconnect(policy).retry_initial_connect(true).build().unwrap();
    let mut events = connection.lifecycle();
    let starting = connection.start();
    let watching = async {
        let tls = waits::<R>(&mut events, 1).await[0];
        connection.stop().await;
        tls
    };
    let (started, tls) = within::<R, _>("the wait", futures_util::future::join(starting, watching)).await;
    assert!(started.is_err());
    assert_eq!((tls.why, tls.class, tls.delay), (WaitReason::Tls, FailureClass::Tls, ms(80_000)));
    assert!(tls.why.is_critical());
    assert_eq!(server.requests(), [] as [String; 0], "nothing of a request is told to a stranger");
}

async fn ws_reconnection_forced_disconnect<R: Runtime>() {
    let hub = failing(1);
    let connection = connect::<R>(builder(&hub).automatic_reconnect(soon_broken(ms(100), ms(100)))).await;
    let mut events = connection.lifecycle();
    // Asked for while the link dies, and again while a wait is under way.
    let (died, ()) = futures_util::future::join(connection.send("Die", ()), connection.stop()).await;
    died.unwrap();
    find::<R, _>("the end", &mut events, |event| (name(event) == "disconnected:stopped").then_some(())).await;
    let attempts = connection.retry_metrics().attempts;
    within::<R, _>("another stop", connection.stop()).await;
    assert_eq!((connection.state(), connection.retry_metrics().attempts), (State::Disconnected, attempts));

    let hub = failing(usize::MAX - 1);
    let connection = connect::<R>(builder(&hub).automatic_reconnect(RetryPolicy::signalr())).await;
    let mut events = connection.lifecycle();
    connection.send("Die", ()).await.unwrap();
    let told: Vec<Wait> = waits::<R>(&mut events, 2).await;
    assert_eq!(delays(&told), [ms(0), ms(2_000)]);
    within::<R, _>("the stop", connection.stop()).await;
    assert_eq!(up_to::<R>(&mut events, "disconnected:stopped").await, ["disconnected:stopped"]);
    // What was waited for is past when this is answered: no dial came of it.
    let began = std::time::Instant::now();
    eventually::<R>("the time of the wait passes", || began.elapsed() > ms(2_500)).await;
    assert_eq!((hub.requests().len(), connection.retry_metrics().attempts), (2, 2));
    assert!(events_are_silent(&mut events), "nothing follows the end");
}

fn events_are_silent(events: &mut adapter_core::Events) -> bool {
    use futures_util::{FutureExt, StreamExt};
    events.next().now_or_never().flatten().as_ref().and_then(wait_of).is_none()
}
