//! What is believed, to look at.

use std::collections::BTreeMap;

use topstep_model::{Account, AccountId, Order, Position, UserTrade};

use crate::gap::Gap;
use crate::known::Known;

/// A value with how it is known.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry<T> {
    /// The value.
    pub value: T,
    /// How well it is known.
    pub known: Known,
}

impl<T> Entry<T> {
    /// Puts a value and its level together.
    pub const fn new(value: T, known: Known) -> Self {
        Self { value, known }
    }
}

/// A list with how it is known: that it holds all there is, and nothing that is not.
#[derive(Debug, Clone, PartialEq)]
pub struct List<T> {
    /// The entries, by id or contract.
    pub entries: Vec<Entry<T>>,
    /// How well the list is known as a whole: never better than one of its entries. An empty list is known, too.
    pub known: Known,
}

impl<T> List<T> {
    /// The values alone.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.entries.iter().map(|entry| &entry.value)
    }

    pub(super) fn new(entries: Vec<Entry<T>>, known: Known) -> Self {
        let known = entries.iter().fold(known, |known, entry| known.weaker(entry.known));
        Self { entries, known }
    }
}

/// How well the lists of one account are known as wholes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Levels {
    /// Its orders.
    pub orders: Known,
    /// Its positions.
    pub positions: Known,
    /// Its trades.
    pub trades: Known,
}

/// Everything that is believed at one moment.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct UserState {
    /// Whether the hub is connected.
    pub connected: bool,
    /// All accounts.
    pub accounts: List<Account>,
    /// Every order that was not over, or got any status, since the machine began; rejected ones too.
    pub orders: List<Order>,
    /// The open positions.
    pub positions: List<Position>,
    /// The trades of the trading day in which the account was first followed, and all since.
    pub trades: List<UserTrade>,
    /// How well each account's lists are known, of every account that is or was followed.
    pub levels: BTreeMap<AccountId, Levels>,
    /// The gaps that are open.
    pub gaps: Vec<Gap>,
}

impl UserState {
    /// The orders of one account.
    pub fn orders_of(&self, account: AccountId) -> List<Order> {
        let level = self.levels.get(&account).map_or(Known::Provisional, |levels| levels.orders);
        part(&self.orders, level, |order| order.account_id == account)
    }

    /// The open positions of one account.
    pub fn positions_of(&self, account: AccountId) -> List<Position> {
        let level = self.levels.get(&account).map_or(Known::Provisional, |levels| levels.positions);
        part(&self.positions, level, |position| position.account_id == account)
    }

    /// The trades of one account.
    pub fn trades_of(&self, account: AccountId) -> List<UserTrade> {
        let level = self.levels.get(&account).map_or(Known::Provisional, |levels| levels.trades);
        part(&self.trades, level, |trade| trade.account_id == account)
    }
}

fn part<T: Clone>(all: &List<T>, level: Known, belongs: impl Fn(&T) -> bool) -> List<T> {
    List::new(all.entries.iter().filter(|entry| belongs(&entry.value)).cloned().collect(), level)
}
