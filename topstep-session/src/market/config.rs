//! What can be set.

use std::time::Duration;

use super::hours::TradingHours;
use super::rule::{BookRule, topstep_rule};

/// The limits and the rules of a [`MarketMachine`](super::MarketMachine).
///
/// ```
/// # use std::time::Duration;
/// use topstep_session::market::{MarketConfig, TradingHours};
///
/// let config = MarketConfig::default().hours(TradingHours::always_open()).stale_after(Duration::from_secs(5));
/// assert_eq!(config.ticks_lost_after, Duration::from_secs(5));
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct MarketConfig {
    /// How old a quote may be while the market is open. Default 15 s. Then the hub is asked for its quotes anew, for it may have forgotten them;
    /// again after 2 minutes of silence, and so on up to every 16.
    pub stale_after: Duration,
    /// How long the market is open, from the acknowledgement on, before a gap in quotes closes without fresh prices. Default 5 s.
    pub ticks_lost_after: Duration,
    /// How long after the acknowledgement a book's reset may come before its gap is given up; also the least time between two of this machine's
    /// own requests to subscribe to a depth anew. Default 5 s.
    pub depth_reset_within: Duration,
    /// How long after the last row without a date (the year 1) a snapshot of several records counts as complete. Default 1 s.
    pub depth_settle: Duration,
    /// The most levels on one side of a book. A book with more is invalid, and its depth is asked for anew. Default 10,000.
    pub most_levels: usize,
    /// The most contracts that are remembered; one more is not followed. Default 1,000.
    pub most_contracts: usize,
    /// When the market is open. Default: CME Globex.
    pub hours: TradingHours,
    /// What a depth row does to a book. Default: [`topstep_rule`].
    pub book_rule: BookRule,
}

impl Default for MarketConfig {
    fn default() -> Self {
        Self {
            stale_after: Duration::from_secs(15),
            ticks_lost_after: Duration::from_secs(5),
            depth_reset_within: Duration::from_secs(5),
            depth_settle: Duration::from_secs(1),
            most_levels: 10_000,
            most_contracts: 1_000,
            hours: TradingHours::cme_globex(),
            book_rule: topstep_rule,
        }
    }
}

macro_rules! setters {
    ($($field:ident: $type:ty,)*) => {
        impl MarketConfig {
            $(
                #[doc = concat!("Sets [`", stringify!($field), "`](Self#structfield.", stringify!($field), ").")]
                #[must_use]
                pub fn $field(mut self, $field: $type) -> Self {
                    self.$field = $field;
                    self
                }
            )*
        }
    };
}

setters! {
    stale_after: Duration,
    ticks_lost_after: Duration,
    depth_reset_within: Duration,
    depth_settle: Duration,
    most_levels: usize,
    most_contracts: usize,
    hours: TradingHours,
    book_rule: BookRule,
}
