//! The hub's side of one connection as a state machine: no clock, no socket, no task, no runtime inside.
//!
//! Bytes, the outcomes of hub methods and `now` go in by `handle_*`; events for whoever runs the methods, frames for
//! whoever has the socket and one deadline come out by `poll_*`. It keeps the laws of `signalr_proto`'s machine: work
//! happens in `handle_*`, nothing fails, splitting bytes anew changes nothing, every queue has a limit. It outlives its
//! socket where stateful reconnect was negotiated.
//!
//! ```text
//!            request accepted             Close, failure, timeout, the client's own end
//! Handshake ─────────────────▶ Open ─────────────────────────────────────────────────▶ Over
//!     │                        │  ▲
//!     │ refused                │  │ another socket of the same id
//!     ▼                        ▼  │
//!    Over               socket gone, stateful: kept for a while
//! ```

mod calls;
mod goodbye;
mod inbound;
mod outbound;
mod reading;
mod resume;
#[cfg(test)]
mod tests;
mod timers;

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use serde_json::value::RawValue;
use signalr_proto::time::Instant;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;

pub(crate) use calls::{CallId, UploadKey};
pub(crate) use goodbye::Goodbye;
pub(crate) use outbound::Outgoing;
pub(crate) use reading::Outcome;

use crate::hubs::{Hub, Method, MethodError};
use crate::protocol::record::Splitter;
use crate::protocol::write;
use calls::Calls;
use outbound::Outbound;
use reading::Invocation;
use resume::Resume;
use timers::{Timer, Timers};

/// The bytes that are read while the reading of records waits: without them no close would be seen.
const READ_AHEAD: usize = 64 * 1024;

/// What a connection obeys; the durations as in [`Options`](crate::Options).
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) handshake_timeout: Duration,
    pub(crate) keep_alive: Duration,
    pub(crate) client_timeout: Duration,
    /// The largest record, separator included; `usize::MAX`: any.
    pub(crate) max_record_bytes: usize,
    pub(crate) parallel_invocations: usize,
    pub(crate) upload_capacity: usize,
    pub(crate) detailed_errors: bool,
    /// What stateful reconnect was negotiated with, where it was.
    pub(crate) stateful: Option<Stateful>,
    /// When the client's token ends.
    pub(crate) expires: Option<Instant>,
    /// Let in only to be shown out after the handshake.
    pub(crate) is_unwelcome: bool,
}

/// The limits of stateful reconnect.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stateful {
    /// Unacknowledged bytes beyond which the hub stops writing.
    pub(crate) buffer_bytes: usize,
    /// How long a connection without a socket is kept.
    pub(crate) window: Duration,
}

/// What a connection asks of those around it.
#[derive(Debug)]
pub(crate) enum Event {
    /// The handshake is done: the connection belongs in the book.
    Connected,
    /// A client called a method, whatever becomes of it.
    Called(Called),
    /// A call was answered with an error before any method ran.
    Refused,
    /// A method is to be run; its outcome comes back by [`Connection::handle_outcome`].
    Call(Call),
    /// A running stream is to end.
    Cancel(CallId),
    /// An item for a method that runs; [`Connection::handle_item_taken`] when the method has it.
    Item { upload: UploadKey, item: Box<RawValue> },
    /// An upload is over.
    UploadOver { upload: UploadKey, error: Option<String> },
    /// An answer to a question of the hub. Nothing else is read until [`Connection::handle_answer`].
    Answer { id: String, outcome: Outcome },
    /// The socket is to be closed with code 1000, and is gone for this connection.
    CloseSocket,
    /// It is over. Nothing follows.
    Over(Goodbye),
}

/// One invocation for the log.
#[derive(Debug)]
pub(crate) struct Called {
    pub(crate) target: String,
    pub(crate) arguments: Vec<Box<RawValue>>,
    pub(crate) invocation_id: Option<String>,
    pub(crate) is_stream: bool,
    pub(crate) uploads: usize,
}

