//! Exact decimals.

mod parse;

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, SerializeStruct, Serializer};

use crate::excerpt::Excerpt;
use crate::scalar::{self, RAW_VALUE, Scalar};

/// A decimal number exactly as the wire has it: a price, a balance, a percentage.
///
/// It has at most 28 significant digits and at most 28 places behind the point, which is more than .NET's `double` ever
/// prints and all but the last digit of .NET's `decimal`. What has more is an error and is never rounded. The places are
/// kept: `5023.50` prints as `5023.50`, and equals `5023.5`.
///
/// Text is read by JSON's grammar, exponents included (.NET writes `1E-07`), and printed in plain notation.
///
/// # Serde
///
/// Reading is exact with `serde_json::from_str`, `from_slice` and `from_reader`, and with every deserializer that hands
/// out raw text as `serde_json` does. A number in quotes is a number. What has already become an `f64` before it comes
/// here (a `serde_json::Value`, a field behind `flatten` or in an `untagged` enum) is taken by its shortest digits. No
/// feature of `serde_json` needs to be on, and `arbitrary_precision` does no harm.
///
/// Writing gives a JSON number with exactly these digits with `serde_json`; a binary format gets text.
///
/// ```
/// # use topstep_model::Price;
/// let price: Price = "5023.50".parse()?;
/// assert_eq!(price, Price::new(50235, 1)?);
/// assert_eq!("5E-07".parse::<Price>()?.to_string(), "0.0000005");
/// # Ok::<(), topstep_model::PriceError>(())
/// ```
// The parts of a `Decimal`, for an `Option<Price>` of 16 bytes in place of 20: a quote holds eight of them and is moved often.
#[derive(Clone, Copy)]
pub struct Price {
    /// The mantissa, 32 bits each.
    low: u32,
    middle: u32,
    high: u32,
    places: u8,
    sign: Sign,
}

/// An enum and no `bool`, since it says more; either leaves room for `None`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sign {
    Positive,
    Negative,
}

impl Price {
    /// Zero, without places.
    pub const ZERO: Self = Self { low: 0, middle: 0, high: 0, places: 0, sign: Sign::Positive };

    /// The most places behind the point, and the most significant digits.
    pub const MAX_DIGITS: u32 = 28;

    /// Makes the number `mantissa / 10^places`.
    ///
    /// # Errors
    ///
    /// More than 28 places.
    pub fn new(mantissa: i64, places: u32) -> Result<Self, PriceError> {
        Decimal::try_new(mantissa, places)
            .map(Self::from_decimal)
            .map_err(|_| PriceError::new(Kind::Places, &format!("{mantissa}E-{places}")))
    }

    /// Returns the number for arithmetic.
    #[inline]
    pub const fn decimal(self) -> Decimal {
        let is_negative = matches!(self.sign, Sign::Negative);
        Decimal::from_parts(self.low, self.middle, self.high, is_negative, self.places as u32)
    }

    /// Returns how many places behind the point the number was written with.
    pub const fn places(self) -> u32 {
        self.places as u32
    }

    #[inline]
    fn from_decimal(decimal: Decimal) -> Self {
        let parts = decimal.unpack();
        let sign = if parts.negative { Sign::Negative } else { Sign::Positive };
        Self { low: parts.lo, middle: parts.mid, high: parts.hi, places: parts.scale as u8, sign }
    }

    /// Returns the number if it is whole and fits.
    #[inline]
    pub(crate) fn to_i64(self) -> Option<i64> {
        let mantissa = self.decimal().mantissa();
        if self.places == 0 {
            return i64::try_from(mantissa).ok();
        }
        let divisor = 10_i128.pow(self.places());
        if mantissa % divisor == 0 { i64::try_from(mantissa / divisor).ok() } else { None }
    }
}

impl Default for Price {
    fn default() -> Self {
        Self::ZERO
    }
}

impl PartialEq for Price {
    fn eq(&self, other: &Self) -> bool {
        self.decimal() == other.decimal()
    }
}

impl Eq for Price {}

impl PartialOrd for Price {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Price {
    fn cmp(&self, other: &Self) -> Ordering {
        self.decimal().cmp(&other.decimal())
    }
}

impl Hash for Price {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.decimal().hash(state);
    }
}

impl From<Price> for Decimal {
    fn from(price: Price) -> Self {
        price.decimal()
    }
}

impl TryFrom<Decimal> for Price {
    type Error = PriceError;

    /// Takes a decimal of at most 28 significant digits (a [`Decimal`] can have 29).
    fn try_from(decimal: Decimal) -> Result<Self, PriceError> {
        if decimal.mantissa().unsigned_abs() < 10_u128.pow(Self::MAX_DIGITS) {
            Ok(Self::from_decimal(decimal))
        } else {
            Err(PriceError::new(Kind::Digits, decimal.array_string().as_ref()))
        }
    }
}

impl From<i64> for Price {
    fn from(value: i64) -> Self {
        Self::from_decimal(Decimal::from(value))
    }
}

impl From<i32> for Price {
    fn from(value: i32) -> Self {
        Self::from_decimal(Decimal::from(value))
    }
}

impl FromStr for Price {
    type Err = PriceError;

    #[inline]
    fn from_str(text: &str) -> Result<Self, PriceError> {
        Self::from_text(text)
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.decimal(), f)
    }
}

impl fmt::Debug for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Price({})", self.decimal())
    }
}

impl Scalar for Price {
    type Error = PriceError;

    const EXPECTED: &'static str = "a decimal number";
    const MAY_STAND_BARE: bool = true;

    #[inline(always)]
    fn from_usual_bare(json: &str) -> Option<Self> {
        parse::plain(json)
    }

    // A number has no reason to be escaped.
    #[inline(always)]
    fn from_usual_quoted(content: &str) -> Option<Self> {
        parse::plain(content)
    }

    #[inline]
    fn from_text(text: &str) -> Result<Self, PriceError> {
        match parse::plain(text) {
            Some(price) => Ok(price),
            None => parse::any(text).map(Self::from_decimal).map_err(|kind| PriceError::new(kind, text)),
        }
    }

    fn wrong_kind(json: &str) -> PriceError {
        PriceError::not_a_number(json)
    }
}

impl<'de> Deserialize<'de> for Price {
    #[inline]
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        scalar::deserialize(deserializer)
    }
}

impl Serialize for Price {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let digits = self.decimal().array_string();
        if !serializer.is_human_readable() {
            return serializer.serialize_str(digits.as_ref());
        }
        // What `serde_json::value::RawValue` says of itself, without its allocation.
        let mut raw = serializer.serialize_struct(RAW_VALUE, 1)?;
        raw.serialize_field(RAW_VALUE, digits.as_ref())?;
        raw.end()
    }
}

/// Says why a text is no [`Price`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text} {kind}")]
pub struct PriceError {
    kind: Kind,
    text: Excerpt,
}

impl PriceError {
    /// Returns the text that was refused, or its first 64 characters.
    pub fn text(&self) -> &str {
        self.text.as_str()
    }

    /// Whether the text is a number, only with more digits or places than a [`Price`] keeps.
    pub fn is_too_long(&self) -> bool {
        self.kind != Kind::NotANumber
    }

    pub(crate) fn not_a_number(text: &str) -> Self {
        Self::new(Kind::NotANumber, text)
    }

    #[cold]
    fn new(kind: Kind, text: &str) -> Self {
        Self { kind, text: Excerpt::new(text) }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    NotANumber,
    Places,
    Digits,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotANumber => "is not a decimal number",
            Self::Places => "has more than 28 places behind the point",
            Self::Digits => "has more than 28 significant digits",
        })
    }
}
