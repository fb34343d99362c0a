//! Stateful reconnect: a connection that outlives its transport.

use std::time::Duration;

use adapter_core::{HubConnection, HubConnectionBuilder, RetryPolicy, Runtime};
use futures_util::{StreamExt, future::join_all};
use tests::conformance;
use tests::events::up_to;
use tests::hubs::{Hub, Profile, Server};
use tests::relay::Relay;
use tests::wait::within;

use super::{connect, id};

conformance! {
    a_lost_socket_is_replaced_and_the_connection_goes_on,
    what_the_hub_sent_meanwhile_comes_once_and_in_order,
    calls_made_meanwhile_are_carried_out_once,
    a_stream_goes_on_without_a_hole,
    a_large_result_and_many_invocations_do_not_deadlock,
    a_relay_that_is_cut_again_and_again_loses_nothing,
    a_connection_that_the_hub_ended_is_lost_in_the_ordinary_way,
    without_the_option_a_lost_socket_is_a_lost_connection,
    it_needs_a_negotiation,
}

fn stateful<R: Runtime>(hub: &Hub) -> HubConnectionBuilder<R> {
    let builder = HubConnection::builder(hub.hub_url("conformance")).stateful_reconnect(true);
    builder.automatic_reconnect(RetryPolicy::custom(|_| Some(Duration::from_millis(20))))
}

async fn a_lost_socket_is_replaced_and_the_connection_goes_on<R: Runtime>(server: Server) {
    let hub = server.hub(Profile::Stateful);
    let connection = connect::<R>(stateful(hub)).await;
    let mut events = connection.lifecycle();
    let before = id(&connection);
    for _ in 0..3 {
        hub.drop_connection(&before, "tcp");
        assert_eq!(up_to::<R>(&mut events, "resumed").await, ["interrupted:lost", "resumed"]);
        assert_eq!(within::<R, _>("a call", connection.invoke::<i64>("Add", (1, 2))).await, Ok(3));
        assert_eq!(id(&connection), before);
        assert!(hub.has(&before));
    }
}

/// Each round is well below what a pipe of the server's holds: ASP.NET Core may stall for good when a socket goes while it is full.
async fn what_the_hub_sent_meanwhile_comes_once_and_in_order<R: Runtime>(server: Server) {
    const COUNT: i64 = 400;
    let hub = server.hub(Profile::Stateful);
    let connection = connect::<R>(stateful(hub)).await;
    let mut numbers = connection.on::<(i64,)>("Number");
    let mut events = connection.lifecycle();
    let id = id(&connection);
    // More than five in ten seconds would have to wait: see the flap budget.
    for round in 0..5 {
        let flood = connection.call("Flood").arguments((COUNT, "Number")).timeout(None).invoke::<()>();
        let drop = async {
            hub.drop_connection(&id, "tcp");
            // A connection without a socket cannot be dropped again: the hub must have the new one.
            up_to::<R>(&mut events, "resumed").await;
            assert_eq!(within::<R, _>("a call", connection.invoke::<i64>("Add", (1, 2))).await, Ok(3));
        };
        let (outcome, ()) = futures_util::join!(flood, drop);
        assert_eq!(outcome, Ok(()), "round {round}");
        for number in 0..COUNT {
            let next = within::<R, _>("the next number", numbers.next()).await.unwrap();
            let (got,) = next.into_value().unwrap_or_else(|| panic!("no gap at {number} of round {round}"));
            assert_eq!(got, number, "round {round}");
        }
    }
}

async fn calls_made_meanwhile_are_carried_out_once<R: Runtime>(server: Server) {
    let hub = server.hub(Profile::Stateful);
    let connection = connect::<R>(stateful(hub)).await;
    let mut notes = connection.on::<(i64,)>("Note");
    let id = id(&connection);
    for round in 0..5_i64 {
        hub.drop_connection(&id, "tcp");
        let calls = (0..10).map(|index| {
            let connection = connection.clone();
            async move { connection.invoke::<()>("SendBack", ("Note", (round * 10 + index,))).await }
        });
        for outcome in within::<R, _>("the calls", join_all(calls)).await {
            assert_eq!(outcome, Ok(()));
        }
    }
    let mut got = Vec::new();
    while got.len() < 50 {
        got.push(within::<R, _>("a note", notes.next()).await.unwrap().into_value().unwrap().0);
    }
    got.sort_unstable();
    assert_eq!(got, (0..50).collect::<Vec<_>>());
}

