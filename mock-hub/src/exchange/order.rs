//! Orders, and the numbers that describe them.

use rust_decimal::Decimal;
use time::OffsetDateTime;

use super::json::{Form, Object};
use super::stamp;

/// Which side an order or a trade is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// 0: buys.
    Buy,
    /// 1: sells.
    Sell,
}

impl Side {
    /// The number on the wire.
    pub const fn code(self) -> i32 {
        match self {
            Self::Buy => 0,
            Self::Sell => 1,
        }
    }

    /// The side of a number on the wire; `None` where there is no such side.
    pub const fn from_code(code: i32) -> Option<Self> {
        match code {
            0 => Some(Self::Buy),
            1 => Some(Self::Sell),
            _ => None,
        }
    }

    /// The side that trades against this one.
    pub const fn opposite(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }

    /// 1 for a buy, -1 for a sell.
    pub(super) const fn sign(self) -> i64 {
        match self {
            Self::Buy => 1,
            Self::Sell => -1,
        }
    }
}

/// The kinds of order that can be placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OrderType {
    /// 1: trades at its limit or better.
    Limit,
    /// 2: trades at what is offered.
    Market,
    /// 4: becomes a market order when the last price reaches its stop.
    Stop,
    /// 5: a stop that follows the price at a distance.
    TrailingStop,
    /// 6: a limit order at the bid that stands when the order arrives.
    JoinBid,
    /// 7: a limit order at the ask that stands when the order arrives.
    JoinAsk,
}

impl OrderType {
    /// The number on the wire.
    pub const fn code(self) -> i32 {
        match self {
            Self::Limit => 1,
            Self::Market => 2,
            Self::Stop => 4,
            Self::TrailingStop => 5,
            Self::JoinBid => 6,
            Self::JoinAsk => 7,
        }
    }

    /// The type of a number on the wire; `None` for 0, for 3 (stop-limit, which the venue does not take) and beyond.
    pub const fn from_code(code: i32) -> Option<Self> {
        match code {
            1 => Some(Self::Limit),
            2 => Some(Self::Market),
            4 => Some(Self::Stop),
            5 => Some(Self::TrailingStop),
            6 => Some(Self::JoinBid),
            7 => Some(Self::JoinAsk),
            _ => None,
        }
    }

    /// Whether it rests at a limit price.
    pub(super) const fn is_limit(self) -> bool {
        matches!(self, Self::Limit | Self::JoinBid | Self::JoinAsk)
    }
}

/// What has become of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OrderStatus {
    /// 1: works in the market.
    Open,
    /// 2: filled in full.
    Filled,
    /// 3: cancelled, perhaps after a partial fill.
    Cancelled,
    /// 4: expired, perhaps after a partial fill.
    Expired,
    /// 5: refused.
    Rejected,
    /// 6: received, and not yet in the market.
    Pending,
    /// 8: a bracket's child whose entry is not filled yet.
    Suspended,
}

impl OrderStatus {
    /// The number on the wire.
    pub const fn code(self) -> i32 {
        match self {
            Self::Open => 1,
            Self::Filled => 2,
            Self::Cancelled => 3,
            Self::Expired => 4,
            Self::Rejected => 5,
            Self::Pending => 6,
            Self::Suspended => 8,
        }
    }

    /// Whether the order's story is over: nothing changes it from here.
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Filled | Self::Cancelled | Self::Expired | Self::Rejected)
    }
}

/// An order as the venue shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Its id, above 2^31.
    pub id: i64,
    /// The account it belongs to.
    pub account_id: i32,
    /// The contract, such as `CON.F.US.MNQ.Z26`.
    pub contract_id: String,
    /// The contract's root, such as `F.US.MNQ`.
    pub symbol_id: String,
    /// When it arrived.
    pub creation: OffsetDateTime,
    /// When it last changed; later by at least a microsecond with each change.
    pub update: OffsetDateTime,
    /// What has become of it.
    pub status: OrderStatus,
    /// Its kind.
    pub order_type: OrderType,
    /// Its side.
    pub side: Side,
    /// Contracts in all.
    pub size: i32,
    /// Its limit, where it has one.
    pub limit_price: Option<Decimal>,
    /// Its stop, where it has one; it moves with a trailing stop.
    pub stop_price: Option<Decimal>,
    /// Contracts filled.
    pub fill_volume: i32,
    /// The average price of what was filled.
    pub filled_price: Option<Decimal>,
    /// The tag that the client gave it, or a child's that derives from its entry's.
    pub custom_tag: Option<String>,
    /// The entry, on a bracket's child.
    pub parent_order_id: Option<i64>,
    /// The stop-loss sibling, on a take-profit child only.
    pub linked_order_id: Option<i64>,
    /// Ticks from the reference price, signed; on children and trailing stops.
    pub trail_distance: Option<i32>,
    /// The same distance as a price.
    pub trail_price: Option<Decimal>,
}

impl Order {
    /// Contracts not filled yet.
    pub const fn remaining(&self) -> i32 {
        self.size - self.fill_volume
    }

    /// The stream's members, or REST's: there the prices and the tag are null where there is none, the bracket's links
    /// are left out on orders without them, and the trail's members belong to trailing stops alone.
    pub(super) fn json(&self, form: Form) -> String {
        let time = if form == Form::Stream { stamp::stream } else { stamp::rest };
        let shows_trail = form == Form::Stream || self.order_type == OrderType::TrailingStop;
        Object::new(form)
            .plain("id", self.id)
            .plain("accountId", self.account_id)
            .text("contractId", &self.contract_id)
            .text("symbolId", &self.symbol_id)
            .text("creationTimestamp", &time(self.creation))
            .text("updateTimestamp", &time(self.update))
            .plain("status", self.status.code())
            .plain("type", self.order_type.code())
            .plain("side", self.side.code())
            .plain("size", self.size)
            .nullable("limitPrice", self.limit_price, Object::decimal)
            .nullable("stopPrice", self.stop_price, Object::decimal)
            .plain("fillVolume", self.fill_volume)
            .nullable("filledPrice", self.filled_price, Object::decimal)
            .nullable("customTag", self.custom_tag.as_deref(), Object::text)
            .optional("parentOrderId", self.parent_order_id, Object::plain)
            .optional("linkedOrderId", self.linked_order_id, Object::plain)
            .optional("trailDistance", self.trail_distance.filter(|_| shows_trail), Object::plain)
            .optional("trailPrice", self.trail_price.filter(|_| shows_trail), Object::decimal)
            .finish()
    }
}
