//! Codes of orders.

use super::codes;

codes! {
    /// Which way an order, or a fill of it, goes.
    pub enum OrderSide {
        /// Buy.
        0 Bid "buy",
        /// Sell.
        1 Ask "sell",
    }

    /// How an order is executed.
    pub enum OrderType {
        /// Nothing that is known.
        0 Unknown "unknown",
        /// At its limit price or better.
        1 Limit "limit",
        /// At once, at the market's price.
        2 Market "market",
        /// A limit order that wakes at its stop price; not listed as one that can be placed.
        3 StopLimit "stop limit",
        /// A market order that wakes at its stop price.
        4 Stop "stop",
        /// A stop that follows the market.
        5 TrailingStop "trailing stop",
        /// A limit order at the best bid.
        6 JoinBid "join bid",
        /// A limit order at the best ask.
        7 JoinAsk "join ask",
    }

    /// What has become of an order.
    ///
    /// 7 and 8 appeared on the wire after the documentation was written, so more may.
    pub enum OrderStatus {
        /// Nothing; not seen on the wire.
        0 None "none",
        /// It works at the exchange.
        1 Open "open",
        /// It was filled, in full.
        2 Filled "filled",
        /// It was cancelled, by somebody or by the venue.
        3 Cancelled "cancelled",
        /// Its time was over.
        4 Expired "expired",
        /// It was refused; the reason stands in the answer to the request only.
        5 Rejected "rejected",
        /// It is on its way to the exchange.
        6 Pending "pending",
        /// Its cancellation is on its way to the exchange.
        7 PendingCancellation "pending cancellation",
        /// It waits for another order to fill: the child of a bracket.
        8 Suspended "suspended",
    }

    /// What a query of orders is sorted by.
    pub enum OrderSortBy {
        /// When the order was created.
        0 CreatedAt "created at",
        /// The order's id.
        1 Id "id",
    }

    /// Which way a query is sorted.
    pub enum SortDirection {
        /// The smallest first.
        0 Ascending "ascending",
        /// The largest first.
        1 Descending "descending",
    }
}

impl OrderSide {
    /// The other side; of an unknown number the number itself.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Bid => Self::Ask,
            Self::Ask => Self::Bid,
            Self::Other(code) => Self::Other(code),
        }
    }

    /// 1 for a buy, -1 for a sell; `None` where the number is not known.
    pub const fn sign(self) -> Option<i32> {
        match self {
            Self::Bid => Some(1),
            Self::Ask => Some(-1),
            Self::Other(_) => None,
        }
    }
}

impl OrderStatus {
    /// Whether the order is over for good: filled, cancelled, expired or rejected.
    ///
    /// A number that is not known is not taken for an end.
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Filled | Self::Cancelled | Self::Expired | Self::Rejected)
    }

    /// Whether the order may still be filled: open, pending, pending cancellation or suspended.
    pub const fn is_working(self) -> bool {
        matches!(self, Self::Open | Self::Pending | Self::PendingCancellation | Self::Suspended)
    }

    /// How far along its life an order with this status is, to choose between two states with the same time.
    ///
    /// Suspended and none are 0, pending 1, open 2, pending cancellation 3, and the ends 4; what is not known counts as
    /// open. Times are equal in practice: the venue stamps an order's first two states alike.
    pub const fn terminal_rank(self) -> u8 {
        match self {
            Self::None | Self::Suspended => 0,
            Self::Pending => 1,
            Self::Open | Self::Other(_) => 2,
            Self::PendingCancellation => 3,
            Self::Filled | Self::Cancelled | Self::Expired | Self::Rejected => 4,
        }
    }
}
