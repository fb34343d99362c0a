//! The deserializer: any type of serde, decoded where the cursor stands.
//!
//! Everything generic is `#[inline]`, so that a derived type becomes one function over the bytes; what fails is `#[cold]`.

use std::borrow::Cow;

use serde::de::{Deserializer, Error, Expected, Unexpected, Visitor};

use super::access::{Elements, Members, UnitVariant, Variant};
use super::cursor::{Cursor, Kind};
use super::error::{DecodeError, SyntaxErrorKind};
use super::number::{self, Number};
use super::raw;

macro_rules! numbers {
    ($($method:ident)*) => {$(
        #[inline]
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
            match self.peek() {
                Some(b'-' | b'0'..=b'9') => self.visit_number(visitor),
                _ => Err(self.misfit(&visitor)),
            }
        }
    )*};
}

macro_rules! texts {
    ($($method:ident)*) => {$(
        #[inline]
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
            match self.peek() {
                Some(b'"') => self.visit_text(visitor),
                _ => Err(self.misfit(&visitor)),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for &mut Cursor<'de> {
    type Error = DecodeError;

    numbers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
        deserialize_f32 deserialize_f64
    }

    texts! { deserialize_char deserialize_str deserialize_string deserialize_identifier }

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.peek() {
            Some(b'"') => self.visit_text(visitor),
            Some(b'-' | b'0'..=b'9') => self.visit_number(visitor),
            Some(b'{') => self.visit_object(visitor),
            Some(b'[') => self.visit_array(visitor, None),
            Some(b't' | b'f') => self.deserialize_bool(visitor),
            Some(b'n') => self.deserialize_unit(visitor),
            _ => Err(self.misfit(&visitor)),
        }
    }

    #[inline]
    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.peek() {
            Some(b't') => {
                self.literal("true")?;
                visitor.visit_bool(true)
            }
            Some(b'f') => {
                self.literal("false")?;
                visitor.visit_bool(false)
            }
            _ => Err(self.misfit(&visitor)),
        }
    }

    fn deserialize_i128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let Some(Kind::Number) = self.peek_kind() else { return Err(self.misfit(&visitor)) };
        match self.number_text()?.parse() {
            Ok(value) => visitor.visit_i128(value),
            Err(_) => Err(DecodeError::misfit(None, "number out of range, or no integer, expected i128")),
        }
    }

    fn deserialize_u128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let Some(Kind::Number) = self.peek_kind() else { return Err(self.misfit(&visitor)) };
        match self.number_text()?.parse() {
            Ok(value) => visitor.visit_u128(value),
            Err(_) => Err(DecodeError::misfit(None, "number out of range, or no integer, expected u128")),
        }
    }

    #[inline]
    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.peek() {
            Some(b'"') => match self.string_here()? {
                Cow::Borrowed(text) => visitor.visit_borrowed_bytes(text.as_bytes()),
                Cow::Owned(text) => visitor.visit_byte_buf(text.into_bytes()),
            },
            Some(b'[') => self.visit_array(visitor, None),
            _ => Err(self.misfit(&visitor)),
        }
    }

    #[inline]
    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_bytes(visitor)
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        if self.peek() != Some(b'n') {
            return visitor.visit_some(self);
        }
        self.literal("null")?;
        visitor.visit_none()
    }

    #[inline]
    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        if self.peek() != Some(b'n') {
            return Err(self.misfit(&visitor));
        }
        self.literal("null")?;
        visitor.visit_unit()
    }

    #[inline]
    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_unit(visitor)
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        if name == raw::TOKEN {
            return self.visit_raw(visitor);
        }
        visitor.visit_newtype_struct(self)
    }

    #[inline]
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.peek() {
            Some(b'[') => self.visit_array(visitor, None),
            _ => Err(self.misfit(&visitor)),
        }
    }

    #[inline]
    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, DecodeError> {
        match self.peek() {
            Some(b'[') => self.visit_array(visitor, Some(length)),
            _ => Err(self.misfit(&visitor)),
        }
    }

    #[inline]
    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.deserialize_tuple(length, visitor)
    }

    #[inline]
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.peek() {
            Some(b'{') => self.visit_object(visitor),
            _ => Err(self.misfit(&visitor)),
        }
    }

    #[inline]
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        match self.peek() {
            Some(b'{') => self.visit_object(visitor),
            Some(b'[') => self.visit_array(visitor, Some(fields.len())),
            _ => Err(self.misfit(&visitor)),
        }
    }

    #[inline]
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        match self.peek() {
            Some(b'"') => visitor.visit_enum(UnitVariant { cursor: self }),
            Some(b'{') => {
                self.open()?;
                let value = visitor.visit_enum(Variant { cursor: &mut *self })?;
                self.end_object()?;
                Ok(value)
            }
            _ => Err(self.misfit(&visitor)),
        }
    }

    #[inline]
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.skip_value()?;
        visitor.visit_unit()
    }
}

