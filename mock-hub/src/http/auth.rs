//! TopstepX's login: enough of it to get a token.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use super::access::token_of;
use super::{empty, json};
use crate::gateway::Gateway;
use crate::protocol::json::string;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LoginKey {
    user_name: Option<String>,
    api_key: Option<String>,
}

/// `POST /api/Auth/loginKey`: any name with any key is good; a refusal is a 200 too.
pub(super) async fn login_key(State(gateway): State<Arc<Gateway>>, Json(login): Json<LoginKey>) -> Response {
    let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
    let (Some(user), Some(_)) = (filled(login.user_name), filled(login.api_key)) else {
        gateway.login_seen("", false);
        return json(StatusCode::OK, r#"{"token":null,"success":false,"errorCode":3,"errorMessage":null}"#.to_owned());
    };
    gateway.login_seen(&user, true);
    let token = string(&gateway.tokens.issue(&user, gateway.options.token_lifetime));
    json(StatusCode::OK, format!("{{\"token\":{token},\"success\":true,\"errorCode\":0,\"errorMessage\":null}}"))
}

/// `POST /api/Auth/validate`: a new token for a good one, 401 with an empty body for any other.
pub(super) async fn validate(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    let token = token_of(request.uri(), request.headers());
    let Some(bearer) = token.and_then(|token| gateway.tokens.check(&token)) else {
        return empty(StatusCode::UNAUTHORIZED);
    };
    let token = string(&gateway.tokens.issue(&bearer.user, gateway.options.token_lifetime));
    json(StatusCode::OK, format!("{{\"success\":true,\"errorCode\":0,\"errorMessage\":null,\"newToken\":{token}}}"))
}
