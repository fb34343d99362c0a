//! The arguments of an event.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, SeqAccess, Visitor};

use super::element::{Collector, ElementSeed, Outcome};
use super::error::RowError;
use super::path::{Path, Step};
use super::rows::Rows;
use super::scalar_value::ScalarValue;
use super::sequence::is_id;
use crate::ContractId;
use crate::event::{Event, Hub};
use crate::excerpt::Excerpt;
use crate::row::Decode;

impl<'de, E: Event> Deserialize<'de> for Rows<E> {
    /// Reads all arguments of an event, in whatever shape; see [`UserEvent`](crate::UserEvent) and
    /// [`MarketEvent`](crate::MarketEvent).
    ///
    /// # Errors
    ///
    /// The arguments as a whole are none of this event: not an array, too few or too many, a first argument that is no id.
    #[inline]
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ArgumentsVisitor(PhantomData)).map(Collector::finish)
    }
}

/// Reads the arguments, and does not close the collection.
pub(super) struct ArgumentsVisitor<E>(pub(super) PhantomData<E>);

impl<'de, E: Event> Visitor<'de> for ArgumentsVisitor<E> {
    type Value = Collector<E>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the arguments of {}", E::Row::EXPECTED)
    }

    #[inline]
    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Collector<E>, A::Error> {
        read(InOrder(seq, PhantomData))
    }
}

/// Where arguments come from, one by one.
pub(super) trait Source<E> {
    type Error: Error;

    /// Reads the next argument into the collector.
    fn next(&mut self, out: &mut Collector<E>, path: Path<'_>) -> Result<Option<Outcome>, Self::Error>;

    /// Whether there is one more.
    fn has_more(&mut self) -> Result<bool, Self::Error>;
}

struct InOrder<'de, A>(A, PhantomData<&'de ()>);

impl<'de, E: Event, A: SeqAccess<'de>> Source<E> for InOrder<'de, A> {
    type Error = A::Error;

    #[inline]
    fn next(&mut self, out: &mut Collector<E>, path: Path<'_>) -> Result<Option<Outcome>, A::Error> {
        self.0.next_element_seed(ElementSeed { out, path, nesting: 0 })
    }

    #[inline]
    fn has_more(&mut self) -> Result<bool, A::Error> {
        Ok(self.0.next_element::<IgnoredAny>()?.is_some())
    }
}

/// Reads one argument, or two of which the first is an id.
#[inline]
pub(super) fn read<E: Event, S: Source<E>>(mut source: S) -> Result<Collector<E>, S::Error> {
    let mut out = Collector::new();
    let first = Path::START.then(Step::Index(0));
    let Some(outcome) = source.next(&mut out, first)? else {
        return Err(S::Error::custom(format_args!("no arguments, expected those of {}", E::Row::EXPECTED)));
    };
    if !matches!(outcome, Outcome::Rows) {
        let second = Path::START.then(Step::Index(1));
        let id = match (&outcome, E::HUB) {
            (Outcome::Scalar(ScalarValue::Text(contract)), Hub::Market) => {
                out.contract = Some(ContractId::from(contract.clone()));
                true
            }
            (Outcome::Scalar(value), Hub::User) => is_id(value),
            (Outcome::Scalar(_), Hub::Market) => false,
            (Outcome::Padding | Outcome::Rows, _) => true,
        };
        match (source.next(&mut out, second)?, outcome) {
            (None, Outcome::Scalar(value)) if matches!(E::HUB, Hub::User) => {
                out.push(Err(RowError::unexpected(&first, E::Row::EXPECTED, value.as_str())));
            }
            (None, Outcome::Scalar(_)) => {
                return Err(S::Error::custom(format_args!("1 argument, expected a contract and {}", E::Row::EXPECTED)));
            }
            (Some(_), Outcome::Scalar(value)) if !id => {
                let wanted = if matches!(E::HUB, Hub::User) { "an account" } else { "a contract" };
                let found = Excerpt::new(value.as_str());
                return Err(S::Error::custom(format_args!("at [0]: {found} is not the id of {wanted}")));
            }
            (Some(Outcome::Scalar(value)), _) => {
                out.push(Err(RowError::unexpected(&second, E::Row::EXPECTED, value.as_str())));
            }
            _ => {}
        }
    }
    if source.has_more()? {
        return Err(S::Error::custom(format_args!("more arguments than those of {}", E::Row::EXPECTED)));
    }
    Ok(out)
}
