//! Handlers that are given one event after the other.

use std::fmt::Display;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Weak};

use futures_channel::oneshot;
use futures_util::future::select;
use futures_util::{FutureExt, StreamExt};

use super::event::{EventKind, SessionEvent};
use super::{Events, Router};
use crate::host::Host;

/// The longest text of a handler's error that is told on.
const LONGEST: usize = 256;

/// A handler at work: see [`Gateway::handle`](crate::Gateway::handle).
#[must_use = "the handler ends when this is dropped"]
#[derive(Debug)]
pub struct Handler {
    _guard: oneshot::Sender<()>,
}

/// Gives a handler every event until there are none any more, or its guard is dropped.
pub(crate) fn handle<F, Fut, E>(
    events: Events,
    router: &Arc<Router>,
    host: &Arc<dyn Host>,
    name: String,
    handler: F,
) -> Handler
where
    F: FnMut(SessionEvent) -> Fut + Send + 'static,
    Fut: Future<Output = Result<(), E>> + Send + 'static,
    E: Display + 'static,
{
    let (guard, dropped) = oneshot::channel();
    // It keeps nothing alive whose end it waits for.
    let run = run(events, Arc::downgrade(router), Arc::downgrade(host), name, handler);
    let task = async move {
        select(Box::pin(run), dropped).await;
    };
    if let Err(error) = host.spawn(task.boxed()) {
        tracing::error!(%error, "a handler cannot run");
    }
    Handler { _guard: guard }
}

async fn run<F, Fut, E>(mut events: Events, router: Weak<Router>, host: Weak<dyn Host>, name: String, mut handler: F)
where
    F: FnMut(SessionEvent) -> Fut,
    Fut: Future<Output = Result<(), E>>,
    E: Display,
{
    while let Some(event) = events.next().await {
        // Its own failures, and those of others, must not go round in a circle.
        let is_failure = matches!(event.kind, EventKind::HandlerFailed { .. });
        let outcome = async { handler(event).await.map_err(|error| error.to_string()) };
        let outcome = AssertUnwindSafe(outcome).catch_unwind().await;
        let error = match outcome {
            Ok(Ok(())) => continue,
            Ok(Err(error)) => error.chars().take(LONGEST).collect(),
            Err(_) => "it panicked".to_owned(),
        };
        metrics::counter!("topstep_handler_failures_total").increment(1);
        tracing::error!(handler = %name, "a handler failed");
        if !is_failure && let (Some(router), Some(host)) = (router.upgrade(), host.upgrade()) {
            router.tell(host.now(), EventKind::HandlerFailed { name: name.clone(), error });
        }
    }
}