async fn a_stream_goes_on_without_a_hole<R: Runtime>(server: Server) {
    let hub = server.hub(Profile::Stateful);
    let connection = connect::<R>(stateful(hub)).await;
    let mut items = connection.stream::<i64>("Counter", (200, 5));
    let id = id(&connection);
    for expected in 0..200 {
        assert_eq!(within::<R, _>("an item", items.next()).await.unwrap(), Ok(expected));
        if expected % 60 == 30 {
            hub.drop_connection(&id, "tcp");
        }
    }
    assert!(within::<R, _>("the end", items.next()).await.is_none());
}

/// The hub reads Acks in line with invocations and stops writing at 100,000 bytes: Microsoft's JavaScript client waits for ever here.
async fn a_large_result_and_many_invocations_do_not_deadlock<R: Runtime>(server: Server) {
    let hub = server.hub(Profile::Stateful);
    let connection = connect::<R>(stateful(hub)).await;
    for _ in 0..3 {
        let large = within::<R, _>("a large result", connection.invoke::<String>("Payload", (900_000,))).await.unwrap();
        assert_eq!(large.len(), 900_000);
        let calls = (0..20).map(|index| connection.invoke::<i64>("Add", (index, 1)));
        let sums = within::<R, _>("many calls", join_all(calls)).await;
        assert_eq!(sums, (1..=20).map(Ok).collect::<Vec<_>>());
    }
}

async fn a_relay_that_is_cut_again_and_again_loses_nothing<R: Runtime>(server: Server) {
    let hub = server.hub(Profile::Stateful);
    let relay = Relay::to(hub.authority());
    let builder = HubConnection::<R>::builder(format!("http://{}/hubs/conformance", relay.authority()));
    let connection = connect::<R>(
        builder.stateful_reconnect(true).automatic_reconnect(RetryPolicy::custom(|_| Some(Duration::from_millis(20)))),
    )
    .await;
    let mut items = connection.stream::<i64>("Counter", (300, 2));
    for expected in 0..300 {
        if expected % 80 == 40 {
            relay.cut();
        }
        assert_eq!(within::<R, _>("an item", items.next()).await.unwrap(), Ok(expected));
    }
}

async fn a_connection_that_the_hub_ended_is_lost_in_the_ordinary_way<R: Runtime>(server: Server) {
    let hub = server.hub(Profile::Stateful);
    let connection = connect::<R>(stateful(hub)).await;
    let mut events = connection.lifecycle();
    hub.drop_connection(&id(&connection), "close");
    assert_eq!(up_to::<R>(&mut events, "disconnected:closed_by_hub").await, ["disconnected:closed_by_hub"]);
}

async fn without_the_option_a_lost_socket_is_a_lost_connection<R: Runtime>(server: Server) {
    let hub = server.hub(Profile::Stateful);
    let connection = connect::<R>(stateful(hub).stateful_reconnect(false)).await;
    let mut events = connection.lifecycle();
    let before = id(&connection);
    hub.drop_connection(&before, "tcp");
    let names = up_to::<R>(&mut events, "restored").await;
    assert_eq!(names, ["reconnecting:lost", "waiting:lost", "reconnected", "restored"]);
    assert_ne!(id(&connection), before);
}

async fn it_needs_a_negotiation<R: Runtime>(server: Server) {
    let hub = server.hub(Profile::Stateful);
    let relay = Relay::to(hub.authority());
    let builder = HubConnection::<R>::builder(format!("http://{}/hubs/conformance", relay.authority()));
    let builder = builder.stateful_reconnect(true).skip_negotiation(true);
    let connection = connect::<R>(builder.automatic_reconnect(RetryPolicy::delays([Duration::ZERO]))).await;
    let mut events = connection.lifecycle();
    relay.cut();
    let names = up_to::<R>(&mut events, "restored").await;
    assert_eq!(names, ["reconnecting:lost", "waiting:lost", "reconnected", "restored"]);
}
