//! Bars of every unit, from history and from what trades.

mod builder;
mod holes;
mod span;

use topstep_model::rest::Bar;
use topstep_model::{MarketTrade, Price, Timestamp};

pub use builder::BarBuilder;
pub use span::BarSpan;

use crate::known::Source;

/// A bar, and whether it can be trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BuiltBar {
    /// When its interval begins; of a bar of ticks, the time of its first trade.
    pub start: Timestamp,
    /// The first price.
    pub open: Price,
    /// The highest price.
    pub high: Price,
    /// The lowest price.
    pub low: Price,
    /// The last price.
    pub close: Price,
    /// How many contracts were traded.
    pub volume: i64,
    /// Whether trades of it may be missing, and REST has not told it since.
    pub is_incomplete: bool,
    /// Whether it was built from trades, or is REST's.
    pub source: Source,
}

/// News of the bars of a contract.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum BarUpdate {
    /// The running bar, after something changed it.
    Current(BuiltBar),
    /// A bar is over. One without a trade never was.
    Closed(BuiltBar),
    /// A bar that is over is not what was said of it: a gap was found to fall in, a trade came late, or REST repaired it. It may also be one that
    /// was missed as a whole.
    Changed(BuiltBar),
}

impl BuiltBar {
    fn of_trade(start: Timestamp, trade: &MarketTrade, is_incomplete: bool) -> Self {
        let (price, volume) = (trade.price, trade.volume);
        let source = Source::Stream;
        Self { start, open: price, high: price, low: price, close: price, volume, is_incomplete, source }
    }

    fn of_rest(bar: &Bar) -> Self {
        let Bar { time, open, high, low, close, volume, .. } = *bar;
        Self { start: time, open, high, low, close, volume, is_incomplete: false, source: Source::Rest }
    }

    fn add(&mut self, trade: &MarketTrade) {
        self.high = self.high.max(trade.price);
        self.low = self.low.min(trade.price);
        self.close = trade.price;
        self.volume = self.volume.saturating_add(trade.volume);
    }
}
