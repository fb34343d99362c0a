//! Stateful reconnect (hub protocol version 2): a lost transport is replaced, and both sides repeat what the other has not acknowledged.
//!
//! Each side numbers its messages of types 1 to 5 from 1 on; the number is never on the wire. An Ack names the highest that was received; a
//! Sequence, the first thing on a new transport, names the one that the resending begins with (as ASP.NET Core and Microsoft's clients do
//! it, which is not what HubProtocol.md says of the number).

use std::collections::VecDeque;
use std::time::Duration;

use super::attempt::{Attempt, io_reason};
use super::{Event, HubConnection, Phase};
use crate::error::{Cause, DisconnectReason, ProtocolViolation};
use crate::io::{Action, AttemptId, CloseHow, IoFailure, IoFailureKind};
use crate::protocol::envelope::Kind;
use crate::protocol::message::HubMessage;
use crate::secret::Secret;
use crate::time::{Instant, Timer};

/// An Ack waits at most so long for company (as in Microsoft's clients).
const ACK_DELAY: Duration = Duration::from_secs(1);

/// What a connection remembers so that it can outlive its transport.
pub(super) struct Resume {
    /// Where the hub is dialled again, and with what.
    attempt: Box<Attempt>,
    sent: Sent,
    received: Received,
    interruption: Option<Interruption>,
    /// The transport is new: a Sequence has to come before any message.
    awaits_sequence: bool,
}

/// Messages that left and are not acknowledged.
#[derive(Debug, Default)]
struct Sent {
    total: i64,
    unacked: VecDeque<(i64, String)>,
    bytes: usize,
}

/// The count of what arrived.
#[derive(Debug, Default)]
struct Received {
    /// The number of the next message, less one.
    last: i64,
    /// The highest number that was processed.
    latest: i64,
    acked: i64,
    /// Bytes that arrived since the last Ack.
    bytes: usize,
}

struct Interruption {
    reason: DisconnectReason,
    /// Dials that were made.
    dials: u32,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Waiting,
    /// The access token provider is asked.
    Token {
        asked_again: bool,
    },
    Open {
        asked_again: bool,
    },
}

/// What becomes of a message that arrived.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    New,
    /// It was processed before the transport was replaced.
    Repeated,
    /// No Sequence came before it.
    OutOfTurn,
}

impl Resume {
    pub(super) fn new(attempt: Attempt) -> Self {
        Self {
            attempt: Box::new(attempt),
            sent: Sent::default(),
            received: Received::default(),
            interruption: None,
            awaits_sequence: false,
        }
    }

    pub(super) fn is_interrupted(&self) -> bool {
        self.interruption.is_some()
    }

    /// Bytes that the hub has not acknowledged.
    pub(super) fn unacked_bytes(&self) -> usize {
        self.sent.bytes
    }

    /// A message of types 1 to 5 leaves.
    pub(super) fn note_sent(&mut self, record: &str) {
        self.sent.total += 1;
        self.sent.bytes += record.len();
        self.sent.unacked.push_back((self.sent.total, record.to_owned()));
    }

    fn acknowledged(&mut self, up_to: i64) {
        while self.sent.unacked.front().is_some_and(|(id, _)| *id <= up_to) {
            let Some((_, record)) = self.sent.unacked.pop_front() else { return };
            self.sent.bytes -= record.len();
        }
    }

    /// What a new transport begins with.
    fn resending(&self) -> (String, impl Iterator<Item = &str>) {
        let first = self.sent.unacked.front().map_or(self.sent.total + 1, |(id, _)| *id);
        let sequence = HubMessage::Sequence { sequence_id: first }.to_record();
        (sequence, self.sent.unacked.iter().map(|(_, record)| record.as_str()))
    }

