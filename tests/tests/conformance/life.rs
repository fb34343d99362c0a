//! How connections live and end.

use std::time::{Duration, Instant};

use adapter_core::{Cause, Event, HubConnection, RetryPolicy, Runtime, State};
use futures_util::{FutureExt, StreamExt};
use tests::conformance;
use tests::events::{find, name, up_to};
use tests::hubs::{Profile, Server};
use tests::relay::Relay;
use tests::wait::{eventually, poll_once, within};

use super::{builder, connect, id};

conformance! {
    the_hub_hears_of_a_stop,
    an_abort_ends_it_whatever_the_policy,
    a_goodbye_of_the_hub_ends_it,
    a_lost_socket_is_followed_by_a_reconnect,
    a_socket_that_dies_without_a_word_is_noticed,
    pings_keep_the_connection,
    without_pings_the_hub_hangs_up,
    a_silent_hub_times_out,
}

fn soon() -> RetryPolicy {
    RetryPolicy::custom(|_| Some(Duration::from_millis(20)))
}

async fn the_hub_hears_of_a_stop<R: Runtime>(server: Server) {
    let hub = server.usual();
    let connection = connect::<R>(builder(hub)).await;
    let mut events = connection.events();
    let id = id(&connection);
    eventually::<R>("the hub knows it", || hub.has(&id)).await;
    within::<R, _>("the stop", connection.stop()).await;
    assert_eq!(up_to::<R>(&mut events, "disconnected:stopped").await, ["disconnected:stopped"]);
    eventually::<R>("the hub knows it no more", || !hub.has(&id)).await;
}

async fn an_abort_ends_it_whatever_the_policy<R: Runtime>(server: Server) {
    let connection = connect::<R>(builder(server.usual()).automatic_reconnect(soon())).await;
    let mut events = connection.events();
    connection.send("Abort", ()).await.unwrap();
    assert_eq!(up_to::<R>(&mut events, "disconnected:closed_by_hub").await, ["disconnected:closed_by_hub"]);
    assert_eq!(connection.state(), State::Disconnected);
    within::<R, _>("another start", connection.start()).await.unwrap();
}

async fn a_goodbye_of_the_hub_ends_it<R: Runtime>(server: Server) {
    let hub = server.usual();
    let connection = connect::<R>(builder(hub).automatic_reconnect(soon())).await;
    let mut events = connection.events();
    hub.drop_connection(&id(&connection), "close");
    assert_eq!(up_to::<R>(&mut events, "disconnected:closed_by_hub").await, ["disconnected:closed_by_hub"]);
}

async fn a_lost_socket_is_followed_by_a_reconnect<R: Runtime>(server: Server) {
    let hub = server.usual();
    let connection = connect::<R>(builder(hub).automatic_reconnect(soon())).await;
    let mut events = connection.events();
    for _ in 0..3 {
        let before = id(&connection);
        hub.drop_connection(&before, "tcp");
        let names = up_to::<R>(&mut events, "restored").await;
        assert_eq!(names, ["reconnecting:lost", "waiting:lost", "reconnected", "restored"]);
        assert_ne!(id(&connection), before);
        assert_eq!(within::<R, _>("a call", connection.invoke::<i64>("Add", (1, 2))).await, Ok(3));
    }
    let unlucky = connect::<R>(builder(hub)).await;
    let mut events = unlucky.events();
    hub.drop_connection(&id(&unlucky), "tcp");
    assert_eq!(up_to::<R>(&mut events, "disconnected:lost").await, ["disconnected:lost"]);
}

async fn a_socket_that_dies_without_a_word_is_noticed<R: Runtime>(server: Server) {
    let hub = server.hub(Profile::Impatient);
    let relay = Relay::to(hub.authority());
    let builder = HubConnection::<R>::builder(format!("http://{}/hubs/conformance", relay.authority()));
    let builder = builder.server_timeout(Duration::from_millis(900)).keep_alive_interval(Duration::from_millis(200));
    let connection = connect(builder.automatic_reconnect(soon())).await;
    let mut events = connection.events();
    assert_eq!(connection.invoke::<i64>("Add", (1, 2)).await, Ok(3));
    relay.freeze();
    // What we send puts nothing off.
    let (mut sends, mut told) = (Vec::new(), None);
    eventually::<R>("the loss is noticed", || {
        let mut send = Box::pin(connection.send("Void", ()));
        if poll_once(&mut send).is_none() {
            sends.push(send);
        }
        if let Some(Some(Event::Reconnecting(reason))) = events.next().now_or_never() {
            told = Some(reason);
        }
        told.is_some()
    })
    .await;
    let reason = told.unwrap();
    assert_eq!(reason.cause(), Cause::ServerTimeout);
    let names = up_to::<R>(&mut events, "restored").await;
    assert_eq!(names, ["waiting:server_timeout", "reconnected", "restored"]);
    assert_eq!(within::<R, _>("a call", connection.invoke::<i64>("Add", (1, 2))).await, Ok(3));
    assert!(relay.accepted() >= 4, "negotiation and upgrade, twice");
}

async fn pings_keep_the_connection<R: Runtime>(server: Server) {
    let hub = server.hub(Profile::Impatient);
    let connection = connect::<R>(builder(hub).keep_alive_interval(Duration::from_millis(500))).await;
    let mut events = connection.events();
    let before = connection.counters().control;
    let began = Instant::now();
    // More than twice the hub's patience; it pings once a second at the least.
    let has_lasted = || began.elapsed() > Duration::from_millis(3_500) && connection.counters().control >= before + 2;
    eventually::<R>("the hub pings on", has_lasted).await;
    assert_eq!(connection.state(), State::Connected);
    assert_eq!(tests::events::waiting(&mut events), [""; 0]);
    assert_eq!(connection.invoke::<i64>("Add", (1, 2)).await, Ok(3));
}

async fn without_pings_the_hub_hangs_up<R: Runtime>(server: Server) {
    let hub = server.hub(Profile::Impatient);
    // The first ping, at the connect, starts the hub's clock; the next one comes too late.
    let connection = connect::<R>(builder(hub).keep_alive_interval(Duration::from_secs(60))).await;
    let mut events = connection.events();
    let reason = find::<R, _>("the end", &mut events, |event| match event {
        Event::Disconnected(reason) => Some(reason.clone()),
        _ => None,
    })
    .await;
    assert_eq!(reason.cause(), Cause::ClosedByHub);
    assert!(reason.explain().contains("Connection closed with an error"), "{reason}");
}

async fn a_silent_hub_times_out<R: Runtime>(server: Server) {
    // This one pings every 15 s.
    let connection = connect::<R>(builder(server.usual()).server_timeout(Duration::from_millis(300))).await;
    let mut events = connection.events();
    let last =
        find::<R, _>("the end", &mut events, |event| matches!(event, Event::Disconnected(_)).then(|| name(event)))
            .await;
    assert_eq!(last, "disconnected:server_timeout");
}
