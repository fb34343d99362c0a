//! What an answer brings beside its envelope.

use serde::de::MapAccess;

use crate::OrderId;
use crate::decode::{Collector, ElementSeed, Outcome, Path, RowError, Rows, Step};
use crate::row::Row;
use crate::scalar::{Fault, FillMember, Scalar};

/// What a successful answer is read into: the crate's own business.
pub trait Payload: Sized {
    /// The same while it is being read.
    type Build: Build<Self>;
}

/// Part of an answer that is being read.
pub trait Build<P>: Default {
    /// Reads a member, if it is one that was asked for, and returns its name. None is, unless an answer says so.
    fn fill<'de, A: MapAccess<'de>>(
        &mut self,
        _: &str,
        _: &mut A,
        _: &mut Option<Fault>,
    ) -> Result<Option<&'static str>, A::Error> {
        Ok(None)
    }

    /// Takes the order that an answer names.
    fn take_order_id(&mut self, _: Option<OrderId>) {}

    /// Makes the answer, if everything is there.
    fn finish(self) -> Result<P, RowError>;
}

/// The answer of a call that brings nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Done;

impl Payload for Done {
    type Build = Self;
}

impl Build<Self> for Done {
    fn finish(self) -> Result<Self, RowError> {
        Ok(self)
    }
}

/// Reads a member that is a scalar.
pub(super) fn fill<'de, S: Scalar, A: MapAccess<'de>>(
    place: &mut Option<S>,
    map: &mut A,
    fault: &mut Option<Fault>,
) -> Result<(), A::Error> {
    map.next_value_seed(FillMember { place, on_fault: fault })
}

/// Reads a member that is a list; `null` leaves it absent.
pub(super) fn fill_list<'de, R: Row, A: MapAccess<'de>>(
    name: &'static str,
    place: &mut Option<Rows<R>>,
    map: &mut A,
) -> Result<(), A::Error> {
    let mut out = Collector::new();
    let path = Path::START.then(Step::Member(name));
    match map.next_value_seed(ElementSeed { out: &mut out, path, nesting: 0 })? {
        Outcome::Padding => *place = None,
        Outcome::Rows => *place = Some(out.finish()),
        Outcome::Scalar(value) => {
            out.push(Err(RowError::unexpected(&path, R::EXPECTED, value.as_str())));
            *place = Some(out.finish());
        }
    }
    Ok(())
}

/// The one row that an answer must have.
pub(super) fn only<R: Row>(name: &'static str, rows: Option<Rows<R>>) -> Result<R, RowError> {
    let missing = || RowError::missing(&Path::START, R::EXPECTED, name);
    rows.and_then(|rows| rows.into_iter().next()).ok_or_else(missing)?
}

/// Defines an answer.
///
/// A `list` may be absent, which says nothing about what there is; a `row` and what is `needed` must be there; what is
/// `optional` need not.
macro_rules! answer {
    (
        $(#[doc = $docs:literal])*
        pub struct $name:ident, $build:ident {
            $($(#[doc = $doc:literal])* $kind:ident $wire:literal $field:ident: $type:ty,)*
        }
    ) => {
        $(#[doc = $docs])*
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        pub struct $name {
            $($(#[doc = $doc])* pub $field: $crate::rest::payload::answer!(@type $kind $type),)*
        }

        /// The same while it is being read.
        #[derive(Default)]
        pub struct $build {
            $($field: $crate::rest::payload::answer!(@build $kind $type),)*
        }

        impl $crate::rest::payload::Payload for $name {
            type Build = $build;
        }

        impl $crate::rest::payload::Build<$name> for $build {
            fn fill<'de, A: serde::de::MapAccess<'de>>(
                &mut self,
                name: &str,
                map: &mut A,
                fault: &mut Option<$crate::scalar::Fault>,
            ) -> Result<Option<&'static str>, A::Error> {
                match name {
                    $($wire => {
                        $crate::rest::payload::answer!(@fill $kind $wire, &mut self.$field, map, fault);
                        Ok(Some($wire))
                    })*
                    _ => Ok(None),
                }
            }

            fn finish(self) -> Result<$name, $crate::decode::RowError> {
                Ok($name { $($field: $crate::rest::payload::answer!(@finish $kind $wire, self.$field),)* })
            }
        }
    };
    (@type list $type:ty) => { Option<$crate::Rows<$type>> };
    (@type row $type:ty) => { $type };
    (@type needed $type:ty) => { $type };
    (@type optional $type:ty) => { Option<$type> };
    (@build list $type:ty) => { Option<$crate::Rows<$type>> };
    (@build row $type:ty) => { Option<$crate::Rows<$type>> };
    (@build needed $type:ty) => { Option<$type> };
    (@build optional $type:ty) => { Option<$type> };
    (@fill list $wire:literal, $place:expr, $map:ident, $fault:ident) => {{
        let _ = &$fault;
        $crate::rest::payload::fill_list($wire, $place, $map)?;
    }};
    (@fill row $wire:literal, $place:expr, $map:ident, $fault:ident) => {
        $crate::rest::payload::answer!(@fill list $wire, $place, $map, $fault)
    };
    (@fill needed $wire:literal, $place:expr, $map:ident, $fault:ident) => {
        $crate::rest::payload::fill($place, $map, $fault)?
    };
    (@fill optional $wire:literal, $place:expr, $map:ident, $fault:ident) => {
        $crate::rest::payload::fill($place, $map, $fault)?
    };
    (@finish list $wire:literal, $place:expr) => { $place };
    (@finish row $wire:literal, $place:expr) => { $crate::rest::payload::only($wire, $place)? };
    (@finish needed $wire:literal, $place:expr) => {
        $place.ok_or_else(|| $crate::rest::payload::missing($wire))?
    };
    (@finish optional $wire:literal, $place:expr) => { $place };
}
pub(super) use answer;

#[cold]
pub(super) fn missing(name: &'static str) -> RowError {
    RowError::missing(&Path::START, "an answer", name)
}
