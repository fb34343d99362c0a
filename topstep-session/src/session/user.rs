//! The user hub's session.

use std::sync::Arc;
use std::time::Duration;

use adapter_core::queue::QueueRule;
use signalr_proto::time::Instant;
use topstep_model::{
    Account, AccountId, ContractId, Hub, Order, OrderId, Position, Rows, Target, UserEvent, UserTrade,
};

use super::handle::{Handle, LinkStatus};
use super::machine::{Ears, Receive, SessionMachine, by_its_own_methods};
use super::outlet::{Listeners, Outlet, Outlets};
use crate::error::SubscribeError;
use crate::gap::{Gap, GapCause, GapNotice, Subject};
use crate::known::Source;
use crate::moment::Moment;
use crate::observe::{Audits, HubHealth, Kind, Seen};
use crate::router::EventKind;
use crate::stream::{self, Keep, Updates};
use crate::update::Update;
use crate::user::{
    Answer, Entry, List, ProfitAndLoss, Query, QueryFailure, Ticket, UserCounters, UserMachine, UserState, UserUpdate,
};

/// What an update counts against the unread bytes of the connection: about what its record was long.
const COST: usize = 512;

/// How many updates wait for a listener before the hub does.
const CAPACITY: usize = 1_024;

/// The longest wait between two attempts while a position or a working order exists.
const EXPOSED_DELAY: Duration = Duration::from_secs(20);

impl SessionMachine for UserMachine {
    type Update = UserUpdate;
    type Outlets = UserOutlets;
    const HUB: Hub = Hub::User;
    const WAITS: bool = true;

    by_its_own_methods!();

    fn want(&mut self, now: Moment, subject: Subject) -> bool {
        self.want(now, subject);
        true
    }

    fn join(&self, _: Moment, subject: &Subject) -> Vec<UserUpdate> {
        let gaps = self.gaps_open().into_iter().filter(|gap| gap.subject == *subject);
        gaps.map(|gap| UserUpdate::Gap(GapNotice::Opened(gap))).collect()
    }

    fn poll_query(&mut self) -> Option<(Ticket, Query)> {
        self.poll_query()
    }

    fn handle_answer(&mut self, now: Moment, ticket: Ticket, answer: Result<Answer, QueryFailure>) {
        self.handle_answer(now, ticket, answer);
    }

    fn max_delay(&self) -> Option<Duration> {
        self.is_exposed().then_some(EXPOSED_DELAY)
    }

    fn audits(&self) -> Audits {
        let counters = self.counters();
        Audits::new(counters.clean_audits, counters.mismatched_audits)
    }

    fn seen(update: &UserUpdate) -> Seen<'_> {
        let value = |source, kind, stamp| match source {
            Source::Stream => Seen::Value(kind, stamp),
            _ => Seen::Other,
        };
        match update {
            // Neither says when it changed.
            UserUpdate::Account(told) => value(told.source, Kind::Accounts, None),
            UserUpdate::Position(told) => value(told.source, Kind::Positions, None),
            UserUpdate::Order(told) => value(told.source, Kind::Orders, told.value.update_timestamp),
            UserUpdate::Trade(told) => {
                // One that is voided has the time of the trade.
                let stamp = told.value.creation_timestamp.filter(|_| told.value.voided != Some(true));
                value(told.source, Kind::Trades, stamp)
            }
            UserUpdate::Gap(notice) => Seen::Gap(notice),
            UserUpdate::Malformed(malformed) => Seen::Malformed(malformed.target),
        }
    }

    fn event(update: &UserUpdate) -> Option<EventKind> {
        Some(match update {
            UserUpdate::Account(told) => EventKind::Account(told.clone()),
            UserUpdate::Order(told) => EventKind::Order(told.clone()),
            UserUpdate::Position(told) => EventKind::Position(told.clone()),
            UserUpdate::Trade(told) => EventKind::Trade(told.clone()),
            UserUpdate::Gap(notice) => EventKind::Gap(notice.clone()),
            UserUpdate::Malformed(malformed) => EventKind::Malformed(malformed.clone()),
        })
    }
}

impl Receive<Rows<UserEvent<Account>>> for UserMachine {
    fn receive(&mut self, now: Moment, rows: Rows<UserEvent<Account>>, _: Ears<'_, Self>) {
        self.handle_accounts(now, rows);
    }
}

