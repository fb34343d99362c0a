//! The WebSocket upgrade, from the request's headers to the bare socket (RFC 6455, 4.2).

use std::future::Future;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use hyper_util::rt::TokioIo;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::empty;
use crate::wire::Wire;

/// The bytes of a key, in base64.
const KEY_LENGTH: usize = 24;

/// The client's key, when the request is a proper upgrade.
pub(super) fn key(request: &Request) -> Option<HeaderValue> {
    let headers = request.headers();
    let is_upgrade = request.method() == Method::GET
        && has_token(headers, header::UPGRADE, "websocket")
        && has_token(headers, header::CONNECTION, "upgrade")
        && headers.get(header::SEC_WEBSOCKET_VERSION).is_some_and(|version| version == "13");
    let key = headers.get(header::SEC_WEBSOCKET_KEY)?;
    let decoded = data_encoding::BASE64.decode(key.as_bytes()).ok()?;
    (is_upgrade && key.len() == KEY_LENGTH && decoded.len() == 16).then(|| key.clone())
}

/// Answers 101 and runs `serve` with the socket once it is the WebSocket's.
pub(super) fn accept<F>(
    mut request: Request,
    key: &HeaderValue,
    serve: impl FnOnce(Wire, Bytes) -> F + Send + 'static,
) -> Response
where
    F: Future<Output = ()> + Send,
{
    let Ok(accepted) = HeaderValue::from_str(&derive_accept_key(key.as_bytes())) else {
        return empty(StatusCode::BAD_REQUEST);
    };
    let upgrade = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let Ok(upgraded) = upgrade.await else {
            return;
        };
        // The server is hyper on a wire and nothing else.
        if let Ok(parts) = upgraded.downcast::<TokioIo<Wire>>() {
            serve(parts.io.into_inner(), parts.read_buf).await;
        }
    });
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, accepted);
    response
}

fn has_token(headers: &HeaderMap, name: HeaderName, token: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|part| part.trim().eq_ignore_ascii_case(token))
}
