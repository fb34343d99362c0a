//! Orders: finding, changing and cancelling them.

use serde::Serialize;

use super::payload::{Done, answer};
use super::request::request;
use crate::{
    AccountId, CancelErrorCode, ContractId, ModifyErrorCode, Order, OrderErrorCode, OrderId, OrderSortBy, OrderStatus,
    Price, SearchErrorCode, SortDirection, Timestamp,
};

answer! {
    /// Some of an account's orders.
    pub struct Orders, OrdersBuild {
        /// The orders; `None` where the answer has no list, which is not the same as an empty one.
        list "orders" orders: Order,
    }
}

answer! {
    /// One page of a query.
    pub struct OrdersPage, OrdersPageBuild {
        /// The orders; `None` where the answer has no list, which is not the same as an empty one.
        list "orders" orders: Order,
        /// How many orders fit the filter on all pages, where that was asked for.
        optional "totalCount" total_count: i64,
    }
}

answer! {
    /// One order.
    pub struct FoundOrder, FoundOrderBuild {
        /// The order.
        row "order" order: Order,
    }
}

/// `Order/search`: an account's orders of an interval.
///
/// Suspended orders, the children of a bracket before its entry fills, are left out (seen in July 2026).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct SearchOrders {
    /// The account.
    pub account_id: AccountId,
    /// The earliest time.
    pub start_timestamp: Timestamp,
    /// The latest time; default: now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_timestamp: Option<Timestamp>,
}

impl SearchOrders {
    /// Asks for an account's orders since a time.
    pub const fn since(account_id: AccountId, start: Timestamp) -> Self {
        Self { account_id, start_timestamp: start, end_timestamp: None }
    }

    /// Asks up to a time only.
    #[must_use]
    pub const fn until(mut self, end: Timestamp) -> Self {
        self.end_timestamp = Some(end);
        self
    }
}

request!(SearchOrders, "/api/Order/search" => Orders, SearchErrorCode);

/// `Order/searchOpen`: an account's orders that work at the exchange.
///
/// Pending and suspended ones are left out (seen on the live gateway).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct SearchOpenOrders {
    /// The account.
    pub account_id: AccountId,
}

impl SearchOpenOrders {
    /// Asks for an account's open orders.
    pub const fn new(account_id: AccountId) -> Self {
        Self { account_id }
    }
}

request!(SearchOpenOrders, "/api/Order/searchOpen" => Orders, SearchErrorCode);

/// `Order/searchById`: one order. Newer than the documentation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct FindOrder {
    /// The account.
    pub account_id: AccountId,
    /// The order.
    pub order_id: OrderId,
}

impl FindOrder {
    /// Asks for an order.
    pub const fn new(account_id: AccountId, order_id: OrderId) -> Self {
        Self { account_id, order_id }
    }
}

request!(FindOrder, "/api/Order/searchById" => FoundOrder, OrderErrorCode);

/// Which orders a query is about; what is `None` or empty does not limit it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct OrderFilter {
    /// The account.
    pub account_id: AccountId,
    /// What has become of the orders.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub statuses: Vec<OrderStatus>,
    /// The contract.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contract_id: Option<ContractId>,
    /// The earliest time of creation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_after: Option<Timestamp>,
    /// The latest time of creation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_before: Option<Timestamp>,
}

impl OrderFilter {
    /// All orders of an account.
    pub const fn new(account_id: AccountId) -> Self {
        Self { account_id, statuses: Vec::new(), contract_id: None, created_after: None, created_before: None }
    }
}

/// `Order/v2/query`: an account's orders page by page, suspended ones too. Newer than the documentation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct QueryOrders {
    /// Which orders.
    pub filter: OrderFilter,
    /// The most orders of a page. Default 100.
    pub page_size: i32,
    /// How many orders to skip. Default 0.
    pub page_offset: i32,
    /// What they are sorted by. Default: the time of creation.
    pub sort_by: OrderSortBy,
    /// Which way. Default: ascending, so that a new order moves no other to another page.
    pub sort_direction: SortDirection,
    /// Whether to count all that fit. Default `true`.
    pub include_total_count: bool,
}

impl QueryOrders {
    /// Asks for the first page.
    pub const fn new(filter: OrderFilter) -> Self {
        Self {
            filter,
            page_size: 100,
            page_offset: 0,
            sort_by: OrderSortBy::CreatedAt,
            sort_direction: SortDirection::Ascending,
            include_total_count: true,
        }
    }
}

request!(QueryOrders, "/api/Order/v2/query" => OrdersPage, SearchErrorCode);

/// `Order/modify`: changes a working order; what is `None` stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ModifyOrder {
    /// The account.
    pub account_id: AccountId,
    /// The order.
    pub order_id: OrderId,
    /// How many contracts it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<i32>,
    /// The limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit_price: Option<Price>,
    /// The price that wakes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_price: Option<Price>,
    /// Where a trailing stop stands: a level, not a distance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trail_price: Option<Price>,
}

impl ModifyOrder {
    /// Changes nothing yet.
    pub const fn new(account_id: AccountId, order_id: OrderId) -> Self {
        Self { account_id, order_id, size: None, limit_price: None, stop_price: None, trail_price: None }
    }

    /// Changes the size.
    #[must_use]
    pub const fn size(mut self, size: i32) -> Self {
        self.size = Some(size);
        self
    }

    /// Changes the limit.
    #[must_use]
    pub const fn limit_price(mut self, price: Price) -> Self {
        self.limit_price = Some(price);
        self
    }

    /// Changes the price that wakes it.
    #[must_use]
    pub const fn stop_price(mut self, price: Price) -> Self {
        self.stop_price = Some(price);
        self
    }

    /// Changes the level of a trailing stop.
    #[must_use]
    pub const fn trail_price(mut self, price: Price) -> Self {
        self.trail_price = Some(price);
        self
    }
}

request!(ModifyOrder, "/api/Order/modify" => Done, ModifyErrorCode, CHANGES = true);

/// `Order/cancel`: cancels a working order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CancelOrder {
    /// The account.
    pub account_id: AccountId,
    /// The order.
    pub order_id: OrderId,
}

impl CancelOrder {
    /// Cancels an order.
    pub const fn new(account_id: AccountId, order_id: OrderId) -> Self {
        Self { account_id, order_id }
    }
}

request!(CancelOrder, "/api/Order/cancel" => Done, CancelErrorCode, CHANGES = true);
