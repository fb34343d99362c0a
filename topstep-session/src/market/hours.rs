//! When the market is open.

mod cme;

use std::sync::Arc;
use std::time::Duration;

use time::{Date, Duration as Span, Time, UtcDateTime, Weekday};
use topstep_model::Timestamp;

use crate::calendar;

/// How far [`TradingHours::next_change`] looks ahead, in days: more than any holiday with its weekends lasts.
const HORIZON: i32 = 16;

/// When a market trades: a week that repeats, less the closures that are listed, on Chicago's clocks.
///
/// It is data: [`cme_globex`](Self::cme_globex) is one set of it, and others are made with [`new`](Self::new). It serves to tell silence from an
/// alarm, and a stale quote from one that may stand; nothing is refused by it.
///
/// ```
/// use topstep_session::market::TradingHours;
///
/// let hours = TradingHours::cme_globex();
/// let friday_evening = "2026-11-20T22:00:00Z".parse()?;
/// assert!(!hours.is_open(friday_evening));
/// assert_eq!(hours.next_change(friday_evening), Some("2026-11-22T23:00:00Z".parse()?));
/// # Ok::<(), topstep_model::TimestampError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TradingHours(Arc<Hours>);

#[derive(Debug, PartialEq, Eq)]
enum Hours {
    Always,
    Listed { week: TradingWeek, closures: Vec<Closure>, until: Option<Date> },
}

/// The stretches of a week in which a market trades, on Chicago's clocks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TradingWeek(Vec<Session>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Session {
    day: Weekday,
    opens: Time,
    closes: Time,
}

/// A stretch in which a market is closed though its week says otherwise, on Chicago's clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a stretch has two ends")]
pub struct Closure {
    /// The date and time from which on nothing trades.
    pub from: (Date, Time),
    /// When the week's hours count again.
    pub to: (Date, Time),
}

impl TradingWeek {
    /// A week in which nothing trades.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a session that opens and closes on these days of the week at these hours in Chicago.
    ///
    /// One that closes at or before its opening hour ends on the day after.
    #[must_use]
    pub fn session(mut self, day: Weekday, opens: Time, closes: Time) -> Self {
        self.0.push(Session { day, opens, closes });
        self
    }
}

impl TradingHours {
    /// A market that never closes, as the one of mock-hub.
    pub fn always_open() -> Self {
        Self(Arc::new(Hours::Always))
    }

    /// Hours of one's own. The closures are known up to the end of `until`; `None` says that no more will come.
    pub fn new(week: TradingWeek, closures: Vec<Closure>, until: Option<Date>) -> Self {
        Self(Arc::new(Hours::Listed { week, closures, until }))
    }

    /// CME Globex: from Sunday 17:00 to Friday 16:00 in Chicago, with a break from 16:00 to 17:00 each day, and the holidays of 2026.
    ///
    /// The week is that of equity indexes, interest rates, currencies, metals, energies and cryptocurrencies; grains and livestock trade shorter
    /// hours. The holidays are those of the equity indexes, as the exchange published them; on some of them other products close later. After
    /// the last day listed only the week counts, and [`has_ended`](Self::has_ended) says so.
    pub fn cme_globex() -> Self {
        Self(Arc::new(cme::globex()))
    }

    /// Whether the market is open. The moment of an opening belongs to the session, the moment of a close does not.
    pub fn is_open(&self, at: Timestamp) -> bool {
        let Hours::Listed { week, closures, .. } = &*self.0 else { return true };
        let Some(local) = local(at) else { return false };
        let is_in_session = [Some(local.date()), local.date().previous_day()]
            .into_iter()
            .flatten()
            .any(|day| week.0.iter().any(|session| session.covers(day, local)));
        is_in_session && !closures.iter().any(|closure| closure.covers(local))
    }

