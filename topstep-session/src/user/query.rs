//! What the user machine asks of REST, and what it is answered.

use std::time::Duration;

use topstep_model::rest::{
    Accounts, FindOrder, FoundOrder, OrderFilter, Orders, OrdersPage, Positions, QueryOrders, SearchAccounts,
    SearchOpenOrders, SearchOpenPositions, SearchOrders, SearchTrades, Trades,
};
use topstep_model::{AccountId, OrderId, OrderStatus, Timestamp};

/// Names a query, so that its answer finds back. Never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket(pub u64);

/// How many orders a page of [`Query::WorkingOrders`] has.
///
/// Each page begins with the last order of the page before: if it does not, an order went away in between, and another may have slipped
/// through.
pub const PAGE_SIZE: i32 = 100;

/// A read of the REST API. The glue sends it, and answers it exactly once.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Query {
    /// All accounts: [`search_accounts`](Self::search_accounts), answered by [`Answer::Accounts`].
    Accounts,
    /// What an account holds: answered by [`Answer::Positions`].
    Positions(AccountId),
    /// One page of the orders that are not over, suspended ones included: [`working_orders`](Self::working_orders), answered by
    /// [`Answer::Page`].
    WorkingOrders {
        /// The account.
        account: AccountId,
        /// The page, from 0.
        page: i32,
    },
    /// The orders at the exchange, where [`WorkingOrders`](Self::WorkingOrders) is not supported: answered by [`Answer::Orders`].
    OpenOrders(AccountId),
    /// The orders since a time: answered by [`Answer::Orders`].
    OrdersSince {
        /// The account.
        account: AccountId,
        /// From when.
        start: Timestamp,
    },
    /// One order: answered by [`Answer::Order`].
    Order {
        /// The account.
        account: AccountId,
        /// The order.
        order: OrderId,
    },
    /// The trades since a time: answered by [`Answer::Trades`].
    Trades {
        /// The account.
        account: AccountId,
        /// From when.
        start: Timestamp,
    },
}

impl Query {
    /// The request of [`Accounts`](Self::Accounts): all of the user's, also those that are no longer active.
    pub const fn search_accounts() -> SearchAccounts {
        SearchAccounts::new(false)
    }

    /// The request of [`Positions`](Self::Positions).
    pub const fn open_positions(account: AccountId) -> SearchOpenPositions {
        SearchOpenPositions::new(account)
    }

    /// The request of [`WorkingOrders`](Self::WorkingOrders): every status that is no end, as far as its number is known.
    pub fn working_orders(account: AccountId, page: i32) -> QueryOrders {
        let mut filter = OrderFilter::new(account);
        filter.statuses = vec![
            OrderStatus::None,
            OrderStatus::Open,
            OrderStatus::Pending,
            OrderStatus::PendingCancellation,
            OrderStatus::Suspended,
        ];
        let mut query = QueryOrders::new(filter);
        query.page_size = PAGE_SIZE;
        query.page_offset = page.saturating_mul(PAGE_SIZE - 1);
        query
    }

    /// The request of [`OpenOrders`](Self::OpenOrders).
    pub const fn open_orders(account: AccountId) -> SearchOpenOrders {
        SearchOpenOrders::new(account)
    }

    /// The request of [`OrdersSince`](Self::OrdersSince).
    pub const fn orders_since(account: AccountId, start: Timestamp) -> SearchOrders {
        SearchOrders::since(account, start)
    }

    /// The request of [`Order`](Self::Order).
    pub const fn order(account: AccountId, order: OrderId) -> FindOrder {
        FindOrder::new(account, order)
    }

    /// The request of [`Trades`](Self::Trades).
    pub const fn trades(account: AccountId, start: Timestamp) -> SearchTrades {
        SearchTrades::since(account, start)
    }
}

/// What a [`Query`] brought.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Answer {
    /// To [`Query::Accounts`].
    Accounts(Accounts),
    /// To [`Query::Positions`].
    Positions(Positions),
    /// To [`Query::WorkingOrders`].
    Page(OrdersPage),
    /// To [`Query::OrdersSince`] and [`Query::OpenOrders`].
    Orders(Orders),
    /// To [`Query::Order`].
    Order(Box<FoundOrder>),
    /// To [`Query::Trades`].
    Trades(Trades),
}

/// Why a [`Query`] brought nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum QueryFailure {
    /// Too many calls: nothing is asked before this time is over.
    Throttled(Duration),
    /// The gateway does not know the call, or does not allow it: status 400, 403, 404, 405 or 501.
    Unsupported,
    /// The gateway understands the call and says no: it does not know the order, for example.
    NotFound,
    /// Anything else. It is asked again later.
    Failed,
}
