//! Durations of the last while, in buckets of an eighth.

use std::time::Duration;

use signalr_proto::time::Instant;

/// Up to 134 s; what takes longer counts there.
const BUCKETS: usize = 208;

/// Durations of the last one to two spans, and those that nobody was told yet.
#[derive(Debug, Clone)]
pub(crate) struct Rolling {
    span: Duration,
    turned: Instant,
    now: Buckets,
    before: Buckets,
    fresh: Buckets,
}

/// Durations, counted by how long they were.
#[derive(Debug, Clone, Default)]
pub(crate) struct Buckets {
    /// Empty until the first.
    counts: Vec<u32>,
    total: u64,
    longest: Duration,
}

impl Rolling {
    pub(crate) fn new(span: Duration, now: Instant) -> Self {
        let (before, fresh) = (Buckets::default(), Buckets::default());
        Self { span, turned: now, now: Buckets::default(), before, fresh }
    }

    #[inline]
    pub(crate) fn record(&mut self, duration: Duration) {
        self.now.record(duration);
        self.fresh.record(duration);
    }

    /// Forgets what is too old.
    pub(crate) fn turn(&mut self, now: Instant) {
        let since = now.saturating_since(self.turned);
        if since < self.span {
            return;
        }
        self.before = std::mem::take(&mut self.now);
        if since >= self.span * 2 {
            self.before = Buckets::default();
        }
        self.turned = now;
    }

    /// Those of the last one to two spans.
    pub(crate) fn recent(&self) -> Buckets {
        let mut all = self.before.clone();
        all.add(&self.now);
        all
    }

    /// What was recorded since this was called last.
    pub(crate) fn take_fresh(&mut self) -> Buckets {
        std::mem::take(&mut self.fresh)
    }
}

impl Buckets {
    #[inline]
    pub(crate) fn record(&mut self, duration: Duration) {
        if self.counts.is_empty() {
            self.counts = vec![0; BUCKETS];
        }
        if let Some(count) = self.counts.get_mut(bucket(duration)) {
            *count = count.saturating_add(1);
        }
        self.total += 1;
        self.longest = self.longest.max(duration);
    }

    pub(crate) fn add(&mut self, other: &Self) {
        if self.counts.is_empty() {
            *self = other.clone();
            return;
        }
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *mine = mine.saturating_add(*theirs);
        }
        self.total += other.total;
        self.longest = self.longest.max(other.longest);
    }

    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    pub(crate) fn longest(&self) -> Duration {
        self.longest
    }

    /// The least duration that so many of a thousand do not exceed, at most an eighth too long.
    pub(crate) fn quantile(&self, of_thousand: u64) -> Duration {
        let rank = (self.total * of_thousand).div_ceil(1_000).max(1);
        let mut seen = 0;
        for (end, count) in self.ends() {
            seen += u64::from(count);
            if seen >= rank {
                return end.min(self.longest);
            }
        }
        self.longest
    }

    /// The longest duration of each bucket that is not empty, and how many are in it.
    pub(crate) fn ends(&self) -> impl Iterator<Item = (Duration, u32)> + '_ {
        let filled = self.counts.iter().enumerate().filter(|(_, count)| **count > 0);
        filled.map(|(index, count)| (end_of(index).min(self.longest), *count))
    }
}

/// Eight buckets for each power of two, of microseconds.
fn bucket(duration: Duration) -> usize {
    let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
    if micros < 8 {
        return micros as usize;
    }
    let exponent = 63 - micros.leading_zeros() as usize;
    let eighth = (micros >> (exponent - 3)) as usize & 7;
    ((exponent - 2) * 8 + eighth).min(BUCKETS - 1)
}

fn end_of(bucket: usize) -> Duration {
    if bucket < 8 {
        return Duration::from_micros(bucket as u64);
    }
    if bucket == BUCKETS - 1 {
        return Duration::MAX;
    }
    let (exponent, eighth) = (bucket / 8 + 2, bucket as u64 % 8);
    Duration::from_micros(((9 + eighth) << (exponent - 3)) - 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::from_nanos(seconds * 1_000_000_000)
    }

    proptest! {
        #[test]
        fn a_bucket_is_at_most_an_eighth_too_long(micros in 0_u64..134_000_000) {
            let end = end_of(bucket(Duration::from_micros(micros)));
            let end = if end == Duration::MAX { micros } else { end.as_micros() as u64 };
            prop_assert!(end >= micros && end <= micros + micros / 8, "{micros} {end}");
        }

        #[test]
        fn quantiles_are_those_of_the_sorted_list(mut list in prop::collection::vec(0_u64..10_000_000, 1..200)) {
            let mut buckets = Buckets::default();
            list.iter().for_each(|micros| buckets.record(Duration::from_micros(*micros)));
            list.sort_unstable();
            for of_thousand in [500, 950, 1_000] {
                let rank = (list.len() * of_thousand as usize).div_ceil(1_000).max(1);
                let exact = list[rank - 1];
                let told = buckets.quantile(of_thousand).as_micros() as u64;
                prop_assert!(told >= exact && told <= exact + exact / 8, "{exact} {told}");
            }
        }
    }

    #[test]
    fn what_is_old_is_forgotten_after_two_spans_at_the_latest() {
        let mut rolling = Rolling::new(Duration::from_secs(10), at(0));
        rolling.record(Duration::from_secs(1));
        rolling.turn(at(9));
        assert_eq!(rolling.recent().total(), 1);
        rolling.turn(at(10));
        rolling.record(Duration::from_secs(2));
        assert_eq!((rolling.recent().total(), rolling.recent().longest()), (2, Duration::from_secs(2)));
        rolling.turn(at(20));
        assert_eq!((rolling.recent().total(), rolling.recent().quantile(500)), (1, Duration::from_secs(2)));
        rolling.turn(at(60));
        assert_eq!((rolling.recent().total(), rolling.recent().quantile(950)), (0, Duration::ZERO));
        assert_eq!(rolling.take_fresh().total(), 2, "whoever was not told yet is told all of it");
        assert_eq!(rolling.take_fresh().total(), 0);
    }

    #[test]
    fn a_day_counts_as_the_longest_there_is() {
        let mut buckets = Buckets::default();
        buckets.record(Duration::from_secs(86_400));
        assert_eq!(buckets.quantile(500), Duration::from_secs(86_400));
    }
}