    /// When the market next opens or closes; `None` if it does not within 16 days.
    pub fn next_change(&self, at: Timestamp) -> Option<Timestamp> {
        let Hours::Listed { week, closures, .. } = &*self.0 else { return None };
        let today = local(at)?.date();
        let days = (-1..=HORIZON).filter_map(|days| today.checked_add(Span::days(days.into())));
        let of_week = days.flat_map(|day| week.0.iter().flat_map(move |session| session.ends(day)));
        let of_closures = closures.iter().flat_map(|closure| [Some(closure.from), Some(closure.to)]);
        let mut changes: Vec<Timestamp> = of_week
            .chain(of_closures)
            .flatten()
            .filter_map(|(date, time)| calendar::chicago(date, time))
            .filter(|change| *change > at)
            .collect();
        changes.sort_unstable();
        let is_open = self.is_open(at);
        let horizon = at.utc().checked_add(Span::days(HORIZON.into()));
        changes
            .into_iter()
            .take_while(|change| horizon.is_none_or(|horizon| change.utc() <= horizon))
            .find(|change| self.is_open(*change) != is_open)
    }

    /// Whether this time is past the last day whose holidays are known.
    pub fn has_ended(&self, at: Timestamp) -> bool {
        match &*self.0 {
            Hours::Listed { until: Some(until), .. } => local(at).is_none_or(|local| local.date() > *until),
            _ => false,
        }
    }

    /// How long to wait before it is worth asking again whether the market is open: until the next change, and no more than a minute, since the
    /// wall's clock may be set in between.
    pub(super) fn until_change(&self, at: Timestamp) -> Duration {
        let (least, most) = (Duration::from_millis(100), Duration::from_secs(60));
        let Some(change) = self.next_change(at) else { return most };
        Duration::try_from(change.utc() - at.utc()).unwrap_or(least).clamp(least, most)
    }
}

impl Session {
    fn covers(self, day: Date, local: UtcDateTime) -> bool {
        if self.day != day.weekday() {
            return false;
        }
        let [Some(opens), Some(closes)] = self.ends(day) else { return false };
        (moment(opens)..moment(closes)).contains(&local)
    }

    /// Its two ends if it begins on this day.
    fn ends(self, day: Date) -> [Option<(Date, Time)>; 2] {
        if self.day != day.weekday() {
            return [None, None];
        }
        let last_day = if self.closes > self.opens { Some(day) } else { day.next_day() };
        [Some((day, self.opens)), last_day.map(|day| (day, self.closes))]
    }
}

impl Closure {
    fn covers(self, local: UtcDateTime) -> bool {
        (moment(self.from)..moment(self.to)).contains(&local)
    }
}

/// What Chicago's clocks show, as if it were UTC.
fn local(at: Timestamp) -> Option<UtcDateTime> {
    at.utc().checked_add(Span::seconds(calendar::chicago_offset(at).whole_seconds().into()))
}

