//! What the hub sends.

use std::borrow::Borrow;
use std::collections::VecDeque;

use topstep_model::{ContractId, DepthRow, MarketEvent, MarketTrade, Quote, RowError, Rows, Target};

use super::MarketMachine;
use crate::known::{Known, Source};
use crate::market::line::Wire;
use crate::market::quote::MergedQuote;
use crate::market::text::harmless;
use crate::market::update::MarketUpdate;
use crate::moment::Moment;
use crate::update::{Malformed, Told};

/// The most bad rows of one record that are told one by one.
const MOST_TOLD: usize = 16;

impl MarketMachine {
    /// Takes the quotes of one record.
    pub fn handle_quotes(&mut self, now: Moment, rows: Rows<MarketEvent<Quote>>) {
        self.take_quotes(now, &rows, |events, quote, known| events.push_back(quote_update(quote, known)));
    }

    /// The same, but a quote is not queued: `tell` is given it, and everything that was queued before it and is to be told first.
    pub(crate) fn take_quotes(
        &mut self,
        now: Moment,
        rows: &Rows<MarketEvent<Quote>>,
        mut tell: impl FnMut(&mut VecDeque<MarketUpdate>, &MergedQuote, Known),
    ) {
        if self.is_late(rows.len()) {
            return;
        }
        let mut bad = Vec::new();
        for row in rows {
            match row {
                Ok(MarketEvent { contract_id, value, .. }) => match self.contracts.get_mut(contract_id) {
                    Some(contract) => {
                        let tell = |wire: &mut Wire, quote: &MergedQuote, known| tell(&mut wire.events, quote, known);
                        contract.quotes.take(now, value, &self.config, &mut self.wire, tell);
                    }
                    None => self.wire.counters.foreign_rows += 1,
                },
                Err(error) => bad.push(error),
            }
        }
        self.tell_bad(Target::Quote, &bad);
    }

    /// Takes the trades of one record.
    pub fn handle_trades(&mut self, now: Moment, rows: Rows<MarketEvent<MarketTrade>>) {
        if self.is_late(rows.len()) {
            return;
        }
        let mut bad = Vec::new();
        for row in rows {
            match row {
                Ok(MarketEvent { contract_id, value, .. }) => match self.contracts.get_mut(&contract_id) {
                    Some(contract) => contract.trades.take(now, contract_id, value, &mut self.wire),
                    None => self.wire.counters.foreign_rows += 1,
                },
                Err(error) => bad.push(error),
            }
        }
        self.tell_bad(Target::Trade, &bad);
    }

    /// Takes the depth rows of one record. They are of one contract, whose book may be complete only at their end.
    pub fn handle_depth(&mut self, now: Moment, rows: Rows<MarketEvent<DepthRow>>) {
        if self.is_late(rows.len()) {
            return;
        }
        let mut bad = Vec::new();
        let mut parts: Vec<(ContractId, Vec<DepthRow>)> = Vec::new();
        let mut room = rows.len();
        for row in rows {
            match row {
                Ok(MarketEvent { contract_id, value, .. }) => match parts.last_mut() {
                    Some((id, part)) if *id == contract_id => part.push(value),
                    _ => {
                        let mut part = Vec::with_capacity(room);
                        room = 0;
                        part.push(value);
                        parts.push((contract_id, part));
                    }
                },
                Err(error) => bad.push(error),
            }
        }
        let is_suspect = !bad.is_empty();
        if is_suspect && parts.is_empty() {
            self.suspect_books();
        }
        for (id, part) in parts {
            match self.contracts.get_mut(&id) {
                Some(contract) => contract.depth.take(now, part, is_suspect, &self.config, &mut self.wire),
                None => self.wire.counters.foreign_rows += part.len() as u64,
            }
        }
        self.tell_bad(Target::Depth, &bad);
    }

    /// A whole record could not be read. It is told, and opens no gap; books that it may have been about are under suspicion until their next
    /// reset.
    pub fn handle_malformed(&mut self, _now: Moment, target: Target, message: String) {
        if target == Target::Depth {
            self.suspect_books();
        }
        self.malformed(target, &message);
    }

    fn is_late(&mut self, rows: usize) -> bool {
        if !self.wire.is_connected {
            self.wire.counters.late_rows += rows as u64;
        }
        !self.wire.is_connected
    }

    /// What could not be read may have been about any book.
    fn suspect_books(&mut self) {
        self.contracts.iter_mut().for_each(|contract| contract.depth.suspect());
    }

    fn tell_bad<E: Borrow<RowError>>(&mut self, target: Target, bad: &[E]) {
        let more = bad.len().saturating_sub(MOST_TOLD);
        for error in bad.iter().take(MOST_TOLD) {
            self.malformed(target, &error.borrow().to_string());
        }
        if more > 0 {
            self.malformed(target, &format!("{more} more rows of the record cannot be read"));
            self.wire.counters.malformed += more as u64 - 1;
        }
    }

    fn malformed(&mut self, target: Target, message: &str) {
        self.wire.counters.malformed += 1;
        let malformed = Malformed { target: target.name(), message: harmless(message) };
        self.wire.tell(MarketUpdate::Malformed(malformed));
    }
}

fn quote_update(quote: &MergedQuote, known: Known) -> MarketUpdate {
    let told = Told { value: quote.clone(), source: Source::Stream, known };
    MarketUpdate::Quote { contract: quote.contract.clone(), told }
}
