//! Invocations of the client: groups, order, floods, size.

use adapter_core::{CallError, Cause, Delivery, OutcomeUnknown, QueueRule, Runtime};
use serde_json::{Value, json};
use tests::conformance;
use tests::events::{find, name, up_to};
use tests::hubs::Server;
use tests::wait::{next, within};

use super::{builder, connect, id};

conformance! {
    a_group_hears_what_is_sent_to_it,
    everybody_hears_what_is_sent_to_all,
    a_flood_arrives_whole_and_in_order,
    several_listeners_hear_each_event,
    a_dropped_listener_hears_no_more,
    results_of_a_million_bytes_arrive,
    a_record_over_the_limit_ends_the_connection,
}

async fn a_group_hears_what_is_sent_to_it<R: Runtime>(server: Server) {
    let member = connect::<R>(builder(server.usual())).await;
    let other = connect::<R>(builder(server.usual())).await;
    let group = format!("group-{}", id(&member));
    let mut heard = member.on::<(i64,)>("Group");
    let mut overheard = other.on::<(i64,)>("Group");
    member.invoke::<()>("JoinGroup", (&group,)).await.unwrap();
    other.invoke::<()>("SendToGroup", (&group, "Group", [1])).await.unwrap();
    assert_eq!(next::<R, _>("the member hears it", &mut heard).await, Delivery::Value((1,)));
    other.invoke::<()>("JoinGroup", (&group,)).await.unwrap();
    member.invoke::<()>("SendToGroup", (&group, "Group", [2])).await.unwrap();
    assert_eq!(next::<R, _>("the other hears the second", &mut overheard).await, Delivery::Value((2,)));
    assert_eq!(next::<R, _>("so does the member", &mut heard).await, Delivery::Value((2,)));
    member.invoke::<()>("LeaveGroup", (&group,)).await.unwrap();
    other.invoke::<()>("SendToGroup", (&group, "Group", [3])).await.unwrap();
    member.invoke::<()>("SendBack", ("Group", [4])).await.unwrap();
    assert_eq!(next::<R, _>("not the third", &mut heard).await, Delivery::Value((4,)));
}

async fn everybody_hears_what_is_sent_to_all<R: Runtime>(server: Server) {
    let connections = [connect::<R>(builder(server.usual())).await, connect::<R>(builder(server.usual())).await];
    // Other tests run against the same hub.
    let target = format!("All-{}", id(&connections[0]));
    let mut listeners = connections.each_ref().map(|connection| connection.on::<(Value,)>(&target));
    connections[0].invoke::<()>("SendToAll", (&target, [json!({"é": 1})])).await.unwrap();
    for listener in &mut listeners {
        assert_eq!(next::<R, _>("the news", listener).await.into_value(), Some((json!({"é": 1}),)));
    }
}

async fn a_flood_arrives_whole_and_in_order<R: Runtime>(server: Server) {
    const COUNT: i64 = 20_000;
    let connection = connect::<R>(builder(server.usual())).await;
    let mut flood = connection.on::<(i64,)>("Drop");
    let call = connection.send("Flood", (COUNT, "Drop")).await;
    assert_eq!(call, Ok(()));
    for serial in 0..COUNT {
        assert_eq!(next::<R, _>("every drop", &mut flood).await, Delivery::Value((serial,)));
    }
}

async fn several_listeners_hear_each_event<R: Runtime>(server: Server) {
    let connection = connect::<R>(builder(server.usual())).await;
    let mut typed = connection.on::<(i64, String)>("Pair");
    let mut untyped = connection.on::<Vec<Value>>("Pair");
    let mut first_misfits = connection.on::<(String, String)>("Pair");
    let mut events = connection.events();
    connection.invoke::<()>("SendBack", ("Pair", (1, "x"))).await.unwrap();
    assert_eq!(next::<R, _>("typed", &mut typed).await, Delivery::Value((1, "x".to_owned())));
    assert_eq!(next::<R, _>("untyped", &mut untyped).await, Delivery::Value(vec![json!(1), json!("x")]));
    assert!(matches!(next::<R, _>("misfit", &mut first_misfits).await, Delivery::Malformed(_)));
    assert_eq!(up_to::<R>(&mut events, "invocation:Pair").await, ["malformed:Pair", "invocation:Pair"]);
    // Targets match by exact case.
    connection.invoke::<()>("SendBack", ("pair", (1, "x"))).await.unwrap();
    up_to::<R>(&mut events, "unhandled:pair").await;
}

async fn a_dropped_listener_hears_no_more<R: Runtime>(server: Server) {
    let connection = connect::<R>(builder(server.usual())).await;
    let first = connection.on::<(i64,)>("News");
    let mut second = connection.on_with::<(i64,)>("News", QueueRule::drop_oldest(10));
    drop(first);
    connection.invoke::<()>("SendBack", ("News", [1])).await.unwrap();
    assert_eq!(next::<R, _>("the other still hears", &mut second).await, Delivery::Value((1,)));
    drop(second);
    connection.invoke::<()>("SendBack", ("News", [2])).await.unwrap();
    let counters = connection.counters();
    assert_eq!((counters.delivered, counters.unhandled), (1, 1));
}

async fn results_of_a_million_bytes_arrive<R: Runtime>(server: Server) {
    let connection = connect::<R>(builder(server.usual())).await;
    for bytes in [0, 1, 65_535, 65_536, 1_000_000] {
        let payload: String = within::<R, _>("the payload", connection.invoke("Payload", (bytes,))).await.unwrap();
        assert!(payload.len() == bytes && payload.bytes().all(|byte| byte == b'x'));
    }
}

async fn a_record_over_the_limit_ends_the_connection<R: Runtime>(server: Server) {
    let connection = connect::<R>(builder(server.usual())).await;
    let mut events = connection.events();
    let outcome = within::<R, _>("the end", connection.invoke::<String>("Payload", (1 << 20,))).await;
    let Err(CallError::OutcomeUnknown(OutcomeUnknown::Disconnected(reason))) = &outcome else { panic!("{outcome:?}") };
    assert_eq!(reason.cause(), Cause::Oversize);
    find::<R, _>("it is told", &mut events, |event| (name(event) == "disconnected:oversize").then_some(())).await;

    // The limit is an option, and holds for the whole WebSocket message as well.
    let narrow = connect::<R>(builder(server.usual()).max_record_bytes(1_000)).await;
    assert_eq!(narrow.invoke::<String>("Payload", (900,)).await.map(|payload| payload.len()), Ok(900));
    let outcome = narrow.invoke::<String>("Payload", (1_000,)).await;
    assert!(
        matches!(&outcome, Err(CallError::OutcomeUnknown(OutcomeUnknown::Disconnected(reason))) if reason.cause() == Cause::Oversize)
    );
    let wide = connect::<R>(builder(server.usual()).max_record_bytes(4 << 20)).await;
    let payload: String = within::<R, _>("the payload", wide.invoke("Payload", (3 << 20,))).await.unwrap();
    assert_eq!(payload.len(), 3 << 20);
}
