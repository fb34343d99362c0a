//! What follows a failure: the policy, to the letter.

use std::time::{Duration, Instant};

use adapter_core::{Cause, Event, HubConnection, RetryPolicy, Runtime, StartError, State};
use mock_hub::script::{Answer, Reply, Request, ScriptHub};
use tests::events::{find, name, up_to};
use tests::scenarios;
use tests::wait::within;

use super::{builder, connect, echo};

scenarios! {
    without_a_policy_nothing_follows,
    delays_are_used_up_one_by_one,
    the_first_connect_may_be_tried_again,
    a_server_s_wish_raises_the_wait,
    a_success_begins_the_ladder_anew,
    a_refused_login_is_not_tried_again,
}

/// Lets in the first `count` upgrades and refuses the others with this status.
fn letting_in(count: usize, refusal: Answer) -> ScriptHub {
    let upgrade = move |request: &Request| if request.serial < count { Reply::Accept } else { refusal.clone().into() };
    ScriptHub::builder().on_upgrade(upgrade).start(echo).unwrap()
}

fn delays(milliseconds: &[u64]) -> RetryPolicy {
    RetryPolicy::delays(milliseconds.iter().copied().map(Duration::from_millis))
}

async fn without_a_policy_nothing_follows<R: Runtime>() {
    let hub = letting_in(0, Answer::new(503));
    let connection = builder::<R>(&hub).build().unwrap();
    let outcome = within::<R, _>("the start fails", connection.start()).await;
    assert!(matches!(&outcome, Err(StartError::Failed(reason)) if reason.cause() == Cause::HttpStatus), "{outcome:?}");
    // A policy alone stands behind a loss, not behind the first connect.
    let connection = builder::<R>(&hub).automatic_reconnect(delays(&[1, 1])).build().unwrap();
    assert!(within::<R, _>("the start fails", connection.start()).await.is_err());
    assert_eq!(hub.requests().len(), 2);
}

async fn delays_are_used_up_one_by_one<R: Runtime>() {
    let hub = letting_in(1, Answer::new(503));
    let connection = connect::<R>(builder(&hub).automatic_reconnect(delays(&[1, 20, 300]))).await;
    let mut events = connection.events();
    let began = Instant::now();
    connection.send("Die", ()).await.unwrap();
    let mut told = Vec::new();
    let last = find::<R, _>("the end", &mut events, |event| match event {
        Event::Waiting { attempt, delay, reason, .. } => {
            told.push((*attempt, delay.as_millis(), reason.cause()));
            None
        }
        Event::Disconnected(reason) => Some(reason.cause()),
        _ => None,
    })
    .await;
    assert_eq!(told, [(1, 1, Cause::Lost), (2, 20, Cause::HttpStatus), (3, 300, Cause::HttpStatus)]);
    assert_eq!(last, Cause::HttpStatus, "the cause of the last failure");
    assert!(began.elapsed() >= Duration::from_millis(321), "{:?}", began.elapsed());
    assert_eq!((connection.state(), hub.requests().len()), (State::Disconnected, 4));
    let gaps: Vec<Duration> = hub.requests().windows(2).map(|pair| pair[1].at - pair[0].at).collect();
    assert!(gaps[1] >= Duration::from_millis(20) && gaps[2] >= Duration::from_millis(300), "{gaps:?}");
}

async fn the_first_connect_may_be_tried_again<R: Runtime>() {
    let refusing = letting_in(0, Answer::new(503));
    let connection =
        builder::<R>(&refusing).automatic_reconnect(delays(&[1, 1, 1])).retry_initial_connect(true).build().unwrap();
    let mut events = connection.events();
    let outcome = within::<R, _>("the start fails in the end", connection.start()).await;
    assert!(matches!(&outcome, Err(StartError::Failed(reason)) if reason.cause() == Cause::HttpStatus), "{outcome:?}");
    assert_eq!(refusing.requests().len(), 4, "three delays, three more attempts");
    assert_eq!(tests::events::waiting(&mut events), ["waiting:http_status"; 3]);

    let late = ScriptHub::builder()
        .on_upgrade(|request| if request.serial < 2 { Reply::Reset } else { Reply::Accept })
        .start(echo)
        .unwrap();
    let connection =
        builder::<R>(&late).automatic_reconnect(delays(&[1, 1, 1])).retry_initial_connect(true).build().unwrap();
    let mut events = connection.events();
    within::<R, _>("the start", connection.start()).await.unwrap();
    assert_eq!(up_to::<R>(&mut events, "connected").await, ["waiting:lost", "waiting:lost", "connected"]);
}

async fn a_server_s_wish_raises_the_wait<R: Runtime>() {
    for (wish, expected) in [("1", 1), ("7200", 300), ("0", 0), ("soon", 0)] {
        let hub = letting_in(1, Answer::new(503).header("Retry-After", wish));
        let connection = connect::<R>(builder(&hub).automatic_reconnect(delays(&[0, 0]))).await;
        let mut events = connection.events();
        connection.send("Die", ()).await.unwrap();
        let delay = find::<R, _>("the second wait", &mut events, |event| match event {
            Event::Waiting { attempt: 2, delay, .. } => Some(*delay),
            _ => None,
        })
        .await;
        assert_eq!(delay, Duration::from_secs(expected), "{wish}");
        within::<R, _>("the stop", connection.stop()).await;
    }
}

async fn a_success_begins_the_ladder_anew<R: Runtime>() {
    let hub = letting_in(4, Answer::new(503));
    let connection = connect::<R>(builder(&hub).automatic_reconnect(delays(&[5]))).await;
    let mut events = connection.events();
    for _ in 0..3 {
        connection.send("Die", ()).await.unwrap();
        let names = up_to::<R>(&mut events, "restored").await;
        assert_eq!(names, ["reconnecting:lost", "waiting:lost", "reconnected", "restored"]);
    }
    connection.send("Die", ()).await.unwrap();
    let names = up_to::<R>(&mut events, "disconnected:http_status").await;
    assert_eq!(names, ["reconnecting:lost", "waiting:lost", "disconnected:http_status"]);
}

async fn a_refused_login_is_not_tried_again<R: Runtime>() {
    for status in [401, 403] {
        let hub = letting_in(1, Answer::new(status));
        let builder = HubConnection::<R>::builder(hub.hub_url("/hub")).skip_negotiation(true);
        let connection = connect(builder.automatic_reconnect(delays(&[1; 50]))).await;
        let mut events = connection.events();
        connection.send("Die", ()).await.unwrap();
        find::<R, _>("the end", &mut events, |event| (name(event) == "disconnected:unauthorized").then_some(())).await;
        assert_eq!(hub.requests().len(), 2);
    }
}
