//! Rows of the failure catalogue that concern dials: slow, refused for their token, announced, answered and dropped.

use std::io::Write;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use adapter_core::{Exponential, FailureClass, HubConnection, RetryPolicy, Runtime, State, WaitReason};
use futures_util::future::join_all;
use mock_hub::script::{Answer, Reply, ScriptHub, Session};
use tests::events::{find, up_to};
use tests::raw::{RawServer, drain, drip, switching, text_frame};
use tests::records::{ACCEPTED, completion, id_of};
use tests::scenarios;
use tests::wait::{eventually, within};

use super::{Wait, answering, apart, assert_timely, builder, connect, delays, ms, unwell, wait_of, waits};

scenarios! {
    cf_05_slowloris_upgrade,
    cf_26_token_expires_mid_reconnect,
    cf_26_a_fresh_token_that_is_refused_too_ends_it,
    cf_28_token_expiry_while_connected,
    cf_31_close_allow_true_storm,
    cf_33_connect_then_drop_flap,
}

/// A reconnect whose upgrade comes byte by byte fails at its one deadline, and the next dial is made.
async fn cf_05_slowloris_upgrade<R: Runtime>() {
    let dials = AtomicUsize::new(0);
    let server = RawServer::start(move |head, mut socket: TcpStream| match dials.fetch_add(1, Ordering::SeqCst) {
        // 130 bytes of these take four seconds.
        1 => drip(&mut socket, switching(&head).as_bytes(), || thread::sleep(ms(30))),
        serial => {
            let bytes = [switching(&head).into_bytes(), text_frame(ACCEPTED)].concat();
            socket.write_all(&bytes).unwrap();
            if serial > 0 {
                drain(socket);
            }
        }
    });
    let policy = RetryPolicy::exponential(Exponential::default());
    let builder = HubConnection::<R>::builder(server.url("/hub")).skip_negotiation(true);
    let connection = builder.connect_timeout(ms(500)).automatic_reconnect(policy).build().unwrap();
    let mut events = connection.lifecycle();
    let (started, slow) = futures_util::future::join(
        connection.start(),
        find::<R, _>("the second wait", &mut events, |event| wait_of(event).filter(|wait| wait.attempt == 2)),
    )
    .await;
    started.unwrap();
    // The time that the hub took is not waited for once more.
    assert_eq!((slow.class, slow.delay), (FailureClass::Timeout, Duration::ZERO));
    up_to::<R>(&mut events, "restored").await;
    assert_eq!((connection.state(), server.requests()), (State::Connected, 3));
}

/// What each dial carried as its token.
fn tokens(hub: &ScriptHub) -> Vec<String> {
    let header = |request: &mock_hub::script::Request| request.header("authorization").unwrap_or_default().to_owned();
    hub.requests().iter().map(header).collect()
}

/// Connects with a provider that gives `t1`, `t2` and so on.
async fn connect_with_tokens<R: Runtime>(hub: &ScriptHub, policy: RetryPolicy) -> HubConnection<R> {
    let asked = Arc::new(AtomicUsize::new(1));
    let provider = move || {
        let serial = asked.fetch_add(1, Ordering::SeqCst);
        std::future::ready(Ok::<_, std::convert::Infallible>(format!("t{serial}")))
    };
    connect::<R>(builder(hub).access_token_provider(provider).automatic_reconnect(policy)).await
}

async fn cf_26_token_expires_mid_reconnect<R: Runtime>() {
    let hub = answering(|serial| match serial {
        1 | 4 => unwell(),
        2 => Answer::new(401).into(),
        _ => Reply::Accept,
    });
    let policy = RetryPolicy::exponential(Exponential::default());
    let connection = connect_with_tokens::<R>(&hub, policy).await;
    let mut events = connection.lifecycle();
    connection.send("Die", ()).await.unwrap();
    // The third dial is the second with another token: told as no wait, and no rung of the ladder. It succeeds, so the ladder is new.
    assert_eq!(delays(&waits::<R>(&mut events, 2).await), [100, 200].map(ms));
    assert_eq!(up_to::<R>(&mut events, "restored").await, ["reconnected", "restored"]);
    assert_eq!(tokens(&hub), ["Bearer t1", "Bearer t2", "Bearer t3", "Bearer t4"]);
    assert_timely(&apart(&hub, 1), &[200, 0].map(ms));
    assert_eq!(connection.retry_metrics().attempts, 3, "one attempt, two tokens");
}

