//! One pass over everything that REST tells of an account's orders.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use topstep_model::rest::OrdersPage;
use topstep_model::{AccountId, Order, OrderId, Rows, Timestamp};

use super::merge::is_newer;
use super::orders::OrderTable;
use super::query::{PAGE_SIZE, Query};

/// From so many orders that no list has, one search takes the place of asking for each.
const SEARCH_FROM: usize = 8;
/// The most orders that one pass asks for; the rest stays doubtful until the next.
const MOST_ASKED: usize = 32;
/// How many are asked for at the same time.
const ASKED_AT_ONCE: usize = 4;
/// The most pages: a hundred thousand orders, nearly.
const MOST_PAGES: i32 = 1000;

/// What one answer of the pass is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// A page of the orders that are not over.
    Page(i32),
    /// The orders at the exchange, in place of the pages.
    Open,
    /// The orders since a time.
    Since,
    /// One order.
    One(OrderId),
}

/// Collects answers until nothing is open.
#[derive(Debug)]
pub(super) struct OrdersPass {
    account: AccountId,
    /// The newest row of each order that was told.
    pub(super) found: BTreeMap<OrderId, Order>,
    /// Whether every row could be read.
    pub(super) is_complete: bool,
    /// Whether the list of those that are not over had to leave some out.
    pub(super) is_partial: bool,
    /// Rows that could not be read, and rows of other accounts.
    pub(super) malformed: u64,
    pub(super) foreign: u64,
    is_listed: bool,
    last_listed: Option<OrderId>,
    listed: BTreeSet<OrderId>,
    /// Searches that are not answered.
    searches: u32,
    /// Everything created since then is found.
    searched_from: Timestamp,
    stage: Stage,
    to_ask: VecDeque<OrderId>,
    asked: usize,
    not_found: Vec<OrderId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Lists,
    Search,
    Ask,
    LastSearch,
}

/// What comes next.
#[derive(Debug)]
pub(super) enum Next {
    /// These questions, or more answers.
    Ask(Vec<(Part, Query)>),
    /// Nothing: everything was said. These orders nothing answers for.
    Done(Vec<OrderId>),
    /// The pages do not fit together.
    Torn,
}

impl OrdersPass {
    /// Begins, with the first questions.
    pub(super) fn new(account: AccountId, start: Timestamp) -> (Self, Vec<(Part, Query)>) {
        let pass = Self {
            account,
            found: BTreeMap::new(),
            is_complete: true,
            is_partial: false,
            malformed: 0,
            foreign: 0,
            is_listed: false,
            last_listed: None,
            listed: BTreeSet::new(),
            searches: 1,
            searched_from: start,
            stage: Stage::Lists,
            to_ask: VecDeque::new(),
            asked: 0,
            not_found: Vec::new(),
        };
        let page = pass.page(0);
        (pass, vec![page, (Part::Since, Query::OrdersSince { account, start })])
    }

    /// A page of the orders that are not over.
    pub(super) fn take_page(&mut self, page: i32, answer: OrdersPage) -> Option<Next> {
        let total = answer.total_count;
        let rows = answer.orders?;
        let length = rows.len();
        let first = self.listed.len();
        let mut overlaps = page == 0;
        for (at, row) in rows.into_iter().enumerate() {
            let Ok(row) = row else {
                self.note_bad_row();
                // It may be the one by which the pages hold together.
                overlaps |= at == 0;
                continue;
            };
            overlaps |= at == 0 && Some(row.id) == self.last_listed;
            self.listed.insert(row.id);
            self.last_listed = Some(row.id);
            self.find(row);
        }
        if page > 0 && !overlaps {
            return Some(Next::Torn);
        }
        let is_full = length >= PAGE_SIZE as usize;
        let is_last = match total {
            // More than there are is no page: a bad row counts, too.
            Some(total) if self.is_complete => i64::try_from(self.listed.len()).is_ok_and(|listed| listed >= total),
            _ => !is_full,
        };
        if is_last {
            self.is_listed = true;
            return Some(Next::Ask(Vec::new()));
        }
        let makes_progress = page == 0 || self.listed.len() > first;
        if !is_full || !makes_progress || page >= MOST_PAGES {
            return Some(Next::Torn);
        }
        Some(Next::Ask(vec![self.page(page + 1)]))
    }

