//! How long a bar is, and where it begins.

use time::{Date, Duration, Month, Time};
use topstep_model::{BarUnit, Timestamp};

use crate::calendar;

/// The Julian day of 1970-01-01.
const EPOCH: i64 = 2_440_588;

/// The hour in Chicago at which a trading day begins.
const DAY_BEGINS: Time = match Time::from_hms(17, 0, 0) {
    Ok(time) => time,
    Err(_) => panic!("17:00 is a time of day"),
};

/// The length of a bar: so many seconds, minutes, hours, days, weeks, months or ticks.
///
/// Where bars begin is not documented by the venue, but for days, which are stamped at the session's open (seen by users). Bars here begin as
/// mock-hub's do: seconds, minutes and hours are counted from 1970; a day is a trading day, from 17:00 to 17:00 in Chicago, and named after the
/// day on which it ends; weeks are the trading days named Monday to Sunday, months those named after the days of a month; of several days, weeks
/// or months the count begins in 1970, of months in the year 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BarSpan {
    unit: BarUnit,
    number: u32,
}

impl BarSpan {
    /// So many units. `None` for what the venue would refuse: no unit, one that is not known, none of it, or more than an `i32` holds.
    pub fn new(unit: BarUnit, number: u32) -> Option<Self> {
        let is_unit = !matches!(unit, BarUnit::Unspecified | BarUnit::Other(_));
        (is_unit && (1..=i32::MAX as u32).contains(&number)).then_some(Self { unit, number })
    }

    /// The unit.
    pub fn unit(self) -> BarUnit {
        self.unit
    }

    /// How many of the unit; at least 1.
    pub fn number(self) -> u32 {
        self.number
    }

    /// When the bar begins that this moment belongs to. `None` for bars of ticks, and beyond the calendar.
    pub fn start_of(self, at: Timestamp) -> Option<Timestamp> {
        self.start_of_bar(self.bar_of(at)?)
    }

    /// When that bar ends, which is when the next one begins. `None` for bars of ticks, and beyond the calendar.
    pub fn end_of(self, at: Timestamp) -> Option<Timestamp> {
        self.start_of_bar(self.bar_of(at)?.checked_add(1)?)
    }

    /// When the bar begins that is so many bars after the one of this moment, or before it.
    pub(super) fn start_after(self, at: Timestamp, bars: i64) -> Option<Timestamp> {
        self.start_of_bar(self.bar_of(at)?.checked_add(bars)?)
    }

    /// Which bar, counted from where the unit's count begins.
    fn bar_of(self, at: Timestamp) -> Option<i64> {
        let second = at.utc().unix_timestamp();
        let unit = match self.unit {
            BarUnit::Second => second,
            BarUnit::Minute => second.div_euclid(60),
            BarUnit::Hour => second.div_euclid(3_600),
            BarUnit::Day => day_of(at)?,
            // 1970 began on a Thursday.
            BarUnit::Week => (day_of(at)? + 3).div_euclid(7),
            BarUnit::Month => month_of(date(day_of(at)?)?),
            _ => return None,
        };
        Some(unit.div_euclid(self.number.into()))
    }

    fn start_of_bar(self, bar: i64) -> Option<Timestamp> {
        let unit = bar.checked_mul(self.number.into())?;
        let second = match self.unit {
            BarUnit::Second => unit,
            BarUnit::Minute => unit.checked_mul(60)?,
            BarUnit::Hour => unit.checked_mul(3_600)?,
            BarUnit::Day => return start_of_day(date(unit)?),
            BarUnit::Week => return start_of_day(date(unit.checked_mul(7)?.checked_sub(3)?)?),
            BarUnit::Month => return start_of_day(first_of_month(unit)?),
            _ => return None,
        };
        Timestamp::try_from(time::UtcDateTime::from_unix_timestamp(second).ok()?).ok()
    }
}

/// The trading day of a moment, counted in days since 1970-01-01.
fn day_of(at: Timestamp) -> Option<i64> {
    let start = calendar::trading_day_start(at);
    let offset = Duration::seconds(calendar::chicago_offset(start).whole_seconds().into());
    let eve = start.utc().checked_add(offset)?.date();
    Some(i64::from(eve.to_julian_day()) + 1 - EPOCH)
}

/// 17:00 in Chicago of the day before.
fn start_of_day(date: Date) -> Option<Timestamp> {
    calendar::chicago(date.previous_day()?, DAY_BEGINS)
}

fn date(day: i64) -> Option<Date> {
    Date::from_julian_day(i32::try_from(day.checked_add(EPOCH)?).ok()?).ok()
}

