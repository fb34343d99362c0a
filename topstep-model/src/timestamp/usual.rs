//! The one form in which .NET writes a time in UTC, read without a format description.

use time::{Date, Month, Time, UtcDateTime};

/// `2026-11-20T14:30:00` and what follows it: a fraction, or not, and a zone.
const DATE_AND_TIME: usize = 19;

/// Reads the content of a JSON string that holds a time in UTC. `None` says nothing: another form may be right too.
#[inline]
pub(super) fn parse(content: &[u8]) -> Option<UtcDateTime> {
    let (head, tail) = content.split_first_chunk::<DATE_AND_TIME>()?;
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'T', h1, h2, b':', n1, n2, b':', s1, s2] = *head else {
        return None;
    };
    let century = two_digits(y1, y2)?;
    let year = i32::from(century) * 100 + i32::from(two_digits(y3, y4)?);
    let month = Month::try_from(two_digits(m1, m2)?).ok()?;
    let date = Date::from_calendar_date(year, month, two_digits(d1, d2)?).ok()?;
    let (nanoseconds, zone) = fraction(tail)?;
    // .NET's default encoder escapes the `+`.
    if !matches!(zone, b"Z" | b"+00:00" | b"\\u002B00:00") {
        return None;
    }
    let time = Time::from_hms_nano(two_digits(h1, h2)?, two_digits(n1, n2)?, two_digits(s1, s2)?, nanoseconds).ok()?;
    Some(UtcDateTime::new(date, time))
}

#[inline(always)]
fn two_digits(tens: u8, ones: u8) -> Option<u8> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    if tens > 9 || ones > 9 { None } else { Some(tens * 10 + ones) }
}

/// The fraction of a second in nanoseconds, and what stands behind it.
#[inline(always)]
fn fraction(text: &[u8]) -> Option<(u32, &[u8])> {
    let [b'.', digits @ ..] = text else { return Some((0, text)) };
    let mut nanoseconds = 0;
    // What the digit at hand is worth: 0 for a tenth one, which is more than can be kept.
    let mut worth = 100_000_000;
    let mut rest = digits;
    while let [digit @ b'0'..=b'9', after @ ..] = rest {
        if worth == 0 {
            return None;
        }
        nanoseconds += u32::from(digit - b'0') * worth;
        worth /= 10;
        rest = after;
    }
    if rest.len() == digits.len() { None } else { Some((nanoseconds, rest)) }
}

#[cfg(test)]
mod tests {
    use crate::Timestamp;

    #[test]
    fn it_says_what_the_full_parser_says_or_nothing() {
        for (text, is_usual) in [
            ("2026-11-20T14:30:00Z", true),
            ("2026-11-20T14:30:00+00:00", true),
            ("2026-11-20T14:30:00.1Z", true),
            ("2026-11-20T14:30:00.1234567+00:00", true),
            ("2024-02-29T23:59:59.999999999Z", true),
            ("0000-01-01T00:00:00Z", true),
            ("9999-12-31T23:59:59.999999999Z", true),
            ("2026-11-20T14:30:00.1234567+02:00", false),
            ("2026-11-20T14:30:00-00:00", false),
            ("2026-11-20t14:30:00Z", false),
            ("0001-01-01T00:00:00", false),
        ] {
            let usual = super::parse(text.as_bytes());
            assert_eq!(usual.is_some(), is_usual, "{text}");
            let full: Timestamp = text.parse().unwrap();
            assert!(usual.is_none_or(|time| time == full.utc()), "{text}");
            let escaped = super::parse(text.replace('+', "\\u002B").as_bytes());
            assert_eq!(escaped, usual, "{text}");
        }
    }

    #[test]
    fn it_refuses_what_is_no_time() {
        for text in [
            "",
            "2026-11-20",
            "2026-11-20T14:30:00",
            "2026-11-20T14:30:00.",
            "2026-11-20T14:30:00.Z",
            "2026-11-20T14:30:00.1234567890Z",
            "2026-11-20T14:30:00.1234567",
            "2026-11-20T14:30:00ZZ",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-11-20T24:00:00Z",
            "2026-11-20T14:60:00Z",
            "2016-12-31T23:59:60Z",
            "202x-11-20T14:30:00Z",
            "2026/11/20T14:30:00Z",
            "2026-11-20T14:30:00\\u002b00:00",
        ] {
            assert_eq!(super::parse(text.as_bytes()), None, "{text}");
        }
    }
}
