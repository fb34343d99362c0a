//! Finding out what became of a call without an answer. It asks, and sends nothing again.

use std::time::Duration;

use adapter_core::Runtime;
use topstep_model::rest::{FindOrder, OrderFilter, QueryOrders, SearchOpenPositions, SearchOrders};
use topstep_model::{AccountId, ContractId, Order, OrderId, OrderStatus, Position, Rows, SortDirection, Timestamp};

use super::Gateway;
use crate::budget::Priority;
use crate::moment::Moment;
use crate::rest::{Mutation, OutcomeUnknown, Settled};

/// How long before the call the search begins: the clocks here and there may differ.
const BEFORE: Duration = Duration::from_secs(300);

/// What a list says of a tag.
enum Looked {
    Found(Box<Order>),
    /// It is in no row, and every row could be read.
    Absent,
    Unclear,
}

impl<R: Runtime> Gateway<R> {
    /// Finds out what became of a call whose outcome is unknown.
    ///
    /// An order that was to be placed is looked up by its tag, among the orders of the time and among the newest; one that was to be changed or
    /// cancelled, by its id; of a close, the position is read. A call may still arrive after that: [`Settled::NotFoundYet`] is no promise.
    pub async fn settle(&self, unknown: &OutcomeUnknown) -> Settled {
        match &unknown.what {
            Some(Mutation::Place { account, tag }) => self.settle_place(*account, tag, unknown.sent_at).await,
            Some(Mutation::Modify { account, order } | Mutation::Cancel { account, order }) => {
                self.settle_order(*account, *order).await
            }
            Some(Mutation::Close { account, contract, .. }) => self.settle_close(*account, contract).await,
            None => Settled::Unknown,
        }
    }

    async fn settle_place(&self, account: AccountId, tag: &str, sent_at: Moment) -> Settled {
        let search = SearchOrders::since(account, earlier(sent_at));
        let orders = self.call(&search, Priority::Order).await.map(|answer| answer.orders);
        let searched = look_for(account, tag, orders.ok().flatten());
        if let Looked::Found(order) = searched {
            return placed(&order);
        }
        // The newest orders, whatever the clocks say: where the search does not show it, this may.
        let mut query = QueryOrders::new(OrderFilter::new(account));
        query.sort_direction = SortDirection::Descending;
        let orders = self.call(&query, Priority::Order).await.map(|answer| answer.orders);
        match (look_for(account, tag, orders.ok().flatten()), searched) {
            (Looked::Found(order), _) => placed(&order),
            (Looked::Absent, _) | (_, Looked::Absent) => Settled::NotFoundYet,
            _ => Settled::Unknown,
        }
    }

    async fn settle_order(&self, account: AccountId, order: OrderId) -> Settled {
        match self.call(&FindOrder::new(account, order), Priority::Exit).await {
            Ok(found) => Settled::Order(Box::new(found.order)),
            Err(_) => Settled::Unknown,
        }
    }

    async fn settle_close(&self, account: AccountId, contract: &ContractId) -> Settled {
        let Ok(answer) = self.call(&SearchOpenPositions::new(account), Priority::Exit).await else {
            return Settled::Unknown;
        };
        let Some(positions) = answer.positions else { return Settled::Unknown };
        let is_it = |position: &&Position| position.account_id == account && position.contract_id == *contract;
        let found = positions.values().find(is_it).cloned();
        match found {
            None if positions.errors().next().is_some() => Settled::Unknown,
            found => Settled::Position(found.map(Box::new)),
        }
    }
}

fn look_for(account: AccountId, tag: &str, orders: Option<Rows<Order>>) -> Looked {
    let Some(orders) = orders else { return Looked::Unclear };
    let has_tag = |order: &&Order| order.custom_tag.as_ref().is_some_and(|text| text.as_str() == tag);
    let is_it = |order: &&Order| order.account_id == account && has_tag(order);
    match orders.values().find(is_it) {
        Some(order) => Looked::Found(Box::new(order.clone())),
        None if orders.errors().next().is_some() => Looked::Unclear,
        None => Looked::Absent,
    }
}

fn placed(order: &Order) -> Settled {
    if order.status == OrderStatus::Rejected { Settled::Rejected(order.id) } else { Settled::Placed(order.id) }
}

fn earlier(moment: Moment) -> Timestamp {
    let wall = moment.wall.utc().checked_sub(time::Duration::try_from(BEFORE).unwrap_or(time::Duration::ZERO));
    wall.and_then(|wall| Timestamp::try_from(wall).ok()).unwrap_or(moment.wall)
}
