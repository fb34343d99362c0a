//! What is wrong with a row, or with all arguments of an event.

use std::fmt;

use super::path::{Path, Step};
use crate::excerpt::{Excerpt, harmless};
use crate::scalar::Fault;

/// Says what is wrong with one row of an event; the rows beside it are not affected.
///
/// What it repeats of the row is cut to 64 characters, with control characters escaped. A type of one word: it is rare, and
/// the rows it stands among are moved often.
#[derive(Clone, PartialEq, Eq)]
pub struct RowError(Box<Detail>);

#[derive(Clone, PartialEq, Eq)]
struct Detail {
    place: String,
    fault: Fault,
}

impl RowError {
    /// Where it is: `[1][3].price` is the member `price` of the fourth row of the second argument.
    ///
    /// It begins at the arguments, or at the answer in REST, and is empty for all of it.
    pub fn place(&self) -> &str {
        &self.0.place
    }

    /// What should be there, such as `a decimal number` or `an order`.
    pub fn expected(&self) -> &'static str {
        self.0.fault.expected()
    }

    /// What is there, cut to 64 characters; `None` where nothing is, or where it is a secret.
    pub fn excerpt(&self) -> Option<&str> {
        self.0.fault.excerpt()
    }

    /// What is wrong, in a sentence without the place.
    pub fn message(&self) -> &str {
        self.0.fault.reason()
    }

    #[cold]
    pub(crate) fn new(path: &Path<'_>, fault: Fault) -> Self {
        Self(Box::new(Detail { place: path.to_string(), fault }))
    }

    #[cold]
    pub(crate) fn missing(path: &Path<'_>, expected: &'static str, name: &'static str) -> Self {
        Self::new(
            &path.then(Step::Member(name)),
            Fault::missing(expected, format!("missing `{name}`, expected {expected}")),
        )
    }

    /// Something of another kind stands in the place of a row.
    #[cold]
    pub(crate) fn unexpected(path: &Path<'_>, expected: &'static str, found: &str) -> Self {
        let reason = format!("{} is not {expected}", Excerpt::new(found));
        Self::new(path, Fault::new(expected, reason, found))
    }
}

impl fmt::Display for RowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.place().is_empty() {
            f.write_str(self.message())
        } else {
            write!(f, "at {}: {}", self.place(), self.message())
        }
    }
}

impl fmt::Debug for RowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RowError({self})")
    }
}

impl std::error::Error for RowError {}

/// Says why no row of an event's arguments could be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// No event of the venue has this name; the case of letters counts.
    #[error("no event has the name {0}")]
    UnknownTarget(
        /// The name, cut and escaped.
        String,
    ),
    /// The text is no JSON, or no list of arguments that the event has.
    #[error("{0}")]
    Arguments(
        /// What is wrong, and where; it repeats at most 64 characters of a value.
        String,
    ),
}

impl DecodeError {
    pub(crate) fn unknown_target(name: &str) -> Self {
        Self::UnknownTarget(Excerpt::new(name).to_string())
    }

    pub(crate) fn arguments(error: &impl fmt::Display) -> Self {
        Self::Arguments(harmless(error))
    }
}
