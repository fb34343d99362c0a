//! Tokens and logins by hand.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::bad;
use crate::gateway::Gateway;
use crate::logins;

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

#[derive(Deserialize)]
pub(super) struct Leaver {
    user: Option<String>,
}

/// `POST /control/logout[?user=U]`: all sessions of a user, or of everybody, end, with `GatewayLogout` on both hubs.
pub(super) async fn logout(State(gateway): State<Arc<Gateway>>, Query(leaver): Query<Leaver>) -> Json<Value> {
    let told = logins::log_out(&gateway, leaver.user.as_deref());
    Json(json!({ "connections": told }))
}
