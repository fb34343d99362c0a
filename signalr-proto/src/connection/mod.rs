//! The machine of one connection to a hub.

mod attempt;
mod calls;
mod commands;
mod feeds;
mod inbound;
mod outbound;
mod reconnect;
mod registry;
mod resume;
mod stop;
mod subscriptions;
mod timeouts;

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

pub use calls::{CallKind, CallRequest, CallTimeout};
pub use commands::{Command, EventGate, Reply, StartError, SubscribeError, UnsubscribeError, UploadRoom};
pub use registry::Role;

use attempt::Attempt;
use calls::Calls;
use feeds::Feeds;
use outbound::Outbound;
use reconnect::Outage;
use registry::Registry;
use resume::Resume;

use crate::config::HubConnectionConfig;
use crate::error::{ConfigError, DisconnectReason, HubError, ProtocolViolation};
use crate::io::{Action, AttemptId, Input, Token};
use crate::json::DecodeError;
use crate::machine::Machine;
use crate::protocol::record::RecordBuffer;
use crate::retry::scheduler::Scheduler;
use crate::retry::{BreakerState, ByClass, Durations, RetryMetrics, WaitReason};
use crate::sink::Budget;
use crate::subscription::{Ledger, SubscriptionKey};
use crate::time::{Instant, Timers};
use crate::url::HubUrl;

/// What a user of a connection can see of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "the five states are the protocol's own")]
pub enum State {
    /// Not connected, and nothing is done about it.
    Disconnected,
    /// On its way to the first connection of a `start`.
    Connecting,
    /// Calls can be made.
    Connected,
    /// The connection was lost and is tried again.
    Reconnecting,
    /// A `stop` is under way.
    Disconnecting,
}

impl State {
    /// The state as one word in lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Disconnected => "disconnected",
            Self::Connecting => "connecting",
            Self::Connected => "connected",
            Self::Reconnecting => "reconnecting",
            Self::Disconnecting => "disconnecting",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Names one connection: always there while connected, and never the same again.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ConnectionId {
    local: u64,
    server: Option<Arc<str>>,
}

impl ConnectionId {
    /// Counts the connections of this machine, from 1.
    pub fn local(&self) -> u64 {
        self.local
    }

    /// The id that the hub gave when it was negotiated with. With `skip_negotiation` the protocol never tells a client its id.
    pub fn server_assigned(&self) -> Option<&str> {
        self.server.as_deref()
    }
}

/// Unasked-for news, in the order in which it happened.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// The first connect of a `start` succeeded.
    Connected(ConnectionId),
    /// The connection was lost and is tried again. Once an outage.
    Reconnecting(DisconnectReason),
    /// Another attempt follows after a delay. Before every attempt to reconnect, the first included.
    Waiting {
        /// Counts from 1 in an outage.
        attempt: u32,
        /// How long, from now on.
        delay: std::time::Duration,
        /// The same as a point in time, on the driver's clock.
        until: Instant,
        /// Why the wait is as long as it is.
        why: WaitReason,
        /// The state of the circuit breaker; `None` for a policy without one.
        breaker: Option<BreakerState>,
        /// Why the last attempt failed; for the first, why the connection was lost.
        reason: DisconnectReason,
    },
    /// The link can be used again. What restores the subscriptions stands ahead of any call.
    Reconnected(ConnectionId),
    /// Every subscription was answered for, well or not.
    Restored,
    /// The transport is gone, but the hub keeps the connection: it is dialled again, and neither side loses anything. Told only with stateful
    /// reconnect; either `Resumed` follows, or `Reconnecting`, or `Disconnected`.
    Interrupted(DisconnectReason),
    /// The connection goes on over another transport. Nothing was missed.
    Resumed,
    /// The end of a connection that had been connected.
    Disconnected(DisconnectReason),
    /// Events of this subscription may have been missed from here on.
    GapOpened {
        /// The subscription.
        key: SubscriptionKey,
        /// Why.
        reason: DisconnectReason,
    },
    /// The hub sends this subscription's events from here on, and none were missed since it was asked for. Where some may have been,
    /// [`GapClosed`](Self::GapClosed) is told instead.
    Subscribed {
        /// The subscription.
        key: SubscriptionKey,
    },
    /// The hub sends this subscription's events again.
    GapClosed {
        /// The subscription.
        key: SubscriptionKey,
    },
    /// The hub refused to restore a subscription. It is tried again.
    SubscriptionFailed {
        /// The subscription.
        key: SubscriptionKey,
        /// The hub's words, or that it did not answer.
        error: HubError,
    },
    /// The hub called a target that somebody listens to. Told only while events are [tapped](Command::Tap).
    Invocation {
        /// The target.
        target: Box<str>,
        /// The arguments: the text of a JSON array.
        arguments: Box<str>,
        /// How many listeners took it.
        accepted: usize,
    },
    /// Arguments of a known target did not fit a listener.
    Malformed {
        /// The target.
        target: Box<str>,
        /// What did not fit, and where.
        error: DecodeError,
    },
    /// Five payloads in a row of this target fitted no listener. The subscriptions that name it have a gap now and are asked for anew; the
    /// connection stays. Told again, after 10, 20, 40, then 80 s, while it gets no better.
    FeedDegraded {
        /// The target.
        target: Box<str>,
    },
    /// A degraded target sent something that can be decoded.
    FeedRecovered {
        /// The target.
        target: Box<str>,
    },
    /// The hub called a target that nobody listens to.
    Unhandled {
        /// The target, cut at 256 characters.
        target: Box<str>,
    },
    /// The hub broke the protocol, whether or not that ended the connection.
    Violation(ProtocolViolation),
    /// Consumers have so much unread that the transport is not read any more.
    SlowConsumer,
}

