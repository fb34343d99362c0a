//! Quotes: the published samples, and every liberty that the wire takes.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use topstep_model::{ContractId, Price, Quote};

/// One line of `data/quotes.jsonl`, its arguments as they stand there.
#[derive(Deserialize)]
struct Sample<'a> {
    event: &'a str,
    #[serde(borrow)]
    args: &'a RawValue,
}

fn samples() -> Vec<(ContractId, &'static RawValue, Quote)> {
    let lines = include_str!("data/quotes.jsonl").lines();
    lines
        .map(|line| {
            let sample: Sample<'static> = serde_json::from_str(line).unwrap();
            assert_eq!(sample.event, "GatewayQuote");
            let (contract, raw): (ContractId, &RawValue) = serde_json::from_str(sample.args.get()).unwrap();
            let (same, quote): (ContractId, Quote) = serde_json::from_str(sample.args.get()).unwrap();
            assert_eq!(contract, same);
            (contract, raw, quote)
        })
        .collect()
}

fn quote(json: &str) -> Quote {
    serde_json::from_str(json).unwrap_or_else(|error| panic!("{json}: {error}"))
}

fn price(text: &str) -> Option<Price> {
    Some(text.parse().unwrap())
}

#[test]
fn every_member_of_every_sample_is_there() {
    let samples = samples();
    assert_eq!(samples.len(), 6);
    for (contract, raw, quote) in &samples {
        assert!(contract.as_str().starts_with("CON.F.US."), "{contract}");
        let wire: Value = serde_json::from_str(raw.get()).unwrap();
        let ours = serde_json::to_value(quote).unwrap();
        let present = wire.as_object().unwrap().iter().filter(|(_, value)| !value.is_null());
        assert_eq!(ours.as_object().unwrap().len(), present.clone().count(), "{raw}");
        for (name, value) in present {
            match value {
                Value::Number(number) => {
                    assert_eq!(ours[name].as_f64(), number.as_f64(), "{name} of {raw}");
                }
                Value::String(text) if text.contains('T') && text.starts_with("20") => {
                    let time: topstep_model::Timestamp = text.parse().unwrap();
                    assert_eq!(ours[name], serde_json::to_value(time).unwrap(), "{name} of {raw}");
                }
                other => assert_eq!(&ours[name], other, "{name} of {raw}"),
            }
        }
    }
}