impl Receive<Rows<UserEvent<Order>>> for UserMachine {
    fn receive(&mut self, now: Moment, rows: Rows<UserEvent<Order>>, _: Ears<'_, Self>) {
        self.handle_orders(now, rows);
    }
}

impl Receive<Rows<UserEvent<Position>>> for UserMachine {
    fn receive(&mut self, now: Moment, rows: Rows<UserEvent<Position>>, _: Ears<'_, Self>) {
        self.handle_positions(now, rows);
    }
}

impl Receive<Rows<UserEvent<UserTrade>>> for UserMachine {
    fn receive(&mut self, now: Moment, rows: Rows<UserEvent<UserTrade>>, _: Ears<'_, Self>) {
        self.handle_trades(now, rows);
    }
}

/// Who hears what of the user hub.
#[derive(Default)]
pub(crate) struct UserOutlets {
    accounts: Listeners<Account>,
    orders: Listeners<Order>,
    positions: Listeners<Position>,
    trades: Listeners<UserTrade>,
}

impl Outlets<UserUpdate> for UserOutlets {
    fn tell(&mut self, update: UserUpdate) {
        let of = |account| move |subject: &Subject| subject.account() == Some(account);
        match update {
            UserUpdate::Account(told) => self.accounts.tell(told, |_| true),
            UserUpdate::Order(told) => {
                let account = told.value.account_id;
                self.orders.tell(told, of(account));
            }
            UserUpdate::Position(told) => {
                let account = told.value.account_id;
                self.positions.tell(told, of(account));
            }
            UserUpdate::Trade(told) => {
                let account = told.value.account_id;
                self.trades.tell(told, of(account));
            }
            UserUpdate::Gap(notice) => {
                self.accounts.tell_gap(&notice);
                self.orders.tell_gap(&notice);
                self.positions.tell_gap(&notice);
                self.trades.tell_gap(&notice);
            }
            UserUpdate::Malformed(malformed) => {
                self.accounts.tell_malformed(&malformed);
                self.orders.tell_malformed(&malformed);
                self.positions.tell_malformed(&malformed);
                self.trades.tell_malformed(&malformed);
            }
        }
    }

    fn flush(&mut self) {
        self.accounts.flush();
        self.orders.flush();
        self.positions.flush();
        self.trades.flush();
    }

    fn forget_gone(&mut self) {
        self.accounts.forget_gone();
        self.orders.forget_gone();
        self.positions.forget_gone();
        self.trades.forget_gone();
    }

    fn is_full(&mut self) -> bool {
        self.accounts.is_full() || self.orders.is_full() || self.positions.is_full() || self.trades.is_full()
    }
}

/// The user hub as it is followed: accounts, orders, positions and trades. Clones are handles of the same session.
#[derive(Clone)]
pub struct UserSession(Arc<Handle<UserMachine>>, Option<Keep>);

/// One account of a [`UserSession`].
#[derive(Clone, Debug)]
pub struct AccountSession {
    session: UserSession,
    account: AccountId,
}

impl UserSession {
    /// `keep`: what must live as long as this and its streams do.
    pub(crate) fn new(handle: Arc<Handle<UserMachine>>, keep: Option<Keep>) -> Self {
        Self(handle, keep)
    }

    /// One account.
    pub fn account(&self, account: AccountId) -> AccountSession {
        AccountSession { session: self.clone(), account }
    }

    /// The accounts of the user, whenever one changes. The venue repeats an identical account two to four times after a fill (seen on the live
    /// hub), and so does this.
    pub async fn accounts(&self) -> Result<Updates<Account>, SubscribeError> {
        self.listen(Subject::Accounts, |outlets| &mut outlets.accounts).await
    }

    /// Follows accounts: their orders, positions, trades and balances are kept in [`state`](Self::state) for as long as the guard lives, whether
    /// or not anybody listens. Returns at once; what is believed is provisional until the hub and REST have answered.
    pub fn follow(&self, accounts: impl IntoIterator<Item = AccountId>) -> Following {
        let subjects_of = |account| [Subject::Orders(account), Subject::Positions(account), Subject::Trades(account)];
        let subjects = std::iter::once(Subject::Accounts).chain(accounts.into_iter().flat_map(subjects_of));
        Following { wishes: subjects.filter_map(|subject| self.0.wish(subject, self.1.clone())).collect() }
    }

