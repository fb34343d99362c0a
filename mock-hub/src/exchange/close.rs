//! `Position/closeContract` and `Position/partialCloseContract`: market orders that the venue places itself.

use time::OffsetDateTime;

use super::Exchange;
use super::answer::Answer;
use super::book::Brackets;
use super::checks::{self, Levels, Shape};
use super::lifecycle::What;
use super::order::OrderType;
use super::request::PlaceOrder;
use crate::market::{Best, Contracts};

/// Why a close is refused. The two requests share their first codes; the partial one has a code of its own in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Denied {
    AccountNotFound,
    PositionNotFound,
    ContractNotFound,
    ContractNotActive,
    InvalidCloseSize,
    NoPrice,
    OrderPending,
}

impl Exchange {
    /// Closes a position with a market order of the venue's own, whose id the events alone tell. An account that may
    /// not trade may close. Another close of the contract must have filled first (6, order pending).
    pub fn close_contract(
        &mut self,
        now: OffsetDateTime,
        contracts: &Contracts,
        best: Option<Best>,
        account_id: i32,
        contract_id: &str,
    ) -> Answer {
        let closed = self.close(now, contracts, best, (account_id, contract_id), None);
        closed.map_or_else(|denied| denied.answer(0), |()| Answer::done())
    }

    /// Closes a part of a position: 5 (invalid close size) where the size is not between 1 and what is held, and 7
    /// where another close of the contract has not filled yet.
    pub fn partial_close(
        &mut self,
        now: OffsetDateTime,
        contracts: &Contracts,
        best: Option<Best>,
        account_id: i32,
        contract_id: &str,
        size: i32,
    ) -> Answer {
        let closed = self.close(now, contracts, best, (account_id, contract_id), Some(size));
        closed.map_or_else(|denied| denied.answer(1), |()| Answer::done())
    }

    fn close(
        &mut self,
        now: OffsetDateTime,
        contracts: &Contracts,
        best: Option<Best>,
        (account_id, contract_id): (i32, &str),
        part: Option<i32>,
    ) -> Result<(), Denied> {
        let at = self.catch_up(now);
        let book = self.books.get(&account_id).ok_or(Denied::AccountNotFound)?;
        let contract = contracts.find(contract_id).ok_or(Denied::ContractNotFound)?;
        if !contract.active {
            return Err(Denied::ContractNotActive);
        }
        let held = book.holdings.get(contract_id).ok_or(Denied::PositionNotFound)?;
        let (side, size) = (held.side().opposite(), part.unwrap_or(held.size()));
        if size <= 0 || size > held.size() {
            return Err(Denied::InvalidCloseSize);
        }
        let mut closes = book.orders.values().filter(|entry| entry.closes && entry.order.contract_id == contract_id);
        if closes.any(|entry| !entry.order.status.is_terminal()) {
            return Err(Denied::OrderPending);
        }
        if let Some(best) = best {
            self.learn(contract_id, best);
        }
        if !self.prices.contains_key(contract_id) {
            return Err(Denied::NoPrice);
        }
        let terms = self.terms_of(contract);
        let asked = PlaceOrder::new(account_id, contract_id, OrderType::Market, side, size);
        let shape = Shape { order_type: OrderType::Market, side, size };
        let mut entry = self.entry_of(at, asked, shape, Levels::default(), terms, &Brackets::default());
        entry.closes = true;
        self.admit_family(at, entry, Brackets::default(), What::Accept);
        Ok(())
    }
}

impl Denied {
    /// `ClosePositionErrorCode`; `further` is how many codes the request has before those of the order.
    fn answer(self, further: i32) -> Answer {
        match self {
            Self::AccountNotFound => Answer::code(1),
            Self::PositionNotFound => Answer::code(2),
            Self::ContractNotFound => Answer::code(3),
            Self::ContractNotActive => Answer::code(4),
            Self::InvalidCloseSize => Answer::code(5),
            Self::NoPrice => Answer::refused(5 + further, checks::NO_PRICE),
            Self::OrderPending => Answer::code(6 + further),
        }
    }
}
