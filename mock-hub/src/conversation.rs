//! One connection's life on the hub's side: handshake, messages in, the end.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::join;
use futures_util::stream::SplitStream;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::dispatch::Dispatch;
use crate::gateway::Gateway;
use crate::hubs::Hub;
use crate::observe::Note;
use crate::peers::{Goodbye, Origin, Peer};
use crate::protocol::record::Splitter;
use crate::protocol::{handshake, write};
use crate::recording::{self, Tap, Tapped};
use crate::wire::Wire;
use crate::writer;

/// How long the hub waits for the client's half of a WebSocket close (ASP.NET Core, `CloseTimeout`).
const CLOSE_WAIT: Duration = Duration::from_secs(5);
/// How long a socket is read on after a violation, so that a reset does not overtake the close frame.
const LINGER: Duration = Duration::from_secs(1);
/// WebSocket messages beyond this end the connection with 1009, whatever the record limit.
const MAX_MESSAGE_BYTES: usize = 64 * 1024 * 1024;

/// Whom the upgrade let in.
#[derive(Debug)]
pub(crate) struct Admission {
    pub(crate) connection_id: String,
    pub(crate) hub: Hub,
    pub(crate) origin: Origin,
    /// When the token's life ends.
    pub(crate) expires: Option<std::time::Instant>,
    /// Let in only to be shown out after the handshake.
    pub(crate) is_unwelcome: bool,
}

type Incoming = Tapped<SplitStream<WebSocketStream<Wire>>>;

/// Serves an upgraded socket until its end; `early` is what the client sent right behind its request.
pub(crate) async fn serve(gateway: Arc<Gateway>, wire: Wire, early: Bytes, admission: Admission) {
    let config = WebSocketConfig::default()
        .max_message_size(Some(MAX_MESSAGE_BYTES))
        .max_frame_size(Some(MAX_MESSAGE_BYTES))
        .write_buffer_size(0);
    let socket = WebSocketStream::from_partially_read(wire.clone(), early.to_vec(), Role::Server, Some(config)).await;
    let (outgoing, incoming) = socket.split();
    let Admission { connection_id, hub, origin, expires, is_unwelcome } = admission;
    let peer = Arc::new(Peer::new(connection_id, hub, origin, wire));
    let mut incoming = Tap::new(&gateway.recorder, hub, &peer.id).listen(incoming);
    let writer = tokio::spawn(writer::run(Arc::clone(&gateway), Arc::clone(&peer), outgoing));

    let conversation = Conversation { gateway: &gateway, peer: &peer, expires, is_unwelcome };
    let own_end = tokio::select! {
        biased;
        _ = peer.ended() => None,
        goodbye = async {
            match &gateway.replay {
                Some(replay) => recording::serve(&gateway, replay, &peer, &mut incoming).await,
                None => conversation.run(&mut incoming).await,
            }
        } => Some(goodbye),
    };
    if let Some(goodbye) = own_end {
        peer.end(goodbye);
    }
    let goodbye = peer.ended().await;
    gateway.client_results.forget(&peer);
    let (id, hub, reason) = (&peer.id, peer.hub, goodbye.reason());
    gateway.journal.note(Note::ConnectionEnded { id, hub, reason, lasted: peer.age() });
    if gateway.peers.leave(&peer, told_as(&goodbye)) {
        gateway.changes.tell();
    }
    part(&peer, goodbye, incoming, writer).await;
    gateway.metrics.connection_ended(peer.hub, reason, &peer.traffic);
}

struct Conversation<'a> {
    gateway: &'a Arc<Gateway>,
    peer: &'a Arc<Peer>,
    expires: Option<std::time::Instant>,
    is_unwelcome: bool,
}

