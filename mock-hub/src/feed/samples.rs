//! Recorded events, played again for whoever subscribed to their kind.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::instrument::symbol_of;
use crate::protocol::json;

const RECORDED: &str = include_str!("../../data/topstepx-samples.jsonl");

/// One recorded event.
#[derive(Debug)]
struct Sample {
    event: &'static str,
    /// A JSON array.
    arguments: String,
    contract: Option<String>,
    account: Option<i64>,
}

#[derive(Deserialize)]
struct Line<'a> {
    event: String,
    #[serde(borrow)]
    args: &'a RawValue,
    kind: String,
}

/// The recorded events, and how far each group has come.
#[derive(Debug)]
pub(super) struct Samples {
    samples: Vec<Sample>,
    cursors: HashMap<(&'static str, String), usize>,
}

impl Samples {
    /// The events of these kinds.
    pub(super) fn recorded(kinds: &[String]) -> Self {
        let sample = |line: &str| -> Option<Sample> {
            let line: Line<'_> = serde_json::from_str(line).ok()?;
            if !kinds.contains(&line.kind) {
                return None;
            }
            let event = EVENTS.iter().map(|(.., event)| *event).find(|event| *event == line.event)?;
            let value: serde_json::Value = serde_json::from_str(line.args.get()).ok()?;
            let contract = value.get(0).and_then(|first| first.as_str()).map(str::to_owned);
            let account = value.pointer("/0/data/accountId").and_then(serde_json::Value::as_i64);
            Some(Sample { event, arguments: line.args.get().to_owned(), contract, account })
        };
        Self { samples: RECORDED.lines().filter_map(sample).collect(), cursors: HashMap::new() }
    }

    /// The next event of a group: its target and its arguments, retold for the contract or account of the group.
    pub(super) fn next(&mut self, class: &'static str, group: &str) -> Option<(&'static str, String)> {
        let (topic, key) = group.split_once('/').unwrap_or((group, ""));
        let (.., event) = EVENTS.iter().find(|(of, name, _)| *of == class && *name == topic)?;
        let fitting: Vec<_> = self.samples.iter().filter(|sample| sample.event == *event).collect();
        let cursor = self.cursors.entry((class, group.to_owned())).or_default();
        let sample = fitting.get(*cursor % fitting.len().max(1))?;
        *cursor += 1;
        Some((event, sample.retold_for(key)))
    }
}

impl Sample {
    fn retold_for(&self, key: &str) -> String {
        if let Some(contract) = &self.contract {
            let symbol = |contract: &str| json::string(&symbol_of(contract));
            let retold = self.arguments.replace(&json::string(contract), &json::string(key));
            return retold.replace(&symbol(contract), &symbol(key));
        }
        match self.account {
            Some(account) if !key.is_empty() => {
                self.arguments.replace(&format!("\"accountId\":{account},"), &format!("\"accountId\":{key},"))
            }
            _ => self.arguments.clone(),
        }
    }
}

/// Which event feeds which groups.
const EVENTS: &[(&str, &str, &str)] = &[
    ("market", "quotes", "GatewayQuote"),
    ("market", "trades", "GatewayTrade"),
    ("market", "depth", "GatewayDepth"),
    ("user", "accounts", "GatewayUserAccount"),
    ("user", "orders", "GatewayUserOrder"),
    ("user", "positions", "GatewayUserPosition"),
    ("user", "trades", "GatewayUserTrade"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn live() -> Samples {
        Samples::recorded(&["LIVE".to_owned(), "LIVE-PARTIAL".to_owned()])
    }

    #[test]
    fn events_are_retold_for_the_contract_subscribed_to() {
        let (target, arguments) = live().next("market", "trades/CON.F.US.EP.Z26").unwrap();
        assert_eq!(target, "GatewayTrade");
        assert!(arguments.starts_with("[\"CON.F.US.EP.Z26\",[{\"symbolId\":\"F.US.EP\""), "{arguments}");
        assert!(!arguments.contains("MES"), "{arguments}");
    }

    #[test]
    fn events_are_retold_for_the_account_subscribed_to_and_come_round_again() {
        let mut samples = live();
        let order = |samples: &mut Samples| samples.next("user", "orders/77").unwrap().1;
        let first = order(&mut samples);
        assert!(first.contains("\"accountId\":77,"), "{first}");
        let again = (0..100).map(|_| order(&mut samples)).position(|later| later == first);
        assert!(again.is_some_and(|after| after > 0), "{again:?}");
    }

    #[test]
    fn only_the_kinds_asked_for_are_played() {
        assert!(Samples::recorded(&[]).next("user", "accounts").is_none());
        assert!(live().samples.len() > 20);
    }
}
