//! The events' second arguments, written as the venue writes them.

use super::book::Row;
use super::stamp::Stamp;
use super::tick::Tick;

/// .NET's minimum date, which stands on the rows of a depth snapshot.
pub(super) const NO_TIME: &str = "0001-01-01T00:00:00+00:00";

/// What a quote tells, in ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Board {
    pub(super) last: i64,
    pub(super) bid: i64,
    pub(super) ask: i64,
    pub(super) open: i64,
    pub(super) high: i64,
    pub(super) low: i64,
    /// The last price of the session before.
    pub(super) before: i64,
    /// What traded in the session.
    pub(super) volume: i64,
}

impl Board {
    fn change(&self) -> i64 {
        self.last - self.before
    }

    /// The change in hundredths of a per cent of the close before, rounded half away from zero.
    fn change_percent(&self) -> i64 {
        let (change, before) = (self.change() * 20_000, self.before.max(1));
        (change + change.signum() * before) / (2 * before)
    }
}

/// One trade, in ticks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Print {
    pub(super) ticks: i64,
    pub(super) volume: u32,
    /// `TradeLogType`: 0 for a buyer who took an ask, 1 for a seller who took a bid.
    pub(super) kind: u8,
}

/// The names that events carry.
#[derive(Debug)]
pub(super) struct Names {
    pub(super) contract: std::sync::Arc<str>,
    pub(super) symbol: String,
    pub(super) symbol_name: String,
}

/// The members of a quote that differ from `published`; every documented one without it.
pub(super) fn quote(names: &Names, tick: Tick, board: &Board, published: Option<&Board>, stamp: &Stamp) -> String {
    let mut quote = Object { json: String::with_capacity(if published.is_some() { 256 } else { 512 }), tick };
    quote.text("{\"symbol\":\"", &names.symbol);
    if published.is_none() {
        quote.text(",\"symbolName\":\"", &names.symbol_name);
    }
    // A quote that changes nothing tells both sides again.
    let sides = published.filter(|published| *published != board);
    quote.price(",\"lastPrice\":", board.last, published.map(|old| old.last));
    quote.price(",\"bestBid\":", board.bid, sides.map(|old| old.bid));
    quote.price(",\"bestAsk\":", board.ask, sides.map(|old| old.ask));
    quote.price(",\"change\":", board.change(), published.map(Board::change));
    if published.map(Board::change_percent) != Some(board.change_percent()) {
        quote.json.push_str(",\"changePercent\":");
        Tick::new((1, 2)).write(board.change_percent(), &mut quote.json);
    }
    quote.price(",\"open\":", board.open, published.map(|old| old.open));
    quote.price(",\"high\":", board.high, published.map(|old| old.high));
    quote.price(",\"low\":", board.low, published.map(|old| old.low));
    if published.map(|old| old.volume) != Some(board.volume) {
        quote.json.push_str(",\"volume\":");
        quote.json.push_str(itoa::Buffer::new().format(board.volume));
    }
    quote.text(",\"lastUpdated\":\"", stamp.ticks());
    quote.text(",\"timestamp\":\"", stamp.milliseconds());
    quote.text(",\"contract\":\"", &names.contract);
    quote.json.push('}');
    quote.json
}

/// The array of a trade event; with `padding`, a null stands before its entries.
pub(super) fn trades(names: &Names, tick: Tick, prints: &[Print], padding: bool, stamp: &Stamp) -> String {
    let mut json = String::with_capacity(2 + prints.len() * 160);
    json.push_str(if padding { "[null" } else { "[" });
    for print in prints {
        json.push_str(if json.len() > 1 { ",{\"symbolId\":\"" } else { "{\"symbolId\":\"" });
        json.push_str(&names.symbol);
        json.push_str("\",\"price\":");
        tick.write(print.ticks, &mut json);
        json.push_str(",\"timestamp\":\"");
        json.push_str(stamp.milliseconds());
        json.push_str("\",\"type\":");
        json.push(char::from(b'0' + print.kind));
        json.push_str(",\"volume\":");
        json.push_str(itoa::Buffer::new().format(print.volume));
        json.push_str(",\"contractId\":\"");
        json.push_str(&names.contract);
        json.push_str("\"}");
    }
    json.push(']');
    json
}

/// The array of a depth event; with `padding`, a null stands before its rows.
pub(super) fn depth(tick: Tick, rows: &[Row], padding: bool, stamp: &str) -> String {
    let mut json = String::with_capacity(8 + rows.len() * 112);
    json.push_str(if padding { "[null" } else { "[" });
    for row in rows {
        json.push_str(if json.len() > 1 { ",{\"price\":" } else { "{\"price\":" });
        tick.write(row.ticks, &mut json);
        json.push_str(",\"volume\":");
        json.push_str(itoa::Buffer::new().format(row.volume));
        json.push_str(",\"currentVolume\":");
        json.push_str(itoa::Buffer::new().format(row.current));
        json.push_str(",\"type\":");
        json.push_str(itoa::Buffer::new().format(row.kind as u8));
        json.push_str(",\"timestamp\":\"");
        json.push_str(stamp);
        json.push_str("\"}");
    }
    json.push(']');
    json
}

