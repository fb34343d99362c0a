//! What the hub does with each record: calls, uploads, answers, cancels.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use serde_json::value::RawValue;
use tokio::sync::{Notify, Semaphore, mpsc};
use tokio::task::JoinSet;

use crate::calls::Call;
use crate::gateway::Gateway;
use crate::hubs::{self, Arguments, Caller, Method, MethodError, UploadItem};
use crate::lock::lock;
use crate::observe;
use crate::peers::{Goodbye, Peer};
use crate::protocol::message::{self, Invocation, Message, Outcome};
use crate::protocol::write;

/// The calls of one connection that may be under way; beyond them its reading waits.
const MAX_TASKS: usize = 10_000;

/// Running streams by invocation id, each with what cancels it.
type Streams = Arc<Mutex<HashMap<String, Arc<Notify>>>>;

/// The calls of one connection. Dropping it ends them all, without a Completion.
#[derive(Debug)]
pub(crate) struct Dispatch {
    gateway: Arc<Gateway>,
    peer: Arc<Peer>,
    slots: Arc<Semaphore>,
    tasks: JoinSet<()>,
    streams: Streams,
    uploads: HashMap<String, mpsc::Sender<UploadItem>>,
    has_seen_ping: bool,
}

impl Dispatch {
    pub(crate) fn new(gateway: &Arc<Gateway>, peer: &Arc<Peer>) -> Self {
        Self {
            gateway: Arc::clone(gateway),
            peer: Arc::clone(peer),
            slots: Arc::new(Semaphore::new(gateway.options.parallel_invocations.max(1))),
            tasks: JoinSet::new(),
            streams: Streams::default(),
            uploads: HashMap::new(),
            has_seen_ping: false,
        }
    }

    /// Pings at every interval, whatever else is sent (ASP.NET Core does not postpone them).
    pub(crate) fn start_pings(&mut self, interval: Duration) {
        if interval.is_zero() {
            return;
        }
        let peer = Arc::clone(&self.peer);
        self.tasks.spawn(async move {
            loop {
                tokio::time::sleep(interval).await;
                peer.send(write::PING);
            }
        });
    }

    pub(crate) fn has_seen_ping(&self) -> bool {
        self.has_seen_ping
    }

    /// Acts on a record; waits where ASP.NET Core would stop reading. The error ends the connection.
    pub(crate) async fn record(&mut self, record: &[u8]) -> Result<(), Goodbye> {
        let detailed = self.gateway.options.detailed_errors;
        let parsed = message::parse(record).map_err(|detail| {
            Goodbye::failure(detailed.then(|| format!("InvalidDataException: {detail}")).as_deref())
        })?;
        while self.tasks.try_join_next().is_some() {}
        match parsed {
            Message::Invocation(invocation) => self.invoke(invocation).await,
            Message::StreamItem { id, item } => self.feed_upload(&id, Ok(item)).await,
            Message::Completion { id, outcome } => self.complete(&id, outcome).await,
            Message::CancelInvocation { id } => {
                if let Some(cancel) = lock(&self.streams).get(&id) {
                    cancel.notify_one();
                }
            }
            Message::Ping => self.has_seen_ping = true,
            Message::Close => return Err(Goodbye::Close { error: None, allow_reconnect: false }),
            Message::Ignored => {}
        }
        Ok(())
    }

    async fn invoke(&mut self, invocation: Invocation) {
        self.log(&invocation);
        let method = match self.check(&invocation) {
            Ok(method) => method,
            Err(text) => {
                self.gateway.metrics.called(self.peer.hub, "other", observe::Outcome::Refused);
                return self.fail(invocation.id.as_deref(), &text);
            }
        };
        if self.tasks.len() >= MAX_TASKS {
            self.tasks.join_next().await;
        }
        let uploads = self.open_uploads(&invocation.stream_ids);
        let caller = Caller {
            gateway: Arc::clone(&self.gateway),
            peer: Arc::clone(&self.peer),
            arguments: Arguments::new(invocation.arguments),
            uploads,
            slot: None,
        };
        match invocation.id {
            Some(id) if invocation.is_stream => self.run_stream(method, id, caller),
            id => self.run_call(method, id, caller).await,
        }
    }

