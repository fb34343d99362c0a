//! What happens seldom: it is counted, and said in the log, once each.

use super::{Audits, Cause, Duration, GapCause, GapId, Kind, MOST_RARE, Moment, Rare, Subscriptions, Tally, Verdict};
use crate::lifecycle::Lifecycle;

impl Tally {
    pub(super) fn gap_opened(&mut self, now: Moment, id: GapId, kind: Kind, cause: Option<GapCause>) {
        let Some(cause) = cause else { return };
        self.open.insert(id, (kind, now.mono));
        self.note(Rare::GapOpened(kind, cause));
        let (hub, kind, why) = (self.hub.name(), kind.as_str(), cause.as_str());
        match cause {
            // Everything begins with one.
            GapCause::ColdStart => tracing::info!(hub, kind, cause = why, "gap opened"),
            GapCause::AuditMismatch => {
                tracing::warn!(hub, kind, "audit mismatch");
                tracing::warn!(hub, kind, cause = why, "gap opened");
            }
            _ => tracing::warn!(hub, kind, cause = why, "gap opened"),
        }
    }

    pub(super) fn gap_closed(
        &mut self,
        now: Moment,
        id: GapId,
        kind: Kind,
        cause: Option<GapCause>,
        verdict: &Verdict,
    ) {
        self.closed_at = Some(now.mono);
        let Some((_, opened)) = self.open.remove(&id) else { return };
        let lasted = now.mono.saturating_since(opened);
        let verdict = verdict.as_str();
        self.note(Rare::GapClosed(kind, verdict, lasted));
        let (hub, kind, cause) = (self.hub.name(), kind.as_str(), cause.map(GapCause::as_str));
        tracing::info!(hub, kind, cause, verdict, lasted_ms = millis(lasted), "gap closed");
        if !self.open.is_empty() || !self.subscriptions.is_connected {
            return;
        }
        if let Some(lost) = self.unverified.take() {
            let took = now.mono.saturating_since(lost);
            self.note(Rare::Verified(took));
            tracing::info!(hub, took_ms = millis(took), "reconcile finished: every gap is closed");
        }
    }

    pub(super) fn saw_malformed(&mut self, target: &str) {
        let Some(kind) = Kind::of_target(target) else { return };
        self.malformed[kind as usize] += 1;
        tracing::warn!(hub = self.hub.name(), kind = kind.as_str(), "an event cannot be read");
    }

    /// The connection's life goes on.
    pub(crate) fn live(&mut self, now: Moment, life: &Lifecycle) {
        let hub = self.hub.name();
        match life {
            Lifecycle::Connected | Lifecycle::Reconnected => {
                self.connections += 1;
                let connection = self.connections;
                tracing::info!(hub, connection, "websocket connection established");
                if let Some(cause) = self.lost.take() {
                    self.reconnects += 1;
                    self.note(Rare::Reconnected(cause));
                }
            }
            Lifecycle::Reconnecting(ending) | Lifecycle::Disconnected(ending) if ending.cause == Cause::Stopped => {
                (self.lost, self.unready, self.unverified) = (None, None, None);
                tracing::info!(hub, "hung up");
            }
            Lifecycle::Reconnecting(ending) | Lifecycle::Disconnected(ending) => {
                self.lost.get_or_insert(ending.cause);
                self.unready.get_or_insert(now.mono);
                self.unverified.get_or_insert(now.mono);
                tracing::warn!(hub, cause = ending.cause.as_str(), "websocket connection lost");
            }
            _ => {}
        }
    }

    /// The hub refused a subscription.
    pub(crate) fn refuse(&mut self, kind: Kind) {
        self.note(Rare::Refused(kind));
        tracing::warn!(hub = self.hub.name(), kind = kind.as_str(), "subscription refused");
    }

    /// How it stands with the subscriptions now.
    pub(crate) fn subscribe(&mut self, now: Moment, subscriptions: Subscriptions) {
        if self.subscriptions == subscriptions {
            return;
        }
        self.subscriptions = subscriptions;
        let Subscriptions { intended, acked, refused, is_connected } = subscriptions;
        let since = |was: Option<_>, is: bool| is.then(|| was.unwrap_or(now.mono));
        self.unanswered = since(self.unanswered, acked < intended);
        self.down = since(self.down, !is_connected && intended > 0);
        if !is_connected || acked + refused < intended {
            return;
        }
        if intended > 0 {
            tracing::info!(hub = self.hub.name(), intended, acked, refused, "subscription processed");
        }
        if let Some(lost) = self.unready.take() {
            self.note(Rare::Ready(now.mono.saturating_since(lost)));
        }
    }

    fn note(&mut self, rare: Rare) {
        if self.rare.len() < MOST_RARE {
            self.rare.push(rare);
        }
    }
}

impl Audits {
    pub(crate) const fn new(clean: u64, mismatched: u64) -> Self {
        Self { clean, mismatched }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
