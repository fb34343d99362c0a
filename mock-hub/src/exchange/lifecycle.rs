//! What happens to an order by itself, and the one place where an order changes.

use time::{Duration, OffsetDateTime};

use super::book::{Book, Entry};
use super::event::{ACTION_UPDATE, Kind, UserEvent, Value};
use super::order::{Order, OrderStatus, OrderType};
use super::{Exchange, stamp};

/// From order to fill the captures show 8 to 25 ms, in steps of 100 ns.
const DELAY: std::ops::RangeInclusive<i64> = 80_000..=250_000;
/// The captured rejection came 2.4 ms after its order.
const REJECTION_DELAY: std::ops::RangeInclusive<i64> = 20_000..=30_000;

/// Something that was decided and has not happened yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Due {
    account_id: i32,
    order_id: i64,
    what: What,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum What {
    /// A pending order reaches the market.
    Accept,
    /// A pending order is refused.
    Reject,
    /// The children of a filled entry wake.
    Wake,
}

impl Exchange {
    /// Does everything that is due up to `now`, each at its own time. Every request and price does this first, so a
    /// caller needs it only when nothing else happens.
    pub fn advance(&mut self, now: OffsetDateTime) {
        let now = stamp::whole_steps(now);
        while let Some(next) = self.due.first_entry() {
            let at = next.key().0;
            if at > now {
                break;
            }
            let due = next.remove();
            self.clock = self.clock.max(at);
            self.happen(self.clock, due);
        }
        self.clock = self.clock.max(now);
    }

    /// The time at which something asked for now happens.
    pub(super) fn catch_up(&mut self, now: OffsetDateTime) -> OffsetDateTime {
        self.advance(now);
        self.clock
    }

    /// Decides that something happens a little later.
    pub(super) fn schedule(&mut self, at: OffsetDateTime, account_id: i32, order_id: i64, what: What) {
        let steps = self.dice.i64(if matches!(what, What::Reject) { REJECTION_DELAY } else { DELAY });
        self.decided += 1;
        let due = Due { account_id, order_id, what };
        self.due.insert((at.saturating_add(Duration::nanoseconds(steps * 100)), self.decided), due);
    }

    pub(super) fn entry(&self, account_id: i32, order_id: i64) -> Option<&Entry> {
        self.books.get(&account_id)?.orders.get(&order_id)
    }

    /// Takes a new order into the book and tells of it.
    pub(super) fn admit(&mut self, at: OffsetDateTime, entry: Entry) {
        let (account_id, order_id) = (entry.order.account_id, entry.order.id);
        let Some(book) = self.books.get_mut(&account_id) else { return };
        book.working += usize::from(Book::counts(entry.order.status));
        book.tags.extend(entry.order.custom_tag.clone());
        book.orders.insert(order_id, entry);
        self.tell_order(at, account_id, order_id);
    }

    /// Changes an order that is not terminal, stamps it, and tells of it. Every change of an order goes through here.
    pub(super) fn change(&mut self, at: OffsetDateTime, account_id: i32, order_id: i64, how: impl FnOnce(&mut Order)) {
        if self.change_silently(at, account_id, order_id, how) {
            self.tell_order(at, account_id, order_id);
        }
    }

    /// The same without the event, for a fill that tells of it in its own place; false where nothing changed.
    pub(super) fn change_silently(
        &mut self,
        at: OffsetDateTime,
        account_id: i32,
        order_id: i64,
        how: impl FnOnce(&mut Order),
    ) -> bool {
        let Some(book) = self.books.get_mut(&account_id) else { return false };
        let Some(Entry { order, .. }) = book.orders.get_mut(&order_id) else { return false };
        if order.status.is_terminal() {
            return false;
        }
        let before = order.status;
        how(order);
        // REST shows microseconds, and there too each change is later than the one before.
        order.update = at.max(order.update.saturating_add(Duration::microseconds(1)));
        book.working = book.working + usize::from(Book::counts(order.status)) - usize::from(Book::counts(before));
        match (before == OrderStatus::Open, order.status == OrderStatus::Open) {
            (false, true) => {
                self.open.entry(order.contract_id.clone()).or_default().insert((account_id, order_id));
            }
            (true, false) => {
                if let Some(open) = self.open.get_mut(&order.contract_id) {
                    open.remove(&(account_id, order_id));
                }
            }
            _ => {}
        }
        true
    }

    pub(super) fn tell_order(&mut self, at: OffsetDateTime, account_id: i32, order_id: i64) {
        let Some(entry) = self.entry(account_id, order_id) else { return };
        let value = Value::Order(entry.order.clone());
        self.tell(at, account_id, Kind::Order, ACTION_UPDATE, value);
    }

    pub(super) fn tell(&mut self, at: OffsetDateTime, account_id: i32, kind: Kind, action: i32, value: Value) {
        let Some(book) = self.books.get(&account_id) else { return };
        self.events.push_back(UserEvent { user: book.user.clone(), account_id, kind, action, at, value });
    }

    /// Ends an order before it filled in full; its sleeping children go with it, or wake for what did fill.
    pub(super) fn end(&mut self, at: OffsetDateTime, account_id: i32, order_id: i64, status: OrderStatus) {
        if self.entry(account_id, order_id).is_none_or(|entry| entry.order.status.is_terminal()) {
            return;
        }
        self.change(at, account_id, order_id, |order| order.status = status);
        self.settle_children(at, account_id, order_id);
    }

    fn happen(&mut self, at: OffsetDateTime, due: Due) {
        let Due { account_id, order_id, what } = due;
        let Some(Entry { order, .. }) = self.entry(account_id, order_id) else { return };
        match (what, order.status) {
            (What::Accept, OrderStatus::Pending) => self.accept(at, account_id, order_id),
            // A partial fill on demand has already brought it to the market; the rest of a market order follows.
            (What::Accept, OrderStatus::Open) => self.consider(at, account_id, order_id),
            (What::Reject, OrderStatus::Pending) => self.end(at, account_id, order_id, OrderStatus::Rejected),
            (What::Wake, _) => self.wake_children(at, account_id, order_id),
            // It was cancelled, or filled on demand, in the meantime.
            _ => {}
        }
    }

    /// A pending order reaches the market: it fills, or it works.
    fn accept(&mut self, at: OffsetDateTime, account_id: i32, order_id: i64) {
        self.join(at, account_id, order_id);
        match self.offer(account_id, order_id) {
            Some((price, size)) => self.fill(at, account_id, order_id, size, price),
            None => self.change(at, account_id, order_id, |order| order.status = OrderStatus::Open),
        }
    }

    /// Names the price of an order that joins a side, once; the event that follows tells of it.
    pub(super) fn join(&mut self, at: OffsetDateTime, account_id: i32, order_id: i64) {
        let Some(Entry { order, .. }) = self.entry(account_id, order_id) else { return };
        let best = self.prices.get(&order.contract_id);
        let price = match order.order_type {
            OrderType::JoinBid => best.map(|best| best.bid),
            OrderType::JoinAsk => best.map(|best| best.ask),
            _ => None,
        };
        if let (Some(price), None) = (price, order.limit_price) {
            self.change_silently(at, account_id, order_id, |order| order.limit_price = Some(price));
        }
    }
}
