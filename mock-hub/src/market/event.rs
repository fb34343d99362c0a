//! What the market tells.

use std::sync::Arc;

use rust_decimal::Decimal;
use time::OffsetDateTime;

/// The touch of a contract: its best bid and ask, and the price of its last trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Best {
    /// The highest price that somebody offers to buy at.
    pub bid: Decimal,
    /// The lowest price that somebody offers to sell at; always above `bid`.
    pub ask: Decimal,
    /// The price of the last trade; always within a tick of `bid` or of `ask`.
    pub last: Decimal,
}

/// Who took what the other side had offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a trade has a buyer and a seller, and one of them was the later")]
pub enum Side {
    /// A buyer took an ask; `type` 0 on the wire.
    Buy,
    /// A seller took a bid; `type` 1 on the wire.
    Sell,
}

/// One event of the market hub, with its second argument as the wire has it; the first is the contract's id.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MarketEvent {
    /// `GatewayQuote`: an object with the members that changed.
    Quote {
        /// The contract's id.
        contract: Arc<str>,
        /// When it happened in the market.
        at: OffsetDateTime,
        /// The event's second argument.
        json: String,
        /// The touch as it is from now on.
        best: Best,
    },
    /// `GatewayTrade`: an array of prints, all by one buyer or seller.
    Trade {
        /// The contract's id.
        contract: Arc<str>,
        /// When it happened in the market.
        at: OffsetDateTime,
        /// The event's second argument.
        json: String,
        /// The price of the last print.
        price: Decimal,
        /// The contracts that changed hands in all prints together.
        volume: u64,
        /// Who took.
        side: Side,
    },
    /// `GatewayDepth`: an array of rows.
    Depth {
        /// The contract's id.
        contract: Arc<str>,
        /// When it happened in the market.
        at: OffsetDateTime,
        /// The event's second argument.
        json: String,
    },
}

impl MarketEvent {
    /// The id of the contract that it is about.
    #[must_use]
    pub fn contract(&self) -> &Arc<str> {
        match self {
            Self::Quote { contract, .. } | Self::Trade { contract, .. } | Self::Depth { contract, .. } => contract,
        }
    }

    /// When it happened in the market, which is when it was due, not when it was asked for.
    #[must_use]
    pub fn at(&self) -> OffsetDateTime {
        match self {
            Self::Quote { at, .. } | Self::Trade { at, .. } | Self::Depth { at, .. } => *at,
        }
    }

    /// Its second argument as JSON.
    #[must_use]
    pub fn json(&self) -> &str {
        match self {
            Self::Quote { json, .. } | Self::Trade { json, .. } | Self::Depth { json, .. } => json,
        }
    }

    /// The name of the event on the wire.
    #[must_use]
    pub fn target(&self) -> &'static str {
        match self {
            Self::Quote { .. } => "GatewayQuote",
            Self::Trade { .. } => "GatewayTrade",
            Self::Depth { .. } => "GatewayDepth",
        }
    }
}
