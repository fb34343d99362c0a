//! What is said to clients from outside of their calls.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::bad;
use crate::gateway::Gateway;
use crate::hubs::Hub;
use crate::protocol;
use crate::protocol::write;

/// The most invocations that one publication makes.
const MAX_PUBLICATIONS: u32 = 1_000_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Publication {
    hub: String,
    target: String,
    arguments: Vec<Box<RawValue>>,
    group: Option<String>,
    connection_id: Option<String>,
    count: Option<u32>,
}

/// `POST /control/publish`: an invocation for a connection, a group or a whole hub; with a count, a serial is appended.
pub(super) async fn publish(State(gateway): State<Arc<Gateway>>, body: String) -> Response {
    // Whatever the type: what `curl -d` sends is taken too.
    let publication: Publication = match serde_json::from_str(&body) {
        Ok(publication) => publication,
        Err(error) => return bad(error.to_string()),
    };
    let Some(hub) = Hub::named(&publication.hub) else {
        return bad("hub is conformance, market or user");
    };
    let fixed: Option<Vec<_>> = publication.arguments.iter().map(|value| protocol::json::reprint(value)).collect();
    let Some(fixed) = fixed else {
        return bad("a string holds a lone surrogate");
    };
    let count = publication.count.unwrap_or(1).min(MAX_PUBLICATIONS);
    for serial in 0..count {
        let mut arguments = fixed.clone();
        if count > 1 {
            arguments.push(serial.to_string());
        }
        let record = write::invocation(None, &publication.target, &format!("[{}]", arguments.join(",")));
        match (&publication.connection_id, &publication.group) {
            (Some(id), _) => {
                let Some(peer) = gateway.peers.find(id) else { break };
                // Many of them go at the pace of their reader, past the log.
                match count {
                    1 => gateway.peers.send_to_one(&peer, None, &record),
                    _ => peer.send_when_there_is_room(record).await,
                }
            }
            (None, Some(group)) => drop(gateway.peers.send_to_group(hub.class(), group, &record)),
            (None, None) => drop(gateway.peers.send_to_all(hub.class(), &record)),
        }
        if serial % 256 == 255 {
            tokio::task::yield_now().await;
        }
    }
    StatusCode::OK.into_response()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Question {
    connection_id: String,
    target: String,
}

/// `POST /control/ask?connectionId=ID&target=T` with the argument as body: a client result, asked from outside.
pub(super) async fn ask(
    State(gateway): State<Arc<Gateway>>,
    Query(question): Query<Question>,
    body: String,
) -> Response {
    let argument: Box<RawValue> = match serde_json::from_str(&body) {
        Ok(argument) => argument,
        Err(error) => return bad(error.to_string()),
    };
    let Some(peer) = gateway.peers.find(&question.connection_id) else {
        let text = format!("Connection '{}' does not exist.", question.connection_id);
        return (StatusCode::INTERNAL_SERVER_ERROR, text).into_response();
    };
    let Some(argument) = protocol::json::reprint(&argument) else {
        return bad("a string holds a lone surrogate");
    };
    let arguments = format!("[{argument}]");
    match gateway.client_results.ask(&peer, &question.target, &arguments).await {
        Ok(answer) => crate::http::json(StatusCode::OK, answer.get().to_owned()),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error).into_response(),
    }
}
