//! What the application asks, and the one answer to each.

use std::fmt;

use super::calls::{CallKind, CallRequest, CallTimeout, Owner, PendingCall, Stage};
use super::resume::Resume;
use super::{HubConnection, Phase, Role};
use crate::error::{DisconnectReason, HubError, NotSent, OutcomeUnknown, Rejection};
use crate::io::Token;
use crate::protocol::RECORD_SEPARATOR;
use crate::protocol::message::{Completion, HubMessage, Invocation};
use crate::sink::{CallOutcome, CallSink, InvocationSink, ResultTicket};
use crate::subscription::{SubscriptionKey, SubscriptionRequest};
use crate::time::Instant;

/// What the application asks of a connection. JSON is handed in as text that a serializer made.
#[non_exhaustive]
pub enum Command {
    /// Connect. Answered by [`Reply::Started`]; joins a start that is under way.
    Start,
    /// Say goodbye. Answered by [`Reply::Stopped`] when the connection is disconnected; joins a stop that is under way.
    Stop,
    /// Call a method. Answered by [`Reply::Call`].
    Call(CallRequest),
    /// Give up the call of that token: a stream is cancelled on the hub. Answered by [`Reply::Done`], after the call's own reply.
    Cancel {
        /// The call's token.
        call: Token,
    },
    /// An item of a stream from this side. Dropped if the call or its stream is over. Answered by [`Reply::Done`].
    UploadItem {
        /// The call's token.
        call: Token,
        /// Which of its streams, from 0.
        stream: usize,
        /// The item, as JSON text.
        item: String,
    },
    /// The end of a stream from this side. Answered by [`Reply::Done`].
    UploadEnd {
        /// The call's token.
        call: Token,
        /// Which of its streams, from 0.
        stream: usize,
        /// Why it ends before its time, for the hub.
        error: Option<String>,
    },
    /// Answer the hub. Silently dropped if the connection that asked is gone. Answered by [`Reply::Done`].
    Complete {
        /// What came with the invocation.
        ticket: ResultTicket,
        /// The result as JSON text, or an error's text.
        result: Result<String, String>,
    },
    /// Listen to a target. The token names the registration. Answered by [`Reply::Done`] or, for a second responder, [`Reply::Rejected`].
    Register {
        /// The target, compared by exact case.
        target: String,
        /// Listener or responder.
        role: Role,
        /// Where the invocations go.
        sink: Box<dyn InvocationSink>,
    },
    /// Listen no more. Answered by [`Reply::Done`].
    Unregister {
        /// The token of the registration.
        registration: Token,
    },
    /// Keep a subscription, over reconnects and stops. Answered by [`Reply::Subscribed`] when the hub has answered.
    Subscribe(SubscriptionRequest),
    /// One subscriber leaves; with the last one the hub is told. Answered by [`Reply::Unsubscribed`].
    Unsubscribe {
        /// The subscription.
        key: SubscriptionKey,
        /// The token of the leaving subscriber's own `Subscribe`: if that still waits, it ends as cancelled.
        subscriber: Option<Token>,
    },
    /// Tell every invocation as an [`Event`](super::Event) too, as long as there is a gate. Answered by [`Reply::Done`].
    Tap(Option<Box<dyn EventGate>>),
    /// Make the attempt that is waited for now, whatever the wait is for; while not waiting it does nothing. Followed once in 5 s. Answered
    /// by [`Reply::Done`].
    ReconnectNow,
    /// The operating system says that the network is back: like [`Command::ReconnectNow`], but an open circuit breaker is obeyed unless
    /// this machine had been the cause. Answered by [`Reply::Done`].
    NetworkUp,
    /// The longest wait between two attempts from now on, that of the breaker included, and of the wait under way; `None`: the policy's
    /// own. For times in which a late return costs more than a few dials. Answered by [`Reply::Done`].
    SetMaxDelay(Option<std::time::Duration>),
}

/// Says whether whoever takes the machine's events has had enough for now.
pub trait EventGate: Send {
    /// Whether reading should pause.
    fn is_full(&self) -> bool;
}

/// The one answer to a command.
#[non_exhaustive]
pub enum Reply {
    /// It was done; there is nothing to say.
    Done,
    /// How the start ended.
    Started(Result<(), StartError>),
    /// The connection is disconnected.
    Stopped,
    /// How the call ended. Pass the outcome on to [`CallSink::finish`].
    Call(Box<dyn CallSink>, CallOutcome),
    /// How the subscribe ended: its epoch, or why not.
    Subscribed(Result<u64, SubscribeError>),
    /// How the unsubscribe ended.
    Unsubscribed(Result<(), UnsubscribeError>),
    /// It was refused on the spot.
    Rejected(Rejection),
}

