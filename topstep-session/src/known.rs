//! How something is known.

use std::fmt;

/// How well a value is known, flat and empty included.
///
/// What is [`Verified`](Self::Verified) or [`Live`](Self::Live) is true as of the last byte heard from the hub. After a loss that nobody could
/// see it may be wrong for the server timeout, or until the next audit, no longer. A terminal order and a trade are final: nothing lowers how
/// they are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Known {
    /// The hub is not connected; of a quote also: too old, or a side of it is from before a gap.
    Stale,
    /// A gap is open on it, or REST has not answered for it yet, or its reads would not stand still.
    Provisional,
    /// The stream said so, and nothing was lost since.
    Live,
    /// REST said so, after the last gap.
    Verified,
}

impl Known {
    /// The weaker of two: what is worked out of several values is known as well as the weakest of them.
    #[must_use]
    pub fn weaker(self, other: Self) -> Self {
        self.min(other)
    }

    /// The level as one word in lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stale => "stale",
            Self::Provisional => "provisional",
            Self::Live => "live",
            Self::Verified => "verified",
        }
    }
}

impl fmt::Display for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Who said it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Source {
    /// The hub, as it happened.
    Stream,
    /// REST, in answer to a question of ours: the stream did not say it, or not yet.
    Rest,
}

impl Source {
    /// The source as one word in lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stream => "stream",
            Self::Rest => "rest",
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
