//! What is believed of the accounts of a user, and how well it is known.
//!
//! [`UserMachine`] is told what the user hub sends and what REST answers, and keeps accounts, orders, positions and trades. It knows no socket
//! and no clock: a [`Moment`] goes in, queries, actions and events come out.
//!
//! * A subject that is wanted begins with a gap, and every hole opens one, before the first event that follows it. Events go straight through,
//!   [`Provisional`](crate::Known::Provisional) while the gap is open.
//! * Once the hub has acknowledged the subscription, REST is read. Only an answer to a question that was asked after that closes the gap: what
//!   differs is told with [`Source::Rest`](crate::Source::Rest), then the verdict.
//! * Orders are put in order by their stamps, trades by their ids. Positions and accounts have no stamps: a list counts only if no event came
//!   between the question and the answer.
//! * Every 45 s an audit reads again. What differs twice, with a pause in between and no event, was lost: a gap, a repair, a verdict.
//!
//! The four subjects are followed by themselves: each has its gap, its reads and its timers.

mod conclude;
mod config;
mod counters;
mod event;
mod feed;
mod gaps;
mod merge;
mod orders;
mod orders_pass;
mod profit;
mod query;
mod reads;
mod rows;
mod state;
mod table;
mod trades;
mod view;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use signalr_proto::time::Instant;
use topstep_model::{Account, AccountId, Order, Position, Rows, Target, UserEvent, UserTrade};

use crate::gap::{GapCause, Subject, Verdict};
use crate::moment::Moment;
use feed::Feed;
use orders::OrderTable;
use orders_pass::Part;
use table::Table;
use trades::TradeTable;

pub use crate::action::Action;
pub use config::UserConfig;
pub use counters::UserCounters;
pub use event::UserUpdate;
pub use profit::{Market, ProfitAndLoss, equity, unrealised};
pub use query::{Answer, PAGE_SIZE, Query, QueryFailure, Ticket};
pub use state::{Entry, Levels, List, UserState};

/// The longest text of a refusal that is kept, in characters.
const LONGEST_REFUSAL: usize = 256;

/// Holds what is believed of a user's accounts.
///
/// Whoever drives it hands in what happened (`handle_*`), and after each call takes out what is to be done and told (`poll_*`) until nothing
/// is left. Events of the hub go in as they came, in their order. No call fails.
pub struct UserMachine {
    config: UserConfig,
    began: Moment,
    is_connected: bool,
    /// Counts the connections.
    generation: u64,
    /// Counts the rows of the stream.
    serial: u64,
    feeds: BTreeMap<Subject, Feed>,
    accounts: Table<Account>,
    positions: BTreeMap<AccountId, Table<Position>>,
    orders: BTreeMap<AccountId, OrderTable>,
    trades: BTreeMap<AccountId, TradeTable>,
    next_gap: u64,
    next_ticket: u64,
    asked: BTreeMap<Ticket, Asked>,
    /// Nothing is asked before.
    held_until: Option<Instant>,
    events: VecDeque<UserUpdate>,
    actions: VecDeque<Action>,
    queries: VecDeque<(Ticket, Query)>,
    counters: UserCounters,
}

/// A query that is not answered.
struct Asked {
    subject: Subject,
    part: Part,
}

impl UserMachine {
    /// Makes a machine that knows nothing yet and follows nothing. `began` is when the session began.
    pub fn new(config: UserConfig, began: Moment) -> Self {
        Self {
            config,
            began,
            is_connected: false,
            generation: 0,
            serial: 0,
            feeds: BTreeMap::new(),
            accounts: Table::default(),
            positions: BTreeMap::new(),
            orders: BTreeMap::new(),
            trades: BTreeMap::new(),
            next_gap: 1,
            next_ticket: 1,
            asked: BTreeMap::new(),
            held_until: None,
            events: VecDeque::new(),
            actions: VecDeque::new(),
            queries: VecDeque::new(),
            counters: UserCounters::default(),
        }
    }

    /// Follows a subject, once more. The first time asks for its subscription and opens a gap, for nothing is known of it.
    ///
    /// A subject of the market hub is ignored.
    pub fn want(&mut self, now: Moment, subject: Subject) {
        if subject.hub() != "user" {
            return;
        }
        let (generation, history) = (self.generation, Self::history_from(now));
        let is_new = !self.feeds.contains_key(&subject);
        let feed = self.feeds.entry(subject.clone()).or_insert_with(|| Feed::new(now, generation, history));
        feed.wants += 1;
        if feed.wants > 1 {
            return;
        }
        let cause = if is_new { GapCause::ColdStart } else { GapCause::Resubscribed };
        self.open_gap(now, &subject, cause);
        self.actions.push_back(Action::Subscribe(subject));
    }

    /// Follows a subject once less. The last time ends its subscription: an open gap closes as abandoned, and what is believed is stale.
    pub fn unwant(&mut self, now: Moment, subject: &Subject) {
        let Some(feed) = self.feeds.get_mut(subject).filter(|feed| feed.wants > 0) else { return };
        feed.wants -= 1;
        if feed.wants > 0 {
            return;
        }
        (feed.is_acked, feed.is_verified, feed.due, feed.refusal) = (false, false, None, None);
        self.drop_read(subject);
        self.close_gap(now, subject, Some(Verdict::Abandoned { reason: "nobody follows it any more" }));
        self.actions.push_back(Action::Unsubscribe(subject.clone()));
    }

