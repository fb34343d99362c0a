//! The contracts that have quotes.

use std::collections::BTreeMap;

use super::instrument::Instrument;

/// The contracts that may have quotes at once; a further one gets its full quote and no more.
const MAX_CONTRACTS: usize = 10_000;

/// The contract of the floods.
pub(crate) const CONTRACT: &str = "CON.F.US.EP.Z26";

/// The quote of the floods: the same bytes every time but for its serial.
pub(crate) fn contract_quote(serial: i64) -> String {
    format!(
        "{{\"symbol\":\"F.US.EP\",\"symbolName\":\"/ES\",\"lastPrice\":5023.25,\"bestBid\":5023.00,\
         \"bestAsk\":5023.25,\"change\":12.50,\"changePercent\":0.25,\"open\":5010.75,\"high\":5030.00,\
         \"low\":5005.25,\"volume\":{serial},\"lastUpdated\":\"2026-11-20T14:30:00.1234567+00:00\",\
         \"timestamp\":\"2026-11-20T14:30:00.1234567+00:00\"}}"
    )
}

#[derive(Debug, Default)]
pub(super) struct Quotes {
    instruments: BTreeMap<String, Instrument>,
}

impl Quotes {
    /// The full quote of a contract, which from now on has quotes.
    pub(super) fn full(&mut self, contract: &str) -> String {
        if let Some(instrument) = self.instruments.get(contract) {
            return instrument.full();
        }
        let instrument = Instrument::new(contract);
        let quote = instrument.full();
        if self.instruments.len() < MAX_CONTRACTS {
            self.instruments.insert(contract.to_owned(), instrument);
        }
        quote
    }

    pub(super) fn for_each(&mut self, mut visit: impl FnMut(&str, &mut Instrument)) {
        self.instruments.iter_mut().for_each(|(contract, instrument)| visit(contract, instrument));
    }
}
