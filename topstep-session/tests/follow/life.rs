//! How it begins, how it ends, and what happens to it in between.

use std::net::TcpListener;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use mock_hub::faults::Fault;
use mock_hub::{How, MockHub, Options};
use serde_json::Value;

use crate::follower::Follower;
use crate::history::entries;
use crate::proxy::Proxy;
use crate::run::{CONTRACTS, SOON, differences, is_whole};
use crate::trader::act;

const AT_ONCE: Duration = Duration::from_secs(5);

fn hub(seed: u64) -> MockHub {
    let require_token = Some(Vec::new());
    MockHub::start(Options { seed, require_token, quotes_per_second: 5.0, ..Options::default() }).unwrap()
}

fn target(hub: &MockHub) -> String {
    format!("127.0.0.1:{}", hub.port())
}

/// A port at which nobody listens.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("127.0.0.1:{}", listener.local_addr().unwrap().port())
}

/// Trades a little, then lets the market stand still.
fn trade(hub: &MockHub, seed: u64) {
    let mut rng = fastrand::Rng::with_seed(seed);
    for _ in 0..40 {
        act(hub, &mut rng, &CONTRACTS);
        thread::sleep(Duration::from_millis(20));
    }
    hub.set_market_rate(0.0);
}

fn settles(hub: &MockHub, follower: &mut Follower, within: Duration) {
    let settled = follower.until(within, |state| differences(&hub.truth(None), state).is_empty());
    if let Err(state) = settled {
        let tail = follower.protocol.lock().unwrap().tail.clone();
        panic!("not what is true: {:#?}\n{tail:#?}", differences(&hub.truth(None), &state));
    }
}

fn is_faultless(follower: &Follower) {
    let protocol = follower.protocol.lock().unwrap();
    assert!(protocol.faults.is_empty(), "{:#?}\n{:#?}", protocol.faults, protocol.tail);
}

fn begins_before_the_hub(runtime: &str) {
    let proxy = Proxy::to(&nobody());
    let mut follower = Follower::start(runtime, &proxy.url(), &CONTRACTS);
    let sample = follower.state();
    assert_eq!(sample.state["connected"]["user"], false, "{}", sample.state);
    let hub = hub(11);
    proxy.turn_to(&target(&hub));
    follower.until(4 * SOON, is_whole).unwrap();
    trade(&hub, 11);
    settles(&hub, &mut follower, SOON);
    is_faultless(&follower);
}

fn ends_where_there_is_no_hub(runtime: &str) {
    let proxy = Proxy::to(&nobody());
    for how in [Follower::exits, Follower::close_input] {
        let mut follower = Follower::start(runtime, &proxy.url(), &CONTRACTS);
        follower.state();
        how(&mut follower);
        let status = follower.ended(AT_ONCE);
        assert!(status.is_some_and(|status| status.success()), "{status:?}");
    }
}

fn ends_with_its_input(runtime: &str) {
    let hub = hub(12);
    let mut follower = Follower::start(runtime, &hub.url(), &CONTRACTS);
    follower.until(SOON, is_whole).unwrap();
    follower.close_input();
    let status = follower.ended(AT_ONCE);
    assert!(status.is_some_and(|status| status.success()), "{status:?}");
    assert!(hub.wait_until(SOON, |hub| hub.connections().is_empty()), "it does not hang up");
}

fn ends_with_an_error_if_its_key_is_wrong(runtime: &str) {
    let hub = hub(13);
    let mut follower = Follower::start_as(runtime, &hub.url(), "no-such-key", &CONTRACTS);
    let status = follower.ended(SOON);
    assert!(status.is_some_and(|status| !status.success()), "{status:?}");
    let complaints = follower.protocol.lock().unwrap().complaints.clone();
    assert!(!complaints.is_empty());
    assert!(complaints.iter().all(|line| !line.contains("no-such-key")), "it tells the key: {complaints:?}");
}

fn a_logout_leaves_everything_stale(runtime: &str) {
    let hub = hub(14);
    let mut follower = Follower::start(runtime, &hub.url(), &CONTRACTS);
    follower.until(SOON, is_whole).unwrap();
    trade(&hub, 14);
    settles(&hub, &mut follower, SOON);
    assert!(hub.log_out(None) > 0);
    let is_stale = |state: &Value| {
        state["connected"]["user"] == false
            && state["connected"]["market"] == false
            && ["accounts", "positions", "quotes"]
                .iter()
                .all(|list| entries(state, list).all(|entry| entry["known"] == "stale"))
            && entries(state, "orders").all(|order| is_over(order) != (order["known"] == "stale"))
            && entries(state, "trades").all(|trade| trade["known"] != "stale")
    };
    follower.until(SOON, is_stale).unwrap_or_else(|state| panic!("not stale: {state}"));
    // It starts no fight with whoever logged in.
    let accepted = hub.accepted();
    thread::sleep(Duration::from_secs(3));
    assert_eq!(hub.accepted(), accepted);
    assert!(follower.protocol.lock().unwrap().counts.contains_key("halted"));
    is_faultless(&follower);
}

