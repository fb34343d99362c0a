//! What a test or a scenario makes happen. Each returns whether there was anything to do it to.

use rust_decimal::Decimal;
use time::OffsetDateTime;

use super::Exchange;
use super::book::{Book, Entry};
use super::event::{ACTION_UPDATE, Kind, Value};
use super::order::{OrderStatus, OrderType, Side};

/// Dollars either way, so that no sum of theirs overflows.
const MAX_BALANCE: i64 = 1_000_000_000_000;
/// The refusals of an account that wait for an order, and the characters of each.
const MAX_REFUSALS: usize = 1_000;
const MAX_REFUSAL: usize = 1_000;

impl Exchange {
    /// Refuses the account's next order of a valid type, side and size with a message of at most 1,000 characters;
    /// several wait in turn, a thousand at the most.
    pub fn reject_next(&mut self, account_id: i32, message: &str) -> bool {
        let Some(book) = self.books.get_mut(&account_id) else { return false };
        if book.refusals.len() >= MAX_REFUSALS {
            return false;
        }
        book.refusals.push_back(message.chars().take(MAX_REFUSAL).collect());
        true
    }

    /// Fills a part of a pending or open order at its limit, or at the market where it has none or none is better; a
    /// part that is all fills it. The rest goes on as the order would have.
    pub fn fill_partially(&mut self, now: OffsetDateTime, account_id: i32, order_id: i64, size: i32) -> bool {
        let at = self.catch_up(now);
        if size <= 0 || self.entry(account_id, order_id).is_none_or(|entry| !Book::counts(entry.order.status)) {
            return false;
        }
        self.join(at, account_id, order_id);
        let Some(Entry { order, .. }) = self.entry(account_id, order_id) else { return false };
        let market = self.prices.get(&order.contract_id).map(|best| match order.side {
            Side::Buy => best.ask,
            Side::Sell => best.bid,
        });
        let price = match order.order_type {
            OrderType::Stop | OrderType::TrailingStop => order.stop_price,
            _ => order.limit_price,
        };
        let Some(price) = price.or(market) else { return false };
        self.fill(at, account_id, order_id, size, price);
        true
    }

    /// Lets an order expire (4) that is not terminal.
    pub fn expire(&mut self, now: OffsetDateTime, account_id: i32, order_id: i64) -> bool {
        let at = self.catch_up(now);
        let live = self.entry(account_id, order_id).is_some_and(|entry| !entry.order.status.is_terminal());
        self.end(at, account_id, order_id, OrderStatus::Expired);
        live
    }

    /// Lets an account trade, or not: then it places nothing, and may still cancel and close.
    pub fn set_can_trade(&mut self, now: OffsetDateTime, account_id: i32, can_trade: bool) -> bool {
        self.set(now, account_id, |book| book.account.can_trade = can_trade)
    }

    /// Sets an account's balance, cut to a trillion dollars either way.
    pub fn set_balance(&mut self, now: OffsetDateTime, account_id: i32, balance: Decimal) -> bool {
        let most = Decimal::from(MAX_BALANCE);
        self.set(now, account_id, |book| book.account.balance = balance.clamp(-most, most))
    }

    /// Makes an account active or not; one that is not is left out where only active ones are asked for, and cannot
    /// trade.
    pub fn set_active(&mut self, now: OffsetDateTime, account_id: i32, active: bool) -> bool {
        self.set(now, account_id, |book| (book.active, book.account.can_trade) = (active, active))
    }

    /// Switches an account from Auto-OCO brackets to Position Brackets, which refuses brackets in orders, or back.
    pub fn set_position_brackets(&mut self, account_id: i32, position_brackets: bool) -> bool {
        let Some(book) = self.books.get_mut(&account_id) else { return false };
        book.position_brackets = position_brackets;
        true
    }

    /// Takes a trade back: it is told as voided and the balance as if it had not been. The position stays; the
    /// venue's desk would correct it with a trade of its own.
    pub fn void_trade(&mut self, now: OffsetDateTime, account_id: i32, trade_id: i64) -> bool {
        let at = self.catch_up(now);
        let Some(Book { account, trades, .. }) = self.books.get_mut(&account_id) else { return false };
        let Some(trade) = trades.get_mut(&trade_id).filter(|trade| !trade.voided) else { return false };
        trade.voided = true;
        account.balance -= trade.net();
        let trade = trade.clone();
        self.tell(at, account_id, Kind::Trade, ACTION_UPDATE, Value::Trade(trade));
        self.tell_account(at, account_id, 1);
        true
    }

    fn set(&mut self, now: OffsetDateTime, account_id: i32, how: impl FnOnce(&mut Book)) -> bool {
        let at = self.catch_up(now);
        let Some(book) = self.books.get_mut(&account_id) else { return false };
        how(book);
        self.tell_account(at, account_id, 1);
        true
    }
}