/// Why a start failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Not in this state.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// No connection could be made.
    #[error("{0}")]
    Failed(DisconnectReason),
}

/// Why a subscribe failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SubscribeError {
    /// Refused on the spot.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The hub refused: it is no wish any more.
    #[error(transparent)]
    Hub(HubError),
    /// The connection was stopped before it was sent. The wish stays.
    #[error(transparent)]
    NotSent(NotSent),
    /// It was sent and no answer came. The wish stays.
    #[error(transparent)]
    OutcomeUnknown(OutcomeUnknown),
    /// It was unsubscribed meanwhile.
    #[error("unsubscribed before the hub had answered")]
    Cancelled,
}

/// Why an unsubscribe failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnsubscribeError {
    /// Refused on the spot.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The hub refused. It is no wish any more all the same.
    #[error(transparent)]
    Hub(HubError),
}

/// Whether a call's streams from this side may go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is nothing between full and gone")]
pub enum UploadRoom {
    /// An item can go.
    Open,
    /// Not now.
    Full,
    /// The call is over: nobody takes items any more.
    Gone,
}

impl HubConnection {
    /// Whether a stream from this side of a call may go on.
    pub fn upload_room(&mut self, call: Token, stream: usize) -> UploadRoom {
        let is_sent = match self.calls.find(call).and_then(|id| self.calls.get(id)) {
            Some(call) => matches!(call.stage, Stage::Sent),
            None => true,
        };
        let is_open = self.calls.uploads_mut(call).and_then(|uploads| uploads.get(stream)).is_some_and(Option::is_some);
        match is_open {
            false => UploadRoom::Gone,
            true if is_sent && self.outbound.bytes() < self.config.max_outbound_bytes => UploadRoom::Open,
            true => UploadRoom::Full,
        }
    }

    pub(super) fn command(&mut self, now: Instant, token: Token, command: Command) {
        match command {
            Command::Start => self.start(now, token),
            Command::Stop => self.stop(now, token),
            Command::Call(request) => self.call(now, token, request),
            Command::Cancel { call } => {
                self.cancel(now, call);
                self.reply(token, Reply::Done);
            }
            Command::UploadItem { call, stream, item } => {
                let record = |stream_id: &str| {
                    HubMessage::StreamItem { invocation_id: stream_id.into(), item: item.as_str().into() }.to_record()
                };
                self.upload(call, stream, false, record);
                self.reply(token, Reply::Done);
            }
            Command::UploadEnd { call, stream, error } => {
                let record = |stream_id: &str| {
                    let outcome = error.as_deref().map_or(Completion::Void, |error| Completion::Error(error.into()));
                    HubMessage::Completion { invocation_id: stream_id.into(), outcome }.to_record()
                };
                self.upload(call, stream, true, record);
                self.calls.drop_finished_uploads(call);
                self.reply(token, Reply::Done);
            }
            Command::Complete { ticket, result } => {
                self.complete(ticket, result);
                self.reply(token, Reply::Done);
            }
            Command::Register { target, role, sink } => {
                let reply = if self.registry.register(token, target, role, sink) {
                    Reply::Done
                } else {
                    Reply::Rejected(Rejection::Invalid("the target has a handler that answers already".to_owned()))
                };
                self.reply(token, reply);
            }
            Command::Unregister { registration } => {
                self.registry.unregister(registration);
                self.reply(token, Reply::Done);
            }
            Command::Subscribe(request) => self.subscribe(now, token, request),
            Command::Unsubscribe { key, subscriber } => self.unsubscribe(now, token, &key, subscriber),
            Command::Tap(gate) => {
                self.gate = gate;
                self.reply(token, Reply::Done);
            }
            Command::ReconnectNow => {
                self.reconnect_now(now);
                self.reply(token, Reply::Done);
            }
            Command::NetworkUp => {
                self.network_up(now);
                self.reply(token, Reply::Done);
            }
            Command::SetMaxDelay(longest) => {
                self.set_max_delay(now, longest);
                self.reply(token, Reply::Done);
            }
        }
    }

