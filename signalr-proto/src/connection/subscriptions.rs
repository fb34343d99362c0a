//! Durable subscriptions over the life of a connection: asked for, restored, given up, and the gaps between.

use super::calls::{CallKind, Owner, PendingCall, Stage};
use super::{Event, HubConnection, Phase, Reply, SubscribeError, UnsubscribeError};
use crate::error::{Cause, DisconnectReason, HubError, NotSent, OutcomeUnknown, Rejection};
use crate::io::{CloseHow, Token};
use crate::protocol::RECORD_SEPARATOR;
use crate::protocol::message::{HubMessage, Invocation};
use crate::subscription::{MethodCall, Progress, Serial, SubscriptionKey, SubscriptionRequest};
use crate::time::Instant;

impl HubConnection {
    fn is_connected(&self) -> bool {
        matches!(self.phase, Phase::Connected(_))
    }

    pub(super) fn subscribe(&mut self, now: Instant, token: Token, request: SubscriptionRequest) {
        let calls = [Some(&request.subscribe), request.unsubscribe.as_ref()];
        if calls.into_iter().flatten().any(|call| memchr::memchr(RECORD_SEPARATOR, call.arguments.as_bytes()).is_some())
        {
            let rejection = Rejection::Invalid("the arguments hold the byte that ends records".to_owned());
            return self.reply(token, Reply::Subscribed(Err(rejection.into())));
        }
        let serial = match self.ledger.find(&request.key()) {
            Some(serial) => serial,
            None if self.ledger.len() >= self.config.max_subscriptions => {
                let rejection = Rejection::TooManySubscriptions(self.config.max_subscriptions);
                return self.reply(token, Reply::Subscribed(Err(rejection.into())));
            }
            None => self.ledger.insert(request),
        };
        let is_connected = self.is_connected();
        let Some(entry) = self.ledger.get_mut(serial) else { return };
        entry.subscribers += 1;
        if is_connected && entry.progress == Progress::Acknowledged {
            let epoch = entry.epoch;
            return self.reply(token, Reply::Subscribed(Ok(epoch)));
        }
        entry.waiting.push(token);
        match entry.progress {
            Progress::Idle if is_connected => self.write_subscribe(now, serial),
            Progress::Subscribing(id) | Progress::Unsubscribing(id) => self.limit_wait(now, id),
            Progress::Idle | Progress::Acknowledged => {}
        }
    }

    pub(super) fn unsubscribe(&mut self, now: Instant, token: Token, key: &SubscriptionKey, subscriber: Option<Token>) {
        let serial = self.ledger.find(key);
        let entry = serial.and_then(|serial| self.ledger.get_mut(serial)).filter(|entry| entry.subscribers > 0);
        let (Some(serial), Some(entry)) = (serial, entry) else {
            let reply = Reply::Unsubscribed(Err(Rejection::NotSubscribed.into()));
            return self.reply(token, reply);
        };
        entry.subscribers -= 1;
        let is_last = entry.subscribers == 0;
        let own = subscriber.and_then(|subscriber| entry.waiting.iter().position(|waiting| *waiting == subscriber));
        let cancelled: Vec<Token> = match own {
            _ if is_last => std::mem::take(&mut entry.waiting),
            Some(own) => vec![entry.waiting.remove(own)],
            None => Vec::new(),
        };
        for subscriber in cancelled {
            self.reply(subscriber, Reply::Subscribed(Err(SubscribeError::Cancelled)));
        }
        if is_last {
            self.leave(now, serial, token);
        } else {
            self.reply(token, Reply::Unsubscribed(Ok(())));
        }
        self.check_restored();
    }

    /// The last subscriber left.
    fn leave(&mut self, now: Instant, serial: Serial, token: Token) {
        let Some(entry) = self.ledger.get_mut(serial) else { return };
        entry.retry_at = None;
        entry.is_awaited = false;
        match entry.progress {
            Progress::Subscribing(id) if !entry.was_written => {
                // Nothing of it left: its record is passed over.
                self.calls.remove(id);
                self.ledger.remove(serial);
                self.reply(token, Reply::Unsubscribed(Ok(())));
            }
            Progress::Subscribing(id) | Progress::Unsubscribing(id) => {
                entry.leaving.push(token);
                self.limit_wait(now, id);
            }
            Progress::Acknowledged if entry.key.unsubscribe().is_some() => {
                entry.leaving.push(token);
                self.write_unsubscribe(now, serial);
            }
            Progress::Acknowledged | Progress::Idle => {
                self.ledger.remove(serial);
                self.reply(token, Reply::Unsubscribed(Ok(())));
            }
        }
    }

