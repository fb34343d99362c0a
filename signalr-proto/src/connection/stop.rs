//! `start` and `stop`.

use bytes::Bytes;

use super::{Event, HubConnection, Phase, Reply, StartError, State};
use crate::error::{Cause, DisconnectReason, Rejection};
use crate::io::{Action, AttemptId, CloseHow, Token};
use crate::protocol::message::HubMessage;
use crate::time::{Instant, Timer};

impl HubConnection {
    /// Connects. While connecting, a further start joins the first; otherwise it is refused unless disconnected.
    pub(super) fn start(&mut self, now: Instant, token: Token) {
        match self.state() {
            State::Disconnected => {
                self.starting.push(token);
                self.scheduler.started(now);
                self.begin_attempt(now);
            }
            State::Connecting => self.starting.push(token),
            state => self.reply(token, Reply::Started(Err(StartError::Rejected(Rejection::NotDisconnected(state))))),
        }
    }

    pub(super) fn stop(&mut self, now: Instant, token: Token) {
        match &self.phase {
            Phase::Disconnected => {
                self.end_pending_subscribes(&DisconnectReason::stopped());
                self.reply(token, Reply::Stopped);
            }
            Phase::Stopping(_) => self.stopping.push(token),
            Phase::Connected(_) if self.is_interrupted() => {
                self.abandon_resume();
                self.stopping.push(token);
                self.stopped();
            }
            Phase::Connected(attempt) => {
                let attempt = *attempt;
                self.stopping.push(token);
                self.say_goodbye(now, attempt);
            }
            Phase::Attempting(attempt) => {
                let attempt = attempt.id;
                self.actions.push_back(Action::Close { attempt, how: CloseHow::Abort, cause: Cause::Stopped });
                self.stop_connecting(token);
            }
            Phase::Waiting => self.stop_connecting(token),
        }
    }

    /// Everything queued goes first, then the hub protocol's goodbye, then WebSocket's.
    fn say_goodbye(&mut self, now: Instant, attempt: AttemptId) {
        tracing::debug!(attempt = attempt.0, "stopping");
        self.phase = Phase::Stopping(attempt);
        self.timers.clear_all();
        self.timers.set(Timer::Stop, now + self.config.stop_timeout);
        self.actions.push_back(Action::Close {
            attempt,
            how: goodbye(self.config.stop_timeout),
            cause: Cause::Stopped,
        });
    }

    fn stop_connecting(&mut self, token: Token) {
        let reason = DisconnectReason::stopped();
        let was_connected = self.outage.take().is_some_and(|outage| !outage.is_initial);
        self.phase = Phase::Disconnected;
        self.scheduler.stopped(self.now);
        self.timers.clear_all();
        self.outbound.clear();
        self.end_pending_subscribes(&reason);
        if was_connected {
            self.event(Event::Disconnected(reason.clone()));
        }
        for starting in std::mem::take(&mut self.starting) {
            self.reply(starting, Reply::Started(Err(StartError::Failed(reason.clone()))));
        }
        self.reply(token, Reply::Stopped);
    }

    /// The transport is gone, or its time is up.
    pub(super) fn stopped(&mut self) {
        let reason = DisconnectReason::stopped();
        self.end_pending_subscribes(&reason);
        self.leave_connection(&reason);
        self.owe_gaps();
        self.scheduler.stopped(self.now);
        self.phase = Phase::Disconnected;
        self.event(Event::Disconnected(reason));
        for token in std::mem::take(&mut self.stopping) {
            self.reply(token, Reply::Stopped);
        }
    }
}

/// A Close record, then WebSocket's close.
pub(super) fn goodbye(timeout: std::time::Duration) -> CloseHow {
    let record = HubMessage::Close { error: None, allow_reconnect: false }.to_record();
    CloseHow::Flush { last: Bytes::from(record), timeout }
}