/// What became of every record received: the sum of all but the first equals the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Counters {
    /// Records that were received whole.
    pub records: u64,
    /// Invocations that at least one listener took.
    pub delivered: u64,
    /// Invocations that fitted no listener of their target.
    pub malformed: u64,
    /// Invocations of targets that nobody listens to.
    pub unhandled: u64,
    /// Items that went to their stream, and items that did not fit it.
    pub items: u64,
    /// Completions that ended a call or a stream.
    pub completions: u64,
    /// Answers to calls that had been given up.
    pub abandoned: u64,
    /// Handshake responses, pings and closes.
    pub control: u64,
    /// Records that broke the protocol.
    pub violations: u64,
    /// Records that the hub repeated after an interruption and that had been processed already.
    pub repeated: u64,
}

/// The machine of one connection to a hub: see [`Machine`] for how it is driven.
pub struct HubConnection {
    url: HubUrl,
    config: HubConnectionConfig,
    /// The latest instant that was passed in.
    now: Instant,
    phase: Phase,
    last_attempt: u64,
    connections: u64,
    connection_id: Option<ConnectionId>,
    outage: Option<Outage>,
    /// What lets the connection outlive its transport, where the hub has agreed to that.
    resume: Option<Resume>,
    /// The attempt that made the connection: its transport may have been replaced since.
    origin: AttemptId,
    scheduler: Scheduler,
    /// When a hint was last followed.
    hinted_at: Option<Instant>,
    timers: Timers,
    last_sent: Instant,
    last_received: Instant,
    starting: Vec<Token>,
    stopping: Vec<Token>,
    outbound: Outbound,
    buffer: RecordBuffer,
    registry: Registry,
    calls: Calls,
    ledger: Ledger,
    feeds: Feeds,
    /// `Restored` is still to be told.
    is_restoring: bool,
    gaps: u64,
    gap_counts: GapCounts,
    /// The application stopped the last connection: the next one begins with a gap.
    owes_gap: bool,
    open_tickets: usize,
    budget: Budget,
    is_paused: bool,
    told_slow_consumer: bool,
    gate: Option<Box<dyn EventGate>>,
    counters: Counters,
    actions: VecDeque<Action>,
    replies: VecDeque<(Token, Reply)>,
    events: VecDeque<Event>,
}

/// Gaps of subscriptions, as far as they are over.
#[derive(Debug, Clone, Copy, Default)]
struct GapCounts {
    total: ByClass,
    seconds: Durations,
}

enum Phase {
    Disconnected,
    Attempting(Box<Attempt>),
    /// Between two attempts.
    Waiting,
    Connected(AttemptId),
    /// The goodbye is on its way.
    Stopping(AttemptId),
}

impl HubConnection {
    /// A machine for the hub at `url` (http, https, ws or wss), disconnected.
    pub fn new(url: &str, mut config: HubConnectionConfig) -> Result<Self, ConfigError> {
        let url = HubUrl::parse(url)?;
        config.check(&url)?;
        let buffer = RecordBuffer::new(config.max_record_bytes);
        let scheduler = Scheduler::new(std::mem::take(&mut config.retry), config.seed);
        Ok(Self {
            url,
            config,
            now: Instant::default(),
            phase: Phase::Disconnected,
            last_attempt: 0,
            connections: 0,
            connection_id: None,
            outage: None,
            resume: None,
            origin: AttemptId(0),
            scheduler,
            hinted_at: None,
            timers: Timers::default(),
            last_sent: Instant::default(),
            last_received: Instant::default(),
            starting: Vec::new(),
            stopping: Vec::new(),
            outbound: Outbound::default(),
            buffer,
            registry: Registry::default(),
            calls: Calls::default(),
            ledger: Ledger::default(),
            feeds: Feeds::default(),
            is_restoring: false,
            gaps: 0,
            gap_counts: GapCounts::default(),
            owes_gap: false,
            open_tickets: 0,
            budget: Budget::default(),
            is_paused: false,
            told_slow_consumer: false,
            gate: None,
            counters: Counters::default(),
            actions: VecDeque::new(),
            replies: VecDeque::new(),
            events: VecDeque::new(),
        })
    }

