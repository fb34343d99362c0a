//! The exchange against the captures, rule by rule, and against itself.

mod brackets;
mod changes;
mod fills;
mod hooks;
mod members;
mod programs;
mod refusals;
mod searches;
mod triggers;

use rust_decimal::Decimal;
use time::{Duration, OffsetDateTime};

use super::{Answer, Exchange, NewAccount, Order, OrderType, PlaceAnswer, PlaceOrder, Side, UserEvent, Value};
use crate::market::{Best, Contracts};

const USER: &str = "trader";
const MNQ: &str = "CON.F.US.MNQ.Z26";
const ES: &str = "CON.F.US.EP.Z26";

/// An exchange with one account, and a contract whose ask stands a tick over its bid.
struct Desk {
    exchange: Exchange,
    contracts: Contracts,
    now: OffsetDateTime,
    account: i32,
    best: Best,
}

impl Desk {
    fn new() -> Self {
        let now = OffsetDateTime::from_unix_timestamp(1_795_262_400).unwrap();
        let mut exchange = Exchange::new(7);
        let account = exchange.add_account(USER, NewAccount::practice());
        Self { exchange, contracts: Contracts::new(now), now, account, best: best(at("20000")) }
    }

    fn order(&self, order_type: OrderType, side: Side, size: i32) -> PlaceOrder {
        PlaceOrder::new(self.account, MNQ, order_type, side, size)
    }

    fn place(&mut self, order: PlaceOrder) -> PlaceAnswer {
        self.exchange.place(self.now, &self.contracts, Some(self.best), order)
    }

    /// Places an order that must be taken, and gives what comes next its time.
    fn placed(&mut self, order: PlaceOrder) -> i64 {
        let answer = self.place(order);
        assert!(answer.is_success(), "{answer:?}");
        self.later();
        answer.order_id.unwrap()
    }

    fn market(&mut self, side: Side, size: i32) -> i64 {
        self.placed(self.order(OrderType::Market, side, size))
    }

    fn limit(&mut self, side: Side, size: i32, price: &str) -> i64 {
        let mut order = self.order(OrderType::Limit, side, size);
        order.limit_price = Some(at(price));
        self.placed(order)
    }

    fn close(&mut self) -> Answer {
        self.exchange.close_contract(self.now, &self.contracts, Some(self.best), self.account, MNQ)
    }

    fn later(&mut self) {
        self.now += Duration::milliseconds(100);
        self.exchange.advance(self.now);
    }

    /// The last price moves, bid and ask with it.
    fn price(&mut self, last: &str) {
        self.now += Duration::milliseconds(100);
        self.best = best(at(last));
        self.exchange.on_price(self.now, MNQ, &self.best);
    }

    fn events(&mut self) -> Vec<UserEvent> {
        std::iter::from_fn(|| self.exchange.poll_event()).collect()
    }

    /// The events since the last call, a few words each; equal account events in a row are one.
    fn told(&mut self) -> Vec<String> {
        let mut told: Vec<String> = self.events().iter().map(words).collect();
        told.dedup_by(|next, last| next == last && next.starts_with("account"));
        told
    }

    fn find(&self, order_id: i64) -> Order {
        self.exchange.order_by_id(self.account, order_id).unwrap()
    }

    fn status(&self, order_id: i64) -> i32 {
        self.find(order_id).status.code()
    }

    fn balance(&self) -> Decimal {
        self.exchange.accounts(USER, false)[0].balance
    }
}

/// `order 2 SL 0/1`, `trade 20000 x1 -49`, `position 1: 1 x1 @20000`, `account 149999.39`.
fn words(event: &UserEvent) -> String {
    match &event.value {
        Value::Account(account) => format!("account {}", account.balance.normalize()),
        Value::Order(order) => {
            let tag = order.custom_tag.as_deref().unwrap_or_default();
            let child = tag.rsplit_once('-').map_or("", |(_, child)| child);
            format!("order {} {child} {}/{}", order.status.code(), order.fill_volume, order.size).replace("  ", " ")
        }
        Value::Position(position) => {
            let (kind, price) = (position.position_type.code(), position.average_price.normalize());
            format!("position {}: {kind} x{} @{price}", event.action, position.size)
        }
        Value::Trade(trade) => {
            let profit = trade.profit_and_loss.map(|profit| format!(" {}", profit.normalize())).unwrap_or_default();
            format!("trade {} x{}{profit}", trade.price.normalize(), trade.size)
        }
    }
}

fn best(last: Decimal) -> Best {
    Best { bid: last - at("0.25"), ask: last, last }
}

fn at(price: &str) -> Decimal {
    price.parse().unwrap()
}
