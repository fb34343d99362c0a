//! Points in time as .NET writes them.

mod usual;

use std::fmt;
use std::str::{self, FromStr};

use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcDateTime};

use crate::excerpt::Excerpt;
use crate::scalar::{self, Scalar};

/// .NET's `DateTime.MinValue` as it prints it: the only text without a zone that is accepted.
const ZONELESS_MINIMUM: &str = "0001-01-01T00:00:00";

/// The longest text: `9999-12-31T23:59:59.123456789+00:00`.
const LONGEST: usize = 35;

/// A point in time, exact to the nanosecond, in the years 0 to 9999.
///
/// It is read from RFC 3339 with any offset and up to 9 fraction digits (TopstepX sends up to 7, .NET's resolution of
/// 100 ns), and from `0001-01-01T00:00:00` without a zone, which is how .NET prints a date that was never set. More
/// digits, a leap second and any other form are errors: nothing is rounded or guessed. The offset itself is not kept.
///
/// It is written as RFC 3339 in UTC, with as many fraction digits as it needs.
///
/// ```
/// # use topstep_model::Timestamp;
/// let updated: Timestamp = "2026-08-19T22:51:31.4347534+02:00".parse()?;
/// assert_eq!(updated.to_string(), "2026-08-19T20:51:31.4347534Z");
/// # Ok::<(), topstep_model::TimestampError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(UtcDateTime);

impl Timestamp {
    /// .NET's date that was never set: the beginning of the year 1.
    ///
    /// The rows of a depth snapshot carry it.
    pub const UNSET: Self = Self(UtcDateTime::new(
        match time::Date::from_ordinal_date(1, 1) {
            Ok(date) => date,
            Err(_) => panic!("the year 1 has a first day"),
        },
        time::Time::MIDNIGHT,
    ));

    /// Returns the time for calculations.
    #[inline]
    pub const fn utc(self) -> UtcDateTime {
        self.0
    }

    fn parse(text: &str) -> Option<Self> {
        if text == ZONELESS_MINIMUM {
            return Some(Self::UNSET);
        }
        // `time` would take any separator, cut the tenth fraction digit off, and a leap second for the moment before it.
        let separator = text.as_bytes().get(10)?;
        let zone = if text.ends_with(['Z', 'z']) { 1 } else { "+00:00".len() };
        let is_exact = text.len() <= LONGEST - "+00:00".len() + zone && text.get(17..19) != Some("60");
        if !is_exact || !separator.eq_ignore_ascii_case(&b'T') {
            return None;
        }
        let time = OffsetDateTime::parse(text, &Rfc3339).ok()?.checked_to_utc()?;
        Self::try_from(time).ok()
    }
}

impl TryFrom<UtcDateTime> for Timestamp {
    type Error = TimestampError;

    /// Takes a time in the years 0 to 9999, which RFC 3339 can write.
    fn try_from(time: UtcDateTime) -> Result<Self, TimestampError> {
        if (0..=9999).contains(&time.year()) { Ok(Self(time)) } else { Err(TimestampError::new(&time.to_string())) }
    }
}

impl From<Timestamp> for UtcDateTime {
    fn from(timestamp: Timestamp) -> Self {
        timestamp.0
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    #[inline]
    fn from_str(text: &str) -> Result<Self, TimestampError> {
        Self::parse(text).ok_or_else(|| TimestampError::new(text))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut buffer = [0; LONGEST];
        f.pad(self.print(&mut buffer))
    }
}

impl Timestamp {
    fn print(self, buffer: &mut [u8; LONGEST]) -> &str {
        // The count that `format_into` returns leaves most fraction digits out (time 0.3.55): what is free says it right.
        let mut free = buffer.as_mut_slice();
        self.0.format_into(&mut free, &Rfc3339).expect("the years 0 to 9999 fit RFC 3339 and the buffer");
        let length = LONGEST - free.len();
        let text = buffer.get(..length).expect("no more was written than there is");
        str::from_utf8(text).expect("RFC 3339 is ASCII")
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Timestamp({self})")
    }
}

impl Scalar for Timestamp {
    type Error = TimestampError;

    const EXPECTED: &'static str = "an RFC 3339 time";
    const MAY_STAND_BARE: bool = false;

    #[inline(always)]
    fn from_usual_bare(_: &str) -> Option<Self> {
        None
    }

    #[inline]
    fn from_usual_quoted(content: &str) -> Option<Self> {
        usual::parse(content.as_bytes()).map(Self)
    }

    fn from_text(text: &str) -> Result<Self, TimestampError> {
        text.parse()
    }

    fn wrong_kind(json: &str) -> TimestampError {
        TimestampError::new(json)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    #[inline]
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        scalar::deserialize(deserializer)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.print(&mut [0; LONGEST]))
    }
}

/// Says that a text is no [`Timestamp`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text} is not an RFC 3339 time with at most 9 fraction digits")]
pub struct TimestampError {
    text: Excerpt,
}

impl TimestampError {
    /// Returns the text that was refused, or its first 64 characters.
    pub fn text(&self) -> &str {
        self.text.as_str()
    }

    #[cold]
    fn new(text: &str) -> Self {
        Self { text: Excerpt::new(text) }
    }
}
