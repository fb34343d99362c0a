//! `GET /metrics`, and the measuring of every other request.

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::gateway::Gateway;
use crate::observe::{Note, scrape};

/// The OpenMetrics text format's media type; Prometheus asks for it by name.
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

pub(super) fn routes() -> Router<Arc<Gateway>> {
    Router::new().route("/metrics", get(metrics))
}

/// Times a request of a known path; hubs and unknown paths have counters of their own, or would be labels without end.
pub(super) async fn measure(State(gateway): State<Arc<Gateway>>, request: Request, next: Next) -> Response {
    let Some(path) = request.extensions().get::<MatchedPath>().cloned() else {
        return next.run(request).await;
    };
    let is_control = *request.method() != Method::GET && path.as_str().starts_with("/control/");
    let began = Instant::now();
    let response = next.run(request).await;
    let status = response.status().as_u16();
    gateway.metrics.requested(path.as_str(), status, began.elapsed());
    if is_control {
        gateway.journal.note(Note::Control { path: path.as_str(), status });
    }
    response
}

async fn metrics(State(gateway): State<Arc<Gateway>>) -> Response {
    match scrape(&gateway) {
        Ok(text) => ([(header::CONTENT_TYPE, OPENMETRICS)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
