//! What can be read at any time.

use topstep_model::ContractId;

use super::MarketMachine;
use crate::gap::{Gap, GapNotice, Subject};
use crate::known::Known;
use crate::market::book::Book;
use crate::market::contracts::{Contract, contract_of};
use crate::market::quote::MergedQuote;
use crate::market::update::{MarketCounters, MarketState, MarketUpdate};
use crate::moment::Moment;

impl MarketMachine {
    /// Whether the market hub is connected.
    pub fn is_connected(&self) -> bool {
        self.wire.is_connected
    }

    /// The merged quote of a contract; `None` if nobody ever wanted its quotes or none came yet.
    ///
    /// [`quote_known`](Self::quote_known) says how it is known, which depends on the time.
    pub fn quote(&self, _now: Moment, contract: &ContractId) -> Option<MergedQuote> {
        let quote = self.contracts.get(contract)?.quotes.quote();
        quote.arrived.is_some().then(|| quote.clone())
    }

    /// How the quote of a contract is known now; stale if nobody wants it.
    pub fn quote_known(&self, now: Moment, contract: &ContractId) -> Known {
        let contract = self.contracts.get(contract);
        contract.map_or(Known::Stale, |contract| contract.quotes.known(now, &self.config, &self.wire))
    }

    /// The book of a contract whose depth is wanted. It says nothing unless it [is valid](Book::is_valid).
    pub fn book(&self, contract: &ContractId) -> Option<&Book> {
        let depth = &self.contracts.get(contract)?.depth;
        depth.line.is_wanted().then(|| depth.book())
    }

    /// How the book of a contract is known; stale if nobody wants it.
    pub fn book_known(&self, contract: &ContractId) -> Known {
        self.contracts.get(contract).map_or(Known::Stale, |contract| contract.depth.known(&self.wire))
    }

    /// All that is believed of what is wanted, at one moment.
    pub fn state(&self, now: Moment) -> MarketState {
        let contracts = self.contracts.sorted();
        let quotes = contracts.iter().filter(|contract| contract.quotes.line.is_wanted());
        let books = contracts.iter().filter(|contract| contract.depth.line.is_wanted());
        MarketState {
            is_connected: self.wire.is_connected,
            quotes: quotes.map(|contract| contract.quotes.told(now, &self.config, &self.wire)).collect(),
            books: books.map(|contract| contract.depth.view(&self.wire)).collect(),
            gaps: self.gaps_open(),
        }
    }

    /// What a listener that comes later is told first: the open gap, then the merged quote, or the whole valid book as a reset and its levels.
    ///
    /// What is still to be fetched from [`poll_event`](Self::poll_event) is in it already.
    pub fn join(&self, now: Moment, subject: &Subject) -> Vec<MarketUpdate> {
        let Some(contract) = contract_of(subject).and_then(|id| self.contracts.get(id)) else { return Vec::new() };
        let line = match subject {
            Subject::Quotes(_) => &contract.quotes.line,
            Subject::MarketTrades(_) => &contract.trades.line,
            _ => &contract.depth.line,
        };
        let gap = line.gap().map(|gap| MarketUpdate::Gap(GapNotice::Opened(gap.clone())));
        gap.into_iter().chain(self.current(now, contract, subject)).collect()
    }

    /// The gaps that are open, by their names.
    pub fn gaps_open(&self) -> Vec<Gap> {
        let lines = |contract: &Contract| {
            [contract.quotes.line.gap(), contract.trades.line.gap(), contract.depth.line.gap()]
                .map(Option::<&Gap>::cloned)
        };
        let mut gaps: Vec<Gap> = self.contracts.iter().flat_map(lines).flatten().collect();
        gaps.sort_unstable_by_key(|gap| gap.id);
        gaps
    }

    /// How much has come, and what became of it.
    pub fn counters(&self) -> MarketCounters {
        self.wire.counters
    }

    fn current(&self, now: Moment, contract: &Contract, subject: &Subject) -> Option<MarketUpdate> {
        let id = contract.id.clone();
        match subject {
            Subject::Quotes(_) if contract.quotes.quote().arrived.is_some() => {
                Some(MarketUpdate::Quote { contract: id, told: contract.quotes.told(now, &self.config, &self.wire) })
            }
            Subject::Depth(_) if contract.depth.book().is_valid() => Some(MarketUpdate::Depth {
                contract: id,
                rows: contract.depth.book().to_rows(),
                is_valid: true,
                known: contract.depth.known(&self.wire),
            }),
            _ => None,
        }
    }
}
