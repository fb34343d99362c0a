//! Negotiate answers that a hub behind another service, an old server or a broken proxy would give.

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::{empty, json, own_origin};
use crate::gateway::Gateway;
use crate::protocol::json::string;

/// The answer for the path before `/negotiate`, in lower case.
pub(super) fn negotiate(gateway: &Gateway, path: &[&str], headers: &HeaderMap) -> Response {
    let to = |path: &str| string(&format!("{}/{path}", own_origin(headers)));
    match path {
        ["redirect", hub] => ok(format!("{{\"url\":{}}}", to(&format!("hubs/{hub}")))),
        ["redirect-with-token", hub] => {
            let token = gateway.tokens.issue("redirected", gateway.options.token_lifetime);
            ok(format!("{{\"url\":{},\"accessToken\":{}}}", to(&format!("hubs/{hub}")), string(&token)))
        }
        ["redirect-forever"] => ok(format!("{{\"url\":{}}}", to("redirect-forever"))),
        ["negotiate-error"] => ok(r#"{"error":"no seats left"}"#.to_owned()),
        ["negotiate-legacy"] => json(StatusCode::OK, r#"{"ProtocolVersion":"1.5","ConnectionId":"x"}"#.to_owned()),
        ["negotiate-html"] => ([(header::CONTENT_TYPE, "text/html")], "<html>gateway</html>").into_response(),
        ["negotiate-status", status] => match status.parse().ok().and_then(|code| StatusCode::from_u16(code).ok()) {
            Some(status) if !status.is_informational() => empty(status),
            _ => empty(StatusCode::NOT_FOUND),
        },
        _ => empty(StatusCode::NOT_FOUND),
    }
}

/// As minimal endpoints answer, where SignalR's own leave the charset out.
fn ok(body: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json; charset=utf-8")], body).into_response()
}
