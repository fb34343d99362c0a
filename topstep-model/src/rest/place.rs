//! Placing orders.

use serde::Serialize;

use super::payload::{Build, Payload, missing};
use super::request::request;
use crate::decode::RowError;
use crate::scalar::Fault;
use crate::{AccountId, ContractId, OrderId, OrderSide, OrderType, PlaceErrorCode, Price};

/// The other order of a bracket: where to leave with a loss, or with a profit, once the entry is filled.
///
/// The account must be in the platform's "Auto OCO" mode, else the gateway refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct Bracket {
    /// How far from the entry, in ticks, with the sign of the direction: a long entry has its stop loss below zero and its
    /// take profit above, a short one the other way round. The gateway refuses the wrong sign (seen on the live gateway;
    /// the documentation shows positive numbers only).
    pub ticks: i32,
    /// How it leaves. A stop loss is a stop or a trailing stop, a take profit a limit.
    #[serde(rename = "type")]
    pub kind: OrderType,
}

impl Bracket {
    /// Leaves with a loss of so many ticks, by a stop order.
    ///
    /// `entry` is the side of the entry, `distance` has no sign. A side that is not known is taken as a sell's, and a
    /// distance beyond 2,147,483,647 as that: the gateway refuses either.
    pub fn stop_loss(entry: OrderSide, distance: u32) -> Self {
        Self { ticks: signed(entry.opposite(), distance), kind: OrderType::Stop }
    }

    /// The same by a stop that follows the market.
    pub fn trailing_stop_loss(entry: OrderSide, distance: u32) -> Self {
        Self { ticks: signed(entry.opposite(), distance), kind: OrderType::TrailingStop }
    }

    /// Leaves with a profit of so many ticks, by a limit order; see [`stop_loss`](Self::stop_loss).
    pub fn take_profit(entry: OrderSide, distance: u32) -> Self {
        Self { ticks: signed(entry, distance), kind: OrderType::Limit }
    }
}

fn signed(side: OrderSide, distance: u32) -> i32 {
    let ticks = i32::try_from(distance).unwrap_or(i32::MAX);
    if side == OrderSide::Bid { ticks } else { -ticks }
}

/// `Order/place`: places an order.
///
/// It is not idempotent: when the answer is lost, the order may stand. A unique [`custom_tag`](Self::custom_tag) finds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct PlaceOrder {
    /// The account.
    pub account_id: AccountId,
    /// The contract.
    pub contract_id: ContractId,
    /// How it is executed.
    #[serde(rename = "type")]
    pub kind: OrderType,
    /// Whether it buys or sells.
    pub side: OrderSide,
    /// How many contracts.
    pub size: i32,
    /// The limit, of a limit order; at a whole tick.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit_price: Option<Price>,
    /// The price that wakes it, of a stop order; at a whole tick.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_price: Option<Price>,
    /// Where a trailing stop begins: a level, not a distance, at most 1,000 ticks away.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trail_price: Option<Price>,
    /// What the client calls the order; the gateway refuses one that the account has seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_tag: Option<String>,
    /// Where to leave with a loss.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_loss_bracket: Option<Bracket>,
    /// Where to leave with a profit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub take_profit_bracket: Option<Bracket>,
}

impl PlaceOrder {
    /// Makes an order of any type, without prices.
    pub const fn new(
        account_id: AccountId,
        contract_id: ContractId,
        kind: OrderType,
        side: OrderSide,
        size: i32,
    ) -> Self {
        Self {
            account_id,
            contract_id,
            kind,
            side,
            size,
            limit_price: None,
            stop_price: None,
            trail_price: None,
            custom_tag: None,
            stop_loss_bracket: None,
            take_profit_bracket: None,
        }
    }

    /// Trades at once, at the market's price.
    pub const fn market(account_id: AccountId, contract_id: ContractId, side: OrderSide, size: i32) -> Self {
        Self::new(account_id, contract_id, OrderType::Market, side, size)
    }

    /// Trades at a price or better.
    pub const fn limit(
        account_id: AccountId,
        contract_id: ContractId,
        side: OrderSide,
        size: i32,
        limit_price: Price,
    ) -> Self {
        let mut order = Self::new(account_id, contract_id, OrderType::Limit, side, size);
        order.limit_price = Some(limit_price);
        order
    }

    /// Trades at the market's price once that reaches a level.
    pub const fn stop(
        account_id: AccountId,
        contract_id: ContractId,
        side: OrderSide,
        size: i32,
        stop_price: Price,
    ) -> Self {
        let mut order = Self::new(account_id, contract_id, OrderType::Stop, side, size);
        order.stop_price = Some(stop_price);
        order
    }

    /// The same with a level that follows the market, beginning at `trail_price`.
    pub const fn trailing_stop(
        account_id: AccountId,
        contract_id: ContractId,
        side: OrderSide,
        size: i32,
        trail_price: Price,
    ) -> Self {
        let mut order = Self::new(account_id, contract_id, OrderType::TrailingStop, side, size);
        order.trail_price = Some(trail_price);
        order
    }

    /// Names the order.
    #[must_use]
    pub fn custom_tag(mut self, tag: impl Into<String>) -> Self {
        self.custom_tag = Some(tag.into());
        self
    }

    /// Leaves with a loss of so many ticks, by a stop order.
    #[must_use]
    pub fn stop_loss(mut self, distance: u32) -> Self {
        self.stop_loss_bracket = Some(Bracket::stop_loss(self.side, distance));
        self
    }

    /// Leaves with a profit of so many ticks, by a limit order.
    #[must_use]
    pub fn take_profit(mut self, distance: u32) -> Self {
        self.take_profit_bracket = Some(Bracket::take_profit(self.side, distance));
        self
    }
}

/// An order that was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Placed {
    /// Names the order.
    pub order_id: OrderId,
}

/// The same while it is being read.
#[derive(Default)]
pub struct PlacedBuild(Option<OrderId>);

impl Payload for Placed {
    type Build = PlacedBuild;
}

impl Build<Placed> for PlacedBuild {
    fn fill<'de, A: serde::de::MapAccess<'de>>(
        &mut self,
        _: &str,
        _: &mut A,
        _: &mut Option<Fault>,
    ) -> Result<Option<&'static str>, A::Error> {
        Ok(None)
    }

    fn take_order_id(&mut self, order_id: Option<OrderId>) {
        self.0 = order_id;
    }

    fn finish(self) -> Result<Placed, RowError> {
        Ok(Placed { order_id: self.0.ok_or_else(|| missing("orderId"))? })
    }
}

request!(PlaceOrder, "/api/Order/place" => Placed, PlaceErrorCode, CHANGES = true);
