//! Before the handshake: negotiation, its redirects and refusals.

use adapter_core::{Cause, DisconnectReason, HubConnection, Runtime, StartError, State, Transport};
use serde_json::Value;
use tests::conformance;
use tests::hubs::Server;
use tests::wait::within;

use super::{builder, connect, id};

conformance! {
    the_negotiated_id_is_the_hub_s,
    negotiation_can_be_skipped,
    a_redirect_is_followed,
    a_redirect_s_token_is_used,
    endless_redirects_end,
    answers_that_are_none_fail_the_start,
    statuses_fail_the_start,
}

async fn the_negotiated_id_is_the_hub_s<R: Runtime>(server: Server) {
    let hub = server.usual();
    let connection = connect::<R>(builder(hub)).await;
    let me: Value = connection.invoke("WhoAmI", ()).await.unwrap();
    assert_eq!(me["connectionId"], id(&connection));
    assert_eq!((&me["path"], &me["transport"]), (&Value::from("/hubs/conformance"), &Value::from("WebSockets")));
    assert_eq!(connection.transport(), Some(Transport::WebSockets));
    assert!(hub.has(&id(&connection)));
    let first = connection.connection_id().unwrap();
    within::<R, _>("the stop", connection.stop()).await;
    assert_eq!((connection.connection_id(), connection.transport()), (None, None));
    within::<R, _>("another start", connection.start()).await.unwrap();
    let second = connection.connection_id().unwrap();
    assert_eq!((first.local(), second.local()), (1, 2));
    assert_ne!(first.server_assigned(), second.server_assigned());
}

async fn negotiation_can_be_skipped<R: Runtime>(server: Server) {
    let connection = connect::<R>(builder(server.usual()).skip_negotiation(true)).await;
    assert_eq!(connection.connection_id().unwrap().server_assigned(), None);
    assert_eq!(connection.invoke::<i64>("Add", (1, 2)).await, Ok(3));
}

async fn a_redirect_is_followed<R: Runtime>(server: Server) {
    let connection = connect::<R>(HubConnection::builder(server.usual().path("/redirect/conformance"))).await;
    let me: Value = connection.invoke("WhoAmI", ()).await.unwrap();
    assert_eq!(me["path"], "/hubs/conformance");
    assert_eq!(me["connectionId"], id(&connection));
}

async fn a_redirect_s_token_is_used<R: Runtime>(server: Server) {
    let connection = connect::<R>(HubConnection::builder(server.usual().path("/redirect-with-token/secure"))).await;
    let me: Value = connection.invoke("WhoAmI", ()).await.unwrap();
    assert_eq!(me["path"], "/hubs/secure");
    assert_eq!(me["userIdentifier"], "redirected");
    assert_eq!(me["tokenInHeader"], true);
}

/// Why a start at this path fails.
async fn refusal<R: Runtime>(server: Server, path: &str) -> DisconnectReason {
    let connection = HubConnection::<R>::builder(server.usual().path(path)).build().unwrap();
    let outcome = within::<R, _>("the start fails", connection.start()).await;
    assert_eq!(connection.state(), State::Disconnected);
    let Err(StartError::Failed(reason)) = outcome else { panic!("{path}: {outcome:?}") };
    reason
}

async fn endless_redirects_end<R: Runtime>(server: Server) {
    let reason = refusal::<R>(server, "/redirect-forever").await;
    assert_eq!(reason.cause(), Cause::Negotiation);
    assert!(reason.explain().contains("100"), "{reason}");
}

async fn answers_that_are_none_fail_the_start<R: Runtime>(server: Server) {
    let reason = refusal::<R>(server, "/negotiate-error").await;
    assert_eq!(reason.cause(), Cause::Negotiation);
    assert!(reason.explain().contains("no seats left"), "{reason}");
    for path in ["/negotiate-legacy", "/negotiate-html"] {
        let reason = refusal::<R>(server, path).await;
        assert_eq!(reason.cause(), Cause::Negotiation, "{path}: {reason}");
    }
}

async fn statuses_fail_the_start<R: Runtime>(server: Server) {
    for (status, cause) in [
        (401, Cause::Unauthorized),
        (403, Cause::Unauthorized),
        (404, Cause::HttpStatus),
        (500, Cause::HttpStatus),
        (503, Cause::HttpStatus),
    ] {
        let reason = refusal::<R>(server, &format!("/negotiate-status/{status}")).await;
        assert_eq!(reason.cause(), cause);
        assert!(reason.explain().contains(&status.to_string()), "{reason}");
        assert_eq!(reason.may_retry(), cause == Cause::HttpStatus);
    }
}
