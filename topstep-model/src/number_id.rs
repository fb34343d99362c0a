//! Identifiers that are numbers, one type each.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

use crate::row::{Field, Kind, Shown};
use crate::scalar::{self, Scalar, near_whole, not_whole, usual_whole};

macro_rules! number_ids {
    ($($(#[$docs:meta])* $name:ident;)*) => {$(
        $(#[$docs])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(i64);

        impl $name {
            /// Makes an identifier of its number.
            #[inline]
            pub const fn new(id: i64) -> Self {
                Self(id)
            }

            /// Returns the number.
            #[inline]
            pub const fn number(self) -> i64 {
                self.0
            }
        }

        impl From<i64> for $name {
            #[inline]
            fn from(id: i64) -> Self {
                Self(id)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_i64(self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            #[inline]
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                scalar::deserialize(deserializer)
            }
        }

        impl Scalar for $name {
            type Error = Cow<'static, str>;

            const EXPECTED: &'static str = "a whole number";
            const MAY_STAND_BARE: bool = true;

            #[inline(always)]
            fn from_usual_bare(json: &str) -> Option<Self> {
                usual_whole(json).map(Self)
            }

            #[inline(always)]
            fn from_usual_quoted(_: &str) -> Option<Self> {
                None
            }

            fn from_text(text: &str) -> Result<Self, Self::Error> {
                near_whole(text).map(Self)
            }

            fn wrong_kind(json: &str) -> Self::Error {
                not_whole(json)
            }
        }

        impl Field for $name {
            const KIND: Kind = Kind::Id(stringify!($name));

            fn blank() -> Self {
                Self(0)
            }

            fn shown(&self) -> Shown<'_> {
                Shown::Integer(self.0)
            }
        }
    )*};
}

number_ids! {
    /// Names an account. The venue gives it 32 bits; 64 are kept.
    ///
    /// A number in quotes is a number, and one that went through somebody's floating-point number (`101.0`) is the whole one
    /// that it is within a millionth of. So are all identifiers of this kind.
    AccountId;
    /// Names an order. It has had more than 32 bits since 2026.
    OrderId;
    /// Names a trade: one fill of one order.
    TradeId;
    /// Names a position. The venue gives it 32 bits; 64 are kept.
    PositionId;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_read_from_any_form_of_a_whole_number() {
        for (json, expected) in [
            ("2934939764", Some(2_934_939_764)),
            ("\"2934939764\"", Some(2_934_939_764)),
            ("2934939764.0", Some(2_934_939_764)),
            ("\"2934939764.0000005\"", Some(2_934_939_764)),
            ("-1", Some(-1)),
            ("9223372036854775807", Some(i64::MAX)),
            ("9223372036854775808", None),
            ("1.5", None),
            ("\"\"", None),
            ("\"0x1\"", None),
            ("true", None),
            ("null", None),
            ("[1]", None),
            ("{}", None),
        ] {
            let id = serde_json::from_str::<OrderId>(json);
            assert_eq!(id.ok().map(OrderId::number), expected, "{json}");
        }
    }

    #[test]
    fn is_written_as_a_number() {
        assert_eq!(serde_json::to_string(&OrderId::new(2_934_939_764)).unwrap(), "2934939764");
        assert_eq!(format!("{0} {0:?}", AccountId::from(7)), "7 AccountId(7)");
    }
}
