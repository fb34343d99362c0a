//! Losing the connection, and what comes after it.

use std::time::Duration;

use super::calls::{CallKind, Owner, PendingCall, Stage};
use super::{Event, HubConnection, Phase, Reply, StartError};
use crate::error::{DisconnectReason, NotSent, OutcomeUnknown};
use crate::io::{Action, AttemptId, CloseHow};
use crate::retry::scheduler::Wait;
use crate::retry::{FailureClass, WaitReason};
use crate::sink::CallOutcome;
use crate::time::{Instant, Timer};

/// Hints to try at once are followed so often at most.
const HINT_INTERVAL: Duration = Duration::from_secs(5);

/// A time without a connection that ought to be there.
#[derive(Debug)]
pub(super) struct Outage {
    /// A `start` under way: nothing was connected before it.
    pub(super) is_initial: bool,
    since: Instant,
    failed: u32,
    /// Of what is waited for now.
    class: FailureClass,
    /// The wait under way is the policy's or the breaker's, and not one that the server or the flap budget asked for.
    may_shorten: bool,
}

impl Outage {
    fn new(now: Instant, is_initial: bool) -> Self {
        Self { is_initial, since: now, failed: 0, class: FailureClass::Lost, may_shorten: true }
    }
}

impl HubConnection {
    /// The connection is gone: settles what was under way, then asks the policy. `close` is `None` if the transport is gone by itself.
    pub(super) fn lost(&mut self, now: Instant, attempt: AttemptId, reason: DisconnectReason, close: Option<CloseHow>) {
        tracing::info!(attempt = attempt.0, cause = %reason.cause(), reason = %reason, "connection lost");
        if let Some(how) = close {
            self.actions.push_back(Action::Close { attempt, how, cause: reason.cause() });
        }
        self.leave_connection(&reason);
        self.outage = Some(Outage::new(now, false));
        match self.scheduler.lost(now, &reason) {
            Some(wait) => {
                self.phase = Phase::Waiting;
                self.event(Event::Reconnecting(reason.clone()));
                self.open_gaps(&reason);
                self.wait(now, wait, reason);
            }
            None => {
                self.outage = None;
                self.phase = Phase::Disconnected;
                self.open_gaps(&reason);
                self.event(Event::Disconnected(reason));
            }
        }
    }

    /// An attempt failed: the next one, or the end.
    pub(super) fn try_again(&mut self, now: Instant, reason: DisconnectReason) {
        if self.outage.is_none() && self.config.retry_initial_connect {
            self.outage = Some(Outage::new(now, true));
        } else if let Some(outage) = &mut self.outage {
            outage.failed = outage.failed.saturating_add(1);
        }
        let elapsed = self.outage.as_ref().map(|outage| now.saturating_since(outage.since));
        // Without an outage this was the only attempt of a start; it counts all the same.
        let wait = self.scheduler.failed(now, &reason, elapsed.unwrap_or_default());
        if let (Some(wait), Some(_)) = (wait, elapsed) {
            self.phase = Phase::Waiting;
            return self.wait(now, wait, reason);
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

    fn wait(&mut self, now: Instant, wait: Wait, reason: DisconnectReason) {
        let attempt = self.outage.as_ref().map_or(0, |outage| outage.failed).saturating_add(1);
        let delay = wait.until.saturating_since(now);
        self.scheduler.waits(delay);
        if let Some(outage) = &mut self.outage {
            outage.class = reason.class();
            outage.may_shorten = matches!(wait.why, WaitReason::Policy | WaitReason::BreakerOpen);
        }
        if wait.why.is_critical() {
            tracing::error!(attempt, ?delay, why = wait.why.as_str(), reason = %reason, "waiting");
        } else {
            tracing::info!(attempt, ?delay, why = wait.why.as_str(), cause = %reason.cause(), "waiting");
        }
        self.timers.set(Timer::Retry, wait.until);
        let Wait { until, why, breaker } = wait;
        self.event(Event::Waiting { attempt, delay, until, why, breaker, reason });
    }

    /// The application wants the next attempt now.
    pub(super) fn reconnect_now(&mut self, now: Instant) {
        if matches!(self.phase, Phase::Waiting) && self.may_follow_hint(now) {
            self.begin_attempt(now);
        } else if self.waits_to_resume() && self.may_follow_hint(now) {
            self.timers.clear(Timer::Retry);
            self.dial_to_resume(now);
        }
    }

    /// The network is said to be back. An open breaker is obeyed, unless it was this machine that had failed.
    pub(super) fn network_up(&mut self, now: Instant) {
        let class = self.outage.as_ref().map_or(FailureClass::Lost, |outage| outage.class);
        let is_worth_it = matches!(self.phase, Phase::Waiting) && self.scheduler.obeys_hint(now, class);
        if is_worth_it && self.may_follow_hint(now) {
            self.begin_attempt(now);
        }
    }

    fn may_follow_hint(&mut self, now: Instant) -> bool {
        let is_due = self.hinted_at.is_none_or(|last| now.saturating_since(last) >= HINT_INTERVAL);
        if is_due {
            self.hinted_at = Some(now);
        }
        is_due
    }

    /// The longest wait from now on; one that runs is shortened to it.
    pub(super) fn set_max_delay(&mut self, now: Instant, longest: Option<Duration>) {
        self.scheduler.set_max_delay(now, longest);
        if let (Phase::Waiting, Some(longest), Some(due)) = (&self.phase, longest, self.timers.due(Timer::Retry)) {
            let is_own = self.outage.as_ref().is_some_and(|outage| outage.may_shorten);
            if is_own && due > now + longest {
                self.timers.set(Timer::Retry, now + longest);
            }
        }
    }

    /// Settles everything that belonged to the connection.
    pub(super) fn leave_connection(&mut self, reason: &DisconnectReason) {
        self.timers.clear_all();
        self.connection_id = None;
        self.resume = None;
        self.open_tickets = 0;
        self.is_paused = false;
        self.buffer.reset(self.config.max_record_bytes);
        self.calls.flush();
        self.registry.discard();
        self.feeds.clear();
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
