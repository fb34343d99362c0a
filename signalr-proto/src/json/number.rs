//! Numbers: the end of one, and its value (RFC 8259, section 6).

use super::error::{SyntaxError, SyntaxErrorKind};

/// The value of a number, in the first of these that holds it, with `-0` a float: what `serde_json` gives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Number {
    Unsigned(u64),
    Negative(i64),
    /// Not always finite: digits may say more than a float can hold.
    Float(f64),
}

/// The end of the number that begins at `at` with `-` or a digit.
#[inline]
pub(super) fn end(bytes: &[u8], at: usize) -> Result<usize, SyntaxError> {
    let mut at = if bytes.get(at) == Some(&b'-') { at + 1 } else { at };
    at = match bytes.get(at) {
        Some(b'0') => match bytes.get(at + 1) {
            Some(b'0'..=b'9') => return Err(invalid(bytes, at + 1)),
            _ => at + 1,
        },
        Some(b'1'..=b'9') => digits(bytes, at + 1),
        _ => return Err(invalid(bytes, at)),
    };
    if bytes.get(at) == Some(&b'.') {
        let fraction = at + 1;
        at = digits(bytes, fraction);
        if at == fraction {
            return Err(invalid(bytes, at));
        }
    }
    match bytes.get(at) {
        Some(b'e' | b'E') => exponent_end(bytes, at),
        _ => Ok(at),
    }
}

/// The number that begins at `at` with `-` or a digit, and its end.
#[inline]
pub(super) fn parse(text: &str, start: usize) -> Result<(Number, usize), SyntaxError> {
    let bytes = text.as_bytes();
    let negative = bytes.get(start) == Some(&b'-');
    let first = start + usize::from(negative);
    let mut at = first;
    let mut mantissa = 0_u64;
    while let Some(digit @ b'0'..=b'9') = bytes.get(at) {
        mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
        at += 1;
    }
    let mut digits = at - first;
    if digits == 0 {
        return Err(invalid(bytes, at));
    }
    if digits > 1 && bytes.get(first) == Some(&b'0') {
        return Err(invalid(bytes, first + 1));
    }
    let mut scale = 0;
    if bytes.get(at) == Some(&b'.') {
        at += 1;
        let fraction = at;
        while let Some(digit @ b'0'..=b'9') = bytes.get(at) {
            mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
            at += 1;
        }
        scale = at - fraction;
        digits += scale;
        if scale == 0 {
            return Err(invalid(bytes, at));
        }
    }
    if let Some(b'e' | b'E') = bytes.get(at) {
        at = exponent_end(bytes, at)?;
        return Ok((Number::Float(float(text, start, at)), at));
    }
    // Any 19 digits fit; the mantissa of more may have wrapped.
    if digits > 19 {
        return Ok((long(text, start, at, negative, scale > 0), at));
    }
    let number = if scale > 0 {
        // Both exact in a float, their quotient is the nearest float (Clinger): what parsing the digits gives, sooner.
        match POWERS_OF_TEN.get(scale) {
            Some(power) if mantissa <= 1 << f64::MANTISSA_DIGITS => {
                let magnitude = mantissa as f64 / power;
                Number::Float(if negative { -magnitude } else { magnitude })
            }
            _ => Number::Float(float(text, start, at)),
        }
    } else if negative {
        match 0_i64.checked_sub_unsigned(mantissa) {
            Some(value) if value < 0 => Number::Negative(value),
            _ => Number::Float(-(mantissa as f64)),
        }
    } else {
        Number::Unsigned(mantissa)
    };
    Ok((number, at))
}

/// All powers of ten that a float holds exactly.
const POWERS_OF_TEN: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

#[inline]
fn digits(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b'0'..=b'9') = bytes.get(at) {
        at += 1;
    }
    at
}

/// The end of the exponent whose letter stands at `at`.
fn exponent_end(bytes: &[u8], at: usize) -> Result<usize, SyntaxError> {
    let first = match bytes.get(at + 1) {
        Some(b'+' | b'-') => at + 2,
        _ => at + 1,
    };
    let end = digits(bytes, first);
    if end == first { Err(invalid(bytes, end)) } else { Ok(end) }
}

