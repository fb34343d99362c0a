//! Joins policy, failure classes, circuit breaker and flap budget into one decision: when the next attempt is made, and why then.

use std::time::Duration;

use super::flap::{Flap, FlapBudget, STABLE_AFTER};
use super::random::SplitMix64;
use super::{BreakerState, CircuitBreaker, FailureClass, Permit, RetryContext, RetryMetrics, RetryPolicy};
use crate::error::DisconnectReason;
use crate::time::Instant;

/// A server's wish is followed up to here.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(300);
/// How much longer than asked for a throttled client waits at most, in percent: so that not all come back at once.
const THROTTLED_SPREAD_PERCENT: u32 = 10;
/// A hub that announced its end is dialled again at random within this time.
const DRAIN_SPREAD: Duration = Duration::from_secs(2);
/// A peer whose certificate is not trusted is asked again so seldom.
const TLS_DELAY: Duration = Duration::from_secs(80);
/// A machine without network is looked after so often.
const LOCAL_DELAY: Duration = Duration::from_secs(5);
/// Attempts in a row at a peer that does not speak the protocol.
const MAX_PROTOCOL_FAILURES: u32 = 3;

/// Why a wait is as long as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WaitReason {
    /// The policy's own delay.
    Policy,
    /// The server asked for it (`Retry-After`).
    RetryAfter,
    /// The circuit breaker is open.
    BreakerOpen,
    /// Too many connections died young.
    Flapping,
    /// The hub announced its end: the clients spread their return.
    Drain,
    /// The peer could not prove who it is. Needs a person.
    Tls,
    /// This machine has no network or no socket.
    Local,
}

impl WaitReason {
    /// The reason as one word in snake case, for logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::RetryAfter => "retry_after",
            Self::BreakerOpen => "breaker_open",
            Self::Flapping => "flapping",
            Self::Drain => "drain",
            Self::Tls => "tls",
            Self::Local => "local",
        }
    }

    /// Whether a person should know: nothing will be heard from the hub for long, or for ever.
    pub fn is_critical(self) -> bool {
        matches!(self, Self::BreakerOpen | Self::Tls)
    }
}

/// When the next attempt is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wait {
    pub(crate) until: Instant,
    pub(crate) why: WaitReason,
    pub(crate) breaker: Option<BreakerState>,
}

/// The retry side of one connection.
#[derive(Debug)]
pub(crate) struct Scheduler {
    policy: RetryPolicy,
    /// The longest wait as the policy was made with.
    own_max_delay: Option<Duration>,
    breaker: Option<CircuitBreaker>,
    permit: Option<Permit>,
    flaps: FlapBudget,
    random: SplitMix64,
    attempt_began: Instant,
    connected_at: Option<Instant>,
    /// Which delay of the policy comes next.
    rung: u32,
    protocol_failures: u32,
    /// When the connection was made that is there now; a resumed one keeps it.
    session_began: Option<Instant>,
    /// When the connection was lost that is missed.
    lost_at: Option<Instant>,
    /// All but what can be read off elsewhere.
    counted: RetryMetrics,
}

impl Scheduler {
    pub(crate) fn new(policy: RetryPolicy, seed: u64) -> Self {
        let mut breaker = policy.breaker.map(CircuitBreaker::new);
        if let (Some(breaker), Some(longest)) = (&mut breaker, policy.max_delay) {
            breaker.set_max_open(Instant::default(), longest);
        }
        Self {
            own_max_delay: policy.max_delay,
            breaker,
            policy,
            permit: None,
            flaps: FlapBudget::new(),
            random: SplitMix64::new(seed),
            attempt_began: Instant::default(),
            connected_at: None,
            rung: 0,
            protocol_failures: 0,
            session_began: None,
            lost_at: None,
            counted: RetryMetrics::default(),
        }
    }

