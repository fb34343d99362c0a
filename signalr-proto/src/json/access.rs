//! The elements, members and variants that a visitor of serde takes one by one.

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, Unexpected, VariantAccess,
    Visitor,
};

use super::cursor::Cursor;
use super::error::{DecodeError, SyntaxErrorKind};
use super::key::MemberName;

/// How far a container was read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    AtFirst,
    AtComma,
    Ended,
}

/// The elements of the array that the cursor has just entered.
pub(super) struct Elements<'c, 'de> {
    cursor: &'c mut Cursor<'de>,
    progress: Progress,
}

/// The members of the object that the cursor has just entered.
pub(super) struct Members<'c, 'de> {
    cursor: &'c mut Cursor<'de>,
    progress: Progress,
}

/// A variant with its data, the one member of the object that the cursor has just entered: `{"variant":data}`.
pub(super) struct Variant<'c, 'de> {
    pub(super) cursor: &'c mut Cursor<'de>,
}

/// A variant without data, the string at which the cursor stands: `"variant"`.
pub(super) struct UnitVariant<'c, 'de> {
    pub(super) cursor: &'c mut Cursor<'de>,
}

impl<'c, 'de> Elements<'c, 'de> {
    #[inline]
    pub(super) fn new(cursor: &'c mut Cursor<'de>) -> Self {
        Self { cursor, progress: Progress::AtFirst }
    }
}

impl<'c, 'de> Members<'c, 'de> {
    #[inline]
    pub(super) fn new(cursor: &'c mut Cursor<'de>) -> Self {
        Self { cursor, progress: Progress::AtFirst }
    }
}

impl<'de> SeqAccess<'de> for Elements<'_, 'de> {
    type Error = DecodeError;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, DecodeError> {
        if self.progress == Progress::Ended {
            return Ok(None);
        }
        if !self.cursor.next_element(self.progress == Progress::AtFirst)? {
            self.progress = Progress::Ended;
            return Ok(None);
        }
        self.progress = Progress::AtComma;
        seed.deserialize(&mut *self.cursor).map(Some)
    }
}

impl<'de> MapAccess<'de> for Members<'_, 'de> {
    type Error = DecodeError;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, DecodeError> {
        if self.progress == Progress::Ended {
            return Ok(None);
        }
        if !self.cursor.next_member(self.progress == Progress::AtFirst)? {
            self.progress = Progress::Ended;
            return Ok(None);
        }
        self.progress = Progress::AtComma;
        seed.deserialize(MemberName { cursor: self.cursor }).map(Some)
    }

    #[inline]
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, DecodeError> {
        self.cursor.colon()?;
        seed.deserialize(&mut *self.cursor)
    }
}

impl<'de> EnumAccess<'de> for Variant<'_, 'de> {
    type Error = DecodeError;
    type Variant = Self;

    #[inline]
    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), DecodeError> {
        if self.cursor.peek() != Some(b'"') {
            return Err(no_variant(self.cursor));
        }
        let variant = seed.deserialize(MemberName { cursor: &mut *self.cursor })?;
        self.cursor.colon()?;
        Ok((variant, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_, 'de> {
    type Error = DecodeError;

    #[inline]
    fn unit_variant(self) -> Result<(), DecodeError> {
        <()>::deserialize(self.cursor)
    }

    #[inline]
    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, DecodeError> {
        seed.deserialize(self.cursor)
    }

    #[inline]
    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, DecodeError> {
        self.cursor.deserialize_tuple(length, visitor)
    }

    #[inline]
    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.cursor.deserialize_struct("", fields, visitor)
    }
}

impl<'de> EnumAccess<'de> for UnitVariant<'_, 'de> {
    type Error = DecodeError;
    type Variant = Self;

    #[inline]
    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), DecodeError> {
        let variant = seed.deserialize(&mut *self.cursor)?;
        Ok((variant, self))
    }
}

impl<'de> VariantAccess<'de> for UnitVariant<'_, 'de> {
    type Error = DecodeError;

    #[inline]
    fn unit_variant(self) -> Result<(), DecodeError> {
        Ok(())
    }

    #[cold]
    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, _: T) -> Result<T::Value, DecodeError> {
        Err(DecodeError::invalid_type(Unexpected::UnitVariant, &"newtype variant"))
    }

    #[cold]
    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, DecodeError> {
        Err(DecodeError::invalid_type(Unexpected::UnitVariant, &"tuple variant"))
    }

    #[cold]
    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], _: V) -> Result<V::Value, DecodeError> {
        Err(DecodeError::invalid_type(Unexpected::UnitVariant, &"struct variant"))
    }
}

#[cold]
fn no_variant(cursor: &Cursor<'_>) -> DecodeError {
    match cursor.byte(cursor.position) {
        Some(b'}') => DecodeError::misfit(None, "expected the name of a variant, found no member"),
        _ => cursor.expected(SyntaxErrorKind::ExpectedKey).into(),
    }
}
