//! What clients ask for.

use rust_decimal::Decimal;

use super::order::{OrderType, Side};

/// `Order/place`, as the client sent it: numbers that name nothing are refused, not unrepresentable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceOrder {
    /// The account.
    pub account_id: i32,
    /// The contract.
    pub contract_id: String,
    /// The order type's number.
    pub order_type: i32,
    /// The side's number.
    pub side: i32,
    /// Contracts.
    pub size: i32,
    /// Needed by a limit order, ignored by others.
    pub limit_price: Option<Decimal>,
    /// Needed by a stop, ignored by others.
    pub stop_price: Option<Decimal>,
    /// Needed by a trailing stop: the level at which its stop begins, not a distance.
    pub trail_price: Option<Decimal>,
    /// A tag, unique in the account for ever; an empty one counts as none.
    pub custom_tag: Option<String>,
    /// The stop-loss child of a bracket.
    pub stop_loss: Option<Bracket>,
    /// The take-profit child of a bracket.
    pub take_profit: Option<Bracket>,
}

impl PlaceOrder {
    /// An order with no prices, tag or brackets; the fields take them.
    pub fn new(account_id: i32, contract_id: &str, order_type: OrderType, side: Side, size: i32) -> Self {
        Self {
            account_id,
            contract_id: contract_id.to_owned(),
            order_type: order_type.code(),
            side: side.code(),
            size,
            limit_price: None,
            stop_price: None,
            trail_price: None,
            custom_tag: None,
            stop_loss: None,
            take_profit: None,
        }
    }
}

/// One child of a bracket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bracket {
    /// Ticks from the entry's fill, signed: a long's stop is negative and its target positive, a short's the reverse.
    pub ticks: i32,
    /// The child's order type: 4 or 5 for a stop-loss, 1 for a take-profit.
    pub order_type: i32,
}

/// `Order/modify`; what is `None` stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModifyOrder {
    /// The account.
    pub account_id: i32,
    /// The order.
    pub order_id: i64,
    /// Contracts in all, more than are filled.
    pub size: Option<i32>,
    /// A new limit, for orders that have one.
    pub limit_price: Option<Decimal>,
    /// A new stop, for stops.
    pub stop_price: Option<Decimal>,
    /// A new level for a trailing stop, which also sets its distance.
    pub trail_price: Option<Decimal>,
}

impl ModifyOrder {
    /// A request that changes nothing yet; the fields say what to change.
    pub const fn new(account_id: i32, order_id: i64) -> Self {
        Self { account_id, order_id, size: None, limit_price: None, stop_price: None, trail_price: None }
    }
}