    /// The application asked for it: that is always permitted, and begins anew.
    pub(crate) fn started(&mut self, now: Instant) {
        if let Some(breaker) = &mut self.breaker {
            if let Some(permit) = self.permit.take() {
                breaker.cancelled(now, permit);
            }
            breaker.reset(now);
        }
        self.rung = 0;
        self.protocol_failures = 0;
        self.lost_at = None;
    }

    pub(crate) fn attempt_begins(&mut self, now: Instant) {
        self.counted.attempts += 1;
        self.attempt_began = now;
        self.connected_at = None;
        if self.permit.is_none() {
            self.permit = self.breaker.as_mut().and_then(|breaker| breaker.acquire(now).ok());
        }
    }

    /// The hub accepted the handshake. Gives back when the breaker is to be told that the connection is [stable](Scheduler::stable).
    pub(crate) fn connected(&mut self, now: Instant) -> Option<Instant> {
        self.counted.connected += 1;
        self.connected_at = Some(now);
        self.session_began = Some(now);
        if let Some(lost_at) = self.lost_at {
            self.counted.time_to_reconnected.record(now.saturating_since(lost_at));
        }
        self.protocol_failures = 0;
        self.milestone(now);
        self.permit.as_ref().map(|_| now + STABLE_AFTER)
    }

    /// The hub answered for every subscription.
    pub(crate) fn restored(&mut self, now: Instant) {
        if let Some(lost_at) = self.lost_at.take() {
            self.counted.time_to_ready.record(now.saturating_since(lost_at));
        }
        self.milestone(now);
    }

    /// The connection lived for 10 s: only now is a closed breaker told of a success.
    pub(crate) fn stable(&mut self, now: Instant) {
        let (Some(breaker), true) = (&mut self.breaker, self.permit.is_some()) else { return };
        if breaker.state(now) == BreakerState::HalfOpen {
            return self.milestone(now);
        }
        if let Some(permit) = self.permit.take() {
            breaker.succeeded(now, permit);
        }
    }

    /// A probing connection reports three successes: accepted, restored, alive after 10 s.
    fn milestone(&mut self, now: Instant) {
        let Some(breaker) = &mut self.breaker else { return };
        if breaker.state(now) != BreakerState::HalfOpen {
            return;
        }
        if let Some(permit) = self.permit.take() {
            breaker.succeeded(now, permit);
            if breaker.state(now) == BreakerState::HalfOpen {
                self.permit = breaker.acquire(now).ok();
            }
        }
    }

    /// A live connection is gone. `None`: no further attempt.
    pub(crate) fn lost(&mut self, now: Instant, reason: &DisconnectReason) -> Option<Wait> {
        let connected_at = self.connected_at.take().unwrap_or(now);
        self.session_ended(now);
        self.lost_at = Some(now);
        let is_probe = self.breaker.as_mut().is_some_and(|breaker| breaker.state(now) == BreakerState::HalfOpen);
        let flap = self.flaps.lost(now, connected_at, !is_probe);
        if flap != Flap::No {
            self.counted.flaps += 1;
        }
        if !reason.may_retry() {
            self.give_back(now, Outcome::Cancelled);
            self.isolate(now, reason.class());
            return None;
        }
        let class = reason.class();
        self.give_back(
            now,
            match (flap, class) {
                (Flap::Unpaid(_), _) => Outcome::Failed,
                (_, FailureClass::Oversize) if self.is_classed() => Outcome::Failed,
                _ => Outcome::Cancelled,
            },
        );
        let first = u32::from(self.is_classed() && matches!(class, FailureClass::Drain | FailureClass::Oversize));
        // Without a token the ladder goes on where it was, and it does not end with a flap.
        self.rung = match flap {
            Flap::Unpaid(_) if self.is_classed() => self.rung.max(first),
            _ => first,
        };
        let mut wait = match class {
            FailureClass::Drain if self.is_classed() => {
                Some((self.random.duration_below(DRAIN_SPREAD), WaitReason::Drain))
            }
            _ => self.policy_delay(reason, Duration::ZERO).map(|delay| (delay, WaitReason::Policy)),
        };
        if let Flap::Unpaid(least) = flap {
            let is_no_shorter = wait.is_none_or(|(delay, _)| delay <= least);
            // A policy that never tries again is not made to; a ladder that is used up does not end with a flap.
            if is_no_shorter && (wait.is_some() || self.is_classed()) {
                wait = Some((least, WaitReason::Flapping));
            }
        }
        let (delay, why) = wait?;
        self.settle(now, now + delay, why, reason)
    }

