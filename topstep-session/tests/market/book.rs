//! The book against a model of it, over rows of every kind.

use std::collections::BTreeMap;

use proptest::prelude::*;
use topstep_model::ContractId;
use topstep_session::Subject;
use topstep_session::market::{Level, MarketConfig, MarketMachine, TradingHours};

use crate::at;

const CONTRACT: &str = "CON.F.US.EP.Z26";

/// A row: type, price in quarters, volume.
type Row = (u8, i64, i64);

fn rows() -> impl Strategy<Value = Vec<Vec<Row>>> {
    // Prices with and without trailing zeros are the same level.
    let row = (prop_oneof![12 => 1..5_u8, 4 => 9..12_u8, 2 => Just(6_u8), 2 => 0..13_u8], 1..12_i64, 0..6_i64);
    prop::collection::vec(prop::collection::vec(row, 1..12), 1..40)
}

fn record(rows: &[Row], style: usize) -> String {
    let row = |(kind, quarters, volume): &Row| {
        let price = match (quarters % 4, style % 2) {
            (0, 0) => format!("{}", quarters / 4),
            (rest, _) => format!("{}.{:02}", quarters / 4, rest * 25),
        };
        format!(r#"{{"type":{kind},"price":{price},"volume":{volume},"timestamp":"2026-11-20T18:00:00Z"}}"#)
    };
    format!(r#"["{CONTRACT}",[{}]]"#, rows.iter().map(row).collect::<Vec<_>>().join(","))
}

fn levels(side: impl Iterator<Item = Level>) -> Vec<(String, i64)> {
    side.map(|level| (level.price.decimal().normalize().to_string(), level.volume)).collect()
}

fn expected<'a>(side: impl Iterator<Item = (&'a i64, &'a i64)>) -> Vec<(String, i64)> {
    side.map(|(quarters, volume)| (rust_decimal::Decimal::new(quarters * 25, 2).normalize().to_string(), *volume))
        .collect()
}

proptest! {
    #[test]
    fn the_book_is_what_its_rows_make(records in rows()) {
        let subject = Subject::Depth(CONTRACT.into());
        let mut machine = MarketMachine::new(MarketConfig::default().hours(TradingHours::always_open()), at(0));
        machine.handle_connected(at(0));
        machine.want(at(0), subject.clone());
        machine.handle_subscribed(at(0), &subject);
        let (mut bids, mut asks) = (BTreeMap::new(), BTreeMap::new());
        let (mut has_begun, mut is_valid) = (false, false);
        for (index, rows) in records.iter().enumerate() {
            machine.handle_depth(at(0), serde_json::from_str(&record(rows, index)).unwrap());
            let (mut reset, mut bid, mut ask) = (false, false, false);
            for (kind, quarters, volume) in rows {
                let side = match kind {
                    6 => {
                        bids.clear();
                        asks.clear();
                        (has_begun, is_valid) = (true, false);
                        (reset, bid, ask) = (true, false, false);
                        continue;
                    }
                    _ if !has_begun => continue,
                    1 | 3 | 10 => {
                        ask |= *volume > 0;
                        &mut asks
                    }
                    2 | 4 | 9 => {
                        bid |= *volume > 0;
                        &mut bids
                    }
                    _ => continue,
                };
                match volume {
                    0 => side.remove(quarters),
                    _ => side.insert(*quarters, *volume),
                };
            }
            is_valid |= reset && bid && ask;
            let book = machine.book(&ContractId::new(CONTRACT)).unwrap();
            prop_assert_eq!(book.is_valid(), is_valid);
            prop_assert_eq!(levels(book.bids()), expected(bids.iter().rev()));
            prop_assert_eq!(levels(book.asks()), expected(asks.iter()));
            prop_assert_eq!(book.best_bid(), book.bids().next());
            prop_assert_eq!(book.best_ask(), book.asks().next());
            let is_crossed = matches!((bids.keys().next_back(), asks.keys().next()), (Some(bid), Some(ask)) if bid >= ask);
            prop_assert_eq!(book.is_crossed(), is_crossed);
        }
    }
}
