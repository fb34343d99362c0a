//! When to try again: a policy is data and a seed; failure classes, a circuit breaker and a flap budget stand over it; the machine keeps
//! the time.
//!
//! | policy | delays | then | failure classes, circuit breaker |
//! |---|---|---|---|
//! | [`RetryPolicy::signalr`] | 0, 2, 5, 10 s | stop | yes |
//! | [`RetryPolicy::microsoft`] | 0, 2, 10, 30 s | stop | no |
//! | [`RetryPolicy::exponential`] | 100, 200, 400, 800, 1,600 ms | stop | yes |
//! | [`RetryPolicy::trading`] | a burst at 0, 0.1, 0.3, 0.7, 1.5 s, then 2, 5, 10 s | every 10 s, then as the breaker says: for ever | yes |
//! | [`RetryPolicy::delays`], [`RetryPolicy::custom`] | yours | stop | no |
//!
//! The flap budget holds for all of them: a connection that did not live for 10 s is a flap; five are free, one more every 30 s, and each
//! further one costs a wait of 2, 5, 10, 10, 10, 20, 40, then 80 s. It only makes a wait longer and never ends a connection.

mod breaker;
mod class;
mod exponential;
mod flap;
mod metrics;
mod random;
pub(crate) mod scheduler;

use std::fmt;
use std::time::Duration;

pub use breaker::{BreakerConfig, BreakerState, CircuitBreaker, NotPermitted, Permit};
pub use class::FailureClass;
pub use exponential::Exponential;
pub use metrics::{BreakerMetrics, ByClass, Durations, RetryMetrics, SubscriptionCounts, Transitions};
pub use scheduler::WaitReason;

use crate::error::{ConfigError, DisconnectReason};

/// What a policy is asked with, before each attempt to reconnect.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryContext<'a> {
    /// Attempts of this outage that failed. 0 before the first.
    pub previous_retry_count: u32,
    /// Time since the connection was lost. Zero before the first attempt.
    pub elapsed: Duration,
    /// Why the connection was lost, or why the last attempt failed.
    pub reason: &'a DisconnectReason,
}

/// Decides whether there is another attempt, and after which delay. The counters start anew with each outage.
///
/// Default: [`RetryPolicy::never`], as Microsoft's clients do without `withAutomaticReconnect`.
pub struct RetryPolicy {
    kind: Kind,
    /// Goes on after the last delay.
    is_guarded: bool,
    /// Attempts at the beginning of an outage that count as one failure.
    burst: u32,
    max_delay: Option<Duration>,
    /// Failure classes decide and a breaker stands over the delays; `None` for policies that mean exactly what they say.
    breaker: Option<BreakerConfig>,
    allow_breaker_in_ladder: bool,
}

