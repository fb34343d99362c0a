//! A circuit breaker: after so many failures in a row nothing is tried for a while, then one probe decides.

use std::time::Duration;

use super::BreakerMetrics;
use crate::time::Instant;

/// The numbers of a [`CircuitBreaker`].
///
/// Default: opens after 5 failures in a row, for 10, 20, 40, then 80 s; one probe gets 35 s; 3 successes close it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerConfig {
    pub(crate) threshold: u32,
    pub(crate) open: Duration,
    pub(crate) max_open: Duration,
    pub(crate) probe_deadline: Duration,
    pub(crate) successes_to_close: u32,
}

impl Default for BreakerConfig {
    fn default() -> Self {
        Self {
            threshold: 5,
            open: Duration::from_secs(10),
            max_open: Duration::from_secs(80),
            probe_deadline: Duration::from_secs(35),
            successes_to_close: 3,
        }
    }
}

impl BreakerConfig {
    /// How many failures in a row open it. Default 5; 0 counts as 1.
    #[must_use]
    pub fn threshold(self, failures: u32) -> Self {
        Self { threshold: failures.max(1), ..self }
    }

    /// How long it stays open the first time; each failed probe doubles it, up to `longest`. Default 10 s and 80 s.
    #[must_use]
    pub fn open_for(self, first: Duration, longest: Duration) -> Self {
        Self { open: first, max_open: longest.max(first), ..self }
    }

    /// How long a probe may take before it counts as failed. Default 35 s: the sum of the deadlines to connect (10 s), to shake hands
    /// (15 s) and to subscribe again (10 s).
    #[must_use]
    pub fn probe_deadline(self, deadline: Duration) -> Self {
        Self { probe_deadline: deadline, ..self }
    }

    /// How many successes close it again. Default 3; 0 counts as 1.
    #[must_use]
    pub fn successes_to_close(self, successes: u32) -> Self {
        Self { successes_to_close: successes.max(1), ..self }
    }
}

/// The state of a [`CircuitBreaker`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BreakerState {
    /// Everything is permitted.
    Closed,
    /// Nothing is permitted until its time is over.
    Open,
    /// One probe is permitted at a time.
    HalfOpen,
    /// Nothing is permitted until [`CircuitBreaker::reset`].
    Isolated,
}

impl BreakerState {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Closed, Self::Open, Self::HalfOpen, Self::Isolated];

    /// The state as one word in snake case, for logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
            Self::Isolated => "isolated",
        }
    }
}

/// The right to try once. It must be given back with exactly one outcome: [`CircuitBreaker::succeeded`], [`CircuitBreaker::failed`] or
/// [`CircuitBreaker::cancelled`].
///
/// It remembers the state it was issued in: an outcome that comes when that state is over is counted as ignored and changes nothing.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a permit that is not given back blocks a half-open breaker until the probe's deadline"]
pub struct Permit {
    epoch: u64,
}

/// Why nothing may be tried now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the circuit breaker permits nothing now")]
pub struct NotPermitted {
    /// The state it is in.
    pub state: BreakerState,
    /// The time until asking again can help; `None` while isolated.
    pub retry_after: Option<Duration>,
}

/// A circuit breaker without a clock: time is an argument, and an instant that went back counts as the last one seen.
///
/// | state | entered | permits | left |
/// |---|---|---|---|
/// | closed | at the start; after 3 successes half-open | all | 5 failures in a row: open |
/// | open | by failures in a row, or a failed probe | none | its time is over: half-open. 10 s, doubled with each failed probe, at most 80 s |
/// | half-open | by time | one at a time | a failure, or a probe over its deadline: open; 3 successes: closed |
/// | isolated | [`CircuitBreaker::isolate`] | none | [`CircuitBreaker::reset`]: closed |
#[derive(Debug, Clone)]
pub struct CircuitBreaker {
    config: BreakerConfig,
    phase: Phase,
    /// Grows with every change of state.
    epoch: u64,
    consecutive_failures: u32,
    /// How often it opened since it was last closed, less one: the power of two of the open time.
    escalation: u32,
    now: Instant,
    entered_at: Instant,
    metrics: BreakerMetrics,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Closed,
    Open { until: Instant },
    HalfOpen { successes: u32, probe_until: Option<Instant> },
    Isolated,
}

impl Phase {
    fn state(self) -> BreakerState {
        match self {
            Self::Closed => BreakerState::Closed,
            Self::Open { .. } => BreakerState::Open,
            Self::HalfOpen { .. } => BreakerState::HalfOpen,
            Self::Isolated => BreakerState::Isolated,
        }
    }
}

impl CircuitBreaker {
    /// A closed breaker.
    pub fn new(config: BreakerConfig) -> Self {
        Self {
            config,
            phase: Phase::Closed,
            epoch: 0,
            consecutive_failures: 0,
            escalation: 0,
            now: Instant::default(),
            entered_at: Instant::default(),
            metrics: BreakerMetrics::default(),
        }
    }

    /// The state at `now`.
    pub fn state(&mut self, now: Instant) -> BreakerState {
        self.advance(now);
        self.phase.state()
    }

    /// Asks for the right to try.
    pub fn acquire(&mut self, now: Instant) -> Result<Permit, NotPermitted> {
        self.advance(now);
        let probe_until = self.now + self.config.probe_deadline;
        match &mut self.phase {
            Phase::Closed => {}
            Phase::HalfOpen { probe_until: slot @ None, .. } => *slot = Some(probe_until),
            _ => {
                self.metrics.not_permitted += 1;
                return Err(NotPermitted { state: self.state(now), retry_after: self.retry_after(now) });
            }
        }
        self.metrics.permits += 1;
        Ok(Permit { epoch: self.epoch })
    }

