//! Merged quotes against a second, naive model.

use proptest::prelude::*;
use rust_decimal::Decimal;
use topstep_model::ContractId;
use topstep_session::market::{MarketConfig, MarketMachine, MarketUpdate, QuoteMember, TradingHours};
use topstep_session::{GapCause, Subject};

use crate::at;

/// A contract's members by name, each with the number of the epoch in which it was heard.
#[derive(Debug, Default)]
struct Naive {
    epoch: u64,
    members: std::collections::BTreeMap<&'static str, (i64, u64)>,
}

#[derive(Debug, Clone)]
enum Step {
    /// Members by their place in `NAMES`; `None` is written as null.
    Row(usize, Vec<(usize, Option<i64>)>),
    Lost,
    Hole(usize),
}

const NAMES: [&str; 9] =
    ["lastPrice", "bestBid", "bestAsk", "change", "changePercent", "open", "high", "low", "volume"];
const MEMBERS: [QuoteMember; 9] = [
    QuoteMember::Last,
    QuoteMember::Bid,
    QuoteMember::Ask,
    QuoteMember::Change,
    QuoteMember::ChangePercent,
    QuoteMember::Open,
    QuoteMember::High,
    QuoteMember::Low,
    QuoteMember::Volume,
];
const CONTRACTS: [&str; 2] = ["CON.F.US.EP.Z26", "CON.F.US.EP.H27"];

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let members = prop::collection::vec((0..NAMES.len(), prop::option::of(-50..50_i64)), 0..6);
    let step = prop_oneof![
        8 => (0..2_usize, members).prop_map(|(contract, members)| Step::Row(contract, members)),
        1 => Just(Step::Lost),
        1 => (0..2_usize).prop_map(Step::Hole),
    ];
    prop::collection::vec(step, 1..60)
}

proptest! {
    #[test]
    fn merged_quotes_are_what_was_said_last(steps in steps()) {
        let subjects = CONTRACTS.map(|contract| Subject::Quotes(contract.into()));
        let mut machine = MarketMachine::new(MarketConfig::default().hours(TradingHours::always_open()), at(0));
        machine.handle_connected(at(0));
        for subject in &subjects {
            machine.want(at(0), subject.clone());
            machine.handle_subscribed(at(0), subject);
        }
        let mut naive = [Naive::default(), Naive::default()];
        for (index, step) in steps.into_iter().enumerate() {
            let now = at(index as u64);
            match step {
                Step::Row(contract, members) => {
                    let text = members.iter().map(|(name, value)| {
                        let value = value.map_or("null".to_owned(), |value| value.to_string());
                        format!("\"{}\":{value}", NAMES[*name])
                    });
                    let row = text.collect::<Vec<_>>().join(",");
                    let rows = format!(r#"["{}",[null,{{{row}}}]]"#, CONTRACTS[contract]);
                    machine.handle_quotes(now, serde_json::from_str(&rows).unwrap());
                    // Where a member comes twice, the last counts.
                    let mut said = std::collections::BTreeMap::new();
                    said.extend(members);
                    let Naive { epoch, members } = &mut naive[contract];
                    members.extend(said.into_iter().filter_map(|(name, value)| Some((NAMES[name], (value?, *epoch)))));
                }
                Step::Lost => {
                    machine.handle_lost(now, GapCause::TransportLost);
                    machine.handle_connected(now);
                    subjects.iter().for_each(|subject| machine.handle_subscribed(now, subject));
                    naive.iter_mut().for_each(|naive| naive.epoch += 1);
                }
                Step::Hole(contract) => {
                    machine.handle_gap(now, &subjects[contract], GapCause::AuditMismatch);
                    naive[contract].epoch += 1;
                }
            }
            for (contract, naive) in CONTRACTS.iter().zip(&naive) {
                check(&machine, &ContractId::new(contract), naive, index as u64)?;
            }
            while let Some(update) = machine.poll_event() {
                if let MarketUpdate::Quote { told, .. } = update {
                    prop_assert!(told.value.spread().is_none() || told.value.sides().is_some());
                }
            }
        }
    }
}

fn check(machine: &MarketMachine, contract: &ContractId, naive: &Naive, millis: u64) -> Result<(), TestCaseError> {
    let Some(quote) = machine.quote(at(millis), contract) else {
        prop_assert!(naive.members.is_empty());
        return Ok(());
    };
    let of = |name| naive.members.get(name).map(|(value, _)| Decimal::from(*value));
    let decimal = |price: Option<topstep_model::Price>| price.map(|price| price.decimal());
    let merged = [
        decimal(quote.last()),
        decimal(quote.bid()),
        decimal(quote.ask()),
        decimal(quote.change),
        decimal(quote.change_percent),
        decimal(quote.open),
        decimal(quote.high),
        decimal(quote.low),
        quote.volume.map(Decimal::from),
    ];
    prop_assert_eq!(merged, NAMES.map(of));
    let current = |name| naive.members.get(name).filter(|(_, epoch)| *epoch == naive.epoch).map(|(value, _)| *value);
    for (name, member) in NAMES.into_iter().zip(MEMBERS) {
        prop_assert_eq!(quote.is_current(member), current(name).is_some(), "{}", name);
    }
    let sides = current("bestBid").zip(current("bestAsk"));
    prop_assert_eq!(quote.spread(), sides.map(|(bid, ask)| Decimal::from(ask - bid)));
    prop_assert_eq!(quote.mid(), sides.map(|(bid, ask)| Decimal::from(ask + bid) / Decimal::TWO));
    prop_assert_eq!(quote.is_crossed(), sides.is_some_and(|(bid, ask)| bid >= ask));
    Ok(())
}
