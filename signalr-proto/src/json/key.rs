//! The name of a member, decoded as the key of a map.

use std::borrow::Cow;

use serde::de::{Deserializer, Error, Unexpected, Visitor};
use serde::forward_to_deserialize_any;

use super::cursor::Cursor;
use super::error::DecodeError;
use super::raw;

/// The name of the member whose quote stands at the cursor.
///
/// Numbers and booleans are read from within the quotes, as with `serde_json`: a map may have such keys.
pub(super) struct MemberName<'c, 'de> {
    pub(super) cursor: &'c mut Cursor<'de>,
}

macro_rules! numeric_keys {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
            let Some(b'-' | b'0'..=b'9') = self.cursor.byte(self.cursor.position + 1) else {
                return Err(self.cursor.misfit(&visitor));
            };
            self.cursor.position += 1;
            let value = Deserializer::$method(&mut *self.cursor, visitor)?;
            if self.cursor.byte(self.cursor.position) != Some(b'"') {
                return Err(DecodeError::misfit(None, "expected a number as the member's name"));
            }
            self.cursor.position += 1;
            Ok(value)
        }
    )*};
}

impl<'de> Deserializer<'de> for MemberName<'_, 'de> {
    type Error = DecodeError;

    numeric_keys! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64
    }

    forward_to_deserialize_any! {
        char str string unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.cursor.visit_text(visitor)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        // Escapes in these words are refused, as `serde_json` does.
        match self.cursor.string_here()? {
            Cow::Borrowed("true") => visitor.visit_bool(true),
            Cow::Borrowed("false") => visitor.visit_bool(false),
            other => Err(DecodeError::invalid_type(Unexpected::Str(&other), &visitor)),
        }
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.cursor.deserialize_bytes(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.cursor.deserialize_bytes(visitor)
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_some(self)
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        if name == raw::TOKEN {
            return self.cursor.visit_raw(visitor);
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.cursor.deserialize_enum(name, variants, visitor)
    }
}
