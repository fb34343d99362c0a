//! A hub that does what a script says.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, Weak};
use std::task::Poll;
use std::time::Duration;

use adapter_core::{Cause, RetryMetrics, State};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use signalr_proto::StartError;
use signalr_proto::sink::Budget;

use super::lock;
use crate::gap::Subject;
use crate::lifecycle::{Ending, Lifecycle};
use crate::link::{Link, LinkError, LinkNews};
use crate::session::{SessionMachine, Shared};

/// One hub. It is connected as soon as a session wants it.
pub(super) struct ScriptLink<M: SessionMachine> {
    shared: Arc<Shared<M>>,
    hub: Arc<Mutex<HubState>>,
    me: Weak<Self>,
}

#[derive(Default)]
struct HubState {
    is_connected: bool,
    is_lost: bool,
    asked: BTreeSet<Subject>,
    refused: BTreeMap<String, String>,
}

impl<M: SessionMachine> ScriptLink<M> {
    pub(super) fn new(shared: Arc<Shared<M>>) -> Arc<Self> {
        Arc::new_cyclic(|me| Self { shared, hub: Arc::default(), me: me.clone() })
    }

    pub(super) fn shared(&self) -> &Shared<M> {
        &self.shared
    }

    pub(super) fn is_connected(&self) -> bool {
        lock(&self.hub).is_connected
    }

    pub(super) fn refuse(&self, subject: &str, words: Option<&str>) {
        let refused = &mut lock(&self.hub).refused;
        match words {
            Some(words) => refused.insert(subject.to_owned(), words.to_owned()),
            None => refused.remove(subject),
        };
    }

    pub(super) fn lose(&self, cause: Cause) {
        if !self.disconnect(true) {
            return;
        }
        let asked = lock(&self.hub).asked.clone();
        for subject in &asked {
            self.shared.gap(subject, cause);
        }
        let ending = Ending { cause, explanation: "the script lost the connection".to_owned(), may_retry: true };
        self.shared.hear(LinkNews::Life(Lifecycle::Reconnecting(ending)));
    }

    pub(super) fn restore(&self) {
        {
            let mut hub = lock(&self.hub);
            if !hub.is_lost {
                return;
            }
            hub.is_lost = false;
            hub.is_connected = true;
        }
        self.shared.hear(LinkNews::Life(Lifecycle::Reconnected));
        self.agree_to_all();
        self.shared.hear(LinkNews::Life(Lifecycle::Restored));
    }

    pub(super) fn end(&self, ending: Ending) {
        if !self.disconnect(false) {
            return;
        }
        let asked = lock(&self.hub).asked.clone();
        for subject in &asked {
            self.shared.gap(subject, ending.cause);
        }
        self.shared.hear(LinkNews::Life(Lifecycle::Disconnected(ending)));
    }

    fn connect(&self) {
        {
            let mut hub = lock(&self.hub);
            if hub.is_connected {
                return;
            }
            hub.is_connected = true;
            hub.is_lost = false;
        }
        self.shared.hear(LinkNews::Life(Lifecycle::Connected));
        self.agree_to_all();
    }

    fn disconnect(&self, is_lost: bool) -> bool {
        let mut hub = lock(&self.hub);
        hub.is_lost = is_lost && hub.is_connected;
        std::mem::take(&mut hub.is_connected)
    }

    fn agree_to_all(&self) {
        let (asked, refused) = {
            let hub = lock(&self.hub);
            (hub.asked.clone(), hub.refused.clone())
        };
        for subject in asked {
            self.shared.hear(match refused.get(&subject.to_string()) {
                Some(words) => LinkNews::Refused(subject, words.clone()),
                None => LinkNews::Subscribed(subject),
            });
        }
    }
}

impl<M: SessionMachine> Link for ScriptLink<M> {
    fn start(&self) -> BoxFuture<'static, Result<(), StartError>> {
        let me = self.me.clone();
        async move {
            if let Some(link) = me.upgrade() {
                link.connect();
            }
            Ok(())
        }
        .boxed()
    }

    fn stop(&self) -> BoxFuture<'static, ()> {
        let me = self.me.clone();
        async move {
            let Some(link) = me.upgrade() else { return };
            let ending = Ending { cause: Cause::Stopped, explanation: "it was stopped".to_owned(), may_retry: false };
            link.end(ending);
        }
        .boxed()
    }

    fn subscribe(&self, subject: &Subject) -> BoxFuture<'static, Result<(), LinkError>> {
        lock(&self.hub).asked.insert(subject.clone());
        let (hub, subject) = (self.hub.clone(), subject.clone());
        // Polled again whenever the script has done something.
        std::future::poll_fn(move |_| {
            let mut hub = lock(&hub);
            if !hub.is_connected {
                return Poll::Pending;
            }
            match hub.refused.get(&subject.to_string()).cloned() {
                Some(words) => {
                    hub.asked.remove(&subject);
                    Poll::Ready(Err(LinkError::Refused(words)))
                }
                None => Poll::Ready(Ok(())),
            }
        })
        .boxed()
    }

    fn unsubscribe(&self, subject: &Subject) -> BoxFuture<'static, ()> {
        lock(&self.hub).asked.remove(subject);
        std::future::ready(()).boxed()
    }

    fn reconnect_now(&self) {}

    fn set_max_delay(&self, _: Option<Duration>) {}

    fn made_room(&self) {}

    fn budget(&self) -> Budget {
        Budget::default()
    }

    fn silence(&self) -> Option<Duration> {
        let is_connected = lock(&self.hub).is_connected;
        is_connected.then_some(Duration::ZERO)
    }

    fn state(&self) -> State {
        let hub = lock(&self.hub);
        match (hub.is_connected, hub.is_lost) {
            (true, _) => State::Connected,
            (false, true) => State::Reconnecting,
            (false, false) => State::Disconnected,
        }
    }

    fn retry_metrics(&self) -> Option<RetryMetrics> {
        None
    }
}
