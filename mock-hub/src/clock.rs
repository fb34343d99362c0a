//! The time of the market, the exchange and the log: the system's, or one that a test moves; and how .NET prints it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use time::OffsetDateTime;
use time::macros::datetime;

use crate::options;

/// Where a virtual clock begins: a Friday, in regular trading hours.
const BEGINNING: OffsetDateTime = datetime!(2026-11-20 14:30 UTC);

/// Where a virtual clock ends; the market's own time ends not long after.
const END: OffsetDateTime = datetime!(2043-01-01 0:00 UTC);

/// A clock.
#[derive(Debug)]
pub(crate) struct Clock {
    /// Nanoseconds since [`BEGINNING`], when somebody moves it by hand.
    moved: Option<AtomicI64>,
}

impl Clock {
    pub(crate) fn new(kind: options::Clock) -> Self {
        Self { moved: (kind == options::Clock::Virtual).then(|| AtomicI64::new(0)) }
    }

    pub(crate) fn is_virtual(&self) -> bool {
        self.moved.is_some()
    }

    pub(crate) fn now(&self) -> OffsetDateTime {
        match &self.moved {
            Some(moved) => BEGINNING + time::Duration::nanoseconds(moved.load(Ordering::Acquire)),
            None => OffsetDateTime::now_utc(),
        }
    }

    /// Why it cannot be moved so far, if it cannot.
    pub(crate) fn refuses(&self, by: Duration) -> Option<&'static str> {
        if !self.is_virtual() {
            return Some("the clock is the system's");
        }
        let left: Duration = (END - self.now()).try_into().unwrap_or_default();
        (by > left).then_some("a virtual clock ends with 2042")
    }

    /// Moves a virtual clock; the system's goes its own way.
    pub(crate) fn advance(&self, by: Duration) {
        if let Some(moved) = &self.moved {
            moved.fetch_add(i64::try_from(by.as_nanos()).unwrap_or(i64::MAX / 4), Ordering::AcqRel);
        }
    }
}

/// The time as .NET prints a `DateTimeOffset` in UTC: 100 ns ticks, trailing zeros left out.
pub(crate) fn stamp(at: OffsetDateTime) -> String {
    let at = at.to_offset(time::UtcOffset::UTC);
    let month = u8::from(at.month());
    let to_the_second =
        format!("{:04}-{month:02}-{:02}T{:02}:{:02}:{:02}", at.year(), at.day(), at.hour(), at.minute(), at.second());
    match at.nanosecond() / 100 {
        0 => format!("{to_the_second}+00:00"),
        ticks => format!("{to_the_second}.{}+00:00", format!("{ticks:07}").trim_end_matches('0')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_have_up_to_seven_digits() {
        assert_eq!(stamp(BEGINNING), "2026-11-20T14:30:00+00:00");
        assert_eq!(stamp(BEGINNING + Duration::from_millis(400)), "2026-11-20T14:30:00.4+00:00");
        assert_eq!(stamp(BEGINNING + Duration::from_nanos(123_456_789)), "2026-11-20T14:30:00.1234567+00:00");
    }

    #[test]
    fn a_virtual_clock_stands_until_it_is_moved() {
        let clock = Clock::new(options::Clock::Virtual);
        assert_eq!(clock.now(), BEGINNING);
        clock.advance(Duration::from_millis(1_500));
        assert_eq!(clock.now(), BEGINNING + Duration::from_millis(1_500));
        assert!(!Clock::new(options::Clock::Real).is_virtual());
        assert!(clock.refuses(Duration::MAX).is_some() && clock.refuses(Duration::ZERO).is_none());
        clock.advance((END - clock.now()).try_into().unwrap());
        assert!(clock.refuses(Duration::ZERO).is_none() && clock.refuses(Duration::from_nanos(1)).is_some());
    }
}
