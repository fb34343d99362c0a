//! Calls that are under way: who made them, how far they got, until when.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::time::Duration;

use crate::io::Token;
use crate::json::{Cursor, DecodeError};
use crate::sink::CallSink;
use crate::subscription::Serial;
use crate::time::Instant;

/// What is expected of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallKind {
    /// One completion.
    Invoke,
    /// Nothing: done when its record was handed to the transport.
    Send,
    /// Items, then a completion.
    Stream,
}

/// How long the hub may take for a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CallTimeout {
    /// The configured call timeout for an invocation without uploads; none for anything else.
    #[default]
    Configured,
    /// No limit.
    Never,
    /// So long, counted from the command.
    After(Duration),
}

/// A call of a hub method.
pub struct CallRequest {
    /// What is expected.
    pub kind: CallKind,
    /// The method.
    pub target: String,
    /// The arguments: the text of a JSON array, without those that are streams.
    pub arguments: String,
    /// Headers of the message. Nothing in the protocol reads them.
    pub headers: Vec<(String, String)>,
    /// How many of the arguments are streams of items from this side.
    pub uploads: usize,
    /// Its deadline.
    pub timeout: CallTimeout,
    /// Where the answer goes.
    pub sink: Box<dyn CallSink>,
}

/// Who made a call.
pub(super) enum Owner {
    Application { token: Token, sink: Box<dyn CallSink> },
    Ledger { serial: Serial, is_subscribe: bool },
}

/// How far a call's record got.
pub(super) enum Stage {
    /// There was no room for it yet.
    Waiting(String),
    /// It is among the outbound records; so many bytes.
    Queued,
    /// It was handed to the transport.
    Sent,
}

pub(super) struct PendingCall {
    pub(super) owner: Owner,
    pub(super) kind: CallKind,
    pub(super) stage: Stage,
    pub(super) deadline: Option<Instant>,
    /// The ids of its streams from this side that have not ended.
    pub(super) uploads: Vec<Option<u64>>,
}

#[derive(Default)]
pub(super) struct Calls {
    by_id: BTreeMap<u64, PendingCall>,
    by_token: HashMap<Token, u64>,
    deadlines: BTreeSet<(Instant, u64)>,
    waiting: VecDeque<u64>,
    last_id: u64,
    /// Calls that nobody waits for any more, whose answers may still come.
    abandoned: HashSet<u64>,
    abandoned_order: VecDeque<u64>,
    /// Streams from this side that outlive their `send`.
    orphan_uploads: HashMap<Token, Vec<Option<u64>>>,
    /// The call whose value is staged.
    staged: Option<u64>,
    /// Streams with items that may not be visible yet.
    unflushed: Vec<u64>,
}

/// Answers that may still come for calls given up; the oldest are forgotten beyond it, and their answers count as violations.
const MAX_ABANDONED: usize = 4_096;

impl Calls {
    /// An id that was never used on this machine, for an invocation or a stream.
    pub(super) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    pub(super) fn insert(&mut self, id: u64, call: PendingCall) {
        if let Owner::Application { token, .. } = &call.owner {
            self.by_token.insert(*token, id);
        }
        if let Some(deadline) = call.deadline {
            self.deadlines.insert((deadline, id));
        }
        if matches!(call.stage, Stage::Waiting(_)) {
            self.waiting.push_back(id);
        }
        self.by_id.insert(id, call);
    }

    pub(super) fn remove(&mut self, id: u64) -> Option<PendingCall> {
        let call = self.by_id.remove(&id)?;
        if let Owner::Application { token, .. } = &call.owner {
            self.by_token.remove(token);
        }
        if let Some(deadline) = call.deadline {
            self.deadlines.remove(&(deadline, id));
        }
        if self.staged == Some(id) {
            self.staged = None;
        }
        Some(call)
    }

    /// Removes a call whose answer may still come.
    pub(super) fn abandon(&mut self, id: u64) -> Option<PendingCall> {
        let call = self.remove(id)?;
        self.abandoned.insert(id);
        self.abandoned_order.push_back(id);
        while self.abandoned_order.len() > MAX_ABANDONED {
            if let Some(oldest) = self.abandoned_order.pop_front() {
                self.abandoned.remove(&oldest);
            }
        }
        Some(call)
    }

    pub(super) fn is_abandoned(&self, id: u64) -> bool {
        self.abandoned.contains(&id)
    }

    /// The answer to a call that was given up has come.
    pub(super) fn forget_abandoned(&mut self, id: u64) -> bool {
        self.abandoned.remove(&id)
    }

    pub(super) fn get(&self, id: u64) -> Option<&PendingCall> {
        self.by_id.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: u64) -> Option<&mut PendingCall> {
        self.by_id.get_mut(&id)
    }

    pub(super) fn find(&self, token: Token) -> Option<u64> {
        self.by_token.get(&token).copied()
    }

    /// Takes all calls, in the order of their ids.
    pub(super) fn take_all(&mut self) -> Vec<(u64, PendingCall)> {
        let last_id = self.last_id;
        let calls = std::mem::take(self);
        self.last_id = last_id;
        calls.by_id.into_iter().collect()
    }

    /// Calls that take up room: all but those that wait for it.
    pub(super) fn len(&self) -> usize {
        self.by_id.len() - self.waiting.len().min(self.by_id.len())
    }