fn is_over(order: &Value) -> bool {
    matches!(order["status"].as_i64(), Some(2..=5))
}

fn a_second_login_is_not_fought(runtime: &str) {
    let hub = hub(15);
    let mut first = Follower::start(runtime, &hub.url(), &CONTRACTS);
    first.until(SOON, is_whole).unwrap();
    let mut second = Follower::start(runtime, &hub.url(), &CONTRACTS);
    second.until(SOON, is_whole).unwrap();
    first.until(SOON, |state| state["connected"]["user"] == false && state["connected"]["market"] == false).unwrap();
    trade(&hub, 15);
    settles(&hub, &mut second, SOON);
    assert_eq!(hub.connections().len(), 2);
    is_faultless(&first);
    is_faultless(&second);
}

fn another_hub_in_its_place_is_followed(runtime: &str) {
    let old = hub(16);
    let proxy = Proxy::to(&target(&old));
    let mut follower = Follower::start(runtime, &proxy.url(), &CONTRACTS);
    follower.until(SOON, is_whole).unwrap();
    let new = hub(17);
    proxy.turn_to(&target(&new));
    old.stop();
    assert!(follower.hears(SOON, |protocol| protocol.losses("user") > 0 && protocol.losses("market") > 0));
    // Its token is not known there: it logs in anew.
    let whole = follower.until(4 * SOON, is_whole);
    whole.unwrap_or_else(|state| panic!("{state}\n{:#?}", follower.protocol.lock().unwrap().tail));
    trade(&new, 17);
    settles(&new, &mut follower, 2 * SOON);
    is_faultless(&follower);
}

/// Stops and continues a process.
fn signal(name: &str, id: u32) {
    let status = Command::new("kill").args([name, &id.to_string()]).status().unwrap();
    assert!(status.success());
}

fn a_process_that_was_suspended_finds_back(runtime: &str) {
    let hub = hub(18);
    let mut follower = Follower::start(runtime, &hub.url(), &CONTRACTS);
    follower.until(SOON, is_whole).unwrap();
    signal("-STOP", follower.id());
    let stopped = Instant::now();
    trade(&hub, 18);
    thread::sleep(Duration::from_secs(7).saturating_sub(stopped.elapsed()));
    signal("-CONT", follower.id());
    settles(&hub, &mut follower, 2 * SOON);
    is_faultless(&follower);
}

/// Takes minutes: a login may follow another one after 30 s at the earliest, and six are needed.
fn goes_on_after_too_many_logins(requires_token: bool) {
    let require_token = requires_token.then(Vec::new);
    let hub =
        MockHub::start(Options { seed: 19, require_token, quotes_per_second: 5.0, ..Options::default() }).unwrap();
    let mut follower = Follower::start("tokio", &hub.url(), &CONTRACTS);
    follower.until(SOON, is_whole).unwrap();
    for round in 0..7 {
        hub.inject(Fault::TokenExpiry { user: None, close: false }).unwrap();
        hub.drop_all(How::Reset);
        assert!(follower.hears(SOON, |protocol| protocol.losses("user") > round));
        follower.until(6 * SOON, is_whole).unwrap_or_else(|state| panic!("{round}: {state}"));
    }
    assert!(follower.protocol.lock().unwrap().counts.contains_key("halted"));
    trade(&hub, 19);
    settles(&hub, &mut follower, 4 * SOON);
}

#[test]
#[ignore = "takes five minutes"]
fn tokens_that_are_refused_again_and_again_do_not_end_it() {
    goes_on_after_too_many_logins(true);
}

/// The hubs go on, and REST does not.
#[test]
#[ignore = "takes five minutes"]
fn tokens_that_rest_alone_refuses_again_and_again_do_not_end_it() {
    goes_on_after_too_many_logins(false);
}

macro_rules! on_both_runtimes {
    ($($test:ident)*) => {
        mod tokio {
            $(#[test] fn $test() { super::$test("tokio"); })*
        }
        mod async_std {
            $(#[test] fn $test() { super::$test("async-std"); })*
        }
    };
}

on_both_runtimes! {
    begins_before_the_hub
    ends_where_there_is_no_hub
    ends_with_its_input
    ends_with_an_error_if_its_key_is_wrong
    a_logout_leaves_everything_stale
    a_second_login_is_not_fought
    another_hub_in_its_place_is_followed
    a_process_that_was_suspended_finds_back
}
