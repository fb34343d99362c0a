//! The market as somebody sees it who only has its events: what they add up to, when they come, and that they can be
//! read.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bars;

use std::collections::BTreeMap;

use mock_hub::market::{BarUnit, Best, Market, MarketEvent};
use proptest::prelude::*;
use rust_decimal::Decimal;
use serde_json::Value;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

const NOON: OffsetDateTime = datetime!(2026-11-20 18:00:00.25 UTC);
const CONTRACTS: [&str; 4] = ["CON.F.US.EP.Z26", "CON.F.US.JY6.Z26", "CON.F.US.TUA.Z26", "CON.F.US.NQG.F27"];

fn market(seed: u64, rate: f64) -> Market {
    let mut market = Market::new(seed, NOON);
    market.set_rate(NOON, rate);
    for contract in CONTRACTS {
        assert!(market.follow(NOON, contract));
    }
    market
}

/// Everything up to `now`, in as many calls as it takes.
fn events_until(market: &mut Market, now: OffsetDateTime) -> Vec<MarketEvent> {
    let mut events = Vec::new();
    loop {
        market.advance(now, &mut |event| events.push(event));
        if market.next_due().is_none_or(|due| due > now) {
            return events;
        }
    }
}

fn json(event: &MarketEvent) -> Value {
    serde_json::from_str(event.json()).unwrap_or_else(|error| panic!("{error}: {}", event.json()))
}

/// A price by its digits on the wire.
fn price(json: &str, member: &str) -> Option<Decimal> {
    let (_, rest) = json.split_once(&format!("\"{member}\":"))?;
    rest[..rest.find([',', '}'])?].parse().ok()
}

/// A book as a client keeps it.
#[derive(Default)]
struct Book {
    bids: BTreeMap<Decimal, u32>,
    asks: BTreeMap<Decimal, u32>,
}

impl Book {
    fn apply(&mut self, rows: &str) {
        for row in rows.trim_matches(['[', ']']).split_inclusive('}') {
            let kind: Value = serde_json::from_str(row.trim_start_matches(',')).unwrap();
            let (at, size) = (price(row, "price").unwrap(), u32::try_from(kind["volume"].as_u64().unwrap()).unwrap());
            let side = match kind["type"].as_u64().unwrap() {
                1 | 3 | 10 => &mut self.asks,
                2 | 4 | 9 => &mut self.bids,
                6 => {
                    *self = Self::default();
                    continue;
                }
                _ => continue,
            };
            if size == 0 {
                assert!(side.remove(&at).is_some(), "{row} takes away what is not there");
            } else {
                side.insert(at, size);
            }
            if let (Some((bid, _)), Some((ask, _))) = (self.bids.last_key_value(), self.asks.first_key_value()) {
                assert!(bid < ask, "crossed by {row}");
            }
        }
    }

    fn assert_is(&self, market: &Market, contract: &str) {
        let levels = market.book(contract).unwrap();
        let bids: Vec<_> = self.bids.iter().rev().map(|(price, size)| (*price, *size)).collect();
        let asks: Vec<_> = self.asks.iter().map(|(price, size)| (*price, *size)).collect();
        assert_eq!((levels.bids, levels.asks), (bids, asks));
        assert!(self.bids.len() >= 60 && self.asks.len() >= 60);
    }
}

