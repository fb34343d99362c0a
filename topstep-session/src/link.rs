//! A hub as a session sees it: something to subscribe at, that comes and goes.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use adapter_core::{Event, HubConnection, RetryMetrics, Runtime, State, SubscribeError, Subscription, SubscriptionKey};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use signalr_proto::StartError;
use signalr_proto::error::Rejection;
use signalr_proto::sink::Budget;
use topstep_model::{AccountId, ContractId, Target};

use crate::gap::Subject;
use crate::lifecycle::Lifecycle;

/// A hub as a session sees it.
///
/// It may only be called while no session's lock is held: what it tells, it tells under a lock of its own. That the hub sends a subject is
/// such news ([`LinkNews::Subscribed`]), in its place among the records; what a call here resolves to only says how the asking ended.
pub(crate) trait Link: Send + Sync {
    /// Connects; resolves when that has turned out.
    fn start(&self) -> BoxFuture<'static, Result<(), StartError>>;

    /// Hangs up.
    fn stop(&self) -> BoxFuture<'static, ()>;

    /// Asks the hub for a subject, for good: a reconnect restores it. It is asked for when this is called, not when it is first polled.
    fn subscribe(&self, subject: &Subject) -> BoxFuture<'static, Result<(), LinkError>>;

    /// Ends that, when it is called.
    fn unsubscribe(&self, subject: &Subject) -> BoxFuture<'static, ()>;

    /// Cuts a wait for the next attempt short.
    fn reconnect_now(&self);

    /// The longest wait between two attempts from now on; `None`: the policy's own.
    fn set_max_delay(&self, longest: Option<Duration>);

    /// A reader that was full has room.
    fn made_room(&self);

    /// Counts what waits unread of this hub.
    fn budget(&self) -> Budget;

    /// How long nothing was heard; `None` before the first connection.
    fn silence(&self) -> Option<Duration>;

    /// The state of the connection.
    fn state(&self) -> State;

    /// What reconnecting has cost; `None` where there is nothing to reconnect.
    fn retry_metrics(&self) -> Option<RetryMetrics>;
}

/// Why a hub did not agree to a subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LinkError {
    /// It refused, and is asked no more.
    Refused(String),
    /// It did not answer. The connection asks again by itself, and says when it has agreed.
    Unanswered,
}

/// A real hub.
pub(crate) struct HubLink<R> {
    connection: HubConnection<R>,
    subscriptions: Mutex<BTreeMap<Subject, Subscription>>,
    /// The hub is asked for nothing: it sends what it sends.
    is_unasked: bool,
}

impl<R: Runtime> HubLink<R> {
    pub(crate) fn new(connection: HubConnection<R>) -> Self {
        Self { connection, subscriptions: Mutex::default(), is_unasked: false }
    }

    /// A hub that sends without being asked.
    pub(crate) fn unasked(connection: HubConnection<R>) -> Self {
        Self { is_unasked: true, ..Self::new(connection) }
    }

    fn subscription(&self, subject: &Subject) -> Result<Subscription, Rejection> {
        let mut subscriptions = self.subscriptions.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = subscriptions.get(subject) {
            return Ok(known.clone());
        }
        let methods = subject.methods();
        let subscription = match subject {
            Subject::Accounts => self.connection.subscription(methods, ()),
            Subject::Orders(account) | Subject::Positions(account) | Subject::Trades(account) => {
                self.connection.subscription(methods, (account,))
            }
            Subject::Quotes(contract) | Subject::MarketTrades(contract) | Subject::Depth(contract) => {
                self.connection.subscription(methods, (contract,))
            }
        }?;
        let subscription = subscription.feeding(subject.target().name());
        subscriptions.insert(subject.clone(), subscription.clone());
        Ok(subscription)
    }
}