/// The float nearest to a number whose grammar was checked.
#[cold]
fn float(text: &str, start: usize, end: usize) -> f64 {
    text.get(start..end).and_then(|token| token.parse().ok()).unwrap_or(f64::NAN)
}

/// A number of twenty digits and more, without exponent.
#[cold]
fn long(text: &str, start: usize, end: usize, negative: bool, fraction: bool) -> Number {
    let token = text.get(start..end).unwrap_or_default();
    match token.parse() {
        Ok(value) if !negative && !fraction => Number::Unsigned(value),
        _ => Number::Float(float(text, start, end)),
    }
}

#[cold]
fn invalid(bytes: &[u8], at: usize) -> SyntaxError {
    let kind = if at < bytes.len() { SyntaxErrorKind::InvalidNumber } else { SyntaxErrorKind::UnexpectedEnd };
    SyntaxError::new(at, kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_end_where_the_grammar_says() {
        for (text, expected) in [
            ("0", Ok(1)),
            ("0,", Ok(1)),
            ("-0", Ok(2)),
            ("10.25]", Ok(5)),
            ("1e5", Ok(3)),
            ("1E+05", Ok(5)),
            ("1.0e-10x", Ok(7)),
            ("0e0", Ok(3)),
            ("1-2", Ok(1)),
            ("1.2.3", Ok(3)),
            ("01", Err(1)),
            ("-01", Err(2)),
            ("-", Err(1)),
            ("-a", Err(1)),
            ("--1", Err(1)),
            ("1.", Err(2)),
            ("1.e1", Err(2)),
            ("1e", Err(2)),
            ("1e+", Err(3)),
            ("1e+x", Err(3)),
            ("-.5", Err(1)),
        ] {
            assert_eq!(end(text.as_bytes(), 0).map_err(|error| error.offset()), expected, "{text}");
            assert_eq!(parse(text, 0).map(|(_, end)| end).map_err(|error| error.offset()), expected, "{text}");
        }
    }

    #[test]
    fn integers_stay_integers_as_long_as_they_fit() {
        for (text, expected) in [
            ("0", Number::Unsigned(0)),
            ("-1", Number::Negative(-1)),
            ("-9223372036854775808", Number::Negative(i64::MIN)),
            ("-9223372036854775809", Number::Float(-9_223_372_036_854_775_809.0)),
            ("9999999999999999999", Number::Unsigned(9_999_999_999_999_999_999)),
            ("18446744073709551615", Number::Unsigned(u64::MAX)),
            ("18446744073709551616", Number::Float(18_446_744_073_709_551_616.0)),
            ("-18446744073709551616", Number::Float(-18_446_744_073_709_551_616.0)),
            ("100000000000000000000000", Number::Float(1e23)),
            ("1.0", Number::Float(1.0)),
            ("1e2", Number::Float(100.0)),
            ("1e400", Number::Float(f64::INFINITY)),
        ] {
            assert_eq!(parse(text, 0), Ok((expected, text.len())), "{text}");
        }
        let Ok((Number::Float(zero), 2)) = parse("-0", 0) else { panic!("-0 is a float") };
        assert!(zero == 0.0 && zero.is_sign_negative());
    }

    #[test]
    fn floats_are_the_nearest_to_their_digits() {
        for text in [
            "0.1",
            "-0.1",
            "28011.25",
            "0.3",
            "149848.64",
            "9007199254740992.5",
            "9007199254740993.0",
            "0.0000000000000000000001",
            "0.00000000000000000000001",
            "123456789.123456789",
            "1234567890123456789.5",
            "12345678901234567890.5",
            "1.7976931348623157e308",
            "4.9e-324",
            "2.2250738585072011e-308",
            "0.000",
            "-0.0",
            "123456789012345678901234567890.1",
        ] {
            let Ok((Number::Float(value), _)) = parse(text, 0) else { panic!("{text} is a float") };
            let expected: f64 = text.parse().unwrap();
            assert_eq!(value.to_bits(), expected.to_bits(), "{text}");
        }
    }
}
