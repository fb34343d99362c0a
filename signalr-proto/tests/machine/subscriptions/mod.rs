//! Durable subscriptions: what is written in which order, who is told what, and the gaps between.

mod asking;
mod leaving;
mod restoring;

use signalr_proto::HubConnectionConfig;

use crate::support::sim::{Sim, reconnecting, subscription};

fn sub(id: u64, key: &str) -> String {
    format!(r#"{{"type":1,"invocationId":"{id}","target":"Sub","arguments":["{key}"]}}"#)
}

fn unsub(id: u64, key: &str) -> String {
    format!(r#"{{"type":1,"invocationId":"{id}","target":"Unsub","arguments":["{key}"]}}"#)
}

/// Connected, with acknowledged subscriptions to these keys (ids 1, 2, ...; tokens #2, #3, ...).
fn subscribed(config: HubConnectionConfig, keys: &[&str]) -> Sim {
    let mut sim = Sim::new(config).connect();
    for (index, key) in keys.iter().enumerate() {
        sim.subscribe(&subscription(key));
        sim.complete(&(index + 1).to_string());
    }
    sim.wire();
    sim.log.take();
    sim
}

fn outage() -> HubConnectionConfig {
    reconnecting([0, 0, 0, 0])
}

fn reconnect(sim: &mut Sim) {
    sim.lose();
    sim.seconds(0);
    sim.link();
}
