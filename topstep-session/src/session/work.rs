//! What a session has its task do.

use std::time::Duration;

use futures_channel::oneshot;
use signalr_proto::time::Instant;
use topstep_model::Logout;

use crate::action::Action;
use crate::gap::Subject;
use crate::lifecycle::Lifecycle;
use crate::user::{Query, Ticket};

/// What the task is asked to do.
#[derive(Debug)]
pub(crate) enum Order {
    /// The connection's life went on.
    Life(Lifecycle),
    /// The hub agreed to something.
    Agreed,
    /// The hub says that another login ended ours.
    LoggedOut(Logout),
    /// Leaves the hub alone.
    Halt(oneshot::Sender<()>),
    /// Begins again.
    Resume,
    /// Makes the attempt that is waited for now.
    ReconnectNow,
    /// Somebody waits for what the hub has refused: it is asked for again now.
    Ask(Subject),
}

/// What there is for the task to do.
#[derive(Default)]
pub(crate) struct Work {
    pub(crate) orders: Vec<Order>,
    pub(crate) wishes: Vec<Action>,
    pub(crate) queries: Vec<(Ticket, Query)>,
    pub(crate) deadline: Option<Instant>,
    pub(crate) max_delay: Option<Duration>,
    pub(crate) is_over: bool,
}
