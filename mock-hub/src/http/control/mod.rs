//! What a test in another language, or a person, does to the hub while clients are connected.

mod connections;
mod exchange;
mod market;
mod messages;
mod oracle;
mod tokens;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use crate::gateway::Gateway;

/// The paths under `/control`.
pub(super) fn routes() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/control/connections", get(connections::connections))
        .route("/control/drop", post(connections::drop_connections))
        .route("/control/publish", post(messages::publish))
        .route("/control/ask", post(messages::ask))
        .route("/control/token", post(tokens::token))
        .route("/control/revoke", post(tokens::revoke))
        .route("/control/logout", post(tokens::logout))
        .route("/control/market", post(market::set_rate))
        .route("/control/price", post(market::set_price))
        .route("/control/advance", post(market::advance))
        .route("/control/account", post(exchange::account))
        .route("/control/order", post(exchange::order))
        .route("/control/truth", get(oracle::truth))
        .route("/control/log", get(oracle::log))
        .route("/control/serials", get(oracle::serials))
        .route("/control/stop", post(stop))
}

/// `POST /control/stop`: the hub ends.
async fn stop(State(gateway): State<Arc<Gateway>>) -> StatusCode {
    // The answer leaves first.
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(50)).await;
        gateway.stop.send_replace(true);
    });
    StatusCode::OK
}

fn bad(text: impl Into<String>) -> Response {
    (StatusCode::BAD_REQUEST, text.into()).into_response()
}