#[test]
fn keeps_the_wires_digits() {
    let samples = samples();
    let documented = &samples.iter().find(|(contract, ..)| *contract == "CON.F.US.EP.U25").unwrap().2;
    assert_eq!(documented.best_bid.unwrap().to_string(), "2100.0");
    assert_eq!(documented.volume, Some(12_000));
    let text = serde_json::to_string(documented).unwrap();
    assert!(text.contains(r#""bestBid":2100.0,"bestAsk":2100.5,"#), "{text}");
    assert_eq!(quote(&text), *documented);
}

#[test]
fn absent_and_null_are_no_news() {
    assert_eq!(quote("{}"), Quote::default());
    let names = [
        "symbol",
        "symbolName",
        "lastPrice",
        "bestBid",
        "bestAsk",
        "change",
        "changePercent",
        "open",
        "high",
        "low",
        "volume",
        "lastUpdated",
        "timestamp",
        "contract",
    ];
    let nulls: Vec<String> = names.iter().map(|name| format!("\"{name}\":null")).collect();
    assert_eq!(quote(&format!("{{{}}}", nulls.join(","))), Quote::default());
    assert_eq!(serde_json::to_string(&Quote::default()).unwrap(), "{}");
}

#[test]
fn every_member_has_its_place() {
    let quote = quote(
        r#"{"contract":"a","timestamp":"2026-01-01T00:00:01Z","lastUpdated":"2026-01-01T00:00:02Z","volume":3,"low":4,"high":5,
            "open":6,"changePercent":7,"change":8,"bestAsk":9,"bestBid":10,"lastPrice":11,"symbolName":"b","symbol":"c"}"#,
    );
    assert_eq!(quote.contract.unwrap(), "a");
    assert_eq!(quote.timestamp.unwrap().to_string(), "2026-01-01T00:00:01Z");
    assert_eq!(quote.last_updated.unwrap().to_string(), "2026-01-01T00:00:02Z");
    assert_eq!(quote.volume, Some(3));
    assert_eq!([quote.low, quote.high, quote.open], [price("4"), price("5"), price("6")]);
    assert_eq!([quote.change_percent, quote.change], [price("7"), price("8")]);
    assert_eq!([quote.best_ask, quote.best_bid, quote.last_price], [price("9"), price("10"), price("11")]);
    assert_eq!(quote.symbol_name.unwrap(), "b");
    assert_eq!(quote.symbol.unwrap(), "c");
}

#[test]
fn unknown_members_are_ignored_and_the_last_duplicate_counts() {
    let found = quote(
        r#"{"bestBid":1,"bid":2,"BestBid":3,"bestbid":4,"x":{"bestBid":[5,{}]},"bestBid":"6.50","bestAsk":7,"bestAsk":null,"":8}"#,
    );
    assert_eq!(found.best_bid.unwrap().to_string(), "6.50");
    assert_eq!(found.best_ask, None);
    assert_eq!(quote(r#"{"best\u0042id":1.5}"#).best_bid, price("1.5"));
}

#[test]
fn numbers_may_stand_in_quotes() {
    let found = quote(r#"{"bestBid":"29547.50","volume":"306373","open":"5E-07"}"#);
    assert_eq!(found.best_bid.unwrap().to_string(), "29547.50");
    assert_eq!(found.volume, Some(306_373));
    assert_eq!(found.open.unwrap().to_string(), "0.0000005");
}

#[test]
fn what_does_not_fit_is_refused() {
    for json in [
        r#"{"bestBid":""}"#,
        r#"{"bestBid":"n/a"}"#,
        r#"{"bestBid":true}"#,
        r#"{"bestBid":[1]}"#,
        r#"{"bestBid":{"$serde_json::private::RawValue":"1"}}"#,
        r#"{"bestBid":0.00000000000000000000000000001}"#,
        r#"{"volume":1.5}"#,
        r#"{"volume":99999999999999999999}"#,
        r#"{"symbol":5}"#,
        r#"{"lastUpdated":"today"}"#,
        r#"{"lastUpdated":0}"#,
        "[]",
        "[null]",
        r#"["F.US.EP"]"#,
        "null",
        r#""quote""#,
    ] {
        assert!(serde_json::from_str::<Quote>(json).is_err(), "{json}");
    }
}

#[test]
fn is_read_from_values_and_readers_alike() {
    for (_, raw, quote) in samples() {
        assert_eq!(serde_json::from_slice::<Quote>(raw.get().as_bytes()).unwrap(), quote);
        assert_eq!(serde_json::from_reader::<_, Quote>(raw.get().as_bytes()).unwrap(), quote);
        let value: Value = serde_json::from_str(raw.get()).unwrap();
        assert_eq!(Quote::deserialize(&value).unwrap(), quote);
        assert_eq!(serde_json::from_value::<Quote>(value).unwrap(), quote);
    }
}

proptest! {
    #[test]
    fn survives_print_and_parse(
        prices in prop::array::uniform8(prop::option::of((any::<i64>(), 0..=9_u32))),
        volume in any::<Option<i64>>(),
        texts in prop::array::uniform3(prop::option::of(any::<String>())),
        seconds in prop::option::of(0..253_402_300_799_i64),
    ) {
        let [last_price, best_bid, best_ask, change, change_percent, open, high, low] =
            prices.map(|price| price.map(|(mantissa, places)| Price::new(mantissa, places).unwrap()));
        let [symbol, symbol_name, contract] = texts;
        let mut quote = Quote::default();
        quote.last_price = last_price;
        quote.best_bid = best_bid;
        quote.best_ask = best_ask;
        quote.change = change;
        quote.change_percent = change_percent;
        quote.open = open;
        quote.high = high;
        quote.low = low;
        quote.volume = volume;
        quote.symbol = symbol.map(Into::into);
        quote.symbol_name = symbol_name.map(Into::into);
        quote.contract = contract.map(Into::into);
        quote.timestamp =
            seconds.map(|seconds| time::UtcDateTime::from_unix_timestamp(seconds).unwrap().try_into().unwrap());
        let json = serde_json::to_string(&quote).unwrap();
        prop_assert_eq!(serde_json::from_str::<Quote>(&json).unwrap(), quote);
    }
}
