//! CME Globex as data.
//!
//! The week is what the exchange publishes: 17:00 to 16:00 of the next day in Chicago, from Sunday to Friday. The holidays are the trading
//! schedule of 2026 for equity index futures, as the exchange's holiday calendar (cmegroup.com/tools-information/holiday-calendar.html) and brokers
//! who repeat it have it. Good Friday's early close at 8:15 comes from the employment report that falls on that day.

use time::{Date, Month, Time, Weekday};

use super::{Closure, Hours, TradingWeek};

const OPENS: Time = hour(17, 0);
const CLOSES: Time = hour(16, 0);

/// The last day whose holidays are listed: New Year's Day, on which 2026's last holiday ends.
const UNTIL: Date = day(2027, Month::January, 1);

/// A day on which trading ends early, or on the evening before, and the day on whose 17:00 it begins again.
const HOLIDAYS: [(Date, Time, Date); 12] = [
    // New Year's Day: from the close of the year's last day on.
    (day(2025, Month::December, 31), CLOSES, day(2026, Month::January, 1)),
    // Martin Luther King Jr. Day.
    (day(2026, Month::January, 19), hour(12, 0), day(2026, Month::January, 19)),
    // Presidents' Day.
    (day(2026, Month::February, 16), hour(12, 0), day(2026, Month::February, 16)),
    // Good Friday.
    (day(2026, Month::April, 3), hour(8, 15), day(2026, Month::April, 5)),
    // Memorial Day.
    (day(2026, Month::May, 25), hour(12, 0), day(2026, Month::May, 25)),
    // Juneteenth, a Friday.
    (day(2026, Month::June, 19), hour(12, 0), day(2026, Month::June, 21)),
    // Independence Day, observed on the Friday before.
    (day(2026, Month::July, 3), hour(12, 0), day(2026, Month::July, 5)),
    // Labor Day.
    (day(2026, Month::September, 7), hour(12, 0), day(2026, Month::September, 7)),
    // Thanksgiving.
    (day(2026, Month::November, 26), hour(12, 0), day(2026, Month::November, 26)),
    // The day after it.
    (day(2026, Month::November, 27), hour(12, 15), day(2026, Month::November, 29)),
    // Christmas Eve and Christmas, a Friday.
    (day(2026, Month::December, 24), hour(12, 15), day(2026, Month::December, 27)),
    // New Year's Day, a Friday.
    (day(2026, Month::December, 31), CLOSES, day(2027, Month::January, 3)),
];

pub(super) fn globex() -> Hours {
    let days = [Weekday::Sunday, Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday, Weekday::Thursday];
    let week = days.into_iter().fold(TradingWeek::new(), |week, day| week.session(day, OPENS, CLOSES));
    let closure = |(date, time, again): (Date, Time, Date)| Closure { from: (date, time), to: (again, OPENS) };
    Hours::Listed { week, closures: HOLIDAYS.into_iter().map(closure).collect(), until: Some(UNTIL) }
}

const fn day(year: i32, month: Month, day: u8) -> Date {
    match Date::from_calendar_date(year, month, day) {
        Ok(date) => date,
        Err(_) => panic!("the day is in the calendar"),
    }
}

const fn hour(hour: u8, minute: u8) -> Time {
    match Time::from_hms(hour, minute, 0) {
        Ok(time) => time,
        Err(_) => panic!("the hour is one of the day"),
    }
}
