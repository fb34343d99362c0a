//! `/api/Status`.

use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::Response;

use crate::http::{empty, plain};

/// `GET ping`: plain text, for everybody. The text is not documented.
pub(super) fn ping(method: &Method) -> Response {
    if matches!(*method, Method::GET | Method::HEAD) {
        return plain(StatusCode::OK, "pong");
    }
    let mut refused = empty(StatusCode::METHOD_NOT_ALLOWED);
    refused.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET"));
    refused
}