impl Conversation<'_> {
    async fn run(&self, incoming: &mut Incoming) -> Goodbye {
        let options = &self.gateway.options;
        let limit = if options.max_receive_bytes == 0 { usize::MAX } else { options.max_receive_bytes };
        let mut records = Splitter::new(limit);
        if let Err(goodbye) = self.shake_hands(incoming, &mut records).await {
            return goodbye;
        }
        self.gateway.peers.join(self.peer);
        let user = self.peer.origin.user.as_deref();
        self.gateway.journal.note(Note::ConnectionOpened { id: &self.peer.id, hub: self.peer.hub, user });
        self.gateway.changes.tell();
        if self.is_unwelcome {
            return Goodbye::Close { error: None, allow_reconnect: false };
        }
        let mut dispatch = Dispatch::new(self.gateway, self.peer);
        dispatch.start_pings(options.keep_alive);
        let expires = self.expires.map(Instant::from_std);
        let converse = self.converse(incoming, &mut records, &mut dispatch);
        tokio::select! {
            goodbye = converse => goodbye,
            () = at(expires) => Goodbye::Close { error: None, allow_reconnect: true },
        }
    }

    async fn shake_hands(&self, incoming: &mut Incoming, records: &mut Splitter) -> Result<(), Goodbye> {
        let refused = |text: &str| Goodbye::Refused(write::handshake_error(text));
        let canceled = || refused("Handshake was canceled.");
        let request = async {
            loop {
                match records.next() {
                    Ok(Some(request)) => return Ok(request),
                    Ok(None) => {
                        let payload = next_payload(incoming).await?;
                        self.peer.traffic.came(payload.len());
                        records.push(&payload);
                    }
                    Err(_) => return Err(canceled()),
                }
            }
        };
        let request =
            timeout(self.gateway.options.handshake_timeout, request).await.unwrap_or_else(|_| Err(canceled()))?;
        handshake::check(&request, self.gateway.options.detailed_errors).map_err(|text| refused(&text))?;
        self.peer.send(write::HANDSHAKE_ACCEPTED);
        Ok(())
    }

    async fn converse(&self, incoming: &mut Incoming, records: &mut Splitter, dispatch: &mut Dispatch) -> Goodbye {
        let client_timeout = self.gateway.options.client_timeout;
        let mut deadline: Option<Instant> = None;
        loop {
            loop {
                match records.next() {
                    Ok(None) => break,
                    Ok(Some(record)) => {
                        if let Err(goodbye) = dispatch.record(&record).await {
                            return goodbye;
                        }
                    }
                    Err(_) => return Goodbye::failure(None),
                }
            }
            // A client that never pinged is never timed out; the clock stands while a call blocks the reading.
            if dispatch.has_seen_ping() {
                deadline = Instant::now().checked_add(client_timeout);
            }
            // The answers leave before the next message is read: it may be the client's WebSocket close.
            tokio::task::yield_now().await;
            tokio::select! {
                payload = next_payload(incoming) => match payload {
                    Ok(payload) => {
                        self.peer.traffic.came(payload.len());
                        records.push(&payload);
                    }
                    Err(goodbye) => return goodbye,
                },
                () = at(deadline), if !self.peer.wire.is_silent() => return Goodbye::failure(None),
            }
        }
    }
}

/// The bytes of the next WebSocket message, text or binary: the hub does not mind which.
async fn next_payload(incoming: &mut Incoming) -> Result<Bytes, Goodbye> {
    loop {
        return match incoming.next().await {
            Some(Ok(message @ (Message::Text(_) | Message::Binary(_)))) => Ok(message.into_data()),
            Some(Ok(Message::Close(_))) | None => Err(Goodbye::Gone),
            Some(Ok(_)) => continue,
            Some(Err(Error::Utf8(_))) => Err(Goodbye::WebSocket(1007)),
            Some(Err(Error::Capacity(_))) => Err(Goodbye::WebSocket(1009)),
            Some(Err(Error::Protocol(violation))) => {
                use tokio_tungstenite::tungstenite::error::ProtocolError::ResetWithoutClosingHandshake;
                let is_loss = matches!(violation, ResetWithoutClosingHandshake);
                Err(if is_loss { Goodbye::Gone } else { Goodbye::WebSocket(1002) })
            }
            Some(Err(_)) => Err(Goodbye::Gone),
        };
    }
}

/// Ends the socket in the way that was decided.
async fn part(peer: &Peer, goodbye: Goodbye, mut incoming: Incoming, writer: JoinHandle<()>) {
    let stop_writing = writer.abort_handle();
    let drained = async { while let Some(Ok(_)) = incoming.next().await {} };
    match goodbye {
        Goodbye::Tcp => peer.wire.forget_unread(),
        Goodbye::Reset => peer.wire.reset_on_drop(),
        _ if peer.wire.is_silent() => drained.await,
        _ => {
            // Both at once: a client that does not read until it has written must not block the end.
            let ended = timeout(CLOSE_WAIT, join(writer, drained)).await;
            if ended.is_ok() && matches!(goodbye, Goodbye::WebSocket(_)) {
                let _ = timeout(LINGER, peer.wire.read_to_end()).await;
            }
        }
    }
    stop_writing.abort();
}

fn told_as(goodbye: &Goodbye) -> Option<String> {
    match goodbye {
        Goodbye::Close { error, .. } => error.clone(),
        Goodbye::Refused(_) | Goodbye::Gone => None,
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
