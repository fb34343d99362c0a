//! The log, and sinks that write into it.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use signalr_proto::EventGate;
use signalr_proto::error::{NotSent, OutcomeUnknown};
use signalr_proto::json::{Cursor, DecodeError};
use signalr_proto::sink::{Budget, CallOutcome, CallSink, Gap, InvocationSink, ResultTicket, StreamOverflow};

/// Where a line of the log came from. Between two of them no order is promised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Channel {
    Action,
    Event,
    Reply,
    Sink,
}

/// What came out of the machine, one line each, in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<(Channel, String)>>>);

impl Log {
    pub(crate) fn push(&self, channel: Channel, line: impl Into<String>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((channel, line.into()));
    }

    /// Takes all lines.
    pub(crate) fn take(&self) -> Vec<(Channel, String)> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Takes the lines of some channels, and leaves those of the others.
    pub(crate) fn take_of(&self, wanted: &[Channel]) -> Vec<String> {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (taken, kept): (Vec<_>, Vec<_>) = lines.drain(..).partition(|(channel, _)| wanted.contains(channel));
        *lines = kept;
        taken.into_iter().map(|(_, line)| line).collect()
    }
}

/// What a sink expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Whatever it is.
    Any,
    /// One integer. Of arguments: exactly one.
    Integer,
    /// Arguments alone: an integer and a string.
    IntegerString,
}

fn decode_arguments(shape: Shape, cursor: &mut Cursor<'_>) -> Result<String, DecodeError> {
    Ok(match shape {
        Shape::Any => Value::Array(cursor.decode::<Vec<Value>>()?).to_string(),
        Shape::Integer => format!("[{}]", cursor.decode::<(i64,)>()?.0),
        Shape::IntegerString => {
            let (number, text) = cursor.decode::<(i64, String)>()?;
            format!("[{number},{}]", Value::from(text))
        }
    })
}

fn decode_value(shape: Shape, cursor: &mut Cursor<'_>) -> Result<String, DecodeError> {
    Ok(match shape {
        Shape::Integer => cursor.decode::<i64>()?.to_string(),
        Shape::Any | Shape::IntegerString => cursor.decode::<Value>()?.to_string(),
    })
}

/// What a test keeps of a listener: its fullness, and the tickets it was given.
#[derive(Debug, Clone, Default)]
pub(crate) struct Handle {
    pub(crate) is_full: Arc<AtomicBool>,
    pub(crate) tickets: Arc<Mutex<Vec<ResultTicket>>>,
    /// The lengths of the records that it was told.
    pub(crate) cost: Arc<AtomicUsize>,
    /// Where its bytes are counted, if they are to be.
    pub(crate) budget: Option<Budget>,
}

impl Handle {
    pub(crate) fn set_full(&self, is_full: bool) {
        self.is_full.store(is_full, Ordering::Relaxed);
    }

    pub(crate) fn take_ticket(&self) -> Option<ResultTicket> {
        self.tickets.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }
}

/// A listener that writes down what is committed once it is flushed, and holds the machine to the order of calls.
#[derive(Debug)]
pub(crate) struct Listener {
    name: String,
    shape: Shape,
    log: Log,
    handle: Handle,
    staged: Option<String>,
    unflushed: Vec<String>,
}

impl Listener {
    pub(crate) fn new(name: impl Into<String>, shape: Shape, log: Log, handle: Handle) -> Self {
        Self { name: name.into(), shape, log, handle, staged: None, unflushed: Vec::new() }
    }
}

impl InvocationSink for Listener {
    fn decode(&mut self, arguments: &mut Cursor<'_>) -> Result<(), DecodeError> {
        assert!(self.staged.is_none(), "what was staged is committed or discarded before the next");
        self.staged = Some(decode_arguments(self.shape, arguments)?);
        Ok(())
    }

    fn commit(&mut self, cost: usize, ticket: Option<ResultTicket>) {
        let value = self.staged.take().expect("only what was staged is committed");
        self.handle.cost.fetch_add(cost, Ordering::Relaxed);
        if let Some(budget) = &self.handle.budget {
            budget.add(cost);
        }
        let mark = if ticket.is_some() { " ticket" } else { "" };
        self.unflushed.push(format!("{} {value}{mark}", self.name));
        self.handle.tickets.lock().unwrap_or_else(PoisonError::into_inner).extend(ticket);
    }

    fn discard(&mut self) {
        self.staged = None;
    }

