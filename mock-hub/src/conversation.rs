//! Moves bytes between a connection's machine and its sockets, and runs the hub methods that it asks for.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::join;
use futures_util::stream::SplitStream;
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::calls;
use crate::connection::{Call, CallId, Called, Event, Goodbye, Rules, UploadKey};
use crate::gateway::Gateway;
use crate::hubs::{self, Arguments, Caller, Hub, Upload, UploadItem};
use crate::observe::{self, Note};
use crate::outbox::Outbox;
use crate::peers::{Origin, Peer};
use crate::recording::{self, Replay, Tap, Tapped};
use crate::wire::Wire;
use crate::writer;

/// How long the hub waits for the client's half of a WebSocket close (ASP.NET Core, `CloseTimeout`).
const CLOSE_WAIT: Duration = Duration::from_secs(5);
/// How long a socket is read on after a violation, so that a reset does not overtake the close frame.
const LINGER: Duration = Duration::from_secs(1);
/// WebSocket messages beyond this end the connection with 1009, or beyond two records where those may be larger.
const MAX_MESSAGE_BYTES: usize = 8 * 1024 * 1024;
/// They end it in any case beyond this.
const MOST_MESSAGE_BYTES: usize = 64 * 1024 * 1024;
/// What is read of a socket at once: thousands of idle connections each hold as much.
const READ_BUFFER_BYTES: usize = 4 * 1024;
/// A WebSocket close with code 1000, as a server sends it (RFC 6455, 5.5.1).
const CLOSE_FRAME: [u8; 4] = [0x88, 2, 0x03, 0xe8];

/// Whom the upgrade let in.
#[derive(Debug)]
pub(crate) struct Admission {
    pub(crate) connection_id: String,
    pub(crate) hub: Hub,
    pub(crate) origin: Origin,
    /// When the token's life ends.
    pub(crate) expires: Option<std::time::Instant>,
    pub(crate) rules: Rules,
    /// Where other sockets of the same id arrive, if the connection may change its own.
    pub(crate) returns: Option<mpsc::Receiver<(Wire, Bytes)>>,
    /// The negotiated token, if there is one.
    pub(crate) token: Option<String>,
}

/// Serves a connection from its first socket to its end; `early` is what the client sent right behind its request.
pub(crate) async fn serve(gateway: Arc<Gateway>, wire: Wire, early: Bytes, admission: Admission) {
    let Admission { connection_id, hub, origin, expires, rules, mut returns, token } = admission;
    let outbox = Outbox::new(hub, rules, expires);
    let peer = Arc::new(Peer::new(connection_id, hub, origin, wire.clone(), outbox));
    if let Some(token) = &token {
        gateway.opened(token, &peer);
    }
    let mut socket = Some(Socket::open(&gateway, &peer, wire, early).await);
    let mut driver = Driver::new(&gateway, &peer);
    let goodbye = match (&gateway.replay, &mut socket) {
        (Some(replay), Some(socket)) => driver.replay(replay, socket).await,
        _ => driver.run(&mut socket, &mut returns).await,
    };
    if let Some(token) = &token {
        gateway.release(token);
    }
    peer.is_over(&goodbye);
    gateway.client_results.forget(&peer);
    let (id, reason) = (&peer.id, goodbye.reason());
    gateway.journal.note(Note::ConnectionEnded { id, hub, reason, lasted: peer.age() });
    gateway.metrics.connection_ends(&peer, reason);
    if gateway.peers.leave(&peer, told_as(&goodbye)) {
        gateway.changes.tell();
    }
    drop(driver);
    if let Some(socket) = socket {
        socket.part(goodbye).await;
    }
    gateway.metrics.connection_is_gone(&peer);
}

/// A connection's running methods. Dropping it ends them all, without a Completion.
struct Driver<'a> {
    gateway: &'a Arc<Gateway>,
    peer: &'a Arc<Peer>,
    tasks: JoinSet<()>,
    cancels: HashMap<CallId, oneshot::Sender<()>>,
    uploads: HashMap<UploadKey, mpsc::UnboundedSender<UploadItem>>,
}

type Returns = Option<mpsc::Receiver<(Wire, Bytes)>>;

