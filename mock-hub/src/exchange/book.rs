//! Everything the exchange keeps of one account.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Arc;

use rust_decimal::Decimal;

use super::account::Account;
use super::costs::Costs;
use super::holding::Holding;
use super::order::{Order, OrderStatus};
use super::request::Bracket;
use super::trade::Trade;
use crate::market::Contract;

/// One account with its orders, holdings and trades.
#[derive(Debug)]
pub(super) struct Book {
    pub(super) user: Arc<str>,
    pub(super) account: Account,
    /// Whether `onlyActiveAccounts` lists it.
    pub(super) active: bool,
    /// In Position Brackets mode the platform sets brackets itself and refuses an order's own.
    pub(super) position_brackets: bool,
    pub(super) orders: BTreeMap<i64, Entry>,
    /// Orders that are neither terminal nor suspended.
    pub(super) working: usize,
    pub(super) holdings: BTreeMap<String, Holding>,
    pub(super) trades: BTreeMap<i64, Trade>,
    pub(super) tags: HashSet<String>,
    /// Messages with which the next places are refused.
    pub(super) refusals: VecDeque<String>,
}

/// An order with what the venue knows about it and does not show.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) order: Order,
    pub(super) terms: Arc<Terms>,
    /// The children of a bracket, the take-profit first: that is the order in which they wake.
    pub(super) children: Vec<i64>,
    /// The other child of the same bracket.
    pub(super) sibling: Option<i64>,
    /// Whether `closeContract` or `partialCloseContract` placed it.
    pub(super) closes: bool,
    /// The sum of price times size over its fills.
    pub(super) cost: Decimal,
}

impl Entry {
    pub(super) const fn new(order: Order, terms: Arc<Terms>) -> Self {
        Self { order, terms, children: Vec::new(), sibling: None, closes: false, cost: Decimal::ZERO }
    }
}

/// A contract as it was when an order named it, with its costs.
#[derive(Debug)]
pub(super) struct Terms {
    pub(super) contract: Contract,
    pub(super) costs: Costs,
}

/// The brackets of an order that passed every check.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Brackets {
    pub(super) stop_loss: Option<Bracket>,
    pub(super) take_profit: Option<Bracket>,
}

impl Brackets {
    pub(super) const fn count(&self) -> i64 {
        self.stop_loss.is_some() as i64 + self.take_profit.is_some() as i64
    }
}

impl Book {
    /// Contracts held of one contract, negative where they are sold.
    pub(super) fn net(&self, contract_id: &str) -> i64 {
        self.holdings.get(contract_id).map_or(0, Holding::net)
    }

    /// Whether an order of this status counts against the limit of working orders.
    pub(super) const fn counts(status: OrderStatus) -> bool {
        matches!(status, OrderStatus::Open | OrderStatus::Pending)
    }
}