/// A method to run.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) id: CallId,
    pub(crate) method: &'static Method,
    pub(crate) invocation_id: Option<String>,
    pub(crate) arguments: Vec<Box<RawValue>>,
    pub(crate) uploads: Vec<UploadKey>,
    pub(crate) is_stream: bool,
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Connection {
    hub: Hub,
    rules: Rules,
    phase: Phase,
    inbound: Splitter,
    blocked: Option<Blocked>,
    /// The bytes of a record of unknown kind, behind which nothing is read any more.
    stuck: Option<usize>,
    has_pinged: bool,
    calls: Calls,
    outbound: Outbound,
    resume: Option<Resume>,
    /// Since when the buffer of stateful reconnect is full and something waits for it.
    held_up_since: Option<Instant>,
    has_socket: bool,
    /// This socket took the place of one that still lived: it is closed when it says something (seen live).
    is_intruder: bool,
    timers: Timers,
    events: VecDeque<Event>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Handshake,
    Open,
    Over,
}

/// What the reading waits for.
#[derive(Debug)]
enum Blocked {
    /// A place among the invocations that run at once.
    Call(Invocation),
    /// Room for an item.
    Item { stream_id: String, item: Box<RawValue> },
    /// Whether an answer was the answerer's to give.
    Answer,
}

impl Connection {
    /// A connection whose socket is open and has said nothing.
    pub(crate) fn new(now: Instant, hub: Hub, rules: Rules) -> Self {
        let mut timers = Timers::default();
        timers.set(Timer::Handshake, now + rules.handshake_timeout);
        Self {
            hub,
            phase: Phase::Handshake,
            inbound: Splitter::new(rules.max_record_bytes),
            blocked: None,
            stuck: None,
            has_pinged: false,
            calls: Calls::new(rules.parallel_invocations, rules.upload_capacity),
            outbound: Outbound::default(),
            resume: None,
            held_up_since: None,
            has_socket: true,
            is_intruder: false,
            timers,
            events: VecDeque::new(),
            rules,
        }
    }

    /// Takes what a WebSocket message held; where messages begin and end means nothing.
    pub(crate) fn handle_bytes(&mut self, now: Instant, bytes: &[u8]) {
        if self.phase == Phase::Over {
            return;
        }
        if self.is_intruder {
            self.is_intruder = false;
            self.events.push_back(Event::CloseSocket);
            return self.lose_socket(now);
        }
        self.inbound.push(bytes);
        self.read_on(now);
    }

    /// Takes that the client closed its WebSocket: that ends the connection, also a stateful one.
    pub(crate) fn handle_close(&mut self, now: Instant) {
        self.handle_end(now, Goodbye::Left);
    }

    /// Takes that the socket is gone without a close.
    pub(crate) fn handle_loss(&mut self, now: Instant) {
        if self.is_resumable() {
            self.lose_socket(now);
        } else {
            self.handle_end(now, Goodbye::Gone);
        }
    }

    /// Takes another socket of the same id; `false` when the connection cannot change its socket.
    pub(crate) fn handle_return(&mut self, now: Instant) -> bool {
        if !self.is_resumable() {
            return false;
        }
        self.is_intruder = self.has_socket;
        self.has_socket = true;
        self.timers.clear(Timer::Return);
        if let Some(resume) = &self.resume {
            let first = write::sequence(resume.sequence());
            self.outbound.say_again(std::iter::once(first).chain(resume.unacknowledged().cloned()));
        }
        self.watch(now);
        true
    }

