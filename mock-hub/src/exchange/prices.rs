//! Which price fills which order.

use rust_decimal::Decimal;
use time::OffsetDateTime;

use super::Exchange;
use super::book::Entry;
use super::order::{OrderStatus, OrderType, Side};
use crate::market::Best;

impl Exchange {
    /// Takes a contract's best prices: limits that the market reached fill at their price, stops that the last price
    /// reached fill at the market, trailing stops follow. Cheap where no order works.
    pub fn on_price(&mut self, now: OffsetDateTime, contract_id: &str, best: &Best) {
        let at = self.catch_up(now);
        self.learn(contract_id, *best);
        let Some(open) = self.open.get(contract_id) else { return };
        let open: Vec<_> = open.iter().copied().collect();
        for (account_id, order_id) in open {
            self.consider(at, account_id, order_id);
        }
    }

    pub(super) fn learn(&mut self, contract_id: &str, best: Best) {
        if let Some(known) = self.prices.get_mut(contract_id) {
            *known = best;
        } else {
            self.prices.insert(contract_id.to_owned(), best);
        }
    }

    /// Lets an open order follow the price, and fills it if the market is there.
    pub(super) fn consider(&mut self, at: OffsetDateTime, account_id: i32, order_id: i64) {
        if self.entry(account_id, order_id).is_none_or(|entry| entry.order.status != OrderStatus::Open) {
            return;
        }
        if let Some((price, size)) = self.offer(account_id, order_id) {
            self.fill(at, account_id, order_id, size, price);
        } else if let Some(stop) = self.trailed(account_id, order_id) {
            self.change(at, account_id, order_id, |order| order.stop_price = Some(stop));
        }
    }

    /// The price at which the market would fill an order now, and how much of it; `None` where it does not.
    pub(super) fn offer(&self, account_id: i32, order_id: i64) -> Option<(Decimal, i32)> {
        let Entry { order, .. } = self.entry(account_id, order_id)?;
        let best = self.prices.get(&order.contract_id)?;
        let market = match order.side {
            Side::Buy => best.ask,
            Side::Sell => best.bid,
        };
        let within = |price: Decimal, bound: Decimal| match order.side {
            Side::Buy => price <= bound,
            Side::Sell => price >= bound,
        };
        let price = match order.order_type {
            OrderType::Market => market,
            OrderType::Stop | OrderType::TrailingStop => {
                let stop = order.stop_price?;
                // A buy stop stands above the market: reached when the stop is within the last price.
                within(stop, best.last).then_some(market)?
            }
            OrderType::Limit | OrderType::JoinBid | OrderType::JoinAsk => {
                let limit = order.limit_price?;
                let resting = order.status == OrderStatus::Open;
                within(market, limit).then_some(if resting { limit } else { market })?
            }
        };
        (order.remaining() > 0).then_some((price, order.remaining()))
    }

    /// Where a trailing stop's stop has moved to; `None` where it stays.
    fn trailed(&self, account_id: i32, order_id: i64) -> Option<Decimal> {
        let Entry { order, .. } = self.entry(account_id, order_id)?;
        if order.order_type != OrderType::TrailingStop {
            return None;
        }
        let level = self.prices.get(&order.contract_id)?.last + order.trail_price?;
        let stop = order.stop_price?;
        let follows = match order.side {
            Side::Buy => level < stop,
            Side::Sell => level > stop,
        };
        follows.then_some(level)
    }
}
