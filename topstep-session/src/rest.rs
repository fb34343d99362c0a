//! How a call of the REST API ends.
//!
//! A call that reads is tried up to three times, 1 s and 2 s apart, and ends in its answer or in a [`CallError`]. A call that changes something
//! at the venue is sent once. It ends in its answer, in an error of which it is certain that nothing happened
//! ([`CallError::is_definite`]), or in [`CallError::OutcomeUnknown`]: then it may have happened, and
//! [`Gateway::settle`](crate::Gateway::settle) finds out what can be found out.

mod unknown;

use std::time::Duration;

use topstep_model::rest::{ApiError, ProblemDetails, Refusal};
use topstep_model::{Code, RowError};

use crate::login::LoginError;
pub use unknown::{Mutation, OutcomeUnknown, Settled};

/// Why a call brought nothing. `C` is the call's own list of error codes.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError<C: Code> {
    /// The venue understood the call and says no, in its own words; where an order was made and rejected at once, with its id.
    #[error(transparent)]
    Refused(Refusal<C>),
    /// It was never sent: the venue cannot be reached, or the call's time or its place in the rate budget was over before its turn came.
    #[error("not sent: {reason}")]
    NotSent {
        /// Why; it names host and port at most.
        reason: String,
    },
    /// It was never sent, or had no effect: there is no good token.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// The venue wants fewer calls (HTTP 429); this one had no effect.
    #[error("too many calls (HTTP 429)")]
    TooManyRequests {
        /// How long it wants to be left alone, if it says so.
        retry_after: Option<Duration>,
    },
    /// The venue cannot read the call (HTTP 400); it had no effect.
    #[error("the venue cannot read the request (HTTP 400): {0}")]
    BadRequest(ProblemDetails),
    /// A status that is no answer, a second 401 for example. After a status from 500 up, a call that changes something ends as [`OutcomeUnknown`](Self::OutcomeUnknown)
    /// instead.
    #[error("HTTP status {0}")]
    Status(u16),
    /// A call that only reads got no answer, however often it was tried.
    #[error("no answer: {reason}")]
    NoAnswer {
        /// Why; it names host and port at most.
        reason: String,
    },
    /// The answer to a call that only reads is not what the call brings.
    #[error("the answer cannot be read: {0}")]
    Malformed(RowError),
    /// The answer has no list, which is not the same as an empty one.
    #[error("the answer has no list")]
    NoList,
    /// The call changes something, and nobody knows whether it did: no answer came, or one that only says "pending" or "unknown error". It is not
    /// sent again.
    #[error(transparent)]
    OutcomeUnknown(Box<OutcomeUnknown>),
}

impl<C: Code> CallError<C> {
    /// Whether it is certain that the call changed nothing at the venue.
    pub fn is_definite(&self) -> bool {
        !matches!(self, Self::OutcomeUnknown(_))
    }

    /// Whether the venue was too slow or could not be reached, so that asking again may help.
    pub fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::NotSent { .. }
                | Self::NoAnswer { .. }
                | Self::TooManyRequests { .. }
                | Self::Status(500..)
                | Self::Login(LoginError::Unreachable { .. } | LoginError::Busy)
        )
    }

    /// What came back and is no success, of a call that only reads.
    pub(crate) fn of(error: ApiError<C>) -> Self {
        match error {
            ApiError::Refused(refusal) => Self::Refused(refusal),
            ApiError::Unauthorized => Self::Status(401),
            ApiError::TooManyRequests { retry_after } => Self::TooManyRequests { retry_after },
            ApiError::BadRequest(problem) => Self::BadRequest(problem),
            ApiError::Status { status, .. } => Self::Status(status),
            ApiError::Malformed(error) => Self::Malformed(error),
            // The list of the model may grow; what it is, it is no answer.
            other => Self::NoAnswer { reason: other.to_string() },
        }
    }

    /// The error as one word in snake case.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Refused(_) => "refused",
            Self::NotSent { .. } => "not_sent",
            Self::Login(_) => "login",
            Self::TooManyRequests { .. } => "too_many_requests",
            Self::BadRequest(_) => "bad_request",
            Self::Status(_) => "status",
            Self::NoAnswer { .. } => "no_answer",
            Self::Malformed(_) => "malformed",
            Self::NoList => "no_list",
            Self::OutcomeUnknown(_) => "outcome_unknown",
        }
    }
}
