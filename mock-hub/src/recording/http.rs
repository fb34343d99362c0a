//! `/control/record`: a recording in memory, from outside. Files are the business of whoever started the hub.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::recorder::Recorded;
use crate::gateway::Gateway;

/// The routes, to be merged with the others.
pub(crate) fn routes() -> Router<Arc<Gateway>> {
    Router::new().route("/control/record", get(so_far).post(begin).delete(stop))
}

/// `POST /control/record`: a recording begins in memory, at most 64 MiB; 409 while one is written to a file.
async fn begin(State(gateway): State<Arc<Gateway>>) -> StatusCode {
    if gateway.recorder.is_writing_a_file() {
        return StatusCode::CONFLICT;
    }
    gateway.recorder.to_memory();
    StatusCode::OK
}

/// `GET /control/record`: the lines so far; 404 when none is under way in memory.
async fn so_far(State(gateway): State<Arc<Gateway>>) -> Response {
    lines(gateway.recorder.so_far())
}

/// `DELETE /control/record`: ends the recording in memory and answers its lines; 404 when there is none.
async fn stop(State(gateway): State<Arc<Gateway>>) -> Response {
    if gateway.recorder.is_writing_a_file() {
        return StatusCode::CONFLICT.into_response();
    }
    let recorded = gateway.recorder.stop().and_then(|recorded| match recorded {
        Recorded::Memory(text) => Some(text),
        Recorded::File(_) => None,
    });
    lines(recorded)
}

fn lines(text: Option<String>) -> Response {
    match text {
        Some(text) => ([(header::CONTENT_TYPE, "application/jsonl")], text).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
