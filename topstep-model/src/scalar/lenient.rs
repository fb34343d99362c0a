//! How a member of a row is read: what does not fit is noted, and the row goes on.
//!
//! serde ends a whole value at the first error, and with it every row beside the one that is bad. So a member never is an
//! error: it is read to its end, whatever it is, and what was wrong with it is a note for the row.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{Key, RAW_VALUE, Scalar, from_any_json, from_usual_json};
use crate::excerpt::Excerpt;

/// What is wrong with a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) expected: &'static str,
    pub(crate) reason: Box<str>,
    pub(crate) excerpt: Option<Excerpt>,
}

impl Fault {
    #[cold]
    pub(crate) fn new(expected: &'static str, reason: impl Into<Box<str>>, text: &str) -> Self {
        Self { expected, reason: reason.into(), excerpt: Some(Excerpt::new(text)) }
    }

    /// Something is not there.
    #[cold]
    pub(crate) fn missing(expected: &'static str, reason: impl Into<Box<str>>) -> Self {
        Self { expected, reason: reason.into(), excerpt: None }
    }

    #[cold]
    fn of<S: Scalar>(error: impl fmt::Display, text: &str) -> Self {
        let excerpt = if S::IS_SECRET { None } else { Some(Excerpt::new(text)) };
        Self { expected: S::EXPECTED, reason: error.to_string().into(), excerpt }
    }
}

/// Reads a scalar or `null` into its place, or notes why it is none; `place` is then `None`.
///
/// A scalar in a `Result` in an `Option` is moved on from memory in other pieces than it was written in, and the processor
/// waits for each; put where it belongs, it costs a fraction.
pub(crate) struct FillLenient<'p, S> {
    pub(crate) place: &'p mut Option<S>,
    pub(crate) fault: &'p mut Option<Fault>,
}

impl<'de, S: Scalar> DeserializeSeed<'de> for FillLenient<'_, S> {
    type Value = ();

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de, S: Scalar> Visitor<'de> for FillLenient<'_, S> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(S::EXPECTED)
    }

    #[inline]
    fn visit_none<E: Error>(self) -> Result<(), E> {
        *self.place = None;
        Ok(())
    }

    #[inline]
    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.visit_none()
    }

    #[inline]
    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_newtype_struct(RAW_VALUE, Value(self))
    }
}

/// The same for what is not `null`.
struct Value<'p, S>(FillLenient<'p, S>);

impl<S: Scalar> Value<'_, S> {
    /// Takes the text of a JSON value.
    #[inline]
    fn json(self, json: &str) {
        *self.0.place = from_usual_json(json);
        if self.0.place.is_none() {
            self.unusual(json);
        }
    }

    #[cold]
    #[inline(never)]
    fn unusual(self, json: &str) {
        match from_any_json(json) {
            Ok(value) => *self.0.place = Some(value),
            Err(error) => *self.0.fault = Some(Fault::of::<S>(error, json)),
        }
    }

    #[cold]
    fn text(self, result: Result<S, S::Error>, text: &str) {
        match result {
            Ok(value) => *self.0.place = Some(value),
            Err(error) => {
                *self.0.place = None;
                *self.0.fault = Some(Fault::of::<S>(error, text));
            }
        }
    }

    fn number(self, number: impl fmt::Display) {
        let text = number.to_string();
        self.text(if S::MAY_STAND_BARE { S::from_text(&text) } else { Err(S::wrong_kind(&text)) }, &text);
    }

    fn wrong_kind(self, kind: &str) {
        self.text(Err(S::wrong_kind(kind)), kind);
    }
}

impl<'de, S: Scalar> Visitor<'de> for Value<'_, S> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(S::EXPECTED)
    }

    #[inline]
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let key = map.next_key()?;
        if let Some(Key::RawValue | Key::Number) = key {
            return map.next_value_seed(RawText(self));
        }
        if key.is_some() {
            map.next_value::<IgnoredAny>()?;
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        }
        self.wrong_kind("{");
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        self.wrong_kind("[");
        Ok(())
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_none<E: Error>(self) -> Result<(), E> {
        *self.0.place = None;
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.visit_none()
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.text(if S::MAY_STAND_QUOTED { S::from_text(text) } else { Err(S::wrong_kind(text)) }, text);
        Ok(())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        let text = if value { "true" } else { "false" };
        self.text(S::from_bool(value).ok_or_else(|| S::wrong_kind(text)), text);
        Ok(())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.number(value);
        Ok(())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.number(value);
        Ok(())
    }

    fn visit_u128<E: Error>(self, value: u128) -> Result<(), E> {
        self.number(value);
        Ok(())
    }

    fn visit_i128<E: Error>(self, value: i128) -> Result<(), E> {
        self.number(value);
        Ok(())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        // The shortest digits that mean this float, as everywhere.
        self.number(format_args!("{value:e}"));
        Ok(())
    }
}

/// Takes the JSON text that comes as a string of the data model.
struct RawText<'p, S>(Value<'p, S>);

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
        self.0.json(json);
        Ok(())
    }
}
