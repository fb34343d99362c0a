//! Numbers that stand for something, in lists that may grow.

mod action;
mod errors;
mod market;
mod order;
mod position;

pub use action::StreamAction;
pub use errors::{
    BarsErrorCode, CancelErrorCode, CloseErrorCode, ContractErrorCode, ListErrorCode, LoginErrorCode, LogoutErrorCode,
    ModifyErrorCode, OrderErrorCode, PartialCloseErrorCode, PlaceErrorCode, SearchErrorCode, ValidateErrorCode,
};
pub use market::{BarUnit, DomType, TradeLogType};
pub use order::{OrderSide, OrderSortBy, OrderStatus, OrderType, SortDirection};
pub use position::PositionType;

use crate::row::CodeEntry;

/// A list of numbers that may grow; the crate's own enums implement it, and nobody else can.
///
/// Every one of them keeps a number that it does not know, and gives it back unchanged.
pub trait Code: Copy + Eq + std::fmt::Debug + std::fmt::Display + sealed::Sealed + 'static {
    /// The numbers that are known.
    const CODES: &'static [CodeEntry];

    /// Says what a number stands for.
    fn from_code(code: i64) -> Self;

    /// Returns the number.
    fn code(self) -> i64;

    /// Whether this version of the library knows the number.
    fn is_known(self) -> bool;
}

pub(crate) mod sealed {
    /// Keeps [`Code`](super::Code) to this crate.
    pub trait Sealed {}
}

/// Defines an enum that keeps unknown numbers.
macro_rules! codes {
    ($(
        $(#[doc = $docs:literal])*
        pub enum $name:ident {
            $($(#[doc = $doc:literal])* $code:literal $variant:ident $words:literal,)*
        }
    )*) => {$(
        $(#[doc = $docs])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $(
                $(#[doc = $doc])*
                #[doc = concat!(" On the wire: ", stringify!($code), ".")]
                $variant,
            )*
            /// A number that this version of the library does not know; it never holds one of the above when it was read.
            Other(i64),
        }

        impl $crate::code::sealed::Sealed for $name {}

        impl $crate::code::Code for $name {
            const CODES: &'static [$crate::row::CodeEntry] =
                &[$($crate::row::CodeEntry::new($code, stringify!($variant), $words),)*];

            #[inline]
            fn from_code(code: i64) -> Self {
                match code {
                    $($code => Self::$variant,)*
                    other => Self::Other(other),
                }
            }

            #[inline]
            fn code(self) -> i64 {
                match self {
                    $(Self::$variant => $code,)*
                    Self::Other(code) => code,
                }
            }

            fn is_known(self) -> bool {
                !matches!(self, Self::Other(_))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self {
                    $(Self::$variant => f.pad($words),)*
                    Self::Other(code) => write!(f, "unknown code {code}"),
                }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_i64($crate::code::Code::code(*self))
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            #[inline]
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::scalar::deserialize(deserializer)
            }
        }

        impl $crate::scalar::Scalar for $name {
            type Error = std::borrow::Cow<'static, str>;

            const EXPECTED: &'static str = "a code";
            const MAY_STAND_BARE: bool = true;

            #[inline(always)]
            fn from_usual_bare(json: &str) -> Option<Self> {
                $crate::scalar::usual_whole(json).map($crate::code::Code::from_code)
            }

            #[inline(always)]
            fn from_usual_quoted(_: &str) -> Option<Self> {
                None
            }

            fn from_text(text: &str) -> Result<Self, Self::Error> {
                $crate::scalar::whole(text).map($crate::code::Code::from_code)
            }

            fn wrong_kind(json: &str) -> Self::Error {
                $crate::scalar::not_whole(json)
            }
        }

        impl $crate::row::Field for $name {
            const KIND: $crate::row::Kind =
                $crate::row::Kind::Code(stringify!($name), <Self as $crate::code::Code>::CODES);

            fn blank() -> Self {
                $crate::code::Code::from_code(0)
            }

            fn shown(&self) -> $crate::row::Shown<'_> {
                $crate::row::Shown::Integer($crate::code::Code::code(*self))
            }
        }
    )*};
}
pub(crate) use codes;
