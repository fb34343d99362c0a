//! The market's rate and prices, and the virtual clock.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::json;

use super::bad;
use crate::clock::stamp;
use crate::gateway::Gateway;
use crate::market::Market;

/// The furthest that one request moves a clock.
const MAX_ADVANCE: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Deserialize)]
pub(super) struct Rate {
    rate: f64,
}

/// `POST /control/market?rate=N`: quotes a second and contract, trades and depth in proportion; 0 stands still.
pub(super) async fn set_rate(State(gateway): State<Arc<Gateway>>, Query(Rate { rate }): Query<Rate>) -> Response {
    if !(0.0..=Market::HIGHEST_RATE).contains(&rate) {
        return bad(format!("rate is a number from 0 to {}", Market::HIGHEST_RATE));
    }
    gateway.world.set_rate(rate);
    Json(json!({ "rate": rate })).into_response()
}

#[derive(Deserialize)]
pub(super) struct Price {
    contract: String,
    price: String,
}

/// `POST /control/price?contract=C&price=P`: the market goes there at once.
pub(super) async fn set_price(State(gateway): State<Arc<Gateway>>, Query(to): Query<Price>) -> Response {
    let Some(price) = to.price.parse().ok().filter(|price| *price > Decimal::ZERO) else {
        return bad("price is a positive number");
    };
    match gateway.world.set_price(&to.contract, price) {
        true => StatusCode::OK.into_response(),
        false => bad("no such contract"),
    }
}

#[derive(Deserialize)]
pub(super) struct Advance {
    ms: u64,
}

/// `POST /control/advance?ms=N`: moves a virtual clock; answers its time.
pub(super) async fn advance(State(gateway): State<Arc<Gateway>>, Query(Advance { ms }): Query<Advance>) -> Response {
    let mut left = Duration::from_millis(ms);
    if left > MAX_ADVANCE {
        return bad("ms is a day at the most");
    }
    if let Some(complaint) = gateway.clock.refuses(left) {
        return bad(complaint);
    }
    while !left.is_zero() {
        left = gateway.world.advance_a_step(left);
        // What was published goes out while the rest comes about.
        tokio::task::yield_now().await;
    }
    Json(json!({ "now": stamp(gateway.clock.now()) })).into_response()
}
