//! What a session's streams yield.

use crate::gap::GapNotice;
use crate::known::{Known, Source};

/// A value with where it comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct Told<T> {
    /// The value.
    pub value: T,
    /// Who said it.
    pub source: Source,
    /// How it was known at that moment.
    pub known: Known,
}

/// An event that cannot be read, or one row of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    /// The hub's target.
    pub target: &'static str,
    /// What does not fit and where. Cut, with control characters escaped; of the user hub it holds no payload.
    pub message: String,
}

/// One item of a session's stream, in order: a value, or why there may be none.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Update<T> {
    /// A value.
    Value(Told<T>),
    /// A gap opened, or closed.
    Gap(GapNotice),
    /// Something came that cannot be read.
    Malformed(Malformed),
    /// This stream was read so slowly that so many updates are missing here, and no gap tells it.
    Lagged(u64),
    /// What was held back for an open gap comes before it has closed: it took too long, or became too much. Only of a
    /// [`Held`](crate::Held) stream.
    Unheld,
}

impl<T> Update<T> {
    /// The value, if it is one.
    pub fn into_value(self) -> Option<T> {
        match self {
            Self::Value(told) => Some(told.value),
            Self::Gap(_) | Self::Malformed(_) | Self::Lagged(_) | Self::Unheld => None,
        }
    }
}
