//! A hub that does what a script says.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, Weak};
use std::task::{Poll, Waker};
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

/// How many calls of the hub are remembered.
const CALLS: usize = 65_536;

/// One hub. It is connected as soon as a session wants it.
pub(super) struct ScriptLink<M: SessionMachine> {
    shared: Arc<Shared<M>>,
    hub: Mutex<HubState>,
    /// The latest calls of the hub.
    calls: Mutex<VecDeque<String>>,
    me: Weak<Self>,
}

#[derive(Default)]
struct HubState {
    is_connected: bool,
    is_lost: bool,
    is_mute: bool,
    asked: BTreeSet<Subject>,
    /// Those of them that have had no answer ever.
    unanswered: BTreeSet<Subject>,
    refused: BTreeMap<String, String>,
    /// Who waits for an answer.
    wakers: Vec<Waker>,
}

impl<M: SessionMachine> ScriptLink<M> {
    pub(super) fn new(shared: Arc<Shared<M>>) -> Arc<Self> {
        Arc::new_cyclic(|me| Self { shared, hub: Mutex::default(), calls: Mutex::default(), me: me.clone() })
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
        self.answer();
    }

    pub(super) fn end(&self, ending: Ending) {
        if !self.disconnect(false) {
            return;
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
        self.answer();
    }

    fn disconnect(&self, is_lost: bool) -> bool {
        let mut hub = lock(&self.hub);
        hub.is_lost = is_lost && hub.is_connected;
        std::mem::take(&mut hub.is_connected)
    }

    /// Whether the hub answers what it is asked.
    pub(super) fn set_mute(&self, is_mute: bool) {
        lock(&self.hub).is_mute = is_mute;
        self.answer();
    }

    /// What the hub was asked since this was called last.
    pub(super) fn take_calls(&self) -> Vec<String> {
        lock(&self.calls).drain(..).collect()
    }

    fn note(&self, call: String) {
        let mut calls = lock(&self.calls);
        if calls.len() == CALLS {
            calls.pop_front();
        }
        calls.push_back(call);
    }

    /// Answers for everything that this connection has not answered for.
    fn answer(&self) {
        let (restored, refused, wakers) = {
            let mut hub = lock(&self.hub);
            if !hub.is_connected || hub.is_mute {
                return;
            }
            let restored: Vec<_> = hub.asked.difference(&hub.unanswered).cloned().collect();
            (restored, hub.refused.clone(), std::mem::take(&mut hub.wakers))
        };
        for subject in restored {
            self.shared.hear(match refused.get(&subject.to_string()) {
                Some(words) => LinkNews::Refused(subject, words.clone()),
                None => LinkNews::Subscribed(subject),
            });
        }
        self.shared.hear(LinkNews::Life(Lifecycle::Restored));
        wakers.into_iter().for_each(Waker::wake);
    }

    /// The first answer, if there is one.
    fn poll_answer(&self, subject: &Subject, waker: &Waker) -> Poll<Result<(), LinkError>> {
        let refused = {
            let mut hub = lock(&self.hub);
            if !hub.unanswered.contains(subject) {
                return Poll::Ready(Err(LinkError::Unanswered));
            }
            if !hub.is_connected || hub.is_mute {
                hub.wakers.push(waker.clone());
                return Poll::Pending;
            }
            hub.unanswered.remove(subject);
            let refused = hub.refused.get(&subject.to_string()).cloned();
            if refused.is_some() {
                hub.asked.remove(subject);
            }
            refused
        };
        if let Some(words) = refused {
            return Poll::Ready(Err(LinkError::Refused(words)));
        }
        self.shared.hear(LinkNews::Subscribed(subject.clone()));
        Poll::Ready(Ok(()))
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
        self.note(format!("subscribe {subject}"));
        {
            let mut hub = lock(&self.hub);
            hub.asked.insert(subject.clone());
            hub.unanswered.insert(subject.clone());
        }
        let (me, subject) = (self.me.clone(), subject.clone());
        std::future::poll_fn(move |context| match me.upgrade() {
            Some(link) => link.poll_answer(&subject, context.waker()),
            None => Poll::Ready(Err(LinkError::Unanswered)),
        })
        .boxed()
    }

    fn unsubscribe(&self, subject: &Subject) -> BoxFuture<'static, ()> {
        self.note(format!("unsubscribe {subject}"));
        let wakers = {
            let mut hub = lock(&self.hub);
            hub.asked.remove(subject);
            hub.unanswered.remove(subject);
            std::mem::take(&mut hub.wakers)
        };
        wakers.into_iter().for_each(Waker::wake);
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