    fn call(&mut self, now: Instant, token: Token, request: CallRequest) {
        let CallRequest { kind, target, arguments, headers, uploads, timeout, sink } = request;
        let refusal = match &self.phase {
            Phase::Connected(_) => None,
            Phase::Disconnected | Phase::Stopping(_) => Some(CallOutcome::Rejected(Rejection::NotActive)),
            Phase::Attempting(_) | Phase::Waiting => Some(CallOutcome::NotSent(NotSent::NotConnected(self.state()))),
        };
        if let Some(outcome) = refusal {
            return self.reply(token, Reply::Call(sink, outcome));
        }
        if memchr::memchr(RECORD_SEPARATOR, arguments.as_bytes()).is_some() {
            let rejection = Rejection::Invalid("the arguments hold the byte that ends records".to_owned());
            return self.reply(token, Reply::Call(sink, CallOutcome::Rejected(rejection)));
        }
        // Microsoft's clients take the ids of a call's streams first.
        let uploads: Vec<Option<u64>> = (0..uploads).map(|_| Some(self.calls.next_id())).collect();
        let id = self.calls.next_id();
        let deadline = match timeout {
            CallTimeout::After(timeout) => Some(now + timeout),
            CallTimeout::Configured if kind == CallKind::Invoke && uploads.is_empty() => {
                self.config.call_timeout.map(|timeout| now + timeout)
            }
            CallTimeout::Configured | CallTimeout::Never => None,
        };
        let invocation = Invocation {
            invocation_id: (kind != CallKind::Send).then(|| id.to_string().into()),
            target: target.into(),
            arguments: arguments.into(),
            stream_ids: uploads.iter().flatten().map(|id| id.to_string().into()).collect(),
            headers: headers.into_iter().map(|(name, value)| (name.into(), value.into())).collect(),
        };
        let message = if kind == CallKind::Stream {
            HubMessage::StreamInvocation(invocation)
        } else {
            HubMessage::Invocation(invocation)
        };
        let record = message.to_record();
        let owner = Owner::Application { token, sink };
        let stage = if !self.calls.has_waiting() && self.has_room(record.len()) {
            self.outbound.push(record, Some(id));
            Stage::Queued
        } else {
            Stage::Waiting(record)
        };
        self.calls.insert(id, PendingCall { owner, kind, stage, deadline, uploads });
    }

    fn has_room(&self, bytes: usize) -> bool {
        let fits = self.outbound.bytes() == 0 || self.outbound.bytes() + bytes <= self.config.max_outbound_bytes;
        let held = self.resume.as_ref().map_or(0, Resume::unacked_bytes);
        // What the hub may have to be sent again is kept, and that too has an end. One call always fits.
        let is_kept = held == 0 || held + self.outbound.bytes() + bytes <= self.config.stateful_buffer_bytes;
        fits && (self.resume.is_none() || is_kept) && self.calls.len() < self.config.max_pending_calls
    }

    /// Room was made: lets calls go that wait for it, in their order.
    pub(super) fn admit_waiting(&mut self) {
        while let Some((id, bytes)) = self.calls.first_waiting() {
            if !self.has_room(bytes) {
                return;
            }
            if let Some(record) = self.calls.admit(id) {
                self.outbound.push(record, Some(id));
            }
        }
    }

    /// Pops the next message for the transport. What is popped counts as sent.
    pub(super) fn transmit(&mut self) -> Option<String> {
        if self.is_interrupted() {
            return None;
        }
        // The hub reads Acks in line with invocations: while it waits for one it reads no invocation.
        if self.resume.is_some() && self.outbound.has_data() {
            self.send_ack();
        }
        loop {
            let message = self.pop_message();
            // What was passed over made room, too.
            self.admit_waiting();
            if message.is_some() {
                self.last_sent = self.now;
            }
            if message.is_some() || self.outbound.is_empty() {
                return message;
            }
        }
    }

    fn pop_message(&mut self) -> Option<String> {
        let mut sent = Vec::new();
        let calls = &mut self.calls;
        let ledger = &mut self.ledger;
        let resume = &mut self.resume;
        let mut keep = |record: &str| {
            if let Some(resume) = resume {
                resume.note_sent(record);
            }
        };
        let message = self.outbound.pop(&mut keep, |id| {
            let Some(call) = calls.get_mut(id) else { return false };
            call.stage = Stage::Sent;
            match &call.owner {
                Owner::Ledger { serial, is_subscribe: true } => {
                    if let Some(entry) = ledger.get_mut(*serial) {
                        entry.was_written = true;
                        entry.was_asked = true;
                    }
                }
                Owner::Ledger { .. } => {}
                Owner::Application { .. } if call.kind == CallKind::Send => sent.push(id),
                Owner::Application { .. } => {}
            }
            true
        });
        for id in sent {
            let Some(call) = self.calls.remove(id) else { continue };
            if let Owner::Application { token, sink } = call.owner {
                self.calls.keep_uploads(token, call.uploads);
                self.reply(token, Reply::Call(sink, CallOutcome::Completed));
            }
        }
        message
    }

