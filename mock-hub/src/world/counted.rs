//! Quotes and trades that only count, for any contract: a client that saw one knows whether it missed another.

use std::collections::BTreeMap;
use std::time::Duration;

use time::OffsetDateTime;

use super::topic::Topic;
use crate::clock::stamp;

/// The contracts that are counted at once; a further one gets its full quote and no more.
const MAX_CONTRACTS: usize = 10_000;
/// The fastest count, and the most rounds made up for after a pause.
const MIN_PERIOD: Duration = Duration::from_micros(20);
const MAX_ROUNDS_AT_ONCE: u32 = 1000;

/// The counters of all contracts, which step together.
#[derive(Debug)]
pub(super) struct Counted {
    contracts: BTreeMap<String, u64>,
    period: Option<Duration>,
    next: OffsetDateTime,
}

impl Counted {
    pub(super) fn new(now: OffsetDateTime, rate: f64) -> Self {
        let mut counted = Self { contracts: BTreeMap::new(), period: None, next: now };
        counted.set_rate(now, rate);
        counted
    }

    pub(super) fn set_rate(&mut self, now: OffsetDateTime, rate: f64) {
        let period = Duration::try_from_secs_f64(1.0 / rate).ok().filter(|_| rate > 0.0);
        self.period = period.map(|period| period.max(MIN_PERIOD));
        self.next = now + self.period.unwrap_or_default();
    }

    pub(super) fn next_due(&self) -> Option<OffsetDateTime> {
        (self.period.is_some() && !self.contracts.is_empty()).then_some(self.next)
    }

    /// The full quote of a contract, which from now on counts. It carries the number of the latest sparse one.
    pub(super) fn open(&mut self, now: OffsetDateTime, contract: &str) -> String {
        let serial = self.contracts.get(contract).copied().unwrap_or_default();
        if self.contracts.is_empty() {
            self.next = now + self.period.unwrap_or_default();
        }
        if self.contracts.len() < MAX_CONTRACTS {
            self.contracts.entry(contract.to_owned()).or_default();
        }
        let (symbol, now) = (symbol_of(contract), stamp(now));
        format!(
            "{{\"symbol\":\"{symbol}\",\"lastPrice\":5023.25,\"bestBid\":5023,\"bestAsk\":5023.25,\"change\":12.5,\
             \"changePercent\":0.25,\"open\":5010.75,\"high\":5030,\"low\":5005.25,\"volume\":{serial},\
             \"lastUpdated\":\"{now}\",\"timestamp\":\"{now}\"}}"
        )
    }

    /// Tells what is due up to now: a quote and a trade of each contract, again and again.
    pub(super) fn advance(&mut self, now: OffsetDateTime, mut emit: impl FnMut(Topic, &str, String)) {
        let Some(period) = self.period else {
            return;
        };
        for _ in 0..MAX_ROUNDS_AT_ONCE {
            if self.next > now {
                return;
            }
            let at = stamp(self.next);
            for (contract, serial) in &mut self.contracts {
                *serial += 1;
                let symbol = symbol_of(contract);
                let quote = format!(
                    "{{\"symbol\":\"{symbol}\",\"bestBid\":5023,\"bestAsk\":5023.25,\"volume\":{serial},\
                     \"lastUpdated\":\"{at}\"}}"
                );
                emit(Topic::Quotes, contract, quote);
                let trade = format!(
                    "[{{\"symbolId\":\"{symbol}\",\"price\":5023.25,\"timestamp\":\"{at}\",\"type\":0,\"volume\":1}}]"
                );
                emit(Topic::Trades, contract, trade);
            }
            self.next += period;
        }
        // Too late for all of it: the count goes on, from now.
        self.next = self.next.max(now);
    }
}

/// `F.US.EP` of `CON.F.US.EP.Z26`, without anything that JSON would have to escape.
fn symbol_of(contract: &str) -> String {
    let plain: String = contract.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '.').collect();
    let inner = plain.strip_prefix("CON.").unwrap_or(&plain);
    inner.rsplit_once('.').map_or(inner, |(symbol, _)| symbol).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_contract_counts_its_own_quotes_without_a_hole() {
        let start = OffsetDateTime::UNIX_EPOCH;
        let mut counted = Counted::new(start, 10.0);
        assert_eq!(counted.next_due(), None);
        assert!(counted.open(start, "CON.F.US.EP.Z26").contains("\"symbol\":\"F.US.EP\""));
        assert_eq!(counted.next_due(), Some(start + Duration::from_millis(100)));
        let mut volumes = Vec::new();
        let mut take = |topic, _: &str, json: String| {
            let value: serde_json::Value = serde_json::from_str(&json).unwrap();
            if topic == Topic::Quotes {
                volumes.push(value["volume"].as_u64());
            }
        };
        counted.advance(start + Duration::from_millis(250), &mut take);
        counted.advance(start + Duration::from_millis(300), &mut take);
        assert_eq!(volumes, [Some(1), Some(2), Some(3)]);
        assert!(counted.open(start, "CON.F.US.EP.Z26").contains("\"volume\":3,"));
        counted.set_rate(start, 0.0);
        assert_eq!(counted.next_due(), None);
    }

    #[test]
    fn no_name_breaks_the_json_and_no_pause_piles_up_work() {
        let start = OffsetDateTime::UNIX_EPOCH;
        let mut counted = Counted::new(start, 50_000.0);
        let full = counted.open(start, "\"}{");
        assert!(serde_json::from_str::<serde_json::Value>(&full).is_ok(), "{full}");
        let mut count = 0;
        counted.advance(start + Duration::from_secs(3600), |_, _, _| count += 1);
        assert_eq!(count, 2 * MAX_ROUNDS_AT_ONCE);
        assert_eq!(counted.next_due(), Some(start + Duration::from_secs(3600)));
    }
}
