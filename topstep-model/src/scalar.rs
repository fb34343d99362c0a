//! How a number or a time is read from its own text by every serde format.
//!
//! serde's data model hands a JSON number over as `u64`, `i64` or `f64`, and the last of them has lost digits. JSON
//! deserializers therefore have a side door: who asks for the newtype struct [`RAW_VALUE`] gets a map with one entry,
//! whose value is the text of the JSON value as it stands on the wire. This module asks at that door and accepts every
//! other answer as well, so that a reader which does not know it (another format, or serde's own buffer behind
//! `flatten` and `untagged`) still works, as exactly as what it hands over.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, Unexpected, Visitor};

/// The newtype that means "the raw text, please": `serde_json::value::RawValue`.
pub(crate) const RAW_VALUE: &str = "$serde_json::private::RawValue";

/// The only key of the map that stands for a number under `serde_json/arbitrary_precision`.
const NUMBER: &str = "$serde_json::private::Number";

/// A value with a text form of its own.
pub(crate) trait Scalar: Sized {
    type Error: fmt::Display;

    /// What is expected, for error messages.
    const EXPECTED: &'static str;

    /// Whether the text may stand in JSON without quotes.
    const MAY_STAND_BARE: bool;

    /// Reads a JSON value without quotes that has the usual form; `None` says nothing yet.
    ///
    /// This one and the next are apart from [`Scalar::from_text`] for speed: a `Result` with an error that owns something is
    /// built in memory, and a decimal that goes through memory in pieces takes as long as its digits.
    fn from_usual_bare(json: &str) -> Option<Self>;

    /// Reads what usually stands between the quotes of a JSON string, its escapes still in it; `None` says nothing yet.
    fn from_usual_quoted(content: &str) -> Option<Self>;

    fn from_text(text: &str) -> Result<Self, Self::Error>;

    /// Says that a JSON value of another kind stands here.
    fn wrong_kind(json: &str) -> Self::Error;
}

/// Reads a scalar from any deserializer.
#[inline]
pub(crate) fn deserialize<'de, S: Scalar, D: Deserializer<'de>>(deserializer: D) -> Result<S, D::Error> {
    let mut place = None;
    Fill(&mut place).deserialize(deserializer)?;
    place.ok_or_else(|| D::Error::custom("a format that gives no value"))
}

/// Reads a scalar, or `null`, into its place.
///
/// A scalar in a `Result` in an `Option` is moved on from memory in other pieces than it was written in, and the processor
/// waits for each; put where it belongs, it costs a fraction.
pub(crate) struct FillOption<'p, S>(pub(crate) &'p mut Option<S>);

impl<'de, S: Scalar> DeserializeSeed<'de> for FillOption<'_, S> {
    type Value = ();

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de, S: Scalar> Visitor<'de> for FillOption<'_, S> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(S::EXPECTED)
    }

    #[inline]
    fn visit_none<E: Error>(self) -> Result<(), E> {
        *self.0 = None;
        Ok(())
    }

    #[inline]
    fn visit_unit<E: Error>(self) -> Result<(), E> {
        *self.0 = None;
        Ok(())
    }

    #[inline]
    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        Fill(self.0).deserialize(deserializer)
    }
}

/// Reads a scalar into its place.
struct Fill<'p, S>(&'p mut Option<S>);

impl<'de, S: Scalar> DeserializeSeed<'de> for Fill<'_, S> {
    type Value = ();

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_newtype_struct(RAW_VALUE, self)
    }
}

/// Reads a scalar of the usual form from the text of one valid JSON value; `None` says nothing yet.
#[inline(always)]
fn from_usual_json<S: Scalar>(json: &str) -> Option<S> {
    match json.strip_prefix('"') {
        Some(quoted) => S::from_usual_quoted(quoted.strip_suffix('"')?),
        None => S::from_usual_bare(json),
    }
}

/// Reads every other scalar.
#[cold]
#[inline(never)]
fn from_any_json<S: Scalar, E: Error>(place: &mut Option<S>, json: &str) -> Result<(), E> {
    let read = || {
        let Some(quoted) = json.strip_prefix('"') else {
            return if S::MAY_STAND_BARE { S::from_text(json) } else { Err(S::wrong_kind(json)) };
        };
        match quoted.strip_suffix('"') {
            Some(content) if !content.contains('\\') => S::from_text(content),
            _ => from_escaped(json),
        }
    };
    *place = Some(read().map_err(E::custom)?);
    Ok(())
}

fn from_escaped<S: Scalar>(json: &str) -> Result<S, S::Error> {
    let plain: String = serde_json::from_str(json).map_err(|_| S::wrong_kind(json))?;
    S::from_text(&plain)
}