    /// The transport of a connection that may be resumed is gone. Gives back how long the first dial must wait, if it is one of many.
    pub(crate) fn interrupted(&mut self, now: Instant) -> Duration {
        let connected_at = self.connected_at.unwrap_or(now);
        let flap = self.flaps.lost(now, connected_at, true);
        if flap != Flap::No {
            self.counted.flaps += 1;
        }
        match flap {
            Flap::Unpaid(wait) => wait,
            Flap::No | Flap::Paid => Duration::ZERO,
        }
    }

    /// The connection goes on over a new transport.
    pub(crate) fn resumed(&mut self, now: Instant) {
        self.connected_at = Some(now);
    }

    /// The delay before a dial to resume, `dials` of which were made. The policy's ladder is asked, and not used up; one that never tries
    /// again tries to resume once, as Microsoft's clients do.
    pub(crate) fn resume_delay(&mut self, dials: u32, reason: &DisconnectReason) -> Option<Duration> {
        let context = RetryContext { previous_retry_count: dials, elapsed: Duration::ZERO, reason };
        let delay = self.policy.next_delay(&context);
        if dials == 0 { Some(delay.unwrap_or_default()) } else { delay }
    }

    /// An attempt failed; `elapsed` is the outage's age. `None`: no further attempt.
    pub(crate) fn failed(&mut self, now: Instant, reason: &DisconnectReason, elapsed: Duration) -> Option<Wait> {
        self.counted.connect_attempts.add(reason.class(), 1);
        if !reason.may_retry() {
            self.give_back(now, Outcome::Cancelled);
            self.isolate(now, reason.class());
            return None;
        }
        let class = reason.class();
        let is_classed = self.is_classed();
        if class == FailureClass::Protocol {
            self.protocol_failures += 1;
        } else {
            self.protocol_failures = 0;
        }
        let is_in_burst = self.policy.burst > 1 && self.rung < self.policy.burst;
        self.give_back(
            now,
            match class {
                FailureClass::Tls => Outcome::Tripped,
                FailureClass::Local => Outcome::Cancelled,
                _ if is_in_burst => Outcome::Cancelled,
                _ => Outcome::Failed,
            },
        );
        if is_classed && self.protocol_failures >= MAX_PROTOCOL_FAILURES {
            return None;
        }
        let Some(delay) = self.policy_delay(reason, elapsed) else {
            self.counted.exhausted += 1;
            return None;
        };
        let (until, why) = match class {
            FailureClass::Tls if is_classed => (now + TLS_DELAY, WaitReason::Tls),
            FailureClass::Local if is_classed => (now + LOCAL_DELAY, WaitReason::Local),
            // The wait was paid for while nothing answered.
            FailureClass::Timeout if is_classed => ((self.attempt_began + delay).max(now), WaitReason::Policy),
            _ => (now + delay, WaitReason::Policy),
        };
        self.settle(now, until, why, reason)
    }

    /// The application gave up: what was permitted has no outcome.
    pub(crate) fn stopped(&mut self, now: Instant) {
        self.give_back(now, Outcome::Cancelled);
        self.connected_at = None;
        self.session_ended(now);
        self.lost_at = None;
    }

    /// A wait is told.
    pub(crate) fn waits(&mut self, delay: Duration) {
        self.counted.reconnect_delay.record(delay);
    }

    /// Whether a hint that the network is back may cut this wait short: an open breaker is obeyed unless the failure was this machine's.
    pub(crate) fn obeys_hint(&mut self, now: Instant, class: FailureClass) -> bool {
        let is_open = self.breaker.as_mut().is_some_and(|breaker| breaker.state(now) == BreakerState::Open);
        !is_open || class == FailureClass::Local
    }

