//! What is due, and when the next thing is.

use std::time::Duration;

use super::attempt::Stage as AttemptStage;
use super::calls::Stage;
use super::stop::goodbye;
use super::{HubConnection, Phase};
use crate::error::{Cause, DisconnectReason, NotSent, OutcomeUnknown};
use crate::io::{Action, CloseHow};
use crate::protocol::message::HubMessage;
use crate::sink::CallOutcome;
use crate::time::{Instant, Timer};

/// How long a peer may take to answer the probe after a suspension.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

impl HubConnection {
    pub(super) fn next_timeout(&self) -> Option<Instant> {
        let calls = self.calls.next_deadline();
        let ledger = if matches!(self.phase, Phase::Connected(_)) { self.ledger.next_retry() } else { None };
        [self.timers.next(), calls, ledger].into_iter().flatten().min()
    }

    pub(super) fn timeouts(&mut self, now: Instant) {
        loop {
            while let Some(timer) = self.timers.pop_due(now) {
                self.timer(now, timer);
            }
            // One that costs the connection sets timers anew.
            let Some(id) = self.calls.pop_due(now) else { break };
            self.call_timed_out(now, id);
        }
        self.admit_waiting();
        self.retry_refused(now);
        self.update_pressure(now);
    }

    fn timer(&mut self, now: Instant, timer: Timer) {
        match (timer, &self.phase) {
            (Timer::Retry, Phase::Waiting) => self.begin_attempt(now),
            (Timer::Retry, Phase::Connected(_)) if self.is_interrupted() => self.dial_to_resume(now),
            (Timer::Stage, Phase::Connected(_)) if self.is_interrupted() => self.resume_stage_timed_out(now),
            (Timer::Window, Phase::Connected(_)) => self.window_over(now),
            (Timer::Ack, Phase::Connected(_)) => self.send_ack(),
            (Timer::Stage, Phase::Attempting(attempt)) => {
                let id = attempt.id;
                let after = self.config.connect_timeout;
                let reason = match attempt.stage {
                    AttemptStage::Token(_) => DisconnectReason::new(
                        Cause::Unauthorized,
                        format!("the access token provider gave no token within {after:?}"),
                    ),
                    AttemptStage::Negotiate => DisconnectReason::new(
                        Cause::ConnectTimeout,
                        format!("the negotiation got no answer within {after:?}"),
                    ),
                    _ => DisconnectReason::new(
                        Cause::ConnectTimeout,
                        format!("no WebSocket could be opened within {after:?}"),
                    ),
                };
                self.fail_attempt(now, id, reason, Some(CloseHow::Abort));
            }
            // Once the transport is open the handshake has its own deadline.
            (Timer::Attempt, Phase::Attempting(attempt)) if attempt.stage != AttemptStage::Handshake => {
                let id = attempt.id;
                let after = self.config.connect_timeout.saturating_mul(3);
                let reason =
                    DisconnectReason::new(Cause::ConnectTimeout, format!("the attempt took longer than {after:?}"));
                self.fail_attempt(now, id, reason, Some(CloseHow::Abort));
            }
            (Timer::Handshake, Phase::Attempting(attempt)) => {
                let id = attempt.id;
                let message =
                    format!("the hub did not answer the handshake within {:?}", self.config.handshake_timeout);
                self.fail_attempt(
                    now,
                    id,
                    DisconnectReason::new(Cause::HandshakeTimeout, message),
                    Some(CloseHow::Abort),
                );
            }
            (Timer::Stop, Phase::Stopping(attempt)) => {
                self.actions.push_back(Action::Close {
                    attempt: *attempt,
                    how: CloseHow::Abort,
                    cause: Cause::Stopped,
                });
                self.stopped();
            }
            (Timer::Server, Phase::Connected(_)) => self.server_timer(now),
            // The answer cannot be read before reading goes on.
            (Timer::Probe, Phase::Connected(_)) if self.is_paused => self.timers.set(Timer::Probe, now + PROBE_TIMEOUT),
            (Timer::Probe, Phase::Connected(attempt)) => {
                let attempt = *attempt;
                let message =
                    format!("the hub did not answer within {PROBE_TIMEOUT:?} after this process had been suspended");
                self.lost(now, attempt, DisconnectReason::new(Cause::ServerTimeout, message), Some(CloseHow::Abort));
            }
            // Nobody is there to be pinged; the next transport sets it again.
            (Timer::KeepAlive, Phase::Connected(_)) if self.is_interrupted() => {}
            (Timer::KeepAlive, Phase::Connected(_)) => {
                let Some(interval) = self.config.keep_alive_interval else { return };
                let due = self.last_sent + interval;
                if due <= now {
                    // One that still waits will do.
                    if !self.outbound.has_control() {
                        self.outbound.push_control(HubMessage::Ping.to_record());
                    }
                    self.timers.set(Timer::KeepAlive, now + interval);
                } else {
                    self.timers.set(Timer::KeepAlive, due);
                }
            }
            (Timer::Stable, Phase::Connected(_)) => self.scheduler.stable(now),
            _ => {}
        }
    }

    /// Only what arrives puts this off, never what we send; and nothing can arrive while reading is paused.
    fn server_timer(&mut self, now: Instant) {
        let (Some(timeout), Phase::Connected(attempt)) = (self.config.server_timeout, &self.phase) else { return };
        let attempt = *attempt;
        if self.is_paused {
            return self.timers.set(Timer::Server, now + timeout);
        }
        let due = self.last_received + timeout;
        if due > now {
            return self.timers.set(Timer::Server, due);
        }
        let message = format!("nothing was heard from the hub for {timeout:?}");
        if self.is_interrupted() {
            return self.resume_failed(now, DisconnectReason::new(Cause::ServerTimeout, message));
        }
        self.lost(now, attempt, DisconnectReason::new(Cause::ServerTimeout, message), Some(CloseHow::Abort));
    }

    fn call_timed_out(&mut self, now: Instant, id: u64) {
        let Some(call) = self.calls.get(id) else { return };
        if !matches!(call.owner, super::calls::Owner::Application { .. }) {
            return self.ledger_call_timed_out(now, id);
        }
        debug_assert!(call.deadline.is_some_and(|deadline| deadline <= now), "only what is due is given up");
        debug_assert!(
            !matches!((&call.stage, call.kind), (Stage::Sent, super::CallKind::Send)),
            "a send is done once it is sent"
        );
        self.give_up(id, |is_sent| match is_sent {
            true => CallOutcome::OutcomeUnknown(OutcomeUnknown::Deadline),
            false => CallOutcome::NotSent(NotSent::Deadline),
        });
    }

    /// The process slept: nobody can tell whether the peer still is. A WebSocket ping must be answered at once, a SignalR ping never is.
    pub(super) fn suspended(&mut self, now: Instant) {
        let Phase::Connected(attempt) = &self.phase else { return };
        if self.is_interrupted() {
            return;
        }
        let attempt = *attempt;
        self.timers.set(Timer::Probe, now + PROBE_TIMEOUT);
        self.actions.push_back(Action::Probe { attempt });
    }

    /// Reading goes on: only now can the probe be answered.
    pub(super) fn resume_probe(&mut self, now: Instant) {
        if self.timers.is_set(Timer::Probe) {
            self.timers.set(Timer::Probe, now + PROBE_TIMEOUT);
        }
    }

    /// The hub said goodbye: how we answer.
    pub(super) fn answer_goodbye(&self) -> CloseHow {
        goodbye(self.config.stop_timeout)
    }
}