type Custom = Box<dyn FnMut(&RetryContext<'_>) -> Option<Duration> + Send>;

enum Kind {
    Delays(Vec<Duration>),
    Exponential(Exponential),
    Custom(Custom),
}

impl RetryPolicy {
    /// Never tries again.
    pub fn never() -> Self {
        Self::delays([])
    }

    /// One attempt after each of these delays, then none: exactly these, whatever the failure.
    pub fn delays(delays: impl IntoIterator<Item = Duration>) -> Self {
        Self::plain(Kind::Delays(delays.into_iter().collect()))
    }

    /// What `withAutomaticReconnect()` does in Microsoft's clients: after 0, 2, 10 and 30 seconds, then no more.
    pub fn microsoft() -> Self {
        Self::delays([0, 2, 10, 30].map(Duration::from_secs))
    }

    /// After 0, 2, 5 and 10 seconds, then no more; failure classes and a circuit breaker decide with it.
    pub fn signalr() -> Self {
        Self::classed(Kind::Delays([0, 2, 5, 10].map(Duration::from_secs).to_vec()))
    }

    /// Delays that grow by a factor, with jitter from a seed: see [`Exponential`]. Failure classes and a circuit breaker decide with it.
    pub fn exponential(exponential: Exponential) -> Self {
        Self::classed(Kind::Exponential(exponential))
    }

    /// For those who have money at stake: five attempts within 1.5 s, then after 2, 5 and 10 s, then for ever, every 10 s until the breaker
    /// opens and as the breaker says from then on. Failure classes decide; the burst counts as one failure.
    ///
    /// While a position or an order is open, a shorter longest wait is worth its dials:
    /// [`Command::SetMaxDelay`](crate::Command::SetMaxDelay) sets it at any time.
    pub fn trading() -> Self {
        let delays = [0, 100, 200, 400, 800, 2_000, 5_000, 10_000].map(Duration::from_millis).to_vec();
        Self { is_guarded: true, burst: 5, ..Self::classed(Kind::Delays(delays)) }
    }

    /// Your own rule: the delay before the next attempt, or `None` to give up.
    pub fn custom(rule: impl FnMut(&RetryContext<'_>) -> Option<Duration> + Send + 'static) -> Self {
        Self::plain(Kind::Custom(Box::new(rule)))
    }

    /// Goes on for ever after the last delay, which repeats. With a circuit breaker that soon means: as the breaker says.
    #[must_use]
    pub fn guarded(self) -> Self {
        Self { is_guarded: true, ..self }
    }

    /// The longest wait, the breaker's included. A server's `Retry-After`, an untrusted certificate and the flap budget may take longer.
    #[must_use]
    pub fn max_delay(self, longest: Duration) -> Self {
        Self { max_delay: Some(longest), ..self }
    }

    /// Lets failure classes and a circuit breaker with these numbers decide with the policy.
    ///
    /// A breaker that opens before the ladder of [`RetryPolicy::signalr`] ends would change its delays: such a threshold is a
    /// [`ConfigError`] unless [allowed](RetryPolicy::allow_breaker_in_ladder).
    #[must_use]
    pub fn breaker(self, config: BreakerConfig) -> Self {
        Self { breaker: Some(config), ..self }
    }

    /// Allows a breaker that opens before the delays are used up.
    #[must_use]
    pub fn allow_breaker_in_ladder(self) -> Self {
        Self { allow_breaker_in_ladder: true, ..self }
    }

    /// The delay before the next attempt, or `None` when there is to be none. Classes, breaker and flap budget are not asked here.
    pub fn next_delay(&mut self, context: &RetryContext<'_>) -> Option<Duration> {
        let count = context.previous_retry_count;
        let delay = match &mut self.kind {
            Kind::Delays(delays) => {
                let last = delays.last().copied().filter(|_| self.is_guarded);
                usize::try_from(count).ok().and_then(|count| delays.get(count).copied()).or(last)
            }
            Kind::Exponential(exponential) => exponential.next_delay(count, self.is_guarded),
            Kind::Custom(rule) => rule(context),
        }?;
        Some(self.max_delay.map_or(delay, |longest| delay.min(longest)))
    }

    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let (Some(breaker), Kind::Delays(delays)) = (&self.breaker, &self.kind) else { return Ok(()) };
        // A burst counts as one failure.
        let failures = delays.len().saturating_sub(usize::try_from(self.burst.saturating_sub(1)).unwrap_or(0));
        if self.allow_breaker_in_ladder
            || usize::try_from(breaker.threshold).is_ok_and(|threshold| threshold > failures)
        {
            return Ok(());
        }
        let problem = format!("opens after {} failures, but the policy has {failures} delays", breaker.threshold);
        Err(ConfigError::Option { option: "breaker", problem })
    }

    fn plain(kind: Kind) -> Self {
        Self { kind, is_guarded: false, burst: 1, max_delay: None, breaker: None, allow_breaker_in_ladder: false }
    }

    fn classed(kind: Kind) -> Self {
        Self { breaker: Some(BreakerConfig::default()), ..Self::plain(kind) }
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self::never()
    }
}

impl fmt::Debug for RetryPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("RetryPolicy");
        match &self.kind {
            Kind::Delays(delays) => out.field("delays", delays),
            Kind::Exponential(exponential) => out.field("exponential", exponential),
            Kind::Custom(_) => out.field("rule", &"custom"),
        };
        out.field("is_guarded", &self.is_guarded).field("breaker", &self.breaker).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Cause;

    fn ask(policy: &mut RetryPolicy, previous_retry_count: u32) -> Option<Duration> {
        let reason = DisconnectReason::new(Cause::Lost, "gone");
        policy.next_delay(&RetryContext { previous_retry_count, elapsed: Duration::ZERO, reason: &reason })
    }

    fn seconds(mut policy: RetryPolicy, count: u32) -> Vec<Option<f64>> {
        (0..count).map(|index| ask(&mut policy, index).map(|delay| delay.as_secs_f64())).collect()
    }

    #[test]
    fn a_table_gives_each_delay_once() {
        assert_eq!(seconds(RetryPolicy::microsoft(), 6), [Some(0.0), Some(2.0), Some(10.0), Some(30.0), None, None]);
        assert_eq!(seconds(RetryPolicy::signalr(), 5), [Some(0.0), Some(2.0), Some(5.0), Some(10.0), None]);
        assert_eq!(seconds(RetryPolicy::never(), 1), [None]);
    }

    #[test]
    fn a_guarded_policy_repeats_its_last_delay() {
        assert_eq!(seconds(RetryPolicy::signalr().guarded(), 6).split_off(3), [Some(10.0); 3]);
        let cut = RetryPolicy::trading().max_delay(Duration::from_secs(4));
        assert_eq!(seconds(cut, 9).split_off(4), [Some(0.8), Some(2.0), Some(4.0), Some(4.0), Some(4.0)]);
        let growing = RetryPolicy::exponential(Exponential::default()).guarded();
        assert_eq!(seconds(growing, 7).split_off(4), [Some(1.6), Some(1.6), Some(1.6)]);
        assert_eq!(seconds(RetryPolicy::never().guarded(), 1), [None]);
    }

    #[test]
    fn a_custom_rule_sees_the_count() {
        let mut policy = RetryPolicy::custom(|context| {
            (context.previous_retry_count < 2).then(|| Duration::from_millis(u64::from(context.previous_retry_count)))
        });
        assert_eq!(ask(&mut policy, 1), Some(Duration::from_millis(1)));
        assert_eq!(ask(&mut policy, 2), None);
    }

    #[test]
    fn a_breaker_inside_the_ladder_must_be_meant() {
        for policy in [RetryPolicy::signalr(), RetryPolicy::trading(), RetryPolicy::exponential(Exponential::default())]
        {
            assert_eq!(policy.check(), Ok(()));
        }
        let early = || RetryPolicy::signalr().breaker(BreakerConfig::default().threshold(4));
        assert!(matches!(early().check(), Err(ConfigError::Option { option: "breaker", .. })));
        assert_eq!(early().allow_breaker_in_ladder().check(), Ok(()));
    }
}
