//! Every fault switched on, seen by a raw client, kept to its scope, and healed again.

#![allow(clippy::unwrap_used, reason = "this is test code, though clippy does not see it")]

#[path = "../common/mod.rs"]
mod common;

mod calls;
mod control;
mod door;
mod events;
mod records;
mod rest;
mod socket;

use std::time::Duration;

use common::{Client, DEADLINE};
use mock_hub::faults::{Fault, Rule};
use mock_hub::{MockHub, Options};

/// A hub where nothing moves by itself.
fn quiet_hub() -> MockHub {
    let options = Options {
        quotes_per_second: 0.0,
        any_login: true,
        keep_alive: Duration::from_secs(3600),
        ..Options::default()
    };
    MockHub::start(options).expect("a hub on loopback starts")
}

/// A client of a hub, and the id by which the hub knows it.
async fn connected(hub: &MockHub, name: &str) -> (Client, String) {
    let before: Vec<_> = hub.connections().into_iter().map(|connection| connection.id).collect();
    let client = Client::connect(&hub.hub_url(name)).await;
    let is_new = |hub: &MockHub| hub.connections().into_iter().find(|connection| !before.contains(&connection.id));
    assert!(hub.until(DEADLINE, |hub| is_new(hub).is_some()).await);
    let id = is_new(hub).unwrap().id;
    (client, id)
}

/// Sends `{"type":1,"target":"E","arguments":[n]}` to every connection of a hub.
fn publish(hub: &MockHub, name: &str, number: u32) {
    hub.publish(name, "E", &format!("[{number}]"), None).unwrap();
}

fn event(number: u32) -> String {
    format!("{{\"type\":1,\"target\":\"E\",\"arguments\":[{number}]}}")
}

fn inject(hub: &MockHub, rule: impl Into<Rule>) -> mock_hub::faults::FaultId {
    hub.inject(rule).expect("the rule makes sense")
}

fn acted(hub: &MockHub) -> u64 {
    hub.faults().last().unwrap().acted
}

fn once(fault: Fault) -> Rule {
    Rule::new(fault).times(1)
}