impl<'a> Driver<'a> {
    fn new(gateway: &'a Arc<Gateway>, peer: &'a Arc<Peer>) -> Self {
        Self { gateway, peer, tasks: JoinSet::new(), cancels: HashMap::new(), uploads: HashMap::new() }
    }

    async fn run(&mut self, socket: &mut Option<Socket>, returns: &mut Returns) -> Goodbye {
        let outbox = &self.peer.outbox;
        loop {
            while let Some(event) = outbox.look(|connection| connection.poll_event()) {
                match event {
                    Event::Over(goodbye) => return goodbye,
                    Event::CloseSocket => {
                        if let Some(socket) = self.take_socket(socket) {
                            socket.close_alone().await;
                        }
                    }
                    event => self.act(event),
                }
            }
            if let Some(how) = self.peer.take_cut() {
                if let Some(socket) = self.take_socket(socket) {
                    socket.cut(&how);
                }
                outbox.with(|connection, now| connection.handle_loss(now));
                continue;
            }
            while self.tasks.try_join_next().is_some() {}
            let (deadline, wants_read) = outbox.look(|connection| (connection.poll_timeout(), connection.wants_read()));
            let is_silent = self.peer.wire().is_some_and(|wire| wire.is_silent());
            // The answers leave before the next message is read: it may be the client's WebSocket close.
            tokio::task::yield_now().await;
            tokio::select! {
                payload = next_payload(socket), if wants_read => match payload {
                    Ok(payload) => {
                        self.peer.traffic.came(payload.len());
                        outbox.with(|connection, now| connection.handle_bytes(now, &payload));
                    }
                    Err(end) => {
                        if end == Goodbye::Gone
                            && let Some(socket) = self.take_socket(socket)
                        {
                            socket.cut(&end);
                        }
                        outbox.with(|connection, now| match end {
                            Goodbye::Gone => connection.handle_loss(now),
                            Goodbye::Left => connection.handle_close(now),
                            violation => connection.handle_end(now, violation),
                        });
                    }
                },
                (wire, early) = next_return(returns) => self.change_socket(socket, wire, early).await,
                () = at(deadline.map(|deadline| outbox.at(deadline))), if !is_silent => {
                    outbox.with(|connection, now| connection.handle_timeout(now));
                }
                () = outbox.stirred() => outbox.with(|connection, now| connection.handle_room(now)),
            }
        }
    }

    /// Plays a recording in place of the hub; the machine only writes.
    async fn replay(&mut self, replay: &Replay, socket: &mut Socket) -> Goodbye {
        let outbox = &self.peer.outbox;
        let told_to_go = async {
            loop {
                if let Some(Event::Over(goodbye)) = outbox.look(|connection| connection.poll_event()) {
                    return goodbye;
                }
                outbox.stirred().await;
            }
        };
        let goodbye = tokio::select! {
            biased;
            goodbye = told_to_go => return goodbye,
            goodbye = recording::serve(self.gateway, replay, self.peer, &mut socket.incoming) => goodbye,
        };
        outbox.end(goodbye.clone());
        goodbye
    }

    fn act(&mut self, event: Event) {
        match event {
            Event::Connected => {
                self.gateway.peers.join(self.peer);
                let user = self.peer.origin.user.as_deref();
                self.gateway.journal.note(Note::ConnectionOpened { id: &self.peer.id, hub: self.peer.hub, user });
                self.gateway.changes.tell();
            }
            Event::Called(called) => self.log(called),
            Event::Refused => self.gateway.metrics.called(self.peer.hub, "other", observe::Outcome::Refused),
            Event::Call(call) => self.call(call),
            Event::Cancel(call) => {
                if let Some(cancel) = self.cancels.remove(&call) {
                    // Whoever does not listen any more has ended.
                    let _ = cancel.send(());
                }
            }
            Event::Item { upload, item } => {
                if let Some(sender) = self.uploads.get(&upload) {
                    // A method that has ended wants no more items.
                    let _ = sender.send(Ok(item));
                }
            }
            Event::UploadOver { upload, error } => {
                if let (Some(sender), Some(error)) = (self.uploads.remove(&upload), error) {
                    let _ = sender.send(Err(error));
                }
            }
            Event::Answer { id, outcome } => {
                let is_foreign = self.gateway.client_results.answer(self.peer, &id, outcome);
                self.peer.outbox.with(|connection, now| connection.handle_answer(now, is_foreign));
            }
            Event::CloseSocket | Event::Over(_) => {}
        }
    }

