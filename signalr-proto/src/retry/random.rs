//! Numbers from a seed: jitter must differ between clients and repeat with its seed.

use std::time::Duration;

/// Sebastiano Vigna's SplitMix64: small, seedable, good enough to spread delays.
#[derive(Debug, Clone)]
pub(crate) struct SplitMix64(u64);

impl SplitMix64 {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number from 0 to `limit`, `limit` excluded unless it is 0.
    fn below(&mut self, limit: u64) -> u64 {
        u64::try_from((u128::from(self.next()) * u128::from(limit)) >> 64)
            .expect("a product shifted by 64 bits fits 64 bits")
    }

    /// A duration below `limit`; zero if that is zero.
    pub(crate) fn duration_below(&mut self, limit: Duration) -> Duration {
        Duration::from_nanos(self.below(u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX)))
    }

    /// A random part of `whole`, below so many percent of it.
    pub(crate) fn percent_below(&mut self, whole: Duration, percent: u32) -> Duration {
        self.duration_below(whole.saturating_mul(percent) / 100)
    }
}
