//! One connection as the rest of the hub sees it: who it is, what it is sent, and how it is told to go.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::watch;

use crate::connection::Goodbye;
use crate::hubs::Hub;
use crate::lock::lock;
use crate::observe::Traffic;
use crate::outbox::Outbox;
use crate::tokens::Session;
use crate::wire::Wire;

/// What the upgrade request told about a client.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origin {
    pub(crate) path: String,
    pub(crate) user: Option<String>,
    pub(crate) session: Option<Session>,
    pub(crate) token_in_query: bool,
    pub(crate) token_in_header: bool,
    pub(crate) user_agent: String,
    pub(crate) signalr_user_agent: String,
}

/// One connection as the rest of the hub sees it.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) id: String,
    pub(crate) hub: Hub,
    pub(crate) origin: Origin,
    pub(crate) outbox: Outbox,
    pub(crate) traffic: Traffic,
    /// The socket; another one after a stateful reconnect, none before it.
    wire: Mutex<Option<Wire>>,
    /// How the socket alone was told to go, while the connection stays.
    cut: Mutex<Option<Goodbye>>,
    since: Instant,
    end: watch::Sender<Option<Goodbye>>,
}

impl Peer {
    pub(crate) fn new(id: String, hub: Hub, origin: Origin, wire: Wire, outbox: Outbox) -> Self {
        let (wire, cut, since) = (Mutex::new(Some(wire)), Mutex::default(), Instant::now());
        let traffic = Traffic::default();
        Self { id, hub, origin, outbox, traffic, wire, cut, since, end: watch::Sender::new(None) }
    }

    /// The socket, if there is one now.
    pub(crate) fn wire(&self) -> Option<Wire> {
        lock(&self.wire).clone()
    }

    pub(crate) fn change_wire(&self, wire: Option<Wire>) {
        *lock(&self.wire) = wire;
    }

    /// Queues a record for this connection; one that reads too slowly is cut off instead.
    pub(crate) fn send(&self, record: impl Into<Bytes>) {
        self.traffic.queued();
        if !self.outbox.push(record.into()) {
            self.outbox.end(Goodbye::Reset);
        }
    }

    /// Queues a record once there is room.
    pub(crate) async fn send_when_there_is_room(&self, record: impl Into<Bytes>) {
        self.traffic.queued();
        if !self.outbox.push_when_there_is_room(record.into()).await {
            self.outbox.end(Goodbye::Reset);
        }
    }

    /// How long ago it came.
    pub(crate) fn age(&self) -> Duration {
        self.since.elapsed()
    }

    /// Ends the connection; the first reason holds. A lost socket ends no connection that can get another one.
    pub(crate) fn end(&self, goodbye: Goodbye) {
        let is_loss = matches!(goodbye, Goodbye::Tcp | Goodbye::Reset | Goodbye::Gone);
        if is_loss && self.is_resumable() {
            *lock(&self.cut) = Some(goodbye);
            self.outbox.stir();
        } else {
            self.outbox.end(goodbye);
        }
    }

    /// Whether the connection takes another socket.
    pub(crate) fn is_resumable(&self) -> bool {
        self.outbox.look(|connection| connection.is_resumable())
    }

    /// How the socket alone is to go, once.
    pub(crate) fn take_cut(&self) -> Option<Goodbye> {
        lock(&self.cut).take()
    }

    /// Tells everybody who waits that the connection is over.
    pub(crate) fn is_over(&self, goodbye: &Goodbye) {
        self.end.send_replace(Some(goodbye.clone()));
    }

    /// Waits until the connection is over.
    pub(crate) async fn ended(&self) -> Goodbye {
        let mut end = self.end.subscribe();
        match end.wait_for(Option::is_some).await {
            Ok(goodbye) => goodbye.clone().unwrap_or(Goodbye::Gone),
            Err(_) => Goodbye::Gone,
        }
    }
}