    /// Asks for every wish on a new connection, in the order of the wishes, ahead of anything else. Whether there was one.
    pub(super) fn restore_subscriptions(&mut self, now: Instant) -> bool {
        let serials = self.ledger.serials();
        for serial in &serials {
            self.write_subscribe(now, *serial);
            if let Some(entry) = self.ledger.get_mut(*serial) {
                entry.is_awaited = true;
            }
        }
        self.is_restoring = !serials.is_empty();
        self.is_restoring
    }

    fn write_subscribe(&mut self, now: Instant, serial: Serial) {
        let Some(entry) = self.ledger.get_mut(serial) else { return };
        entry.retry_at = None;
        let call = entry.key.subscribe().clone();
        let id = self.write_ledger_call(now, serial, true, call);
        if let Some(entry) = self.ledger.get_mut(serial) {
            entry.progress = Progress::Subscribing(id);
        }
    }

    fn write_unsubscribe(&mut self, now: Instant, serial: Serial) {
        let Some(call) = self.ledger.get_mut(serial).and_then(|entry| entry.key.unsubscribe().cloned()) else { return };
        let id = self.write_ledger_call(now, serial, false, call);
        if let Some(entry) = self.ledger.get_mut(serial) {
            entry.progress = Progress::Unsubscribing(id);
        }
    }

    fn write_ledger_call(&mut self, now: Instant, serial: Serial, is_subscribe: bool, call: MethodCall) -> u64 {
        let id = self.calls.next_id();
        let invocation = Invocation {
            invocation_id: Some(id.to_string().into()),
            target: call.target.into(),
            arguments: call.arguments.into(),
            ..Invocation::default()
        };
        self.outbound.push(HubMessage::Invocation(invocation).to_record(), Some(id));
        let pending = PendingCall {
            owner: Owner::Ledger { serial, is_subscribe },
            kind: CallKind::Invoke,
            stage: Stage::Queued,
            deadline: self.config.call_timeout.map(|timeout| now + timeout),
            uploads: Vec::new(),
        };
        self.calls.insert(id, pending);
        id
    }

    /// Somebody joined a call that is in flight: if its deadline has gone already, he gets one of his own.
    fn limit_wait(&mut self, now: Instant, id: u64) {
        if let Some(timeout) = self.config.call_timeout {
            self.calls.ensure_deadline(id, now + timeout);
        }
    }

    /// The hub answered a call that the ledger made.
    pub(super) fn ledger_answered(
        &mut self,
        now: Instant,
        serial: Serial,
        id: u64,
        is_subscribe: bool,
        error: Option<HubError>,
    ) {
        let expected = if is_subscribe { Progress::Subscribing(id) } else { Progress::Unsubscribing(id) };
        if self.ledger.get_mut(serial).is_none_or(|entry| entry.progress != expected) {
            return;
        }
        match (is_subscribe, error) {
            (true, None) => self.acknowledged(now, serial),
            (true, Some(error)) => self.refused(now, serial, error),
            (false, error) => self.unsubscribed(now, serial, error),
        }
        self.check_restored();
    }

    fn acknowledged(&mut self, now: Instant, serial: Serial) {
        let Some(entry) = self.ledger.get_mut(serial) else { return };
        entry.progress = Progress::Acknowledged;
        entry.was_asked = false;
        entry.is_awaited = false;
        entry.refusals = 0;
        entry.unanswered = 0;
        let epoch = entry.epoch;
        let waiting = std::mem::take(&mut entry.waiting);
        let gap_since = entry.gap_since.take();
        let is_wanted = entry.subscribers > 0;
        let key = entry.key.clone();
        match gap_since {
            Some(since) if is_wanted => {
                self.gap_counts.seconds.record(now.saturating_since(since));
                self.event(Event::GapClosed { key: key.clone() });
            }
            None if is_wanted => self.event(Event::Subscribed { key: key.clone() }),
            _ => {}
        }
        for token in waiting {
            self.reply(token, Reply::Subscribed(Ok(epoch)));
        }
        if is_wanted {
            return self.came_back(serial);
        }
        if key.unsubscribe().is_some() { self.write_unsubscribe(now, serial) } else { self.left(serial, Ok(())) }
    }

    /// Whoever left before the hub had answered is done: somebody else wants it again.
    fn came_back(&mut self, serial: Serial) {
        let Some(entry) = self.ledger.get_mut(serial) else { return };
        for token in std::mem::take(&mut entry.leaving) {
            self.reply(token, Reply::Unsubscribed(Ok(())));
        }
    }

