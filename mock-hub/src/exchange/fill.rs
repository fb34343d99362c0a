//! A fill, and the order in which the venue tells of it.

use rust_decimal::Decimal;
use time::OffsetDateTime;

use super::Exchange;
use super::book::{Book, Entry};
use super::event::{ACTION_CREATE, ACTION_DELETE, ACTION_UPDATE, Kind, Value};
use super::holding::{AVERAGE_PLACES, Closed, Holding};
use super::order::OrderStatus;
use super::position::{Position, PositionType};
use super::trade::Trade;

/// A half-turn that a fill made.
struct Half {
    price: Decimal,
    size: i32,
    profit_and_loss: Option<Decimal>,
}

impl Exchange {
    /// Fills `size` of an order at a price: the order, the trades, the position and the balance change, the events
    /// are told as captured, and brackets go on.
    pub(super) fn fill(&mut self, at: OffsetDateTime, account_id: i32, order_id: i64, size: i32, price: Decimal) {
        let Some(Entry { order, .. }) = self.entry(account_id, order_id) else { return };
        let (side, contract_id, size) = (order.side, order.contract_id.clone(), size.min(order.remaining()));
        if size <= 0 || order.status.is_terminal() {
            return;
        }
        self.fill_order(at, account_id, order_id, size, price);
        let held = self.books.get(&account_id).and_then(|book| book.holdings.get(&contract_id));
        let closing = held.filter(|held| held.side() != side).map_or(0, |held| held.size().min(size));
        if closing == 0 {
            // Captured: the trade comes before the order that it fills.
            self.open_part(at, account_id, order_id, size, price, true);
            self.tell_account(at, account_id, 2);
        } else {
            self.tell_order(at, account_id, order_id);
            self.close_part(at, account_id, order_id, closing, price);
            if size > closing {
                self.open_part(at, account_id, order_id, size - closing, price, false);
            }
            let times = self.dice.usize(2..=4);
            self.tell_account(at, account_id, times);
        }
        self.after_fill(at, account_id, order_id, size);
    }

    fn fill_order(&mut self, at: OffsetDateTime, account_id: i32, order_id: i64, size: i32, price: Decimal) {
        let Some(book) = self.books.get_mut(&account_id) else { return };
        let Some(entry) = book.orders.get_mut(&order_id) else { return };
        entry.cost += price * Decimal::from(size);
        let cost = entry.cost;
        self.change_silently(at, account_id, order_id, |order| {
            order.fill_volume += size;
            order.filled_price = Some((cost / Decimal::from(order.fill_volume)).round_dp(AVERAGE_PLACES));
            order.status = if order.remaining() == 0 { OrderStatus::Filled } else { OrderStatus::Open };
        });
    }

    /// Adds to a position or opens one.
    fn open_part(&mut self, at: OffsetDateTime, account: i32, order_id: i64, size: i32, price: Decimal, tell: bool) {
        let half = Half { price, size, profit_and_loss: None };
        let Some(trade_id) = self.record(at, account, order_id, half) else { return };
        self.tell_trade(at, account, trade_id);
        if tell {
            self.tell_order(at, account, order_id);
        }
        let Self { books, ids, dice, .. } = self;
        let Some(book) = books.get_mut(&account) else { return };
        let Some(Entry { order, terms, .. }) = book.orders.get(&order_id) else { return };
        let new = || Holding::new(ids.position(dice), order.side, at);
        let held = book.holdings.entry(order.contract_id.clone()).or_insert_with(new);
        held.add(trade_id, price, size);
        let position = held.position(account, &terms.contract);
        self.tell(at, account, Kind::Position, ACTION_UPDATE, Value::Position(position));
    }

    /// Takes from a position; a flat one is told with the trades that had opened it.
    fn close_part(&mut self, at: OffsetDateTime, account: i32, order_id: i64, size: i32, price: Decimal) {
        let Some(book) = self.books.get_mut(&account) else { return };
        let Some(Entry { order, terms, .. }) = book.orders.get(&order_id) else { return };
        let terms = terms.clone();
        let Some(held) = book.holdings.get_mut(&order.contract_id) else { return };
        let Closed { gain, openings, average } = held.take(price, size);
        let mut position = held.position(account, &terms.contract);
        let flat = held.size() == 0;
        if flat {
            book.holdings.remove(&order.contract_id);
            position = Position { position_type: PositionType::Flat, average_price: average, ..position };
        }
        let profit = gain / terms.contract.tick_size * terms.contract.tick_value;
        let half = Half { price, size, profit_and_loss: Some(profit) };
        let Some(trade_id) = self.record(at, account, order_id, half) else { return };
        self.tell_trade(at, account, trade_id);
        for opening in openings.into_iter().filter(|_| flat) {
            self.tell_trade(at, account, opening);
        }
        let action = if flat { ACTION_DELETE } else { ACTION_UPDATE };
        self.tell(at, account, Kind::Position, action, Value::Position(position));
    }

    /// Writes a trade down and books it.
    fn record(&mut self, at: OffsetDateTime, account_id: i32, order_id: i64, half: Half) -> Option<i64> {
        let id = self.ids.trade(&mut self.dice);
        let Book { account, orders, trades, .. } = self.books.get_mut(&account_id)?;
        let Entry { order, terms, .. } = orders.get(&order_id)?;
        let contracts = Decimal::from(half.size);
        let trade = Trade {
            id,
            account_id,
            contract_id: order.contract_id.clone(),
            creation: at,
            price: half.price,
            profit_and_loss: half.profit_and_loss,
            fees: terms.costs.fee * contracts,
            commissions: terms.costs.commission * contracts,
            side: order.side,
            size: half.size,
            voided: false,
            order_id,
        };
        account.balance += trade.net();
        trades.insert(id, trade);
        Some(id)
    }

    fn tell_trade(&mut self, at: OffsetDateTime, account_id: i32, trade_id: i64) {
        let trade = self.books.get(&account_id).and_then(|book| book.trades.get(&trade_id)).cloned();
        let Some(trade) = trade else { return };
        self.tell(at, account_id, Kind::Trade, ACTION_CREATE, Value::Trade(trade));
    }

    /// The venue repeats itself: identical account events after each fill.
    pub(super) fn tell_account(&mut self, at: OffsetDateTime, account_id: i32, times: usize) {
        for _ in 0..times {
            let Some(book) = self.books.get(&account_id) else { return };
            let value = Value::Account(book.account.clone());
            self.tell(at, account_id, Kind::Account, ACTION_UPDATE, value);
        }
    }
}
