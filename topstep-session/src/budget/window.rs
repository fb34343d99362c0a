//! A rolling window of calls.

use std::collections::VecDeque;
use std::time::Duration;

use signalr_proto::time::Instant;

/// The calls of the last so long.
#[derive(Debug)]
pub(super) struct Window {
    calls: VecDeque<Instant>,
    most: usize,
    length: Duration,
}

impl Window {
    pub(super) fn new((most, length): (u32, Duration)) -> Self {
        Self { calls: VecDeque::new(), most: most.max(1) as usize, length }
    }

    /// How many calls a share of the limit allows, in percent; never none.
    fn allowed(&self, share: u32) -> usize {
        (self.most.saturating_mul(share as usize) / 100).max(1)
    }

    /// When a call that may use so much of the limit can be made; `now` where it can be made at once.
    pub(super) fn free_at(&mut self, now: Instant, share: u32) -> Instant {
        self.forget(now);
        let allowed = self.allowed(share);
        let Some(over) = self.calls.len().checked_sub(allowed) else { return now };
        self.calls.get(over).map_or(now, |call| *call + self.length)
    }

    pub(super) fn count(&mut self, now: Instant) {
        self.forget(now);
        // Calls that must be made are counted beyond the limit, too; what such a call is worth is bounded as well.
        if self.calls.len() < self.most.saturating_mul(2) {
            self.calls.push_back(now.max(self.calls.back().copied().unwrap_or(now)));
        }
    }

    /// Takes a call back that was counted and never made.
    pub(super) fn uncount(&mut self, at: Instant) {
        if let Ok(index) = self.calls.binary_search(&at) {
            self.calls.remove(index);
        }
    }

    pub(super) fn used(&mut self, now: Instant) -> usize {
        self.forget(now);
        self.calls.len()
    }

    fn forget(&mut self, now: Instant) {
        while self.calls.front().is_some_and(|call| *call + self.length <= now) {
            self.calls.pop_front();
        }
    }
}