/// What the methods above share; each begins at the first byte of its value.
impl<'de> Cursor<'de> {
    #[inline]
    pub(super) fn visit_text<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, DecodeError> {
        if let Some(text) = self.plain_string_here() {
            return visitor.visit_borrowed_str(text);
        }
        visitor.visit_string(self.string_with_escapes()?.into_owned())
    }

    #[inline]
    fn visit_number<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, DecodeError> {
        let (number, end) = number::parse(self.text, self.position)?;
        self.position = end;
        match number {
            Number::Unsigned(value) => visitor.visit_u64(value),
            Number::Negative(value) => visitor.visit_i64(value),
            Number::Float(value) if value.is_finite() => visitor.visit_f64(value),
            Number::Float(_) => Err(DecodeError::misfit(None, "number out of range, expected a finite float")),
        }
    }

    /// Visits an array; `length` is how many elements the type has, if that is known.
    #[inline]
    fn visit_array<V: Visitor<'de>>(&mut self, visitor: V, length: Option<usize>) -> Result<V::Value, DecodeError> {
        self.open()?;
        let inside = self.depth;
        let result = visitor.visit_seq(Elements::new(&mut *self));
        // A visitor of a tuple takes its elements and never asks for the end.
        if result.is_ok()
            && self.depth >= inside
            && let Err(error) = self.end_array(length)
        {
            return Err(error);
        }
        result
    }

    #[inline]
    fn visit_object<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, DecodeError> {
        self.open()?;
        let inside = self.depth;
        // Changed where it lies, never taken apart: see `Cursor::decode`.
        let result = visitor.visit_map(Members::new(&mut *self));
        if result.is_ok()
            && self.depth >= inside
            && let Err(error) = self.end_object()
        {
            return Err(error);
        }
        result
    }

    #[inline]
    fn end_array(&mut self, length: Option<usize>) -> Result<(), DecodeError> {
        match self.peek() {
            Some(b']') => {
                self.close();
                Ok(())
            }
            _ => Err(self.surplus_element(length)),
        }
    }

    #[inline]
    fn end_object(&mut self) -> Result<(), DecodeError> {
        match self.peek() {
            Some(b'}') => {
                self.close();
                Ok(())
            }
            _ => Err(self.surplus_member()),
        }
    }

    #[cold]
    fn surplus_element(&mut self, length: Option<usize>) -> DecodeError {
        if self.byte(self.position) == Some(b',') {
            self.position += 1;
        }
        if self.peek_kind().is_none() {
            return self.expected(SyntaxErrorKind::ExpectedCommaOrBracket).into();
        }
        // The element's own offset, so that the place is its index.
        match length {
            Some(length) => {
                let plural = if length == 1 { "" } else { "s" };
                DecodeError::misfit(Some(self.position), format_args!("expected {length} element{plural}, found more"))
            }
            None => DecodeError::misfit(Some(self.position), "expected fewer elements"),
        }
    }

    #[cold]
    fn surplus_member(&mut self) -> DecodeError {
        match self.byte(self.position) {
            Some(b',' | b'"') => DecodeError::misfit(Some(self.position + 1), "expected fewer members"),
            _ => self.expected(SyntaxErrorKind::ExpectedCommaOrBrace).into(),
        }
    }

    /// Says that another kind of value stands here than `expected`, and goes past it.
    ///
    /// It goes past, so that a type that makes do with what does not fit it finds the way.
    #[cold]
    #[inline(never)]
    pub(super) fn misfit(&mut self, expected: &dyn Expected) -> DecodeError {
        let Some(kind) = self.peek_kind() else {
            return self.expected(SyntaxErrorKind::ExpectedValue).into();
        };
        let range = match self.skip_value() {
            Ok(range) => range,
            Err(error) => return error.into(),
        };
        let text = match kind {
            Kind::String => Cursor::at(self.text, range.start, 0).string().unwrap_or_default(),
            _ => Cow::Borrowed(""),
        };
        let found = match kind {
            Kind::String => Unexpected::Str(&text),
            Kind::Number => match number::parse(self.text, range.start) {
                Ok((Number::Unsigned(value), _)) => Unexpected::Unsigned(value),
                Ok((Number::Negative(value), _)) => Unexpected::Signed(value),
                Ok((Number::Float(value), _)) => Unexpected::Float(value),
                Err(error) => return error.into(),
            },
            Kind::Object => Unexpected::Map,
            Kind::Array => Unexpected::Seq,
            Kind::True => Unexpected::Bool(true),
            Kind::False => Unexpected::Bool(false),
            Kind::Null => Unexpected::Unit,
        };
        DecodeError::invalid_type(found, expected)
    }
}
