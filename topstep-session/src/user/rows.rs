//! What the stream tells.

use topstep_model::{Account, Order, Position, RowError, Rows, StreamAction, Target, Timestamp, UserEvent, UserTrade};

use super::UserMachine;
use super::event::UserUpdate;
use super::orders::{Heard, OrderTable, time_of};
use crate::gap::{GapCause, Subject};
use crate::known::{Known, Source};
use crate::moment::Moment;
use crate::update::{Malformed, Told};

/// The longest message of a malformed event, in characters.
const LONGEST_MESSAGE: usize = 256;

impl UserMachine {
    /// Takes the rows of one event, each in its place: where one cannot be read, a gap begins.
    pub(super) fn take_rows<T>(
        &mut self,
        now: Moment,
        target: Target,
        rows: Rows<UserEvent<T>>,
        take: impl Fn(&mut Self, Moment, UserEvent<T>),
    ) {
        for row in rows {
            match row {
                Ok(row) => take(self, now, row),
                Err(error) => self.take_malformed(now, target, &without_payload(&error)),
            }
        }
        self.run_due(now);
    }

    pub(super) fn take_malformed(&mut self, now: Moment, target: Target, message: &str) {
        self.counters.malformed += 1;
        let message = message.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST_MESSAGE).collect();
        self.events.push_back(UserUpdate::Malformed(Malformed { target: target.name(), message }));
        for subject in self.wanted().into_iter().filter(|subject| tells(target, subject)) {
            self.open_gap(now, &subject, GapCause::Malformed);
        }
    }

    pub(super) fn take_account(&mut self, now: Moment, event: UserEvent<Account>) {
        let subject = Subject::Accounts;
        let Some(at_best) = self.hear(now, &subject, None) else { return };
        let is_deleted = event.action == Some(StreamAction::Delete);
        let row = event.value;
        let is_kept = self.accounts.hear(row.clone(), self.serial, is_deleted, self.config.rows_kept);
        self.note_outcome(now, &subject, is_kept, is_deleted);
        let known = self.accounts.row(&row.id).map_or(Known::Provisional, |held| held.known(at_best));
        self.events.push_back(UserUpdate::Account(Told { value: row, source: Source::Stream, known }));
    }

    pub(super) fn take_position(&mut self, now: Moment, event: UserEvent<Position>) {
        let row = event.value;
        let subject = Subject::Positions(row.account_id);
        let Some(at_best) = self.hear(now, &subject, None) else { return };
        // What is deleted holds nothing: if the row says that it does, it contradicts itself.
        let is_doubtful = event.action == Some(StreamAction::Delete) && row.size != 0;
        let table = self.positions.entry(row.account_id).or_default();
        let is_kept = table.hear(row.clone(), self.serial, is_doubtful, self.config.rows_kept);
        let known = table.row(&row.contract_id).map_or(Known::Provisional, |held| held.known(at_best));
        self.note_outcome(now, &subject, is_kept, is_doubtful);
        self.events.push_back(UserUpdate::Position(Told { value: row, source: Source::Stream, known }));
    }

    pub(super) fn take_order(&mut self, now: Moment, event: UserEvent<Order>) {
        let row = event.value;
        let subject = Subject::Orders(row.account_id);
        let Some(at_best) = self.hear(now, &subject, time_of(&row)) else { return };
        let is_contradictory = event.action == Some(StreamAction::Delete) && !row.status.is_terminal();
        let table = self.orders.entry(row.account_id).or_default();
        let heard = table.hear(row.clone(), self.serial, is_contradictory);
        let known = match (heard, table.row(row.id)) {
            // Something newer is known: this is the past.
            (Heard::Older, _) | (_, None) => Known::Provisional,
            (_, Some(held)) => OrderTable::known(held, at_best),
        };
        let mut is_kept = true;
        if let Some(was_working) = table.trim(self.config.orders_kept) {
            self.counters.evicted += 1;
            is_kept = !was_working;
        }
        if heard == Heard::Older {
            self.counters.stale_rows += 1;
        }
        self.note_outcome(now, &subject, is_kept, heard == Heard::Doubtful);
        self.events.push_back(UserUpdate::Order(Told { value: row, source: Source::Stream, known }));
    }

    pub(super) fn take_trade(&mut self, now: Moment, event: UserEvent<UserTrade>) {
        let row = event.value;
        let subject = Subject::Trades(row.account_id);
        if self.hear(now, &subject, row.creation_timestamp).is_none() {
            return;
        }
        let table = self.trades.entry(row.account_id).or_default();
        let is_news = table.hear(row.clone(), self.serial, now.wall);
        if table.trim(self.config.trades_kept) {
            self.counters.evicted += 1;
        }
        if !is_news {
            self.counters.repeated_trades += 1;
            return;
        }
        self.events.push_back(UserUpdate::Trade(Told { value: row, source: Source::Stream, known: Known::Live }));
    }

    /// Notes that the stream spoke of a subject, and returns how well that can be known. `None`: nobody wants it.
    fn hear(&mut self, now: Moment, subject: &Subject, stamp: Option<Timestamp>) -> Option<Known> {
        let Some(feed) = self.feeds.get_mut(subject).filter(|feed| feed.wants > 0) else {
            self.counters.foreign_rows += 1;
            return None;
        };
        self.serial += 1;
        self.counters.rows += 1;
        feed.hear(now, self.generation, self.serial, stamp);
        Some(feed.at_best(self.is_connected))
    }

    /// What could not be kept makes the list incomplete; what is doubtful is read soon.
    fn note_outcome(&mut self, now: Moment, subject: &Subject, is_kept: bool, is_doubtful: bool) {
        let Some(feed) = self.feeds.get_mut(subject) else { return };
        if !is_kept {
            feed.is_overfull = true;
            self.counters.evicted += 1;
        }
        if is_doubtful {
            feed.hurry(now.mono + self.config.stable_pause, self.config.reconcile_spacing);
        }
    }
}

/// Whether a subject is told by events with this target.
fn tells(target: Target, subject: &Subject) -> bool {
    matches!(
        (target, subject),
        (Target::UserAccount, Subject::Accounts)
            | (Target::UserOrder, Subject::Orders(_))
            | (Target::UserPosition, Subject::Positions(_))
            | (Target::UserTrade, Subject::Trades(_))
    )
}

/// What is wrong with a row and where, without a word of the row.
fn without_payload(error: &RowError) -> String {
    format!("at {}: expected {}", error.place(), error.expected())
}
