//! How a number or a time is read from its own text by every serde format.
//!
//! serde's data model hands a JSON number over as `u64`, `i64` or `f64`, and the last of them has lost digits. JSON
//! deserializers therefore have a side door: who asks for the newtype struct [`RAW_VALUE`] gets a map with one entry,
//! whose value is the text of the JSON value as it stands on the wire. This module asks at that door and accepts every
//! other answer as well, so that a reader which does not know it (another format, or serde's own buffer behind
//! `flatten` and `untagged`) still works, as exactly as what it hands over.

mod member;
mod plain;
mod whole;

use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, Unexpected, Visitor};

pub(crate) use member::{Fault, FillMember, OnFault, Strict};
pub(crate) use whole::{near_whole, not_whole, usual_whole, whole};

/// The newtype that means "the raw text, please": `serde_json::value::RawValue`.
pub(crate) const RAW_VALUE: &str = "$serde_json::private::RawValue";

/// The only key of the map that stands for a number under `serde_json/arbitrary_precision`.
pub(crate) const NUMBER: &str = "$serde_json::private::Number";

/// A value with a text form of its own.
pub(crate) trait Scalar: Sized {
    type Error: fmt::Display;

    /// What is expected, for error messages.
    const EXPECTED: &'static str;

    /// Whether the text may stand in JSON without quotes.
    const MAY_STAND_BARE: bool;

    /// Whether the text may stand in JSON within quotes.
    const MAY_STAND_QUOTED: bool = true;

    /// Whether no error may repeat the text.
    const IS_SECRET: bool = false;

    /// Reads a JSON value without quotes that has the usual form; `None` says nothing yet.
    ///
    /// This one and the next are apart from [`Scalar::from_text`] for speed: a `Result` with an error that owns something is
    /// built in memory, and a decimal that goes through memory in pieces takes as long as its digits.
    fn from_usual_bare(json: &str) -> Option<Self>;

    /// Reads what usually stands between the quotes of a JSON string, its escapes still in it; `None` says nothing yet.
    fn from_usual_quoted(content: &str) -> Option<Self>;

    fn from_text(text: &str) -> Result<Self, Self::Error>;

    /// Reads `true` or `false`, where the format has them apart from text.
    fn from_bool(_: bool) -> Option<Self> {
        None
    }

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
fn from_any_json<S: Scalar>(json: &str) -> Result<S, S::Error> {
    let Some(quoted) = json.strip_prefix('"') else {
        return if S::MAY_STAND_BARE { S::from_text(json) } else { Err(S::wrong_kind(json)) };
    };
    if !S::MAY_STAND_QUOTED {
        return Err(S::wrong_kind(json));
    }
    match quoted.strip_suffix('"') {
        Some(content) if !content.contains('\\') => S::from_text(content),
        _ => from_escaped(json),
    }
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
        if !S::MAY_STAND_QUOTED {
            return Err(E::invalid_type(Unexpected::Str(text), &self));
        }
        *self.0 = Some(S::from_text(text).map_err(E::custom)?);
        Ok(())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        *self.0 = Some(S::from_bool(value).ok_or_else(|| E::invalid_type(Unexpected::Bool(value), &S::EXPECTED))?);
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
        *self.0 = Some(S::from_text(&value.to_string()).map_err(E::custom)?);
        Ok(())
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
        if self.0.is_none() {
            *self.0 = Some(from_any_json(json).map_err(E::custom)?);
        }
        Ok(())
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
}
