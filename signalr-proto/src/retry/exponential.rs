//! Delays that grow by a factor.

use std::time::Duration;

use super::random::SplitMix64;

/// Delays of `first * factor^n`, at most `cap`, for so many attempts; each longer by a random part, so that a thousand clients do not come
/// back at once.
///
/// Default: 100, 200, 400, 800, 1,600 ms, five attempts, no jitter.
#[derive(Debug, Clone)]
pub struct Exponential {
    first: Duration,
    factor: u32,
    cap: Duration,
    attempts: Option<u32>,
    jitter_percent: u32,
    random: SplitMix64,
}

impl Default for Exponential {
    fn default() -> Self {
        Self {
            first: Duration::from_millis(100),
            factor: 2,
            cap: Duration::from_secs(60),
            attempts: Some(5),
            jitter_percent: 0,
            random: SplitMix64::new(0),
        }
    }
}

impl Exponential {
    /// The delay before the first attempt. Default 100 ms.
    #[must_use]
    pub fn first(self, first: Duration) -> Self {
        Self { first, ..self }
    }

    /// What each delay is multiplied with to get the next. Default 2; 0 counts as 1.
    #[must_use]
    pub fn factor(self, factor: u32) -> Self {
        Self { factor: factor.max(1), ..self }
    }

    /// The longest delay, jitter not included. Default 60 s.
    #[must_use]
    pub fn cap(self, cap: Duration) -> Self {
        Self { cap, ..self }
    }

    /// How many attempts an outage gets; `None`: no limit. Default 5.
    #[must_use]
    pub fn attempts(self, attempts: Option<u32>) -> Self {
        Self { attempts, ..self }
    }

    /// Each delay grows by a random part of up to so many percent (never shrinks), drawn from `seed`. Default 0.
    #[must_use]
    pub fn jitter(self, percent: u32, seed: u64) -> Self {
        Self { jitter_percent: percent, random: SplitMix64::new(seed), ..self }
    }

    /// A guarded policy goes on with the last delay.
    pub(super) fn next_delay(&mut self, previous_retry_count: u32, is_guarded: bool) -> Option<Duration> {
        let exponent = match self.attempts {
            Some(attempts) if previous_retry_count >= attempts => attempts.checked_sub(1).filter(|_| is_guarded)?,
            _ => previous_retry_count,
        };
        let factor = self.factor.checked_pow(exponent).unwrap_or(u32::MAX);
        let delay = self.first.saturating_mul(factor).min(self.cap);
        if self.jitter_percent == 0 {
            return Some(delay);
        }
        Some(delay.saturating_add(self.random.percent_below(delay, self.jitter_percent)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_ladder() {
        let mut policy = Exponential::default();
        let delays: Vec<_> =
            (0..6).map(|count| policy.next_delay(count, false).map(|delay| delay.as_millis())).collect();
        assert_eq!(delays, [Some(100), Some(200), Some(400), Some(800), Some(1600), None]);
    }

    #[test]
    fn a_cap_holds_however_long_it_goes_on() {
        let mut policy = Exponential::default().cap(Duration::from_secs(8)).attempts(None);
        assert_eq!(policy.next_delay(1_000_000, false), Some(Duration::from_secs(8)));
    }

    #[test]
    fn jitter_only_adds_and_repeats_with_its_seed() {
        let draw = |seed| {
            let mut policy = Exponential::default().jitter(20, seed).attempts(None).cap(Duration::from_millis(100));
            (0..200).map(|count| policy.next_delay(count, false).unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
        assert!(draw(7).iter().all(|delay| (100..120).contains(&delay.as_millis())));
    }
}
