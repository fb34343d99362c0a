//! The name of a member, in whatever way somebody writes it.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, Error, Visitor};

use crate::row::Decode;
use crate::scalar::NUMBER;

/// What a member's name means for a row with these members. It is one byte: names are many.
#[derive(Clone, Copy)]
pub(crate) enum Key<T> {
    /// A member of the row.
    Known(T),
    /// The other name of a member, which counts only if the right one is not there.
    Alias,
    /// The envelope's action.
    Action,
    /// The envelope's content.
    Data,
    /// A number, which is noted: the object is a list.
    Number,
    /// Not an object at all, but a number with its digits: `serde_json/arbitrary_precision`.
    Digits,
    /// Something else, which is skipped.
    Other,
}

/// Reads a member's name; `number` is what a name that is a number says.
pub(crate) struct KeySeed<'n, R> {
    number: &'n mut u32,
    row: PhantomData<R>,
}

impl<'n, R> KeySeed<'n, R> {
    #[inline(always)]
    pub(crate) const fn new(number: &'n mut u32) -> Self {
        Self { number, row: PhantomData }
    }
}

impl<'de, R: Decode> DeserializeSeed<'de> for KeySeed<'_, R> {
    type Value = Key<R::Tag>;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Key<R::Tag>, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl<R: Decode> Visitor<'_> for KeySeed<'_, R> {
    type Value = Key<R::Tag>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a member")
    }

    #[inline]
    fn visit_str<E: Error>(self, name: &str) -> Result<Key<R::Tag>, E> {
        Ok(match R::tag(name) {
            Some(tag) => Key::Known(tag),
            None => unusual::<R>(name, self.number),
        })
    }

    fn visit_bytes<E: Error>(self, name: &[u8]) -> Result<Key<R::Tag>, E> {
        self.visit_str(str::from_utf8(name).unwrap_or_default())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Key<R::Tag>, E> {
        Ok(match u32::try_from(number) {
            Ok(number) => {
                *self.number = number;
                Key::Number
            }
            Err(_) => Key::Other,
        })
    }
}

#[cold]
#[inline(never)]
fn unusual<R: Decode>(name: &str, number: &mut u32) -> Key<R::Tag> {
    let is_alias = |name: &str| R::ALIAS.is_some_and(|(alias, _)| alias == name);
    match name.as_bytes() {
        b"action" | b"Action" => Key::Action,
        b"data" | b"Data" => Key::Data,
        _ if name == NUMBER => Key::Digits,
        _ if is_alias(name) => Key::Alias,
        [b'0'..=b'9', ..] if name.len() <= 9 => match name.parse() {
            Ok(parsed) => {
                *number = parsed;
                Key::Number
            }
            Err(_) => Key::Other,
        },
        [first @ b'A'..=b'Z', rest @ ..] => {
            // No member's name is longer than 20 letters.
            let mut buffer = [0; 32];
            let Some([head, tail @ ..]) = buffer.get_mut(..name.len()) else { return Key::Other };
            *head = first.to_ascii_lowercase();
            tail.copy_from_slice(rest);
            let name = buffer.get(..name.len()).and_then(|name| str::from_utf8(name).ok()).unwrap_or_default();
            match R::tag(name) {
                Some(tag) => Key::Known(tag),
                None if is_alias(name) => Key::Alias,
                None => Key::Other,
            }
        }
        _ => Key::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Quote;

    #[test]
    fn a_key_is_a_byte() {
        assert_eq!(size_of::<Key<<Quote as Decode>::Tag>>(), 1);
    }
}
