//! Durable subscriptions as the application holds them.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;
use signalr_proto::error::{OutcomeUnknown, Rejection};
use signalr_proto::subscription::{MethodCall, SubscriptionKey, SubscriptionRequest};
use signalr_proto::{Command, Reply, SubscribeError, Token, UnsubscribeError};

use crate::arguments;
use crate::shared::Lifeline;

/// The names of the hub's methods that subscribe and unsubscribe: a pair, or one name where there is no method to unsubscribe.
#[derive(Debug, Clone)]
pub struct SubscriptionMethods {
    subscribe: String,
    unsubscribe: Option<String>,
}

impl From<&str> for SubscriptionMethods {
    fn from(subscribe: &str) -> Self {
        Self { subscribe: subscribe.to_owned(), unsubscribe: None }
    }
}

impl From<(&str, &str)> for SubscriptionMethods {
    fn from((subscribe, unsubscribe): (&str, &str)) -> Self {
        Self { subscribe: subscribe.to_owned(), unsubscribe: Some(unsubscribe.to_owned()) }
    }
}

/// One subscriber's wish to hear something: restored after every reconnect and every later `start`, until [`unsubscribe`](Self::unsubscribe).
///
/// Subscribers of the same methods and arguments share one call of the hub; the last one to leave unsubscribes there. Each call of
/// [`subscribe`](Self::subscribe) that did not fail counts as a subscriber, and wants an `unsubscribe` of its own. Dropping this ends no wish;
/// holding it keeps the connection alive, as every handle does.
#[derive(Clone)]
pub struct Subscription {
    request: SubscriptionRequest,
    /// The subscribe that is under way, or was last.
    subscriber: Arc<AtomicU64>,
    lifeline: Arc<Lifeline>,
}

impl Subscription {
    pub(crate) fn new(
        lifeline: Arc<Lifeline>,
        methods: SubscriptionMethods,
        arguments: &impl Serialize,
    ) -> Result<Self, Rejection> {
        let arguments = arguments::to_json(arguments)?;
        let subscribe = MethodCall { target: methods.subscribe, arguments: arguments.clone() };
        let unsubscribe = methods.unsubscribe.map(|target| MethodCall { target, arguments });
        let request = SubscriptionRequest { subscribe, unsubscribe, targets: Vec::new() };
        Ok(Self { request, subscriber: Arc::default(), lifeline })
    }

    /// Unsubscribes by this call, where its arguments are not those of the subscribe.
    pub fn unsubscribed_by(mut self, method: &str, arguments: impl Serialize) -> Result<Self, Rejection> {
        let arguments = arguments::to_json(&arguments)?;
        self.request.unsubscribe = Some(MethodCall { target: method.to_owned(), arguments });
        Ok(self)
    }

    /// Names a target that this subscription feeds: its gaps then name it only to the listeners of the targets named.
    #[must_use]
    pub fn feeding(mut self, target: &str) -> Self {
        self.request.targets.push(target.to_owned());
        self
    }

    /// What identifies it in gaps and events.
    pub fn key(&self) -> SubscriptionKey {
        self.request.key()
    }

    /// Subscribes, and waits until the hub has answered; while there is no connection, until there is one. A hub that refuses is believed:
    /// then it is no wish. Dropping the future changes nothing: the wish stays.
    pub async fn subscribe(&self) -> Result<(), SubscribeError> {
        let shared = &self.lifeline.shared;
        let token = shared.next_token();
        self.subscriber.store(token.0, Ordering::SeqCst);
        match shared.ask(token, Command::Subscribe(self.request.clone())).await {
            Ok(Reply::Subscribed(result)) => result.map(drop),
            Ok(Reply::Rejected(rejection)) => Err(rejection.into()),
            _ => Err(SubscribeError::OutcomeUnknown(OutcomeUnknown::Cancelled)),
        }
    }

    /// Ends the wish; a subscribe that still waits ends as cancelled. With the last subscriber the hub is told, and answers; without a
    /// connection it is done at once.
    pub async fn unsubscribe(&self) -> Result<(), UnsubscribeError> {
        let shared = &self.lifeline.shared;
        let subscriber = Some(Token(self.subscriber.load(Ordering::SeqCst)));
        match shared.ask(shared.next_token(), Command::Unsubscribe { key: self.key(), subscriber }).await {
            Ok(Reply::Unsubscribed(result)) => result,
            Ok(Reply::Rejected(rejection)) => Err(rejection.into()),
            // The connection is gone, and the hub has forgotten it.
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").field("key", &self.key()).finish_non_exhaustive()
    }
}
