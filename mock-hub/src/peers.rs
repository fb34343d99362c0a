//! The connections that are present: who they are, what groups they are in, and how they are told to go.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::watch;

use crate::feed::clock;
use crate::hubs::Hub;
use crate::lock::lock;
use crate::observe::{Metrics, Traffic, target_of};
use crate::outbox::Outbox;
use crate::protocol::write;
use crate::wire::Wire;

/// How many departed connections are remembered.
const REMEMBERED_DEPARTURES: usize = 1000;

/// How the hub ends a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum How {
    /// The TCP socket is closed without a word (FIN): no Close record, no WebSocket close.
    Tcp,
    /// The TCP socket is reset (RST).
    Reset,
    /// SignalR's goodbye: a Close record, then WebSocket close 1000. With `allow_reconnect` clients reconnect,
    /// without it they stop for good (HubProtocol.md, Close Message Encoding).
    Close {
        /// Whether the record carries `"allowReconnect":true`.
        allow_reconnect: bool,
    },
    /// SignalR's goodbye with the text that ASP.NET Core uses for a failure of its own, and reconnecting allowed.
    CloseWithError,
    /// A WebSocket close with this code and no Close record, as from a proxy.
    WebSocket(u16),
}

/// A connection that has finished its handshake.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ConnectionInfo {
    /// The connection id that the server knows it by.
    pub id: String,
    /// The hub's name as in the path: `market`, `user`, `conformance`, `secure`, `lenient-market`.
    pub hub: &'static str,
    /// Whom the token names, where there was one.
    pub user: Option<String>,
    /// How long it has been connected.
    pub connected_for: Duration,
}

/// Why a connection ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Goodbye {
    /// A Close record, then WebSocket close 1000.
    Close {
        error: Option<String>,
        allow_reconnect: bool,
    },
    /// A last record, then WebSocket close 1000: a handshake that failed.
    Refused(Bytes),
    /// A WebSocket close with this code.
    WebSocket(u16),
    /// The client closed the WebSocket, or its socket is gone.
    Gone,
    Tcp,
    Reset,
}

impl Goodbye {
    /// What ASP.NET Core says after a malformed message, an oversize one, or a client's silence.
    pub(crate) fn failure(detail: Option<&str>) -> Self {
        let error = match detail {
            Some(detail) => format!("Connection closed with an error. {detail}"),
            None => "Connection closed with an error.".to_owned(),
        };
        Self::Close { error: Some(error), allow_reconnect: true }
    }
}

impl Goodbye {
    /// The kind of end, in one word.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::Close { error: None, .. } => "closed",
            Self::Close { .. } => "closed-with-error",
            Self::Refused(_) => "handshake-refused",
            Self::WebSocket(_) => "websocket-close",
            Self::Gone => "client-left",
            Self::Tcp => "dropped",
            Self::Reset => "reset",
        }
    }
}

impl From<How> for Goodbye {
    fn from(how: How) -> Self {
        match how {
            How::Tcp => Self::Tcp,
            How::Reset => Self::Reset,
            How::Close { allow_reconnect } => Self::Close { error: None, allow_reconnect },
            How::CloseWithError => Self::failure(None),
            How::WebSocket(code) => Self::WebSocket(code),
        }
    }
}

/// What the upgrade request told about a client.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origin {
    pub(crate) path: String,
    pub(crate) user: Option<String>,
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
    pub(crate) wire: Wire,
    pub(crate) traffic: Traffic,
    since: Instant,
    end: watch::Sender<Option<Goodbye>>,
}

impl Peer {
    pub(crate) fn new(id: String, hub: Hub, origin: Origin, wire: Wire) -> Self {
        let outbox = Outbox::default();
        let traffic = Traffic::default();
        Self { id, hub, origin, outbox, wire, traffic, since: Instant::now(), end: watch::Sender::new(None) }
    }

    /// Queues a record for this connection; one that reads too slowly is cut off instead.
    pub(crate) fn send(&self, record: impl Into<Bytes>) {
        self.traffic.queued();
        if !self.outbox.push(record.into()) {
            self.end(Goodbye::Reset);
        }
    }

    /// Queues a record once there is room.
    pub(crate) async fn send_when_there_is_room(&self, record: impl Into<Bytes>) {
        self.traffic.queued();
        if !self.outbox.push_when_there_is_room(record.into()).await {
            self.end(Goodbye::Reset);
        }
    }

    /// How long ago it came.
    pub(crate) fn age(&self) -> Duration {
        self.since.elapsed()
    }

    /// Ends the connection; the first reason holds.
    pub(crate) fn end(&self, goodbye: Goodbye) {
        let first = self.end.send_if_modified(|end| {
            let first = end.is_none();
            if first {
                *end = Some(goodbye.clone());
            }
            first
        });
        if !first {
            return;
        }
        match goodbye {
            Goodbye::Close { error, allow_reconnect } => {
                self.outbox.finish(Some(write::close(error.as_deref(), allow_reconnect)), 1000);
            }
            Goodbye::Refused(record) => self.outbox.finish(Some(record), 1000),
            Goodbye::WebSocket(code) => self.outbox.finish(None, code),
            Goodbye::Gone | Goodbye::Tcp | Goodbye::Reset => self.outbox.discard(),
        }
    }

    /// Waits until the connection is told to end.
    pub(crate) async fn ended(&self) -> Goodbye {
        let mut end = self.end.subscribe();
        match end.wait_for(Option::is_some).await {
            Ok(goodbye) => goodbye.clone().unwrap_or(Goodbye::Gone),
            Err(_) => Goodbye::Gone,
        }
    }
}