    /// The hub is connected, for the first time or again. Every subject that is wanted waits for its acknowledgement.
    pub fn handle_connected(&mut self, now: Moment) {
        if self.is_connected {
            self.lose(now, GapCause::TransportLost);
        }
        self.is_connected = true;
        self.generation += 1;
    }

    /// The connection is lost: a gap opens on everything that is wanted, and what is not final is stale.
    pub fn handle_lost(&mut self, now: Moment, cause: GapCause) {
        if self.is_connected {
            self.lose(now, cause);
        }
    }

    /// The hub acknowledged the newest subscription of this subject on this connection: from here on the stream is whole, and REST is asked.
    pub fn handle_subscribed(&mut self, now: Moment, subject: &Subject) {
        let spacing = self.config.reconcile_spacing;
        let feed = self.feeds.get_mut(subject).filter(|feed| feed.wants > 0 && !feed.is_acked);
        let Some(feed) = feed.filter(|_| self.is_connected) else { return };
        (feed.is_acked, feed.acked_at, feed.refusal) = (true, self.serial, None);
        feed.plan_reconcile(now.mono, spacing);
        self.run_due(now);
    }

    /// Something of this subject may have been missed though the connection lives.
    ///
    /// With [`GapCause::Resubscribed`] the subscription is gone, and evidence counts again after
    /// [`handle_subscribed`](Self::handle_subscribed). With any other cause it still stands, and REST is asked at once.
    pub fn handle_gap(&mut self, now: Moment, subject: &Subject, cause: GapCause) {
        if self.feeds.get(subject).is_none_or(|feed| feed.wants == 0) {
            return;
        }
        if cause == GapCause::Resubscribed {
            self.await_ack(now, subject);
        } else {
            self.open_gap(now, subject, cause);
        }
        self.run_due(now);
    }

    /// The hub refuses the subscription: its gap stays open until it is acknowledged after all. The text is kept, cut to 256 characters.
    pub fn handle_refused(&mut self, now: Moment, subject: &Subject, error: String) {
        if self.feeds.get(subject).is_none_or(|feed| feed.wants == 0) {
            return;
        }
        self.await_ack(now, subject);
        if let Some(feed) = self.feeds.get_mut(subject) {
            feed.refusal = Some(error.chars().take(LONGEST_REFUSAL).collect());
        }
    }

    /// A `GatewayUserAccount` of the stream.
    pub fn handle_accounts(&mut self, now: Moment, rows: Rows<UserEvent<Account>>) {
        self.take_rows(now, Target::UserAccount, rows, Self::take_account);
    }

    /// A `GatewayUserOrder` of the stream.
    pub fn handle_orders(&mut self, now: Moment, rows: Rows<UserEvent<Order>>) {
        self.take_rows(now, Target::UserOrder, rows, Self::take_order);
    }

    /// A `GatewayUserPosition` of the stream.
    pub fn handle_positions(&mut self, now: Moment, rows: Rows<UserEvent<Position>>) {
        self.take_rows(now, Target::UserPosition, rows, Self::take_position);
    }

    /// A `GatewayUserTrade` of the stream.
    pub fn handle_trades(&mut self, now: Moment, rows: Rows<UserEvent<UserTrade>>) {
        self.take_rows(now, Target::UserTrade, rows, Self::take_trade);
    }

    /// An event of which nothing could be read. Whoever calls this keeps what the event held out of the message; it is cut to 256 characters.
    ///
    /// It may have been about any account: a gap opens on every subject that this target tells.
    pub fn handle_malformed(&mut self, now: Moment, target: Target, message: String) {
        self.take_malformed(now, target, &message);
        self.run_due(now);
    }

    /// The answer of a query, or why there is none. An answer that nobody waits for any more is ignored.
    pub fn handle_answer(&mut self, now: Moment, ticket: Ticket, answer: Result<Answer, QueryFailure>) {
        self.take_answer(now, ticket, answer);
    }

    /// The time that [`poll_timeout`](Self::poll_timeout) named has come. Too early or too often does no harm.
    pub fn handle_timeout(&mut self, now: Moment) {
        self.run_due(now);
    }

    /// What to do at the hub, if anything.
    #[must_use = "an action that is not done leaves a subject without its subscription"]
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// What to ask of REST, if anything. Each is answered exactly once.
    #[must_use = "a query that is not answered holds its gap open"]
    pub fn poll_query(&mut self) -> Option<(Ticket, Query)> {
        self.queries.pop_front()
    }

    /// What is to be told, if anything.
    #[must_use = "an event that is not told is lost"]
    pub fn poll_event(&mut self) -> Option<UserUpdate> {
        self.events.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called, if at all.
    #[must_use = "without its timeouts nothing is ever asked again"]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.feeds.values().filter_map(|feed| feed.timeout(self.held_until)).min()
    }

    /// What was counted.
    pub const fn counters(&self) -> &UserCounters {
        &self.counters
    }
}

impl fmt::Debug for UserMachine {
    /// Shows how much there is, and nothing of it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserMachine")
            .field("is_connected", &self.is_connected)
            .field("generation", &self.generation)
            .field("feeds", &self.feeds.len())
            .field("asked", &self.asked.len())
            .finish_non_exhaustive()
    }
}
