//! What is true, and what was said.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::bad;
use crate::clock::stamp;
use crate::gateway::Gateway;
use crate::oracle;

/// The most events that one request gets.
const MAX_EVENTS: usize = 10_000;

#[derive(Deserialize)]
pub(super) struct Whose {
    user: Option<String>,
}

/// `GET /control/truth[?user=U]`: what is true now of a user's accounts and of the market, and what connections were
/// sent of it. Without a user it is about the one of the hub's first line.
pub(super) async fn truth(State(gateway): State<Arc<Gateway>>, Query(whose): Query<Whose>) -> Json<Value> {
    Json(oracle::truth(&gateway, whose.user.as_deref()))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Connection {
    connection_id: String,
}

/// `GET /control/serials?connectionId=ID`: what one connection was sent, also when it has left not long ago.
pub(super) async fn serials(State(gateway): State<Arc<Gateway>>, Query(of): Query<Connection>) -> Response {
    match gateway.peers.sent(&of.connection_id) {
        Some(sent) => Json(json!({ "subscriptions": oracle::subscriptions(&sent) })).into_response(),
        None => bad("no such connection"),
    }
}

#[derive(Deserialize)]
pub(super) struct Extract {
    from: Option<u64>,
    group: Option<String>,
    limit: Option<usize>,
}

/// `GET /control/log[?from=SERIAL][&group=G][&limit=N]`: events by serial, oldest first; by default the first thousand
/// that are remembered.
pub(super) async fn log(State(gateway): State<Arc<Gateway>>, Query(extract): Query<Extract>) -> Json<Log> {
    let limit = extract.limit.unwrap_or(1000).min(MAX_EVENTS);
    let events = gateway.peers.log(extract.from.unwrap_or_default(), extract.group.as_deref(), limit);
    Json(Log { events: events.into_iter().map(Event::from).collect() })
}

#[derive(Serialize)]
pub(super) struct Log {
    events: Vec<Event>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    serial: u64,
    at: String,
    hub: &'static str,
    group: Option<String>,
    number: u64,
    connection_id: Option<String>,
    target: String,
    /// As they were sent, to the byte.
    arguments: Option<Box<RawValue>>,
}

impl From<oracle::LoggedEvent> for Event {
    fn from(event: oracle::LoggedEvent) -> Self {
        Self {
            serial: event.serial,
            at: stamp(event.at),
            hub: event.hub,
            group: event.group,
            number: event.number,
            connection_id: event.connection_id,
            target: event.target,
            arguments: RawValue::from_string(event.arguments).ok(),
        }
    }
}
