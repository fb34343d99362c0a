//! What every handle of a session has.

use std::sync::Arc;
use std::time::Duration;

use adapter_core::{RetryMetrics, State};

use super::machine::SessionMachine;
use super::pair::Pair;
use super::shared::Shared;
use crate::error::SubscribeError;
use crate::gap::{GapNotice, Subject};
use crate::link::Link;
use crate::stream::{Keep, Owner, Wish};

/// How a hub's connection stands.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct LinkStatus {
    /// The state of the connection.
    pub state: State,
    /// Whether the hub's events are heard.
    pub is_connected: bool,
    /// How many connections there have been.
    pub connections: u64,
    /// How long the hub has not been heard; `None` before the first connection. What is known is true as of then.
    pub silence: Option<Duration>,
    /// What reconnecting has cost; `None` without a network.
    pub retry_metrics: Option<RetryMetrics>,
}

/// A session's handle: with the last one the session ends.
pub(crate) struct Handle<M: SessionMachine> {
    pub(crate) shared: Arc<Shared<M>>,
    pub(crate) link: Arc<dyn Link>,
    pair: Arc<Pair>,
}

impl<M: SessionMachine> Handle<M> {
    pub(crate) fn new(shared: Arc<Shared<M>>, link: Arc<dyn Link>, pair: Arc<Pair>) -> Self {
        Self { shared, link, pair }
    }

    /// Wants a subject until the wish is dropped.
    pub(crate) fn wish(self: &Arc<Self>, subject: Subject, keep: Option<Keep>) -> Wish {
        drop(self.shared.want(&subject));
        Wish::new(subject, self.clone(), keep)
    }

    /// Wants a subject, and waits until the hub has answered for it.
    pub(crate) async fn want(&self, subject: &Subject) -> Result<(), SubscribeError> {
        if let Some(halt) = self.pair.halted() {
            // The wish that this ends with takes it back.
            drop(self.shared.want(subject));
            return Err(SubscribeError::Halted(halt));
        }
        self.shared.want(subject).await.unwrap_or(Err(SubscribeError::Closed))
    }

    pub(crate) fn status(&self) -> LinkStatus {
        let (is_connected, connections) = {
            let core = self.shared.lock();
            (core.is_connected, core.connections)
        };
        LinkStatus {
            state: self.link.state(),
            is_connected,
            connections,
            silence: self.link.silence(),
            retry_metrics: self.link.retry_metrics(),
        }
    }
}

impl<M: SessionMachine> Owner for Handle<M> {
    fn unwant(&self, subject: &Subject) {
        self.shared.unwant(subject);
    }

    fn overflow(&self, subject: &Subject) -> Option<GapNotice> {
        self.shared.overflow(subject)
    }

    fn made_room(&self) {
        self.link.made_room();
    }
}

impl<M: SessionMachine> Drop for Handle<M> {
    fn drop(&mut self) {
        self.shared.end();
    }
}
