//! `/control/scenario`: a scenario from outside.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;

use super::Scenario;
use super::play::play;
use crate::gateway::Gateway;

/// The routes, to be merged with the others.
pub(crate) fn routes() -> Router<Arc<Gateway>> {
    Router::new().route("/control/scenario", post(begin))
}

/// `POST /control/scenario` with the file as body: it begins now; 400 with the line of what is wrong.
async fn begin(State(gateway): State<Arc<Gateway>>, body: String) -> Response {
    match body.parse::<Scenario>() {
        Ok(scenario) => match play(&gateway, scenario) {
            Ok(steps) => {
                gateway.spawn(steps);
                StatusCode::OK.into_response()
            }
            Err(complaint) => (StatusCode::BAD_REQUEST, complaint).into_response(),
        },
        Err(error) => (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    }
}
