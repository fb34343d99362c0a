//! Counters and histograms that are kept as things happen. No label holds a user, an account, a contract or a token.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::Totals;
use crate::hubs::Hub;
use crate::lock::lock;
use crate::peers::{Peer, Peers};

/// The upper bounds of REST calls' buckets, in seconds.
const REQUEST_BUCKETS: [f64; 10] = [0.000_1, 0.000_3, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 10.0];
/// The upper bounds of the publication lag's buckets, in seconds.
const LAG_BUCKETS: [f64; 9] = [0.000_1, 0.000_5, 0.001, 0.002, 0.005, 0.01, 0.05, 0.25, 1.0];

/// What became of a call of a hub method.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq, EncodeLabelValue)]
pub(crate) enum Outcome {
    Ok,
    Error,
    /// No such method, or one that cannot be called so.
    Refused,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Ended {
    hub: &'static str,
    reason: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Called {
    hub: &'static str,
    method: &'static str,
    outcome: Outcome,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Requested {
    path: String,
    status: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Target {
    target: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct LoginOutcome {
    outcome: &'static str,
}

/// What has happened since the hub began.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    ended: Family<Ended, Counter>,
    calls: Family<Called, Counter>,
    requests: Family<Requested, Histogram, fn() -> Histogram>,
    published: Family<Target, Counter>,
    sent: Family<Target, Counter>,
    logins: Family<LoginOutcome, Counter>,
    lag: Histogram,
    departed: Mutex<Departed>,
}

/// The counts of connections that are not among those present any more. None is ever in both or in neither, so that no
/// sum goes back.
#[derive(Debug, Default)]
struct Departed {
    /// By hub, of those that are gone for good.
    totals: HashMap<&'static str, Totals>,
    /// Those whose sockets are being closed, which still count.
    leaving: HashMap<String, Arc<Peer>>,
}

impl Default for Metrics {
    fn default() -> Self {
        let metrics = Self {
            registry: Registry::default(),
            ended: Family::default(),
            calls: Family::default(),
            requests: Family::new_with_constructor(|| Histogram::new(REQUEST_BUCKETS)),
            published: Family::default(),
            sent: Family::default(),
            logins: Family::default(),
            lag: Histogram::new(LAG_BUCKETS),
            departed: Mutex::default(),
        };
        metrics.registered()
    }
}

impl Metrics {
    fn registered(mut self) -> Self {
        let registry = self.registry.sub_registry_with_prefix("mock_hub");
        registry.register("connections_ended", "Hub connections that ended, by reason", self.ended.clone());
        registry.register("calls", "Hub methods that clients called", self.calls.clone());
        registry.register("http_request_seconds", "HTTP requests answered, hubs excepted", self.requests.clone());
        registry.register("events_published", "Events published to a group, by target", self.published.clone());
        registry.register("records_sent", "Events queued for a connection, by target", self.sent.clone());
        registry.register("logins", "Logins by API key", self.logins.clone());
        let lag = "How much later than due an event of the market was published";
        registry.register("publish_lag_seconds", lag, self.lag.clone());
        self
    }

    pub(crate) fn registry(&self) -> &Registry {
        &self.registry
    }

    /// A connection ends: from now on it counts whether it is present or not.
    pub(crate) fn connection_ends(&self, peer: &Arc<Peer>, reason: &'static str) {
        self.ended.get_or_create(&Ended { hub: peer.hub.name(), reason }).inc();
        lock(&self.departed).leaving.insert(peer.id.clone(), Arc::clone(peer));
    }

    /// The socket of a connection that ends is gone, and nothing more is counted.
    pub(crate) fn connection_is_gone(&self, peer: &Peer) {
        let mut departed = lock(&self.departed);
        departed.leaving.remove(&peer.id);
        *departed.totals.entry(peer.hub.name()).or_default() += peer.traffic.totals();
    }

    /// What all connections of each hub have counted, those that are gone among them.
    pub(crate) fn traffic(&self, peers: &Peers) -> HashMap<&'static str, Totals> {
        let departed = lock(&self.departed);
        let mut traffic = departed.totals.clone();
        let present = peers.present();
        let present = present.iter().filter(|peer| !departed.leaving.contains_key(&peer.id));
        for peer in present.chain(departed.leaving.values()) {
            *traffic.entry(peer.hub.name()).or_default() += peer.traffic.totals();
        }
        traffic
    }

    pub(crate) fn called(&self, hub: Hub, method: &'static str, outcome: Outcome) {
        self.calls.get_or_create(&Called { hub: hub.name(), method, outcome }).inc();
    }

    pub(crate) fn requested(&self, path: &str, status: u16, took: Duration) {
        self.requests.get_or_create(&Requested { path: path.to_owned(), status }).observe(took.as_secs_f64());
    }

    /// Counts an event of a group and the connections that it was queued for.
    pub(crate) fn published(&self, target: &'static str, recipients: usize) {
        self.published.get_or_create(&Target { target }).inc();
        self.sent.get_or_create(&Target { target }).inc_by(recipients as u64);
    }

    pub(crate) fn lagged(&self, behind: Duration) {
        self.lag.observe(behind.as_secs_f64());
    }

    pub(crate) fn login(&self, accepted: bool) {
        let outcome = if accepted { "accepted" } else { "refused" };
        self.logins.get_or_create(&LoginOutcome { outcome }).inc();
    }

    /// How many events of a target were published, and to how many connections in sum.
    pub(crate) fn events(&self, target: &'static str) -> (u64, u64) {
        let read = |family: &Family<Target, Counter>| family.get(&Target { target }).map_or(0, |counter| counter.get());
        (read(&self.published), read(&self.sent))
    }
}