/// The months since the year 0.
fn month_of(date: Date) -> i64 {
    i64::from(date.year()) * 12 + i64::from(u8::from(date.month())) - 1
}

fn first_of_month(months: i64) -> Option<Date> {
    let month = Month::try_from(u8::try_from(months.rem_euclid(12)).ok()? + 1).ok()?;
    Date::from_calendar_date(i32::try_from(months.div_euclid(12)).ok()?, month, 1).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn span(unit: BarUnit, number: u32) -> BarSpan {
        BarSpan::new(unit, number).unwrap()
    }

    #[test]
    fn only_what_the_venue_takes_is_a_span() {
        assert!(BarSpan::new(BarUnit::Minute, 0).is_none() && BarSpan::new(BarUnit::Minute, u32::MAX).is_none());
        assert!(BarSpan::new(BarUnit::Unspecified, 1).is_none() && BarSpan::new(BarUnit::Other(9), 1).is_none());
        assert!(
            BarSpan::new(BarUnit::Tick, 100).is_some_and(|span| span.start_of(at("2026-01-01T00:00:00Z")).is_none())
        );
    }

    #[test]
    fn bars_begin_where_the_count_says() {
        for (unit, number, moment, start, end) in [
            (BarUnit::Second, 5, "2026-07-14T13:30:07.9Z", "2026-07-14T13:30:05Z", "2026-07-14T13:30:10Z"),
            (BarUnit::Minute, 1, "2026-07-14T13:30:00Z", "2026-07-14T13:30:00Z", "2026-07-14T13:31:00Z"),
            (BarUnit::Minute, 15, "2026-07-14T13:44:59.9999999Z", "2026-07-14T13:30:00Z", "2026-07-14T13:45:00Z"),
            (BarUnit::Hour, 4, "2026-07-14T13:30:00Z", "2026-07-14T12:00:00Z", "2026-07-14T16:00:00Z"),
            // A trading day in summer and in winter, and over the change of the clocks.
            (BarUnit::Day, 1, "2026-07-14T21:59:59Z", "2026-07-13T22:00:00Z", "2026-07-14T22:00:00Z"),
            (BarUnit::Day, 1, "2026-12-08T23:00:00Z", "2026-12-08T23:00:00Z", "2026-12-09T23:00:00Z"),
            (BarUnit::Day, 1, "2026-11-01T12:00:00Z", "2026-10-31T22:00:00Z", "2026-11-01T23:00:00Z"),
            // From Sunday's opening on.
            (BarUnit::Week, 1, "2026-07-15T12:00:00Z", "2026-07-12T22:00:00Z", "2026-07-19T22:00:00Z"),
            (BarUnit::Week, 1, "2026-07-12T22:00:00Z", "2026-07-12T22:00:00Z", "2026-07-19T22:00:00Z"),
            // The trading day named 1 July begins on 30 June.
            (BarUnit::Month, 1, "2026-06-30T22:00:00Z", "2026-06-30T22:00:00Z", "2026-07-31T22:00:00Z"),
            (BarUnit::Month, 3, "2026-06-30T21:59:59Z", "2026-03-31T22:00:00Z", "2026-06-30T22:00:00Z"),
        ] {
            let span = span(unit, number);
            assert_eq!(span.start_of(at(moment)), Some(at(start)), "{unit} {number} {moment}");
            assert_eq!(span.end_of(at(moment)), Some(at(end)), "{unit} {number} {moment}");
        }
    }

    #[test]
    fn every_moment_lies_in_its_bar() {
        let begin = at("2026-02-20T00:00:00Z").utc();
        for unit in [BarUnit::Second, BarUnit::Minute, BarUnit::Hour, BarUnit::Day, BarUnit::Week, BarUnit::Month] {
            for number in [1, 2, 7, 30] {
                for step in 0..300 {
                    let moment = Timestamp::try_from(begin + Duration::seconds(step * 86_399)).unwrap();
                    let (start, end) = (span(unit, number).start_of(moment), span(unit, number).end_of(moment));
                    assert!(start.unwrap() <= moment && moment < end.unwrap(), "{unit} {number} {moment}");
                    assert_eq!(span(unit, number).start_of(end.unwrap()), end);
                }
            }
        }
    }

    #[test]
    fn impossible_spans_do_no_harm() {
        for unit in (1..=7).map(<BarUnit as topstep_model::Code>::from_code) {
            for moment in ["0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-01-01T00:00:00Z"] {
                let span = span(unit, i32::MAX as u32);
                let _ = (span.start_of(at(moment)), span.end_of(at(moment)));
            }
        }
    }
}