    fn malformed(&mut self, error: DecodeError, cost: usize) {
        assert!(self.staged.is_none(), "what did not fit was not staged");
        self.handle.cost.fetch_add(cost, Ordering::Relaxed);
        self.unflushed.push(format!("{} malformed {}", self.name, error.place()));
    }

    fn gap(&mut self, gap: &Gap) {
        assert!(self.staged.is_none(), "a gap stands between records");
        let keys: Vec<String> = gap.keys.iter().map(ToString::to_string).collect();
        self.unflushed.push(format!("{} gap {} {} [{}]", self.name, gap.serial, gap.reason.cause(), keys.join(" ")));
    }

    fn flush(&mut self) {
        for line in self.unflushed.drain(..) {
            self.log.push(Channel::Sink, line);
        }
    }

    fn is_full(&self) -> bool {
        self.handle.is_full.load(Ordering::Relaxed)
    }
}

/// A call's sink: items as they are flushed, then one line for the outcome.
#[derive(Debug)]
pub(crate) struct Caller {
    name: String,
    shape: Shape,
    log: Log,
    staged: Option<String>,
    unflushed: Vec<String>,
    /// How many bytes of items it takes.
    room: usize,
}

impl Caller {
    pub(crate) fn new(name: impl Into<String>, shape: Shape, log: Log) -> Self {
        Self { name: name.into(), shape, log, staged: None, unflushed: Vec::new(), room: usize::MAX }
    }

    pub(crate) fn with_room(self, room: usize) -> Self {
        Self { room, ..self }
    }
}

impl CallSink for Caller {
    fn decode(&mut self, value: &mut Cursor<'_>) -> Result<(), DecodeError> {
        assert!(self.staged.is_none(), "what was staged is taken or discarded before the next");
        self.staged = Some(decode_value(self.shape, value)?);
        Ok(())
    }

    fn commit_item(&mut self, cost: usize) -> Result<(), StreamOverflow> {
        let item = self.staged.take().expect("only what was staged is committed");
        self.unflushed.push(format!("{} item {item}", self.name));
        match self.room.checked_sub(cost) {
            Some(room) => self.room = room,
            None => return Err(StreamOverflow),
        }
        Ok(())
    }

    fn malformed_item(&mut self, error: DecodeError) {
        assert!(self.staged.is_none(), "what did not fit was not staged");
        self.unflushed.push(format!("{} item malformed at {:?}", self.name, error.place()));
    }

    fn discard(&mut self) {
        self.staged = None;
    }

    fn flush(&mut self) {
        for line in self.unflushed.drain(..) {
            self.log.push(Channel::Sink, line);
        }
    }

    fn finish(mut self: Box<Self>, outcome: CallOutcome) {
        assert!(self.unflushed.is_empty(), "items are visible before the end");
        let outcome = match outcome {
            CallOutcome::Value => format!("value {}", self.staged.take().expect("a value is staged")),
            CallOutcome::Completed => "completed".to_owned(),
            CallOutcome::HubError(error) => format!("hub_error {error}"),
            CallOutcome::Malformed(_) => "malformed".to_owned(),
            CallOutcome::NotSent(reason) => not_sent(&reason),
            CallOutcome::OutcomeUnknown(reason) => outcome_unknown(&reason),
            CallOutcome::Rejected(rejection) => format!("rejected {rejection}"),
            CallOutcome::StreamOverflow => "overflow".to_owned(),
            CallOutcome::Cancelled => "cancelled".to_owned(),
            other => format!("{other:?}"),
        };
        assert!(self.staged.is_none(), "nothing is staged but a value");
        self.log.push(Channel::Reply, format!("{} {outcome}", self.name));
    }
}

pub(crate) fn not_sent(reason: &NotSent) -> String {
    match reason {
        NotSent::NotConnected(state) => format!("not_sent {state}"),
        NotSent::Deadline => "not_sent deadline".to_owned(),
        NotSent::Disconnected(reason) => format!("not_sent {}", reason.cause()),
        NotSent::Cancelled => "not_sent cancelled".to_owned(),
        other => format!("not_sent {other:?}"),
    }
}

pub(crate) fn outcome_unknown(reason: &OutcomeUnknown) -> String {
    match reason {
        OutcomeUnknown::Deadline => "unknown deadline".to_owned(),
        OutcomeUnknown::Disconnected(reason) => format!("unknown {}", reason.cause()),
        OutcomeUnknown::Cancelled => "unknown cancelled".to_owned(),
        other => format!("unknown {other:?}"),
    }
}

/// A gate for the events of the machine.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gate(pub(crate) Arc<AtomicBool>);

impl EventGate for Gate {
    fn is_full(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
