//! The venue's trading days: from 17:00 to 17:00 in Chicago, named after the day they end on.
//!
//! A trading day is a number here: the days since 1970-01-01. The markets are always open, so there is one for every
//! day of the year.

use time::{Date, Month, Weekday};

const DAY: i64 = 86_400;
/// The Julian day of 1970-01-01.
const EPOCH: i64 = 2_440_588;

/// The second since 1970 in which a trading day begins, which is 17:00 in Chicago of the day before.
pub(super) fn start_of(day: i64) -> i64 {
    let eve = day.saturating_sub(1);
    let hour = if date(eve).is_some_and(has_summer_time) { 22 } else { 23 };
    eve.saturating_mul(DAY).saturating_add(hour * 3_600)
}

/// The trading day of a second since 1970.
pub(super) fn day_of(second: i64) -> i64 {
    let day = (second - 22 * 3_600).div_euclid(DAY) + 1;
    // In winter the first hour after 22:00 UTC still belongs to the day before.
    if second < start_of(day) { day - 1 } else { day }
}

/// The calendar's day of a trading day; none beyond the year 9999.
pub(super) fn date(day: i64) -> Option<Date> {
    Date::from_julian_day(i32::try_from(day.checked_add(EPOCH)?).ok()?).ok()
}

/// The trading day with which a month begins, counted in months since the year 0; far away for an impossible month.
pub(super) fn first_of_month(months: i64) -> i64 {
    let beyond = if months < 0 { i64::MIN / (2 * DAY) } else { i64::MAX / (2 * DAY) };
    let first = || -> Option<i64> {
        let month = Month::try_from(u8::try_from(months.rem_euclid(12)).ok()? + 1).ok()?;
        let date = Date::from_calendar_date(i32::try_from(months.div_euclid(12)).ok()?, month, 1).ok()?;
        Some(i64::from(date.to_julian_day()) - EPOCH)
    };
    first().unwrap_or(beyond)
}

/// The months since the year 0 of a trading day.
pub(super) fn month_of(day: i64) -> i64 {
    date(day).map_or(0, |date| i64::from(date.year()) * 12 + i64::from(u8::from(date.month())) - 1)
}

/// Whether Chicago's clocks stand on summer time in the afternoon of a day: from the second Sunday of March to the
/// Saturday before the first Sunday of November.
fn has_summer_time(date: Date) -> bool {
    let first_sunday = |month| {
        let first = Date::from_calendar_date(date.year(), month, 1).unwrap_or(Date::MIN);
        first.ordinal() + u16::from((7 - first.weekday().number_days_from_sunday()) % 7)
    };
    debug_assert_eq!(Weekday::Sunday.number_days_from_sunday(), 0);
    (first_sunday(Month::March) + 7..first_sunday(Month::November)).contains(&date.ordinal())
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    fn start_at(moment: time::OffsetDateTime) -> i64 {
        start_of(day_of(moment.unix_timestamp()))
    }

    #[test]
    fn a_trading_day_begins_at_five_in_the_afternoon_of_chicago() {
        let winter = datetime!(2026-11-20 23:00 UTC);
        assert_eq!(start_at(winter), winter.unix_timestamp());
        assert_eq!(start_at(datetime!(2026-11-20 22:59:59 UTC)), datetime!(2026-11-19 23:00 UTC).unix_timestamp());
        let summer = datetime!(2026-07-27 22:00 UTC);
        assert_eq!(start_at(summer), summer.unix_timestamp());
        assert_eq!(start_at(datetime!(2026-07-27 21:59:59 UTC)), datetime!(2026-07-26 22:00 UTC).unix_timestamp());
    }

    #[test]
    fn the_clocks_change_in_march_and_november() {
        let hours = |date: time::OffsetDateTime| {
            let day = day_of(date.unix_timestamp());
            (start_of(day + 1) - start_of(day)) / 3_600
        };
        assert_eq!(hours(datetime!(2026-03-08 12:00 UTC)), 23);
        assert_eq!(hours(datetime!(2026-11-01 12:00 UTC)), 25);
        assert_eq!(hours(datetime!(2026-11-02 12:00 UTC)), 24);
    }

    #[test]
    fn every_second_lies_in_its_day() {
        let begin = datetime!(2026-01-01 00:00 UTC).unix_timestamp();
        for second in (0..400 * DAY).step_by(1_799).map(|offset| begin + offset) {
            let day = day_of(second);
            assert!((start_of(day)..start_of(day + 1)).contains(&second), "{second}");
            assert_eq!(day_of(first_of_month(month_of(day)) * DAY), first_of_month(month_of(day)));
        }
    }
}
