//! What is true now, for whoever holds a client's belief against it.

use rust_decimal::Decimal;
use serde::Serialize;

use super::Exchange;
use super::json::plain;
use super::order::Order;
use super::position::Position;
use super::trade::Trade;

/// Everything that a user's clients should believe, decimals as text without trailing zeros. Lists are sorted by
/// account, then by id or contract.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Truth {
    /// All accounts, active or not.
    pub accounts: Vec<TruthAccount>,
    /// Every order since the exchange began, rejected and suspended ones too.
    pub orders: Vec<TruthOrder>,
    /// The open positions.
    pub positions: Vec<TruthPosition>,
    /// Every trade since the exchange began.
    pub trades: Vec<TruthTrade>,
}

/// An account in a [`Truth`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TruthAccount {
    /// Its id.
    pub id: i32,
    /// Dollars.
    pub balance: String,
    /// Whether it takes new orders.
    pub can_trade: bool,
}

/// An order in a [`Truth`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TruthOrder {
    /// Its account.
    pub account_id: i32,
    /// Its id.
    pub id: i64,
    /// Its contract.
    pub contract_id: String,
    /// The wire's number of its status.
    pub status: i32,
    /// The wire's number of its type.
    #[serde(rename = "type")]
    pub order_type: i32,
    /// The wire's number of its side.
    pub side: i32,
    /// Contracts in all.
    pub size: i32,
    /// Contracts filled.
    pub fill_volume: i32,
    /// The average price of what was filled.
    pub filled_price: Option<String>,
    /// Its limit.
    pub limit_price: Option<String>,
    /// Its stop.
    pub stop_price: Option<String>,
}

/// A position in a [`Truth`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TruthPosition {
    /// Its account.
    pub account_id: i32,
    /// Its contract.
    pub contract_id: String,
    /// The wire's number: 1 long, 2 short.
    #[serde(rename = "type")]
    pub position_type: i32,
    /// Contracts held.
    pub size: i32,
    /// Their average price.
    pub average_price: String,
}

/// A trade in a [`Truth`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TruthTrade {
    /// Its account.
    pub account_id: i32,
    /// Its id.
    pub id: i64,
    /// The order that traded.
    pub order_id: i64,
    /// Its price.
    pub price: String,
    /// Contracts.
    pub size: i32,
    /// The wire's number of its side.
    pub side: i32,
    /// Gross profit; `None` on an opening half-turn.
    pub profit_and_loss: Option<String>,
    /// Whether the venue took it back.
    pub voided: bool,
}

impl Exchange {
    /// What is true of a user's accounts now; empty lists for a user without any.
    pub fn truth(&self, user: &str) -> Truth {
        let mut truth = Truth::default();
        for (account_id, book) in self.books.iter().filter(|(_, book)| &*book.user == user) {
            let account = &book.account;
            let balance = digits(account.balance);
            truth.accounts.push(TruthAccount { id: account.id, balance, can_trade: account.can_trade });
            truth.orders.extend(book.orders.values().map(|entry| TruthOrder::from(&entry.order)));
            truth.positions.extend(self.positions(*account_id).iter().flatten().map(TruthPosition::from));
            truth.trades.extend(book.trades.values().map(TruthTrade::from));
        }
        truth
    }
}

impl From<&Order> for TruthOrder {
    fn from(order: &Order) -> Self {
        Self {
            account_id: order.account_id,
            id: order.id,
            contract_id: order.contract_id.clone(),
            status: order.status.code(),
            order_type: order.order_type.code(),
            side: order.side.code(),
            size: order.size,
            fill_volume: order.fill_volume,
            filled_price: order.filled_price.map(digits),
            limit_price: order.limit_price.map(digits),
            stop_price: order.stop_price.map(digits),
        }
    }
}

impl From<&Position> for TruthPosition {
    fn from(position: &Position) -> Self {
        Self {
            account_id: position.account_id,
            contract_id: position.contract_id.clone(),
            position_type: position.position_type.code(),
            size: position.size,
            average_price: digits(position.average_price),
        }
    }
}

impl From<&Trade> for TruthTrade {
    fn from(trade: &Trade) -> Self {
        Self {
            account_id: trade.account_id,
            id: trade.id,
            order_id: trade.order_id,
            price: digits(trade.price),
            size: trade.size,
            side: trade.side.code(),
            profit_and_loss: trade.profit_and_loss.map(digits),
            voided: trade.voided,
        }
    }
}

fn digits(value: Decimal) -> String {
    plain(value).to_string()
}
