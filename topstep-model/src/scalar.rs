//! How a number or a time is read from its own text by every serde format.
//!
//! serde's data model hands a JSON number over as `u64`, `i64` or `f64`, and the last of them has lost digits. JSON
//! deserializers therefore have a side door: who asks for the newtype struct [`RAW_VALUE`] gets a map with one entry,
//! whose value is the text of the JSON value as it stands on the wire. This module asks at that door and accepts every
//! other answer as well, so that a reader which does not know it (another format, or serde's own buffer behind
//! `flatten` and `untagged`) still works, as exactly as what it hands over.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Unexpected, Visitor};

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

    /// Reads a text of the usual form; `None` says nothing yet.
    ///
    /// It is apart from [`Scalar::from_text`] for speed: a `Result` with an error that owns something is built in memory,
    /// and a decimal that goes through memory in pieces takes as long as its digits.
    fn from_usual_text(text: &str) -> Option<Self>;

    fn from_text(text: &str) -> Result<Self, Self::Error>;

    /// Says that a JSON value of another kind stands here.
    fn wrong_kind(json: &str) -> Self::Error;
}

/// Reads a scalar from any deserializer.
#[inline]
pub(crate) fn deserialize<'de, S: Scalar, D: Deserializer<'de>>(deserializer: D) -> Result<S, D::Error> {
    deserializer.deserialize_newtype_struct(RAW_VALUE, ScalarVisitor(PhantomData))
}

/// Reads a scalar of the usual form from the text of one valid JSON value; `None` says nothing yet.
#[inline(always)]
fn from_usual_json<S: Scalar>(json: &str) -> Option<S> {
    let Some(quoted) = json.strip_prefix('"') else {
        return if S::MAY_STAND_BARE { S::from_usual_text(json) } else { None };
    };
    let content = quoted.strip_suffix('"')?;
    // A number has no reason to be escaped; .NET's default encoder writes the `+` of a time's offset as `\u002B`.
    if S::MAY_STAND_BARE || !content.contains('\\') {
        return S::from_usual_text(content);
    }
    S::from_usual_text(unescape_ascii(content, &mut [0; 64])?)
}

/// Reads every other scalar.
///
/// The value comes in a box for the sake of [`from_usual_json`]: two ways that meet in memory would both go through it.
#[cold]
#[inline(never)]
fn from_any_json<S: Scalar, E: Error>(json: &str) -> Result<Box<S>, E> {
    let read = || {
        let Some(quoted) = json.strip_prefix('"') else {
            return if S::MAY_STAND_BARE { S::from_text(json) } else { Err(S::wrong_kind(json)) };
        };
        match quoted.strip_suffix('"') {
            Some(content) if !content.contains('\\') => S::from_text(content),
            _ => from_escaped(json),
        }
    };
    read().map(Box::new).map_err(E::custom)
}

/// Undoes `\u00XX`, into a buffer.
fn unescape_ascii<'b>(content: &str, buffer: &'b mut [u8; 64]) -> Option<&'b str> {
    let mut length = 0;
    let mut rest = content;
    while let Some((plain, escape)) = rest.split_once('\\') {
        let code = escape.strip_prefix("u00")?.get(..2)?;
        rest = escape.get(5..)?;
        let end = length + plain.len();
        buffer.get_mut(length..end)?.copy_from_slice(plain.as_bytes());
        *buffer.get_mut(end)? = u8::from_str_radix(code, 16).ok().filter(u8::is_ascii)?;
        length = end + 1;
    }
    let end = length + rest.len();
    buffer.get_mut(length..end)?.copy_from_slice(rest.as_bytes());
    std::str::from_utf8(buffer.get(..end)?).ok()
}

fn from_escaped<S: Scalar>(json: &str) -> Result<S, S::Error> {
    let plain: String = serde_json::from_str(json).map_err(|_| S::wrong_kind(json))?;
    S::from_text(&plain)
}

struct ScalarVisitor<S>(PhantomData<S>);

impl<'de, S: Scalar> Visitor<'de> for ScalarVisitor<S> {
    type Value = S;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(S::EXPECTED)
    }

    #[inline]
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<S, A::Error> {
        match map.next_key::<Key>()? {
            Some(Key::RawValue) => map.next_value::<RawText<S>>().map(|raw| raw.0),
            Some(Key::Number) if S::MAY_STAND_BARE => map.next_value::<RawText<S>>().map(|raw| raw.0),
            _ => Err(A::Error::invalid_type(Unexpected::Map, &self)),
        }
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<S, D::Error> {
        // A format that does not describe itself can be asked for text only.
        if deserializer.is_human_readable() {
            deserializer.deserialize_any(self)
        } else {
            deserializer.deserialize_str(self)
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<S, E> {
        S::from_text(text).map_err(E::custom)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<S, E> {
        self.visit_number(Unexpected::Unsigned(value), value)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<S, E> {
        self.visit_number(Unexpected::Signed(value), value)
    }

    fn visit_u128<E: Error>(self, value: u128) -> Result<S, E> {
        self.visit_number(Unexpected::Other("integer"), value)
    }

    fn visit_i128<E: Error>(self, value: i128) -> Result<S, E> {
        self.visit_number(Unexpected::Other("integer"), value)
    }

    fn visit_f32<E: Error>(self, value: f32) -> Result<S, E> {
        self.visit_number(Unexpected::Float(value.into()), format_args!("{value:e}"))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<S, E> {
        // The shortest digits that mean this float: the wire's own digits, up to fifteen of them.
        self.visit_number(Unexpected::Float(value), format_args!("{value:e}"))
    }
}

impl<S: Scalar> ScalarVisitor<S> {
    fn visit_number<E: Error>(self, unexpected: Unexpected<'_>, value: impl fmt::Display) -> Result<S, E> {
        if !S::MAY_STAND_BARE {
            return Err(E::invalid_type(unexpected, &S::EXPECTED));
        }
        S::from_text(&value.to_string()).map_err(E::custom)
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

/// A scalar whose JSON text comes as a string of the data model.
struct RawText<S>(S);

impl<'de, S: Scalar> Deserialize<'de> for RawText<S> {
    #[inline]
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct RawTextVisitor<S>(PhantomData<S>);

        impl<S: Scalar> Visitor<'_> for RawTextVisitor<S> {
            type Value = RawText<S>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the text of a raw value")
            }

            #[inline]
            fn visit_str<E: Error>(self, json: &str) -> Result<RawText<S>, E> {
                match from_usual_json(json) {
                    Some(scalar) => Ok(RawText(scalar)),
                    None => from_any_json(json).map(|scalar| RawText(*scalar)),
                }
            }
        }

        deserializer.deserialize_str(RawTextVisitor(PhantomData))
    }
}

/// A whole number that may stand in quotes, or be written as `5.0` or `5E3`.
pub(crate) struct Whole(pub(crate) i64);

impl Scalar for Whole {
    type Error = Cow<'static, str>;

    const EXPECTED: &'static str = "a whole number";
    const MAY_STAND_BARE: bool = true;

    #[inline(always)]
    fn from_usual_text(text: &str) -> Option<Self> {
        let decimal = crate::Price::from_usual_text(text)?.decimal();
        if decimal.scale() == 0 { i64::try_from(decimal.mantissa()).ok().map(Self) } else { None }
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
