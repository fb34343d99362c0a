//! How a member of a row is read: what does not fit is noted, and the row goes on.
//!
//! serde ends a whole value at the first error, and with it every row beside the one that is bad. So a member never is an
//! error: it is read to its end, whatever it is, and what was wrong with it is a note for the row.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{Key, RAW_VALUE, Scalar, from_any_json, from_usual_json};
use crate::excerpt::Excerpt;

/// What is wrong with a member.
///
/// It is one word, which costs nothing while nothing is wrong. It is public because the trait of rows names it, and cannot be
/// named from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault(Box<Detail>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Detail {
    expected: &'static str,
    reason: Box<str>,
    excerpt: Option<Excerpt>,
}

impl Fault {
    #[cold]
    pub(crate) fn new(expected: &'static str, reason: impl Into<Box<str>>, text: &str) -> Self {
        Self(Box::new(Detail { expected, reason: reason.into(), excerpt: Some(Excerpt::new(text)) }))
    }

    /// Something is not there.
    #[cold]
    pub(crate) fn missing(expected: &'static str, reason: impl Into<Box<str>>) -> Self {
        Self(Box::new(Detail { expected, reason: reason.into(), excerpt: None }))
    }

    #[cold]
    fn of<S: Scalar>(error: impl fmt::Display, text: &str) -> Self {
        let excerpt = if S::IS_SECRET { None } else { Some(Excerpt::new(text)) };
        Self(Box::new(Detail { expected: S::EXPECTED, reason: error.to_string().into(), excerpt }))
    }

    pub(crate) fn expected(&self) -> &'static str {
        self.0.expected
    }

    pub(crate) fn reason(&self) -> &str {
        &self.0.reason
    }

    pub(crate) fn excerpt(&self) -> Option<&str> {
        self.0.excerpt.as_ref().map(Excerpt::as_str)
    }
}

/// What to do with a member that does not fit.
pub trait OnFault {
    /// Notes it, or makes an error of it, which ends the row and everything around it.
    fn fault<E: Error>(self, fault: Fault) -> Result<(), E>;
}

/// A note: the row goes on.
impl OnFault for &mut Option<Fault> {
    #[cold]
    fn fault<E: Error>(self, fault: Fault) -> Result<(), E> {
        *self = Some(fault);
        Ok(())
    }
}

/// An error: the row is all there is.
pub(crate) struct Strict;

impl OnFault for Strict {
    #[cold]
    fn fault<E: Error>(self, fault: Fault) -> Result<(), E> {
        Err(E::custom(fault.reason()))
    }
}

/// Reads a scalar or `null` into its place, or says why it is none; `place` is then `None`.
///
/// A scalar in a `Result` in an `Option` is moved on from memory in other pieces than it was written in, and the processor
/// waits for each; put where it belongs, it costs a fraction.
pub(crate) struct FillMember<'p, S, F> {
    pub(crate) place: &'p mut Option<S>,
    pub(crate) on_fault: F,
}

impl<'de, S: Scalar, F: OnFault> DeserializeSeed<'de> for FillMember<'_, S, F> {
    type Value = ();

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de, S: Scalar, F: OnFault> Visitor<'de> for FillMember<'_, S, F> {
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
struct Value<'p, S, F>(FillMember<'p, S, F>);

impl<S: Scalar, F: OnFault> Value<'_, S, F> {
    /// Takes the text of a JSON value.
    #[inline(always)]
    fn json<E: Error>(self, json: &str) -> Result<(), E> {
        *self.0.place = from_usual_json(json);
        if self.0.place.is_some() { Ok(()) } else { self.unusual(json) }
    }

    #[cold]
    #[inline(never)]
    fn unusual<E: Error>(self, json: &str) -> Result<(), E> {
        self.text(from_any_json(json), json)
    }

    #[cold]
    fn text<E: Error>(self, result: Result<S, S::Error>, text: &str) -> Result<(), E> {
        match result {
            Ok(value) => {
                *self.0.place = Some(value);
                Ok(())
            }
            Err(error) => {
                *self.0.place = None;
                self.0.on_fault.fault(Fault::of::<S>(error, text))
            }
        }
    }

    fn number<E: Error>(self, number: impl fmt::Display) -> Result<(), E> {
        let text = number.to_string();
        self.text(if S::MAY_STAND_BARE { S::from_text(&text) } else { Err(S::wrong_kind(&text)) }, &text)
    }

    /// Goes past an object; whether it has members is known, and of the first one the name was read.
    #[cold]
    #[inline(never)]
    fn object<'de, A: MapAccess<'de>>(self, mut map: A, has_members: bool) -> Result<(), A::Error> {
        if has_members {
            map.next_value::<IgnoredAny>()?;
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        }
        self.wrong_kind("{")
    }

    fn wrong_kind<E: Error>(self, kind: &str) -> Result<(), E> {
        self.text(Err(S::wrong_kind(kind)), kind)
    }
}

impl<'de, S: Scalar, F: OnFault> Visitor<'de> for Value<'_, S, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(S::EXPECTED)
    }

    #[inline]
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        match map.next_key()? {
            Some(Key::RawValue | Key::Number) => map.next_value_seed(RawText(self)),
            key => self.object(map, key.is_some()),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        self.wrong_kind("[")
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
        self.text(if S::MAY_STAND_QUOTED { S::from_text(text) } else { Err(S::wrong_kind(text)) }, text)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        let text = if value { "true" } else { "false" };
        self.text(S::from_bool(value).ok_or_else(|| S::wrong_kind(text)), text)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.number(value)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.number(value)
    }

    fn visit_u128<E: Error>(self, value: u128) -> Result<(), E> {
        self.number(value)
    }

    fn visit_i128<E: Error>(self, value: i128) -> Result<(), E> {
        self.number(value)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        // The shortest digits that mean this float, as everywhere.
        self.number(format_args!("{value:e}"))
    }
}

/// Takes the JSON text that comes as a string of the data model.
struct RawText<'p, S, F>(Value<'p, S, F>);

impl<'de, S: Scalar, F: OnFault> DeserializeSeed<'de> for RawText<'_, S, F> {
    type Value = ();

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<S: Scalar, F: OnFault> Visitor<'_> for RawText<'_, S, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the text of a raw value")
    }

    #[inline]
    fn visit_str<E: Error>(self, json: &str) -> Result<(), E> {
        self.0.json(json)
    }
}