    /// A hub that refuses at first is believed: that is no wish any more. One that refuses to restore is asked again, and so
    /// is one that refuses when nobody waits for it any more: the application was told that the wish stays.
    fn refused(&mut self, now: Instant, serial: Serial, error: HubError) {
        let Some(entry) = self.ledger.get_mut(serial) else { return };
        entry.progress = Progress::Idle;
        entry.was_asked = false;
        entry.is_awaited = false;
        let waiting = std::mem::take(&mut entry.waiting);
        entry.subscribers = entry.subscribers.saturating_sub(waiting.len());
        let is_wanted = entry.subscribers > 0;
        let key = entry.key.clone();
        if is_wanted {
            entry.schedule_retry(now);
        }
        for token in waiting {
            self.reply(token, Reply::Subscribed(Err(SubscribeError::Hub(error.clone()))));
        }
        if is_wanted {
            tracing::warn!(method = %key.subscribe().target, "the hub refused to restore a subscription");
            self.event(Event::SubscriptionFailed { key, error });
            self.came_back(serial);
        } else {
            self.left(serial, Ok(()));
        }
    }

    /// The hub answered an unsubscribe. Whoever subscribed meanwhile gets a new epoch.
    fn unsubscribed(&mut self, now: Instant, serial: Serial, error: Option<HubError>) {
        let outcome = error.map_or(Ok(()), |error| Err(UnsubscribeError::Hub(error)));
        let Some(entry) = self.ledger.get_mut(serial) else { return };
        entry.progress = Progress::Idle;
        if entry.subscribers == 0 {
            return self.left(serial, outcome);
        }
        entry.epoch += 1;
        for token in std::mem::take(&mut entry.leaving) {
            self.replies.push_back((token, Reply::Unsubscribed(outcome.clone())));
        }
        self.write_subscribe(now, serial);
    }

    /// The entry is no more.
    fn left(&mut self, serial: Serial, outcome: Result<(), UnsubscribeError>) {
        let Some(entry) = self.ledger.remove(serial) else { return };
        for token in entry.leaving {
            self.reply(token, Reply::Unsubscribed(outcome.clone()));
        }
    }

    /// The hub took too long. The key stays in flight, so that no second call of it can overlap; a late answer still counts. What it was to
    /// restore gets as much time again: then another connection is tried, once until it has agreed.
    pub(super) fn ledger_call_timed_out(&mut self, now: Instant, id: u64) {
        let Some(call) = self.calls.remove(id) else { return };
        let Owner::Ledger { serial, is_subscribe } = call.owner else { return };
        let mut revived = PendingCall { owner: Owner::Ledger { serial, is_subscribe }, deadline: None, ..call };
        let Some(entry) = self.ledger.get_mut(serial) else {
            self.calls.insert(id, revived);
            return;
        };
        let was_awaited = std::mem::take(&mut entry.is_awaited);
        let is_given_up = !was_awaited && is_subscribe && entry.unanswered == 1;
        if was_awaited || is_given_up {
            entry.unanswered = entry.unanswered.saturating_add(1);
        }
        if was_awaited && entry.unanswered == 1 {
            revived.deadline = self.config.call_timeout.map(|timeout| now + timeout);
        }
        self.calls.insert(id, revived);
        let was_asked = entry.was_asked;
        let waiting = std::mem::take(&mut entry.waiting);
        let leaving = std::mem::take(&mut entry.leaving);
        let key = entry.key.clone();
        for token in waiting {
            let error = match was_asked {
                true => SubscribeError::OutcomeUnknown(OutcomeUnknown::Deadline),
                false => SubscribeError::NotSent(NotSent::Deadline),
            };
            self.reply(token, Reply::Subscribed(Err(error)));
        }
        for token in leaving {
            let error = HubError::new("the hub did not answer within the deadline");
            self.reply(token, Reply::Unsubscribed(Err(UnsubscribeError::Hub(error))));
        }
        if was_awaited {
            let error = HubError::new("the hub did not answer within the deadline");
            self.event(Event::SubscriptionFailed { key, error });
            self.check_restored();
        } else if is_given_up {
            self.replace_connection(now);
        }
    }

    /// Only a new connection can ask again for what this one's hub does not answer.
    fn replace_connection(&mut self, now: Instant) {
        let Phase::Connected(attempt) = self.phase else { return };
        // It is being replaced already, and the hub may answer on the next transport.
        if self.is_interrupted() {
            return;
        }
        let message = "the hub did not answer a subscription that it was to restore, twice over";
        self.lost(now, attempt, DisconnectReason::new(Cause::ServerTimeout, message), Some(CloseHow::Abort));
    }

    /// Tries again what the hub refused to restore.
    pub(super) fn retry_refused(&mut self, now: Instant) {
        if !self.is_connected() {
            return;
        }
        for serial in self.ledger.due(now) {
            self.write_subscribe(now, serial);
        }
    }

