//! How it stands: numbers only, taken when somebody asks.

use std::time::Duration;

use adapter_core::State;
use topstep_model::Hub;

use super::alert::{self, Alert, AlertLimits};
use super::latency::Buckets;
use crate::keeper::Halt;
use crate::login::LoginState;
use crate::moment::Moment;

/// How a gateway and its two hubs stand. It holds no token, no account, no contract and no payload; [`Display`](std::fmt::Display) shows it to
/// a person.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct HealthReport {
    /// When it was taken.
    pub at: Moment,
    /// The user hub.
    pub user: HubHealth,
    /// The market hub.
    pub market: HubHealth,
    /// REST; `None` without a network.
    pub rest: Option<RestHealth>,
    /// What [`Gateway::latest`](crate::Gateway::latest) fell back to.
    pub cache: CacheHealth,
    /// The rate budget; `None` without a network.
    pub budget: Option<BudgetHealth>,
    /// The login; `None` without a network.
    pub login: Option<LoginState>,
    /// Why both hubs are left alone, if they are.
    pub halted: Option<Halt>,
    /// What should not be, by the default limits: see [`judge`](Self::judge) for others.
    pub alerts: Vec<Alert>,
}

/// How a hub stands.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct HubHealth {
    /// Which one.
    pub hub: Hub,
    /// The state of its connection.
    pub state: State,
    /// Whether its events are heard.
    pub is_connected: bool,
    /// How many connections there have been.
    pub connections: u64,
    /// How many of them came after a loss.
    pub reconnects: u64,
    /// For how long something has been wanted of it while it was not connected; `None`: it is connected, or nothing is wanted.
    pub down: Option<Duration>,
    /// How long it has not been heard; `None` before the first connection.
    pub silence: Option<Duration>,
    /// How long the circuit breaker has been open; zero if it is not.
    pub breaker_open: Duration,
    /// What is subscribed to.
    pub subscriptions: SubscriptionHealth,
    /// For how long something has been wanted that the hub has not agreed to; `None`: it has agreed to everything.
    pub unanswered: Option<Duration>,
    /// How many gaps are open.
    pub gaps_open: usize,
    /// For how long the oldest of them has been.
    pub oldest_gap: Option<Duration>,
    /// Values of the stream that were handed out, since the session began.
    pub messages: u64,
    /// The same for each second of the last ten.
    pub messages_per_second: f64,
    /// Events and rows that could not be read, since the session began.
    pub malformed: u64,
    /// From the events' own time until they were handed out, over the last ten to twenty seconds. It is as wrong as this computer's clock.
    pub latency: LatencyHealth,
}

/// Subscriptions, by what the hub made of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct SubscriptionHealth {
    /// Wanted by somebody.
    pub intended: usize,
    /// Of those, the hub has agreed to on this connection.
    pub acked: usize,
    /// Of those, the hub refused.
    pub refused: usize,
}

/// How long something took. Quantiles are at most an eighth too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct LatencyHealth {
    /// How many were measured; with none the rest is zero.
    pub count: u64,
    /// Half of them took no longer.
    pub p50: Duration,
    /// 95 % of them took no longer.
    pub p95: Duration,
    /// The longest.
    pub max: Duration,
}

/// How REST answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct RestHealth {
    /// Requests, each try counted.
    pub calls: u64,
    /// Of those, without an answer or with a status that is none of success.
    pub failures: u64,
    /// Calls whose outcome is not known: an order may stand at the venue, or not.
    pub outcome_unknown: u64,
    /// How long requests took, over the last 30 s to 60 s.
    pub response: LatencyHealth,
}

/// How often there was something to fall back to when no price could be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct CacheHealth {
    /// Prices that were known from before.
    pub hits: u64,
    /// Nothing was known.
    pub misses: u64,
}

/// What is used of the rate budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct BudgetHealth {
    /// Calls in the window, and how many there may be.
    pub general: (usize, u32),
    /// The same of calls for bars.
    pub bars: (usize, u32),
    /// Calls that wait for their turn.
    pub waiting: usize,
    /// How long everything but exits is held back, because the venue said 429.
    pub held: Option<Duration>,
}

impl HealthReport {
    /// What should not be, by limits of your own.
    pub fn judge(&self, limits: &AlertLimits) -> Vec<Alert> {
        alert::judge(self, limits)
    }

    pub(crate) fn judged(mut self) -> Self {
        self.alerts = self.judge(&AlertLimits::default());
        self
    }
}

impl LatencyHealth {
    pub(super) fn of(buckets: &Buckets) -> Self {
        Self { count: buckets.total(), p50: buckets.quantile(500), p95: buckets.quantile(950), max: buckets.longest() }
    }
}

impl CacheHealth {
    /// The part of the fall-backs that found a price; `None` if there was none.
    pub fn ratio(&self) -> Option<f64> {
        let all = self.hits + self.misses;
        (all > 0).then(|| self.hits as f64 / all as f64)
    }
}
