//! Random programs: whatever is asked, the books stay consistent and the events tell all of it.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::{Bracket, ModifyOrder, PositionType, Truth, TruthAccount, TruthOrder, TruthPosition, TruthTrade};
use super::*;

/// One step; numbers pick among what there is.
#[derive(Clone, Debug)]
enum Step {
    Place { kind: usize, buys: bool, size: i32, ticks: i32, stop: Option<i32>, target: Option<i32> },
    Modify { pick: usize, size: Option<i32>, ticks: i32 },
    Cancel(usize),
    Price(i32),
    Wait(i64),
    Close(Option<i32>),
    FillPartially(usize, i32),
    Expire(usize),
    Void(usize),
    Refuse,
    CanTrade(bool),
}

fn step() -> impl Strategy<Value = Step> {
    let bracket = || proptest::option::weighted(0.4, 4..30_i32);
    prop_oneof![
        6 => (0..6_usize, any::<bool>(), 1..4_i32, -8..8_i32, bracket(), bracket())
            .prop_map(|(kind, buys, size, ticks, stop, target)| Step::Place { kind, buys, size, ticks, stop, target }),
        2 => (any::<usize>(), proptest::option::of(0..6_i32), -8..8_i32)
            .prop_map(|(pick, size, ticks)| Step::Modify { pick, size, ticks }),
        2 => any::<usize>().prop_map(Step::Cancel),
        6 => (-12..12_i32).prop_map(Step::Price),
        6 => (0..30_i64).prop_map(Step::Wait),
        1 => proptest::option::of(0..4_i32).prop_map(Step::Close),
        1 => (any::<usize>(), 1..4_i32).prop_map(|(pick, size)| Step::FillPartially(pick, size)),
        1 => any::<usize>().prop_map(Step::Expire),
        1 => any::<usize>().prop_map(Step::Void),
        1 => Just(Step::Refuse),
        1 => proptest::bool::weighted(0.8).prop_map(Step::CanTrade),
    ]
}

/// What a client believes that has seen every event.
struct Fold {
    accounts: BTreeMap<i32, TruthAccount>,
    orders: BTreeMap<i64, Order>,
    positions: BTreeMap<String, TruthPosition>,
    trades: BTreeMap<i64, TruthTrade>,
    at: OffsetDateTime,
}

impl Fold {
    fn new(desk: &Desk) -> Self {
        let accounts = desk.exchange.truth(USER).accounts.into_iter().map(|account| (account.id, account)).collect();
        let (orders, positions, trades) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { accounts, orders, positions, trades, at: desk.now }
    }

    fn take(&mut self, event: UserEvent) {
        assert!(event.at >= self.at, "events come in the order of time");
        self.at = event.at;
        match event.value {
            Value::Account(account) => {
                let balance = account.balance.normalize().to_string();
                let believed = TruthAccount { id: account.id, balance, can_trade: account.can_trade };
                self.accounts.insert(account.id, believed);
            }
            Value::Order(order) => {
                if let Some(before) = self.orders.get(&order.id) {
                    assert!(!before.status.is_terminal(), "{before:?} became {order:?}");
                    assert!(order.update >= before.update + Duration::microseconds(1));
                    assert!(order.fill_volume >= before.fill_volume && order.fill_volume <= order.size);
                }
                assert!((1..=5).contains(&order.status.code()) || matches!(order.status.code(), 6 | 8));
                self.orders.insert(order.id, order);
            }
            Value::Position(position) if position.position_type == PositionType::Flat => {
                assert!(self.positions.remove(&position.contract_id).is_some());
            }
            Value::Position(position) => {
                self.positions.insert(position.contract_id.clone(), TruthPosition::from(&position));
            }
            Value::Trade(trade) => {
                self.trades.insert(trade.id, TruthTrade::from(&trade));
            }
        }
    }

    fn truth(&self) -> Truth {
        Truth {
            accounts: self.accounts.values().cloned().collect(),
            orders: self.orders.values().map(TruthOrder::from).collect(),
            positions: self.positions.values().cloned().collect(),
            trades: self.trades.values().cloned().collect(),
        }
    }
}

