//! Losing the connection, and what comes after it.

use std::time::Duration;

use super::calls::{CallKind, Owner, PendingCall, Stage};
use super::{Event, HubConnection, Phase, Reply, StartError};
use crate::error::{DisconnectReason, NotSent, OutcomeUnknown};
use crate::io::{Action, AttemptId, CloseHow};
use crate::retry::RetryContext;
use crate::sink::CallOutcome;
use crate::time::{Instant, Timer};

/// A server's wish is followed up to here.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(300);

/// A time without a connection that ought to be there.
#[derive(Debug)]
pub(super) struct Outage {
    /// A `start` under way: nothing was connected before it.
    pub(super) is_initial: bool,
    since: Instant,
    failed: u32,
}

impl HubConnection {
    /// The connection is gone: settles what was under way, then asks the policy. `close` is `None` if the transport is gone by itself.
    pub(super) fn lost(&mut self, now: Instant, attempt: AttemptId, reason: DisconnectReason, close: Option<CloseHow>) {
        tracing::info!(attempt = attempt.0, cause = %reason.cause(), reason = %reason, "connection lost");
        if let Some(how) = close {
            self.actions.push_back(Action::Close { attempt, how, cause: reason.cause() });
        }
        self.leave_connection(&reason);
        self.outage = Some(Outage { is_initial: false, since: now, failed: 0 });
        match self.ask_policy(now, &reason) {
            Some(delay) => {
                self.phase = Phase::Waiting;
                self.event(Event::Reconnecting(reason.clone()));
                self.open_gaps(&reason);
                self.wait(now, delay, reason);
            }
            None => {
                self.outage = None;
                self.phase = Phase::Disconnected;
                self.open_gaps(&reason);
                self.event(Event::Disconnected(reason));
            }
        }
    }

    /// An attempt failed: the next rung, or the end.
    pub(super) fn try_again(&mut self, now: Instant, reason: DisconnectReason) {
        if self.outage.is_none() && self.config.retry_initial_connect {
            self.outage = Some(Outage { is_initial: true, since: now, failed: 0 });
        } else if let Some(outage) = &mut self.outage {
            outage.failed = outage.failed.saturating_add(1);
        }
        let delay = if self.outage.is_some() { self.ask_policy(now, &reason) } else { None };
        if let Some(delay) = delay {
            self.phase = Phase::Waiting;
            return self.wait(now, delay, reason);
        }
        let was_connected = self.outage.take().is_some_and(|outage| !outage.is_initial);
        self.phase = Phase::Disconnected;
        if was_connected {
            self.event(Event::Disconnected(reason.clone()));
        }
        for token in std::mem::take(&mut self.starting) {
            self.reply(token, Reply::Started(Err(StartError::Failed(reason.clone()))));
        }
    }

    fn ask_policy(&mut self, now: Instant, reason: &DisconnectReason) -> Option<Duration> {
        let outage = self.outage.as_ref()?;
        if !reason.may_retry() {
            return None;
        }
        let elapsed = now.saturating_since(outage.since);
        let context = RetryContext { previous_retry_count: outage.failed, elapsed, reason };
        let delay = self.config.retry.next_delay(&context)?;
        Some(delay.max(reason.retry_after().unwrap_or_default().min(MAX_RETRY_AFTER)))
    }

    fn wait(&mut self, now: Instant, delay: Duration, reason: DisconnectReason) {
        let attempt = self.outage.as_ref().map_or(0, |outage| outage.failed).saturating_add(1);
        self.timers.set(Timer::Retry, now + delay);
        self.event(Event::Waiting { attempt, delay, reason });
    }

    /// Settles everything that belonged to the connection.
    pub(super) fn leave_connection(&mut self, reason: &DisconnectReason) {
        self.timers.clear_all();
        self.connection_id = None;
        self.open_tickets = 0;
        self.is_paused = false;
        self.buffer.reset(self.config.max_record_bytes);
        self.calls.flush();
        self.registry.discard();
        for (_, call) in self.calls.take_all() {
            self.settle(call, reason);
        }
        self.outbound.clear();
        self.registry.flush();
    }

    fn settle(&mut self, call: PendingCall, reason: &DisconnectReason) {
        let Owner::Application { token, sink } = call.owner else { return };
        let outcome = match call.stage {
            Stage::Sent => CallOutcome::OutcomeUnknown(OutcomeUnknown::Disconnected(reason.clone())),
            Stage::Queued | Stage::Waiting(_) => CallOutcome::NotSent(NotSent::Disconnected(reason.clone())),
        };
        debug_assert!(call.kind != CallKind::Send || !matches!(outcome, CallOutcome::OutcomeUnknown(_)));
        self.reply(token, Reply::Call(sink, outcome));
    }
}
