//! Prices and balances: text, so that they are exact, or whole numbers.

use std::fmt;

use rust_decimal::Decimal;
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};

struct Exact(Decimal);

pub(super) fn required<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
    Exact::deserialize(deserializer).map(|exact| exact.0)
}

pub(super) fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Decimal>, D::Error> {
    required(deserializer).map(Some)
}

impl<'de> Deserialize<'de> for Exact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;

        impl Visitor<'_> for Number {
            type Value = Exact;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a number as text, such as \"5023.25\", or a whole number")
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Exact, E> {
                Ok(Exact(number.into()))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Exact, E> {
                Decimal::from_str_exact(text).map(Exact).map_err(|_| E::custom(format_args!("`{text}` is no number")))
            }
        }

        deserializer.deserialize_any(Number)
    }
}