fn assert_sound(best: Best, tick: Decimal) {
    let Best { bid, ask, last } = best;
    assert!(bid < ask, "{best:?}");
    assert!((last - bid).abs() <= tick || (last - ask).abs() <= tick, "{best:?}");
    assert!(bid > tick * Decimal::from(100), "{best:?}");
    assert!([bid, ask, last].iter().all(|price| (price % tick).is_zero()), "{best:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_same_seed_gives_the_same_events_however_time_is_cut(
        seed: u64,
        rate in prop_oneof![Just(0.5), Just(42.0), Just(600.0)],
        cuts in prop::collection::vec(1_u64..3_000, 1..20),
    ) {
        let end = NOON + Duration::milliseconds(cuts.iter().sum::<u64>().min(4_000).cast_signed());
        let whole = events_until(&mut market(seed, rate), end);
        let (mut cut, mut parts, mut now) = (market(seed, rate), Vec::new(), NOON);
        for step in cuts {
            now = (now + Duration::milliseconds(step.cast_signed())).min(end);
            parts.extend(events_until(&mut cut, now));
        }
        parts.extend(events_until(&mut cut, end));
        prop_assert!(whole == parts, "{} events, {} in parts", whole.len(), parts.len());
        prop_assert!(whole.is_sorted_by_key(MarketEvent::at));
        prop_assert!(whole.iter().all(|event| event.at() > NOON && event.at() <= end));
    }

    #[test]
    fn sparse_quotes_add_up_to_what_a_client_believes(seed: u64, rate in prop_oneof![Just(42.0), Just(1_000.0)]) {
        let mut market = market(seed, rate);
        let mut seen: BTreeMap<String, [Option<Decimal>; 3]> = BTreeMap::new();
        for second in 1..=4 {
            for event in events_until(&mut market, NOON + Duration::seconds(second)) {
                let MarketEvent::Quote { contract, json, best, .. } = &event else { continue };
                let tick = market.contracts().find(contract).unwrap().tick_size;
                assert_sound(*best, tick);
                let merged = seen.entry(contract.to_string()).or_default();
                for (known, member) in merged.iter_mut().zip(["bestBid", "bestAsk", "lastPrice"]) {
                    *known = price(json, member).or(*known);
                }
                prop_assert_eq!(*merged, [Some(best.bid), Some(best.ask), Some(best.last)]);
            }
            for (contract, merged) in &seen {
                let believed = market.merged_quote(contract).unwrap();
                prop_assert_eq!(*merged, [Some(believed.bid), Some(believed.ask), Some(believed.last)]);
                prop_assert_eq!(market.best(contract), Some(believed));
            }
        }
        prop_assert_eq!(seen.len(), CONTRACTS.len());
    }

    #[test]
    fn a_snapshot_and_the_rows_after_it_are_the_book(
        seed: u64,
        joins in 0_i64..3_000,
        nudges in prop::collection::vec((0_i64..1_500, -200_i64..200), 0..6),
        padding: bool,
    ) {
        const CONTRACT: &str = CONTRACTS[0];
        let mut market = market(seed, 1_000.0);
        market.set_null_padding(padding);
        let mut now = NOON + Duration::milliseconds(joins);
        events_until(&mut market, now);
        let mut book = Book::default();
        for rows in market.depth_snapshot(now, CONTRACT).unwrap() {
            book.apply(&rows);
        }
        book.assert_is(&market, CONTRACT);
        for (pause, ticks) in nudges.into_iter().chain([(2_000, 0)]) {
            now += Duration::milliseconds(pause);
            let mut events = events_until(&mut market, now);
            let to = market.best(CONTRACT).unwrap().last + Decimal::new(25, 2) * Decimal::from(ticks);
            market.nudge(now, CONTRACT, to, &mut |event| events.push(event));
            for event in events.iter().filter(|event| &**event.contract() == CONTRACT && event.target() == "GatewayDepth") {
                book.apply(&event.json().replace("[null,", "["));
            }
            book.assert_is(&market, CONTRACT);
            assert_sound(market.best(CONTRACT).unwrap(), Decimal::new(25, 2));
        }
    }
}

#[test]
fn every_event_can_be_read() {
    let mut market = market(7, 500.0);
    market.set_null_padding(true);
    let mut padded = 0;
    for event in events_until(&mut market, NOON + Duration::seconds(5)) {
        let value = json(&event);
        match &event {
            MarketEvent::Quote { contract, json, .. } => {
                let quote: topstep_model::Quote = serde_json::from_str(json).unwrap();
                let symbol = quote.symbol.unwrap();
                assert!(contract.starts_with(&format!("CON.{}.", symbol.as_str())), "{json}");
                assert!(quote.last_updated.is_some() && quote.timestamp.is_some(), "{json}");
            }
            MarketEvent::Trade { json, price: last, volume, .. } => {
                let rows: Vec<_> = value.as_array().unwrap().iter().filter(|row| !row.is_null()).collect();
                assert_eq!(rows.iter().map(|row| row["volume"].as_u64().unwrap()).sum::<u64>(), *volume);
                assert_eq!(price(json.rsplit('{').next().unwrap(), "price"), Some(*last), "{json}");
                padded += usize::from(value[0].is_null());
            }
            MarketEvent::Depth { .. } => {
                let rows: Vec<_> = value.as_array().unwrap().iter().filter(|row| !row.is_null()).collect();
                assert!(!rows.is_empty());
                for row in rows {
                    let is_print = matches!(row["type"].as_u64(), Some(5 | 11));
                    assert_eq!(row["currentVolume"].as_u64().unwrap() > 0, is_print, "{row}");
                    assert!(!is_print || row["volume"].as_u64() >= row["currentVolume"].as_u64(), "{row}");
                }
            }
            other => panic!("{other:?}"),
        }
        assert!(!event.json().contains("e-") && !event.json().contains("E-"), "{}", event.json());
    }
    assert!(padded > 10);
}