    fn check_restored(&mut self) {
        let was_restoring = std::mem::take(&mut self.is_restoring);
        self.is_restoring = self.ledger.is_restoring();
        if was_restoring && !self.is_restoring && self.is_connected() {
            self.scheduler.restored(self.now);
            self.tell_restored();
        }
    }

    /// Every wish of before the loss is served again, or refused.
    pub(super) fn tell_restored(&mut self) {
        tracing::info!(subscriptions = self.ledger.len(), "restored");
        self.event(Event::Restored);
    }

    /// The connection is lost: opens a gap for every key whose subscribe call had been written on it.
    pub(super) fn open_gaps(&mut self, reason: &DisconnectReason) {
        self.forget_connection();
        let mut affected = Vec::new();
        for serial in self.ledger.serials() {
            let Some(entry) = self.ledger.get_mut(serial) else { continue };
            if std::mem::take(&mut entry.was_written) {
                entry.open_gap(self.now);
                affected.push((entry.key.clone(), entry.targets.clone()));
            }
        }
        self.tell_gap(reason, affected, false);
    }

    /// Asks for everything anew that names this target, with a gap until the hub has agreed.
    pub(super) fn refresh_feeding(&mut self, now: Instant, target: &str, reason: &DisconnectReason) {
        let mut affected = Vec::new();
        for serial in self.ledger.serials() {
            let Some(entry) = self.ledger.get_mut(serial) else { continue };
            let is_fed = entry.targets.iter().any(|fed| fed == target);
            if !is_fed || entry.progress != Progress::Acknowledged || entry.subscribers == 0 {
                continue;
            }
            entry.open_gap(now);
            affected.push((entry.key.clone(), entry.targets.clone()));
            if entry.key.unsubscribe().is_some() {
                self.write_unsubscribe(now, serial);
            } else {
                self.write_subscribe(now, serial);
            }
        }
        if !affected.is_empty() {
            self.tell_gap(reason, affected, true);
        }
    }

    /// The application stopped the connection itself: its gaps are told when it starts again.
    pub(super) fn owe_gaps(&mut self) {
        self.forget_connection();
        self.owes_gap = true;
        for serial in self.ledger.serials() {
            let Some(entry) = self.ledger.get_mut(serial) else { continue };
            entry.owes_gap |= std::mem::take(&mut entry.was_written);
        }
    }

    pub(super) fn open_owed_gaps(&mut self) {
        if !std::mem::take(&mut self.owes_gap) {
            return;
        }
        let mut affected = Vec::new();
        for serial in self.ledger.serials() {
            let Some(entry) = self.ledger.get_mut(serial) else { continue };
            if std::mem::take(&mut entry.owes_gap) {
                entry.open_gap(self.now);
                affected.push((entry.key.clone(), entry.targets.clone()));
            }
        }
        self.tell_gap(&DisconnectReason::stopped(), affected, false);
    }

    fn tell_gap(&mut self, reason: &DisconnectReason, affected: Vec<(SubscriptionKey, Vec<String>)>, named_only: bool) {
        self.gaps += 1;
        self.gap_counts.total.add(reason.class(), u64::try_from(affected.len()).unwrap_or(u64::MAX));
        self.registry.gap(self.gaps, reason, &affected, named_only);
        for (key, _) in affected {
            self.event(Event::GapOpened { key, reason: reason.clone() });
        }
    }

    /// Nothing is in flight any more. What is not wanted is gone, for the hub forgot it with the connection.
    fn forget_connection(&mut self) {
        self.is_restoring = false;
        for serial in self.ledger.serials() {
            let Some(entry) = self.ledger.get_mut(serial) else { continue };
            entry.progress = Progress::Idle;
            entry.is_awaited = false;
            entry.refusals = 0;
            entry.retry_at = None;
            if entry.subscribers == 0 {
                self.left(serial, Ok(()));
                continue;
            }
            for token in std::mem::take(&mut entry.leaving) {
                self.replies.push_back((token, Reply::Unsubscribed(Ok(()))));
            }
        }
    }

    /// A stop ends what waits for the hub's answer; the wishes stay.
    pub(super) fn end_pending_subscribes(&mut self, reason: &DisconnectReason) {
        for serial in self.ledger.serials() {
            let Some(entry) = self.ledger.get_mut(serial) else { continue };
            let was_asked = entry.was_asked;
            for token in std::mem::take(&mut entry.waiting) {
                let error = match was_asked {
                    true => SubscribeError::OutcomeUnknown(OutcomeUnknown::Disconnected(reason.clone())),
                    false => SubscribeError::NotSent(NotSent::Disconnected(reason.clone())),
                };
                self.replies.push_back((token, Reply::Subscribed(Err(error))));
            }
        }
    }
}