async fn cf_26_a_fresh_token_that_is_refused_too_ends_it<R: Runtime>() {
    let hub = answering(|serial| match serial {
        0 => Reply::Accept,
        1 => unwell(),
        _ => Answer::new(401).into(),
    });
    let connection = connect_with_tokens::<R>(&hub, RetryPolicy::trading()).await;
    let mut events = connection.lifecycle();
    connection.send("Die", ()).await.unwrap();
    let names = up_to::<R>(&mut events, "disconnected:unauthorized").await;
    assert_eq!(names.iter().filter(|name| name.starts_with("waiting")).count(), 2, "{names:?}");
    assert_eq!(tokens(&hub), ["Bearer t1", "Bearer t2", "Bearer t3", "Bearer t4"]);
    // Once more only when the application says so.
    assert_eq!(connection.state(), State::Disconnected);
}

/// The hub cuts a connection whose token is over: an ordinary outage with its gap, and the next dial has a token of its own.
async fn cf_28_token_expiry_while_connected<R: Runtime>() {
    let hub = ScriptHub::builder()
        .on_upgrade(|request| match request.header("authorization") {
            Some("Bearer t1") if request.serial > 0 => Reply::from(Answer::new(401)),
            _ => Reply::Accept,
        })
        .start(|mut session: Session| async move {
            session.handshake().await;
            let call = session.recv_json().await.unwrap_or_default();
            session.send_text(&completion(id_of(&call))).await;
            if session.serial() == 0 {
                // So ASP.NET Core ends a connection whose token expires.
                session.send_text(tests::records::CLOSE_AND_RECONNECT).await;
            }
            session.ignore_until_close().await;
        })
        .unwrap();
    let connection = connect_with_tokens::<R>(&hub, RetryPolicy::trading()).await;
    let mut events = connection.lifecycle();
    within::<R, _>("the subscription", connection.subscribe("Subscribe", ())).await.unwrap();
    let names = up_to::<R>(&mut events, "restored").await;
    let expected = ["subscribed", "reconnecting:closed_by_hub", "gap_opened", "waiting:closed_by_hub", "reconnected"];
    assert_eq!(names[..5], expected, "{names:?}");
    assert_eq!(names[5..], ["gap_closed", "restored"], "{names:?}");
    assert_eq!(tokens(&hub), ["Bearer t1", "Bearer t2"]);
}

/// Twenty clients are sent away at once: they come back over two seconds, not together.
async fn cf_31_close_allow_true_storm<R: Runtime>() {
    const CLIENTS: usize = 20;
    let hub = answering(|_| Reply::Accept);
    let connections = join_all((0..CLIENTS).map(|seed| {
        let seeded = builder::<R>(&hub).retry_seed(u64::try_from(seed).unwrap());
        connect(seeded.automatic_reconnect(RetryPolicy::signalr()))
    }))
    .await;
    let returns = connections.iter().map(|connection| async move {
        let mut events = connection.lifecycle();
        connection.send("Drain", ()).await.unwrap();
        let wait = waits::<R>(&mut events, 1).await[0];
        assert_eq!((wait.why, wait.class), (WaitReason::Drain, FailureClass::Drain));
        up_to::<R>(&mut events, "restored").await;
        wait.delay
    });
    let mut delays = within::<R, _>("the returns", join_all(returns)).await;
    delays.sort_unstable();
    assert!(delays[CLIENTS - 1] < ms(2_000) && delays[CLIENTS - 1] - delays[0] > ms(1_000), "{delays:?}");
    let most =
        delays.iter().map(|from| delays.iter().filter(|&at| (*from..*from + ms(100)).contains(at)).count()).max();
    assert!(most.unwrap() <= CLIENTS / 4, "in a tenth of a second: {delays:?}");
    assert_eq!(hub.sessions(), 2 * CLIENTS);
}

/// Five losses in short succession are answered at once; then each costs a wait.
async fn cf_33_connect_then_drop_flap<R: Runtime>() {
    let policies = [RetryPolicy::signalr(), RetryPolicy::microsoft(), RetryPolicy::delays([Duration::ZERO])];
    let runs = policies.into_iter().map(|policy| async move {
        let hub = ScriptHub::start(|mut session: Session| async move {
            session.handshake().await;
        })
        .unwrap();
        let connection = builder::<R>(&hub).automatic_reconnect(policy).build().unwrap();
        let mut events = connection.lifecycle();
        within::<R, _>("the start", connection.start()).await.unwrap();
        let waits: Vec<Wait> = waits::<R>(&mut events, 6).await;
        assert_eq!(delays(&waits), [0, 0, 0, 0, 0, 2_000].map(ms));
        assert_eq!((waits[4].why, waits[5].why), (WaitReason::Policy, WaitReason::Flapping));
        assert!(waits.iter().all(|wait| wait.attempt == 1), "each outage is a new one: {waits:?}");
        assert_eq!((hub.requests().len(), connection.retry_metrics().flaps), (6, 6));
        let began = Instant::now();
        eventually::<R>("the seventh dial", || hub.requests().len() == 7).await;
        assert!(began.elapsed() >= ms(1_900), "{:?}", began.elapsed());
        within::<R, _>("the stop", connection.stop()).await;
    });
    join_all(runs).await;
}
