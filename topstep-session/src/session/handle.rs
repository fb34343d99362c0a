//! What every handle of a session has.

use std::sync::Arc;
use std::time::Duration;

use adapter_core::queue::{QueueRule, queue};
use adapter_core::{RetryMetrics, State};
use futures_util::future::BoxFuture;

use super::machine::SessionMachine;
use super::outlet::Outlet;
use super::pair::Pair;
use super::shared::Shared;
use crate::error::SubscribeError;
use crate::gap::{Gap, Subject};
use crate::link::Link;
use crate::observe::HubHealth;
use crate::stream::{Keep, Owner, Updates, Wish};
use crate::update::Update;

/// How many updates wait for a listener whose rule does not say.
const CAPACITY: usize = 1_024;

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

    /// Wants a subject until the wish is dropped. `None`: it cannot be followed.
    pub(crate) fn wish(self: &Arc<Self>, subject: Subject, keep: Option<Keep>) -> Option<Wish> {
        match self.shared.want(&subject, |_, _| {}) {
            Ok(_) => Some(Wish::new(subject, self.clone(), Arc::default(), keep)),
            Err(error) => {
                tracing::error!(kind = subject.kind(), reason = error.as_str(), "it cannot be followed");
                None
            }
        }
    }

    /// Listens to a subject, and waits until the hub has answered for it. `add` puts the listener's end among the others, and into it what
    /// somebody who is not the first is told first.
    pub(crate) async fn listen<T>(
        self: &Arc<Self>,
        subject: Subject,
        keep: Option<Keep>,
        (rule, cost): (QueueRule<Update<T>>, usize),
        add: impl FnOnce(&mut M::Outlets, Outlet<T>, Vec<M::Update>),
    ) -> Result<Updates<T>, SubscribeError> {
        if let Some(halt) = self.pair.halted() {
            return Err(SubscribeError::Halted(halt));
        }
        let (producer, consumer) = queue(rule, CAPACITY, self.link.budget());
        let is_gone = Arc::default();
        let outlet = Outlet::new(producer, cost, Arc::clone(&is_gone));
        let answer = self.shared.want(&subject, |outlets, first| add(outlets, outlet, first))?;
        // From here on it is taken back when this is dropped.
        let stream = Updates::new(consumer, Wish::new(subject, self.clone(), is_gone, keep));
        if let Some(halt) = self.pair.halted() {
            // It came in between, and may not have seen who waits.
            return Err(SubscribeError::Halted(halt));
        }
        answer.await.unwrap_or(Err(SubscribeError::Closed))?;
        Ok(stream)
    }

    pub(crate) fn health(&self) -> HubHealth {
        let LinkStatus { state, is_connected, connections, silence, retry_metrics } = self.status();
        let breaker_open = retry_metrics.map(|metrics| metrics.breaker.current_open).unwrap_or_default();
        let now = self.shared.now().mono;
        let tally = &mut self.shared.lock().tally;
        let (gaps_open, oldest_gap) = tally.gaps(now);
        HubHealth {
            hub: M::HUB,
            state,
            is_connected,
            connections,
            reconnects: tally.reconnects(),
            down: tally.down_for(now),
            silence,
            breaker_open,
            subscriptions: tally.subscriptions(),
            unanswered: tally.unanswered_for(now),
            gaps_open,
            oldest_gap,
            messages: tally.messages(),
            messages_per_second: tally.per_second(now),
            malformed: tally.malformed(),
            latency: tally.latency(now),
        }
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

    fn overflow(&self, subject: &Subject) -> Option<Gap> {
        self.shared.overflow(subject)
    }

    fn made_room(&self) {
        self.link.made_room();
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.shared.host().sleep(duration)
    }
}

impl<M: SessionMachine> Drop for Handle<M> {
    fn drop(&mut self) {
        self.shared.end();
    }
}