impl<R: Runtime> Link for HubLink<R> {
    fn start(&self) -> BoxFuture<'static, Result<(), StartError>> {
        let connection = self.connection.clone();
        async move { connection.start().await }.boxed()
    }

    fn stop(&self) -> BoxFuture<'static, ()> {
        let connection = self.connection.clone();
        async move { connection.stop().await }.boxed()
    }

    fn subscribe(&self, subject: &Subject) -> BoxFuture<'static, Result<(), LinkError>> {
        if self.is_unasked {
            return std::future::ready(Ok(())).boxed();
        }
        let subscription = self.subscription(subject);
        at_once(async move {
            let refused = |rejection: Rejection| LinkError::Refused(rejection.to_string());
            match subscription.map_err(refused)?.subscribe().await {
                Ok(()) => Ok(()),
                Err(SubscribeError::Hub(error)) => Err(LinkError::Refused(error.to_string())),
                Err(SubscribeError::Rejected(rejection)) => Err(refused(rejection)),
                Err(_) => Err(LinkError::Unanswered),
            }
        })
    }

    fn unsubscribe(&self, subject: &Subject) -> BoxFuture<'static, ()> {
        let known = self.subscriptions.lock().unwrap_or_else(PoisonError::into_inner).remove(subject);
        // The hub's answer changes nothing: nobody listens any more.
        at_once(async move {
            if let Some(subscription) = known {
                drop(subscription.unsubscribe().await);
            }
        })
    }

    fn reconnect_now(&self) {
        self.connection.reconnect_now();
    }

    fn set_max_delay(&self, longest: Option<Duration>) {
        self.connection.set_max_delay(longest);
    }

    fn made_room(&self) {
        self.connection.made_room();
    }

    fn budget(&self) -> Budget {
        self.connection.budget()
    }

    fn silence(&self) -> Option<Duration> {
        self.connection.silence()
    }

    fn state(&self) -> State {
        self.connection.state()
    }

    fn retry_metrics(&self) -> Option<RetryMetrics> {
        Some(self.connection.retry_metrics())
    }
}

/// Begins at once: what is asked of a connection is asked in the order of the calls, whoever polls what first.
fn at_once<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> BoxFuture<'static, T> {
    let mut work = work.boxed();
    match work.poll_unpin(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => std::future::ready(outcome).boxed(),
        // Whoever polls it next leaves a waker of its own.
        Poll::Pending => work,
    }
}

/// What a link tells its session.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum LinkNews {
    Life(Lifecycle),
    /// The hub sends this subject from here on, for the first time or again.
    Subscribed(Subject),
    /// The hub refused to restore it. It is tried again.
    Refused(Subject, String),
}

impl LinkNews {
    /// What a connection's event says to a session, if anything.
    pub(crate) fn of(event: &Event) -> Option<Self> {
        Some(match event {
            Event::Connected(_) => Self::Life(Lifecycle::Connected),
            Event::Reconnecting(reason) => Self::Life(Lifecycle::Reconnecting(reason.into())),
            Event::Waiting { attempt, delay, reason, .. } => {
                Self::Life(Lifecycle::Waiting { attempt: *attempt, delay: *delay, why: reason.into() })
            }
            Event::Reconnected(_) => Self::Life(Lifecycle::Reconnected),
            Event::Restored => Self::Life(Lifecycle::Restored),
            Event::Interrupted(reason) => Self::Life(Lifecycle::Interrupted(reason.into())),
            Event::Resumed => Self::Life(Lifecycle::Resumed),
            Event::Disconnected(reason) => Self::Life(Lifecycle::Disconnected(reason.into())),
            Event::Subscribed { key } | Event::GapClosed { key } => Self::Subscribed(Subject::of(key)?),
            Event::SubscriptionFailed { key, error } => Self::Refused(Subject::of(key)?, error.to_string()),
            _ => return None,
        })
    }
}

impl Subject {
    /// The hub's methods that subscribe and unsubscribe.
    fn methods(&self) -> (&'static str, &'static str) {
        let (subscribe, unsubscribe, _) = self.target().methods().expect("whatever can be followed has methods");
        (subscribe, unsubscribe)
    }

    /// The target whose events it brings.
    pub(crate) fn target(&self) -> Target {
        match self {
            Self::Accounts => Target::UserAccount,
            Self::Orders(_) => Target::UserOrder,
            Self::Positions(_) => Target::UserPosition,
            Self::Trades(_) => Target::UserTrade,
            Self::Quotes(_) => Target::Quote,
            Self::MarketTrades(_) => Target::Trade,
            Self::Depth(_) => Target::Depth,
        }
    }

    /// The subject of one of our own subscriptions.
    pub(crate) fn of(key: &SubscriptionKey) -> Option<Self> {
        let call = key.subscribe();
        let account = || serde_json::from_str::<(AccountId,)>(&call.arguments).ok().map(|(account,)| account);
        let contract = || serde_json::from_str::<(ContractId,)>(&call.arguments).ok().map(|(contract,)| contract);
        let target =
            Target::ALL.into_iter().find(|target| target.methods().is_some_and(|names| names.0 == call.target));
        Some(match target? {
            Target::UserAccount => Self::Accounts,
            Target::UserOrder => Self::Orders(account()?),
            Target::UserPosition => Self::Positions(account()?),
            Target::UserTrade => Self::Trades(account()?),
            Target::Quote => Self::Quotes(contract()?),
            Target::Trade => Self::MarketTrades(contract()?),
            Target::Depth => Self::Depth(contract()?),
            _ => return None,
        })
    }
}
