//! Starting: together, twice, and without waiting for it.

use std::sync::atomic::{AtomicBool, Ordering};

use adapter_core::{Cause, HubConnection, Rejection, Runtime, StartError, State};
use futures_util::future::join_all;
use mock_hub::script::{Answer, Reply, ScriptHub};
use tests::scenarios;
use tests::wait::{eventually, poll_once, within};

use super::{builder, connect, echo, echo_hub, soon};

scenarios! {
    starts_join_each_other,
    joined_starts_fail_together,
    a_start_while_it_is_started_is_rejected,
    a_dropped_start_goes_on,
    it_starts_again_and_again,
}

async fn starts_join_each_other<R: Runtime>() {
    let hub = echo_hub();
    let connection = HubConnection::<R>::builder(hub.hub_url("/hub")).build().unwrap();
    let starts = join_all((0..8).map(|_| connection.start()));
    assert_eq!(within::<R, _>("all of them", starts).await, vec![Ok(()); 8]);
    assert_eq!((hub.requests().len(), hub.sessions()), (2, 1), "one negotiation, one upgrade");
}

async fn joined_starts_fail_together<R: Runtime>() {
    let hub = ScriptHub::builder().on_upgrade(|_| Answer::new(500)).start(echo).unwrap();
    let connection = builder::<R>(&hub).build().unwrap();
    let outcomes = within::<R, _>("all of them", join_all((0..3).map(|_| connection.start()))).await;
    for outcome in &outcomes {
        assert!(
            matches!(outcome, Err(StartError::Failed(reason)) if reason.cause() == Cause::HttpStatus),
            "{outcome:?}"
        );
    }
    assert_eq!(hub.requests().len(), 1);
}

async fn a_start_while_it_is_started_is_rejected<R: Runtime>() {
    let is_open = std::sync::Arc::new(AtomicBool::new(true));
    let gate = is_open.clone();
    let upgrade = move |_: &_| if gate.load(Ordering::SeqCst) { Reply::Accept } else { Reply::from(Answer::new(503)) };
    let hub = ScriptHub::builder().on_upgrade(upgrade).start(echo).unwrap();
    let connection = connect::<R>(builder(&hub).automatic_reconnect(soon())).await;
    let rejected = |state| Err(StartError::Rejected(Rejection::NotDisconnected(state)));
    assert_eq!(connection.start().await, rejected(State::Connected));
    is_open.store(false, Ordering::SeqCst);
    connection.send("Die", ()).await.unwrap();
    eventually::<R>("it reconnects", || connection.state() == State::Reconnecting).await;
    assert_eq!(connection.start().await, rejected(State::Reconnecting));
    assert_eq!(connection.state(), State::Reconnecting);
}

async fn a_dropped_start_goes_on<R: Runtime>() {
    let hub = echo_hub();
    let connection = builder::<R>(&hub).build().unwrap();
    let mut start = Box::pin(connection.start());
    assert_eq!(poll_once(&mut start), None);
    drop(start);
    eventually::<R>("it connects all the same", || connection.state() == State::Connected).await;
    // A start that was never polled was never asked for.
    within::<R, _>("the stop", connection.stop()).await;
    drop(connection.start());
    assert_eq!(connection.state(), State::Disconnected);
}

async fn it_starts_again_and_again<R: Runtime>() {
    let hub = echo_hub();
    let connection = builder::<R>(&hub).build().unwrap();
    for round in 1..=20 {
        within::<R, _>("the start", connection.start()).await.unwrap();
        assert_eq!(connection.connection_id().unwrap().local(), round);
        assert_eq!(connection.invoke::<u64>("Echo", (round,)).await, Ok(round));
        within::<R, _>("the stop", connection.stop()).await;
    }
    assert_eq!(hub.sessions(), 20);
}