    /// What can be said against a call before its method runs, in ASP.NET Core's order and words.
    fn check(&self, invocation: &Invocation) -> Result<&'static Method, String> {
        let target = &invocation.target;
        let detailed = self.gateway.options.detailed_errors;
        let Some(method) = self.peer.hub.method(target) else {
            return Err(format!(
                "Failed to invoke '{target}' due to an error on the server. HubException: Method does not exist."
            ));
        };
        let (given, expected) = (invocation.arguments.len(), method.parameters);
        if given != expected {
            let text = format!("Invocation provides {given} argument(s) but target expects {expected}.");
            return Err(MethodError::Binding(text).text(method.name, detailed));
        }
        match (method.is_stream, invocation.is_stream) {
            (true, false) => {
                return Err(format!(
                    "The client attempted to invoke the streaming '{}' method with a non-streaming invocation.",
                    method.name
                ));
            }
            (false, true) => {
                return Err(format!(
                    "The client attempted to invoke the non-streaming '{}' method with a streaming invocation.",
                    method.name
                ));
            }
            _ => {}
        }
        let (given, expected) = (invocation.stream_ids.len(), method.uploads);
        if given != expected {
            let text = format!("Client sent {given} stream(s), Hub method expects {expected}.");
            return Err(MethodError::Hub(text).text(method.name, detailed));
        }
        let id = invocation.id.as_deref().unwrap_or_default();
        if invocation.is_stream && lock(&self.streams).contains_key(id) {
            return Err(format!("Invocation ID '{id}' is already in use."));
        }
        Ok(method)
    }

    /// Plain calls take one of few places, those with uploads none: their items must still be read.
    async fn run_call(&mut self, method: &'static Method, id: Option<String>, mut caller: Caller) {
        if method.uploads == 0 {
            // The semaphore is never closed.
            caller.slot = Arc::clone(&self.slots).acquire_owned().await.ok();
        }
        let peer = Arc::clone(&self.peer);
        let detailed = self.gateway.options.detailed_errors;
        self.tasks.spawn(async move {
            let record = match (hubs::call(method, caller).await, id) {
                (Err(MethodError::Unwritable), _) => return peer.end(Goodbye::failure(None)),
                (_, None) => return,
                (Ok(result), Some(id)) => write::completion(&id, &result),
                (Err(error), Some(id)) => write::completion_error(&id, &error.text(method.name, detailed)),
            };
            peer.send(record);
        });
    }

    fn run_stream(&mut self, method: &'static Method, id: String, caller: Caller) {
        let cancel = Arc::new(Notify::new());
        lock(&self.streams).insert(id.clone(), Arc::clone(&cancel));
        let (streams, peer) = (Arc::clone(&self.streams), Arc::clone(&self.peer));
        let detailed = self.gateway.options.detailed_errors;
        self.tasks.spawn(async move {
            let outcome = tokio::select! {
                biased;
                () = cancel.notified() => Ok(()),
                outcome = hubs::stream(method, &id, caller) => outcome,
            };
            lock(&streams).remove(&id);
            peer.send(match outcome {
                Ok(()) => write::completion_of_stream(&id),
                Err(error) => write::completion_error(&id, &error.text(method.name, detailed)),
            });
        });
    }

    fn open_uploads(&mut self, ids: &[String]) -> Vec<mpsc::Receiver<UploadItem>> {
        self.uploads.retain(|_, upload| !upload.is_closed());
        let mut receivers = Vec::with_capacity(ids.len());
        for id in ids {
            let (sender, receiver) = mpsc::channel(self.gateway.options.stream_buffer.max(1));
            self.uploads.insert(id.clone(), sender);
            receivers.push(receiver);
        }
        receivers
    }

    /// Hands an item to its method, waiting for room; items of a stream that is over are dropped.
    async fn feed_upload(&mut self, id: &str, item: UploadItem) {
        let Some(upload) = self.uploads.get(id) else {
            return;
        };
        if upload.send(item).await.is_err() {
            self.uploads.remove(id);
        }
    }

    async fn complete(&mut self, id: &str, outcome: Outcome) {
        if !self.uploads.contains_key(id) {
            return self.gateway.client_results.answer(&self.peer, id, outcome);
        }
        // Even an empty error is one.
        if let Outcome::Error(error) = outcome {
            self.feed_upload(id, Err(error)).await;
        }
        self.uploads.remove(id);
    }

    fn fail(&self, id: Option<&str>, text: &str) {
        if let Some(id) = id {
            self.peer.send(write::completion_error(id, text));
        }
    }

    fn log(&self, invocation: &Invocation) {
        self.gateway.calls.push(Call {
            connection_id: self.peer.id.clone(),
            hub: self.peer.hub.name(),
            target: invocation.target.clone(),
            arguments: invocation.arguments.iter().map(|value| value_of(value)).collect(),
            invocation_id: invocation.id.clone(),
            is_stream: invocation.is_stream,
            uploads: invocation.stream_ids.len(),
        });
        self.gateway.changes.tell();
    }
}

/// An argument for the log; one that serde_json cannot hold, such as a lone surrogate, becomes null there.
fn value_of(argument: &RawValue) -> Value {
    serde_json::from_str(argument.get()).unwrap_or_default()
}
