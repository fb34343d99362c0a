//! `/control/faults`: rules from outside.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get};
use axum::{Json, Router};
use serde_json::json;

use super::fault::Fault;
use super::rule::{FaultId, Rule, RuleReport};
use crate::gateway::Gateway;

/// The routes, to be merged with the others.
pub(crate) fn routes() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/control/faults", get(list).post(inject).delete(heal_all))
        .route("/control/faults/names", get(names))
        .route("/control/faults/{id}", delete(heal))
}

/// `POST /control/faults`: one rule, or an array of them, all or none; answers `{"ids":[...]}`.
async fn inject(State(gateway): State<Arc<Gateway>>, body: String) -> Response {
    let is_array = body.trim_start().starts_with('[');
    let rules: Result<Vec<Rule>, _> =
        if is_array { serde_json::from_str(&body) } else { serde_json::from_str(&body).map(|rule| vec![rule]) };
    let rules = match rules {
        Ok(rules) => rules,
        Err(error) => return (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    };
    match gateway.faults.inject(&gateway, rules) {
        Ok(ids) => Json(json!({ "ids": ids })).into_response(),
        Err(complaint) => (StatusCode::BAD_REQUEST, complaint).into_response(),
    }
}

/// `GET /control/faults`: the rules, where they stand, and how often each acted.
async fn list(State(gateway): State<Arc<Gateway>>) -> Json<Vec<RuleReport>> {
    Json(gateway.faults.reports())
}

/// `GET /control/faults/names`: the names of all faults.
async fn names() -> Json<&'static [&'static str]> {
    Json(Fault::names())
}

/// `DELETE /control/faults/{id}`: heals one; 404 when it does not hold.
async fn heal(State(gateway): State<Arc<Gateway>>, Path(id): Path<u64>) -> StatusCode {
    if gateway.faults.heal(&gateway, FaultId(id)) { StatusCode::OK } else { StatusCode::NOT_FOUND }
}

/// `DELETE /control/faults`: heals all; answers `{"healed":N}`.
async fn heal_all(State(gateway): State<Arc<Gateway>>) -> Response {
    Json(json!({ "healed": gateway.faults.heal_all(&gateway) })).into_response()
}
