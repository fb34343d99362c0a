//! Every market event that was captured, documented, or that clients have met.

use serde::Deserialize;
use serde_json::value::RawValue;
use topstep_model::{ContractId, Price};
use topstep_session::market::{MarketConfig, MarketMachine, MarketUpdate, TradingHours};
use topstep_session::{Known, Subject};

use crate::at;

#[derive(Deserialize)]
struct Sample<'a> {
    event: &'a str,
    #[serde(borrow)]
    args: &'a RawValue,
}

/// Follows everything of the contracts in the samples.
fn machine() -> MarketMachine {
    let mut machine = MarketMachine::new(MarketConfig::default().hours(TradingHours::always_open()), at(0));
    machine.handle_connected(at(0));
    for contract in ["MNQ.U26", "MNQ.M26", "EP.U25", "MES.U26"].map(|name| ContractId::from(format!("CON.F.US.{name}")))
    {
        for subject in
            [Subject::Quotes(contract.clone()), Subject::MarketTrades(contract.clone()), Subject::Depth(contract)]
        {
            assert!(machine.want(at(0), subject.clone()));
            machine.handle_subscribed(at(0), &subject);
        }
    }
    while machine.poll_event().is_some() {}
    machine
}

fn feed(machine: &mut MarketMachine, sample: &Sample<'_>) {
    let args = sample.args.get();
    match sample.event {
        "GatewayQuote" => machine.handle_quotes(at(1), serde_json::from_str(args).unwrap()),
        "GatewayTrade" => machine.handle_trades(at(1), serde_json::from_str(args).unwrap()),
        "GatewayDepth" => machine.handle_depth(at(1), serde_json::from_str(args).unwrap()),
        other => panic!("{other} is no event of the market hub"),
    }
}

fn price(text: &str) -> Option<Price> {
    Some(text.parse().unwrap())
}

#[test]
fn every_sample_is_taken() {
    let mut machine = machine();
    let mut values = 0;
    for line in include_str!("data/samples.jsonl").lines() {
        let sample: Sample<'_> = serde_json::from_str(line).unwrap();
        feed(&mut machine, &sample);
        let before = values;
        while let Some(update) = machine.poll_event() {
            match update {
                MarketUpdate::Malformed(malformed) => panic!("{line}: {malformed:?}"),
                MarketUpdate::Quote { .. } | MarketUpdate::Trade { .. } => values += 1,
                MarketUpdate::Depth { rows, .. } => values += rows.len(),
                _ => {}
            }
        }
        assert!(values > before, "{line}");
    }
    let counters = machine.counters();
    assert_eq!((counters.malformed, counters.foreign_rows, counters.odd_depth_rows), (0, 0, 0));
    assert_eq!((counters.quotes + counters.trades + counters.depth_rows) as usize, values);
}

#[test]
fn sparse_quotes_are_merged_as_captured() {
    let mut machine = machine();
    let contract = ContractId::new("CON.F.US.MNQ.U26");
    let mut quotes = include_str!("data/samples.jsonl")
        .lines()
        .map(|line| serde_json::from_str::<Sample<'_>>(line).unwrap())
        .filter(|sample| sample.event == "GatewayQuote" && sample.args.get().contains("MNQ.U26"));
    feed(&mut machine, &quotes.next().unwrap());
    let first = machine.quote(at(1), &contract).unwrap();
    // Captured with a `timestamp` that stood still for hours. The computer's clock here is months ahead: an age in any case.
    assert_eq!((first.last(), first.bid(), first.ask()), (price("28012"), price("28011.5"), price("28012")));
    assert_eq!(machine.quote_known(at(1), &contract), Known::Stale);
    feed(&mut machine, &quotes.next().unwrap());
    let second = machine.quote(at(1), &contract).unwrap();
    assert_eq!((second.last(), second.bid(), second.ask()), (price("28012"), price("29547"), price("29547.5")));
    assert_eq!((second.high, second.volume), (first.high, first.volume));
    feed(&mut machine, &quotes.next().unwrap());
    let third = machine.quote(at(1), &contract).unwrap();
    // The bid absent, the ask null: neither is news.
    assert_eq!((third.last(), third.bid(), third.ask()), (price("27972.25"), price("29547"), price("29547.5")));
    assert_eq!(third.last_updated, second.last_updated);
    assert!(third.is_last_outside_spread());
}
