//! The exchange's calendar, as far as everything else needs it: Chicago's clock and the start of a trading day.

use time::{Date, Duration, Month, Time, UtcDateTime, UtcOffset, Weekday};
use topstep_model::Timestamp;

/// When a trading day begins on Chicago's clocks: 17:00 (Topstep's rule; the exchange opens at that hour too).
const DAY_BEGINS: Time = match Time::from_hms(17, 0, 0) {
    Ok(time) => time,
    Err(_) => panic!("17:00 is a time of day"),
};

/// Chicago's offset from UTC: 5 hours behind in summer, 6 in winter.
///
/// The rule is the one in force since 2007 (15 U.S.C. 260a): summer time from the second Sunday in March to the first Sunday in November, each
/// at 2:00 on the clock that ends. It is used for earlier years as well, which nothing here asks for. A table of two dates needs no database of
/// time zones, and reads no file.
pub fn chicago_offset(at: Timestamp) -> UtcOffset {
    let at = at.utc();
    let begins = nth_sunday(at.year(), Month::March, 2).map(|date| at_hour(date, 8));
    let ends = nth_sunday(at.year(), Month::November, 1).map(|date| at_hour(date, 7));
    let is_summer = matches!((begins, ends), (Some(begins), Some(ends)) if at >= begins && at < ends);
    hours_behind(is_summer)
}

/// The start of the trading day that a moment belongs to: the last 17:00 in Chicago, that moment included.
///
/// A day of the weekend begins at 17:00 like any other, though nothing is traded in it.
pub fn trading_day_start(at: Timestamp) -> Timestamp {
    let local = at.utc() + Duration::seconds(chicago_offset(at).whole_seconds().into());
    let date = if local.time() >= DAY_BEGINS { Some(local.date()) } else { local.date().previous_day() };
    date.and_then(|date| chicago(date, DAY_BEGINS)).unwrap_or(at)
}

/// The moment at which Chicago's clocks show this date and time.
///
/// The hour that is left out in March is taken as winter time, the one that comes twice in November as summer time. `None` outside of the years
/// that a [`Timestamp`] has.
pub fn chicago(date: Date, time: Time) -> Option<Timestamp> {
    let local = UtcDateTime::new(date, time);
    let utc = |offset: UtcOffset| {
        let utc = local.checked_sub(Duration::seconds(offset.whole_seconds().into()))?;
        Timestamp::try_from(utc).ok()
    };
    let summer = utc(hours_behind(true))?;
    if chicago_offset(summer) == hours_behind(true) { Some(summer) } else { utc(hours_behind(false)) }
}

fn hours_behind(is_summer: bool) -> UtcOffset {
    let hours = if is_summer { -5 } else { -6 };
    UtcOffset::from_hms(hours, 0, 0).expect("5 and 6 hours are offsets")
}

fn nth_sunday(year: i32, month: Month, nth: u8) -> Option<Date> {
    let first = Date::from_calendar_date(year, month, 1).ok()?;
    let to_sunday = (7 - Weekday::number_days_from_sunday(first.weekday())) % 7;
    first.replace_day(1 + to_sunday + 7 * (nth - 1)).ok()
}

fn at_hour(date: Date, hour: u8) -> UtcDateTime {
    let time = Time::from_hms(hour, 0, 0).expect("the hour is below 24");
    UtcDateTime::new(date, time)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_clocks_change_on_the_two_sundays() {
        // From the IANA database, America/Chicago.
        for (moment, hours) in [
            ("2024-03-10T07:59:59Z", -6),
            ("2024-03-10T08:00:00Z", -5),
            ("2024-11-03T06:59:59Z", -5),
            ("2024-11-03T07:00:00Z", -6),
            ("2025-03-09T08:00:00Z", -5),
            ("2025-11-02T07:00:00Z", -6),
            ("2026-03-08T07:59:59.9999999Z", -6),
            ("2026-03-08T08:00:00Z", -5),
            ("2026-11-01T06:59:59Z", -5),
            ("2026-11-01T07:00:00Z", -6),
            ("2027-03-14T08:00:00Z", -5),
            ("2026-01-01T00:00:00Z", -6),
            ("2026-07-01T00:00:00Z", -5),
            ("2026-12-31T23:59:59Z", -6),
        ] {
            assert_eq!(chicago_offset(at(moment)).whole_hours(), hours, "{moment}");
        }
    }

    #[test]
    fn a_trading_day_begins_at_17_in_chicago() {
        for (moment, start) in [
            ("2026-07-15T21:59:59Z", "2026-07-14T22:00:00Z"),
            ("2026-07-15T22:00:00Z", "2026-07-15T22:00:00Z"),
            ("2026-07-16T03:00:00Z", "2026-07-15T22:00:00Z"),
            ("2026-12-15T22:59:59.9999999Z", "2026-12-14T23:00:00Z"),
            ("2026-12-15T23:00:00Z", "2026-12-15T23:00:00Z"),
            // The day in which the clocks change has 23 or 25 hours.
            ("2026-03-08T21:59:59Z", "2026-03-07T23:00:00Z"),
            ("2026-11-01T22:59:59Z", "2026-10-31T22:00:00Z"),
            ("2026-11-01T23:00:00Z", "2026-11-01T23:00:00Z"),
            ("2027-01-01T00:00:00Z", "2026-12-31T23:00:00Z"),
        ] {
            assert_eq!(trading_day_start(at(moment)), at(start), "{moment}");
        }
    }

    #[test]
    fn the_ends_of_time_do_no_harm() {
        for moment in ["0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z"] {
            assert!(trading_day_start(at(moment)) <= at(moment));
        }
    }
}
