//! When the market is open.

use topstep_model::Timestamp;

/// Placeholder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closure;
/// Placeholder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TradingWeek;

/// When a market trades.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TradingHours {}

impl TradingHours {
    /// A market that never closes.
    pub fn always_open() -> Self {
        Self {}
    }
    /// CME Globex.
    pub fn cme_globex() -> Self {
        Self {}
    }
    /// Whether the market is open.
    pub fn is_open(&self, at: Timestamp) -> bool {
        let _ = at;
        true
    }
    /// When it next opens or closes.
    pub fn next_change(&self, at: Timestamp) -> Option<Timestamp> {
        let _ = at;
        None
    }
    pub(super) fn until_change(&self, at: Timestamp) -> std::time::Duration {
        let _ = at;
        std::time::Duration::from_secs(60)
    }
    /// Whether the holidays that are listed end before this time.
    pub fn has_ended(&self, at: Timestamp) -> bool {
        let _ = at;
        false
    }
}
