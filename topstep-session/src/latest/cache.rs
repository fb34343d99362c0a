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

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::from_nanos(seconds * 1_000_000_000)
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn an_age_grows_with_the_time_since_it_was_told() {
        let mut cache = Cache::default();
        let contract = ContractId::new("C");
        let price: Price = "6123.25".parse().unwrap();
        assert_eq!(cache.fall_back(at(0), contract.clone(), LatestError::NoBars), Err(LatestError::NoBars));
        cache.learn(&contract, Known::bar(at(10), price, seconds(30)));
        let told = cache.fall_back(at(25), contract.clone(), LatestError::TimedOut).unwrap();
        assert_eq!((told.price, told.bid, told.age), (price, None, seconds(45)));
        assert_eq!((told.source, told.warning), (LatestSource::Cache, Some(LatestWarning::ExternalApiTimeout)));
        let told = cache.fall_back(at(25), contract.clone(), LatestError::Failed).unwrap();
        assert_eq!(told.warning, Some(LatestWarning::ExternalApiError));
        // What is told later stands in place of what was told before, whoever told it.
        let quote = LiveQuote { price, bid: Some(price), ask: None, age: seconds(1) };
        cache.learn(&contract, Known::live(at(30), quote));
        assert_eq!(cache.fall_back(at(30), contract, LatestError::Failed).unwrap().age, seconds(1));
    }

    #[test]
    fn the_contract_heard_of_longest_ago_goes_when_there_are_too_many() {
        let mut cache = Cache::default();
        let contract = |index: u64| ContractId::new(&format!("C{index}"));
        for index in 0..=MAX_CONTRACTS as u64 {
            // The first is heard of again, so the second goes.
            cache.learn(&contract(0), Known::bar(at(index), Price::default(), Duration::ZERO));
            cache.learn(&contract(index), Known::bar(at(index), Price::default(), Duration::ZERO));
        }
        assert_eq!(cache.known.len(), MAX_CONTRACTS);
        assert!(cache.known.contains_key(&contract(0)) && !cache.known.contains_key(&contract(1)));
        assert!(cache.known.contains_key(&contract(MAX_CONTRACTS as u64)));
    }
}
