//! What the hub published, and what of it each connection was sent: out of band, so that a test can ask.

mod late;
mod log;
mod ranges;
mod truth;

use std::time::Duration;

use crate::peers::Peer;

pub(crate) use late::{Late, LateEvents};
pub use log::LoggedEvent;
pub(crate) use log::{EventLog, Published};
pub(crate) use ranges::Ranges;
pub(crate) use truth::{subscriptions, truth};

/// What becomes of an event on its way to one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is queued now, and its number is among those sent.
    Deliver,
    /// It is never sent; its number is missing from those sent.
    Lose,
    /// It is queued later, behind others; its number is missing until then.
    Delay(Duration),
}

/// Decides about an event of a group, for one connection. It is asked while the book of connections is locked: it must
/// be quick and must not ask that book anything.
pub(crate) type Judge = dyn Fn(&Peer, Option<&str>) -> Verdict + Send + Sync;

/// A subscription of a connection, and which of its group's events the connection was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SentEvents {
    /// The group, such as `quotes/CON.F.US.EP.Z26` or `orders/10000001`.
    pub group: String,
    /// The numbers of the events in their group (see [`LoggedEvent::number`]), as ranges with both ends included.
    ///
    /// A hole between two ranges is an event that was lost, or has not come yet. What was published before the
    /// subscription lies before the first range.
    pub sent: Vec<(u64, u64)>,
}
