//! The depth of one contract: its book, and when that is complete.

use signalr_proto::time::Instant;
use topstep_model::{ContractId, DepthRow, Timestamp};

use super::book::Book;
use super::config::MarketConfig;
use super::line::{Line, Wire};
use super::rule::{BookChange, Side};
use super::update::{BookView, MarketUpdate};
use crate::gap::{GapCause, Subject, Verdict};
use crate::known::Known;
use crate::moment::Moment;

#[derive(Debug)]
pub(super) struct DepthFeed {
    pub(super) line: Line,
    contract: ContractId,
    book: Book,
    filling: Option<Filling>,
    was_crossed: bool,
    /// Until when a reset may come.
    reset_by: Option<Instant>,
    /// When this machine last asked for it anew.
    asked_anew: Option<Instant>,
    /// When it will ask for it anew.
    ask_at: Option<Instant>,
}

/// A snapshot that is under way.
#[derive(Debug, Clone, Copy)]
struct Filling {
    /// When its reset came.
    since: Instant,
    /// When it counts as complete.
    until: Instant,
}

/// What one record brought.
#[derive(Debug, Default)]
struct Seen {
    reset: bool,
    bid: bool,
    ask: bool,
    undated: bool,
}

impl DepthFeed {
    pub(super) fn new(contract: ContractId, now: Moment) -> Self {
        Self {
            line: Line::new(Subject::Depth(contract.clone()), now),
            contract,
            book: Book::default(),
            filling: None,
            was_crossed: false,
            reset_by: None,
            asked_anew: None,
            ask_at: None,
        }
    }

    pub(super) fn book(&self) -> &Book {
        &self.book
    }

    pub(super) fn due(&self) -> Option<Instant> {
        // What waits for an acknowledgement as well wakes nobody.
        let ask_at = self.ask_at.filter(|_| self.line.acknowledged().is_some());
        let filling = self.filling.map(|filling| filling.until);
        filling.into_iter().chain(self.reset_by).chain(ask_at).min()
    }

    pub(super) fn known(&self, wire: &Wire) -> Known {
        if !wire.is_connected || !self.line.is_wanted() {
            return Known::Stale;
        }
        let is_whole = self.book.is_valid() && !self.book.is_suspect() && !self.line.is_gap_open();
        if is_whole { Known::Live } else { Known::Provisional }
    }

    pub(super) fn view(&self, wire: &Wire) -> BookView {
        let pair = |level: super::Level| (level.price, level.volume);
        BookView {
            contract: self.contract.clone(),
            is_valid: self.book.is_valid(),
            is_crossed: self.book.is_crossed(),
            best_bid: self.book.best_bid().map(pair),
            best_ask: self.book.best_ask().map(pair),
            known: self.known(wire),
        }
    }

    pub(super) fn unwant(&mut self, now: Moment, wire: &mut Wire) {
        if self.line.unwant(now, wire) {
            self.forget();
            self.ask_at = None;
        }
    }

    /// Takes the rows of one record; it is suspect if another row of it could not be read.
    pub(super) fn take(
        &mut self,
        now: Moment,
        rows: Vec<DepthRow>,
        is_suspect: bool,
        config: &MarketConfig,
        wire: &mut Wire,
    ) {
        if !self.line.is_wanted() {
            wire.counters.foreign_rows += rows.len() as u64;
            return;
        }
        wire.counters.depth_rows += rows.len() as u64;
        let mut seen = Seen::default();
        let mut stamp = None;
        for row in &rows {
            self.apply(now, row, &mut seen, config, wire);
            match row.timestamp {
                Some(at) if is_undated(at) => seen.undated = true,
                at => stamp = stamp.max(at),
            }
        }
        if let Some(at) = stamp {
            self.book.stamp(at);
        }
        if is_suspect {
            self.book.suspect();
        }
        self.line.heard(now, wire, stamp);
        self.fill(now, &seen, config, wire);
        if self.book.depth() > config.most_levels {
            self.start_over(now, GapCause::Resubscribed, config, wire);
        }
        let is_crossed = self.book.is_valid() && self.book.is_crossed();
        wire.counters.crossed_books += u64::from(is_crossed && !self.was_crossed);
        self.was_crossed = is_crossed;
        self.close_if_whole(now, wire);
        self.tell(rows, wire);
    }

    pub(super) fn acknowledged(&mut self, now: Moment, config: &MarketConfig, wire: &mut Wire) {
        self.line.acknowledge(now);
        if self.ask_at.is_some() {
            return self.ask_anew(now, config, wire);
        }
        if !self.line.is_gap_open() {
            return;
        }
        if self.close_if_whole(now, wire) {
            return self.tell(Vec::new(), wire);
        }
        if self.filling.is_none() {
            let by = now.mono + config.depth_reset_within;
            self.reset_by = Some(by);
            wire.arm(by);
        }
    }

    pub(super) fn lost(&mut self, wire: &mut Wire, cause: GapCause) {
        self.line.await_acknowledgement();
        self.line.open_gap(wire, cause);
        self.forget();
        // The new connection brings a new snapshot anyhow.
        self.ask_at = None;
    }

