//! What an application's log says of a connection's life, when it collects `tracing`.
//!
//! A program of its own: whoever collects, collects of the whole process.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic where it stands")]

use std::time::Duration;

use adapter_core::{RetryPolicy, Runtime};
use futures_util::lock::Mutex;
use mock_hub::script::{Answer, Reply, ScriptHub};
use tests::capture::{captured, everything};
use tests::events::up_to;
use tests::scenarios;
use tests::scripted::{builder, connect, echo};
use tests::wait::within;

scenarios! {
    it_sig_001_003_010_011_012_are_in_the_log,
}

/// One at a time, so that each reads its own lines.
static ALONE: Mutex<()> = Mutex::new(());

/// Connected, lost, each wait with its delay, refused, connected again, restored, and a token that is not good.
async fn it_sig_001_003_010_011_012_are_in_the_log<R: Runtime>() {
    everything();
    let _alone = ALONE.lock().await;
    let before = captured().len();
    let reply = |serial| match serial {
        0 | 2 => Reply::Accept,
        1 => Answer::new(500).into(),
        _ => Answer::new(401).into(),
    };
    let hub = ScriptHub::builder().on_upgrade(move |request| reply(request.serial)).start(echo).unwrap();
    let policy = RetryPolicy::delays([3, 7].map(Duration::from_millis));
    let connection = connect::<R>(builder(&hub).automatic_reconnect(policy)).await;
    let mut events = connection.lifecycle();
    within::<R, _>("a subscription", connection.subscribe("Subscribe", (1,))).await.unwrap();
    connection.send("Die", ()).await.unwrap();
    up_to::<R>(&mut events, "restored").await;
    within::<R, _>("the stop", connection.stop()).await;
    let refused = builder::<R>(&hub).access_token("not-good").build().unwrap();
    assert!(within::<R, _>("the start", refused.start()).await.is_err());

    let log = captured().split_off(before);
    let lines: Vec<_> = log.lines().filter(|line| line.contains("signalr_proto")).collect();
    let mut at = 0;
    for pieces in [
        &["INFO", "message=connected", "connection=1"][..],
        &["INFO", "message=connection lost", "cause=lost"],
        &["INFO", "message=waiting", "delay=3ms", "cause=lost"],
        &["message=attempt failed", "cause=http_status", "500"],
        &["INFO", "message=waiting", "delay=7ms", "cause=http_status"],
        &["INFO", "message=connected", "connection=2"],
        &["INFO", "message=restored", "subscriptions=1"],
        &["message=attempt failed", "cause=unauthorized", "401"],
    ] {
        let found = lines[at..].iter().position(|line| pieces.iter().all(|piece| line.contains(piece)));
        let found = found.unwrap_or_else(|| panic!("no {pieces:?} in, from line {at} on: {lines:#?}"));
        at += found + 1;
    }
    assert!(!log.contains("not-good"), "a token is in the log");
}
