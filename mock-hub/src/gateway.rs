//! What all connections of one hub share.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::time::Instant;

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};

use crate::calls::CallLog;
use crate::changes::Changes;
use crate::client_results::ClientResults;
use crate::clock::Clock;
use crate::connection::{Rules, Stateful};
use crate::faults::Faults;
use crate::lock::lock;
use crate::observe::{Journal, Metrics, Note, Pulse};
use crate::options::{BadToken, Options};
use crate::peers::{Peer, Peers};
use crate::recording::{Recorder, Replay};
use crate::rest::Limits;
use crate::tokens::{Tokens, random_id};
use crate::wire::Wire;
use crate::world::World;

/// The negotiated ids that are remembered while nobody opens them.
const MAX_NEGOTIATED: usize = 100_000;
/// The streams whose end is remembered for `WasCancelled`.
const MAX_REMEMBERED_STREAMS: usize = 10_000;

pub(crate) struct Gateway {
    pub(crate) options: Options,
    pub(crate) clock: Arc<Clock>,
    pub(crate) peers: Arc<Peers>,
    pub(crate) world: World,
    pub(crate) limits: Mutex<Limits>,
    /// The runtime of the hub's thread, once it runs.
    pub(crate) runtime: OnceLock<Handle>,
    pub(crate) tokens: Tokens,
    pub(crate) calls: CallLog,
    pub(crate) client_results: ClientResults,
    pub(crate) faults: Arc<Faults>,
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) replay: Option<Replay>,
    pub(crate) changes: Changes,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) journal: Arc<Journal>,
    pub(crate) pulse: Pulse,
    pub(crate) negotiations: AtomicU64,
    pub(crate) upgrades: AtomicU64,
    pub(crate) open_sockets: AtomicUsize,
    /// The steps of scenarios whose time has not come.
    pub(crate) waiting_steps: AtomicUsize,
    pub(crate) accepting: watch::Sender<bool>,
    pub(crate) stop: watch::Sender<bool>,
    bad_token_closes: AtomicBool,
    negotiated: Mutex<HashMap<String, Negotiated>>,
    ended_streams: Mutex<HashMap<String, bool>>,
}

#[derive(Debug)]
struct Negotiated {
    connection_id: String,
    at: Instant,
    is_stateful: bool,
    is_open: bool,
    /// Where another socket of this id goes, and to whom.
    returns: Option<mpsc::Sender<(Wire, Bytes)>>,
    peer: Weak<Peer>,
}

/// What became of an id in an upgrade request.
#[derive(Debug)]
pub(crate) enum Claim {
    /// It is this connection's now.
    Granted {
        connection_id: String,
        /// Where other sockets of the id will come from, where stateful reconnect was negotiated.
        returns: Option<mpsc::Receiver<(Wire, Bytes)>>,
    },
    /// It is a connection's that takes another socket.
    Returned(mpsc::Sender<(Wire, Bytes)>),
    Unknown,
    InUse,
}

impl Gateway {
    pub(crate) fn new(options: Options) -> Self {
        let clock = Arc::new(Clock::new(options.clock));
        let peers = Arc::new(Peers::new(Arc::clone(&clock)));
        let journal = Arc::<Journal>::default();
        let faults = Arc::new(Faults::new(options.seed, &journal));
        peers.set_judge(faults.judge());
        Self {
            world: World::new(&options, Arc::clone(&clock), Arc::clone(&peers)),
            clock,
            limits: Mutex::default(),
            runtime: OnceLock::new(),
            tokens: Tokens::new(options.require_token.clone(), options.first_user()),
            calls: CallLog::default(),
            client_results: ClientResults::default(),
            faults,
            recorder: Arc::default(),
            replay: None,
            changes: Changes::default(),
            metrics: Arc::clone(&peers.metrics),
            peers,
            journal,
            pulse: Pulse::default(),
            negotiations: AtomicU64::new(0),
            upgrades: AtomicU64::new(0),
            open_sockets: AtomicUsize::new(0),
            waiting_steps: AtomicUsize::new(0),
            accepting: watch::Sender::new(true),
            stop: watch::Sender::new(false),
            bad_token_closes: AtomicBool::new(options.bad_token == BadToken::AcceptThenClose),
            negotiated: Mutex::default(),
            ended_streams: Mutex::default(),
            options,
        }
    }

    /// Notes a login by API key.
    pub(crate) fn login_seen(&self, user: &str, accepted: bool) {
        self.metrics.login(accepted);
        self.journal.note(Note::Login { user, accepted });
    }

