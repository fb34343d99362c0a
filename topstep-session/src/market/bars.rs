//! Bars.
use std::time::Duration;

use signalr_proto::time::Instant;
use topstep_model::rest::Bars;
use topstep_model::{BarUnit, ContractId, MarketTrade, Price, Timestamp};

use super::update::MarketUpdate;
use crate::moment::Moment;

/// How long a bar is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BarSpan {
    unit: BarUnit,
    number: u32,
}

impl BarSpan {
    /// So many units; `None` for a unit or number the venue refuses.
    pub fn new(unit: BarUnit, number: u32) -> Option<Self> {
        (number > 0).then_some(Self { unit, number })
    }
    /// The unit.
    pub fn unit(self) -> BarUnit {
        self.unit
    }
    /// The number.
    pub fn number(self) -> u32 {
        self.number
    }
    /// When the bar of a time begins; `None` for bars of ticks.
    pub fn start_of(self, at: Timestamp) -> Option<Timestamp> {
        Some(at)
    }
    /// When the bar of a time ends.
    pub fn end_of(self, at: Timestamp) -> Option<Timestamp> {
        Some(at)
    }
}

/// One bar.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BuiltBar {
    /// When it begins.
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
    /// Whether a gap fell in and REST has not repaired it.
    pub is_incomplete: bool,
}

/// News of bars.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum BarUpdate {
    /// The running bar changed.
    Current(BuiltBar),
    /// A bar is over.
    Closed(BuiltBar),
    /// REST told a closed bar anew.
    Repaired(BuiltBar),
}

/// Builds bars of one contract.
#[derive(Debug)]
pub struct BarBuilder {}

impl BarBuilder {
    /// Bars of a contract; the bar that is running now is incomplete until it is seeded.
    pub fn new(contract: ContractId, span: BarSpan, began: Moment) -> Self {
        let _ = (contract, span, began);
        Self {}
    }
    /// Takes the history: REST's answer, newest first, the partial bar included.
    pub fn seed(&mut self, now: Moment, bars: &Bars) {
        let _ = (now, bars);
    }
    /// Replaces flagged bars by what REST says of them.
    pub fn repair(&mut self, now: Moment, bars: &Bars) {
        let _ = (now, bars);
    }
    /// Takes what matters of a session's stream: trades and gaps of this contract.
    pub fn handle_update(&mut self, now: Moment, update: &MarketUpdate) {
        let _ = (now, update);
    }
    /// Takes a trade.
    pub fn handle_trade(&mut self, now: Moment, trade: &MarketTrade) {
        let _ = (now, trade);
    }
    /// Ends the bar whose time is over.
    pub fn handle_timeout(&mut self, now: Moment) {
        let _ = now;
    }
    /// When the running bar is over.
    pub fn poll_timeout(&self) -> Option<Instant> {
        None
    }
    /// The next news.
    pub fn poll_bar(&mut self) -> Option<BarUpdate> {
        None
    }
    /// The interval that REST should tell anew: from, to.
    pub fn wants_repair(&self) -> Option<(Timestamp, Timestamp)> {
        None
    }
    /// The running bar.
    pub fn current(&self) -> Option<&BuiltBar> {
        None
    }
    /// The bars that are over, oldest first.
    pub fn closed(&self) -> impl ExactSizeIterator<Item = &BuiltBar> {
        [].iter()
    }
    #[expect(dead_code)]
    fn grace(&self) -> Duration {
        Duration::ZERO
    }
}