#[test]
fn quotes_trades_and_rows_keep_the_measured_relation() {
    let mut market = market(11, 420.0);
    let (mut quotes, mut prints, mut rows, mut batches) = (0_u64, 0, 0, 0);
    for event in events_until(&mut market, NOON + Duration::seconds(30)) {
        let entries = json(&event).as_array().map_or(0, Vec::len);
        match event {
            MarketEvent::Quote { .. } => quotes += 1,
            MarketEvent::Trade { .. } => {
                prints += entries;
                batches += usize::from(entries > 1);
            }
            _ => rows += entries,
        }
    }
    let a_contract = |count: u64| count as f64 / 30.0 / CONTRACTS.len() as f64;
    let is_near = |rate: f64, expected: f64| (rate - expected).abs() < expected * 0.03;
    assert!(is_near(a_contract(quotes), 420.0), "{quotes} quotes");
    assert!(is_near(a_contract(prints as u64), 200.0), "{prints} prints");
    assert!(is_near(a_contract(rows as u64), 620.0), "{rows} rows");
    assert!(batches > 500, "{batches} batches");
}

/// The members that every quote has.
const ALWAYS: [&str; 4] = ["symbol", "lastUpdated", "timestamp", "contract"];

#[test]
fn the_first_quote_is_full_and_the_later_ones_are_sparse() {
    let mut market = market(7, 42.0);
    let full = market.full_quote(NOON, CONTRACTS[0]).unwrap();
    let members = |json: &str| {
        let Value::Object(members) = serde_json::from_str(json).unwrap() else { panic!("{json}") };
        members.keys().cloned().collect::<Vec<_>>()
    };
    let documented = "symbol symbolName lastPrice bestBid bestAsk change changePercent open high low volume \
                      lastUpdated timestamp";
    assert!(documented.split_whitespace().all(|member| members(&full).iter().any(|has| has == member)), "{full}");
    let quotes: Vec<_> = events_until(&mut market, NOON + Duration::seconds(20))
        .into_iter()
        .filter(|event| &**event.contract() == CONTRACTS[0] && event.target() == "GatewayQuote")
        .collect();
    let mut board: Value = serde_json::from_str(&full).unwrap();
    for quote in &quotes {
        let Value::Object(changes) = json(quote) else { panic!("{quote:?}") };
        let told: Vec<_> = changes.keys().filter(|name| !ALWAYS.contains(&name.as_str())).collect();
        let changed = told.iter().filter(|name| board[name.as_str()] != changes[name.as_str()]).count();
        assert!(changed == told.len() || (changed == 0 && told == ["bestAsk", "bestBid"]), "{quote:?} after {board}");
        changes.into_iter().for_each(|(name, value)| board[name] = value);
    }
    let joined: Value = serde_json::from_str(&market.full_quote(NOON, CONTRACTS[0]).unwrap()).unwrap();
    assert_eq!(joined, board);
    // Whoever has not asked for the full quote gets it as the first event.
    let mut unasked = self::market(7, 42.0);
    let events = events_until(&mut unasked, NOON + Duration::seconds(20));
    let first = events.iter().find(|event| &**event.contract() == CONTRACTS[0] && event.target() == "GatewayQuote");
    assert_eq!(members(first.unwrap().json()), members(&full));
    let number = |member: &str| board[member].as_f64().unwrap();
    assert!(number("low") <= number("lastPrice") && number("lastPrice") <= number("high"));
    assert!(number("low") <= number("open") && number("open") <= number("high"));
    let before = number("lastPrice") - number("change");
    assert!((number("change") / before * 100.0 - number("changePercent")).abs() <= 0.005_001, "{board}");
}

#[test]
fn a_snapshot_is_large_undated_and_begins_with_a_reset() {
    let mut market = Market::new(7, NOON);
    for contract in market.contracts().active().to_vec() {
        let batches = market.depth_snapshot(NOON, &contract.id).unwrap();
        assert!(batches.iter().map(String::len).sum::<usize>() > 10 * 1_024, "{contract:?}");
        let rows: Vec<Value> =
            batches.iter().flat_map(|rows| serde_json::from_str::<Vec<Value>>(rows).unwrap()).collect();
        assert_eq!(rows[0]["type"], 6);
        assert!(rows.iter().all(|row| row["timestamp"] == "0001-01-01T00:00:00+00:00"));
        assert_sound(market.best(&contract.id).unwrap(), contract.tick_size);
    }
}

#[test]
fn at_rate_zero_nothing_moves_and_no_work_piles_up() {
    let mut market = market(7, 0.0);
    assert_eq!(market.next_due(), None);
    let later = NOON + Duration::hours(5);
    assert!(events_until(&mut market, later).is_empty());
    let before = market.best(CONTRACTS[0]);
    assert!(market.full_quote(later, CONTRACTS[0]).is_some() && market.depth_snapshot(later, CONTRACTS[0]).is_some());
    market.set_rate(later, 42.0);
    assert_eq!((market.best(CONTRACTS[0]), market.merged_quote(CONTRACTS[0])), (before, before));
    assert!(market.next_due().is_some_and(|due| due > later));
    let events = events_until(&mut market, later + Duration::seconds(1));
    assert!((300..=700).contains(&events.len()), "{} events", events.len());
}

