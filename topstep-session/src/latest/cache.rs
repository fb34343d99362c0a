//! What was known last, and who waits for better.

use std::collections::BTreeMap;
use std::time::Duration;

use signalr_proto::time::Instant;
use topstep_model::{ContractId, Price};

use super::{Latest, LatestError, LatestSource, LatestWarning, LiveQuote};

/// More contracts than this are not kept: the one heard of longest ago goes.
const MAX_CONTRACTS: usize = 1_024;

/// A price, and how old it was when it was told.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Known {
    price: Price,
    bid: Option<Price>,
    ask: Option<Price>,
    told_at: Instant,
    age_then: Duration,
}

/// The last known prices, at most [`MAX_CONTRACTS`].
#[derive(Debug, Default)]
pub(crate) struct Cache {
    known: BTreeMap<ContractId, Known>,
}

impl Known {
    pub(crate) fn live(now: Instant, quote: LiveQuote) -> Self {
        Self { price: quote.price, bid: quote.bid, ask: quote.ask, told_at: now, age_then: quote.age }
    }

    pub(crate) fn bar(now: Instant, close: Price, age: Duration) -> Self {
        Self { price: close, bid: None, ask: None, told_at: now, age_then: age }
    }

    pub(crate) fn tell(
        &self,
        now: Instant,
        contract: ContractId,
        source: LatestSource,
        warning: Option<LatestWarning>,
    ) -> Latest {
        let age = self.age_then + now.saturating_since(self.told_at);
        Latest { contract, price: self.price, bid: self.bid, ask: self.ask, source, age, warning }
    }
}

impl Cache {
    pub(crate) fn learn(&mut self, contract: &ContractId, known: Known) {
        if let Some(old) = self.known.get_mut(contract) {
            *old = known;
            return;
        }
        if self.known.len() >= MAX_CONTRACTS {
            let oldest = self.known.iter().min_by_key(|(_, known)| known.told_at).map(|(contract, _)| contract.clone());
            oldest.and_then(|oldest| self.known.remove(&oldest));
        }
        self.known.insert(contract.clone(), known);
    }

    /// What can be told when REST brought nothing.
    pub(crate) fn fall_back(
        &self,
        now: Instant,
        contract: ContractId,
        error: LatestError,
    ) -> Result<Latest, LatestError> {
        let warning = match error {
            LatestError::TimedOut => LatestWarning::ExternalApiTimeout,
            LatestError::Failed | LatestError::NoBars => LatestWarning::ExternalApiError,
        };
        let known = self.known.get(&contract).ok_or(error)?;
        Ok(known.tell(now, contract, LatestSource::Cache, Some(warning)))
    }
}
