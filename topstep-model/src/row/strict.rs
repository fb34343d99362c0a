//! A row by itself: one object, and an error at the first member that does not fit.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, Visitor};

use super::Decode;
use crate::decode::{Key, KeySeed};
use crate::scalar::Strict;

/// Reads one row from any deserializer.
#[inline]
pub(crate) fn deserialize<'de, R: Decode, D: Deserializer<'de>>(deserializer: D) -> Result<R, D::Error> {
    deserializer.deserialize_map(RowVisitor(PhantomData))
}

struct RowVisitor<R>(PhantomData<R>);

impl<'de, R: Decode> Visitor<'de> for RowVisitor<R> {
    type Value = R;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(R::EXPECTED)
    }

    #[inline]
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<R, A::Error> {
        // Filled where it will be returned: a quote is large, and every move of it shows.
        let mut result = Ok(R::blank());
        if let Ok(row) = &mut result {
            fill_all(row, map)?;
        }
        result
    }
}

/// Reads the members of a row, up to the first that does not fit.
#[inline]
fn fill_all<'de, R: Decode, A: MapAccess<'de>>(row: &mut R, mut map: A) -> Result<(), A::Error> {
    let mut seen = 0;
    let mut number = 0;
    while let Some(key) = map.next_key_seed(KeySeed::<R>::new(&mut number))? {
        match (key, R::ALIAS) {
            (Key::Known(tag), _) => row.fill(tag, &mut seen, &mut map, Strict)?,
            (Key::Alias, Some((_, tag))) if seen & R::bit_of(tag) == 0 => row.fill(tag, &mut seen, &mut map, Strict)?,
            _ => {
                map.next_value::<IgnoredAny>()?;
            }
        }
    }
    match R::missing(seen) {
        Some(name) => Err(A::Error::missing_field(name)),
        None => Ok(()),
    }
}