#[test]
fn catching_up_after_a_long_pause_is_bounded() {
    let mut market = market(7, 50_000.0);
    let now = NOON + Duration::days(3);
    let (mut calls, mut events, mut most) = (0, 0, 0);
    while market.next_due().is_some_and(|due| due <= now) {
        let mut told = 0;
        market.advance(now, &mut |event| {
            assert!(now - event.at() <= Duration::SECOND);
            told += 1;
        });
        (calls, events, most) = (calls + 1, events + told, most.max(told));
    }
    assert!(most <= 3 * 4_096 && calls <= 20, "{calls} calls, at most {most} events");
    assert!((4 * 16_000..=4 * 16_384 * 3 + 100).contains(&events), "{events} events");
}

#[test]
fn a_nudge_moves_the_price_there_and_it_stays_around_it() {
    let mut market = market(7, 0.0);
    let tick = Decimal::new(25, 2);
    let last = market.best(CONTRACTS[0]).unwrap().last;
    for (to, bid, ask) in [
        (last + tick * Decimal::from(40), 0, 1),
        (last - tick * Decimal::from(400), -1, 0),
        (last - tick * Decimal::from(401), -1, 0),
    ] {
        let mut targets = Vec::new();
        assert!(market.nudge(NOON, CONTRACTS[0], to, &mut |event| targets.push(event.target())));
        let expected = Best { bid: to + tick * Decimal::from(bid), ask: to + tick * Decimal::from(ask), last: to };
        assert_eq!((market.best(CONTRACTS[0]), market.merged_quote(CONTRACTS[0])), (Some(expected), Some(expected)));
        assert_eq!(targets, ["GatewayTrade", "GatewayDepth", "GatewayQuote"]);
    }
    let to = market.best(CONTRACTS[0]).unwrap().last;
    market.set_rate(NOON, 42.0);
    events_until(&mut market, NOON + Duration::minutes(5));
    let last = market.best(CONTRACTS[0]).unwrap().last;
    assert!((last - to).abs() < to / Decimal::from(50), "{to} {last}");
    for absurd in [Decimal::MAX, Decimal::MIN, Decimal::ZERO] {
        market.nudge(NOON, CONTRACTS[0], absurd, &mut |_| ());
        assert_sound(market.best(CONTRACTS[0]).unwrap(), tick);
    }
    assert!(!market.nudge(NOON, "CON.F.US.NOPE.Z26", tick, &mut |_| panic!("told something")));
}

#[test]
fn the_price_returns_and_never_leaves_its_ground() {
    let mut market = market(3, 50_000.0);
    let began = CONTRACTS.map(|contract| market.best(contract).unwrap().last);
    for tenth in 1..=8 {
        events_until(&mut market, NOON + Duration::milliseconds(100 * tenth));
        for (contract, began) in CONTRACTS.iter().zip(began) {
            let last = market.best(contract).unwrap().last;
            assert!((last - began).abs() < began / Decimal::from(2), "{contract}: {began} {last}");
        }
    }
}

#[test]
fn a_new_session_begins_at_five_in_the_afternoon_of_chicago() {
    let evening = datetime!(2026-11-20 22:59:58 UTC);
    let mut market = Market::new(7, evening);
    market.follow(evening, CONTRACTS[0]);
    let volume = |market: &mut Market| {
        let quote: Value = serde_json::from_str(&market.full_quote(evening, CONTRACTS[0]).unwrap()).unwrap();
        quote["volume"].as_u64().unwrap()
    };
    assert!(volume(&mut market) > 100_000);
    events_until(&mut market, evening + Duration::SECOND);
    let close = market.best(CONTRACTS[0]).unwrap().last;
    events_until(&mut market, evening + Duration::seconds(3));
    let quote: Value = serde_json::from_str(&market.full_quote(evening, CONTRACTS[0]).unwrap()).unwrap();
    assert!(volume(&mut market) < 1_000, "{quote}");
    let before = quote["lastPrice"].as_f64().unwrap() - quote["change"].as_f64().unwrap();
    assert!((before - close.to_string().parse::<f64>().unwrap()).abs() < 20.0, "{quote}");
}

#[test]
fn unknown_contracts_are_unknown_everywhere() {
    let mut market = Market::new(7, NOON);
    let unknown = "CON.F.US.NOPE.Z26";
    assert!(!market.follow(NOON, unknown));
    assert_eq!((market.full_quote(NOON, unknown), market.depth_snapshot(NOON, unknown)), (None, None));
    assert_eq!((market.best(unknown), market.merged_quote(unknown), market.book(unknown)), (None, None, None));
    assert!(market.bars(NOON, unknown, BarUnit::Day, 1, NOON - Duration::DAY, NOON, 10, true).is_empty());
    assert_eq!(market.next_due(), None);
}