fn moment((date, time): (Date, Time)) -> UtcDateTime {
    UtcDateTime::new(date, time)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_market_that_is_always_open_never_changes() {
        let hours = TradingHours::always_open();
        assert!(hours.is_open(at("2026-12-25T12:00:00Z")) && hours.next_change(at("2026-12-25T12:00:00Z")).is_none());
        assert!(!hours.has_ended(at("9999-12-31T00:00:00Z")));
    }

    #[test]
    fn the_week_has_a_break_each_day_and_a_weekend() {
        let hours = TradingHours::cme_globex();
        for (moment, is_open, next) in [
            // Summer: Chicago is 5 hours behind.
            ("2026-07-14T20:59:59Z", true, "2026-07-14T21:00:00Z"),
            ("2026-07-14T21:00:00Z", false, "2026-07-14T22:00:00Z"),
            ("2026-07-14T22:00:00Z", true, "2026-07-15T21:00:00Z"),
            ("2026-07-17T20:59:59.9999999Z", true, "2026-07-17T21:00:00Z"),
            ("2026-07-17T22:30:00Z", false, "2026-07-19T22:00:00Z"),
            ("2026-07-19T21:59:59Z", false, "2026-07-19T22:00:00Z"),
            // Winter: 6.
            ("2026-12-08T21:59:59Z", true, "2026-12-08T22:00:00Z"),
            ("2026-12-08T22:59:59Z", false, "2026-12-08T23:00:00Z"),
            ("2026-12-13T23:00:00Z", true, "2026-12-14T22:00:00Z"),
            // The clocks change while it is closed.
            ("2026-03-07T12:00:00Z", false, "2026-03-08T22:00:00Z"),
            ("2026-10-31T12:00:00Z", false, "2026-11-01T23:00:00Z"),
        ] {
            assert_eq!(
                (hours.is_open(at(moment)), hours.next_change(at(moment))),
                (is_open, Some(at(next))),
                "{moment}"
            );
        }
    }

    #[test]
    fn holidays_close_early_or_all_day() {
        let hours = TradingHours::cme_globex();
        for (moment, is_open, next) in [
            // Thanksgiving: noon, and again from 17:00 to 12:15 of the next day, then the weekend.
            ("2026-11-26T17:59:59Z", true, "2026-11-26T18:00:00Z"),
            ("2026-11-26T18:00:00Z", false, "2026-11-26T23:00:00Z"),
            ("2026-11-27T18:14:59Z", true, "2026-11-27T18:15:00Z"),
            ("2026-11-27T18:15:00Z", false, "2026-11-29T23:00:00Z"),
            // Christmas falls on a Friday.
            ("2026-12-24T18:15:00Z", false, "2026-12-27T23:00:00Z"),
            // New Year's Day.
            ("2025-12-31T23:30:00Z", false, "2026-01-01T23:00:00Z"),
            // Good Friday.
            ("2026-04-03T13:15:00Z", false, "2026-04-05T22:00:00Z"),
        ] {
            assert_eq!(
                (hours.is_open(at(moment)), hours.next_change(at(moment))),
                (is_open, Some(at(next))),
                "{moment}"
            );
        }
    }

    #[test]
    fn the_list_of_holidays_has_an_end() {
        let hours = TradingHours::cme_globex();
        assert!(!hours.has_ended(at("2026-11-21T17:00:00Z")) && !hours.has_ended(at("2027-01-02T05:59:59Z")));
        assert!(hours.has_ended(at("2027-01-02T06:00:00Z")));
        // The week goes on.
        assert!(hours.is_open(at("2027-03-02T12:00:00Z")) && !hours.is_open(at("2027-03-02T22:30:00Z")));
    }

    #[test]
    fn every_change_is_one() {
        let hours = TradingHours::cme_globex();
        let mut moment = at("2026-01-01T00:00:00Z");
        let mut changes = 0;
        while let Some(change) = hours.next_change(moment).filter(|change| *change < at("2027-01-01T00:00:00Z")) {
            let before = Timestamp::try_from(change.utc() - Span::nanoseconds(100)).unwrap();
            assert!(change > moment);
            assert_ne!(hours.is_open(before), hours.is_open(change), "{change}");
            (moment, changes) = (change, changes + 1);
        }
        assert!(changes > 500, "{changes}");
    }

    #[test]
    fn the_wait_is_bounded_and_the_ends_of_time_do_no_harm() {
        let hours = TradingHours::cme_globex();
        assert_eq!(hours.until_change(at("2026-07-14T21:59:30Z")), Duration::from_secs(30));
        assert_eq!(hours.until_change(at("2026-07-14T21:59:59.99999Z")), Duration::from_millis(100));
        assert_eq!(hours.until_change(at("2026-07-18T12:00:00Z")), Duration::from_secs(60));
        for moment in ["0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z"] {
            let _ = (hours.is_open(at(moment)), hours.next_change(at(moment)), hours.has_ended(at(moment)));
        }
    }

    #[test]
    fn hours_of_ones_own_may_end_on_the_next_day() {
        let hour = |hour| Time::from_hms(hour, 0, 0).unwrap();
        let week = TradingWeek::new().session(Weekday::Monday, hour(19), hour(7));
        let hours = TradingHours::new(week, Vec::new(), None);
        assert!(hours.is_open(at("2026-07-14T11:59:59Z")) && !hours.is_open(at("2026-07-14T12:00:00Z")));
        assert!(hours.is_open(at("2026-07-14T00:00:00Z")) && !hours.is_open(at("2026-07-13T23:59:59Z")));
    }
}
