//! Codes of market data.

use super::codes;

codes! {
    /// Who began a trade that the market hub tells of.
    pub enum TradeLogType {
        /// A buyer took the ask.
        0 Buy "buy",
        /// A seller took the bid.
        1 Sell "sell",
    }

    /// What a row of the market's depth says (the venue's `DomType`).
    pub enum DomType {
        /// Nothing that is known.
        0 Unknown "unknown",
        /// Offers to sell at the price: `volume` is all there is, 0 takes the level away.
        1 Ask "ask",
        /// Offers to buy at the price, in the same way.
        2 Bid "bid",
        /// The level that is the lowest ask.
        3 BestAsk "best ask",
        /// The level that is the highest bid.
        4 BestBid "best bid",
        /// A trade: `currentVolume` is its size, `volume` the total at its price.
        5 Trade "trade",
        /// The book is to be cleared, whatever numbers the row has.
        6 Reset "reset",
        /// The session's lowest price.
        7 Low "low",
        /// The session's highest price.
        8 High "high",
        /// A level that becomes the highest bid.
        9 NewBestBid "new best bid",
        /// A level that becomes the lowest ask.
        10 NewBestAsk "new best ask",
        /// A fill, with the same volumes as a trade.
        11 Fill "fill",
    }

    /// The unit of a bar's length (the venue's `AggregateBarUnit`).
    pub enum BarUnit {
        /// None: refused in a request.
        0 Unspecified "unspecified",
        /// Seconds.
        1 Second "second",
        /// Minutes.
        2 Minute "minute",
        /// Hours.
        3 Hour "hour",
        /// Days of trading.
        4 Day "day",
        /// Weeks.
        5 Week "week",
        /// Months.
        6 Month "month",
        /// Trades; newer than the documentation.
        7 Tick "tick",
    }
}

impl DomType {
    /// Whether the row is a level on the side of the buyers: bid, best bid or new best bid.
    pub const fn is_bid(self) -> bool {
        matches!(self, Self::Bid | Self::BestBid | Self::NewBestBid)
    }

    /// Whether the row is a level on the side of the sellers: ask, best ask or new best ask.
    pub const fn is_ask(self) -> bool {
        matches!(self, Self::Ask | Self::BestAsk | Self::NewBestAsk)
    }
}
