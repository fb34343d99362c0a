//! What is believed, read out.

use std::collections::BTreeMap;

use topstep_model::{Account, AccountId, ContractId, Order, OrderId, Position, UserTrade};

use super::UserMachine;
use super::feed::Feed;
use super::orders::OrderTable;
use super::profit::ProfitAndLoss;
use super::state::{Entry, Levels, List, UserState};
use crate::calendar::trading_day_start;
use crate::gap::{Gap, Subject};
use crate::known::Known;
use crate::moment::Moment;

impl UserMachine {
    /// Everything that is believed now, of one moment.
    ///
    /// A list is known as well as the worst of what is followed of its kind; [`UserState::levels`] says it by account.
    pub fn state(&self) -> UserState {
        let worst = |belongs: fn(&Subject) -> bool| {
            let feeds = self.feeds.iter().filter(|(subject, feed)| belongs(subject) && feed.wants > 0);
            let worst = feeds.map(|(_, feed)| feed.level(self.is_connected)).min();
            worst.unwrap_or_else(|| self.unheard())
        };
        let orders =
            self.orders.iter().flat_map(|(account, table)| table.entries(self.at_best(&Subject::Orders(*account))));
        let positions = self
            .positions
            .iter()
            .flat_map(|(account, table)| table.entries(self.at_best(&Subject::Positions(*account))));
        let trades = self.trades.values().flat_map(|table| table.entries());
        UserState {
            connected: self.is_connected,
            accounts: self.accounts(),
            orders: List::new(orders.collect(), worst(|subject| matches!(subject, Subject::Orders(_)))),
            positions: List::new(positions.collect(), worst(|subject| matches!(subject, Subject::Positions(_)))),
            trades: List::new(trades.collect(), worst(|subject| matches!(subject, Subject::Trades(_)))),
            levels: self.levels(),
            gaps: self.gaps_open(),
        }
    }

    /// What an account holds of a contract. Flat is `None`, and is known as well as the list of positions; a contract that nothing was heard
    /// of is flat.
    pub fn position(&self, account: AccountId, contract: &ContractId) -> Entry<Option<Position>> {
        let subject = Subject::Positions(account);
        let held = self.positions.get(&account).and_then(|table| table.row(contract));
        let Some(held) = held else { return Entry::new(None, self.level(&subject)) };
        let is_open = held.value.size != 0;
        Entry::new(is_open.then(|| held.value.clone()), held.known(self.at_best(&subject)))
    }

    /// An order, if it was ever heard of.
    pub fn order(&self, account: AccountId, order: OrderId) -> Option<Entry<Order>> {
        let held = self.orders.get(&account)?.row(order)?;
        Some(Entry::new(held.value.clone(), OrderTable::known(held, self.at_best(&Subject::Orders(account)))))
    }

    /// The orders of an account that are not over: those that may still be filled, and those whose status is not known.
    pub fn working_orders(&self, account: AccountId) -> List<Order> {
        let subject = Subject::Orders(account);
        let table = self.orders.get(&account);
        let entries = table.into_iter().flat_map(|table| table.working(self.at_best(&subject)));
        List::new(entries.collect(), self.level(&subject))
    }

    /// The open positions of an account.
    pub fn positions(&self, account: AccountId) -> List<Position> {
        let subject = Subject::Positions(account);
        let table = self.positions.get(&account);
        let entries = table.into_iter().flat_map(|table| table.entries(self.at_best(&subject)));
        List::new(entries.collect(), self.level(&subject))
    }

    /// The trades of an account, of the trading day in which it was first followed and since.
    pub fn trades(&self, account: AccountId) -> List<UserTrade> {
        let table = self.trades.get(&account);
        List::new(table.into_iter().flat_map(|table| table.entries()).collect(), self.level(&Subject::Trades(account)))
    }

    /// An account, if it was ever heard of.
    pub fn account(&self, account: AccountId) -> Option<Entry<Account>> {
        let held = self.accounts.row(&account)?;
        Some(Entry::new(held.value.clone(), held.known(self.at_best(&Subject::Accounts))))
    }

    /// All accounts.
    pub fn accounts(&self) -> List<Account> {
        let at_best = self.at_best(&Subject::Accounts);
        List::new(self.accounts.entries(at_best).collect(), self.level(&Subject::Accounts))
    }

    /// What the trades of the current trading day brought.
    ///
    /// It needs the account's trades to be followed since that day or an earlier one; else it is at best provisional.
    pub fn profit_and_loss(&self, account: AccountId, now: Moment) -> ProfitAndLoss {
        let subject = Subject::Trades(account);
        let day_start = trading_day_start(now.wall);
        let followed_from = self.feeds.get(&subject).map(|feed| trading_day_start(feed.since.wall));
        let known = match followed_from {
            Some(from) if from <= day_start => self.level(&subject),
            _ => self.level(&subject).weaker(Known::Provisional),
        };
        match self.trades.get(&account) {
            Some(table) => table.profit(day_start, known),
            None => ProfitAndLoss::nothing(day_start, known),
        }
    }

    /// The gaps that are open, by subject.
    pub fn gaps_open(&self) -> Vec<Gap> {
        self.feeds.values().filter_map(|feed| feed.gap.as_ref()).map(|open| open.gap.clone()).collect()
    }

    /// The subscriptions that the hub refuses, with what it says.
    pub fn refusals(&self) -> Vec<(Subject, String)> {
        let refusals = self.feeds.iter().filter_map(|(subject, feed)| Some((subject.clone(), feed.refusal.clone()?)));
        refusals.collect()
    }

    /// Whether a position is open or an order works, as far as is believed, however well.
    pub fn is_exposed(&self) -> bool {
        self.positions.values().any(|table| !table.is_empty()) || self.orders.values().any(OrderTable::is_any_working)
    }

    fn levels(&self) -> BTreeMap<AccountId, Levels> {
        let account = |subject: &Subject| match subject {
            Subject::Orders(account) | Subject::Positions(account) | Subject::Trades(account) => Some(*account),
            _ => None,
        };
        let levels = |account| {
            let orders = self.level(&Subject::Orders(account));
            let positions = self.level(&Subject::Positions(account));
            (account, Levels { orders, positions, trades: self.level(&Subject::Trades(account)) })
        };
        self.feeds.keys().filter_map(account).map(levels).collect()
    }

    fn at_best(&self, subject: &Subject) -> Known {
        self.feeds.get(subject).map_or_else(|| self.unheard(), |feed| feed.at_best(self.is_connected))
    }

    fn level(&self, subject: &Subject) -> Known {
        let level = |feed: &Feed| feed.level(self.is_connected);
        self.feeds.get(subject).map_or_else(|| self.unheard(), level)
    }

    /// How well anything is known that was never followed.
    const fn unheard(&self) -> Known {
        if self.is_connected { Known::Provisional } else { Known::Stale }
    }
}
