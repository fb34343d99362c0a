//! What is still there when one leaves.

use adapter_core::Runtime;
use topstep_model::rest::OrderFilter;
use topstep_model::{AccountId, ListErrorCode, Order, OrderStatus, Position};

use super::Gateway;
use crate::budget::Priority;
use crate::rest::CallError;

/// What goes on at the venue without us: leaving cancels nothing and closes nothing.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct LeftOpen {
    /// The orders that work or wait.
    pub orders: Vec<Order>,
    /// The open positions.
    pub positions: Vec<Position>,
    /// The accounts of which not everything could be read.
    pub unread: Vec<AccountId>,
}

impl LeftOpen {
    /// Whether nothing is left, and everything could be read.
    pub fn is_nothing(&self) -> bool {
        self.orders.is_empty() && self.positions.is_empty() && self.unread.is_empty()
    }
}

impl<R: Runtime> Gateway<R> {
    /// Lists the working orders and the open positions of all accounts.
    pub async fn left_open(&self) -> Result<LeftOpen, CallError<ListErrorCode>> {
        let mut left = LeftOpen::default();
        for account in self.accounts().await?.into_iter().flatten() {
            if !self.look_at(account.id, &mut left).await {
                left.unread.push(account.id);
            }
        }
        Ok(left)
    }

    async fn look_at(&self, account: AccountId, left: &mut LeftOpen) -> bool {
        let mut filter = OrderFilter::new(account);
        filter.statuses = vec![
            OrderStatus::None,
            OrderStatus::Open,
            OrderStatus::Pending,
            OrderStatus::PendingCancellation,
            OrderStatus::Suspended,
        ];
        let mut is_whole = true;
        match self.query_orders_as(filter, Priority::Read).await {
            Ok(queried) => {
                is_whole &= queried.malformed.is_empty() && !queried.is_cut;
                left.orders.extend(queried.orders);
            }
            Err(_) => match self.open_orders(account).await {
                Ok(orders) => {
                    // Without suspended ones it is not all.
                    is_whole = false;
                    left.orders.extend(orders.into_iter().flatten());
                }
                Err(_) => is_whole = false,
            },
        }
        match self.positions(account).await {
            Ok(positions) => {
                is_whole &= positions.errors().next().is_none();
                left.positions.extend(positions.into_iter().flatten());
            }
            Err(_) => is_whole = false,
        }
        is_whole
    }
}
