//! Moments, and how .NET writes them.

use time::OffsetDateTime;

const SECOND: i64 = 1_000_000_000;
/// Far enough from the ends of the range that any interval can be added.
const FARTHEST: i64 = i64::MAX / 4;

/// The nanoseconds since 1970 of a moment; what is centuries away is moved closer.
pub(super) fn nanos(moment: OffsetDateTime) -> i64 {
    let nanos = moment.unix_timestamp_nanos().clamp(i128::from(-FARTHEST), i128::from(FARTHEST));
    i64::try_from(nanos).unwrap_or_default()
}

/// The moment of so many nanoseconds since 1970.
pub(super) fn moment(nanos: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(nanos)).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// The whole second since 1970 that a moment lies in.
pub(super) fn second(nanos: i64) -> i64 {
    nanos.div_euclid(SECOND)
}

/// One moment in the forms that events show it in, made once for all of them.
///
/// .NET writes what it knows of the fraction and leaves out trailing zeros.
#[derive(Debug)]
pub(super) struct Stamp {
    second: i64,
    second_start: OffsetDateTime,
    /// `2026-11-20T14:30:05`, made anew only when the second changes.
    to_the_second: String,
    moment: OffsetDateTime,
    ticks: String,
    milliseconds: String,
}

impl Stamp {
    pub(super) fn new() -> Self {
        Self {
            second: i64::MIN,
            second_start: OffsetDateTime::UNIX_EPOCH,
            to_the_second: String::new(),
            moment: OffsetDateTime::UNIX_EPOCH,
            ticks: String::new(),
            milliseconds: String::new(),
        }
    }

    /// Moves to another moment.
    pub(super) fn set(&mut self, nanos: i64) {
        let (second, fraction) = (second(nanos), nanos.rem_euclid(SECOND));
        if second != self.second {
            self.second = second;
            self.second_start = moment(second * SECOND);
            self.to_the_second = to_the_second(self.second_start);
        }
        let fraction = u32::try_from(fraction).unwrap_or_default();
        self.moment = self.second_start.replace_nanosecond(fraction).unwrap_or(self.second_start);
        write(&mut self.ticks, &self.to_the_second, fraction / 100, 1_000_000);
        write(&mut self.milliseconds, &self.to_the_second, fraction / 1_000_000, 100);
    }

    pub(super) fn moment(&self) -> OffsetDateTime {
        self.moment
    }

    /// To 100 ns, .NET's tick: up to seven fraction digits.
    pub(super) fn ticks(&self) -> &str {
        &self.ticks
    }

    /// To the millisecond: up to three fraction digits.
    pub(super) fn milliseconds(&self) -> &str {
        &self.milliseconds
    }
}

/// A moment without its fraction and its offset, such as `2026-11-20T14:30:05`.
pub(super) fn to_the_second(at: OffsetDateTime) -> String {
    let month = u8::from(at.month());
    format!("{:04}-{month:02}-{:02}T{:02}:{:02}:{:02}", at.year(), at.day(), at.hour(), at.minute(), at.second())
}

/// `place` is the worth of the fraction's first digit.
fn write(text: &mut String, to_the_second: &str, mut fraction: u32, mut place: u32) {
    text.clear();
    text.push_str(to_the_second);
    if fraction > 0 {
        text.push('.');
    }
    while fraction > 0 {
        // A single digit: a fraction is below ten places of its first one.
        text.push(char::from(b'0' + (fraction / place) as u8));
        fraction %= place;
        place = (place / 10).max(1);
    }
    text.push_str("+00:00");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_as_captured() {
        let mut stamp = Stamp::new();
        let mut written = |nanos| {
            stamp.set(nanos);
            (stamp.ticks().to_owned(), stamp.milliseconds().to_owned())
        };
        let texts = |ticks: &str, milliseconds: &str| (ticks.to_owned(), milliseconds.to_owned());
        let at = 1_787_172_691_434_753_499;
        let expected = texts("2026-08-19T20:51:31.4347534+00:00", "2026-08-19T20:51:31.434+00:00");
        assert_eq!(written(at), expected);
        let expected = texts("2026-08-19T20:51:31.04+00:00", "2026-08-19T20:51:31.04+00:00");
        assert_eq!(written(1_787_172_691_040_000_099), expected);
        assert_eq!(written(0), texts("1970-01-01T00:00:00+00:00", "1970-01-01T00:00:00+00:00"));
        assert_eq!(stamp.moment(), OffsetDateTime::UNIX_EPOCH);
    }

    #[test]
    fn moments_go_to_nanoseconds_and_back() {
        for nanos in [0, -1, 1_787_172_691_434_753_499] {
            assert_eq!(super::nanos(moment(nanos)), nanos);
        }
        assert_eq!(super::nanos(OffsetDateTime::new_utc(time::Date::MAX, time::Time::MIDNIGHT)), FARTHEST);
    }
}
