//! The flap budget: a hub that accepts and then drops is not dialled again and again.

use std::time::Duration;

use crate::time::Instant;

/// Losses in short succession that are answered at once.
const TOKENS: u32 = 5;
/// A token comes back after so long.
const REFILL: Duration = Duration::from_secs(30);
/// A connection that lived for so long is no flap.
pub(crate) const STABLE_AFTER: Duration = Duration::from_secs(10);
/// The least waits of those that come after the tokens are spent. The last one repeats.
const WAITS: [Duration; 8] = {
    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }
    [s(2), s(5), s(10), s(10), s(10), s(20), s(40), s(80)]
};

/// After so many waits in a row tokens do not help any more: only a connection that lives does.
const PATIENCE: usize = 5;

/// Counts connections that did not live for 10 s. Five of them cost nothing, and a token comes back every 30 s; without a token each costs
/// a longer wait: at most 12 dials in the first minute, and 15 in the nine after it.
#[derive(Debug, Clone)]
pub(crate) struct FlapBudget {
    tokens: u32,
    refilled_at: Instant,
    /// Flaps without a token since the last stable connection.
    unpaid: usize,
}

/// What a loss costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flap {
    /// The connection had been stable.
    No,
    /// A token paid for it.
    Paid,
    /// There was none: at least so long is to be waited.
    Unpaid(Duration),
}

impl FlapBudget {
    pub(crate) fn new() -> Self {
        Self { tokens: TOKENS, refilled_at: Instant::default(), unpaid: 0 }
    }

    /// A connection that was made at `connected_at` is lost.
    pub(crate) fn lost(&mut self, now: Instant, connected_at: Instant, may_pay: bool) -> Flap {
        self.refill(now);
        if now.saturating_since(connected_at) >= STABLE_AFTER {
            self.unpaid = 0;
            return Flap::No;
        }
        if may_pay && self.tokens > 0 && self.unpaid < PATIENCE {
            if self.tokens == TOKENS {
                self.refilled_at = now;
            }
            self.tokens -= 1;
            return Flap::Paid;
        }
        let last = WAITS.len() - 1;
        let wait = WAITS[self.unpaid.min(last)];
        self.unpaid = self.unpaid.saturating_add(1);
        Flap::Unpaid(wait)
    }

    /// Losses that would be answered at once.
    pub(crate) fn tokens(&mut self, now: Instant) -> u32 {
        self.refill(now);
        self.tokens
    }

    fn refill(&mut self, now: Instant) {
        while self.tokens < TOKENS && now.saturating_since(self.refilled_at) >= REFILL {
            self.tokens += 1;
            self.refilled_at = self.refilled_at + REFILL;
        }
    }
}
