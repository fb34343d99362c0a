//! How a connection is begun, ended, shared and neglected.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic where it stands")]

mod backpressure;
mod building;
mod handles;
mod limits;
mod order;
mod panics;
mod policies;
mod starting;
mod stopping;

use std::time::Duration;

use adapter_core::{HubConnection, HubConnectionBuilder, RetryPolicy, Runtime};
use mock_hub::script::{ScriptHub, Session};
use tests::records::{id_of, result};
use tests::wait::within;

fn soon() -> RetryPolicy {
    RetryPolicy::custom(|_| Some(Duration::from_millis(5)))
}

fn builder<R: Runtime>(hub: &ScriptHub) -> HubConnectionBuilder<R> {
    HubConnection::builder(hub.hub_url("/hub")).skip_negotiation(true)
}

async fn connect<R: Runtime>(builder: HubConnectionBuilder<R>) -> HubConnection<R> {
    let connection = builder.build().unwrap();
    within::<R, _>("the start", connection.start()).await.unwrap();
    connection
}

/// Answers every call with its first argument, but leaves `Never` unanswered and dies of `Die`.
async fn echo(mut session: Session) {
    session.handshake().await;
    while let Some(call) = session.recv_json().await {
        match call["target"].as_str() {
            None | Some("Never") => {}
            Some("Die") => return session.abort(),
            Some(_) if id_of(&call).is_empty() => {}
            Some(_) => _ = session.send_text(&result(id_of(&call), &call["arguments"][0])).await,
        }
    }
}

fn echo_hub() -> ScriptHub {
    ScriptHub::start(echo).unwrap()
}
