//! A scalar where a row should be: kept, until it is clear what it is.

use serde::de::value::{Error as ValueError, StrDeserializer};
use serde::de::{DeserializeSeed, Deserializer, Error, IntoDeserializer, MapAccess, Visitor};
use serde::forward_to_deserialize_any;

use crate::Text;
use crate::scalar::RAW_VALUE;

/// A scalar as it was written.
#[derive(Clone, Debug)]
pub(crate) enum ScalarValue {
    Text(Text),
    /// The digits of a number.
    Number(Text),
    Flag(bool),
}

impl ScalarValue {
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Text(text) | Self::Number(text) => text.as_str(),
            Self::Flag(true) => "true",
            Self::Flag(false) => "false",
        }
    }
}

/// A map that has this one value under whatever name, so that a row can be filled from it.
pub(crate) struct OneMember<'s>(pub(crate) &'s ScalarValue);

impl<'de> MapAccess<'de> for OneMember<'_> {
    type Error = ValueError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, _: K) -> Result<Option<K::Value>, ValueError> {
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, ValueError> {
        seed.deserialize(Source(self.0))
    }
}

struct Source<'s>(&'s ScalarValue);

impl<'de> Deserializer<'de> for Source<'_> {
    type Error = ValueError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        match self.0 {
            ScalarValue::Text(text) => visitor.visit_str(text.as_str()),
            ScalarValue::Number(digits) => visitor.visit_map(Digits(Some(digits.as_str()))),
            ScalarValue::Flag(value) => visitor.visit_bool(*value),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, ValueError> {
        self.deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// Digits as a deserializer of JSON hands them out.
struct Digits<'s>(Option<&'s str>);

impl<'de> MapAccess<'de> for Digits<'_> {
    type Error = ValueError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, ValueError> {
        if self.0.is_none() {
            return Ok(None);
        }
        let name: StrDeserializer<'_, ValueError> = RAW_VALUE.into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, ValueError> {
        let digits = self.0.take().ok_or_else(|| ValueError::custom("the digits were taken"))?;
        let digits: StrDeserializer<'_, ValueError> = digits.into_deserializer();
        seed.deserialize(digits)
    }
}
