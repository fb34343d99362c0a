//! Somebody who trades on another platform, at random.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use mock_hub::MockHub;
use mock_hub::exchange::{Bracket, ModifyOrder, OrderType, PlaceOrder, Side};
use mock_hub::market::Contracts;
use rust_decimal::Decimal;

pub(crate) struct Trader {
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Trader {
    /// Trades until it is dropped, with pauses of at most so long.
    pub(crate) fn start(hub: Arc<MockHub>, seed: u64, contracts: &'static [&'static str], pause: Duration) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let over = is_over.clone();
        let thread = thread::spawn(move || {
            let mut rng = fastrand::Rng::with_seed(seed);
            while !over.load(Ordering::SeqCst) {
                act(&hub, &mut rng, contracts);
                thread::sleep(pause.mul_f64(rng.f64()));
            }
        });
        Self { is_over, thread: Some(thread) }
    }
}

impl Drop for Trader {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        let ended = self.thread.take().map(JoinHandle::join);
        assert!(matches!(ended, None | Some(Ok(()))) || thread::panicking(), "the trader panicked");
    }
}

pub(crate) fn act(hub: &MockHub, rng: &mut fastrand::Rng, contracts: &[&str]) {
    let accounts = hub.accounts(None);
    let account = &accounts[rng.usize(..accounts.len())];
    let (account, may_trade) = (account.id, account.can_trade);
    if !may_trade && rng.bool() {
        hub.with_exchange(|now, exchange| exchange.set_can_trade(now, account, true));
    }
    let contract = contracts[rng.usize(..contracts.len())];
    let best = hub.with_market(|_, market| market.merged_quote(contract));
    let tick = hub.with_market(|_, market| market.contracts().find(contract).map(|found| found.tick_size));
    let (Some(best), Some(tick)) = (best, tick) else {
        hub.place(PlaceOrder::new(account, contract, OrderType::Market, Side::Buy, 1));
        return;
    };
    let is_mine = |status: i32, statuses: &[i32]| statuses.contains(&status);
    let pick = |rng: &mut fastrand::Rng, statuses: &[i32]| {
        let truth = hub.with_exchange(|_, exchange| exchange.truth("user"));
        let fitting: Vec<_> = truth.orders.iter().filter(|order| is_mine(order.status, statuses)).collect();
        (!fitting.is_empty()).then(|| {
            let order = fitting[rng.usize(..fitting.len())];
            (order.account_id, order.id)
        })
    };
    let away = Decimal::from(rng.i64(0..12)) * tick;
    let side = if rng.bool() { Side::Buy } else { Side::Sell };
    let signed = |ticks: i32| if side == Side::Buy { ticks } else { -ticks };
    let size = rng.i32(1..4);
    match rng.usize(..24) {
        0..=3 => {
            hub.place(PlaceOrder::new(account, contract, OrderType::Market, side, size));
        }
        4..=6 => {
            let limit = if side == Side::Buy { best.bid - away } else { best.ask + away };
            let order = PlaceOrder::new(account, contract, OrderType::Limit, side, size);
            hub.place(PlaceOrder { limit_price: Some(limit), ..order });
        }
        7..=8 => {
            let far = away + tick;
            let stop = if side == Side::Buy { best.ask + far } else { best.bid - far };
            let order = PlaceOrder::new(account, contract, OrderType::Stop, side, size);
            hub.place(PlaceOrder { stop_price: Some(stop), ..order });
        }
        9..=10 => {
            let order = PlaceOrder::new(account, contract, OrderType::Market, side, size);
            hub.place(PlaceOrder {
                stop_loss: Some(Bracket { ticks: signed(-rng.i32(4..20)), order_type: 4 }),
                take_profit: Some(Bracket { ticks: signed(rng.i32(4..20)), order_type: 1 }),
                ..order
            });
        }
        11..=12 => {
            let Some((account, order)) = pick(rng, &[1]) else { return };
            let mut change = ModifyOrder::new(account, order);
            let truth = hub.with_exchange(|_, exchange| exchange.truth("user"));
            if truth.orders.iter().any(|known| known.id == order && known.contract_id == contract) {
                (change.limit_price, change.stop_price) = (Some(best.bid - away), Some(best.ask + away + tick));
            }
            change.size = Some(size);
            hub.with_exchange(|now, exchange| exchange.modify(now, &change));
        }
        13..=15 => {
            let Some((account, order)) = pick(rng, &[1, 8]) else { return };
            hub.with_exchange(|now, exchange| exchange.cancel(now, account, order));
        }
        16 => {
            hub.close_position(account, contract);
        }
        17 => {
            hub.with_exchange(|now, exchange| {
                exchange.partial_close(now, &Contracts::new(now), Some(best), account, contract, 1)
            });
        }
        18 => {
            hub.with_exchange(|_, exchange| exchange.reject_next(account, "Not today."));
        }
        19 => {
            let Some((account, order)) = pick(rng, &[1, 6]) else { return };
            hub.with_exchange(|now, exchange| exchange.expire(now, account, order));
        }
        20 => {
            let trades = hub.with_exchange(|_, exchange| exchange.truth("user")).trades;
            if let Some(trade) = trades.get(rng.usize(..trades.len().max(1))) {
                hub.with_exchange(|now, exchange| exchange.void_trade(now, trade.account_id, trade.id));
            }
        }
        21 => {
            hub.with_exchange(|now, exchange| {
                exchange.set_balance(now, account, Decimal::from(rng.i64(50_000..150_000)))
            });
        }
        22 => {
            let can_trade = rng.u8(..4) > 0;
            hub.with_exchange(|now, exchange| exchange.set_can_trade(now, account, can_trade));
        }
        _ => {
            let Some((account, order)) = pick(rng, &[1]) else { return };
            hub.with_exchange(|now, exchange| exchange.fill_partially(now, account, order, 1));
        }
    }
}
