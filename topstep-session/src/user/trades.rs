//! The trades of an account.

use std::collections::BTreeMap;

use topstep_model::{Timestamp, TradeId, UserTrade};

use super::merge::trade_over;
use super::profit::ProfitAndLoss;
use super::state::Entry;
use super::table::Held;
use crate::known::Known;

/// The trades by their ids.
#[derive(Debug, Clone, Default)]
pub(super) struct TradeTable {
    rows: BTreeMap<TradeId, Held<UserTrade>>,
    /// When those came that do not say when they were.
    undated: BTreeMap<TradeId, Timestamp>,
    /// The latest time of a trade that was dropped for want of room.
    dropped_until: Option<Timestamp>,
}

impl TradeTable {
    /// Takes a row of the stream. `true`: it is new, or newly taken back.
    pub(super) fn hear(&mut self, row: UserTrade, serial: u64, now: Timestamp) -> bool {
        self.date(&row, now);
        let Some(held) = self.rows.get_mut(&row.id) else {
            self.rows.insert(row.id, Held { value: row, is_verified: false, heard: serial, is_doubtful: false });
            return true;
        };
        let was_voided = held.value.voided == Some(true);
        // The venue sends the opening trade again, without what it may have told since: the first word stays, and is filled up.
        held.value = trade_over(held.value.clone(), &row);
        held.heard = serial;
        row.voided == Some(true) && !was_voided
    }

    /// Whether a row that REST tells is new, or newly taken back.
    pub(super) fn is_news(&self, row: &UserTrade) -> bool {
        match self.rows.get(&row.id) {
            Some(held) => row.voided == Some(true) && held.value.voided != Some(true),
            None => !self.is_dropped(row),
        }
    }

    /// Takes a row that REST told. `true`: it is new, or newly taken back.
    pub(super) fn read(&mut self, row: UserTrade, now: Timestamp) -> bool {
        let is_news = self.is_news(&row);
        self.date(&row, now);
        match self.rows.get_mut(&row.id) {
            Some(held) => {
                held.value = trade_over(row, &held.value);
                held.is_verified = true;
            }
            None if is_news => {
                self.rows.insert(row.id, Held { value: row, is_verified: true, heard: 0, is_doubtful: false });
            }
            None => {}
        }
        is_news
    }

    /// Drops the oldest trade if there are too many.
    pub(super) fn trim(&mut self, kept: usize) -> bool {
        if self.rows.len() <= kept {
            return false;
        }
        if let Some((id, dropped)) = self.rows.pop_first() {
            let undated = self.undated.remove(&id);
            self.dropped_until = self.dropped_until.max(dropped.value.creation_timestamp.or(undated));
        }
        true
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn row(&self, id: TradeId) -> Option<&Held<UserTrade>> {
        self.rows.get(&id)
    }

    /// Every trade. They are final: nothing lowers how they are known.
    pub(super) fn entries(&self) -> impl Iterator<Item = Entry<UserTrade>> {
        self.rows.values().map(|held| Entry::new(held.value.clone(), held.known(Known::Verified)))
    }

    /// What the trades since the beginning of a trading day brought, known as well as the list.
    pub(super) fn profit(&self, day_start: Timestamp, known: Known) -> ProfitAndLoss {
        let mut profit = ProfitAndLoss::nothing(day_start, known);
        if self.dropped_until.is_some_and(|until| until >= day_start) {
            profit.known = profit.known.weaker(Known::Provisional);
        }
        for trade in self.rows.values().map(|held| &held.value) {
            let at = trade.creation_timestamp.or_else(|| self.undated.get(&trade.id).copied());
            if at.is_some_and(|at| at < day_start) {
                continue;
            }
            profit.trades += 1;
            let gain = trade.profit_and_loss.filter(|_| trade.voided != Some(true));
            let costs = [trade.fees, trade.commissions];
            let gross = gain.map_or(Some(profit.gross), |gain| profit.gross.checked_add(gain.decimal()));
            let costs = costs.into_iter().flatten().try_fold(profit.costs, |sum, cost| sum.checked_add(cost.decimal()));
            match (gross, costs) {
                (Some(gross), Some(costs)) => (profit.gross, profit.costs) = (gross, costs),
                // More digits than a decimal keeps: what is left is not the sum.
                _ => profit.known = profit.known.weaker(Known::Provisional),
            }
        }
        match profit.gross.checked_sub(profit.costs) {
            Some(net) => profit.net = net,
            None => profit.known = profit.known.weaker(Known::Provisional),
        }
        profit
    }

    /// Notes when a trade came that does not say when it was.
    fn date(&mut self, row: &UserTrade, now: Timestamp) {
        if row.creation_timestamp.is_none() && !self.rows.contains_key(&row.id) {
            self.undated.insert(row.id, now);
        }
    }

    fn is_dropped(&self, row: &UserTrade) -> bool {
        row.creation_timestamp.is_some_and(|at| self.dropped_until.is_some_and(|until| at <= until))
    }
}
