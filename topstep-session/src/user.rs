//! What is believed of the accounts of a user, and how well it is known.
//!
//! [`UserMachine`] is told what the user hub sends and what REST answers, and keeps accounts, orders, positions and trades. It knows no socket
//! and no clock.

mod config;
mod counters;
mod event;
mod profit;
mod query;
mod state;

use signalr_proto::time::Instant;
use topstep_model::{Account, AccountId, ContractId, Order, OrderId, Position, Rows, Target, UserEvent, UserTrade};

use crate::gap::{Gap, GapCause, Subject};
use crate::known::Known;
use crate::moment::Moment;

pub use config::UserConfig;
pub use counters::UserCounters;
pub use event::{Action, UserUpdate};
pub use profit::{Market, ProfitAndLoss, equity, unrealised};
pub use query::{Answer, PAGE_SIZE, Query, QueryFailure, Ticket};
pub use state::{Entry, Levels, List, UserState};

/// Holds what is believed of a user's accounts.
#[derive(Debug)]
pub struct UserMachine {
    config: UserConfig,
    counters: UserCounters,
    began: Moment,
}

#[expect(unused_variables, reason = "the bodies follow")]
impl UserMachine {
    /// Makes a machine that knows nothing yet.
    pub fn new(config: UserConfig, began: Moment) -> Self {
        Self { config, counters: UserCounters::default(), began }
    }

    /// Follows a subject of the user hub, once more.
    pub fn want(&mut self, now: Moment, subject: Subject) {}

    /// Follows a subject once less.
    pub fn unwant(&mut self, now: Moment, subject: &Subject) {}

    /// The hub is connected, for the first time or again.
    pub fn handle_connected(&mut self, now: Moment) {}

    /// The connection is lost.
    pub fn handle_lost(&mut self, now: Moment, cause: GapCause) {}

    /// The hub acknowledged a subscription.
    pub fn handle_subscribed(&mut self, now: Moment, subject: &Subject) {}

    /// Something may have been missed though the connection lives.
    pub fn handle_gap(&mut self, now: Moment, subject: &Subject, cause: GapCause) {}

    /// The hub refuses a subscription.
    pub fn handle_refused(&mut self, now: Moment, subject: &Subject, error: String) {}

    /// A `GatewayUserAccount`.
    pub fn handle_accounts(&mut self, now: Moment, rows: Rows<UserEvent<Account>>) {}

    /// A `GatewayUserOrder`.
    pub fn handle_orders(&mut self, now: Moment, rows: Rows<UserEvent<Order>>) {}

    /// A `GatewayUserPosition`.
    pub fn handle_positions(&mut self, now: Moment, rows: Rows<UserEvent<Position>>) {}

    /// A `GatewayUserTrade`.
    pub fn handle_trades(&mut self, now: Moment, rows: Rows<UserEvent<UserTrade>>) {}

    /// An event of which nothing could be read.
    pub fn handle_malformed(&mut self, now: Moment, target: Target, message: String) {}

    /// The answer of a query.
    pub fn handle_answer(&mut self, now: Moment, ticket: Ticket, answer: Result<Answer, QueryFailure>) {}

    /// The time that [`poll_timeout`](Self::poll_timeout) named has come.
    pub fn handle_timeout(&mut self, now: Moment) {}

    /// What to do at the hub, if anything.
    pub fn poll_action(&mut self) -> Option<Action> {
        None
    }

    /// What to ask of REST, if anything.
    pub fn poll_query(&mut self) -> Option<(Ticket, Query)> {
        None
    }

    /// What is to be told, if anything.
    pub fn poll_event(&mut self) -> Option<UserUpdate> {
        None
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called, if at all.
    pub fn poll_timeout(&self) -> Option<Instant> {
        None
    }

    /// Everything that is believed now.
    pub fn state(&self) -> UserState {
        UserState {
            connected: false,
            accounts: List::new(Vec::new(), Known::Stale),
            orders: List::new(Vec::new(), Known::Stale),
            positions: List::new(Vec::new(), Known::Stale),
            trades: List::new(Vec::new(), Known::Stale),
            levels: std::collections::BTreeMap::new(),
            gaps: Vec::new(),
        }
    }

    /// What an account holds of a contract; `None` is flat, which has a level of its own.
    pub fn position(&self, account: AccountId, contract: &ContractId) -> Entry<Option<Position>> {
        Entry::new(None, Known::Stale)
    }

    /// An order.
    pub fn order(&self, account: AccountId, order: OrderId) -> Option<Entry<Order>> {
        None
    }

    /// The orders of an account that may still be filled, those with an unknown status included.
    pub fn working_orders(&self, account: AccountId) -> List<Order> {
        List::new(Vec::new(), Known::Stale)
    }

    /// The open positions of an account.
    pub fn positions(&self, account: AccountId) -> List<Position> {
        List::new(Vec::new(), Known::Stale)
    }

    /// The trades of an account.
    pub fn trades(&self, account: AccountId) -> List<UserTrade> {
        List::new(Vec::new(), Known::Stale)
    }

    /// An account.
    pub fn account(&self, account: AccountId) -> Option<Entry<Account>> {
        None
    }

    /// What the trades of the current trading day brought.
    pub fn profit_and_loss(&self, account: AccountId, now: Moment) -> ProfitAndLoss {
        ProfitAndLoss::nothing(crate::calendar::trading_day_start(now.wall), Known::Stale)
    }

    /// The gaps that are open.
    pub fn gaps_open(&self) -> Vec<Gap> {
        Vec::new()
    }

    /// Whether a position is open or an order works, as far as is believed.
    pub fn is_exposed(&self) -> bool {
        false
    }

    /// What was counted.
    pub const fn counters(&self) -> &UserCounters {
        &self.counters
    }
}
