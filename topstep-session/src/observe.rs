//! What a program that runs unattended tells of itself: metrics, log events, and a health report with its alarms.
//!
//! * **Metrics** go through the [`metrics`] facade, to whatever exporter the application has installed, or nowhere. [`METRICS`] lists them;
//!   [`describe_metrics`] tells the exporter what they mean. What happens often is counted in plain integers and handed to the facade once a
//!   second. No label holds a token, an account, a contract, a user or a payload.
//! * **Logs** go through [`tracing`]. Nothing in them names an account, a contract or an order.
//! * **[`HealthReport`]** says how it stands now, and which [`Alert`]s that gives: see [`Gateway::health`](crate::Gateway::health).
//!
//! Install an exporter before the first gateway is built: gauges are told as differences, so that several gateways of one program add up, and
//! what was told before is lost.

mod alert;
mod desk;
mod health;
mod kind;
mod latency;
mod names;
mod publish;
mod show;
mod tally;

pub use alert::{Alert, AlertKind, AlertLimits, Measure};
pub use health::{BudgetHealth, CacheHealth, HealthReport, HubHealth, LatencyHealth, RestHealth, SubscriptionHealth};
pub use names::{METRICS, Metric, MetricKind, describe_metrics};

pub(crate) use desk::RestDesk;
pub(crate) use kind::{Kind, Seen};
pub(crate) use tally::{Audits, Subscriptions, Tally};

#[cfg(test)]
mod tests;
