//! When to try again: the policy is data and a seed, the machine keeps the time.

mod exponential;

use std::fmt;
use std::time::Duration;

pub use exponential::Exponential;

use crate::error::DisconnectReason;

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
pub struct RetryPolicy(Kind);

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

    /// One attempt after each of these delays, then none.
    pub fn delays(delays: impl IntoIterator<Item = Duration>) -> Self {
        Self(Kind::Delays(delays.into_iter().collect()))
    }

    /// What `withAutomaticReconnect()` does in Microsoft's clients: after 0, 2, 10 and 30 seconds, then no more.
    pub fn microsoft() -> Self {
        Self::delays([0, 2, 10, 30].map(Duration::from_secs))
    }

    /// Delays that grow by a factor, with jitter from a seed: see [`Exponential`].
    pub fn exponential(exponential: Exponential) -> Self {
        Self(Kind::Exponential(exponential))
    }

    /// Your own rule: the delay before the next attempt, or `None` to give up.
    pub fn custom(rule: impl FnMut(&RetryContext<'_>) -> Option<Duration> + Send + 'static) -> Self {
        Self(Kind::Custom(Box::new(rule)))
    }

    /// The delay before the next attempt, or `None` when there is to be none.
    pub fn next_delay(&mut self, context: &RetryContext<'_>) -> Option<Duration> {
        match &mut self.0 {
            Kind::Delays(delays) => delays.get(usize::try_from(context.previous_retry_count).ok()?).copied(),
            Kind::Exponential(exponential) => exponential.next_delay(context.previous_retry_count),
            Kind::Custom(rule) => rule(context),
        }
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self::never()
    }
}

impl fmt::Debug for RetryPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Delays(delays) => f.debug_tuple("Delays").field(delays).finish(),
            Kind::Exponential(exponential) => exponential.fmt(f),
            Kind::Custom(_) => f.write_str("Custom"),
        }
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

    #[test]
    fn a_table_gives_each_delay_once() {
        let mut policy = RetryPolicy::microsoft();
        let delays: Vec<_> = (0..6).map(|count| ask(&mut policy, count).map(|delay| delay.as_secs())).collect();
        assert_eq!(delays, [Some(0), Some(2), Some(10), Some(30), None, None]);
        assert_eq!(ask(&mut RetryPolicy::never(), 0), None);
    }

    #[test]
    fn a_custom_rule_sees_the_count() {
        let mut policy = RetryPolicy::custom(|context| {
            (context.previous_retry_count < 2).then(|| Duration::from_millis(u64::from(context.previous_retry_count)))
        });
        assert_eq!(ask(&mut policy, 1), Some(Duration::from_millis(1)));
        assert_eq!(ask(&mut policy, 2), None);
    }
}
