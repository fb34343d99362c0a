//! The orders of an account.

use std::collections::{BTreeMap, BTreeSet};

use topstep_model::{Order, OrderId, Timestamp};

use super::merge::{is_newer, order_differs, order_over};
use super::state::Entry;
use super::table::Held;
use crate::known::{Known, Source};

/// The orders by their ids.
#[derive(Debug, Clone, Default)]
pub(super) struct OrderTable {
    rows: BTreeMap<OrderId, Held<Order>>,
    /// The ids of those that are not over, and of those that are.
    working: BTreeSet<OrderId>,
    over: BTreeSet<OrderId>,
    /// The latest time of an order that was dropped for want of room: what REST tells from before it is not new.
    dropped_until: Option<Timestamp>,
}

/// What became of a row of the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    /// It is what is believed now.
    Taken,
    /// It is older than what is believed.
    Older,
    /// It cannot be told whether it is older, and says something else.
    Doubtful,
}

impl OrderTable {
    /// Takes a row of the stream.
    pub(super) fn hear(&mut self, row: Order, serial: u64, is_doubtful: bool) -> Heard {
        let Some(held) = self.rows.get_mut(&row.id) else {
            self.put(Held { value: row, is_verified: false, heard: serial, is_doubtful });
            return if is_doubtful { Heard::Doubtful } else { Heard::Taken };
        };
        if !is_newer(&row, &held.value) {
            let is_undated = row.update_timestamp.is_none() && held.value.update_timestamp.is_some();
            let says_else = order_differs(&held.value, &order_over(row, &held.value, Source::Stream));
            if !(is_undated && says_else) || held.value.status.is_terminal() {
                return Heard::Older;
            }
            held.is_doubtful = true;
            return Heard::Doubtful;
        }
        // What is over is final: hearing it again lowers nothing.
        let is_verified = held.is_verified && held.value.status.is_terminal() && row.status.is_terminal();
        let value = order_over(row, &held.value, Source::Stream);
        self.put(Held { value, is_verified, heard: serial, is_doubtful });
        if is_doubtful { Heard::Doubtful } else { Heard::Taken }
    }

    /// Whether a row that REST tells would change what is believed.
    pub(super) fn is_news(&self, row: &Order, began: Timestamp) -> bool {
        match self.rows.get(&row.id) {
            Some(held) => {
                is_newer(row, &held.value)
                    && order_differs(&held.value, &order_over(row.clone(), &held.value, Source::Rest))
            }
            None => !self.is_history(row, began),
        }
    }

    /// Takes a row that REST told, and returns what is to be told of it.
    pub(super) fn read(&mut self, row: Order, began: Timestamp) -> Option<Order> {
        let Some(held) = self.rows.get_mut(&row.id) else {
            if self.is_history(&row, began) {
                return None;
            }
            self.put(Held { value: row.clone(), is_verified: true, heard: 0, is_doubtful: false });
            return Some(row);
        };
        if !is_newer(&row, &held.value) {
            // The stream is ahead. Without a time it may still say the same.
            if !order_differs(&held.value, &order_over(row, &held.value, Source::Rest)) {
                (held.is_verified, held.is_doubtful) = (true, false);
            }
            return None;
        }
        let value = order_over(row, &held.value, Source::Rest);
        let news = order_differs(&held.value, &value).then(|| value.clone());
        let heard = held.heard;
        self.put(Held { value, is_verified: true, heard, is_doubtful: false });
        news
    }

    /// The orders believed to work that neither these rows nor the stream since then answer for.
    pub(super) fn unanswered(&self, found: &BTreeMap<OrderId, Order>, since: u64) -> Vec<OrderId> {
        let is_answered = |held: &Held<Order>| {
            held.heard > since
                || found.get(&held.value.id).is_some_and(|row| {
                    is_newer(row, &held.value)
                        || !order_differs(&held.value, &order_over(row.clone(), &held.value, Source::Rest))
                })
        };
        let working = self.working.iter().filter_map(|id| self.rows.get(id));
        working.filter(|held| !is_answered(held)).map(|held| held.value.id).collect()
    }

    /// Nothing answers for this order.
    pub(super) fn doubt(&mut self, id: OrderId) {
        if let Some(held) = self.rows.get_mut(&id) {
            held.is_doubtful = true;
        }
    }

    /// Whether anything is doubtful.
    pub(super) fn has_doubts(&self) -> bool {
        self.working.iter().any(|id| self.rows.get(id).is_some_and(|held| held.is_doubtful))
    }

    /// Drops what is too much: what is over first. `Some(true)`: only orders that work were left to drop.
    pub(super) fn trim(&mut self, kept: usize) -> Option<bool> {
        if self.rows.len() <= kept {
            return None;
        }
        let id = self.over.first().or_else(|| self.rows.keys().next()).copied()?;
        let dropped = self.rows.remove(&id)?;
        self.over.remove(&id);
        let was_working = self.working.remove(&id);
        if !was_working {
            self.dropped_until = self.dropped_until.max(time_of(&dropped.value));
        }
        Some(was_working)
    }

    pub(super) fn row(&self, id: OrderId) -> Option<&Held<Order>> {
        self.rows.get(&id)
    }

    /// How well an order is known: one that is over stays as it was told.
    pub(super) fn known(held: &Held<Order>, at_best: Known) -> Known {
        held.known(if held.value.status.is_terminal() { Known::Verified } else { at_best })
    }

    /// Every order.
    pub(super) fn entries(&self, at_best: Known) -> impl Iterator<Item = Entry<Order>> {
        self.rows.values().map(move |held| Entry::new(held.value.clone(), Self::known(held, at_best)))
    }

    /// The orders that are not over.
    pub(super) fn working(&self, at_best: Known) -> impl Iterator<Item = Entry<Order>> {
        let working = self.working.iter().filter_map(|id| self.rows.get(id));
        working.map(move |held| Entry::new(held.value.clone(), Self::known(held, at_best)))
    }

    pub(super) fn is_any_working(&self) -> bool {
        !self.working.is_empty()
    }

    /// Whether a row tells of what was over before anybody looked, or was dropped since.
    fn is_history(&self, row: &Order, began: Timestamp) -> bool {
        let at = time_of(row);
        row.status.is_terminal()
            && at.is_some_and(|at| at < began || self.dropped_until.is_some_and(|until| at <= until))
    }

    fn put(&mut self, held: Held<Order>) {
        let id = held.value.id;
        if held.value.status.is_terminal() {
            self.working.remove(&id);
            self.over.insert(id);
        } else {
            self.over.remove(&id);
            self.working.insert(id);
        }
        self.rows.insert(id, held);
    }
}

/// When an order last changed, as far as it says.
pub(super) fn time_of(order: &Order) -> Option<Timestamp> {
    order.update_timestamp.or(order.creation_timestamp).filter(|at| *at != Timestamp::UNSET)
}
