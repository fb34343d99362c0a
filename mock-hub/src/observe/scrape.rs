//! `GET /metrics`: what is kept as it happens, and what is counted when somebody asks.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::Ordering;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::{Totals, fault_name, target_of};
use crate::gateway::Gateway;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfHub {
    hub: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfFault {
    fault: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfTarget {
    hub: &'static str,
    target: &'static str,
}

/// Everything in the OpenMetrics text format, which Prometheus reads as its own.
pub(crate) fn scrape(gateway: &Gateway) -> Result<String, fmt::Error> {
    let mut text = String::new();
    text::encode_registry(&mut text, &now(gateway))?;
    text::encode_registry(&mut text, gateway.metrics.registry())?;
    text::encode_eof(&mut text)?;
    Ok(text)
}

fn now(gateway: &Gateway) -> Registry {
    let mut registry = Registry::with_prefix("mock_hub");
    let traffic = gateway.metrics.traffic(&gateway.peers);
    let open = Family::<OfHub, Gauge>::default();
    let (waiting, longest) = (Gauge::<i64>::default(), Gauge::<i64>::default());
    for peer in gateway.peers.present() {
        open.get_or_create(&OfHub { hub: peer.hub.name() }).inc();
        let queued = i64::try_from(peer.outbox.queued_bytes()).unwrap_or(i64::MAX);
        waiting.inc_by(queued);
        longest.set(longest.get().max(queued));
    }
    registry.register("connections_open", "Hub connections after their handshake", open);
    registry.register("queue_bytes", "Bytes that wait to be written, over all connections", waiting);
    registry.register("queue_longest_bytes", "Bytes that wait for the slowest connection", longest);
    counters(&mut registry, gateway, &traffic);

    let subscriptions = Family::<OfTarget, Gauge>::default();
    for (hub, group, members) in gateway.peers.group_sizes() {
        let members = i64::try_from(members).unwrap_or(i64::MAX);
        subscriptions.get_or_create(&OfTarget { hub, target: target_of(hub, &group) }).inc_by(members);
    }
    let acted = Family::<OfFault, Counter>::default();
    for report in gateway.faults.reports() {
        acted.get_or_create(&OfFault { fault: fault_name(&report.rule.fault) }).inc_by(report.acted);
    }
    registry.register("faults_acted", "How often faults acted, by name; of the last 1000 rules", acted);
    registry.register("subscriptions", "Memberships of groups, by what they carry", subscriptions);
    registry
}

fn counters(registry: &mut Registry, gateway: &Gateway, traffic: &HashMap<&'static str, Totals>) {
    let mut alone = |name: &str, help: &str, value: u64| {
        let counter = Counter::<u64>::default();
        counter.inc_by(value);
        registry.register(name, help, counter);
    };
    alone("connections_accepted", "Hub connections that ever finished their handshake", gateway.peers.accepted());
    let negotiations = gateway.negotiations.load(Ordering::Relaxed);
    alone("negotiations", "Negotiate requests, refused ones included", negotiations);
    alone("upgrades", "WebSocket upgrades asked for, refused ones included", gateway.upgrades.load(Ordering::Relaxed));

    let mut by_hub = |name: &str, help: &str, value: fn(&Totals) -> u64| {
        let family = Family::<OfHub, Counter>::default();
        for (hub, totals) in traffic {
            family.get_or_create(&OfHub { hub }).inc_by(value(totals));
        }
        registry.register(name, help, family);
    };
    by_hub("received_messages", "WebSocket messages received", |totals| totals.messages_in);
    by_hub("received_bytes", "Bytes of WebSocket messages received", |totals| totals.bytes_in);
    by_hub("queued_records", "Records queued for connections, of every kind", |totals| totals.records_out);
    by_hub("written_bytes", "Bytes of records written", |totals| totals.bytes_out);
}
