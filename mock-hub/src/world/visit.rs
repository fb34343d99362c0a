//! What one who looks at the world sees and does.

use time::OffsetDateTime;

use crate::exchange::{Answer, Exchange, PlaceAnswer, PlaceOrder};
use crate::market::Market;

/// The world at one moment.
pub(crate) struct Visit<'a> {
    pub(crate) now: OffsetDateTime,
    pub(crate) market: &'a mut Market,
    pub(crate) exchange: &'a mut Exchange,
}

impl Visit<'_> {
    /// Places an order at the market's prices; its contract moves from now on.
    pub(crate) fn place(&mut self, order: PlaceOrder) -> PlaceAnswer {
        self.market.follow(self.now, &order.contract_id);
        let best = self.market.best(&order.contract_id);
        self.exchange.place(self.now, self.market.contracts(), best, order)
    }

    /// Closes a position, or so many contracts of it, at the market.
    pub(crate) fn close(&mut self, account: i32, contract: &str, size: Option<i32>) -> Answer {
        let best = self.market.best(contract);
        let contracts = self.market.contracts();
        match size {
            None => self.exchange.close_contract(self.now, contracts, best, account, contract),
            Some(size) => self.exchange.partial_close(self.now, contracts, best, account, contract, size),
        }
    }
}