    fn cancel(&mut self, now: Instant, call: Token) {
        let Some(id) = self.calls.find(call) else { return };
        self.give_up(id, |_| CallOutcome::Cancelled);
        self.admit_waiting();
        self.update_pressure(now);
    }

    /// Ends a call from this side, whatever the hub says later. `outcome` is told whether the call had been sent.
    pub(super) fn give_up(&mut self, id: u64, outcome: impl FnOnce(bool) -> CallOutcome) {
        let Some(call) = self.calls.get(id) else { return };
        let is_sent = matches!(call.stage, Stage::Sent);
        let is_stream = call.kind == CallKind::Stream;
        let is_waiting = matches!(call.stage, Stage::Waiting(_));
        self.calls.flush();
        let call = if is_sent { self.calls.abandon(id) } else { self.calls.remove(id) };
        if is_waiting {
            self.calls.unwait(id);
        }
        if is_sent && is_stream {
            let cancel = HubMessage::CancelInvocation { invocation_id: id.to_string().into() };
            self.outbound.push(cancel.to_record(), None);
        }
        let Some(PendingCall { owner: Owner::Application { token, sink }, uploads, .. }) = call else { return };
        if is_sent {
            // The hub's method would wait for their items for ever (the words are those of Microsoft's C# client).
            for stream_id in uploads.into_iter().flatten() {
                let outcome = Completion::Error("Stream canceled by client.".into());
                self.outbound.push(
                    HubMessage::Completion { invocation_id: stream_id.to_string().into(), outcome }.to_record(),
                    None,
                );
            }
        }
        self.reply(token, Reply::Call(sink, outcome(is_sent)));
    }

    fn upload(&mut self, call: Token, stream: usize, ends: bool, record: impl FnOnce(&str) -> String) {
        let Some(slot) = self.calls.uploads_mut(call).and_then(|uploads| uploads.get_mut(stream)) else { return };
        let Some(stream_id) = *slot else { return };
        if ends {
            *slot = None;
        }
        // It must not overtake the call itself.
        if let Err(record) = self.calls.append_waiting(call, record(&stream_id.to_string())) {
            self.outbound.push(record, None);
        }
    }

    /// Answers an invocation of the hub, if the connection that it came from still is.
    pub(super) fn complete(&mut self, ticket: ResultTicket, result: Result<String, String>) {
        let is_current =
            matches!(&self.phase, Phase::Connected(_) | Phase::Stopping(_)) && self.origin == ticket.attempt;
        if !is_current {
            return;
        }
        self.open_tickets = self.open_tickets.saturating_sub(1);
        let outcome = match &result {
            Ok(result) if memchr::memchr(RECORD_SEPARATOR, result.as_bytes()).is_some() => {
                Completion::Error("The result is not JSON.".into())
            }
            Ok(result) => Completion::Result(result.as_str().into()),
            Err(error) => Completion::Error(error.as_str().into()),
        };
        let message = HubMessage::Completion { invocation_id: (&*ticket.invocation_id).into(), outcome };
        self.outbound.push(message.to_record(), None);
    }
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Start => "Start",
            Self::Stop => "Stop",
            Self::Call(_) => "Call",
            Self::Cancel { .. } => "Cancel",
            Self::UploadItem { .. } => "UploadItem",
            Self::UploadEnd { .. } => "UploadEnd",
            Self::Complete { .. } => "Complete",
            Self::Register { .. } => "Register",
            Self::Unregister { .. } => "Unregister",
            Self::Subscribe(_) => "Subscribe",
            Self::Unsubscribe { .. } => "Unsubscribe",
            Self::Tap(_) => "Tap",
            Self::ReconnectNow => "ReconnectNow",
            Self::NetworkUp => "NetworkUp",
            Self::SetMaxDelay(_) => "SetMaxDelay",
        })
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => f.write_str("Done"),
            Self::Started(result) => f.debug_tuple("Started").field(result).finish(),
            Self::Stopped => f.write_str("Stopped"),
            Self::Call(_, outcome) => f.debug_tuple("Call").field(outcome).finish(),
            Self::Subscribed(result) => f.debug_tuple("Subscribed").field(result).finish(),
            Self::Unsubscribed(result) => f.debug_tuple("Unsubscribed").field(result).finish(),
            Self::Rejected(rejection) => f.debug_tuple("Rejected").field(rejection).finish(),
        }
    }
}
