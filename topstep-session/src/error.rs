//! Why a stream could not be had.

use crate::gap::Subject;
use crate::keeper::Halt;

/// Why a subscription could not be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SubscribeError {
    /// The hub refused it, as it does without the entitlement that depth needs.
    #[error("the hub refused {subject}: {error}")]
    Refused {
        /// What was asked for.
        subject: Subject,
        /// The hub's words.
        error: String,
    },
    /// The hub would not take the token: it said so, or it hung up at once, which is how the user hub says so.
    #[error("the hub does not take the token: {explanation}")]
    Unauthorized {
        /// What it did.
        explanation: String,
    },
    /// Both hubs are left alone until [`Gateway::resume`](crate::Gateway::resume).
    #[error("the session is halted: {0}")]
    Halted(Halt),
    /// The session is over.
    #[error("the session is over")]
    Closed,
}

impl SubscribeError {
    /// The error as one word in snake case.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Refused { .. } => "refused",
            Self::Unauthorized { .. } => "unauthorized",
            Self::Halted(_) => "halted",
            Self::Closed => "closed",
        }
    }
}
