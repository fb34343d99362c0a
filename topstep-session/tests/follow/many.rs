//! Many contracts, many accounts.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use mock_hub::exchange::NewAccount;
use mock_hub::{How, MockHub, Options};

use crate::follower::Follower;
use crate::history::entries;
use crate::run::{CONTRACTS, SOON, differences, is_whole};
use crate::trader::act;

/// Fifty contracts and ten accounts are 181 subscriptions, and as many reads as the venue allows in a minute, nearly.
#[test]
fn fifty_contracts_and_ten_accounts_are_known() {
    let hub = Arc::new(MockHub::start(Options { quotes_per_second: 2.0, ..Options::default() }).unwrap());
    hub.with_exchange(|_, exchange| {
        for _ in 0..8 {
            exchange.add_account("user", NewAccount::practice());
        }
    });
    let active = hub.with_market(|_, market| market.contracts().active().to_vec());
    let contracts: Vec<&str> = active.iter().map(|contract| &*contract.id).take(50).collect();
    let mut follower = Follower::start("tokio", &hub.url(), &contracts);
    let began = follower.until(4 * SOON, |state| is_whole(state) && entries(state, "accounts").count() == 10);
    began.unwrap_or_else(|state| panic!("it does not begin: {state}"));
    let mut rng = fastrand::Rng::with_seed(9);
    for round in 0..120 {
        act(&hub, &mut rng, &CONTRACTS);
        thread::sleep(Duration::from_millis(20));
        if round == 60 {
            hub.drop_all(How::Reset);
        }
    }
    hub.set_market_rate(0.0);
    let settled = follower.until(6 * SOON, |state| differences(&hub.truth(None), state).is_empty());
    settled.unwrap_or_else(|state| panic!("{:#?}", differences(&hub.truth(None), &state)));
    let protocol = follower.protocol.lock().unwrap();
    assert!(protocol.faults.is_empty(), "{:#?}", protocol.faults);
}