    /// A hole in a subscription that lives. Only a snapshot mends a book, so it is asked for unless somebody does already.
    pub(super) fn hole(&mut self, now: Moment, cause: GapCause, config: &MarketConfig, wire: &mut Wire) {
        if cause == GapCause::Resubscribed {
            self.line.open_gap(wire, cause);
            self.line.await_acknowledgement();
            self.forget();
            self.ask_at = None;
        } else {
            self.start_over(now, cause, config, wire);
        }
    }

    /// What comes next is of the new subscription.
    pub(super) fn old_ended(&mut self) {
        if self.line.acknowledged().is_none() && self.line.is_gap_open() {
            self.forget();
        }
    }

    pub(super) fn refused(&mut self) {
        self.line.await_acknowledgement();
        self.reset_by = None;
    }

    /// A row could not be read that may have been one of this book.
    pub(super) fn suspect(&mut self) {
        self.book.suspect();
    }

    pub(super) fn timeout(&mut self, now: Moment, config: &MarketConfig, wire: &mut Wire) {
        if self.ask_at.is_some_and(|at| at <= now.mono) {
            self.ask_anew(now, config, wire);
        }
        if self.filling.is_some_and(|filling| filling.until <= now.mono) {
            self.complete();
            self.close_if_whole(now, wire);
            self.tell(Vec::new(), wire);
        }
        if self.reset_by.is_some_and(|by| by <= now.mono) {
            self.reset_by = None;
            self.line.close_gap(now, wire, Verdict::Abandoned { reason: "no reset of the book came" });
        }
    }

    fn apply(&mut self, now: Moment, row: &DepthRow, seen: &mut Seen, config: &MarketConfig, wire: &mut Wire) {
        match (config.book_rule)(row) {
            BookChange::Clear => {
                self.book.clear();
                self.reset_by = None;
                self.filling = Some(Filling { since: now.mono, until: now.mono + config.depth_settle });
                *seen = Seen { reset: true, ..Seen::default() };
            }
            // Without a reset there is no telling what else the book holds.
            BookChange::Set { .. } if !self.book.is_valid() && self.filling.is_none() => {}
            BookChange::Set { side, price, volume } => {
                self.book.set(side, price, volume);
                match side {
                    Side::Bid => seen.bid |= volume > 0,
                    Side::Ask => seen.ask |= volume > 0,
                }
            }
            BookChange::Nothing => {}
            BookChange::Odd => wire.counters.odd_depth_rows += 1,
        }
    }

    /// Sees whether the snapshot is whole at the end of a record.
    fn fill(&mut self, now: Moment, seen: &Seen, config: &MarketConfig, wire: &mut Wire) {
        let Some(filling) = &mut self.filling else { return };
        if seen.reset && seen.bid && seen.ask {
            return self.complete();
        }
        if seen.undated {
            // A hub that dates nothing would fill it for ever.
            filling.until = (now.mono + config.depth_settle).min(filling.since + config.depth_reset_within);
        }
        wire.arm(filling.until);
    }

    fn complete(&mut self) {
        self.filling = None;
        self.book.complete();
    }

    fn close_if_whole(&mut self, now: Moment, wire: &mut Wire) -> bool {
        let is_whole = self.book.is_valid() && self.line.acknowledged().is_some() && self.ask_at.is_none();
        let closes = is_whole && self.line.is_gap_open();
        if closes {
            self.line.close_gap(now, wire, Verdict::TicksLost);
        }
        closes
    }

    fn tell(&self, rows: Vec<DepthRow>, wire: &mut Wire) {
        let contract = self.contract.clone();
        let (is_valid, known) = (self.book.is_valid(), self.known(wire));
        wire.tell(MarketUpdate::Depth { contract, rows, is_valid, known });
    }

    /// What is believed of the book is worth nothing.
    fn forget(&mut self) {
        self.book.clear();
        self.was_crossed = false;
        self.filling = None;
        self.reset_by = None;
    }

    fn start_over(&mut self, now: Moment, cause: GapCause, config: &MarketConfig, wire: &mut Wire) {
        self.line.open_gap(wire, cause);
        self.forget();
        if wire.is_connected {
            self.ask_anew(now, config, wire);
        }
    }

    /// Asks for a snapshot, or does it later: a book that is wrong each time must not be asked for without end.
    fn ask_anew(&mut self, now: Moment, config: &MarketConfig, wire: &mut Wire) {
        let at = self.asked_anew.map_or(now.mono, |asked| (asked + config.depth_reset_within).max(now.mono));
        if at <= now.mono && self.line.acknowledged().is_some() {
            self.ask_at = None;
            self.asked_anew = Some(now.mono);
            self.forget();
            return self.line.resubscribe(wire);
        }
        self.ask_at = Some(at);
        if self.line.acknowledged().is_some() {
            wire.arm(at);
        }
    }
}

/// .NET's date that was never set, which stands on the rows of a snapshot.
fn is_undated(at: Timestamp) -> bool {
    at.utc().year() <= 1
}
