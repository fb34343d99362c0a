//! Reading orders, positions and trades.

use adapter_core::Runtime;
use topstep_model::rest::{
    FindOrder, OrderFilter, QueryOrders, SearchOpenOrders, SearchOpenPositions, SearchOrders, SearchTrades,
};
use topstep_model::{AccountId, Order, OrderErrorCode, OrderId, Position, RowError, Rows, SearchErrorCode, UserTrade};

use super::Gateway;
use crate::budget::Priority;
use crate::rest::CallError;

/// More pages than this are not read: 10,000 orders at the usual size.
const MAX_PAGES: usize = 100;

/// All pages of a query.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct QueriedOrders {
    /// The orders that can be read, in the query's order, none twice.
    pub orders: Vec<Order>,
    /// What is wrong with the others.
    pub malformed: Vec<RowError>,
    /// Whether there are more pages than were read.
    pub is_cut: bool,
}

impl<R: Runtime> Gateway<R> {
    /// An account's orders of an interval. Suspended ones, the children of a bracket before its entry fills, are left out by the venue.
    pub async fn search_orders(&self, request: &SearchOrders) -> Result<Rows<Order>, CallError<SearchErrorCode>> {
        self.call(request, Priority::Read).await?.orders.ok_or(CallError::NoList)
    }

    /// An account's orders that work at the exchange. Pending and suspended ones are left out by the venue.
    pub async fn open_orders(&self, account: AccountId) -> Result<Rows<Order>, CallError<SearchErrorCode>> {
        self.call(&SearchOpenOrders::new(account), Priority::Read).await?.orders.ok_or(CallError::NoList)
    }

    /// One order.
    pub async fn order(&self, account: AccountId, order: OrderId) -> Result<Order, CallError<OrderErrorCode>> {
        self.call(&FindOrder::new(account, order), Priority::Read).await.map(|answer| answer.order)
    }

    /// All orders that fit a filter, suspended ones too, page by page to the end.
    pub async fn query_orders(&self, filter: OrderFilter) -> Result<QueriedOrders, CallError<SearchErrorCode>> {
        self.query_orders_as(filter, Priority::Read).await
    }

    pub(crate) async fn query_orders_as(
        &self,
        filter: OrderFilter,
        priority: Priority,
    ) -> Result<QueriedOrders, CallError<SearchErrorCode>> {
        let mut query = QueryOrders::new(filter);
        let mut queried = QueriedOrders::default();
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..MAX_PAGES {
            let page = self.call(&query, priority).await?;
            let rows = page.orders.ok_or(CallError::NoList)?;
            // Padding makes a page look short, so the count decides where there is one.
            let read = i32::try_from(rows.len()).unwrap_or(i32::MAX);
            for row in rows {
                match row {
                    // An order that changed between two pages may stand on both.
                    Ok(order) if seen.insert(order.id) => queried.orders.push(order),
                    Ok(_) => {}
                    Err(error) => queried.malformed.push(error),
                }
            }
            // A venue may give fewer at once than were asked for: the next page begins where this one ended.
            let offset = query.page_offset.saturating_add(read);
            let is_last = page.total_count.map_or(read < query.page_size, |total| i64::from(offset) >= total);
            if is_last || read == 0 {
                return Ok(queried);
            }
            query.page_offset = offset;
        }
        queried.is_cut = true;
        Ok(queried)
    }

    /// What an account holds.
    pub async fn positions(&self, account: AccountId) -> Result<Rows<Position>, CallError<SearchErrorCode>> {
        self.call(&SearchOpenPositions::new(account), Priority::Read).await?.positions.ok_or(CallError::NoList)
    }

    /// An account's trades of an interval, newest first.
    pub async fn trades(&self, request: &SearchTrades) -> Result<Rows<UserTrade>, CallError<SearchErrorCode>> {
        self.call(request, Priority::Read).await?.trades.ok_or(CallError::NoList)
    }
}
