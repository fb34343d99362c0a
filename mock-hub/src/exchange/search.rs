//! What the REST searches find. `None` stands for an account that does not exist (code 1).

use time::OffsetDateTime;

use super::Exchange;
use super::book::Entry;
use super::order::{Order, OrderStatus};
use super::position::Position;
use super::trade::Trade;

/// Orders on one page of `Order/v2/query`; the venue's own limit is not known.
const MAX_PAGE: usize = 1_000;

/// `Order/v2/query`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderQuery {
    /// The account.
    pub account_id: i32,
    /// The statuses wanted, as numbers; none means all, suspended orders included.
    pub statuses: Vec<i32>,
    /// The contract wanted; `None` means all.
    pub contract_id: Option<String>,
    /// Created at this time or later.
    pub created_after: Option<OffsetDateTime>,
    /// Created at this time or earlier.
    pub created_before: Option<OffsetDateTime>,
    /// Orders on a page, 1 to 1,000.
    pub page_size: usize,
    /// Orders before the page.
    pub page_offset: usize,
    /// What the orders are sorted by.
    pub sort_by: OrderSort,
    /// Whether the largest comes first.
    pub descending: bool,
}

impl OrderQuery {
    /// The first hundred of all orders of an account, oldest first.
    pub const fn new(account_id: i32) -> Self {
        Self {
            account_id,
            statuses: Vec::new(),
            contract_id: None,
            created_after: None,
            created_before: None,
            page_size: 100,
            page_offset: 0,
            sort_by: OrderSort::CreatedAt,
            descending: false,
        }
    }

    fn wants(&self, order: &Order) -> bool {
        (self.statuses.is_empty() || self.statuses.contains(&order.status.code()))
            && self.contract_id.as_ref().is_none_or(|contract| *contract == order.contract_id)
            && self.created_after.is_none_or(|after| order.creation >= after)
            && self.created_before.is_none_or(|before| order.creation <= before)
    }
}

/// What `Order/v2/query` sorts by; equal times stand in order of id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderSort {
    /// 0: the time of creation.
    CreatedAt,
    /// 1: the id.
    Id,
}

/// A page of `Order/v2/query`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderPage {
    /// The orders on the page.
    pub orders: Vec<Order>,
    /// How many the query finds on all pages.
    pub total_count: usize,
}

impl Exchange {
    /// `Order/search`: by time of creation, newest first, without suspended orders.
    pub fn order_search(
        &self,
        account_id: i32,
        start: OffsetDateTime,
        end: Option<OffsetDateTime>,
    ) -> Option<Vec<Order>> {
        let found = |order: &&Order| {
            order.status != OrderStatus::Suspended
                && order.creation >= start
                && end.is_none_or(|end| order.creation <= end)
        };
        Some(self.orders(account_id)?.rev().filter(found).cloned().collect())
    }

    /// `Order/searchOpen`: orders at work, newest first, without pending and suspended ones.
    pub fn open_orders(&self, account_id: i32) -> Option<Vec<Order>> {
        let found = |order: &&Order| order.status == OrderStatus::Open;
        Some(self.orders(account_id)?.rev().filter(found).cloned().collect())
    }

    /// `Order/searchById`: any order of the account, whatever its status.
    pub fn order_by_id(&self, account_id: i32, order_id: i64) -> Option<Order> {
        self.entry(account_id, order_id).map(|entry| entry.order.clone())
    }

    /// `Order/v2/query`: the one search that finds suspended orders.
    pub fn query(&self, query: &OrderQuery) -> Option<OrderPage> {
        let mut orders: Vec<&Order> = self.orders(query.account_id)?.filter(|order| query.wants(order)).collect();
        match query.sort_by {
            OrderSort::CreatedAt => orders.sort_by_key(|order| (order.creation, order.id)),
            OrderSort::Id => orders.sort_by_key(|order| order.id),
        }
        if query.descending {
            orders.reverse();
        }
        let total_count = orders.len();
        let page = orders.into_iter().skip(query.page_offset).take(query.page_size.clamp(1, MAX_PAGE));
        Some(OrderPage { orders: page.cloned().collect(), total_count })
    }

    /// `Position/searchOpen`: what is held, by contract.
    pub fn positions(&self, account_id: i32) -> Option<Vec<Position>> {
        let book = self.books.get(&account_id)?;
        let row = |(contract_id, held): (&String, &super::holding::Holding)| {
            self.terms.get(contract_id).map(|terms| held.position(account_id, &terms.contract))
        };
        Some(book.holdings.iter().filter_map(row).collect())
    }

    /// `Trade/search`: by time, newest first, voided trades included.
    pub fn trades(
        &self,
        account_id: i32,
        start: Option<OffsetDateTime>,
        end: Option<OffsetDateTime>,
    ) -> Option<Vec<Trade>> {
        let found = |trade: &&Trade| {
            start.is_none_or(|start| trade.creation >= start) && end.is_none_or(|end| trade.creation <= end)
        };
        Some(self.books.get(&account_id)?.trades.values().rev().filter(found).cloned().collect())
    }

    fn orders(&self, account_id: i32) -> Option<impl DoubleEndedIterator<Item = &Order>> {
        Some(self.books.get(&account_id)?.orders.values().map(|Entry { order, .. }| order))
    }
}
