//! Brackets: a stop-loss and a take-profit that come with an entry and cancel each other.

use rust_decimal::Decimal;
use rust_decimal::prelude::RoundingStrategy;
use time::OffsetDateTime;

use super::Exchange;
use super::book::{Brackets, Entry};
use super::lifecycle::What;
use super::order::{Order, OrderStatus, OrderType};
use super::request::Bracket;

impl Exchange {
    /// Tells an entry and its children as captured, the stop-loss before its parent and the take-profit after it,
    /// decides what becomes of the entry, and returns its id.
    pub(super) fn admit_family(&mut self, at: OffsetDateTime, mut entry: Entry, brackets: Brackets, what: What) -> i64 {
        let (account_id, order_id) = (entry.order.account_id, entry.order.id);
        let stop_id = order_id + 1;
        let target_id = stop_id + i64::from(brackets.stop_loss.is_some());
        let stop = brackets.stop_loss.map(|bracket| child(&entry, stop_id, bracket, "-SL"));
        let target = brackets.take_profit.map(|bracket| child(&entry, target_id, bracket, "-TP"));
        entry.children = target.iter().chain(&stop).map(|child| child.order.id).collect();
        let (stop, target) = match (stop, target) {
            (Some(mut stop), Some(mut target)) => {
                (stop.sibling, target.sibling) = (Some(target_id), Some(stop_id));
                target.order.linked_order_id = Some(stop_id);
                (Some(stop), Some(target))
            }
            one => one,
        };
        for member in stop.into_iter().chain([entry]).chain(target) {
            self.admit(at, member);
        }
        self.schedule(at, account_id, order_id, what);
        order_id
    }

    /// An entry's children after it ended or filled: they wake for what was filled, and go where nothing was.
    pub(super) fn settle_children(&mut self, at: OffsetDateTime, account_id: i32, order_id: i64) {
        let Some(Entry { order, children, .. }) = self.entry(account_id, order_id) else { return };
        if children.is_empty() || !order.status.is_terminal() {
            return;
        }
        if order.fill_volume > 0 {
            self.schedule(at, account_id, order_id, What::Wake);
            return;
        }
        for child in children.clone() {
            self.change(at, account_id, child, |child| child.status = OrderStatus::Cancelled);
        }
    }

    /// The children of an entry take their prices from its fill and begin to work, the take-profit first.
    pub(super) fn wake_children(&mut self, at: OffsetDateTime, account_id: i32, order_id: i64) {
        let Some(Entry { order, terms, children, .. }) = self.entry(account_id, order_id) else { return };
        let Some(filled) = order.filled_price else { return };
        let (size, entry_price, children) =
            (order.fill_volume, on_tick(filled, terms.contract.tick_size), children.clone());
        for child in &children {
            self.change(at, account_id, *child, |child| {
                (child.status, child.size) = (OrderStatus::Open, size);
                let price = child.trail_price.map(|distance| entry_price + distance);
                match child.order_type {
                    OrderType::Limit => child.limit_price = price,
                    _ => child.stop_price = price,
                }
            });
        }
        // Both work before either may fill, or the one that does could not take the other along.
        for child in children {
            self.consider(at, account_id, child);
        }
    }

    /// What a fill of `size` means for the order's family.
    pub(super) fn after_fill(&mut self, at: OffsetDateTime, account_id: i32, order_id: i64, size: i32) {
        self.settle_children(at, account_id, order_id);
        let Some(Entry { order, sibling: Some(sibling), .. }) = self.entry(account_id, order_id) else { return };
        let (done, sibling) = (order.status == OrderStatus::Filled, *sibling);
        let left = self.entry(account_id, sibling).map_or(0, |sibling| sibling.order.remaining() - size);
        if done || left <= 0 {
            self.end(at, account_id, sibling, OrderStatus::Cancelled);
        } else {
            // The two protect the same contracts: what one closed, the other must not close again.
            self.change(at, account_id, sibling, |sibling| sibling.size -= size);
        }
    }
}

/// A suspended child: no price yet, the distance as signed ticks and as a price.
fn child(entry: &Entry, id: i64, bracket: Bracket, suffix: &str) -> Entry {
    let Entry { order: parent, terms, .. } = entry;
    let order = Order {
        id,
        status: OrderStatus::Suspended,
        order_type: OrderType::from_code(bracket.order_type).unwrap_or(OrderType::Stop),
        side: parent.side.opposite(),
        limit_price: None,
        stop_price: None,
        custom_tag: parent.custom_tag.as_ref().map(|tag| format!("{tag}{suffix}")),
        parent_order_id: Some(parent.id),
        linked_order_id: None,
        trail_distance: Some(bracket.ticks),
        trail_price: Some(Decimal::from(bracket.ticks) * terms.contract.tick_size),
        ..parent.clone()
    };
    Entry::new(order, terms.clone())
}

/// The nearest price on the tick: an entry filled in parts may have an average between two.
fn on_tick(price: Decimal, tick: Decimal) -> Decimal {
    (price / tick).round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero) * tick
}
