//! Who is connected, and how they are made to leave.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::bad;
use crate::gateway::Gateway;
use crate::peers::{Goodbye, How};

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
