//! How eagerly the user machine asks, and how much it keeps.

use std::time::Duration;

/// Times and bounds of a [`UserMachine`](super::UserMachine).
///
/// ```
/// use std::time::Duration;
/// use topstep_session::user::UserConfig;
///
/// let config = UserConfig::default().audit_interval(Duration::from_secs(30));
/// assert_eq!(config.audit_interval, Duration::from_secs(30));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UserConfig {
    /// How long after a clean read the next audit begins. Default 45 s: so long may a silent loss stay unseen.
    pub audit_interval: Duration,
    /// How long after a failed read it is tried again. Default 15 s, for ever.
    pub retry_interval: Duration,
    /// How often a list is read while events come in between. Default 3; then it waits for the next try.
    pub stable_reads: u32,
    /// The pause between two such reads, and before a difference is believed. Default 250 ms.
    pub stable_pause: Duration,
    /// The least time between the beginnings of two reconciles of one subject. Default 15 s; what comes in between waits, as one.
    pub reconcile_spacing: Duration,
    /// How far before what is known a search begins. Default 120 s, for rows that were stamped before and stored after others.
    pub overlap: Duration,
    /// How long an answer may take before its read counts as failed. Default 30 s, well over what any try takes.
    pub answer_within: Duration,
    /// How many orders an account may have in the state. Default 100,000; the oldest that are over go first, and are counted.
    pub orders_kept: usize,
    /// How many trades an account may have in the state. Default 100,000; the oldest go first, and are counted.
    pub trades_kept: usize,
    /// How many contracts of an account, and how many accounts, are kept. Default 10,000.
    pub rows_kept: usize,
}

impl Default for UserConfig {
    fn default() -> Self {
        Self {
            audit_interval: Duration::from_secs(45),
            retry_interval: Duration::from_secs(15),
            stable_reads: 3,
            stable_pause: Duration::from_millis(250),
            reconcile_spacing: Duration::from_secs(15),
            overlap: Duration::from_secs(120),
            answer_within: Duration::from_secs(30),
            orders_kept: 100_000,
            trades_kept: 100_000,
            rows_kept: 10_000,
        }
    }
}

macro_rules! setters {
    ($($name:ident: $type:ty, $says:literal;)*) => {
        impl UserConfig {
            $(
                #[doc = concat!("Sets ", $says, ".")]
                #[must_use]
                pub const fn $name(mut self, $name: $type) -> Self {
                    self.$name = $name;
                    self
                }
            )*
        }
    };
}

setters! {
    audit_interval: Duration, "how long after a clean read the next audit begins";
    retry_interval: Duration, "how long after a failed read it is tried again";
    stable_reads: u32, "how often a list is read while events come in between";
    stable_pause: Duration, "the pause between two such reads";
    reconcile_spacing: Duration, "the least time between two reconciles of one subject";
    overlap: Duration, "how far before what is known a search begins";
    answer_within: Duration, "how long an answer may take";
    orders_kept: usize, "how many orders of an account are kept";
    trades_kept: usize, "how many trades of an account are kept";
    rows_kept: usize, "how many accounts, and contracts of an account, are kept";
}
