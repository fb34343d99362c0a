//! What should not be.

use std::fmt;
use std::time::Duration;

use adapter_core::State;
use topstep_model::Hub;

use super::health::{HealthReport, HubHealth};
use crate::keeper::Halt;

/// What should not be, with what was measured and what the limit is.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Alert {
    /// What it is.
    pub kind: AlertKind,
    /// The hub, where it is about one.
    pub hub: Option<Hub>,
    /// What was measured.
    pub measured: Measure,
    /// What it should not pass.
    pub limit: Measure,
}

/// Kinds of alerts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum AlertKind {
    /// A hub that was connected, and of which something is wanted, is not connected. Measured: for how long.
    ConnectionDrop,
    /// Events take too long to get here: the 95th percentile of the last seconds.
    HighLatency,
    /// A request to REST took too long: the longest of the last half minute at least.
    SlowRest,
    /// When no price could be had, too often none was known from before either.
    LowCacheRatio,
    /// A gap on the user hub is open for too long: what is believed of orders and positions is not proven.
    UserGapOpen,
    /// The hub has not agreed to everything that is wanted, for too long.
    Unsubscribed,
    /// The outcome of calls that move money is not known: see [`Gateway::settle`](crate::Gateway::settle). It stays until the program ends.
    OutcomeUnknown,
    /// Events of the user hub could not be read. It stays until the program ends.
    UserRejects,
    /// The circuit breaker has kept a hub from being dialled for too long.
    BreakerOpen,
}

/// A measured value, or a limit.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Measure {
    /// How long.
    Time(Duration),
    /// How many.
    Count(u64),
    /// A part of one.
    Ratio(f64),
}

/// What is too much, or too little.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct AlertLimits {
    /// For how long a hub may be lost. Default 0: a drop is told at once.
    pub down: Duration,
    /// The 95th percentile of latency. Default 100 ms.
    pub latency: Duration,
    /// The longest request to REST. Default 5 s.
    pub rest: Duration,
    /// The least part of fall-backs that find a price. Default 0.8.
    pub cache_ratio: f64,
    /// The age of a gap on the user hub. Default 15 s.
    pub user_gap: Duration,
    /// For how long the hub may not have agreed to everything. Default 10 s.
    pub unsubscribed: Duration,
    /// For how long the breaker may be open. Default 60 s.
    pub breaker: Duration,
}

impl Default for AlertLimits {
    fn default() -> Self {
        Self {
            down: Duration::ZERO,
            latency: Duration::from_millis(100),
            rest: Duration::from_secs(5),
            cache_ratio: 0.8,
            user_gap: Duration::from_secs(15),
            unsubscribed: Duration::from_secs(10),
            breaker: Duration::from_secs(60),
        }
    }
}

impl AlertKind {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::ConnectionDrop,
        Self::HighLatency,
        Self::SlowRest,
        Self::LowCacheRatio,
        Self::UserGapOpen,
        Self::Unsubscribed,
        Self::OutcomeUnknown,
        Self::UserRejects,
        Self::BreakerOpen,
    ];

    /// The kind as one word in snake case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ConnectionDrop => "connection_drop",
            Self::HighLatency => "high_latency",
            Self::SlowRest => "slow_rest",
            Self::LowCacheRatio => "low_cache_ratio",
            Self::UserGapOpen => "user_gap_open",
            Self::Unsubscribed => "unsubscribed",
            Self::OutcomeUnknown => "outcome_unknown",
            Self::UserRejects => "user_rejects",
            Self::BreakerOpen => "breaker_open",
        }
    }
}

/// What should not be, by these limits.
pub(super) fn judge(report: &HealthReport, limits: &AlertLimits) -> Vec<Alert> {
    let mut alerts = Vec::new();
    // Who has hung up does not want to hear that nothing is heard.
    let is_closed = report.halted == Some(Halt::Closed);
    for hub in [&report.user, &report.market] {
        judge_hub(hub, limits, is_closed, &mut alerts);
    }
    let mut tell = |kind, measured, limit| alerts.push(Alert { kind, hub: None, measured, limit });
    if let Some(rest) = &report.rest {
        if rest.response.max > limits.rest {
            tell(AlertKind::SlowRest, Measure::Time(rest.response.max), Measure::Time(limits.rest));
        }
        if rest.outcome_unknown > 0 {
            tell(AlertKind::OutcomeUnknown, Measure::Count(rest.outcome_unknown), Measure::Count(0));
        }
    }
    if let Some(ratio) = report.cache.ratio().filter(|ratio| *ratio < limits.cache_ratio) {
        tell(AlertKind::LowCacheRatio, Measure::Ratio(ratio), Measure::Ratio(limits.cache_ratio));
    }
    alerts
}

fn judge_hub(health: &HubHealth, limits: &AlertLimits, is_closed: bool, alerts: &mut Vec<Alert>) {
    let hub = Some(health.hub);
    let mut tell = |kind, measured, limit| alerts.push(Alert { kind, hub, measured, limit });
    let mut too_long = |kind, measured: Option<Duration>, limit| {
        if let Some(measured) = measured.filter(|measured| *measured > limit) {
            tell(kind, Measure::Time(measured), Measure::Time(limit));
        }
    };
    if !is_closed {
        // A moment is the least that it can be down.
        let down = health.down.filter(|_| health.connections > 0 && health.state != State::Connected);
        too_long(AlertKind::ConnectionDrop, down.map(|down| down.max(Duration::from_nanos(1))), limits.down);
        too_long(AlertKind::Unsubscribed, health.unanswered, limits.unsubscribed);
        too_long(AlertKind::BreakerOpen, Some(health.breaker_open), limits.breaker);
        if health.hub == Hub::User {
            too_long(AlertKind::UserGapOpen, health.oldest_gap, limits.user_gap);
        }
    }
    too_long(AlertKind::HighLatency, Some(health.latency.p95), limits.latency);
    if health.hub == Hub::User && health.malformed > 0 {
        tell(AlertKind::UserRejects, Measure::Count(health.malformed), Measure::Count(0));
    }
}

impl fmt::Display for AlertKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // To the millisecond: more says nothing.
            Self::Time(time) => write!(f, "{:.3} s", time.as_secs_f64()),
            Self::Count(count) => write!(f, "{count}"),
            Self::Ratio(ratio) => write!(f, "{ratio:.2}"),
        }
    }
}

impl fmt::Display for Alert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind)?;
        if let Some(hub) = self.hub {
            write!(f, " ({} hub)", hub.name())?;
        }
        write!(f, ": {}, limit {}", self.measured, self.limit)
    }
}
