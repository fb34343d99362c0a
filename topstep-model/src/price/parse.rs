//! From the text of a JSON number to a decimal, without rounding.

use rust_decimal::Decimal;

use super::{Kind, Price, Sign};

/// The most digits, and the most places.
const MAX: i64 = 28;

/// Reads what nearly every number is: a sign, a point, up to 18 digits. `None` means: ask [`any`].
#[inline(always)]
pub(super) fn plain(text: &str) -> Option<Price> {
    let (sign, digits) = match text.as_bytes() {
        [b'-', digits @ ..] => (Sign::Negative, digits),
        digits => (Sign::Positive, digits),
    };
    // 19 digits fit a u64, so nothing below can overflow.
    if digits.len() > 19 {
        return None;
    }
    let mut mantissa = 0_u64;
    let mut rest = digits;
    while let [digit @ b'0'..=b'9', after @ ..] = rest {
        mantissa = mantissa * 10 + u64::from(digit - b'0');
        rest = after;
    }
    let whole = digits.len() - rest.len();
    if whole == 0 || (whole > 1 && digits.first() == Some(&b'0')) {
        return None;
    }
    let mut places = 0_u8;
    if let [b'.', fraction @ ..] = rest {
        rest = fraction;
        while let [digit @ b'0'..=b'9', after @ ..] = rest {
            mantissa = mantissa * 10 + u64::from(digit - b'0');
            places += 1;
            rest = after;
        }
        if places == 0 {
            return None;
        }
    }
    if !rest.is_empty() {
        return None;
    }
    Some(Price { low: mantissa as u32, middle: (mantissa >> 32) as u32, high: 0, places, sign })
}

/// Reads every number of JSON's grammar (RFC 8259, Numbers) that has at most 28 digits and 28 places.
#[cold]
pub(super) fn any(text: &str) -> Result<Decimal, Kind> {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(unsigned) => (true, unsigned),
        None => (false, text),
    };
    let (significand, exponent) = match unsigned.find(['e', 'E']) {
        Some(position) => {
            let (significand, exponent) = unsigned.split_at(position);
            (significand, parse_exponent(exponent.get(1..).unwrap_or_default())?)
        }
        None => (unsigned, 0),
    };
    let (whole, fraction) = match significand.split_once('.') {
        Some((whole, fraction)) if is_digits(fraction) => (whole, fraction),
        Some(_) => return Err(Kind::NotANumber),
        None => (significand, ""),
    };
    if !is_digits(whole) || (whole.len() > 1 && whole.starts_with('0')) {
        return Err(Kind::NotANumber);
    }

    let mut mantissa = 0_i128;
    let mut count = 0_i64;
    for digit in whole.bytes().chain(fraction.bytes()) {
        if count == 0 && digit == b'0' {
            continue;
        }
        count += 1;
        if count > MAX {
            break;
        }
        mantissa = mantissa * 10 + i128::from(digit - b'0');
    }
    let places = i64::try_from(fraction.len()).unwrap_or(i64::MAX).saturating_sub(exponent);
    if places > MAX {
        return Err(Kind::Places);
    }
    if count > MAX {
        return Err(Kind::Digits);
    }
    // An exponent that is left over appends zeros; zero itself needs none.
    let zeros = if count == 0 { 0 } else { places.min(0).saturating_neg() };
    if count.saturating_add(zeros) > MAX {
        return Err(Kind::Digits);
    }
    let zeros = u32::try_from(zeros).map_err(|_| Kind::Digits)?;
    let scale = u32::try_from(places.max(0)).map_err(|_| Kind::Places)?;
    let mantissa = mantissa * 10_i128.pow(zeros);
    Decimal::try_from_i128_with_scale(if negative { -mantissa } else { mantissa }, scale).map_err(|_| Kind::Digits)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Reads an exponent; one beyond any use saturates, and is refused later unless the number is zero.
fn parse_exponent(text: &str) -> Result<i64, Kind> {
    let (negative, digits) = match text.as_bytes() {
        [b'-', ..] => (true, text.get(1..).unwrap_or_default()),
        [b'+', ..] => (false, text.get(1..).unwrap_or_default()),
        _ => (false, text),
    };
    if !is_digits(digits) {
        return Err(Kind::NotANumber);
    }
    let value =
        digits.bytes().fold(0_i64, |value, digit| value.saturating_mul(10).saturating_add(i64::from(digit - b'0')));
    Ok(if negative { -value } else { value })
}
