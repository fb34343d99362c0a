//! What is counted about reconnecting: plain data, copied out when somebody asks.
//!
//! Nothing here allocates or is shared; each count costs one addition where it happens. The names in brackets are what a metrics system
//! would call them.

use std::time::Duration;

use super::{BreakerState, FailureClass};

/// What was counted about reconnecting, up to the moment it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct RetryMetrics {
    /// The breaker's state; `None` for a policy without one (`signalr_breaker_state`).
    pub breaker_state: Option<BreakerState>,
    /// The breaker's counters.
    pub breaker: BreakerMetrics,
    /// Failures in a row that the breaker has counted (`signalr_breaker_consecutive_failures`).
    pub consecutive_failures: u32,
    /// Attempts to connect, the first of each start included. They end in `connected`, in `connect_attempts`, or were given up.
    pub attempts: u64,
    /// Attempts that led to a connection.
    pub connected: u64,
    /// Attempts that failed, by the class of the failure (`signalr_connect_attempts_total`).
    pub connect_attempts: ByClass,
    /// Outages that ended because the policy had no more delays (`signalr_reconnect_exhausted_total`).
    pub exhausted: u64,
    /// Connections, and with stateful reconnect transports, that died within 10 s.
    pub flaps: u64,
    /// Early deaths that would be answered at once now (`signalr_flap_tokens`).
    pub flap_tokens: u32,
    /// The waits before an attempt, as they were told (`signalr_reconnect_delay_seconds`). A hint may have cut one short.
    pub reconnect_delay: Durations,
    /// From a loss until the link could be used again (`signalr_time_to_reconnected_seconds`).
    pub time_to_reconnected: Durations,
    /// From a loss until every subscription was answered for, too (`signalr_time_to_ready_seconds`).
    pub time_to_ready: Durations,
    /// How long connections lived that are over (`signalr_session_lifetime_seconds`). One that was resumed is still the same.
    pub session_lifetime: Durations,
    /// The durable subscriptions now (`signalr_subscriptions`).
    pub subscriptions: SubscriptionCounts,
    /// Subscriptions with an open gap now (`signalr_gaps_open`).
    pub gaps_open: usize,
    /// Gaps that were opened, one for each subscription, by the class of what opened them (`signalr_gap_total`). A stop is a refusal.
    pub gap_total: ByClass,
    /// How long gaps were open that the hub's agreement closed (`signalr_gap_seconds`).
    pub gap_seconds: Durations,
}

/// What a breaker has counted. `permits` is always the sum of the outcomes and of the permits still out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct BreakerMetrics {
    /// Permits given out (`signalr_breaker_calls_total`, with the four outcomes that follow).
    pub permits: u64,
    /// Successes that counted.
    pub succeeded: u64,
    /// Failures that counted, probes that ran out of time among them.
    pub failed: u64,
    /// Outcomes that came after their state was over.
    pub ignored: u64,
    /// Permits given back without an outcome.
    pub cancelled: u64,
    /// Requests that were refused (`signalr_breaker_not_permitted_total`).
    pub not_permitted: u64,
    /// Changes of state (`signalr_breaker_transitions_total`).
    pub transitions: Transitions,
    /// How often it opened.
    pub opened: u64,
    /// Successes of the half-open state it is in; 0 in any other (`signalr_breaker_half_open_successes`).
    pub half_open_successes: u32,
    /// Time spent open, isolation included (`signalr_breaker_open_seconds_total`).
    pub open_for: Duration,
    /// For how long it has been open or isolated now; zero when it is neither (`signalr_breaker_current_open_seconds`).
    pub current_open: Duration,
    /// Time spent in all states.
    pub observed_for: Duration,
}

/// Durations that were measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Durations {
    /// How many.
    pub count: u64,
    /// All of them together; with `count` the mean.
    pub sum: Duration,
    /// The last one.
    pub last: Duration,
    /// The longest one.
    pub longest: Duration,
}

impl Durations {
    pub(crate) fn record(&mut self, duration: Duration) {
        self.count += 1;
        self.sum = self.sum.saturating_add(duration);
        self.last = duration;
        self.longest = self.longest.max(duration);
    }
}

/// A count for each class of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ByClass([u64; FailureClass::ALL.len()]);

impl ByClass {
    /// The count of one class.
    pub fn of(&self, class: FailureClass) -> u64 {
        self.iter().find_map(|(of, count)| (of == class).then_some(count)).unwrap_or_default()
    }

    /// All of them together.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Every class with its count, zeros included.
    pub fn iter(&self) -> impl Iterator<Item = (FailureClass, u64)> + '_ {
        FailureClass::ALL.into_iter().zip(self.0)
    }

    pub(crate) fn add(&mut self, class: FailureClass, count: u64) {
        for (of, slot) in FailureClass::ALL.into_iter().zip(&mut self.0) {
            if of == class {
                *slot += count;
            }
        }
    }
}

/// A circuit breaker's changes of state, by where from and where to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Transitions([[u64; BreakerState::ALL.len()]; BreakerState::ALL.len()]);

impl Transitions {
    /// How often it went from one state to another.
    pub fn of(&self, from: BreakerState, to: BreakerState) -> u64 {
        self.iter()
            .find_map(|(left, entered, count)| ((left, entered) == (from, to)).then_some(count))
            .unwrap_or_default()
    }

    /// All of them together.
    pub fn total(&self) -> u64 {
        self.0.iter().flatten().sum()
    }

    /// Every pair of states, from and to, with its count, zeros included.
    pub fn iter(&self) -> impl Iterator<Item = (BreakerState, BreakerState, u64)> + '_ {
        BreakerState::ALL
            .into_iter()
            .zip(self.0)
            .flat_map(|(from, row)| BreakerState::ALL.into_iter().zip(row).map(move |(to, count)| (from, to, count)))
    }

    pub(crate) fn add(&mut self, from: BreakerState, to: BreakerState) {
        let row = BreakerState::ALL.into_iter().zip(&mut self.0).find(|(state, _)| *state == from);
        let Some((_, row)) = row else { return };
        if let Some((_, count)) = BreakerState::ALL.into_iter().zip(row).find(|(state, _)| *state == to) {
            *count += 1;
        }
    }
}

/// The durable subscriptions, by what the hub made of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct SubscriptionCounts {
    /// Wanted by somebody. Away from `acked` for long, somebody hears nothing.
    pub intended: usize,
    /// Of those, the hub has agreed to on this connection.
    pub acked: usize,
    /// Of those, the hub refused, or did not answer in time.
    pub failed: usize,
}