    fn call(&mut self, call: Call) {
        let Call { id, method, invocation_id, arguments, uploads, is_stream } = call;
        let caller = Caller {
            gateway: Arc::clone(self.gateway),
            peer: Arc::clone(self.peer),
            arguments: Arguments::new(arguments),
            uploads: uploads.into_iter().map(|key| self.open_upload(key)).collect(),
            id,
        };
        let peer = Arc::clone(self.peer);
        if !is_stream {
            self.tasks.spawn(async move {
                let outcome = hubs::call(method, caller).await;
                peer.outbox.outcome(id, outcome);
            });
            return;
        }
        let (cancel, cancelled) = oneshot::channel();
        self.cancels.retain(|_, cancel| !cancel.is_closed());
        self.cancels.insert(id, cancel);
        self.tasks.spawn(async move {
            let invocation_id = invocation_id.unwrap_or_default();
            let stream = hubs::stream(method, &invocation_id, caller);
            let outcome = tokio::select! {
                biased;
                Ok(()) = cancelled, if method.takes_cancellation => Ok(()),
                outcome = stream => outcome,
            };
            peer.outbox.outcome(id, outcome.map(|()| String::new()));
        });
    }

    fn open_upload(&mut self, key: UploadKey) -> Upload {
        let (sender, items) = mpsc::unbounded_channel();
        self.uploads.retain(|_, sender| !sender.is_closed());
        self.uploads.insert(key, sender);
        Upload::new(key, items, Arc::clone(self.peer))
    }

    fn log(&self, called: Called) {
        self.gateway.calls.push(calls::Call {
            connection_id: self.peer.id.clone(),
            hub: self.peer.hub.name(),
            target: called.target,
            arguments: called.arguments.iter().map(|argument| value_of(argument)).collect(),
            invocation_id: called.invocation_id,
            is_stream: called.is_stream,
            uploads: called.uploads,
        });
        self.gateway.changes.tell();
    }

    /// Takes the socket away from everybody, so that its last owner ends it.
    fn take_socket(&self, socket: &mut Option<Socket>) -> Option<Socket> {
        self.peer.change_wire(None);
        socket.take()
    }

    /// Goes on with another socket of the same id, if the connection can; the old one is closed and reset.
    async fn change_socket(&self, socket: &mut Option<Socket>, wire: Wire, early: Bytes) {
        let outbox = &self.peer.outbox;
        if !outbox.look(|connection| connection.is_resumable()) {
            return;
        }
        if let Some(how) = self.peer.take_cut() {
            // The old socket was to go before this one came.
            if let Some(old) = self.take_socket(socket) {
                old.cut(&how);
            }
            outbox.with(|connection, now| connection.handle_loss(now));
        }
        if let Some(old) = self.take_socket(socket) {
            old.writer.abort();
            let _ = timeout(LINGER, old.wire.write_raw(&CLOSE_FRAME)).await;
            old.wire.reset_on_drop();
        }
        self.peer.change_wire(Some(wire.clone()));
        outbox.with(|connection, now| connection.handle_return(now));
        *socket = Some(Socket::open(self.gateway, self.peer, wire, early).await);
    }
}

/// An upgraded socket in use.
struct Socket {
    incoming: Tapped<SplitStream<WebSocketStream<Wire>>>,
    writer: JoinHandle<()>,
    wire: Wire,
}

impl Socket {
    async fn open(gateway: &Arc<Gateway>, peer: &Arc<Peer>, wire: Wire, early: Bytes) -> Self {
        let two_records = gateway.rules(false, false).max_record_bytes.saturating_mul(2);
        let limit = two_records.clamp(MAX_MESSAGE_BYTES, MOST_MESSAGE_BYTES);
        let config = WebSocketConfig::default()
            .max_message_size(Some(limit))
            .max_frame_size(Some(limit))
            .read_buffer_size(READ_BUFFER_BYTES)
            .write_buffer_size(0);
        let socket =
            WebSocketStream::from_partially_read(wire.clone(), early.to_vec(), Role::Server, Some(config)).await;
        let (outgoing, incoming) = socket.split();
        let incoming = Tap::new(&gateway.recorder, peer.hub, &peer.id).listen(incoming);
        let writer = tokio::spawn(writer::run(Arc::clone(gateway), Arc::clone(peer), wire.clone(), outgoing));
        Self { incoming, writer, wire }
    }

