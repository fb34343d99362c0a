//! Who wants to hear what.

use std::collections::BTreeSet;

use topstep_model::{AccountId, ContractId};

use super::event::EventKind;

/// Chooses events. [`all`](Self::all) is everything; every further choice narrows it.
///
/// Gaps, refusals and whatever concerns a whole hub pass every choice that they do not contradict: who hears orders must hear that some may be
/// missing.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    kinds: Option<BTreeSet<&'static str>>,
    accounts: Option<BTreeSet<AccountId>>,
    contracts: Option<BTreeSet<ContractId>>,
}

/// The kinds of values.
const MONEY: [&str; 4] = ["account", "order", "position", "trade"];
const MARKET: [&str; 3] = ["quote", "market_trade", "depth"];

impl Filter {
    /// Everything.
    pub fn all() -> Self {
        Self::default()
    }

    /// Accounts, orders, positions and trades, and no value of the market.
    pub fn user() -> Self {
        MONEY.into_iter().fold(Self::default(), Self::kind)
    }

    /// Quotes, trades and depth of the market, and no value of an account.
    pub fn market() -> Self {
        MARKET.into_iter().fold(Self::default(), Self::kind)
    }

    /// This kind of value, by [`EventKind::as_str`], besides those chosen before.
    #[must_use]
    pub fn kind(mut self, kind: &'static str) -> Self {
        self.kinds.get_or_insert_default().insert(kind);
        self
    }

    /// This account, besides those chosen before, and no other.
    #[must_use]
    pub fn account(mut self, account: AccountId) -> Self {
        self.accounts.get_or_insert_default().insert(account);
        self
    }

    /// This contract, besides those chosen before, and no other.
    #[must_use]
    pub fn contract(mut self, contract: impl Into<ContractId>) -> Self {
        self.contracts.get_or_insert_default().insert(contract.into());
        self
    }

    /// Whether the event is among those chosen.
    pub fn takes(&self, event: &EventKind) -> bool {
        let kind = event.as_str();
        let is_value = MONEY.contains(&kind) || MARKET.contains(&kind);
        if is_value && self.kinds.as_ref().is_some_and(|kinds| !kinds.contains(kind)) {
            return false;
        }
        let is_account = |account| self.accounts.as_ref().is_none_or(|accounts| accounts.contains(&account));
        let is_contract = |contract: &_| self.contracts.as_ref().is_none_or(|contracts| contracts.contains(contract));
        event.account().is_none_or(is_account) && event.contract().is_none_or(is_contract)
    }

    /// Whether something among it must not be missed.
    pub(super) fn takes_money(&self) -> bool {
        self.kinds.as_ref().is_none_or(|kinds| MONEY.iter().any(|kind| kinds.contains(kind)))
    }
}
