//! What the venue, or somebody else, does to accounts and orders.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::json;

use super::bad;
use crate::gateway::Gateway;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AccountChange {
    account_id: i32,
    can_trade: Option<bool>,
    active: Option<bool>,
    position_brackets: Option<bool>,
    balance: Option<String>,
}

/// `POST /control/account?accountId=A[&canTrade=][&active=][&balance=][&positionBrackets=]`: changes an account; all
/// but the last tell so on the user hub.
pub(super) async fn account(State(gateway): State<Arc<Gateway>>, Query(change): Query<AccountChange>) -> Response {
    let id = change.account_id;
    let balance = change.balance.as_deref().map(str::parse::<Decimal>).transpose();
    let Ok(balance) = balance else {
        return bad("balance is a number");
    };
    let is_known = gateway.world.visit(|world| {
        let (now, exchange) = (world.now, world.exchange);
        let is_known = exchange.owner(id).is_some();
        change.active.map(|active| exchange.set_active(now, id, active));
        change.can_trade.map(|can_trade| exchange.set_can_trade(now, id, can_trade));
        balance.map(|balance| exchange.set_balance(now, id, balance));
        change.position_brackets.map(|on| exchange.set_position_brackets(id, on));
        is_known
    });
    if is_known { Json(json!({ "accountId": id })).into_response() } else { bad("no such account") }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrderAct {
    act: String,
    account_id: i32,
    order_id: Option<i64>,
    trade_id: Option<i64>,
    size: Option<i32>,
    message: Option<String>,
}

/// `POST /control/order?accountId=A&act=ACT...`: `expire&orderId=`, `fill&orderId=&size=`, `reject-next[&message=]`,
/// `void&tradeId=`. The answer says whether there was anything to do it to.
pub(super) async fn order(State(gateway): State<Arc<Gateway>>, Query(act): Query<OrderAct>) -> Response {
    let account = act.account_id;
    let done = gateway.world.visit(|world| {
        let (now, exchange) = (world.now, world.exchange);
        Some(match act.act.as_str() {
            "expire" => exchange.expire(now, account, act.order_id?),
            "fill" => exchange.fill_partially(now, account, act.order_id?, act.size?),
            "reject-next" => exchange.reject_next(account, act.message.as_deref().unwrap_or("Rejected on demand.")),
            "void" => exchange.void_trade(now, account, act.trade_id?),
            _ => return None,
        })
    });
    match done {
        Some(done) => Json(json!({ "done": done })).into_response(),
        None => bad("act is expire (orderId), fill (orderId, size), reject-next (message) or void (tradeId)"),
    }
}
