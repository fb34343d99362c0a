//! What arrives: messages into records, records into events and answers.

use super::calls::{CallKind, Owner, PendingCall, parse_id};
use super::registry::{Registry, Responder};
use super::{Calls, Event, HubConnection, Phase, Reply};
use crate::error::{Cause, DisconnectReason, HubError, ProtocolViolation, printable};
use crate::io::{AttemptId, CloseHow, Payload, TransportEnd};
use crate::json::{Cursor, DecodeError};
use crate::protocol::envelope::{self, Decoders, Envelope, Kind};
use crate::protocol::handshake;
use crate::protocol::record::{RECORD_SEPARATOR, Split};
use crate::retry::FailureClass;
use crate::sink::{CallOutcome, ResultTicket};
use crate::time::{Instant, Timer};

/// Client results that the application may owe at once. Further ones are answered with an error.
const MAX_OPEN_TICKETS: usize = 4_096;

/// Whether the rest of a message is still to be read.
enum Next {
    Continue,
    /// The connection or the attempt is over: what follows in the message is dropped.
    Stop,
}

impl HubConnection {
    pub(super) fn alive(&mut self, now: Instant, attempt: AttemptId) {
        if matches!(&self.phase, Phase::Connected(current) if *current == attempt) {
            self.last_received = now;
            self.timers.clear(Timer::Probe);
        }
    }

    pub(super) fn received(&mut self, now: Instant, attempt: AttemptId, payload: Payload<'_>) {
        let is_current = match &self.phase {
            Phase::Connected(_) if self.is_interrupted() => false,
            Phase::Connected(current) | Phase::Stopping(current) => *current == attempt,
            Phase::Attempting(current) => current.id == attempt && current.stage == super::attempt::Stage::Handshake,
            Phase::Disconnected | Phase::Waiting => false,
        };
        if !is_current {
            return;
        }
        self.alive(now, attempt);
        self.read(now, attempt, payload);
        self.update_pressure(now);
    }

