//! Values taken as they were written: what `serde_json`'s `RawValue` asks of a deserializer.

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{DeserializeSeed, MapAccess, Visitor};

use super::cursor::Cursor;
use super::error::DecodeError;
use super::number;

/// The newtype name, and member name, by which `serde_json` asks for a value's own text.
pub(super) const TOKEN: &str = "$serde_json::private::RawValue";

/// The one-entry map whose value is that text.
struct RawText<'de> {
    text: Option<&'de str>,
}

impl<'de> Cursor<'de> {
    #[inline]
    pub(super) fn visit_raw<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, DecodeError> {
        let range = match self.peek() {
            // What asks for raw text is a decimal, nearly always.
            Some(b'-' | b'0'..=b'9') => {
                let start = self.position;
                self.position = number::end(self.text.as_bytes(), start)?;
                start..self.position
            }
            _ => self.skip_value()?,
        };
        visitor.visit_map(RawText { text: Some(self.slice(range)) })
    }
}

impl<'de> MapAccess<'de> for RawText<'de> {
    type Error = DecodeError;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, DecodeError> {
        if self.text.is_none() {
            return Ok(None);
        }
        seed.deserialize(BorrowedStrDeserializer::new(TOKEN)).map(Some)
    }

    #[inline]
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, DecodeError> {
        seed.deserialize(BorrowedStrDeserializer::new(self.text.take().unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use serde_json::value::RawValue;

    use super::*;

    #[test]
    fn a_raw_value_is_exactly_what_was_written() {
        #[derive(Deserialize)]
        struct Raw<'a> {
            #[serde(borrow)]
            price: &'a RawValue,
            boxed: Box<RawValue>,
            none: Option<&'a RawValue>,
        }
        let text = r#" {"price" : -1.50e-07 ,"boxed": { "a" : [ "\u0041" ] } ,"none":null}"#;
        let raw: Raw = Cursor::new(text).decode().unwrap();
        assert_eq!(raw.price.get(), "-1.50e-07");
        assert_eq!(raw.boxed.get(), r#"{ "a" : [ "\u0041" ] }"#);
        assert!(raw.none.is_none());
        for text in ["", "01", "[1,]", "\"a", "tru"] {
            assert!(Cursor::new(text).decode::<&RawValue>().is_err(), "{text}");
        }
        let keyed: BTreeMap<String, &RawValue> = Cursor::new(r#"{"a":"x","b":[]}"#).decode().unwrap();
        assert_eq!((keyed["a"].get(), keyed["b"].get()), ("\"x\"", "[]"));
    }
}
