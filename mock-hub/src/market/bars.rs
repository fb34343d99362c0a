//! Bars of every unit, put together from history and from what traded live.

use std::fmt::Write as _;

use rust_decimal::Decimal;
use time::OffsetDateTime;

use super::candle::{Candle, Grain, LiveCandles};
use super::history::{History, Reader};
use super::session;
use super::stamp;
use super::tick::Tick;

/// The units of bars, by the venue's numbers (`AggregateBarUnit`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BarUnit {
    /// Counted from 1970.
    Second = 1,
    /// Counted from 1970.
    Minute = 2,
    /// Counted from 1970.
    Hour = 3,
    /// A trading day, from 17:00 to 17:00 in Chicago.
    Day = 4,
    /// The trading days named Monday to Sunday.
    Week = 5,
    /// The trading days named after the days of a calendar month.
    Month = 6,
}

impl BarUnit {
    /// The unit of a number on the wire; none for a number that the venue would refuse (`UnitInvalid`).
    #[must_use]
    pub fn from_code(code: i64) -> Option<Self> {
        [Self::Second, Self::Minute, Self::Hour, Self::Day, Self::Week, Self::Month]
            .into_iter()
            .find(|unit| *unit as i64 == code)
    }

    fn grain(self) -> Grain {
        match self {
            Self::Second => Grain::Second,
            Self::Minute => Grain::Minute,
            Self::Hour => Grain::Hour,
            Self::Day | Self::Week | Self::Month => Grain::Day,
        }
    }

    /// The bar, `number` units long, that a stretch belongs to.
    fn bar_of(self, bucket: i64, number: i64) -> i64 {
        let unit = match self {
            // 1970 began on a Thursday.
            Self::Week => (bucket + 3).div_euclid(7),
            Self::Month => session::month_of(bucket),
            _ => bucket,
        };
        unit.div_euclid(number)
    }

    /// The first stretch of a bar.
    fn first_of(self, bar: i64, number: i64) -> i64 {
        let unit = bar.saturating_mul(number);
        match self {
            Self::Week => unit.saturating_mul(7).saturating_sub(3),
            Self::Month => session::first_of_month(unit),
            _ => unit,
        }
    }
}

/// One bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Bar {
    /// When it begins.
    pub start: OffsetDateTime,
    /// The first price.
    pub open: Decimal,
    /// The highest price.
    pub high: Decimal,
    /// The lowest price.
    pub low: Decimal,
    /// The last price.
    pub close: Decimal,
    /// The contracts traded.
    pub volume: i64,
}

impl Bar {
    /// The most bars that one request may ask for, as documented; the venue refuses more (`LimitInvalid`).
    pub const LIMIT: usize = 20_000;

    /// The bar as `History/retrieveBars` answers it.
    #[must_use]
    pub fn json(&self) -> String {
        let Self { start, open, high, low, close, volume } = self;
        let mut json = String::with_capacity(112);
        // Writing to a String cannot fail. Decimals print in plain notation, and these have no trailing zeros.
        let _ = write!(
            json,
            "{{\"t\":\"{}+00:00\",\"o\":{open},\"h\":{high},\"l\":{low},\"c\":{close},\"v\":{volume}}}",
            stamp::to_the_second(*start),
        );
        json
    }
}

/// What a caller asks for; moments in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request {
    pub(super) now: i64,
    pub(super) unit: BarUnit,
    pub(super) number: u32,
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) limit: usize,
    pub(super) includes_partial: bool,
}

/// The bars of a contract, newest first.
pub(super) fn collect(request: &Request, history: History, live: &LiveCandles, tick: Tick) -> Vec<Bar> {
    let Request { unit, start, end, .. } = *request;
    let (grain, number) = (unit.grain(), i64::from(request.number.max(1)));
    let limit = request.limit.min(Bar::LIMIT);
    let now = stamp::second(request.now);
    let latest = grain.bucket(now);
    let earliest = grain.bucket(stamp::second(start)).max(latest - grain.depth());
    let last_bar = unit.bar_of(grain.bucket(stamp::second(end)), number);
    let latest = latest.min(unit.first_of(last_bar.saturating_add(1), number).saturating_sub(1));

    let mut reader = Reader::new(history);
    let mut bars: Vec<Bar> = Vec::new();
    let mut running: Option<(i64, Candle)> = None;
    let finish = |bars: &mut Vec<Bar>, running: Option<(i64, Candle)>| {
        let Some((bar, candle)) = running else { return };
        let begins = grain.start(unit.first_of(bar, number));
        let is_partial = grain.start(unit.first_of(bar.saturating_add(1), number)) > now;
        let nanos = begins.saturating_mul(1_000_000_000);
        if nanos < start || nanos >= end || (is_partial && !request.includes_partial) {
            return;
        }
        bars.push(priced(stamp::moment(nanos), candle, tick));
    };
    for bucket in (earliest..=latest).rev() {
        let candle = if bucket < live.begin(grain) {
            reader.candle(grain, bucket)
        } else {
            let Some(candle) = live.candle(grain, bucket) else { continue };
            candle
        };
        let bar = unit.bar_of(bucket, number);
        running = match running {
            Some((same, later)) if same == bar => Some((bar, candle.then(later))),
            done => {
                finish(&mut bars, done);
                if bars.len() >= limit {
                    return bars;
                }
                Some((bar, candle))
            }
        };
    }
    finish(&mut bars, running);
    bars.truncate(limit);
    bars
}

fn priced(start: OffsetDateTime, candle: Candle, tick: Tick) -> Bar {
    let Candle { open, high, low, close, volume } = candle;
    let [open, high, low, close] = [open, high, low, close].map(|ticks| tick.price(ticks));
    Bar { start, open, high, low, close, volume }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_have_the_numbers_of_the_venue() {
        let codes: Vec<_> = (-1..9).filter_map(BarUnit::from_code).map(|unit| unit as i64).collect();
        assert_eq!(codes, [1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn a_bar_begins_with_its_first_stretch() {
        for unit in (1..=6).filter_map(BarUnit::from_code) {
            for number in [1, 2, 5, 7, 4_294_967_295] {
                for bucket in [0, 1, 20_000, 20_759, 20_760] {
                    let bar = unit.bar_of(bucket, number);
                    let range = unit.first_of(bar, number)..unit.first_of(bar + 1, number);
                    assert!(range.contains(&bucket), "{unit:?} {number} {bucket}");
                }
            }
        }
        // 2026-11-16 was a Monday.
        assert_eq!(BarUnit::Week.first_of(BarUnit::Week.bar_of(20_773, 1), 1), 20_773);
    }

    #[test]
    fn a_bar_is_written_as_documented() {
        let tick = Tick::new((1, 1));
        let candle = Candle { open: 22_081, high: 22_170, low: 22_067, close: 22_101, volume: 87 };
        let bar = priced(OffsetDateTime::from_unix_timestamp(1_734_703_200).unwrap(), candle, tick);
        let documented = r#"{"t":"2024-12-20T14:00:00+00:00","o":2208.1,"h":2217,"l":2206.7,"c":2210.1,"v":87}"#;
        assert_eq!(bar.json(), documented);
    }
}
