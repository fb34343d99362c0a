//! One struct for every record of a flood, parsed in one go.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, SeqAccess, Visitor};

/// How a record keeps its text.
pub(super) trait Text<'f>: Deserialize<'f> + Default + AsRef<str> {}

impl<'f, T: Deserialize<'f> + Default + AsRef<str>> Text<'f> for T {}

#[derive(serde::Deserialize)]
#[serde(bound = "T: Text<'de>")]
pub(super) struct Record<T> {
    #[serde(rename = "type")]
    kind: u8,
    #[serde(default)]
    target: T,
    #[serde(default)]
    arguments: Arguments<T>,
}

/// What a record says to a flood.
pub(super) enum Meaning<'r, T> {
    Quote(&'r Quote<T>),
    Done,
    Other,
}

impl<T: AsRef<str>> Record<T> {
    #[inline]
    pub(super) fn meaning(&self) -> Meaning<'_, T> {
        match (self.kind, self.target.as_ref(), &self.arguments.0) {
            (1, "GatewayQuote", Some((_, quote))) => Meaning::Quote(quote),
            (1, "Done", None) => Meaning::Done,
            _ => Meaning::Other,
        }
    }
}

/// Contract and quote, or nothing: `Done` has no arguments.
struct Arguments<T>(Option<(T, Quote<T>)>);

#[derive(Default, serde::Deserialize)]
#[serde(rename_all = "camelCase", default, bound = "T: Text<'de>")]
pub(super) struct Quote<T> {
    symbol: T,
    symbol_name: T,
    last_price: f64,
    pub(super) best_bid: f64,
    pub(super) best_ask: f64,
    change: f64,
    change_percent: f64,
    open: f64,
    high: f64,
    low: f64,
    pub(super) volume: f64,
    last_updated: T,
    timestamp: T,
}

impl<T> Default for Arguments<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: Text<'de>> Deserialize<'de> for Arguments<T> {
    #[inline]
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ArgumentsVisitor<T>(PhantomData<T>);

        impl<'de, T: Text<'de>> Visitor<'de> for ArgumentsVisitor<T> {
            type Value = Arguments<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a contract and a quote, or nothing")
            }

            #[inline]
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Arguments<T>, A::Error> {
                let Some(contract) = seq.next_element()? else {
                    return Ok(Arguments(None));
                };
                let quote = seq.next_element()?.ok_or_else(|| A::Error::invalid_length(1, &self))?;
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Arguments(Some((contract, quote))))
            }
        }

        deserializer.deserialize_seq(ArgumentsVisitor(PhantomData))
    }
}

/// Text within the frame.
///
/// .NET's default encoder writes the `+` of a time's offset as `\u002B`; such a text cannot be borrowed. It is read
/// through, and left empty instead of copied: a floor allocates nothing for it.
#[derive(Clone, Copy, Default)]
pub(super) struct Borrowed<'f>(&'f str);

impl AsRef<str> for Borrowed<'_> {
    #[inline]
    fn as_ref(&self) -> &str {
        self.0
    }
}

impl<'de> Deserialize<'de> for Borrowed<'de> {
    #[inline]
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct BorrowedVisitor;

        impl<'de> Visitor<'de> for BorrowedVisitor {
            type Value = Borrowed<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            #[inline]
            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Borrowed<'de>, E> {
                Ok(Borrowed(text))
            }

            #[inline]
            fn visit_str<E: Error>(self, _: &str) -> Result<Borrowed<'de>, E> {
                Ok(Borrowed(""))
            }
        }

        deserializer.deserialize_str(BorrowedVisitor)
    }
}