    /// Does what is due.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        while let Some(timer) = self.timers.pop_due(now) {
            match timer {
                Timer::Handshake => self.refuse(now, "Handshake was canceled."),
                Timer::Token => self.handle_end(now, Goodbye::Close { error: None, allow_reconnect: true }),
                Timer::Client => self.fail(
                    now,
                    "OperationCanceledException: Client hasn't sent a message/ping within the configured \
                     ClientTimeoutInterval.",
                ),
                Timer::Return => self.handle_end(now, Goodbye::Gone),
                Timer::Stall if self.blocked.is_some() => {
                    self.fail(now, "OperationCanceledException: The operation was canceled.");
                }
                Timer::Stall => self.handle_end(now, Goodbye::WebSocket(1000)),
                Timer::Ack => {
                    let may_speak = self.has_socket && !self.is_intruder;
                    if let Some(sequence_id) = self.resume.as_mut().filter(|_| may_speak).and_then(Resume::ack) {
                        self.outbound.push_control(write::ack(sequence_id));
                    }
                }
                Timer::KeepAlive => {
                    self.timers.set(Timer::KeepAlive, now + self.rules.keep_alive);
                    // A ping that still waits says all that another one would, and no ping passes a write that waits.
                    let waits = self.outbound.has_control() || self.outbound.is_held_up(self.resume.as_ref());
                    if self.has_socket && !waits {
                        self.outbound.push_control(write::PING);
                    }
                }
            }
        }
    }

    /// Takes the outcome of a method: the JSON of its result, or nothing of a stream's.
    pub(crate) fn handle_outcome(&mut self, now: Instant, call: CallId, outcome: Result<String, MethodError>) {
        let Some(running) = self.calls.end(call).filter(|_| self.phase == Phase::Open) else {
            return;
        };
        for upload in self.calls.close_uploads_of(call) {
            self.events.push_back(Event::UploadOver { upload, error: None });
        }
        if let Some(id) = running.invocation_id.as_deref() {
            let record = match outcome {
                Err(MethodError::Unwritable(detail)) => return self.fail(now, detail),
                Err(error) => write::completion_error(id, &error.text(running.method.name, self.rules.detailed_errors)),
                Ok(_) if running.is_stream => write::completion_of_stream(id),
                Ok(result) => write::completion(id, &result),
            };
            if !self.outbound.push(record) {
                return self.handle_end(now, Goodbye::Reset);
            }
        }
        self.handle_room(now);
    }

    /// Takes that a method gave up its place while it goes on: it waits for the client.
    pub(crate) fn handle_place_released(&mut self, now: Instant, call: CallId) {
        self.calls.release_place(call);
        self.read_on(now);
    }

    /// Takes that a method has an item.
    pub(crate) fn handle_item_taken(&mut self, now: Instant, upload: UploadKey) {
        self.calls.item_taken(upload);
        if matches!(self.blocked, Some(Blocked::Item { .. })) {
            self.read_on(now);
        }
    }

    /// Takes whether the answer was to somebody else's question: that ends the connection of the one who gave it.
    pub(crate) fn handle_answer(&mut self, now: Instant, is_foreign: bool) {
        if !matches!(self.blocked, Some(Blocked::Answer)) {
            return;
        }
        self.blocked = None;
        if is_foreign {
            return self.fail(now, "HubException: The connection may not answer for another.");
        }
        self.read_on(now);
    }

    /// Looks again at what waited for room: places of calls whose Completion has left by now.
    pub(crate) fn handle_room(&mut self, now: Instant) {
        let has_room = self.outbound.has_room() && !self.outbound.is_held_up(self.resume.as_ref());
        if has_room && self.calls.has_held() {
            self.calls.release_held();
        }
        self.read_on(now);
    }

    /// Ends the connection; the first reason holds.
    pub(crate) fn handle_end(&mut self, _now: Instant, goodbye: Goodbye) {
        if self.phase == Phase::Over {
            return;
        }
        match &goodbye {
            Goodbye::Close { error, allow_reconnect } => {
                self.outbound.finish(Some(write::close(error.as_deref(), *allow_reconnect)), 1000);
            }
            Goodbye::Refused(record) => self.outbound.finish(Some(record.clone()), 1000),
            Goodbye::WebSocket(code) => self.outbound.finish(None, *code),
            Goodbye::Left | Goodbye::Gone | Goodbye::Tcp | Goodbye::Reset => self.outbound.discard(),
        }
        self.phase = Phase::Over;
        self.blocked = None;
        self.timers.clear_all();
        self.events.push_back(Event::Over(goodbye));
    }

    /// Queues a record; `false` when the client reads too slowly and the connection must end.
    pub(crate) fn send(&mut self, record: Bytes) -> bool {
        self.outbound.push(record)
    }

    /// Queues a frame as it is; `false` as with [`Connection::send`].
    pub(crate) fn send_frame(&mut self, frame: Frame) -> bool {
        self.outbound.push_frame(frame)
    }

    /// Whether a producer that can wait should not.
    pub(crate) fn has_room(&self) -> bool {
        self.outbound.has_room()
    }

    /// The bytes that wait to be written.
    pub(crate) fn queued_bytes(&self) -> usize {
        self.outbound.bytes()
    }

    /// Whether the connection survives the loss of its socket.
    pub(crate) fn is_resumable(&self) -> bool {
        self.phase != Phase::Over && self.rules.stateful.is_some()
    }

    /// Pops what somebody must do.
    pub(crate) fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Pops the next thing to write. Pull only when the socket can take it: what was pulled counts as sent.
    pub(crate) fn poll_transmit(&mut self) -> Option<Outgoing> {
        if !self.has_socket && self.phase != Phase::Over {
            return None;
        }
        self.outbound.poll(self.resume.as_mut())
    }

    /// Whether [`Connection::poll_transmit`] has something.
    pub(crate) fn is_ready(&self) -> bool {
        (self.has_socket || self.phase == Phase::Over) && self.outbound.is_ready(self.resume.as_ref())
    }

    /// Whether [`Connection::poll_event`] has something, or [`Connection::handle_room`] has something to do.
    pub(crate) fn is_stirred(&self) -> bool {
        let is_held_up = self.outbound.is_held_up(self.resume.as_ref());
        !self.events.is_empty()
            || (self.calls.has_held() && self.outbound.has_room() && !is_held_up)
            || (is_held_up && self.has_socket && self.held_up_since.is_none())
    }

    /// The instant at which [`Connection::handle_timeout`] wants to be called, if nothing happens before.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// Whether the socket should be read; otherwise TCP pushes back. A little is read ahead of a call that waits.
    pub(crate) fn wants_read(&self) -> bool {
        self.phase != Phase::Over && (self.blocked.is_none() || self.inbound.len() < READ_AHEAD)
    }

    fn lose_socket(&mut self, now: Instant) {
        let Some(stateful) = self.rules.stateful.filter(|_| self.has_socket) else {
            return;
        };
        self.has_socket = false;
        self.is_intruder = false;
        self.timers.set(Timer::Return, now + stateful.window);
        self.watch(now);
    }

    fn refuse(&mut self, now: Instant, text: &str) {
        self.handle_end(now, Goodbye::Refused(write::handshake_error(text)));
    }

    /// Ends the connection as ASP.NET Core does when something went wrong; the detail is for those who asked for it.
    fn fail(&mut self, now: Instant, detail: &str) {
        self.handle_end(now, Goodbye::failure(self.rules.detailed_errors.then_some(detail)));
    }

    /// Arms the timers that depend on what waits.
    fn watch(&mut self, now: Instant) {
        let Some(resume) = self.resume.as_ref().filter(|_| self.phase == Phase::Open) else {
            return;
        };
        if let Some(due) = resume.ack_due(now).filter(|_| self.has_socket && !self.timers.is_set(Timer::Ack)) {
            self.timers.set(Timer::Ack, due);
        }
        if !(self.has_socket && self.outbound.is_held_up(Some(resume))) {
            self.held_up_since = None;
            self.timers.clear(Timer::Stall);
            return;
        }
        let since = *self.held_up_since.get_or_insert(now);
        let is_deadlock = self.blocked.is_some();
        let timeout = if is_deadlock { resume::DEADLOCK_TIMEOUT } else { resume::STALL_TIMEOUT };
        self.timers.set(Timer::Stall, since + timeout);
    }
}

/// Takes the first of a queue if it is the one that is wanted.
fn pop_if<T>(queue: &mut VecDeque<T>, wanted: impl FnOnce(&T) -> bool) -> Option<T> {
    if queue.front().is_some_and(wanted) { queue.pop_front() } else { None }
}