    /// Records of a text message need no further check for UTF-8, unless they began in another message.
    fn read(&mut self, now: Instant, attempt: AttemptId, payload: Payload<'_>) {
        let (bytes, text) = match payload {
            Payload::Text(text) => (text.as_bytes(), Some(text)),
            Payload::Binary(bytes) => (bytes, None),
        };
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let next = match self.buffer.split(rest) {
                Ok(Split::Whole(length)) => {
                    let range = at..at + length;
                    at = range.end + 1;
                    match text.and_then(|text| text.get(range.clone())) {
                        Some(record) => self.record(now, attempt, record),
                        None => self.record_bytes(now, attempt, bytes.get(range).unwrap_or_default()),
                    }
                }
                Ok(Split::Joined(record, used)) => {
                    at += used;
                    self.record_bytes(now, attempt, &record)
                }
                Ok(Split::Partial) => return,
                Err(_) => self.too_long(now, attempt),
            };
            if matches!(next, Next::Stop) {
                return;
            }
        }
    }

    fn record_bytes(&mut self, now: Instant, attempt: AttemptId, record: &[u8]) -> Next {
        debug_assert!(!record.contains(&RECORD_SEPARATOR));
        match std::str::from_utf8(record) {
            Ok(record) => self.record(now, attempt, record),
            Err(_) => {
                self.counters.records += 1;
                self.violated(now, attempt, ProtocolViolation::new("a record is not UTF-8"))
            }
        }
    }

    fn record(&mut self, now: Instant, attempt: AttemptId, record: &str) -> Next {
        self.counters.records += 1;
        match &self.phase {
            Phase::Connected(_) | Phase::Stopping(_) => self.message(now, attempt, record),
            _ => self.handshake_response(now, attempt, record),
        }
    }

    fn handshake_response(&mut self, now: Instant, attempt: AttemptId, record: &str) -> Next {
        let response = match handshake::read_response(record) {
            Ok(response) => response,
            Err(violation) => return self.violated(now, attempt, violation),
        };
        self.counters.control += 1;
        match response {
            handshake::Response::Accepted => {
                let Some(handshake) = self.take_handshake(attempt) else { return Next::Stop };
                self.handshake_accepted(now, handshake);
                Next::Continue
            }
            handshake::Response::Rejected(error) => {
                let reason =
                    DisconnectReason::new(Cause::HandshakeRejected, format!("the hub refused the handshake: {error}"));
                self.fail_attempt(now, attempt, reason, Some(CloseHow::Abort));
                Next::Stop
            }
        }
    }

    #[inline]
    fn message(&mut self, now: Instant, attempt: AttemptId, record: &str) -> Next {
        let mut decoders = MachineDecoders { registry: &mut self.registry, calls: &mut self.calls };
        let mut envelope = Envelope::default();
        if let Err(violation) = envelope::read(record, &mut decoders, &mut envelope) {
            return self.violated(now, attempt, violation);
        }
        match self.message_arrived(now, envelope.kind, record.len()) {
            Ok(true) => {}
            Ok(false) => {
                MachineDecoders { registry: &mut self.registry, calls: &mut self.calls }.discard();
                self.counters.repeated += 1;
                return Next::Continue;
            }
            Err(violation) => {
                MachineDecoders { registry: &mut self.registry, calls: &mut self.calls }.discard();
                return self.violated(now, attempt, violation);
            }
        }
        match envelope.kind {
            Kind::Invocation => self.invocation(now, record, &envelope),
            Kind::StreamItem => self.stream_item(now, record.len(), &mut envelope),
            Kind::Completion => self.completion(now, &mut envelope),
            Kind::Ping => self.counters.control += 1,
            Kind::Close => return self.closed_by_hub(now, attempt, &envelope),
            Kind::Ack => self.ack_arrived(envelope.sequence_id.unwrap_or_default()),
            Kind::Sequence => {
                if let Err(violation) = self.sequence_arrived(envelope.sequence_id.unwrap_or_default()) {
                    return self.violated(now, attempt, violation);
                }
            }
            Kind::StreamInvocation => self.violation("the hub asked this client for a stream".to_owned()),
            Kind::CancelInvocation => self.violation("the hub cancelled an invocation of its own".to_owned()),
            Kind::Unknown(kind) => self.violation(format!("the hub sent a record of the unknown type {kind}")),
        }
        Next::Continue
    }

    #[inline]
    fn invocation(&mut self, now: Instant, record: &str, envelope: &Envelope<'_>) {
        let ticket =
            envelope.invocation_id.as_deref().map(|id| ResultTicket { attempt: self.origin, invocation_id: id.into() });
        if envelope.decoded.is_none() {
            self.unhandled(envelope);
            if let Some(ticket) = ticket {
                self.refuse_result(ticket, "Client didn't provide a result.");
            }
            return;
        }
        let has_room = self.open_tickets < MAX_OPEN_TICKETS;
        let delivery = self.registry.commit(record.len(), ticket.clone().filter(|_| has_room));
        if delivery.accepted > 0 {
            self.counters.delivered += 1;
        } else {
            self.counters.malformed += 1;
        }
        if let Some(ticket) = ticket {
            match delivery.responder {
                Responder::Took if has_room => self.open_tickets += 1,
                Responder::Took => self.refuse_result(ticket, "Client has too many results to give."),
                Responder::Failed => self.refuse_result(ticket, "Client failed to parse argument(s)."),
                Responder::None => self.refuse_result(ticket, "Client didn't provide a result."),
            }
        }
        let is_tapped = self.gate.is_some();
        let is_watched = self.feeds.is_watching(envelope.target.as_deref().unwrap_or_default());
        if delivery.malformed.is_empty() && !is_tapped && !is_watched {
            return;
        }
        let target: Box<str> = envelope.target.as_deref().unwrap_or_default().into();
        for error in delivery.malformed {
            self.event(Event::Malformed { target: target.clone(), error });
        }
        if is_tapped && delivery.accepted > 0 {
            let arguments = envelope.arguments.clone().and_then(|range| record.get(range)).unwrap_or("[]").into();
            self.event(Event::Invocation { target: target.clone(), arguments, accepted: delivery.accepted });
        }
        if delivery.accepted > 0 {
            self.feed_succeeded(now, &target);
        } else {
            self.feed_failed(now, &target);
        }
    }

    fn unhandled(&mut self, envelope: &Envelope<'_>) {
        self.counters.unhandled += 1;
        let target = printable(envelope.target.as_deref().unwrap_or_default(), 256);
        tracing::debug!(%target, "nobody listens");
        self.event(Event::Unhandled { target: target.into() });
    }

    /// A hub that asks and does not read gets no refusals beyond the limit of outbound bytes.
    fn refuse_result(&mut self, ticket: ResultTicket, error: &str) {
        if self.outbound.bytes() >= self.config.max_outbound_bytes {
            return;
        }
        self.open_tickets += 1;
        self.complete(ticket, Err(error.to_owned()));
    }

    fn stream_item(&mut self, now: Instant, cost: usize, envelope: &mut Envelope<'_>) {
        let id = envelope.invocation_id.as_deref().and_then(parse_id);
        let (Some(id), Some(decoded)) = (id, envelope.decoded.take()) else {
            if id.is_some_and(|id| self.calls.is_abandoned(id)) {
                self.counters.abandoned += 1;
                return;
            }
            return self.violation("the hub sent a stream's item for something that is no stream".to_owned());
        };
        let Some(PendingCall { owner: Owner::Application { sink, .. }, .. }) = self.calls.get_mut(id) else { return };
        self.counters.items += 1;
        let overflow = match decoded {
            Ok(()) => sink.commit_item(cost).is_err(),
            Err(error) => {
                sink.malformed_item(error);
                false
            }
        };
        self.calls.mark_unflushed(id);
        if overflow {
            self.give_up(id, |_| CallOutcome::StreamOverflow);
            self.update_pressure(now);
        }
    }

    fn completion(&mut self, now: Instant, envelope: &mut Envelope<'_>) {
        let Some(id) = envelope.invocation_id.as_deref().and_then(parse_id) else {
            return self.violation("the hub completed an invocation that was never made".to_owned());
        };
        let is_sent = self.calls.get(id).is_some_and(|call| matches!(call.stage, super::calls::Stage::Sent));
        if !is_sent {
            if self.calls.forget_abandoned(id) {
                self.counters.abandoned += 1;
                return;
            }
            return self.violation("the hub completed an invocation that was never made, or a second time".to_owned());
        }
        self.calls.flush();
        let Some(call) = self.calls.remove(id) else { return };
        self.counters.completions += 1;
        // An empty error text counts as success in all of Microsoft's clients.
        let error = envelope.error.as_deref().filter(|error| !error.is_empty()).map(HubError::new);
        match call.owner {
            Owner::Ledger { serial, is_subscribe } => self.ledger_answered(now, serial, id, is_subscribe, error),
            Owner::Application { token, sink } => {
                if call.kind == CallKind::Stream && envelope.result.is_some() {
                    self.tell_violation("the hub ended a stream with a result".to_owned());
                }
                let outcome = match (error, envelope.decoded.take()) {
                    (Some(error), _) => CallOutcome::HubError(error),
                    (None, Some(Ok(()))) => CallOutcome::Value,
                    (None, Some(Err(error))) => CallOutcome::Malformed(error),
                    (None, None) => CallOutcome::Completed,
                };
                self.reply(token, Reply::Call(sink, outcome));
            }
        }
        self.admit_waiting();
    }

    /// The hub says goodbye. What follows in the message is not looked at (as Microsoft's C# client does).
    fn closed_by_hub(&mut self, now: Instant, attempt: AttemptId, envelope: &Envelope<'_>) -> Next {
        self.counters.control += 1;
        if matches!(self.phase, Phase::Stopping(_)) {
            return Next::Continue;
        }
        let message = match envelope.error.as_deref() {
            Some(error) => format!("the hub closed the connection with an error: {}", printable(error, 1024)),
            None => "the hub closed the connection".to_owned(),
        };
        let reason = DisconnectReason::new(Cause::ClosedByHub, message);
        let reason = if envelope.allow_reconnect { reason.with_class(FailureClass::Drain) } else { reason.terminal() };
        self.lost(now, attempt, reason, Some(self.answer_goodbye()));
        Next::Stop
    }

    /// A violation after which the connection goes on.
    pub(super) fn violation(&mut self, message: String) {
        self.counters.violations += 1;
        self.tell_violation(message);
    }

    fn tell_violation(&mut self, message: String) {
        tracing::warn!(%message, "the hub broke the protocol");
        self.event(Event::Violation(ProtocolViolation::new(message)));
    }

    /// A violation that ends the connection, or the attempt.
    fn violated(&mut self, now: Instant, attempt: AttemptId, violation: ProtocolViolation) -> Next {
        self.violation(violation.message().to_owned());
        let reason = DisconnectReason::new(Cause::ProtocolViolation, violation.message());
        self.hang_up(now, attempt, reason)
    }

    fn too_long(&mut self, now: Instant, attempt: AttemptId) -> Next {
        let limit = if matches!(self.phase, Phase::Attempting(_)) {
            handshake::MAX_RESPONSE_BYTES
        } else {
            self.config.max_record_bytes
        };
        self.counters.records += 1;
        let message = format!("the hub sent a record longer than {limit} bytes");
        self.violation(message.clone());
        self.hang_up(now, attempt, DisconnectReason::new(Cause::Oversize, message))
    }

    fn hang_up(&mut self, now: Instant, attempt: AttemptId, reason: DisconnectReason) -> Next {
        match &self.phase {
            Phase::Connected(_) => self.lost(now, attempt, reason, Some(CloseHow::Abort)),
            Phase::Attempting(_) => self.fail_attempt(now, attempt, reason, Some(CloseHow::Abort)),
            // A goodbye is under way anyhow; nothing that follows is listened to.
            Phase::Stopping(_) => self.buffer.shut(),
            Phase::Disconnected | Phase::Waiting => {}
        }
        Next::Stop
    }

    pub(super) fn transport_ended(&mut self, now: Instant, attempt: AttemptId, end: TransportEnd) {
        let reason = match end {
            TransportEnd::Close { code, reason } => DisconnectReason::new(Cause::Lost, close_text(code, &reason))
                .with_class(FailureClass::of_close_code(code)),
            TransportEnd::Failed(failure) => {
                let mut reason = super::attempt::io_reason(failure);
                if reason.cause() == Cause::ConnectTimeout {
                    reason = DisconnectReason::new(Cause::Lost, reason.explain());
                }
                reason
            }
        };
        match &self.phase {
            Phase::Connected(current) if *current == attempt => {
                if reason.cause() == Cause::ProtocolViolation {
                    self.tell_violation(reason.explain().to_owned());
                }
                let is_resumable = !matches!(reason.cause(), Cause::ProtocolViolation | Cause::Oversize);
                if self.is_interrupted() {
                    // Its transport is gone already.
                } else if self.resume.is_some() && is_resumable {
                    self.interrupted(now, attempt, reason);
                } else {
                    self.lost(now, attempt, reason, None);
                }
            }
            Phase::Stopping(current) if *current == attempt => self.stopped(),
            Phase::Attempting(current) if current.id == attempt => self.fail_attempt(now, attempt, reason, None),
            _ => {}
        }
    }

    /// Whether the transport is to be read: not while a consumer that must not lose anything is full, unless the application awaits the
    /// hub; and not while all consumers together hold more than they may.
    pub(super) fn update_pressure(&mut self, now: Instant) {
        let is_full = self.registry.is_any_full() || self.gate.as_ref().is_some_and(|gate| gate.is_full());
        let is_over = self.budget.bytes() >= self.config.max_pending_bytes;
        let is_awaited = || self.calls.is_awaited() || !self.stopping.is_empty() || self.ledger.is_awaited();
        let is_paused =
            matches!(self.phase, Phase::Connected(_) | Phase::Stopping(_)) && (is_over || (is_full && !is_awaited()));
        if is_over && !self.told_slow_consumer {
            tracing::warn!(bytes = self.budget.bytes(), "consumers are slow: reading pauses");
            self.event(Event::SlowConsumer);
        }
        self.told_slow_consumer = is_over;
        if self.is_paused && !is_paused {
            self.last_received = now;
            self.resume_probe(now);
        }
        self.is_paused = is_paused;
    }
}

fn close_text(code: Option<u16>, reason: &str) -> String {
    let code = code.map_or("no code".to_owned(), |code| format!("code {code}"));
    let reason = if reason.is_empty() { "no reason given".to_owned() } else { printable(reason, 256) };
    format!("the WebSocket was closed with {code} ({reason})")
}

/// Those who know the types of what a record holds.
struct MachineDecoders<'m> {
    registry: &'m mut Registry,
    calls: &'m mut Calls,
}

impl Decoders for MachineDecoders<'_> {
    #[inline]
    fn arguments(&mut self, target: &str, cursor: &mut Cursor<'_>) -> Option<Result<(), DecodeError>> {
        self.registry.decode(target, cursor)
    }

    fn item(&mut self, invocation_id: &str, cursor: &mut Cursor<'_>) -> Option<Result<(), DecodeError>> {
        self.calls.decode_item(invocation_id, cursor)
    }

    fn result(&mut self, invocation_id: &str, cursor: &mut Cursor<'_>) -> Option<Result<(), DecodeError>> {
        self.calls.decode_result(invocation_id, cursor)
    }

    fn discard(&mut self) {
        self.registry.discard();
        self.calls.discard();
    }
}