impl<'de, S: Scalar> Visitor<'de> for Fill<'_, S> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(S::EXPECTED)
    }

    #[inline]
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        match map.next_key()? {
            Some(Key::RawValue) => map.next_value_seed(RawText(self.0)),
            Some(Key::Number) if S::MAY_STAND_BARE => map.next_value_seed(RawText(self.0)),
            _ => Err(A::Error::invalid_type(Unexpected::Map, &self)),
        }
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        // A format that does not describe itself can be asked for text only.
        if deserializer.is_human_readable() {
            deserializer.deserialize_any(self)
        } else {
            deserializer.deserialize_str(self)
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        *self.0 = Some(S::from_text(text).map_err(E::custom)?);
        Ok(())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.number(Unexpected::Unsigned(value), value)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.number(Unexpected::Signed(value), value)
    }

    fn visit_u128<E: Error>(self, value: u128) -> Result<(), E> {
        self.number(Unexpected::Other("integer"), value)
    }

    fn visit_i128<E: Error>(self, value: i128) -> Result<(), E> {
        self.number(Unexpected::Other("integer"), value)
    }

    fn visit_f32<E: Error>(self, value: f32) -> Result<(), E> {
        self.number(Unexpected::Float(value.into()), format_args!("{value:e}"))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        // The shortest digits that mean this float: the wire's own digits, up to fifteen of them.
        self.number(Unexpected::Float(value), format_args!("{value:e}"))
    }
}

impl<S: Scalar> Fill<'_, S> {
    fn number<E: Error>(self, unexpected: Unexpected<'_>, value: impl fmt::Display) -> Result<(), E> {
        if !S::MAY_STAND_BARE {
            return Err(E::invalid_type(unexpected, &S::EXPECTED));
        }
        self.visit_str(&value.to_string())
    }
}

enum Key {
    RawValue,
    Number,
    Other,
}

impl<'de> Deserialize<'de> for Key {
    #[inline]
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;

        impl Visitor<'_> for KeyVisitor {
            type Value = Key;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the key of a raw value")
            }

            #[inline]
            fn visit_str<E: Error>(self, key: &str) -> Result<Key, E> {
                Ok(match key {
                    RAW_VALUE => Key::RawValue,
                    NUMBER => Key::Number,
                    _ => Key::Other,
                })
            }
        }

        deserializer.deserialize_identifier(KeyVisitor)
    }
}

/// Reads a scalar whose JSON text comes as a string of the data model into its place.
struct RawText<'p, S>(&'p mut Option<S>);

impl<'de, S: Scalar> DeserializeSeed<'de> for RawText<'_, S> {
    type Value = ();

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<S: Scalar> Visitor<'_> for RawText<'_, S> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the text of a raw value")
    }

    #[inline]
    fn visit_str<E: Error>(self, json: &str) -> Result<(), E> {
        *self.0 = from_usual_json(json);
        if self.0.is_some() { Ok(()) } else { from_any_json(self.0, json) }
    }
}

/// A whole number that may stand in quotes, or be written as `5.0` or `5E3`.
pub(crate) struct Whole(pub(crate) i64);

impl Scalar for Whole {
    type Error = Cow<'static, str>;

    const EXPECTED: &'static str = "a whole number";
    const MAY_STAND_BARE: bool = true;

    #[inline(always)]
    fn from_usual_bare(json: &str) -> Option<Self> {
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
        Some(Self(value))
    }

    #[inline(always)]
    fn from_usual_quoted(_: &str) -> Option<Self> {
        None
    }

    fn from_text(text: &str) -> Result<Self, Self::Error> {
        let price = crate::Price::from_text(text).map_err(|error| Cow::from(error.to_string()))?;
        price.to_i64().map(Self).ok_or_else(|| Cow::from(format!("{price} is not a whole number of 64 bits")))
    }

    fn wrong_kind(json: &str) -> Self::Error {
        crate::PriceError::not_a_number(json).to_string().into()
    }
}

impl<'de> Deserialize<'de> for Whole {
    #[inline]
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize(deserializer)
    }
}

#[cfg(test)]
mod tests {
    use serde::de::value;
    use serde::forward_to_deserialize_any;
    use serde_json::value::RawValue;

    use super::*;

    /// Answers every request with the name of the newtype that was asked for.
    struct Probe;

    impl<'de> Deserializer<'de> for Probe {
        type Error = value::Error;

        fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, value::Error> {
            Err(value::Error::custom("no newtype"))
        }

        fn deserialize_newtype_struct<V: Visitor<'de>>(
            self,
            name: &'static str,
            _: V,
        ) -> Result<V::Value, value::Error> {
            Err(value::Error::custom(name))
        }

        forward_to_deserialize_any! {
            bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
            unit_struct seq tuple tuple_struct map struct enum identifier ignored_any
        }
    }

    #[test]
    fn the_side_door_is_where_serde_json_has_it() {
        let asked = <&RawValue>::deserialize(Probe).unwrap_err();
        assert_eq!(asked.to_string(), RAW_VALUE);
    }

    #[test]
    fn a_whole_number_is_tolerant_of_its_form_only() {
        let read = |json: &str| serde_json::from_str::<Whole>(json).ok().map(|whole| whole.0);
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
            ("\"\"", None),
            ("\"twelve\"", None),
            ("true", None),
            ("[1]", None),
        ] {
            assert_eq!(read(json), expected, "{json}");
        }
    }
}
