//! The gateway as its users know it: REST, logins, market and user hub, and what a test can ask of it.

#![allow(clippy::unwrap_used, reason = "this is test code, though clippy does not see it")]

#[path = "../common/mod.rs"]
mod common;

mod auth;
mod data;
mod door;
mod fight;
mod market;
mod oracle;
mod orders;
mod trading_day;
mod user_events;

use std::time::Duration;

use common::Client;
use mock_hub::{Clock, MockHub, Options};

/// The contract of most tests; active at the beginning of the virtual clock.
const MNQ: &str = "CON.F.US.MNQ.Z26";
const ACCOUNT: i32 = 10_000_001;
const OTHER_ACCOUNT: i32 = 10_000_002;

/// A hub whose time a test moves, and whose market stands still.
fn still() -> MockHub {
    start(Options { clock: Clock::Virtual, quotes_per_second: 0.0, ..Options::default() })
}

fn start(options: Options) -> MockHub {
    MockHub::start(options).expect("a hub on loopback starts")
}

/// Long enough for everything that an order sets off.
fn pass(hub: &MockHub) {
    hub.advance(Duration::from_millis(200)).expect("the clock is virtual");
}

async fn market(hub: &MockHub) -> Client {
    Client::connect(&hub.hub_url("market")).await
}
