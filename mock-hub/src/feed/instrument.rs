//! One contract's price, walking tick by tick.

use std::fmt::Write as _;

use super::clock;
use super::decimal::Decimal;

/// Tick (units and scale) and a plausible price in ticks for the roots whose tick is not 0.25.
const ROOTS: &[(&str, i64, u32, i64)] = &[
    ("EP", 25, 2, 20_093),
    ("MES", 25, 2, 20_093),
    ("ENQ", 25, 2, 114_000),
    ("MNQ", 25, 2, 114_000),
    ("RTY", 1, 1, 24_000),
    ("M2K", 1, 1, 24_000),
    ("YM", 1, 0, 49_900),
    ("MYM", 1, 0, 49_900),
    ("NKD", 5, 0, 10_000),
    ("CLE", 1, 2, 7_000),
    ("MCLE", 1, 2, 7_000),
    ("NGE", 1, 3, 3_500),
    ("GCE", 1, 1, 34_000),
    ("MGC", 1, 1, 34_000),
    ("SIE", 5, 3, 7_600),
    ("CPE", 5, 4, 9_000),
    ("USA", 3_125, 5, 3_700),
    ("TYA", 15_625, 6, 7_100),
    ("FVA", 78_125, 7, 14_000),
    ("TUA", 390_625, 8, 26_600),
    ("EU6", 5, 5, 23_400),
    ("BP6", 1, 4, 13_400),
    ("JY6", 5, 7, 13_500),
    ("MBT", 5, 0, 20_000),
];
const OTHER: (i64, u32, i64) = (25, 2, 20_000);

/// A contract that somebody subscribed to.
#[derive(Debug)]
pub(crate) struct Instrument {
    symbol: String,
    tick: Decimal,
    last: i64,
    open: i64,
    high: i64,
    low: i64,
    /// The number of quotes published; each carries it as its volume, so that a lost one shows.
    serial: u64,
    dice: fastrand::Rng,
}

impl Instrument {
    pub(crate) fn new(contract: &str) -> Self {
        let symbol = symbol_of(contract);
        let root = symbol.rsplit('.').next().unwrap_or_default();
        let known = ROOTS.iter().find(|(name, ..)| *name == root);
        let (units, scale, price) = known.map_or(OTHER, |(_, units, scale, price)| (*units, *scale, *price));
        // The same contract walks the same way in every run.
        let seed = contract.bytes().fold(0, |seed: u64, byte| seed.wrapping_mul(31).wrapping_add(u64::from(byte)));
        let dice = fastrand::Rng::with_seed(seed);
        let (last, open, high, low) = (price, price - 50, price + 28, price - 72);
        Self { symbol, tick: Decimal { units, scale }, last, open, high, low, serial: 0, dice }
    }

    /// A quote with every member that TopstepX documents; its serial is the one published last.
    pub(crate) fn full(&self) -> String {
        let root = self.symbol.rsplit('.').next().unwrap_or_default();
        let mut quote = format!("{{\"symbol\":\"{}\",\"symbolName\":\"/{root}\"", self.symbol);
        self.push_prices(&mut quote, true, true);
        self.push_change(&mut quote);
        let (open, high, low) = (self.price(self.open), self.price(self.high), self.price(self.low));
        push(&mut quote, format_args!(",\"open\":{open},\"high\":{high},\"low\":{low}"));
        self.finish(quote)
    }

    /// The next quote: what changed, and nothing else.
    pub(crate) fn sparse(&mut self) -> String {
        self.serial += 1;
        self.last = (self.last + self.dice.i64(-1..=1)).max(10);
        let mut quote = format!("{{\"symbol\":\"{}\"", self.symbol);
        let traded = self.dice.u8(..5) == 0;
        self.push_prices(&mut quote, traded, true);
        if traded {
            self.push_change(&mut quote);
        }
        if self.last > self.high {
            self.high = self.last;
            push(&mut quote, format_args!(",\"high\":{}", self.price(self.high)));
        }
        if self.last < self.low {
            self.low = self.last;
            push(&mut quote, format_args!(",\"low\":{}", self.price(self.low)));
        }
        self.finish(quote)
    }

    fn push_prices(&self, quote: &mut String, last: bool, sides: bool) {
        if last {
            push(quote, format_args!(",\"lastPrice\":{}", self.price(self.last)));
        }
        if sides {
            let (bid, ask) = (self.price(self.last - 1), self.price(self.last));
            push(quote, format_args!(",\"bestBid\":{bid},\"bestAsk\":{ask}"));
        }
    }

    fn push_change(&self, quote: &mut String) {
        let percent = Decimal { units: (self.last - self.open) * 10_000 / self.open.max(1), scale: 2 };
        let change = self.price(self.last - self.open);
        push(quote, format_args!(",\"change\":{change},\"changePercent\":{percent}"));
    }

    fn finish(&self, mut quote: String) -> String {
        let (updated, stamp) = (clock::now(), clock::now_in_milliseconds());
        let volume = self.serial;
        push(
            &mut quote,
            format_args!(",\"volume\":{volume},\"lastUpdated\":\"{updated}\",\"timestamp\":\"{stamp}\"}}"),
        );
        quote
    }

    fn price(&self, ticks: i64) -> Decimal {
        Decimal { units: ticks.saturating_mul(self.tick.units), ..self.tick }
    }
}

/// `F.US.EP` of `CON.F.US.EP.Z26`; names the root, not the contract, as TopstepX does.
pub(crate) fn symbol_of(contract: &str) -> String {
    let plain: String = contract.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '.').collect();
    let inner = plain.strip_prefix("CON.").unwrap_or(&plain);
    inner.rsplit_once('.').map_or(inner, |(symbol, _)| symbol).to_owned()
}

fn push(quote: &mut String, members: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = quote.write_fmt(members);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn volume(quote: &str) -> u64 {
        serde_json::from_str::<serde_json::Value>(quote).unwrap()["volume"].as_u64().unwrap()
    }

    #[test]
    fn the_volume_counts_the_quotes_of_a_contract() {
        let mut instrument = Instrument::new("CON.F.US.EP.Z26");
        assert_eq!(volume(&instrument.full()), 0);
        assert_eq!((1..=3).map(|_| volume(&instrument.sparse())).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(volume(&instrument.full()), 3);
    }

    #[test]
    fn prices_stand_on_the_tick_of_their_root() {
        let mut bond = Instrument::new("CON.F.US.USA.M26");
        for _ in 0..100 {
            let quote: serde_json::Value = serde_json::from_str(&bond.sparse()).unwrap();
            let bid = quote["bestBid"].as_f64().unwrap();
            assert_eq!((bid / 0.03125).fract(), 0.0, "{quote}");
        }
    }

    #[test]
    fn the_symbol_is_the_root_and_cannot_break_the_json() {
        assert_eq!(symbol_of("CON.F.US.EP.Z26"), "F.US.EP");
        assert_eq!(symbol_of("odd\"\\"), "odd");
        assert!(serde_json::from_str::<serde_json::Value>(&Instrument::new("\"}{").full()).is_ok());
    }
}
