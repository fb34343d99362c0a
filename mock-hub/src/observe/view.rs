//! The console's view of the hub: one JSON object that says what is here now.

use std::time::Instant;

use serde::Serialize;

use crate::gateway::Gateway;
use crate::observe::Totals;

/// The connections and the groups that one view names; the counts cover all.
const MOST_NAMED: usize = 200;
/// The subscriptions that are named for one connection.
const MOST_SUBSCRIPTIONS: usize = 20;
const TARGETS: [&str; 8] = [
    "GatewayQuote",
    "GatewayTrade",
    "GatewayDepth",
    "GatewayUserAccount",
    "GatewayUserOrder",
    "GatewayUserPosition",
    "GatewayUserTrade",
    "other",
];

/// When the hub began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pulse(Instant);

impl Default for Pulse {
    fn default() -> Self {
        Self(Instant::now())
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct View {
    uptime_ms: u128,
    rate: f64,
    accepted: u64,
    open: usize,
    connections: Vec<Connection>,
    groups: Vec<Group>,
    targets: Vec<Target>,
    bytes_in: u64,
    bytes_out: u64,
    records_out: u64,
    queued_bytes: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Connection {
    id: String,
    hub: &'static str,
    user: Option<String>,
    age_ms: u128,
    transport: &'static str,
    subscriptions: Vec<String>,
    subscription_count: usize,
    records_out: u64,
    bytes_out: u64,
    messages_in: u64,
    queued_bytes: usize,
    silent: bool,
}

#[derive(Serialize)]
struct Group {
    hub: &'static str,
    group: String,
    members: usize,
}

#[derive(Serialize)]
struct Target {
    target: &'static str,
    published: u64,
    sent: u64,
}

/// The view, as JSON text.
pub(crate) fn snapshot(gateway: &Gateway) -> String {
    let present = gateway.peers.present();
    let mut totals = Totals::default();
    gateway.metrics.traffic(&gateway.peers).into_values().for_each(|of_hub| totals += of_hub);
    let mut queued_bytes = 0;
    let mut connections = Vec::with_capacity(present.len().min(MOST_NAMED));
    for peer in &present {
        let own = peer.traffic.totals();
        queued_bytes += peer.outbox.queued_bytes();
        if connections.len() < MOST_NAMED {
            let mut subscriptions = gateway.peers.subscriptions_of(&peer.id);
            subscriptions.sort_unstable();
            let subscription_count = subscriptions.len();
            subscriptions.truncate(MOST_SUBSCRIPTIONS);
            connections.push(Connection {
                id: peer.id.clone(),
                hub: peer.hub.name(),
                user: peer.origin.user.clone(),
                age_ms: peer.age().as_millis(),
                transport: "WebSockets",
                subscriptions,
                subscription_count,
                records_out: own.records_out,
                bytes_out: own.bytes_out,
                messages_in: own.messages_in,
                queued_bytes: peer.outbox.queued_bytes(),
                silent: peer.wire().is_some_and(|wire| wire.is_silent()),
            });
        }
    }
    let mut groups: Vec<_> = gateway.peers.group_sizes();
    groups.sort_unstable();
    groups.truncate(MOST_NAMED);
    let target = |target| {
        let (published, sent) = gateway.metrics.events(target);
        Target { target, published, sent }
    };
    let view = View {
        uptime_ms: gateway.pulse.0.elapsed().as_millis(),
        rate: gateway.world.rate(),
        accepted: gateway.peers.accepted(),
        open: present.len(),
        connections,
        groups: groups.into_iter().map(|(hub, group, members)| Group { hub, group, members }).collect(),
        targets: TARGETS.into_iter().map(target).collect(),
        bytes_in: totals.bytes_in,
        bytes_out: totals.bytes_out,
        records_out: totals.records_out,
        queued_bytes,
    };
    // Nothing in it can fail to be written: no map with keys that are no text.
    serde_json::to_string(&view).unwrap_or_else(|_| "null".to_owned())
}
