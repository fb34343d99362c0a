//! One loss at a time, and how soon everything is known again.

use std::time::Duration;

use mock_hub::faults::{Fault, Rule};
use mock_hub::{How, MockHub, Options};
use serde_json::json;

use crate::follower::Follower;
use crate::history::entries;
use crate::proxy::{Proxy, Trouble};
use crate::run::{CONTRACTS, SOON, differences, is_whole};

/// Well below the least time between two reconciles.
const AT_ONCE: Duration = Duration::from_secs(8);

fn hub() -> MockHub {
    MockHub::start(Options { quotes_per_second: 5.0, ..Options::default() }).unwrap()
}

/// A connection that was lost is asked for again at once, and so is REST: nothing was read in vain before.
#[test]
fn what_was_lost_is_read_as_soon_as_the_hub_is_back() {
    let hub = hub();
    let proxy = Proxy::to(&format!("127.0.0.1:{}", hub.port()));
    let mut follower = Follower::start("tokio", &proxy.url(), &CONTRACTS);
    follower.until(SOON, is_whole).unwrap();
    // The reconcile of the cold start must be long enough ago.
    std::thread::sleep(Duration::from_secs(16));
    proxy.strike(Trouble::Reset);
    assert!(follower.hears(SOON, |protocol| protocol.losses("user") == 1));
    let whole = follower.until(AT_ONCE, is_whole);
    whole.unwrap_or_else(|state| panic!("{state}\n{:#?}", follower.protocol.lock().unwrap().tail));
}

/// No gap closes on a connection that is lost.
#[test]
fn a_lost_connection_closes_no_gap() {
    let hub = hub();
    let mut follower = Follower::start("tokio", &hub.url(), &CONTRACTS);
    follower.until(SOON, is_whole).unwrap();
    hub.drop_all(How::Reset);
    assert!(follower.hears(SOON, |protocol| protocol.losses("user") == 1 && protocol.losses("market") == 1));
    follower.until(SOON, is_whole).unwrap();
    let protocol = follower.protocol.lock().unwrap();
    assert!(protocol.faults.is_empty(), "{:#?}\n{:#?}", protocol.faults, protocol.tail);
    // What is told of accounts, and of two accounts and two contracts, has one gap at the beginning and one now: each opens and closes.
    assert_eq!(protocol.counts.get("gap"), Some(&(2 * 2 * (1 + 2 * 3 + 2 * 3))), "{:#?}", protocol.tail);
}

/// An event that cannot be read is told, and REST tells what it was.
#[test]
fn an_event_that_cannot_be_read_opens_a_gap_that_rest_closes() {
    let hub = hub();
    let mut follower = Follower::start("async-std", &hub.url(), &CONTRACTS);
    follower.until(SOON, is_whole).unwrap();
    let connection = hub.connections().into_iter().find(|connection| connection.hub == "user").unwrap();
    let arguments = json!([{"action": 1, "data": {"id": "x"}}]).to_string();
    hub.send_to(&connection.id, "GatewayUserOrder", &arguments).unwrap();
    follower.until(SOON, |state| state["gapsOpen"] == 2).unwrap();
    follower.until(SOON, is_whole).unwrap();
    let protocol = follower.protocol.lock().unwrap();
    assert_eq!(protocol.counts.get("malformed"), Some(&1));
    assert!(protocol.faults.is_empty(), "{:#?}", protocol.faults);
}

/// A contract that does not exist stays silent, and harms nobody.
#[test]
fn a_contract_that_does_not_exist_harms_no_other() {
    let hub = hub();
    let contracts = [CONTRACTS[0], "CON.F.US.NOSUCH.Z26", ""];
    let mut follower = Follower::start("tokio", &hub.url(), &contracts[..2]);
    let is_quoted = |state: &serde_json::Value| {
        entries(state, "quotes").any(|quote| quote["contractId"] == CONTRACTS[0] && quote["known"] == "live")
    };
    follower.until(SOON, is_quoted).unwrap();
    let state = follower.state().state;
    let others = entries(&state, "quotes").filter(|quote| quote["contractId"] != CONTRACTS[0]);
    assert!(others.into_iter().all(|quote| quote["known"] != "live"), "{state}");
}

/// The hub goes on without a word of its quotes, and the market then stands still.
#[test]
fn quotes_that_the_hub_keeps_to_itself_are_asked_for() {
    let hub = hub();
    let mut follower = Follower::start("async-std", &hub.url(), &CONTRACTS);
    follower.until(SOON, is_whole).unwrap();
    let rule = hub.inject(Rule::new(Fault::LostEvents { group: Some("quotes/".to_owned()) }).on_hub("market")).unwrap();
    let is_behind = follower.until(SOON, |state| !differences(&hub.truth(None), state).is_empty());
    is_behind.unwrap();
    hub.set_market_rate(0.0);
    hub.heal(rule);
    let settled = follower.until(SOON, |state| differences(&hub.truth(None), state).is_empty());
    settled.unwrap_or_else(|state| panic!("{:#?}", differences(&hub.truth(None), &state)));
}

/// The hub agrees to a subscription, and sends nothing.
#[test]
fn quotes_that_never_come_are_asked_for() {
    let hub = hub();
    let rule = Rule::new(Fault::ZombieSubscriptions { method: Some("SubscribeContractQuotes".to_owned()) });
    let rule = hub.inject(rule).unwrap();
    let mut follower = Follower::start("tokio", &hub.url(), &CONTRACTS);
    assert!(
        hub.wait_for_calls(
            |calls| calls.iter().filter(|call| call.target == "SubscribeContractQuotes").count() == 2,
            SOON
        )
        .is_ok()
    );
    hub.heal(rule);
    let is_quoted = |state: &serde_json::Value| {
        is_whole(state) && entries(state, "quotes").filter(|quote| quote["known"] == "live").count() == CONTRACTS.len()
    };
    follower.until(2 * SOON, is_quoted).unwrap();
}