    /// The time until asking again can help: zero when a permit can be had now, `None` while isolated.
    pub fn retry_after(&mut self, now: Instant) -> Option<Duration> {
        self.advance(now);
        match self.phase {
            Phase::Closed | Phase::HalfOpen { probe_until: None, .. } => Some(Duration::ZERO),
            Phase::Open { until } | Phase::HalfOpen { probe_until: Some(until), .. } => {
                Some(until.saturating_since(self.now))
            }
            Phase::Isolated => None,
        }
    }

    /// What was permitted went well.
    pub fn succeeded(&mut self, now: Instant, permit: Permit) {
        self.advance(now);
        if !self.is_current(&permit) {
            return;
        }
        self.metrics.succeeded += 1;
        self.consecutive_failures = 0;
        let Phase::HalfOpen { successes, probe_until } = &mut self.phase else { return };
        *probe_until = None;
        *successes += 1;
        if *successes >= self.config.successes_to_close {
            self.escalation = 0;
            self.enter(Phase::Closed);
        }
    }

    /// What was permitted failed.
    pub fn failed(&mut self, now: Instant, permit: Permit) {
        self.advance(now);
        if self.is_current(&permit) {
            self.count_failure();
        }
    }

    /// What was permitted was given up: neither a success nor a failure.
    pub fn cancelled(&mut self, now: Instant, permit: Permit) {
        self.advance(now);
        if !self.is_current(&permit) {
            return;
        }
        self.metrics.cancelled += 1;
        if let Phase::HalfOpen { probe_until, .. } = &mut self.phase {
            *probe_until = None;
        }
    }

    /// Opens at once, whatever was counted so far: for a failure that repeating cannot mend.
    pub fn trip(&mut self, now: Instant, permit: Permit) {
        self.advance(now);
        if self.is_current(&permit) {
            self.metrics.failed += 1;
            self.open();
        }
    }

    /// Permits nothing until [`CircuitBreaker::reset`].
    pub fn isolate(&mut self, now: Instant) {
        self.advance(now);
        if self.phase != Phase::Isolated {
            self.enter(Phase::Isolated);
        }
    }

    /// Closes at once and forgets all failures; the metrics stay.
    pub fn reset(&mut self, now: Instant) {
        self.advance(now);
        self.consecutive_failures = 0;
        self.escalation = 0;
        if self.phase != Phase::Closed {
            self.enter(Phase::Closed);
        }
    }

    /// The longest open time from now on; one that runs is shortened to it, never lengthened.
    pub fn set_max_open(&mut self, now: Instant, longest: Duration) {
        self.advance(now);
        self.config.max_open = longest;
        if let Phase::Open { until } = &mut self.phase {
            *until = (*until).min(self.now + longest);
        }
    }

    /// Failures in a row that were counted since the last success.
    pub fn consecutive_failures(&self) -> u32 {
        self.consecutive_failures
    }

    /// What was counted up to the last time it was asked.
    pub fn metrics(&self) -> BreakerMetrics {
        let half_open_successes = match self.phase {
            Phase::HalfOpen { successes, .. } => successes,
            _ => 0,
        };
        let current_open = match self.phase {
            Phase::Open { .. } | Phase::Isolated => self.now.saturating_since(self.entered_at),
            _ => Duration::ZERO,
        };
        BreakerMetrics { half_open_successes, current_open, ..self.metrics }
    }

    fn is_current(&mut self, permit: &Permit) -> bool {
        let is_current = permit.epoch == self.epoch;
        if !is_current {
            self.metrics.ignored += 1;
        }
        is_current
    }

    fn count_failure(&mut self) {
        self.metrics.failed += 1;
        self.consecutive_failures = self.consecutive_failures.saturating_add(1);
        match self.phase {
            Phase::Closed if self.consecutive_failures < self.config.threshold => {}
            Phase::Closed | Phase::HalfOpen { .. } => self.open(),
            Phase::Open { .. } | Phase::Isolated => {}
        }
    }

    fn open(&mut self) {
        let factor = 1_u32.checked_shl(self.escalation).unwrap_or(u32::MAX);
        let time = self.config.open.saturating_mul(factor).min(self.config.max_open);
        self.escalation = self.escalation.saturating_add(1).min(31);
        self.metrics.opened += 1;
        self.enter(Phase::Open { until: self.now + time });
    }

    fn enter(&mut self, phase: Phase) {
        self.metrics.transitions.add(self.phase.state(), phase.state());
        self.phase = phase;
        self.entered_at = self.now;
        self.epoch += 1;
    }

    /// Lets time pass: what became due happens at its own instant, however late it is asked.
    fn advance(&mut self, now: Instant) {
        let now = self.now.max(now);
        loop {
            match self.phase {
                Phase::Open { until } if until <= now => {
                    self.pass_to(until);
                    self.enter(Phase::HalfOpen { successes: 0, probe_until: None });
                }
                Phase::HalfOpen { probe_until: Some(until), .. } if until <= now => {
                    self.pass_to(until);
                    // The probe's permit is of an epoch that ends here: what it brings later is ignored, and counts only once.
                    self.count_stuck_probe();
                }
                _ => break,
            }
        }
        self.pass_to(now);
    }

    fn count_stuck_probe(&mut self) {
        // Its outcome is still to come and will be counted then as ignored.
        self.consecutive_failures = self.consecutive_failures.saturating_add(1);
        self.open();
    }

    fn pass_to(&mut self, to: Instant) {
        let passed = to.saturating_since(self.now);
        self.metrics.observed_for += passed;
        if matches!(self.phase, Phase::Open { .. } | Phase::Isolated) {
            self.metrics.open_for += passed;
        }
        self.now = self.now.max(to);
    }
}
