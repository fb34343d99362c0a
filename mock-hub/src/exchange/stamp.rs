//! Times as the venue writes them.

use std::fmt::Write as _;

use time::OffsetDateTime;

/// The venue counts in steps of 100 ns, as .NET does.
const STEP_NANOSECONDS: u32 = 100;

/// Cuts a time to the venue's steps, so that what is stored is what is printed.
pub(super) fn whole_steps(at: OffsetDateTime) -> OffsetDateTime {
    let nanosecond = at.nanosecond() / STEP_NANOSECONDS * STEP_NANOSECONDS;
    at.replace_nanosecond(nanosecond).unwrap_or(at)
}

/// `2026-05-06T13:36:03.4962794+00:00`: up to seven digits, trailing zeros trimmed, as the user hub prints.
pub(super) fn stream(at: OffsetDateTime) -> String {
    print(at, at.nanosecond() / STEP_NANOSECONDS, 7)
}

/// The same cut to microseconds, as every REST answer has been captured.
pub(super) fn rest(at: OffsetDateTime) -> String {
    print(at, at.nanosecond() / 1_000, 6)
}

fn print(at: OffsetDateTime, fraction: u32, width: usize) -> String {
    let (date, clock) = (at.date(), at.time());
    let mut text = format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
        date.year(),
        u8::from(date.month()),
        date.day(),
        clock.hour(),
        clock.minute(),
        clock.second()
    );
    if fraction != 0 {
        let digits = format!("{fraction:0width$}");
        // Writing to a String cannot fail.
        let _ = write!(text, ".{}", digits.trim_end_matches('0'));
    }
    text.push_str("+00:00");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(nanoseconds: i64) -> OffsetDateTime {
        OffsetDateTime::UNIX_EPOCH + time::Duration::nanoseconds(nanoseconds)
    }

    #[test]
    fn fractions_lose_their_trailing_zeros() {
        assert_eq!(stream(at(0)), "1970-01-01T00:00:00+00:00");
        assert_eq!(stream(at(496_279_400)), "1970-01-01T00:00:00.4962794+00:00");
        assert_eq!(stream(at(400_000_000)), "1970-01-01T00:00:00.4+00:00");
        assert_eq!(stream(at(199)), "1970-01-01T00:00:00.0000001+00:00");
        assert_eq!(rest(at(496_279_499)), "1970-01-01T00:00:00.496279+00:00");
    }

    #[test]
    fn whole_steps_are_what_is_printed() {
        assert_eq!(whole_steps(at(199)), at(100));
        assert_eq!(whole_steps(at(100)), at(100));
    }
}
