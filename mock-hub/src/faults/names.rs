//! The names of all faults, from the one place that has them.

use serde::de::value::Error;
use serde::de::{Deserialize, Deserializer, Error as _, Visitor};
use serde::forward_to_deserialize_any;

use super::fault::Fault;

/// The names by which faults are written.
pub(super) fn all() -> &'static [&'static str] {
    let mut names: &'static [&'static str] = &[];
    // An enum tells its deserializer the names that it knows; there is nothing to read here.
    let _ = Fault::deserialize(Listener(&mut names));
    names
}

struct Listener<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Listener<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(Error::custom("only names are asked for"))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        *self.0 = names;
        self.deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_told_and_a_fault_knows_its_own() {
        assert!(all().contains(&"refuse-connections") && all().contains(&"rest-truncated") && all().len() > 40);
        assert_eq!(Fault::NoPings.name(), "no-pings");
        assert_eq!(Fault::SplitRecords { size: 1 }.name(), "split-records");
    }
}
