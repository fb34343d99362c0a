//! Handlers that answer the hub.

use std::fmt::Display;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use futures_util::FutureExt;
use serde::Serialize;
use serde::de::DeserializeOwned;
use signalr_proto::json::{Cursor, DecodeError};
use signalr_proto::sink::{Gap, InvocationSink, ResultTicket};
use signalr_proto::{Command, Token};

use crate::arguments;
use crate::shared::{Shared, Task};

/// A handler of client results, or a decoder: see [`HubConnection::handle`](crate::HubConnection::handle) and
/// [`HubConnection::register`](crate::HubConnection::register). Dropping this changes nothing: what was registered stays as long as the
/// connection.
#[derive(Debug)]
pub struct Registration {
    pub(crate) token: Token,
    pub(crate) shared: Weak<Shared>,
}

impl Registration {
    /// Removes it. Invocations that a handler is at work on are still answered.
    pub fn remove(self) {
        let Some(shared) = self.shared.upgrade() else { return };
        shared.command(shared.next_token(), Command::Unregister { registration: self.token });
    }
}

/// Decodes the arguments and runs the handler beside the connection.
pub(crate) struct HandlerSink<A, F> {
    handler: Arc<F>,
    staged: Option<A>,
    shared: Weak<Shared>,
    /// Committed, and not handed to the driver.
    tasks: Vec<Task>,
    /// Handlers at work.
    running: Arc<AtomicUsize>,
    capacity: usize,
}

impl<A, F> HandlerSink<A, F> {
    pub(crate) fn new(handler: F, shared: &Arc<Shared>) -> Self {
        Self {
            handler: Arc::new(handler),
            staged: None,
            shared: Arc::downgrade(shared),
            tasks: Vec::new(),
            running: Arc::default(),
            capacity: shared.limits.queue_events,
        }
    }
}

impl<A, T, E, F, Fut> InvocationSink for HandlerSink<A, F>
where
    A: DeserializeOwned + Send + 'static,
    T: Serialize,
    E: Display,
    F: Fn(A) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<T, E>> + Send + 'static,
{
    fn decode(&mut self, arguments: &mut Cursor<'_>) -> Result<(), DecodeError> {
        self.staged = Some(arguments::read(arguments)?);
        Ok(())
    }

    fn commit(&mut self, _: usize, ticket: Option<ResultTicket>) {
        let Some(arguments) = self.staged.take() else { return };
        let handler = self.handler.clone();
        let shared = self.shared.clone();
        let running = Running::begin(&self.running, shared.clone());
        self.tasks.push(Box::pin(async move {
            let _running = running;
            // The handler itself is called here, outside of the machine's lock: it may use the connection.
            let answer = AssertUnwindSafe(async { handler(arguments).await }).catch_unwind().await;
            let result = match answer {
                Ok(Ok(value)) => serde_json::to_string(&value)
                    .map_err(|_| "The handler's result cannot be written as JSON.".to_owned()),
                Ok(Err(error)) => Err(error.to_string()),
                Err(_) => {
                    tracing::error!("a handler panicked");
                    Err("The handler panicked.".to_owned())
                }
            };
            let (Some(ticket), Some(shared)) = (ticket, shared.upgrade()) else { return };
            shared.command(shared.next_token(), Command::Complete { ticket, result });
        }));
    }

    fn discard(&mut self) {
        self.staged = None;
    }

    fn malformed(&mut self, _: DecodeError, _: usize) {}

    fn gap(&mut self, _: &Gap) {}

    fn flush(&mut self) {
        if let (false, Some(shared)) = (self.tasks.is_empty(), self.shared.upgrade()) {
            shared.spawn(&mut self.tasks);
        }
    }

    fn is_full(&self) -> bool {
        self.running.load(Ordering::SeqCst) >= self.capacity
    }
}

/// Counts a handler at work until it is done or dropped.
struct Running {
    count: Arc<AtomicUsize>,
    shared: Weak<Shared>,
}

impl Running {
    fn begin(count: &Arc<AtomicUsize>, shared: Weak<Shared>) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self { count: count.clone(), shared }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Ordering::SeqCst);
        if let Some(shared) = self.shared.upgrade() {
            shared.consumed();
        }
    }
}
