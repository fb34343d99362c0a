//! Handlers that are given one event after the other.

use std::fmt::Display;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::{FutureExt, StreamExt};

use super::event::{EventKind, SessionEvent};
use super::{Events, Router};
use crate::host::Host;

/// The longest text of a handler's error that is told on.
const LONGEST: usize = 256;

/// Gives a handler every event until there are none any more.
pub(crate) async fn handle<F, Fut, E>(
    mut events: Events,
    router: Arc<Router>,
    host: Arc<dyn Host>,
    name: String,
    mut handler: F,
) where
    F: FnMut(SessionEvent) -> Fut,
    Fut: Future<Output = Result<(), E>>,
    E: Display,
{
    while let Some(event) = events.next().await {
        // Its own failures, and those of others, must not go round in a circle.
        let is_failure = matches!(event.kind, EventKind::HandlerFailed { .. });
        let outcome = AssertUnwindSafe(async { handler(event).await }).catch_unwind().await;
        let error = match outcome {
            Ok(Ok(())) => continue,
            Ok(Err(error)) => error.to_string().chars().take(LONGEST).collect(),
            Err(_) => "it panicked".to_owned(),
        };
        metrics::counter!("topstep_handler_failures_total").increment(1);
        tracing::error!(handler = %name, "a handler failed");
        if !is_failure {
            router.tell(host.now(), EventKind::HandlerFailed { name: name.clone(), error });
        }
    }
}
