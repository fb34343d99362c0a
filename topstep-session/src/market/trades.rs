//! The trades of one contract.

use topstep_model::{ContractId, MarketTrade};

use super::line::{Line, Wire};
use super::update::MarketUpdate;
use crate::gap::{GapCause, Subject, Verdict};
use crate::known::{Known, Source};
use crate::moment::Moment;
use crate::update::Told;

#[derive(Debug)]
pub(super) struct TradeFeed {
    pub(super) line: Line,
}

impl TradeFeed {
    pub(super) fn new(contract: ContractId, now: Moment) -> Self {
        Self { line: Line::new(Subject::MarketTrades(contract), now) }
    }

    pub(super) fn take(&mut self, now: Moment, contract: ContractId, mut trade: MarketTrade, wire: &mut Wire) {
        if !self.line.is_wanted() {
            wire.counters.foreign_rows += 1;
            return;
        }
        self.line.heard(now, wire, trade.timestamp);
        wire.counters.trades += 1;
        // The row seldom names its contract, and the symbol is shared by all months.
        trade.contract_id = Some(contract.clone());
        let told = Told { value: trade, source: Source::Stream, known: Known::Live };
        wire.tell(MarketUpdate::Trade { contract, told });
    }

    pub(super) fn acknowledged(&mut self, now: Moment, wire: &mut Wire) {
        self.line.acknowledge(now);
        self.line.close_gap(now, wire, Verdict::TicksLost);
    }

    pub(super) fn lost(&mut self, wire: &mut Wire, cause: GapCause) {
        self.line.await_acknowledgement();
        self.line.open_gap(wire, cause);
    }

    /// A hole in a subscription that lives. Unless an acknowledgement is to follow, it is over as soon as it is told.
    pub(super) fn hole(&mut self, now: Moment, wire: &mut Wire, cause: GapCause) {
        self.line.open_gap(wire, cause);
        if cause == GapCause::Resubscribed {
            self.line.await_acknowledgement();
        }
        if self.line.acknowledged().is_some() {
            self.line.close_gap(now, wire, Verdict::TicksLost);
        }
    }
}