    fn arrived(&mut self, bytes: usize) -> Arrival {
        if self.awaits_sequence {
            return Arrival::OutOfTurn;
        }
        self.received.last += 1;
        self.received.bytes += bytes;
        if self.received.last <= self.received.latest {
            // The hub has not heard of it: the next Ack must leave, though it says nothing new.
            self.received.acked = self.received.acked.min(self.received.last - 1);
            return Arrival::Repeated;
        }
        self.received.latest = self.received.last;
        Arrival::New
    }

    fn sequence(&mut self, first: i64) -> Result<(), ProtocolViolation> {
        if first > self.received.last + 1 || first < 1 {
            let message = format!("the hub resends from message {first} on, but {} were received", self.received.last);
            return Err(ProtocolViolation::new(message));
        }
        self.received.last = first - 1;
        self.awaits_sequence = false;
        Ok(())
    }

    /// The Ack that is owed.
    pub(super) fn take_ack(&mut self) -> Option<String> {
        if self.interruption.is_some() || self.awaits_sequence || self.received.acked >= self.received.latest {
            return None;
        }
        self.received.acked = self.received.latest;
        self.received.bytes = 0;
        Some(HubMessage::Ack { sequence_id: self.received.latest }.to_record())
    }
}

impl HubConnection {
    /// Whether the transport is being replaced.
    pub(super) fn is_interrupted(&self) -> bool {
        self.resume.as_ref().is_some_and(Resume::is_interrupted)
    }

    /// A message of types 1 to 5 was read. Whether it is to be processed; `Err` ends the connection.
    pub(super) fn message_arrived(
        &mut self,
        now: Instant,
        kind: Kind,
        bytes: usize,
    ) -> Result<bool, ProtocolViolation> {
        let Some(resume) = &mut self.resume else { return Ok(true) };
        let is_numbered = matches!(
            kind,
            Kind::Invocation | Kind::StreamItem | Kind::Completion | Kind::StreamInvocation | Kind::CancelInvocation
        );
        if !is_numbered {
            return Ok(true);
        }
        let arrival = resume.arrived(bytes);
        if arrival == Arrival::OutOfTurn {
            return Err(ProtocolViolation::new("the hub sent a message on a new transport before its Sequence"));
        }
        if resume.received.bytes >= self.config.stateful_buffer_bytes / 4 {
            self.send_ack();
        } else if !self.timers.is_set(Timer::Ack) {
            self.timers.set(Timer::Ack, now + ACK_DELAY);
        }
        Ok(arrival == Arrival::New)
    }

    /// Tells the hub what was received, if it does not know.
    pub(super) fn send_ack(&mut self) {
        self.timers.clear(Timer::Ack);
        if let Some(ack) = self.resume.as_mut().and_then(Resume::take_ack) {
            self.outbound.push_control(ack);
        }
    }

    pub(super) fn ack_arrived(&mut self, up_to: i64) {
        match &mut self.resume {
            Some(resume) => resume.acknowledged(up_to),
            None => return self.violation("the hub sent an Ack, but stateful reconnect is off".to_owned()),
        }
        self.counters.control += 1;
        self.admit_waiting();
    }

    pub(super) fn sequence_arrived(&mut self, first: i64) -> Result<(), ProtocolViolation> {
        let Some(resume) = &mut self.resume else {
            self.violation("the hub sent a Sequence, but stateful reconnect is off".to_owned());
            return Ok(());
        };
        resume.sequence(first)?;
        self.counters.control += 1;
        Ok(())
    }

    /// The transport is gone, but the hub keeps the connection for a while: everything stays as it is, and it is dialled again.
    pub(super) fn interrupted(&mut self, now: Instant, attempt: AttemptId, reason: DisconnectReason) {
        tracing::info!(attempt = attempt.0, cause = %reason.cause(), reason = %reason, "interrupted: resuming");
        let flap_wait = self.scheduler.interrupted(now);
        self.timers.clear(Timer::Ack);
        self.timers.clear(Timer::Probe);
        self.buffer.reset(self.config.max_record_bytes);
        self.outbound.forget_control();
        self.is_paused = false;
        let Some(resume) = &mut self.resume else { return };
        resume.interruption = Some(Interruption { reason: reason.clone(), dials: 0, stage: Stage::Waiting });
        self.event(Event::Interrupted(reason.clone()));
        self.timers.set(Timer::Window, now + self.config.resume_window);
        let delay = self.scheduler.resume_delay(0, &reason).unwrap_or_default();
        self.timers.set(Timer::Retry, now + delay.max(flap_wait));
    }

