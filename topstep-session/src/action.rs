//! What a machine wants of its hub.

use crate::gap::Subject;

/// What is to be done at the hub.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// Somebody wants it for the first time: subscribe, and keep it subscribed over reconnects. The answer is `handle_subscribed` or
    /// `handle_refused`.
    Subscribe(Subject),
    /// Nobody wants it any more. No answer is expected.
    Unsubscribe(Subject),
    /// It is wanted still, and must begin anew: unsubscribe, then subscribe. The answer is as to `Subscribe`.
    Resubscribe(Subject),
}
