//! The names of the metrics.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

/// What a metric is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MetricKind {
    /// Only goes up.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Values with their distribution.
    Histogram,
}

/// A metric as exporters see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub kind: MetricKind,
    /// Its labels, in order.
    pub labels: &'static [&'static str],
    /// What it is counted in.
    pub unit: Unit,
    /// What it says.
    pub about: &'static str,
}

/// Every metric of this crate.
pub const METRICS: &[Metric] = &[
    gauge("topstep_connections_active", &["hub"], Unit::Count, "hub connections that stand"),
    gauge("topstep_messages_per_second", &["hub"], Unit::CountPerSecond, "values of the stream, over the last 10 s"),
    counter("topstep_messages_total", &["hub", "kind"], "values of the stream that were handed out"),
    counter("topstep_malformed_total", &["hub", "kind"], "events and rows that could not be read"),
    histogram("topstep_latency_seconds", &["hub", "kind"], "from an event's own time until it was handed out"),
    gauge("topstep_subscriptions", &["hub", "state"], Unit::Count, "subscriptions: intended, acked, refused"),
    counter("topstep_refusals_total", &["hub", "kind"], "subscriptions that the hub refused"),
    counter("topstep_reconnects_total", &["hub", "cause"], "connections after a loss, by its cause"),
    histogram("topstep_time_to_ready_seconds", &["hub"], "from a loss until the hub had answered every subscription"),
    histogram("topstep_time_to_verified_seconds", &["hub"], "from a loss until every gap was closed"),
    gauge("topstep_gaps_open", &["hub", "kind"], Unit::Count, "gaps that are open"),
    counter("topstep_gap_total", &["hub", "kind", "cause"], "gaps opened, by the first cause"),
    histogram("topstep_gap_seconds", &["hub", "kind", "verdict"], "how long gaps were open, when they close"),
    counter("topstep_audits_total", &["outcome"], "audits of the accounts: clean, mismatch"),
    counter("topstep_handler_failures_total", &[], "handlers of events that failed or panicked"),
    histogram("topstep_rest_response_seconds", &["path"], "how long a request to REST took, each try by itself"),
    counter("topstep_rest_calls_total", &["path", "outcome"], "requests to REST, each try by itself"),
    counter("topstep_rest_retries_total", &["path"], "requests that were tried again"),
    counter("topstep_call_errors_total", &["path", "outcome"], "calls that failed for good"),
    counter("topstep_outcome_unknown_total", &["path"], "calls that may have changed something, or not"),
    counter("topstep_logins_total", &["kind", "outcome"], "logins and renewals of the token"),
    counter("topstep_cache_hits_total", &[], "prices told from the cache, since nobody else told one in time"),
    counter("topstep_cache_misses_total", &[], "prices that nobody knew"),
    gauge("topstep_cache_hit_ratio", &[], Unit::Count, "the part of the fall-backs that found a price"),
    counter("topstep_failovers_total", &["to"], "prices that the stream did not tell: from rest, from the cache"),
];

/// Tells the exporter what the metrics mean, once it is installed. Without one it does nothing.
pub fn describe_metrics() {
    for Metric { name, kind, unit, about, .. } in METRICS {
        match kind {
            MetricKind::Counter => describe_counter!(*name, *unit, *about),
            MetricKind::Gauge => describe_gauge!(*name, *unit, *about),
            MetricKind::Histogram => describe_histogram!(*name, *unit, *about),
        }
    }
}

impl MetricKind {
    /// The kind as one word in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

const fn counter(name: &'static str, labels: &'static [&'static str], about: &'static str) -> Metric {
    Metric { name, kind: MetricKind::Counter, labels, unit: Unit::Count, about }
}

const fn gauge(name: &'static str, labels: &'static [&'static str], unit: Unit, about: &'static str) -> Metric {
    Metric { name, kind: MetricKind::Gauge, labels, unit, about }
}

const fn histogram(name: &'static str, labels: &'static [&'static str], about: &'static str) -> Metric {
    Metric { name, kind: MetricKind::Histogram, labels, unit: Unit::Seconds, about }
}