    /// The next dial is due.
    pub(super) fn dial_to_resume(&mut self, now: Instant) {
        self.last_attempt += 1;
        let id = AttemptId(self.last_attempt);
        let has_provider = self.config.has_token_provider;
        let Some(resume) = &mut self.resume else { return };
        let Some(interruption) = &mut resume.interruption else { return };
        interruption.dials = interruption.dials.saturating_add(1);
        resume.attempt.id = id;
        if has_provider {
            interruption.stage = Stage::Token { asked_again: false };
            self.ask_token(now, id);
        } else {
            self.open_to_resume(now, false);
        }
    }

    fn open_to_resume(&mut self, now: Instant, asked_again: bool) {
        self.timers.set(Timer::Stage, now + self.config.connect_timeout);
        let Some(mut resume) = self.resume.take() else { return };
        if let Some(interruption) = &mut resume.interruption {
            interruption.stage = Stage::Open { asked_again };
        }
        let request = self.open_request(&resume.attempt);
        self.actions.push_back(Action::Open { attempt: resume.attempt.id, request });
        self.resume = Some(resume);
    }

    /// Whether a dial to resume is waited for.
    pub(super) fn waits_to_resume(&self) -> bool {
        let interruption = self.resume.as_ref().and_then(|resume| resume.interruption.as_ref());
        interruption.is_some_and(|interruption| interruption.stage == Stage::Waiting)
    }

    /// Whether this attempt is the dial that is to resume the connection.
    pub(super) fn is_resuming_by(&self, id: AttemptId) -> bool {
        self.resume.as_ref().is_some_and(|resume| resume.interruption.is_some() && resume.attempt.id == id)
    }

    pub(super) fn token_to_resume(&mut self, now: Instant, token: Result<Option<Secret>, String>) {
        let Some(resume) = &mut self.resume else { return };
        let Some(Interruption { stage: Stage::Token { asked_again }, .. }) = resume.interruption else { return };
        match token {
            Ok(token) => {
                resume.attempt.renew_token(token);
                self.open_to_resume(now, asked_again);
            }
            Err(message) => {
                let message = format!("the access token provider failed: {}", crate::error::printable(&message, 256));
                self.resume_dial_failed(now, DisconnectReason::new(Cause::Unauthorized, message));
            }
        }
    }

    pub(super) fn opened_to_resume(&mut self, now: Instant, result: Result<(), IoFailure>) {
        let Some(resume) = &mut self.resume else { return };
        let Some(interruption) = &mut resume.interruption else { return };
        let Stage::Open { asked_again } = interruption.stage else { return };
        match result {
            Ok(()) => self.resumed(now),
            // The hub does not know the connection any more (ASP.NET Core: 404 after its window, 204 or 409 after its end).
            Err(IoFailure { kind: IoFailureKind::Status(204 | 404 | 409), .. }) => {
                let reason = interruption.reason.clone();
                self.resume_failed(now, reason);
            }
            Err(IoFailure { kind: IoFailureKind::Status(401), .. })
                if self.config.has_token_provider && !asked_again =>
            {
                interruption.stage = Stage::Token { asked_again: true };
                let id = resume.attempt.id;
                self.ask_token(now, id);
            }
            Err(IoFailure { kind: IoFailureKind::Status(status @ (401 | 403)), .. }) => {
                let message = format!("the upgrade to a WebSocket was refused with status {status}");
                let class = crate::retry::FailureClass::of_status(status, false);
                self.resume_failed(
                    now,
                    DisconnectReason::new(Cause::Unauthorized, message).with_class(class).terminal(),
                );
            }
            Err(failure) => self.resume_dial_failed(now, io_reason(failure)),
        }
    }