    /// The longest wait from now on; `None`: the policy's own.
    pub(crate) fn set_max_delay(&mut self, now: Instant, longest: Option<Duration>) {
        let longest = longest.or(self.own_max_delay);
        self.policy.max_delay = longest;
        if let (Some(breaker), Some(config)) = (&mut self.breaker, self.policy.breaker) {
            breaker.set_max_open(now, longest.map_or(config.max_open, |longest| longest.min(config.max_open)));
        }
    }

    /// What was counted, up to `now`. What concerns subscriptions is for the ledger to say.
    pub(crate) fn metrics(&mut self, now: Instant) -> RetryMetrics {
        RetryMetrics {
            breaker_state: self.breaker.as_mut().map(|breaker| breaker.state(now)),
            breaker: self.breaker.as_ref().map(CircuitBreaker::metrics).unwrap_or_default(),
            consecutive_failures: self.breaker.as_ref().map_or(0, CircuitBreaker::consecutive_failures),
            flap_tokens: self.flaps.tokens(now),
            ..self.counted
        }
    }

    fn session_ended(&mut self, now: Instant) {
        if let Some(began) = self.session_began.take() {
            self.counted.session_lifetime.record(now.saturating_since(began));
        }
    }

    fn is_classed(&self) -> bool {
        self.breaker.is_some()
    }

    /// The policy's delay for the rung it is on; the next question is about the next rung.
    fn policy_delay(&mut self, reason: &DisconnectReason, elapsed: Duration) -> Option<Duration> {
        let context = RetryContext { previous_retry_count: self.rung, elapsed, reason };
        let delay = self.policy.next_delay(&context);
        self.rung = self.rung.saturating_add(1);
        delay
    }

    /// What the server and the breaker have to say about it.
    fn settle(&mut self, now: Instant, until: Instant, why: WaitReason, reason: &DisconnectReason) -> Option<Wait> {
        let mut wait = Wait { until, why, breaker: None };
        if let Some(asked) = reason.retry_after() {
            let asked = asked.min(MAX_RETRY_AFTER);
            let spread = if self.is_classed() && reason.class() == FailureClass::Throttled {
                self.random.percent_below(asked, THROTTLED_SPREAD_PERCENT)
            } else {
                Duration::ZERO
            };
            wait.lengthen(now + asked + spread, WaitReason::RetryAfter);
        }
        if let Some(breaker) = &mut self.breaker {
            let state = breaker.state(now);
            wait.breaker = Some(state);
            if state == BreakerState::Open {
                wait.lengthen(now + breaker.retry_after(now).unwrap_or_default(), WaitReason::BreakerOpen);
            }
        }
        Some(wait)
    }

    fn isolate(&mut self, now: Instant, class: FailureClass) {
        if let (Some(breaker), FailureClass::Auth | FailureClass::Forbidden) = (&mut self.breaker, class) {
            breaker.isolate(now);
        }
    }

    fn give_back(&mut self, now: Instant, outcome: Outcome) {
        let (Some(breaker), Some(permit)) = (&mut self.breaker, self.permit.take()) else { return };
        match outcome {
            Outcome::Failed => breaker.failed(now, permit),
            Outcome::Tripped => breaker.trip(now, permit),
            // A probe that comes to nothing has failed.
            Outcome::Cancelled if breaker.state(now) == BreakerState::HalfOpen => breaker.failed(now, permit),
            Outcome::Cancelled => breaker.cancelled(now, permit),
        }
    }
}

impl Wait {
    /// Of two that ask for the same, the later one names it.
    fn lengthen(&mut self, until: Instant, why: WaitReason) {
        if until >= self.until {
            self.until = until;
            self.why = why;
        }
    }
}

enum Outcome {
    Failed,
    Tripped,
    Cancelled,
}
