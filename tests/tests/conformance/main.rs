//! What a client can do with a hub, against Microsoft's own (where it is there) and against mock-hub: the same suite, the same claims.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic where it stands")]

mod authorization;
mod calls;
mod client_results;
mod events;
mod life;
mod market;
mod negotiation;
mod stateful;
mod streams;
mod values;

use adapter_core::{HubConnection, HubConnectionBuilder, Runtime};
use tests::hubs::Hub;
use tests::scripted::connect;

/// A connection to the conformance hub, in the making.
fn builder<R: Runtime>(hub: &Hub) -> HubConnectionBuilder<R> {
    HubConnection::builder(hub.hub_url("conformance"))
}

/// The id by which the hub knows a connection.
fn id<R>(connection: &HubConnection<R>) -> String {
    connection.connection_id().unwrap().server_assigned().unwrap().to_owned()
}
