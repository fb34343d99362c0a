//! The exchange behind the gateway: accounts, orders, fills, positions and trades, told as the venue tells them.
//!
//! An [`Exchange`] knows no socket, no clock and no thread. Requests and prices go in with the time as an argument,
//! answers come back at once, and everything that the user hub would publish waits in [`Exchange::poll_event`], in
//! the order in which the venue was seen to publish it. The same seed, requests, prices and times give the same ids,
//! delays and events.
//!
//! ```
//! use mock_hub::exchange::{Exchange, Kind, NewAccount, OrderType, PlaceOrder, Side};
//! use mock_hub::market::{Best, Contracts};
//! use rust_decimal::Decimal;
//! use time::{Duration, OffsetDateTime};
//!
//! let now = OffsetDateTime::UNIX_EPOCH + Duration::days(20_778); // 21 November 2026
//! let contracts = Contracts::new(now);
//! let best = Best { bid: Decimal::from(20_000), ask: Decimal::from(20_001), last: Decimal::from(20_000) };
//!
//! let mut exchange = Exchange::new(7);
//! let account = exchange.add_account("trader", NewAccount::practice());
//! let order = PlaceOrder::new(account, "CON.F.US.MNQ.Z26", OrderType::Market, Side::Buy, 1);
//! assert!(exchange.place(now, &contracts, Some(best), order).is_success());
//! exchange.advance(now + Duration::seconds(1));
//!
//! let kinds: Vec<Kind> = std::iter::from_fn(|| exchange.poll_event()).map(|event| event.kind).collect();
//! assert_eq!(kinds, [Kind::Order, Kind::Trade, Kind::Order, Kind::Position, Kind::Account, Kind::Account]);
//! assert_eq!(exchange.positions(account).map(|positions| positions.len()), Some(1));
//! ```
//!
//! # The model
//!
//! * An order is pending (6) for 8 to 25 ms. Then a market order fills at the other side of the best prices, a limit
//!   order fills if the market is there and works (1) if not, a stop works until the last price reaches it.
//! * A resting limit fills at its own price, a stop at the market. There is no queue: size is always there.
//! * A fill tells the trade, the order, the position, and the account twice. One that closes tells the order first,
//!   then the trade with its profit; when the position is flat the trades that had opened it are told again, and the
//!   account up to four times.
//! * Profit is matched first in, first out; fees and commissions are per side and contract.
//! * A bracket's children come with their entry, suspended (8), and wake with absolute prices 8 to 25 ms after it
//!   filled. When one fills the other is cancelled. Closing the position in another way leaves them working, as users
//!   report.
//! * Refusals that name a price, a bracket or the margin leave a rejected order behind (6, then 5); those that name the
//!   account, contract, type, side, size or tag leave nothing.
//!
//! Nothing is forgotten: orders and trades are kept as long as the exchange lives.

mod account;
mod answer;
mod book;
mod brackets;
mod change;
mod checks;
mod close;
mod costs;
mod event;
mod fill;
mod holding;
mod hooks;
mod ids;
mod json;
mod lifecycle;
mod order;
mod place;
mod position;
mod prices;
mod request;
mod search;
mod stamp;
#[cfg(test)]
mod tests;
mod trade;
mod truth;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use time::OffsetDateTime;

pub use account::{Account, NewAccount};
pub use answer::{Answer, PlaceAnswer};
pub use event::{ACTION_CREATE, ACTION_DELETE, ACTION_UPDATE, Kind, UserEvent, Value};
pub use order::{Order, OrderStatus, OrderType, Side};
pub use position::{Position, PositionType};
pub use request::{Bracket, ModifyOrder, PlaceOrder};
pub use search::{OrderPage, OrderQuery, OrderSort};
pub use trade::Trade;
pub use truth::{Truth, TruthAccount, TruthOrder, TruthPosition, TruthTrade};

use book::{Book, Terms};
use ids::Ids;
use lifecycle::Due;

use crate::market::Best;

/// Accounts and everything that happens on them; see the [module](self) for the model.
#[derive(Debug)]
pub struct Exchange {
    dice: fastrand::Rng,
    ids: Ids,
    /// The latest time heard of; it never goes back.
    clock: OffsetDateTime,
    books: BTreeMap<i32, Book>,
    /// The last best prices of each contract that was traded or priced.
    prices: HashMap<String, Best>,
    terms: HashMap<String, Arc<Terms>>,
    /// The open orders of each contract: those that a price may fill.
    open: HashMap<String, BTreeSet<(i32, i64)>>,
    /// What happens by itself, by time and then in the order it was decided.
    due: BTreeMap<(OffsetDateTime, u64), Due>,
    decided: u64,
    events: VecDeque<UserEvent>,
}

impl Exchange {
    /// An exchange without accounts; the seed decides ids and delays.
    pub fn new(seed: u64) -> Self {
        Self {
            dice: fastrand::Rng::with_seed(seed),
            ids: Ids::new(),
            clock: OffsetDateTime::UNIX_EPOCH,
            books: BTreeMap::new(),
            prices: HashMap::new(),
            terms: HashMap::new(),
            open: HashMap::new(),
            due: BTreeMap::new(),
            decided: 0,
            events: VecDeque::new(),
        }
    }

    /// Opens an active account that may trade, in Auto-OCO bracket mode, and returns its id. No event tells of it.
    pub fn add_account(&mut self, user: &str, account: NewAccount) -> i32 {
        let NewAccount { name, balance, simulated } = account;
        let id = self.ids.account();
        let account = Account { id, name, balance, can_trade: true, is_visible: true, simulated };
        let book = Book {
            user: user.into(),
            account,
            active: true,
            position_brackets: false,
            orders: BTreeMap::new(),
            working: 0,
            holdings: BTreeMap::new(),
            trades: BTreeMap::new(),
            tags: Default::default(),
            refusals: VecDeque::new(),
        };
        self.books.insert(id, book);
        id
    }

    /// The accounts of a user by id, all of them or the active ones.
    pub fn accounts(&self, user: &str, only_active: bool) -> Vec<Account> {
        let theirs = self.books.values().filter(|book| &*book.user == user);
        theirs.filter(|book| book.active || !only_active).map(|book| book.account.clone()).collect()
    }

    /// Whose account it is. Requests do not say who asks: whoever serves them compares this first, and answers code 1
    /// (account not found) where it is somebody else's.
    pub fn owner(&self, account_id: i32) -> Option<&str> {
        self.books.get(&account_id).map(|book| &*book.user)
    }

    /// When [`advance`](Self::advance) has something to do; `None` while nothing is under way.
    pub fn next_due(&self) -> Option<OffsetDateTime> {
        self.due.keys().next().map(|(at, _)| *at)
    }

    /// The next event of the user hub. They wait without limit: whoever drives the exchange drains it.
    pub fn poll_event(&mut self) -> Option<UserEvent> {
        self.events.pop_front()
    }
}
