//! Feeds that turn to garbage: a circuit breaker for each target, apart from the connection's own.
//!
//! Five payloads in a row that nobody could decode degrade a target. What feeds it (the subscriptions that name it) gets a gap and is asked
//! for anew, for a fresh snapshot. The connection stays, and good events keep their order, before, between and after.

use std::collections::BTreeMap;

use super::{Event, HubConnection};
use crate::error::{Cause, DisconnectReason};
use crate::retry::{BreakerConfig, BreakerState, CircuitBreaker};
use crate::time::Instant;

/// The targets that have sent something undecodable since they were last well.
#[derive(Debug, Default)]
pub(super) struct Feeds(BTreeMap<Box<str>, Feed>);

#[derive(Debug)]
struct Feed {
    breaker: CircuitBreaker,
    is_degraded: bool,
}

impl Feeds {
    /// Whether the outcome of this target's next payload matters: nearly always nothing is watched at all.
    #[inline]
    pub(super) fn is_watching(&self, target: &str) -> bool {
        !self.0.is_empty() && self.0.contains_key(target)
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Whether this payload degrades the feed, or shows that a fresh snapshot has not mended it.
    fn failed(&mut self, now: Instant, target: &str) -> bool {
        let feed = self
            .0
            .entry(target.into())
            .or_insert_with(|| Feed { breaker: CircuitBreaker::new(BreakerConfig::default()), is_degraded: false });
        // While it is open the snapshot has its time.
        let Ok(permit) = feed.breaker.acquire(now) else { return false };
        feed.breaker.failed(now, permit);
        let opened = feed.breaker.state(now) == BreakerState::Open;
        feed.is_degraded |= opened;
        opened
    }

    /// Whether this payload is the first good one of a degraded feed.
    fn succeeded(&mut self, now: Instant, target: &str) -> bool {
        let Some(feed) = self.0.get_mut(target) else { return false };
        if let Ok(permit) = feed.breaker.acquire(now) {
            feed.breaker.succeeded(now, permit);
        }
        let is_back = std::mem::take(&mut feed.is_degraded);
        if feed.breaker.state(now) == BreakerState::Closed {
            self.0.remove(target);
        }
        is_back
    }
}

impl HubConnection {
    /// Nobody could decode an invocation of this target.
    pub(super) fn feed_failed(&mut self, now: Instant, target: &str) {
        if !self.feeds.failed(now, target) {
            return;
        }
        let message = format!("payloads of the target {target} cannot be decoded");
        tracing::warn!(target, "a feed is degraded: its payloads cannot be decoded");
        self.event(Event::FeedDegraded { target: target.into() });
        self.refresh_feeding(now, target, &DisconnectReason::new(Cause::ProtocolViolation, message));
    }

    /// An invocation of this target was decoded.
    pub(super) fn feed_succeeded(&mut self, now: Instant, target: &str) {
        if self.feeds.succeeded(now, target) {
            self.event(Event::FeedRecovered { target: target.into() });
        }
    }
}