    /// The state now.
    pub fn state(&self) -> State {
        match &self.phase {
            Phase::Disconnected => State::Disconnected,
            Phase::Connected(_) => State::Connected,
            Phase::Stopping(_) => State::Disconnecting,
            Phase::Attempting(_) | Phase::Waiting => match &self.outage {
                Some(outage) if !outage.is_initial => State::Reconnecting,
                _ => State::Connecting,
            },
        }
    }

    /// The id of the connection, while connected.
    pub fn connection_id(&self) -> Option<&ConnectionId> {
        self.connection_id.as_ref()
    }

    /// When the hub was last heard: any WebSocket message counts, pings and pongs included. `None` before the first connection.
    pub fn last_received(&self) -> Option<Instant> {
        (self.connections > 0).then_some(self.last_received)
    }

    /// The attempt whose transport is in use: what [`Machine::poll_transmit`] gives belongs there.
    pub fn transport(&self) -> Option<AttemptId> {
        match &self.phase {
            Phase::Connected(_) if self.is_interrupted() => None,
            Phase::Connected(attempt) | Phase::Stopping(attempt) => Some(*attempt),
            Phase::Attempting(attempt) => (attempt.stage == attempt::Stage::Handshake).then_some(attempt.id),
            Phase::Disconnected | Phase::Waiting => None,
        }
    }

    /// What became of the records received so far.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// What was counted about reconnecting, up to `now`.
    pub fn retry_metrics(&mut self, now: Instant) -> RetryMetrics {
        let now = self.advance(now);
        let (subscriptions, gaps_open) = self.ledger.counts();
        let GapCounts { total: gap_total, seconds: gap_seconds } = self.gap_counts;
        RetryMetrics { subscriptions, gaps_open, gap_total, gap_seconds, ..self.scheduler.metrics(now) }
    }

    /// The count of bytes that consumers have not taken: their sinks add to it, they release from it.
    pub fn budget(&self) -> Budget {
        self.budget.clone()
    }

    /// Makes what was delivered visible to its consumers. To be called after a burst of inputs: one wake-up in place of many.
    pub fn flush(&mut self) {
        self.registry.flush();
        self.calls.flush();
    }

    fn reply(&mut self, token: Token, reply: Reply) {
        self.replies.push_back((token, reply));
    }

    fn event(&mut self, event: Event) {
        self.events.push_back(event);
    }

    /// Time goes on: a `now` that went back changes nothing.
    fn advance(&mut self, now: Instant) -> Instant {
        self.now = self.now.max(now);
        self.now
    }
}

impl Machine for HubConnection {
    type Command = Command;
    type Reply = Reply;
    type Event = Event;

    fn handle_command(&mut self, now: Instant, token: Token, command: Command) {
        let now = self.advance(now);
        self.command(now, token, command);
        self.update_pressure(now);
    }

    fn handle_input(&mut self, now: Instant, input: Input<'_>) {
        let now = self.advance(now);
        match input {
            Input::Received { attempt, payload } => self.received(now, attempt, payload),
            Input::Alive { attempt } => self.alive(now, attempt),
            Input::Closed { attempt, reason } => self.transport_ended(now, attempt, reason),
            Input::TokenProvided { attempt, token } => self.token_provided(now, attempt, token),
            Input::Answered { attempt, response } => self.negotiate_answered(now, attempt, response),
            Input::Opened { attempt, result } => self.opened(now, attempt, result),
            Input::ConsumerReady => self.update_pressure(now),
            Input::Suspended => self.suspended(now),
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        let now = self.advance(now);
        self.timeouts(now);
    }

    fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    fn poll_transmit(&mut self) -> Option<String> {
        self.transmit()
    }

    fn poll_reply(&mut self) -> Option<(Token, Reply)> {
        self.replies.pop_front()
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.next_timeout()
    }

    fn wants_read(&self) -> bool {
        !self.is_paused
    }

    fn is_drained(&self) -> bool {
        matches!(self.phase, Phase::Disconnected)
            && self.actions.is_empty()
            && self.replies.is_empty()
            && self.events.is_empty()
    }
}

impl fmt::Debug for HubConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HubConnection").field("url", &self.url).field("state", &self.state()).finish_non_exhaustive()
    }
}
