//! `Order/modify` and `Order/cancel`.

use time::OffsetDateTime;

use super::Exchange;
use super::answer::{Answer, change};
use super::book::Entry;
use super::checks::{self, Levels};
use super::order::{OrderStatus, OrderType};
use super::request::ModifyOrder;

impl Exchange {
    /// Changes an order at work: told as open (1) again, and filled at once where its new price is in the market.
    pub fn modify(&mut self, now: OffsetDateTime, request: &ModifyOrder) -> Answer {
        let at = self.catch_up(now);
        let &ModifyOrder { account_id, order_id, size, .. } = request;
        let entry = match self.find(account_id, order_id) {
            Ok(entry) => entry,
            Err(answer) => return answer,
        };
        match entry.order.status {
            OrderStatus::Open => {}
            OrderStatus::Pending => return Answer::code(change::PENDING),
            _ => return Answer::code(change::REJECTED),
        }
        let levels = match self.new_levels(entry, request) {
            Ok(levels) => levels,
            Err(message) => return Answer::refused(change::REJECTED, message),
        };
        if size.is_some_and(|size| !checks::is_size(size) || size <= entry.order.fill_volume) {
            return Answer::refused(change::REJECTED, checks::INVALID_SIZE);
        }
        let sleeping = entry.children.clone();
        self.change(at, account_id, order_id, |order| {
            order.size = size.unwrap_or(order.size);
            order.limit_price = levels.limit_price;
            order.stop_price = levels.stop_price;
            if let Some(trail) = levels.trail {
                (order.trail_distance, order.trail_price) = (Some(trail.ticks), Some(trail.distance));
            }
        });
        if let Some(size) = size {
            for child in sleeping {
                self.change(at, account_id, child, |child| child.size = size);
            }
        }
        self.consider(at, account_id, order_id);
        Answer::done()
    }

    /// Cancels an order at work or asleep, at once; the sleeping children of an entry go with it.
    pub fn cancel(&mut self, now: OffsetDateTime, account_id: i32, order_id: i64) -> Answer {
        let at = self.catch_up(now);
        let entry = match self.find(account_id, order_id) {
            Ok(entry) => entry,
            Err(answer) => return answer,
        };
        match entry.order.status {
            OrderStatus::Open | OrderStatus::Suspended => {}
            OrderStatus::Pending => return Answer::code(change::PENDING),
            _ => return Answer::code(change::REJECTED),
        }
        self.end(at, account_id, order_id, OrderStatus::Cancelled);
        Answer::done()
    }

    fn find(&self, account_id: i32, order_id: i64) -> Result<&Entry, Answer> {
        let book = self.books.get(&account_id).ok_or(Answer::code(change::ACCOUNT_NOT_FOUND))?;
        book.orders.get(&order_id).ok_or(Answer::code(change::ORDER_NOT_FOUND))
    }

    /// The order's prices after a request; a price that its type does not have is ignored.
    fn new_levels(&self, entry: &Entry, request: &ModifyOrder) -> Result<Levels, String> {
        let Entry { order, terms, .. } = entry;
        let tick = terms.contract.tick_size;
        let mut levels = Levels { limit_price: order.limit_price, stop_price: order.stop_price, trail: None };
        if order.order_type.is_limit() && request.limit_price.is_some() {
            levels.limit_price = Some(checks::limit(request.limit_price, tick)?);
        }
        let best = *self.prices.get(&order.contract_id).ok_or(checks::NO_PRICE)?;
        if order.order_type == OrderType::Stop && request.stop_price.is_some() {
            levels.stop_price = Some(checks::stop(request.stop_price, tick, order.side, best)?);
        }
        if order.order_type == OrderType::TrailingStop && request.trail_price.is_some() {
            let (stop, trail) = checks::trail(request.trail_price, tick, order.side, best)?;
            (levels.stop_price, levels.trail) = (Some(stop), Some(trail));
        }
        Ok(levels)
    }
}