    /// What is believed now, in one consistent piece.
    pub fn state(&self) -> UserState {
        self.0.shared.lock().machine.state()
    }

    /// The gaps that are open now.
    pub fn gaps_open(&self) -> Vec<Gap> {
        self.0.shared.lock().machine.gaps_open()
    }

    /// Whether a position or a working order may exist.
    pub fn is_exposed(&self) -> bool {
        self.0.shared.lock().machine.is_exposed()
    }

    /// What the session has counted.
    pub fn counters(&self) -> UserCounters {
        self.0.shared.lock().machine.counters().clone()
    }

    /// How the hub's connection stands.
    pub fn link(&self) -> LinkStatus {
        self.0.status()
    }

    /// How the hub stands, with rates and latencies.
    pub fn health(&self) -> HubHealth {
        self.0.health()
    }

    async fn listen<T: Clone + Send + 'static>(
        &self,
        subject: Subject,
        list: impl FnOnce(&mut UserOutlets) -> &mut Listeners<T>,
    ) -> Result<Updates<T>, SubscribeError> {
        let listened = subject.clone();
        let add = |outlets: &mut UserOutlets, mut outlet: Outlet<T>, first: Vec<UserUpdate>| {
            for update in first {
                if let UserUpdate::Gap(notice) = update {
                    outlet.push(Update::Gap(notice));
                }
            }
            outlet.flush();
            list(outlets).add(listened, outlet);
        };
        self.0.listen(subject, self.1.clone(), (QueueRule::wait(CAPACITY), COST), add).await
    }
}

impl AccountSession {
    /// The account's id.
    pub fn id(&self) -> AccountId {
        self.account
    }

    /// The orders, whenever one changes: as the stream told it, or as REST did after a gap.
    pub async fn orders(&self) -> Result<Updates<Order>, SubscribeError> {
        self.session.listen(Subject::Orders(self.account), |outlets| &mut outlets.orders).await
    }

    /// The positions, whenever one changes. A closed one has the size 0.
    pub async fn positions(&self) -> Result<Updates<Position>, SubscribeError> {
        self.session.listen(Subject::Positions(self.account), |outlets| &mut outlets.positions).await
    }

    /// The trades, once each, and once more when one is voided.
    pub async fn fills(&self) -> Result<Updates<UserTrade>, SubscribeError> {
        self.session.listen(Subject::Trades(self.account), |outlets| &mut outlets.trades).await
    }

    /// The account as it is believed to be; `None`: nobody has told of it yet.
    pub fn get(&self) -> Option<Entry<Account>> {
        self.session.0.shared.lock().machine.account(self.account)
    }

    /// An order as it is believed to be.
    pub fn order(&self, order: OrderId) -> Option<Entry<Order>> {
        self.session.0.shared.lock().machine.order(self.account, order)
    }

    /// The orders that are not terminal.
    pub fn working_orders(&self) -> List<Order> {
        self.session.0.shared.lock().machine.working_orders(self.account)
    }

    /// The position in a contract. Flat (`None`) is a value too, and says how it is known.
    pub fn position(&self, contract: &ContractId) -> Entry<Option<Position>> {
        self.session.0.shared.lock().machine.position(self.account, contract)
    }

    /// The open positions.
    pub fn open_positions(&self) -> List<Position> {
        self.session.0.shared.lock().machine.positions(self.account)
    }

    /// The trades of the trading day, and all since the session began.
    pub fn trades(&self) -> List<UserTrade> {
        self.session.0.shared.lock().machine.trades(self.account)
    }

    /// What this trading day has brought so far.
    pub fn profit_and_loss(&self) -> ProfitAndLoss {
        let shared = &self.session.0.shared;
        let now = shared.now();
        shared.lock().machine.profit_and_loss(self.account, now)
    }
}

impl std::fmt::Debug for UserSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UserSession").field("link", &self.link().state).finish_non_exhaustive()
    }
}

/// Keeps accounts or contracts followed: see [`UserSession::follow`] and [`MarketSession::follow`](crate::MarketSession::follow).
#[must_use = "what is followed is followed no more when this is dropped"]
pub struct Following {
    pub(crate) wishes: Vec<stream::Wish>,
}

impl std::fmt::Debug for Following {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Following").field("subjects", &self.wishes.len()).finish()
    }
}
