//! The table of members.

use crate::scalar::Scalar;
use crate::{ContractId, Price, SymbolId, Text, Timestamp};

/// One member of a row, as the venue's messages have it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Member {
    /// The name on the wire, such as `contractId`.
    pub name: &'static str,
    /// Whether a row without it, or with `null` in its place, is malformed.
    pub is_required: bool,
    /// What kind of value it has.
    pub kind: Kind,
    /// What it means, in the words of this crate's documentation.
    pub description: &'static str,
}

impl Member {
    pub(crate) const fn new(name: &'static str, is_required: bool, kind: Kind, description: &'static str) -> Self {
        Self { name, is_required, kind, description }
    }
}

/// What kind of value a member has.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Kind {
    /// A whole number of 32 bits.
    Integer32,
    /// A whole number of 64 bits.
    Integer64,
    /// A number that names something; the text says what, such as `OrderId`.
    Id(&'static str),
    /// A decimal number, exact.
    Decimal,
    /// A text.
    Text,
    /// A contract's id.
    ContractId,
    /// A product's id.
    SymbolId,
    /// A time by RFC 3339.
    Time,
    /// True or false.
    Flag,
    /// A number out of a list that may grow: the name of the list, and the list.
    Code(&'static str, &'static [CodeEntry]),
}

/// One number of a list that may grow.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct CodeEntry {
    /// The number on the wire.
    pub code: i64,
    /// Its name in the venue's documentation, such as `PendingCancellation`.
    pub name: &'static str,
    /// What it says, in words.
    pub words: &'static str,
}

impl CodeEntry {
    pub(crate) const fn new(code: i64, name: &'static str, words: &'static str) -> Self {
        Self { code, name, words }
    }
}

/// The value of a member, to look at.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Shown<'a> {
    /// A whole number, an id or a code.
    Integer(i64),
    /// A decimal number.
    Decimal(Price),
    /// A text or an id that is one.
    Text(&'a str),
    /// A time.
    Time(Timestamp),
    /// True or false.
    Flag(bool),
}

/// What can be a member's value.
pub(crate) trait Field: Scalar {
    const KIND: Kind;

    /// What stands in a required member until it is read.
    fn blank() -> Self;

    fn shown(&self) -> Shown<'_>;
}

macro_rules! fields {
    ($($type:ty, $kind:ident, $blank:expr, $value:ident => $shown:expr;)*) => {$(
        impl Field for $type {
            const KIND: Kind = Kind::$kind;

            #[inline]
            fn blank() -> Self {
                $blank
            }

            fn shown(&self) -> Shown<'_> {
                let $value = self;
                $shown
            }
        }
    )*};
}

fields! {
    i32, Integer32, 0, value => Shown::Integer(i64::from(*value));
    i64, Integer64, 0, value => Shown::Integer(*value);
    bool, Flag, false, value => Shown::Flag(*value);
    Price, Decimal, Self::ZERO, value => Shown::Decimal(*value);
    Timestamp, Time, Self::UNSET, value => Shown::Time(*value);
    Text, Text, Self::default(), value => Shown::Text(value.as_str());
    ContractId, ContractId, Self::new(""), value => Shown::Text(value.as_str());
    SymbolId, SymbolId, Self::new(""), value => Shown::Text(value.as_str());
}
