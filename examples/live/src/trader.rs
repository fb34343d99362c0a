//! Somebody who trades at our own hub, so that there are user events to watch.

use std::io;
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use mock_hub::MockHub;
use mock_hub::exchange::{OrderType, PlaceOrder, Side};

/// Between an entry and its exit, and the next entry.
const PACE: Duration = Duration::from_millis(500);

/// Trades for as long as the hub is there; yields the account.
pub(crate) fn start(hub: &Arc<MockHub>) -> io::Result<i64> {
    let accounts = hub.accounts(None);
    let account = accounts.first().ok_or_else(|| io::Error::other("the hub has no account"))?.id;
    let contract = hub.with_market(|_, market| market.contracts().active().first().map(|first| first.id.clone()));
    let contract = contract.ok_or_else(|| io::Error::other("the hub has no contract"))?;
    let hub = Arc::downgrade(hub);
    thread::Builder::new().name("trader".to_owned()).spawn(move || trade(&hub, account, &contract))?;
    Ok(i64::from(account))
}

fn trade(hub: &Weak<MockHub>, account: i32, contract: &str) {
    for is_entry in [true, false].into_iter().cycle() {
        let Some(hub) = hub.upgrade() else { return };
        if is_entry {
            hub.place(PlaceOrder::new(account, contract, OrderType::Market, Side::Buy, 1));
        } else {
            hub.close_position(account, contract);
        }
        drop(hub);
        thread::sleep(PACE);
    }
}
