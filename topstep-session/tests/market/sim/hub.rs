//! What is true at the hub: a quote, a book, and how many trades there were.

use std::collections::BTreeMap;

use fastrand::Rng;
use topstep_model::Price;

use super::CONTRACT;

pub(crate) struct Hub {
    pub(crate) bid: i64,
    pub(crate) ask: i64,
    bids: BTreeMap<i64, i64>,
    asks: BTreeMap<i64, i64>,
    trades: u64,
}

impl Hub {
    pub(crate) fn new() -> Self {
        let bids = (90..100).map(|price| (price, price)).collect();
        let asks = (101..110).map(|price| (price, price)).collect();
        Self { bid: 99, ask: 101, bids, asks, trades: 0 }
    }

    /// Moves a side or both. Says the row, and what it says of the sides: what changed, and now and then what did not.
    pub(crate) fn move_quote(&mut self, rng: &mut Rng) -> (String, Option<i64>, Option<i64>) {
        let mut bid = rng.bool().then(|| self.ask - rng.i64(1..9));
        self.bid = bid.unwrap_or(self.bid);
        let ask = rng.bool().then(|| self.bid + rng.i64(1..9));
        self.ask = ask.unwrap_or(self.ask);
        if rng.u8(0..8) == 0 {
            bid = Some(self.bid);
        }
        let member = |name: &str, value: Option<i64>| value.map(|value| format!("\"{name}\":{value}"));
        let members: Vec<_> =
            [member("bestBid", bid), member("bestAsk", ask), member("volume", Some(1))].into_iter().flatten().collect();
        (format!(r#"["{CONTRACT}",{{{}}}]"#, members.join(",")), bid, ask)
    }

    pub(crate) fn full_quote(&self) -> String {
        let Self { bid, ask, .. } = self;
        format!(r#"["{CONTRACT}",{{"bestBid":{bid},"bestAsk":{ask},"lastPrice":{ask},"open":50}}]"#)
    }

    pub(crate) fn next_trade(&mut self) -> u64 {
        self.trades += 1;
        self.trades
    }

    pub(crate) fn move_book(&mut self, rng: &mut Rng) -> String {
        let rows: Vec<_> = (0..rng.usize(1..4)).map(|_| self.move_level(rng)).collect();
        format!(r#"["{CONTRACT}",[{}]]"#, rows.join(","))
    }

    fn move_level(&mut self, rng: &mut Rng) -> String {
        let volume = if rng.u8(0..3) == 0 { 0 } else { rng.i64(1..50) };
        let (kind, price) = if rng.bool() {
            (rng.choice([2, 4, 9]), rng.i64(85..100))
        } else {
            (rng.choice([1, 3, 10]), rng.i64(101..115))
        };
        let side = if price < 100 { &mut self.bids } else { &mut self.asks };
        match volume {
            0 => side.remove(&price),
            _ => side.insert(price, volume),
        };
        let kind = kind.expect("there are three");
        format!(r#"{{"type":{kind},"price":{price},"volume":{volume},"timestamp":"2026-11-20T18:00:00Z"}}"#)
    }

    /// The whole book in so many records, a reset first.
    pub(crate) fn snapshot(&self, parts: usize) -> Vec<String> {
        let row = |kind: u8, price: i64, volume: i64| {
            format!(r#"{{"type":{kind},"price":{price},"volume":{volume},"timestamp":"0001-01-01T00:00:00+00:00"}}"#)
        };
        let mut rows = vec![row(6, 0, 0)];
        rows.extend(self.bids.iter().map(|(price, volume)| row(2, *price, *volume)));
        rows.extend(self.asks.iter().map(|(price, volume)| row(1, *price, *volume)));
        let size = rows.len().div_ceil(parts);
        rows.chunks(size).map(|rows| format!(r#"["{CONTRACT}",[{}]]"#, rows.join(","))).collect()
    }

    pub(crate) fn bids(&self) -> Vec<(Price, i64)> {
        self.bids.iter().rev().map(|(price, volume)| (Price::from(*price), *volume)).collect()
    }

    pub(crate) fn asks(&self) -> Vec<(Price, i64)> {
        self.asks.iter().map(|(price, volume)| (Price::from(*price), *volume)).collect()
    }
}