    /// Ends the socket of a connection that goes on without it.
    fn cut(self, how: &Goodbye) {
        self.writer.abort();
        match how {
            Goodbye::Reset => self.wire.reset_on_drop(),
            _ => self.wire.forget_unread(),
        }
    }

    /// Closes the socket of a connection that goes on without it.
    async fn close_alone(self) {
        self.writer.abort();
        let _ = timeout(LINGER, self.wire.write_raw(&CLOSE_FRAME)).await;
        self.wire.forget_unread();
    }

    /// Ends the socket in the way that was decided.
    async fn part(mut self, goodbye: Goodbye) {
        let stop_writing = self.writer.abort_handle();
        let drained = async { while let Some(Ok(_)) = self.incoming.next().await {} };
        match goodbye {
            Goodbye::Tcp => self.wire.forget_unread(),
            Goodbye::Reset => self.wire.reset_on_drop(),
            _ if self.wire.is_silent() => drained.await,
            Goodbye::Left => {
                // The WebSocket would answer with the client's own code.
                let answer = async {
                    let _ = self.writer.await;
                    let _ = self.wire.write_raw(&CLOSE_FRAME).await;
                };
                let _ = timeout(CLOSE_WAIT, answer).await;
                self.wire.forget_unread();
            }
            _ => {
                // Both at once: a client that does not read until it has written must not block the end.
                let ended = timeout(CLOSE_WAIT, join(self.writer, drained)).await;
                if ended.is_ok() && matches!(goodbye, Goodbye::WebSocket(_)) {
                    let _ = timeout(LINGER, self.wire.read_to_end()).await;
                }
            }
        }
        stop_writing.abort();
    }
}

/// The bytes of the next WebSocket message, text or binary: the hub does not mind which. The error is how it ended.
async fn next_payload(socket: &mut Option<Socket>) -> Result<Bytes, Goodbye> {
    let Some(socket) = socket else { return std::future::pending().await };
    loop {
        return match socket.incoming.next().await {
            Some(Ok(message @ (Message::Text(_) | Message::Binary(_)))) => Ok(message.into_data()),
            Some(Ok(Message::Close(_))) => Err(Goodbye::Left),
            Some(Ok(_)) => continue,
            Some(Err(Error::Utf8(_))) => Err(Goodbye::WebSocket(1007)),
            Some(Err(Error::Capacity(_))) => Err(Goodbye::WebSocket(1009)),
            Some(Err(Error::Protocol(violation))) => {
                use tokio_tungstenite::tungstenite::error::ProtocolError::ResetWithoutClosingHandshake;
                let is_loss = matches!(violation, ResetWithoutClosingHandshake);
                Err(if is_loss { Goodbye::Gone } else { Goodbye::WebSocket(1002) })
            }
            Some(Err(_)) | None => Err(Goodbye::Gone),
        };
    }
}

async fn next_return(returns: &mut Returns) -> (Wire, Bytes) {
    match returns {
        Some(returns) => match returns.recv().await {
            Some(returned) => returned,
            None => std::future::pending().await,
        },
        None => std::future::pending().await,
    }
}

/// An argument for the log; one that serde_json cannot hold, such as a lone surrogate, becomes null there.
fn value_of(argument: &RawValue) -> Value {
    serde_json::from_str(argument.get()).unwrap_or_default()
}

fn told_as(goodbye: &Goodbye) -> Option<String> {
    match goodbye {
        Goodbye::Close { error, .. } => error.clone(),
        Goodbye::Refused(_) | Goodbye::Left | Goodbye::Gone => None,
        Goodbye::WebSocket(code) => Some(format!("WebSocket closed with {code}.")),
        Goodbye::Tcp | Goodbye::Reset => Some("The socket was dropped.".to_owned()),
    }
}

async fn at(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
