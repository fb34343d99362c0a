//! When a contract makes its next step: in bursts, and yet so many a second exactly.

use fastrand::Rng;

/// The most steps in a burst.
const LONGEST: u32 = 8;

/// The steps of one contract. A burst of n steps takes the time of n, but its steps come at the beginning of it.
#[derive(Debug)]
pub(super) struct Pace {
    next: i64,
    /// How many steps of the burst come after the next one.
    left: u32,
    /// When the burst is over.
    end: i64,
}

impl Pace {
    /// Steps from `now` on, the first of them within one interval, at a moment that differs between contracts.
    pub(super) fn begin(now: i64, interval: i64, rng: &mut Rng) -> Self {
        let next = now.saturating_add(rng.i64(1..=interval.max(1)));
        Self { next, left: 0, end: next.saturating_add(interval) }
    }

    /// The nanosecond of the next step.
    pub(super) fn next(&self) -> i64 {
        self.next
    }

    /// Goes on to the step after the next one; tells whether a burst begins with it.
    pub(super) fn advance(&mut self, interval: i64, rng: &mut Rng) -> bool {
        if self.left > 0 {
            self.left -= 1;
            self.next = self.next.saturating_add((interval / i64::from(LONGEST)).max(1));
            return false;
        }
        let steps = if rng.bool() { 1 } else { rng.u32(2..=LONGEST) };
        self.next = self.end;
        self.left = steps - 1;
        self.end = self.next.saturating_add(interval.saturating_mul(i64::from(steps)));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_exact_and_the_steps_come_in_bursts() {
        let mut rng = Rng::with_seed(1);
        let mut pace = Pace::begin(0, 1_000, &mut rng);
        let (mut steps, mut last, mut gaps) = (0, 0, Vec::new());
        while pace.next() < 1_000_000 {
            steps += 1;
            gaps.push(pace.next() - last);
            last = pace.next();
            pace.advance(1_000, &mut rng);
        }
        assert!((992..=1_008).contains(&steps), "{steps}");
        assert!(gaps.iter().all(|gap| *gap > 0));
        assert!(gaps.iter().filter(|gap| **gap < 500).count() > 300);
    }
}
