//! `Order/place`.

use std::sync::Arc;

use time::OffsetDateTime;

use super::answer::{PlaceAnswer, place};
use super::book::{Brackets, Entry, Terms};
use super::checks::{self, Levels, Shape};
use super::lifecycle::What;
use super::order::{Order, OrderStatus};
use super::request::PlaceOrder;
use super::{Exchange, costs};
use crate::market::{Best, Contract, Contracts};

impl Exchange {
    /// Takes an order or refuses it. `best` is the contract's price now; without one, and with none heard of before,
    /// nothing trades. An order is told as pending at once, and what becomes of it a few milliseconds later.
    pub fn place(
        &mut self,
        now: OffsetDateTime,
        contracts: &Contracts,
        best: Option<Best>,
        order: PlaceOrder,
    ) -> PlaceAnswer {
        let at = self.catch_up(now);
        let Some(book) = self.books.get_mut(&order.account_id) else {
            return PlaceAnswer::code(place::ACCOUNT_NOT_FOUND);
        };
        let Some(contract) = contracts.find(&order.contract_id) else {
            return PlaceAnswer::code(place::CONTRACT_NOT_FOUND);
        };
        if !contract.active {
            return PlaceAnswer::code(place::CONTRACT_NOT_ACTIVE);
        }
        if !book.account.can_trade {
            return PlaceAnswer::code(place::ACCOUNT_REJECTED);
        }
        let shape = match checks::shape(book, &order) {
            Ok(shape) => shape,
            Err(message) => return PlaceAnswer::refused(None, message),
        };
        let wanted = book.refusals.pop_front();
        let terms = self.terms_of(contract);
        if let Some(best) = best {
            self.learn(&order.contract_id, best);
        }
        let checked = wanted.map_or_else(|| self.check(&order, shape, &terms), Err);
        let (levels, brackets, refusal) = match checked {
            Ok((levels, brackets)) => (levels, brackets, None),
            Err(message) => (Levels::as_asked(shape, &order), Brackets::default(), Some(message)),
        };
        let what = if refusal.is_some() { What::Reject } else { What::Accept };
        let entry = self.entry_of(at, order, shape, levels, terms, &brackets);
        let order_id = self.admit_family(at, entry, brackets, what);
        match refusal {
            None => PlaceAnswer::taken(order_id),
            Some(message) => PlaceAnswer::refused(Some(order_id), message),
        }
    }

    /// The terms of a contract, kept from the first order that names it.
    pub(super) fn terms_of(&mut self, contract: Contract) -> Arc<Terms> {
        let terms = self.terms.entry(contract.id.clone()).or_insert_with(|| {
            let costs = costs::of(&contract.symbol_id);
            Arc::new(Terms { contract, costs })
        });
        terms.clone()
    }

    /// A new order, pending, with an id of its own and one for each child that will follow it.
    pub(super) fn entry_of(
        &mut self,
        at: OffsetDateTime,
        asked: PlaceOrder,
        shape: Shape,
        levels: Levels,
        terms: Arc<Terms>,
        brackets: &Brackets,
    ) -> Entry {
        let family = 1 + brackets.count();
        let order = Order {
            id: self.ids.orders(&mut self.dice, family),
            account_id: asked.account_id,
            contract_id: asked.contract_id,
            symbol_id: terms.contract.symbol_id.clone(),
            creation: at,
            update: at,
            status: OrderStatus::Pending,
            order_type: shape.order_type,
            side: shape.side,
            size: shape.size,
            limit_price: levels.limit_price,
            stop_price: levels.stop_price,
            fill_volume: 0,
            filled_price: None,
            custom_tag: asked.custom_tag.filter(|tag| !tag.is_empty()),
            parent_order_id: None,
            linked_order_id: None,
            trail_distance: levels.trail.map(|trail| trail.ticks),
            trail_price: levels.trail.map(|trail| trail.distance),
        };
        Entry::new(order, terms)
    }

    fn check(&self, order: &PlaceOrder, shape: Shape, terms: &Terms) -> Result<(Levels, Brackets), String> {
        let book = self.books.get(&order.account_id).ok_or("The account has gone.")?;
        let best = *self.prices.get(&order.contract_id).ok_or(checks::NO_PRICE)?;
        let levels = checks::levels(shape, order, terms.contract.tick_size, best)?;
        let brackets = checks::brackets(book, shape.side, order)?;
        checks::margin(self, book, terms, shape)?;
        Ok((levels, brackets))
    }
}
