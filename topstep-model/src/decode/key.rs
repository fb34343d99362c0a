//! The name of a member, in whatever way somebody writes it.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

use crate::row::Decode;
use crate::scalar::NUMBER;

/// What a member's name means for a row of this kind.
pub(crate) enum Key<T, R> {
    /// A member of the row.
    Known(T),
    /// A member of the row by another name, which counts only if the right one is not there.
    Alias(T),
    /// The envelope's action.
    Action,
    /// The envelope's content.
    Data,
    /// A number: the object is a list.
    Number(u32),
    /// Not an object at all, but a number with its digits: `serde_json/arbitrary_precision`.
    Digits,
    /// Something else, which is skipped.
    Other(PhantomData<R>),
}

impl<'de, R: Decode> Deserialize<'de> for Key<R::Tag, R> {
    #[inline]
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_identifier(KeyVisitor(PhantomData))
    }
}

struct KeyVisitor<R>(PhantomData<R>);

impl<R: Decode> Visitor<'_> for KeyVisitor<R> {
    type Value = Key<R::Tag, R>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a member")
    }

    #[inline]
    fn visit_str<E: Error>(self, name: &str) -> Result<Key<R::Tag, R>, E> {
        Ok(match R::tag(name) {
            Some(tag) => Key::Known(tag),
            None => unusual::<R>(name),
        })
    }

    fn visit_bytes<E: Error>(self, name: &[u8]) -> Result<Key<R::Tag, R>, E> {
        self.visit_str(str::from_utf8(name).unwrap_or_default())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Key<R::Tag, R>, E> {
        Ok(u32::try_from(number).map_or(Key::Other(PhantomData), Key::Number))
    }
}

#[cold]
fn unusual<R: Decode>(name: &str) -> Key<R::Tag, R> {
    match name {
        "action" | "Action" => return Key::Action,
        "data" | "Data" => return Key::Data,
        NUMBER => return Key::Digits,
        _ => {}
    }
    if let Some(tag) = R::alias(name) {
        return Key::Alias(tag);
    }
    match name.as_bytes() {
        [b'0'..=b'9', ..] if name.len() <= 9 => name.parse().map_or(Key::Other(PhantomData), Key::Number),
        [first @ b'A'..=b'Z', rest @ ..] => {
            // No member's name is longer than 20 letters.
            let mut buffer = [0; 32];
            let Some(place) = buffer.get_mut(..name.len()) else { return Key::Other(PhantomData) };
            let [head, tail @ ..] = place else { return Key::Other(PhantomData) };
            *head = first.to_ascii_lowercase();
            tail.copy_from_slice(rest);
            let name = str::from_utf8(place).unwrap_or_default();
            match (R::tag(name), R::alias(name)) {
                (Some(tag), _) => Key::Known(tag),
                (None, Some(tag)) => Key::Alias(tag),
                (None, None) => Key::Other(PhantomData),
            }
        }
        _ => Key::Other(PhantomData),
    }
}