/// A quote in the making.
struct Object {
    json: String,
    tick: Tick,
}

impl Object {
    /// `name` comes with all its punctuation, the opening quotation mark included.
    fn text(&mut self, name: &str, value: &str) {
        self.json.push_str(name);
        self.json.push_str(value);
        self.json.push('"');
    }

    fn price(&mut self, name: &str, ticks: i64, old: Option<i64>) {
        if old != Some(ticks) {
            self.json.push_str(name);
            self.tick.write(ticks, &mut self.json);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::book::DomType;
    use super::*;

    const BOARD: Board = Board {
        last: 20_094,
        bid: 20_093,
        ask: 20_094,
        open: 20_040,
        high: 20_100,
        low: 20_020,
        before: 20_044,
        volume: 9,
    };

    fn names() -> Names {
        Names { contract: "CON.F.US.EP.Z26".into(), symbol: "F.US.EP".to_owned(), symbol_name: "/ES".to_owned() }
    }

    fn stamp() -> Stamp {
        let mut stamp = Stamp::new();
        stamp.set(1_787_172_691_434_753_400);
        stamp
    }

    const STAMPS: &str = "\"lastUpdated\":\"2026-08-19T20:51:31.4347534+00:00\",\
                          \"timestamp\":\"2026-08-19T20:51:31.434+00:00\",\"contract\":\"CON.F.US.EP.Z26\"}";

    #[test]
    fn a_full_quote_has_every_member() {
        let written = quote(&names(), Tick::new((25, 2)), &BOARD, None, &stamp());
        let members = "{\"symbol\":\"F.US.EP\",\"symbolName\":\"/ES\",\"lastPrice\":5023.5,\"bestBid\":5023.25,\
                       \"bestAsk\":5023.5,\"change\":12.5,\"changePercent\":0.25,\"open\":5010,\"high\":5025,\
                       \"low\":5005,\"volume\":9,";
        assert_eq!(written, format!("{members}{STAMPS}"));
    }

    #[test]
    fn a_sparse_quote_has_what_changed() {
        let tick = Tick::new((25, 2));
        let wider = Board { ask: 20_095, ..BOARD };
        let expected = format!("{{\"symbol\":\"F.US.EP\",\"bestAsk\":5023.75,{STAMPS}");
        assert_eq!(quote(&names(), tick, &wider, Some(&BOARD), &stamp()), expected);
        let expected = format!("{{\"symbol\":\"F.US.EP\",\"bestBid\":5023.25,\"bestAsk\":5023.5,{STAMPS}");
        assert_eq!(quote(&names(), tick, &BOARD, Some(&BOARD), &stamp()), expected);
    }

    #[test]
    fn arrays_are_padded_only_when_asked() {
        let tick = Tick::new((25, 2));
        let print = Print { ticks: 30_922, volume: 3, kind: 1 };
        let row = Row { kind: DomType::Trade, ticks: 30_922, volume: 1_873, current: 3 };
        let trade = "{\"symbolId\":\"F.US.EP\",\"price\":7730.5,\"timestamp\":\"2026-08-19T20:51:31.434+00:00\",\
                     \"type\":1,\"volume\":3,\"contractId\":\"CON.F.US.EP.Z26\"}";
        assert_eq!(trades(&names(), tick, &[print; 2], false, &stamp()), format!("[{trade},{trade}]"));
        assert_eq!(trades(&names(), tick, &[print], true, &stamp()), format!("[null,{trade}]"));
        let level = "{\"price\":7730.5,\"volume\":1873,\"currentVolume\":3,\"type\":5,\
                     \"timestamp\":\"0001-01-01T00:00:00+00:00\"}";
        assert_eq!(depth(tick, &[row; 2], false, NO_TIME), format!("[{level},{level}]"));
        assert_eq!(depth(tick, &[row], true, NO_TIME), format!("[null,{level}]"));
    }

    #[test]
    fn the_change_in_per_cent_is_rounded_half_away_from_zero() {
        let percent = |last| Board { last, before: 8_000, ..BOARD }.change_percent();
        assert_eq!((percent(8_001), percent(7_999), percent(8_000), percent(8_100)), (1, -1, 0, 125));
        assert_eq!((percent(8_003), percent(7_997)), (4, -4));
    }
}