    /// Runs something in the background of a hub that runs.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        if let Some(runtime) = self.runtime.get() {
            runtime.spawn(task);
        }
    }

    /// A fresh connection id and its secret token; version 0 knows no difference.
    pub(crate) fn negotiate(&self, version: i64, is_stateful: bool) -> (String, String) {
        let id = random_id();
        let token = if version == 0 { id.clone() } else { random_id() };
        let mut negotiated = lock(&self.negotiated);
        if negotiated.len() >= MAX_NEGOTIATED {
            let lifetime = self.options.negotiation_lifetime;
            negotiated.retain(|_, entry| entry.is_open || entry.at.elapsed() < lifetime);
        }
        if negotiated.len() < MAX_NEGOTIATED {
            let entry = Negotiated {
                connection_id: id.clone(),
                at: Instant::now(),
                is_stateful,
                is_open: false,
                returns: None,
                peer: Weak::new(),
            };
            negotiated.insert(token.clone(), entry);
        }
        (id, token)
    }

    /// Takes a negotiated id for a WebSocket.
    pub(crate) fn claim(&self, token: &str) -> Claim {
        let mut negotiated = lock(&self.negotiated);
        let Some(entry) = negotiated.get_mut(token) else {
            return Claim::Unknown;
        };
        if entry.is_open {
            let is_resumable = entry.peer.upgrade().is_some_and(|peer| peer.is_resumable());
            return match &entry.returns {
                Some(returns) if is_resumable => Claim::Returned(returns.clone()),
                _ => Claim::InUse,
            };
        }
        if entry.at.elapsed() >= self.options.negotiation_lifetime {
            negotiated.remove(token);
            return Claim::Unknown;
        }
        entry.is_open = true;
        let connection_id = entry.connection_id.clone();
        if !entry.is_stateful {
            return Claim::Granted { connection_id, returns: None };
        }
        let (sender, returns) = mpsc::channel(1);
        entry.returns = Some(sender);
        Claim::Granted { connection_id, returns: Some(returns) }
    }

    /// Remembers whose a claimed id is.
    pub(crate) fn opened(&self, token: &str, peer: &Arc<Peer>) {
        if let Some(entry) = lock(&self.negotiated).get_mut(token) {
            entry.peer = Arc::downgrade(peer);
        }
    }

    /// What connections obey; `is_stateful` where stateful reconnect was negotiated.
    pub(crate) fn rules(&self, is_stateful: bool, is_unwelcome: bool) -> Rules {
        let options = &self.options;
        let limit = options.max_receive_bytes;
        let stateful =
            Stateful { buffer_bytes: options.stateful_buffer_bytes, window: options.stateful_reconnect_window };
        Rules {
            handshake_timeout: options.handshake_timeout,
            keep_alive: options.keep_alive,
            client_timeout: options.client_timeout,
            max_record_bytes: if limit == 0 { usize::MAX } else { limit },
            parallel_invocations: options.parallel_invocations,
            upload_capacity: options.stream_buffer,
            detailed_errors: options.detailed_errors,
            stateful: is_stateful.then_some(stateful),
            expires: None,
            is_unwelcome,
        }
    }

    /// The connection id of a negotiated token.
    pub(crate) fn connection_id(&self, token: &str) -> Option<String> {
        lock(&self.negotiated).get(token).map(|entry| entry.connection_id.clone())
    }

    pub(crate) fn knows(&self, token: &str) -> bool {
        lock(&self.negotiated).contains_key(token)
    }

    /// The id is spent: its connection is over.
    pub(crate) fn release(&self, token: &str) {
        lock(&self.negotiated).remove(token);
    }

    pub(crate) fn set_bad_token(&self, behaviour: BadToken) {
        self.bad_token_closes.store(behaviour == BadToken::AcceptThenClose, Ordering::Relaxed);
    }

    pub(crate) fn bad_token_closes(&self) -> bool {
        self.bad_token_closes.load(Ordering::Relaxed)
    }

    /// Remembers whether the stream of this key was cancelled.
    pub(crate) fn note_stream(&self, key: &str, cancelled: bool) {
        let mut streams = lock(&self.ended_streams);
        if streams.len() < MAX_REMEMBERED_STREAMS || streams.contains_key(key) {
            streams.insert(key.to_owned(), cancelled);
        }
    }

    pub(crate) fn was_cancelled(&self, key: &str) -> bool {
        lock(&self.ended_streams).get(key).copied().unwrap_or_default()
    }
}

impl fmt::Debug for Gateway {
    /// Without tokens, keys and the secret ids of connections.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Gateway")
            .field("options", &self.options)
            .field("peers", &self.peers)
            .finish_non_exhaustive()
    }
}