    /// Pages are not supported.
    pub(super) fn fall_back(&mut self) -> Vec<(Part, Query)> {
        self.is_partial = true;
        vec![(Part::Open, Query::OpenOrders(self.account))]
    }

    /// A list of orders. `None`: there was no list, which proves nothing.
    pub(super) fn take_list(&mut self, part: Part, rows: Option<Rows<Order>>) -> Option<()> {
        for row in rows? {
            match row {
                Ok(row) => self.find(row),
                Err(_) => self.note_bad_row(),
            }
        }
        if part == Part::Open {
            self.is_listed = true;
        } else {
            self.searches = self.searches.saturating_sub(1);
        }
        Some(())
    }

    /// The answer about one order; `None`: it is not found.
    pub(super) fn take_one(&mut self, id: OrderId, row: Option<Order>) {
        self.asked = self.asked.saturating_sub(1);
        match row {
            Some(row) if row.id == id => self.find(row),
            _ => self.not_found.push(id),
        }
    }

    /// Single orders cannot be asked for.
    pub(super) fn ask_no_more(&mut self) {
        self.not_found.extend(self.to_ask.drain(..));
    }

    /// What to ask now that another answer is there. `serial` is that of the stream's last row when the pass began.
    pub(super) fn advance(&mut self, orders: &OrderTable, serial: u64) -> Next {
        if !self.is_listed || self.searches > 0 {
            return Next::Ask(Vec::new());
        }
        if self.stage == Stage::Lists {
            let missing = orders.unanswered(&self.found, serial);
            self.stage = Stage::Search;
            if missing.len() >= SEARCH_FROM
                && let Some(search) = self.search(orders, &missing)
            {
                return Next::Ask(vec![search]);
            }
        }
        if self.stage == Stage::Search {
            self.to_ask = orders.unanswered(&self.found, serial).into();
            self.to_ask.truncate(MOST_ASKED);
            self.stage = Stage::Ask;
        }
        if self.stage == Stage::Ask {
            let free = ASKED_AT_ONCE.saturating_sub(self.asked).min(self.to_ask.len());
            let account = self.account;
            let ask = |order| (Part::One(order), Query::Order { account, order });
            let questions: Vec<_> = self.to_ask.drain(..free).map(ask).collect();
            self.asked += questions.len();
            if self.asked > 0 {
                return Next::Ask(questions);
            }
            self.stage = Stage::LastSearch;
            let not_found = std::mem::take(&mut self.not_found);
            if let Some(search) = self.search(orders, &not_found) {
                return Next::Ask(vec![search]);
            }
        }
        Next::Done(orders.unanswered(&self.found, serial))
    }

    /// A search around the creation of these orders, unless it was searched from there.
    fn search(&mut self, orders: &OrderTable, missing: &[OrderId]) -> Option<(Part, Query)> {
        let created = missing.iter().filter_map(|id| orders.row(*id)?.value.creation_timestamp).min()?;
        let start = earlier(created, Duration::from_secs(1));
        if start >= self.searched_from {
            return None;
        }
        self.searched_from = start;
        self.searches += 1;
        Some((Part::Since, Query::OrdersSince { account: self.account, start }))
    }

    fn find(&mut self, row: Order) {
        if row.account_id != self.account {
            self.foreign += 1;
            return;
        }
        match self.found.get(&row.id) {
            Some(found) if !is_newer(&row, found) => {}
            _ => drop(self.found.insert(row.id, row)),
        }
    }

    fn note_bad_row(&mut self) {
        self.is_complete = false;
        self.malformed += 1;
    }

    fn page(&self, page: i32) -> (Part, Query) {
        (Part::Page(page), Query::WorkingOrders { account: self.account, page })
    }
}

/// So long before a time; the time itself where the calendar begins.
pub(super) fn earlier(at: Timestamp, by: Duration) -> Timestamp {
    let by = time::Duration::try_from(by).unwrap_or(time::Duration::ZERO);
    at.utc().checked_sub(by).and_then(|at| Timestamp::try_from(at).ok()).unwrap_or(at)
}