    /// Whether the application awaits something of the hub.
    pub(super) fn is_awaited(&self) -> bool {
        !self.by_token.is_empty()
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    /// Gives a call a deadline if it has none.
    pub(super) fn ensure_deadline(&mut self, id: u64, deadline: Instant) {
        let Some(call) = self.by_id.get_mut(&id).filter(|call| call.deadline.is_none()) else { return };
        call.deadline = Some(deadline);
        self.deadlines.insert((deadline, id));
    }

    pub(super) fn pop_due(&mut self, now: Instant) -> Option<u64> {
        let &(at, id) = self.deadlines.first()?;
        (at <= now).then_some(id)
    }

    /// The first call that waits for room.
    pub(super) fn first_waiting(&mut self) -> Option<(u64, usize)> {
        while let Some(&id) = self.waiting.front() {
            match self.by_id.get(&id).map(|call| &call.stage) {
                Some(Stage::Waiting(record)) => return Some((id, record.len())),
                _ => _ = self.waiting.pop_front(),
            }
        }
        None
    }

    pub(super) fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Takes the record of the first call that waits for room: it is queued from now on.
    pub(super) fn admit(&mut self, id: u64) -> Option<String> {
        self.waiting.pop_front();
        let call = self.by_id.get_mut(&id)?;
        match std::mem::replace(&mut call.stage, Stage::Queued) {
            Stage::Waiting(record) => Some(record),
            stage => {
                call.stage = stage;
                None
            }
        }
    }

    /// Puts a record behind that of a call which still waits for room. `Err` gives it back: the call does not wait.
    pub(super) fn append_waiting(&mut self, token: Token, record: String) -> Result<(), String> {
        match self.by_token.get(&token).and_then(|id| self.by_id.get_mut(id)).map(|call| &mut call.stage) {
            Some(Stage::Waiting(waiting)) => {
                waiting.push_str(&record);
                Ok(())
            }
            _ => Err(record),
        }
    }

    /// A call that waited for room was given up.
    pub(super) fn unwait(&mut self, id: u64) {
        self.waiting.retain(|waiting| *waiting != id);
    }

    /// The streams from this side of a call, if any of them may still take an item.
    pub(super) fn uploads_mut(&mut self, token: Token) -> Option<&mut Vec<Option<u64>>> {
        if let Some(id) = self.by_token.get(&token) {
            return self.by_id.get_mut(id).map(|call| &mut call.uploads);
        }
        self.orphan_uploads.get_mut(&token)
    }

    /// A `send` is done, but its streams go on.
    pub(super) fn keep_uploads(&mut self, token: Token, uploads: Vec<Option<u64>>) {
        if uploads.iter().any(Option::is_some) {
            self.orphan_uploads.insert(token, uploads);
        }
    }

    pub(super) fn drop_finished_uploads(&mut self, token: Token) {
        if self.orphan_uploads.get(&token).is_some_and(|uploads| uploads.iter().all(Option::is_none)) {
            self.orphan_uploads.remove(&token);
        }
    }

    /// Lets the sink of a stream decode an item.
    pub(super) fn decode_item(
        &mut self,
        invocation_id: &str,
        cursor: &mut Cursor<'_>,
    ) -> Option<Result<(), DecodeError>> {
        self.decode(invocation_id, CallKind::Stream, cursor)
    }

    /// Lets the sink of an invocation decode its result.
    pub(super) fn decode_result(
        &mut self,
        invocation_id: &str,
        cursor: &mut Cursor<'_>,
    ) -> Option<Result<(), DecodeError>> {
        self.decode(invocation_id, CallKind::Invoke, cursor)
    }

    fn decode(
        &mut self,
        invocation_id: &str,
        kind: CallKind,
        cursor: &mut Cursor<'_>,
    ) -> Option<Result<(), DecodeError>> {
        let id = parse_id(invocation_id)?;
        let call = self.by_id.get_mut(&id)?;
        let Owner::Application { sink, .. } = &mut call.owner else { return None };
        if call.kind != kind || !matches!(call.stage, Stage::Sent) {
            return None;
        }
        self.staged = Some(id);
        Some(sink.decode(cursor))
    }

    pub(super) fn discard(&mut self) {
        let Some(call) = self.staged.take().and_then(|id| self.by_id.get_mut(&id)) else { return };
        if let Owner::Application { sink, .. } = &mut call.owner {
            sink.discard();
        }
    }

    /// An item was committed: its consumer wants to know at the next flush.
    pub(super) fn mark_unflushed(&mut self, id: u64) {
        self.staged = None;
        if self.unflushed.last() != Some(&id) && !self.unflushed.contains(&id) {
            self.unflushed.push(id);
        }
    }

    pub(super) fn flush(&mut self) {
        while let Some(id) = self.unflushed.pop() {
            if let Some(PendingCall { owner: Owner::Application { sink, .. }, .. }) = self.by_id.get_mut(&id) {
                sink.flush();
            }
        }
    }
}

/// Ids are decimal numbers without ornaments; anything else was never given out here.
pub(super) fn parse_id(invocation_id: &str) -> Option<u64> {
    let is_plain = invocation_id.bytes().all(|byte| byte.is_ascii_digit()) && !invocation_id.starts_with('0');
    if is_plain { invocation_id.parse().ok() } else { None }
}
