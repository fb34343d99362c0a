//! What a test in another language, or a person, does to the hub while clients are connected.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::gateway::Gateway;
use crate::hubs::Hub;
use crate::peers::{Goodbye, How};
use crate::protocol;
use crate::protocol::write;

/// The most invocations that one publication makes.
const MAX_PUBLICATIONS: u32 = 1_000_000;

/// `GET /control/connections`: who is here, who was, and how many ever.
pub(super) async fn connections(State(gateway): State<Arc<Gateway>>) -> Json<Value> {
    let present: Vec<_> = gateway
        .peers
        .present()
        .iter()
        .map(|peer| {
            let (id, hub, user) = (&peer.id, peer.hub.type_name(), &peer.origin.user);
            json!({ "connectionId": id, "hub": hub, "user": user, "transport": "WebSockets" })
        })
        .collect();
    let departed: Vec<_> = gateway
        .peers
        .departed()
        .iter()
        .map(|left| json!({ "connectionId": left.id, "hub": left.hub.type_name(), "error": left.error, "at": left.at }))
        .collect();
    Json(json!({ "accepted": gateway.peers.accepted(), "present": present, "departed": departed }))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Drop {
    how: String,
    connection_id: Option<String>,
}

/// `POST /control/drop?how=tcp|close[&connectionId=ID]`; `reset` is one more way.
pub(super) async fn drop_connections(State(gateway): State<Arc<Gateway>>, Query(drop): Query<Drop>) -> Response {
    let how = match drop.how.as_str() {
        "tcp" => How::Tcp,
        "reset" => How::Reset,
        "close" => How::Close { allow_reconnect: false },
        "close-reconnect" => How::Close { allow_reconnect: true },
        _ => return bad("how is close, close-reconnect, tcp or reset"),
    };
    let mut doomed = gateway.peers.present();
    doomed.retain(|peer| drop.connection_id.as_ref().is_none_or(|id| *id == peer.id));
    doomed.iter().for_each(|peer| peer.end(Goodbye::from(how)));
    Json(json!({ "dropped": doomed.len() })).into_response()
}

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
pub(super) async fn publish(State(gateway): State<Arc<Gateway>>, Json(publication): Json<Publication>) -> Response {
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
                if let Some(peer) = gateway.peers.find(id) {
                    peer.send_when_there_is_room(record).await;
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
    Json(argument): Json<Box<RawValue>>,
) -> Response {
    let Some(peer) = gateway.peers.find(&question.connection_id) else {
        let text = format!("Connection '{}' does not exist.", question.connection_id);
        return (StatusCode::INTERNAL_SERVER_ERROR, text).into_response();
    };
    let Some(argument) = protocol::json::reprint(&argument) else {
        return bad("a string holds a lone surrogate");
    };
    let arguments = format!("[{argument}]");
    match gateway.client_results.ask(&peer, &question.target, &arguments).await {
        Ok(answer) => super::json(StatusCode::OK, answer.get().to_owned()),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error).into_response(),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TokenRequest {
    user: String,
    lifetime_seconds: Option<f64>,
}

/// `POST /control/token?user=U[&lifetimeSeconds=N]`: the token, as plain text.
pub(super) async fn token(State(gateway): State<Arc<Gateway>>, Query(request): Query<TokenRequest>) -> Response {
    let lifetime = match request.lifetime_seconds.map(Duration::try_from_secs_f64) {
        None => gateway.options.token_lifetime,
        Some(Ok(lifetime)) => lifetime,
        Some(Err(_)) => return bad("lifetimeSeconds is a positive number"),
    };
    gateway.tokens.issue(&request.user, lifetime).into_response()
}

#[derive(Deserialize)]
pub(super) struct Revocation {
    token: String,
}

/// `POST /control/revoke?token=T`: that token opens nothing any more.
pub(super) async fn revoke(State(gateway): State<Arc<Gateway>>, Query(revocation): Query<Revocation>) -> StatusCode {
    gateway.tokens.revoke(&revocation.token);
    StatusCode::OK
}

/// `POST /control/stop`: the hub ends.
pub(super) async fn stop(State(gateway): State<Arc<Gateway>>) -> StatusCode {
    // The answer leaves first.
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(50)).await;
        gateway.stop.send_replace(true);
    });
    StatusCode::OK
}

fn bad(text: &'static str) -> Response {
    (StatusCode::BAD_REQUEST, text).into_response()
}
