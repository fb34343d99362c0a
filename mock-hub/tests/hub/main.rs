//! The gateway's behaviour, and what a test can do to it.

#![allow(clippy::unwrap_used, reason = "this is test code, though clippy does not see it")]

#[path = "../common/mod.rs"]
mod common;

mod counted;
mod doors;
mod ends;
mod events;

use common::DEADLINE;
use mock_hub::{MockHub, Options};

fn start(options: Options) -> MockHub {
    MockHub::start(options).expect("a hub on loopback starts")
}

async fn connected(hub: &MockHub, count: usize) {
    assert!(hub.until(DEADLINE, |hub| hub.connections().len() == count).await, "{:?}", hub.connections());
}