impl Desk {
    fn take(&mut self, step: Step) {
        let last = self.best.last;
        let away = |ticks: i32| last + Decimal::from(ticks) * at("0.25");
        let ids: Vec<i64> = self.exchange.truth(USER).orders.iter().map(|order| order.id).collect();
        let picked = |pick: usize| ids.get(pick % ids.len().max(1)).copied().unwrap_or_default();
        match step {
            Step::Place { kind, buys, size, ticks, stop, target } => {
                let (side, sign) = if buys { (Side::Buy, 1) } else { (Side::Sell, -1) };
                let kinds = [1, 2, 4, 5, 6, 7];
                let mut order = PlaceOrder { order_type: kinds[kind], ..self.order(OrderType::Market, side, size) };
                order.limit_price = Some(away(ticks));
                (order.stop_price, order.trail_price) =
                    (Some(away(ticks.abs() * sign)), Some(away(ticks.abs() * sign)));
                order.stop_loss = stop.map(|ticks| Bracket { ticks: -ticks * sign, order_type: 4 + (ticks & 1) });
                order.take_profit = target.map(|ticks| Bracket { ticks: ticks * sign, order_type: 1 });
                self.place(order);
            }
            Step::Modify { pick, size, ticks } => {
                let mut request = ModifyOrder::new(self.account, picked(pick));
                request.size = size;
                (request.limit_price, request.stop_price) = (Some(away(ticks)), Some(away(ticks)));
                request.trail_price = Some(away(ticks));
                self.exchange.modify(self.now, &request);
            }
            Step::Cancel(pick) => drop(self.exchange.cancel(self.now, self.account, picked(pick))),
            Step::Price(ticks) => {
                self.best = best(away(ticks));
                self.exchange.on_price(self.now, MNQ, &self.best);
            }
            Step::Wait(milliseconds) => {
                self.now += Duration::milliseconds(milliseconds);
                self.exchange.advance(self.now);
            }
            Step::Close(None) => drop(self.close()),
            Step::Close(Some(size)) => {
                let best = Some(self.best);
                self.exchange.partial_close(self.now, &self.contracts, best, self.account, MNQ, size);
            }
            Step::FillPartially(pick, size) => {
                self.exchange.fill_partially(self.now, self.account, picked(pick), size);
            }
            Step::Expire(pick) => drop(self.exchange.expire(self.now, self.account, picked(pick))),
            Step::Void(pick) => {
                let trades = self.exchange.trades(self.account, None, None).unwrap();
                let id = trades.get(pick % trades.len().max(1)).map_or(0, |trade| trade.id);
                self.exchange.void_trade(self.now, self.account, id);
            }
            Step::Refuse => drop(self.exchange.reject_next(self.account, "no")),
            Step::CanTrade(can_trade) => drop(self.exchange.set_can_trade(self.now, self.account, can_trade)),
        }
    }

    /// Positions are the sum of fills, the balance is the sum of trades, and the schedule lags nothing.
    fn check(&self) {
        let trades = self.exchange.trades(self.account, None, None).unwrap();
        let sign = |side| if side == Side::Buy { 1 } else { -1 };
        let traded: i32 = trades.iter().map(|trade| sign(trade.side) * trade.size).sum();
        let mut orders = BTreeMap::new();
        for trade in &trades {
            *orders.entry(trade.order_id).or_insert(0) += trade.size;
        }
        for order in self
            .exchange
            .query(&super::super::OrderQuery { page_size: 1_000, ..super::super::OrderQuery::new(self.account) })
            .unwrap()
            .orders
        {
            assert_eq!(order.fill_volume, orders.get(&order.id).copied().unwrap_or(0), "{order:?}");
            assert_eq!(order.filled_price.is_some(), order.fill_volume > 0);
            if order.status.code() == 2 {
                assert_eq!(order.remaining(), 0);
            }
        }
        let positions = self.exchange.positions(self.account).unwrap();
        let held = positions.iter().map(|position| match position.position_type {
            PositionType::Long => position.size,
            PositionType::Short => -position.size,
            PositionType::Flat => panic!("{position:?}"),
        });
        assert_eq!(held.sum::<i32>(), traded);
        let net: Decimal = trades.iter().filter(|trade| !trade.voided).map(super::super::Trade::net).sum();
        assert_eq!(self.balance(), at("150000") + net);
        if positions.is_empty() {
            // Flat: what was gained is exactly what was sold for less what was bought for.
            let cash = |trade: &super::super::Trade| trade.price * Decimal::from(-sign(trade.side) * trade.size);
            let gross: Decimal = trades.iter().filter_map(|trade| trade.profit_and_loss).sum();
            assert_eq!(gross, trades.iter().map(cash).sum::<Decimal>() * Decimal::from(2));
        }
        assert!(self.exchange.next_due().is_none_or(|due| due > self.now));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn the_books_are_consistent_and_the_events_tell_all(steps in proptest::collection::vec(step(), 1..60)) {
        let mut desk = Desk::new();
        let mut fold = Fold::new(&desk);
        for step in steps {
            desk.take(step);
            for event in desk.events() {
                fold.take(event);
            }
            desk.check();
            prop_assert_eq!(fold.truth(), desk.exchange.truth(USER));
        }
    }
}
