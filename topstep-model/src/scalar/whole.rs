//! Whole numbers, tolerant of their form only.

use std::borrow::Cow;

use rust_decimal::Decimal;

use crate::Price;
use crate::excerpt::Excerpt;

use super::Scalar;

/// Reads up to 18 digits; `None` says nothing yet.
#[inline(always)]
pub(crate) fn usual_whole(json: &str) -> Option<i64> {
    let digits = json.as_bytes();
    // 18 digits fit an i64. One that JSON would not let stand first has been refused by whoever read the JSON.
    if digits.is_empty() || digits.len() > 18 || digits.first() == Some(&b'0') && digits.len() > 1 {
        return None;
    }
    let mut value = 0;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        value = value * 10 + i64::from(digit - b'0');
    }
    Some(value)
}

/// Reads a whole number that may be written as `5.0` or `5E3`.
pub(crate) fn whole(text: &str) -> Result<i64, Cow<'static, str>> {
    let price = read(text)?;
    price.to_i64().ok_or_else(|| Cow::from(format!("{price} is not a whole number of 64 bits")))
}

/// The same, but for an identifier that went through somebody's floating-point number: what is off by no more than a
/// millionth was whole.
pub(crate) fn near_whole(text: &str) -> Result<i64, Cow<'static, str>> {
    let price = read(text)?;
    let nearest = price.decimal().round();
    let is_noise = (price.decimal() - nearest).abs() <= Decimal::new(1, 6);
    let nearest = if is_noise { Price::try_from(nearest).ok().and_then(Price::to_i64) } else { None };
    nearest.ok_or_else(|| Cow::from(format!("{price} is not a whole number of 64 bits")))
}

fn read(text: &str) -> Result<Price, Cow<'static, str>> {
    Price::from_text(text).map_err(|error| if error.is_too_long() { error.to_string().into() } else { not_whole(text) })
}

/// Says that something else than a whole number stands here.
pub(crate) fn not_whole(text: &str) -> Cow<'static, str> {
    format!("{} is not a whole number", Excerpt::new(text)).into()
}

macro_rules! whole_scalar {
    ($($type:ty, $bits:literal;)*) => {$(
        impl Scalar for $type {
            type Error = Cow<'static, str>;

            const EXPECTED: &'static str = "a whole number";
            const MAY_STAND_BARE: bool = true;

            #[inline(always)]
            fn from_usual_bare(json: &str) -> Option<Self> {
                usual_whole(json).and_then(|whole| Self::try_from(whole).ok())
            }

            #[inline(always)]
            fn from_usual_quoted(_: &str) -> Option<Self> {
                None
            }

            fn from_text(text: &str) -> Result<Self, Self::Error> {
                let whole = whole(text)?;
                Self::try_from(whole)
                    .map_err(|_| Cow::from(format!("{whole} is not a whole number of {} bits", $bits)))
            }

            fn wrong_kind(json: &str) -> Self::Error {
                not_whole(json)
            }
        }
    )*};
}

whole_scalar! {
    i32, 32;
    i64, 64;
}

#[cfg(test)]
mod tests {
    use super::super::deserialize;
    use super::*;

    fn read<S: Scalar>(json: &str) -> Option<S> {
        deserialize(&mut serde_json::Deserializer::from_str(json)).ok()
    }

    #[test]
    fn a_whole_number_is_tolerant_of_its_form_only() {
        for (json, expected) in [
            ("306373", Some(306_373)),
            ("\"12000\"", Some(12_000)),
            ("12000.0", Some(12_000)),
            ("1.2E4", Some(12_000)),
            ("-1", Some(-1)),
            ("9223372036854775807", Some(i64::MAX)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("9223372036854775808", None),
            ("1.5", None),
            ("1.0000001", None),
            ("\"\"", None),
            ("\"twelve\"", None),
            ("true", None),
            ("[1]", None),
        ] {
            assert_eq!(read::<i64>(json), expected, "{json}");
        }
    }

    #[test]
    fn a_small_one_is_not_wrapped() {
        for (json, expected) in [
            ("2147483647", Some(i32::MAX)),
            ("\"-2147483648\"", Some(i32::MIN)),
            ("2147483648", None),
            ("-2147483649", None),
            ("2934939764", None),
        ] {
            assert_eq!(read::<i32>(json), expected, "{json}");
        }
    }

    #[test]
    fn an_identifier_may_have_been_a_float() {
        for (text, expected) in [
            ("2934939764.0", Some(2_934_939_764)),
            ("2934939764.0000005", Some(2_934_939_764)),
            ("2934939763.9999995", Some(2_934_939_764)),
            ("2.934939764E9", Some(2_934_939_764)),
            ("-0.0000001", Some(0)),
            ("2934939764.5", None),
            ("2934939764.00001", None),
            ("9223372036854775807.0000001", Some(i64::MAX)),
            ("9223372036854775807.9999999", None),
        ] {
            assert_eq!(near_whole(text).ok(), expected, "{text}");
        }
    }
}