/// One that left.
#[derive(Clone, Debug)]
pub(crate) struct Departure {
    pub(crate) id: String,
    pub(crate) hub: Hub,
    pub(crate) error: Option<String>,
    pub(crate) at: String,
}

/// The book of connections and groups.
#[derive(Debug, Default)]
pub(crate) struct Peers {
    pub(crate) metrics: Arc<Metrics>,
    book: Mutex<Book>,
}

#[derive(Debug, Default)]
struct Book {
    present: HashMap<String, Arc<Peer>>,
    order: VecDeque<String>,
    groups: HashMap<(&'static str, String), Vec<Arc<Peer>>>,
    memberships: HashMap<String, HashSet<String>>,
    departed: VecDeque<Departure>,
    accepted: u64,
}

impl Peers {
    pub(crate) fn join(&self, peer: &Arc<Peer>) {
        let mut book = lock(&self.book);
        book.accepted += 1;
        book.order.push_back(peer.id.clone());
        book.present.insert(peer.id.clone(), Arc::clone(peer));
    }

    /// Forgets a connection and its groups; `false` when it never had joined.
    pub(crate) fn leave(&self, peer: &Peer, error: Option<String>) -> bool {
        let mut book = lock(&self.book);
        if book.present.remove(&peer.id).is_none() {
            return false;
        }
        book.order.retain(|id| *id != peer.id);
        for group in book.memberships.remove(&peer.id).unwrap_or_default() {
            book.remove_from_group(peer, group);
        }
        book.departed.push_back(Departure { id: peer.id.clone(), hub: peer.hub, error, at: clock::now() });
        if book.departed.len() > REMEMBERED_DEPARTURES {
            book.departed.pop_front();
        }
        true
    }

    pub(crate) fn join_group(&self, peer: &Arc<Peer>, group: &str) {
        let mut book = lock(&self.book);
        // A method may still run when its connection has gone.
        if !book.present.contains_key(&peer.id) {
            return;
        }
        if book.memberships.entry(peer.id.clone()).or_default().insert(group.to_owned()) {
            book.groups.entry((peer.hub.class(), group.to_owned())).or_default().push(Arc::clone(peer));
        }
    }

    pub(crate) fn leave_group(&self, peer: &Peer, group: &str) {
        let mut book = lock(&self.book);
        let was_member = book.memberships.get_mut(&peer.id).is_some_and(|groups| groups.remove(group));
        if was_member {
            book.remove_from_group(peer, group.to_owned());
        }
    }

    pub(crate) fn find(&self, id: &str) -> Option<Arc<Peer>> {
        lock(&self.book).present.get(id).cloned()
    }

    /// The connections in the order of their arrival.
    pub(crate) fn present(&self) -> Vec<Arc<Peer>> {
        let book = lock(&self.book);
        book.order.iter().filter_map(|id| book.present.get(id).cloned()).collect()
    }

    pub(crate) fn infos(&self) -> Vec<ConnectionInfo> {
        let info = |peer: Arc<Peer>| ConnectionInfo {
            id: peer.id.clone(),
            hub: peer.hub.name(),
            user: peer.origin.user.clone(),
            connected_for: peer.age(),
        };
        self.present().into_iter().map(info).collect()
    }

    pub(crate) fn departed(&self) -> Vec<Departure> {
        lock(&self.book).departed.iter().cloned().collect()
    }

    pub(crate) fn accepted(&self) -> u64 {
        lock(&self.book).accepted
    }

    /// Queues a record for everybody in a group of a class of hubs.
    pub(crate) fn send_to_group(&self, class: &'static str, group: &str, record: &Bytes) -> usize {
        let members = lock(&self.book).groups.get(&(class, group.to_owned())).cloned().unwrap_or_default();
        members.iter().for_each(|peer| peer.send(record.clone()));
        self.metrics.published(target_of(class, group), members.len());
        members.len()
    }

    /// Queues a record for every connection of a class of hubs.
    pub(crate) fn send_to_all(&self, class: &'static str, record: &Bytes) -> usize {
        let members: Vec<_> = self.present().into_iter().filter(|peer| peer.hub.class() == class).collect();
        members.iter().for_each(|peer| peer.send(record.clone()));
        members.len()
    }

    /// Every group with its class and its count of members.
    pub(crate) fn group_sizes(&self) -> Vec<(&'static str, String, usize)> {
        let book = lock(&self.book);
        book.groups.iter().map(|((class, group), members)| (*class, group.clone(), members.len())).collect()
    }

    /// The groups that a connection is in.
    pub(crate) fn subscriptions_of(&self, id: &str) -> Vec<String> {
        let book = lock(&self.book);
        book.memberships.get(id).map(|groups| groups.iter().cloned().collect()).unwrap_or_default()
    }

    /// The names of the groups of a class that have members.
    pub(crate) fn groups(&self, class: &'static str) -> Vec<String> {
        let book = lock(&self.book);
        book.groups.keys().filter(|(of, _)| *of == class).map(|(_, group)| group.clone()).collect()
    }
}

impl Book {
    fn remove_from_group(&mut self, peer: &Peer, group: String) {
        let key = (peer.hub.class(), group);
        if let Some(members) = self.groups.get_mut(&key) {
            members.retain(|member| member.id != peer.id);
            if members.is_empty() {
                self.groups.remove(&key);
            }
        }
    }
}