    /// One dial failed: the next one follows, while the window is open.
    pub(super) fn resume_dial_failed(&mut self, now: Instant, reason: DisconnectReason) {
        tracing::debug!(cause = %reason.cause(), reason = %reason, "a dial to resume failed");
        self.timers.clear(Timer::Stage);
        let Some(resume) = &mut self.resume else { return };
        let Some(interruption) = &mut resume.interruption else { return };
        let was_dialling = std::mem::replace(&mut interruption.stage, Stage::Waiting) != Stage::Waiting;
        let (dials, attempt) = (interruption.dials, resume.attempt.id);
        let original = interruption.reason.clone();
        if was_dialling {
            self.actions.push_back(Action::Close { attempt, how: CloseHow::Abort, cause: reason.cause() });
        }
        match self.scheduler.resume_delay(dials, &reason) {
            Some(delay) => {
                let delay = delay.max(reason.retry_after().unwrap_or_default());
                self.timers.set(Timer::Retry, now + delay);
            }
            None => self.resume_failed(now, original),
        }
    }

    fn resumed(&mut self, now: Instant) {
        self.timers.clear(Timer::Stage);
        self.timers.clear(Timer::Window);
        let Some(resume) = &mut self.resume else { return };
        resume.interruption = None;
        resume.awaits_sequence = true;
        let attempt = resume.attempt.id;
        let (sequence, unacked) = resume.resending();
        self.outbound.resend(sequence, unacked);
        tracing::info!(attempt = attempt.0, "resumed");
        self.phase = Phase::Connected(attempt);
        self.last_received = now;
        self.last_sent = now;
        self.scheduler.resumed(now);
        if let Some(timeout) = self.config.server_timeout {
            self.timers.set(Timer::Server, now + timeout);
        }
        if let Some(interval) = self.config.keep_alive_interval {
            self.timers.set(Timer::KeepAlive, now + interval);
        }
        self.event(Event::Resumed);
        self.update_pressure(now);
    }

    /// The connection cannot be resumed: it is lost in the ordinary way.
    pub(super) fn resume_failed(&mut self, now: Instant, reason: DisconnectReason) {
        let Some(resume) = &self.resume else { return };
        let is_dialling = resume.interruption.as_ref().is_some_and(|interruption| interruption.stage != Stage::Waiting);
        let (attempt, close) = (resume.attempt.id, is_dialling.then_some(CloseHow::Abort));
        self.lost(now, attempt, reason, close);
    }

    /// The window is over.
    pub(super) fn window_over(&mut self, now: Instant) {
        let Some(Interruption { reason, .. }) = self.resume.as_ref().and_then(|resume| resume.interruption.as_ref())
        else {
            return;
        };
        let reason = reason.clone();
        self.resume_failed(now, reason);
    }

    /// A stop while the transport is being replaced: there is nobody to say goodbye to.
    pub(super) fn abandon_resume(&mut self) {
        let Some(resume) = &self.resume else { return };
        let Some(interruption) = &resume.interruption else { return };
        if interruption.stage != Stage::Waiting {
            let attempt = resume.attempt.id;
            self.actions.push_back(Action::Close { attempt, how: CloseHow::Abort, cause: Cause::Stopped });
        }
    }

    /// The token or the dial took too long.
    pub(super) fn resume_stage_timed_out(&mut self, now: Instant) {
        let after = self.config.connect_timeout;
        let is_token = matches!(
            self.resume.as_ref().and_then(|resume| resume.interruption.as_ref()),
            Some(Interruption { stage: Stage::Token { .. }, .. })
        );
        let (cause, what) = match is_token {
            true => (Cause::Unauthorized, "the access token provider gave no token"),
            false => (Cause::ConnectTimeout, "no WebSocket could be opened"),
        };
        self.resume_dial_failed(now, DisconnectReason::new(cause, format!("{what} within {after:?}")));
    }
}
