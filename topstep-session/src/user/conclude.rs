//! What follows from a pass over REST's answers.

use std::collections::BTreeSet;
use std::time::Duration;

use topstep_model::{Account, AccountId, Order, OrderId, Position, Timestamp, UserTrade};

use super::UserMachine;
use super::event::UserUpdate;
use super::feed::{Key, PassStart, Step};
use super::orders::{OrderTable, time_of};
use super::table::Table;
use crate::gap::{Edge, GapCause, Subject};
use crate::known::{Known, Source};
use crate::moment::Moment;
use crate::update::Told;

/// What one pass brought.
pub(super) enum Found {
    Accounts(Vec<Account>),
    Positions(AccountId, Vec<Position>),
    Trades(AccountId, Vec<UserTrade>),
    /// The orders that were told, and those that nothing answers for.
    Orders(AccountId, Vec<Order>, Vec<OrderId>),
}

impl UserMachine {
    /// What follows from one pass.
    pub(super) fn conclude(&mut self, now: Moment, subject: &Subject, found: Found, is_complete: bool) {
        let Some(feed) = self.feeds.get(subject) else { return };
        let Some(read) = feed.read.as_ref() else { return };
        // A list without stamps may be from before what the stream told since it was asked for.
        let needs_rest = matches!(found, Found::Accounts(_) | Found::Positions(..));
        let (is_audit, start) = (read.is_audit, read.start);
        if needs_rest && feed.heard > start.serial {
            if !is_audit && read.pass >= self.config.stable_reads {
                // What the stream did not speak of meanwhile is right all the same.
                self.apply(now, subject, found, false, start.serial);
            }
            return self.again(now, subject);
        }
        if is_audit {
            return self.compare(now, subject, found, is_complete);
        }
        if needs_rest && self.is_contested(subject, &found, is_complete) {
            return self.again(now, subject);
        }
        self.apply(now, subject, found, is_complete, start.serial);
        if is_complete {
            self.finish(now, subject, start);
        } else {
            self.fail(now, subject, self.config.retry_interval);
        }
    }

    /// Whether a list contradicts what the stream told since the acknowledgement. It may be behind the stream: only if it says so twice, with a
    /// pause in between, it is ahead.
    fn is_contested(&mut self, subject: &Subject, found: &Found, is_complete: bool) -> bool {
        let Some(acked_at) = self.feeds.get(subject).map(|feed| feed.acked_at) else { return false };
        let mut differences = self.differences(found, is_complete, self.began.wall);
        differences.retain(|key| match (subject, key) {
            (_, Key::Account(id)) => self.accounts.row(id).is_some_and(|held| held.heard > acked_at),
            (Subject::Positions(account), Key::Contract(contract)) => {
                let held = self.positions.get(account).and_then(|table| table.row(contract));
                held.is_some_and(|held| held.heard > acked_at)
            }
            _ => false,
        });
        let Some(read) = self.feeds.get_mut(subject).and_then(|feed| feed.read.as_mut()) else { return false };
        let suspected = std::mem::replace(&mut read.suspects, differences.clone());
        let since = std::mem::replace(&mut read.suspected, read.start.serial);
        let is_confirmed =
            differences.is_subset(&suspected) && self.feeds.get(subject).is_some_and(|feed| feed.heard <= since);
        !differences.is_empty() && !is_confirmed
    }

    /// Compares what an audit found with what is believed. A difference counts when it is there twice, and the stream was silent about it.
    fn compare(&mut self, now: Moment, subject: &Subject, found: Found, is_complete: bool) {
        let differences = self.differences(&found, is_complete, self.began.wall_by(now));
        let Some(read) = self.feeds.get_mut(subject).and_then(|feed| feed.read.as_mut()) else { return };
        let start = read.start;
        if differences.is_empty() {
            self.apply(now, subject, found, is_complete, start.serial);
            if !is_complete {
                return self.fail(now, subject, self.config.retry_interval);
            }
            self.counters.clean_audits += 1;
            self.counters.last_clean_audit = Some(now);
            if let Some(feed) = self.feeds.get_mut(subject) {
                feed.mismatches = 0;
            }
            return self.finish(now, subject, start);
        }
        let suspected = std::mem::replace(&mut read.suspects, differences.clone());
        let since = std::mem::replace(&mut read.suspected, start.serial);
        let mut survivors = differences.intersection(&suspected);
        if !survivors.any(|key| self.heard(subject, key) <= since) {
            return self.again(now, subject);
        }
        self.counters.mismatched_audits += 1;
        self.open_gap(now, subject, GapCause::AuditMismatch);
        self.apply(now, subject, found, is_complete, start.serial);
        let Some(feed) = self.feeds.get_mut(subject) else { return };
        feed.mismatches += 1;
        if feed.mismatches >= 2 {
            feed.mismatches = 0;
            self.resubscribe(now, subject);
        } else if is_complete {
            self.finish(now, subject, start);
        }
    }

    /// The serial number of the stream's last word on something.
    fn heard(&self, subject: &Subject, key: &Key) -> u64 {
        match (subject, key) {
            (Subject::Orders(account), Key::Order(id)) => {
                self.orders.get(account).and_then(|table| table.row(*id)).map_or(0, |held| held.heard)
            }
            (Subject::Trades(account), Key::Trade(id)) => {
                self.trades.get(account).and_then(|table| table.row(*id)).map_or(0, |held| held.heard)
            }
            // A list counts as a whole.
            _ => self.feeds.get(subject).map_or(0, |feed| feed.heard),
        }
    }

    /// A read is over, and everything is as REST says, or newer.
    fn finish(&mut self, now: Moment, subject: &Subject, start: PassStart) {
        self.drop_read(subject);
        self.close_gap(now, subject, None);
        let has_doubts = match subject {
            Subject::Orders(account) => self.orders.get(account).is_some_and(OrderTable::has_doubts),
            Subject::Positions(account) => self.positions.get(account).is_some_and(Table::has_doubts),
            Subject::Accounts => self.accounts.has_doubts(),
            _ => false,
        };
        let wait = if has_doubts { self.config.retry_interval } else { self.config.audit_interval };
        let generation = self.generation;
        let Some(feed) = self.feeds.get_mut(subject) else { return };
        feed.clean = Edge { at: start.at, generation, last_stamp: feed.last.last_stamp };
        feed.known_until = start.known_until.map_or(feed.known_until, |until| until.max(feed.known_until));
        feed.is_partial = start.is_partial;
        // What the stream told during the read is live.
        feed.is_verified = feed.heard <= start.serial;
        feed.due = Some(now.mono + wait);
    }

    /// One more pass after a pause, unless there were enough.
    pub(super) fn again(&mut self, now: Moment, subject: &Subject) {
        self.asked.retain(|_, asked| asked.subject != *subject);
        self.queries.retain(|(ticket, _)| self.asked.contains_key(ticket));
        let (most, pause) = (self.config.stable_reads, self.config.stable_pause);
        let read = self.feeds.get_mut(subject).and_then(|feed| feed.read.as_mut());
        match read {
            Some(read) if read.pass < most => read.step = Step::Pause(now.mono + pause),
            Some(_) => self.fail(now, subject, self.config.retry_interval),
            None => {}
        }
    }

    /// A read came to nothing, and begins anew after a while. What was told of orders counts.
    pub(super) fn fail(&mut self, now: Moment, subject: &Subject, wait: Duration) {
        self.counters.failed_reads += 1;
        let read = self.feeds.get_mut(subject).and_then(|feed| feed.read.as_mut());
        if let (Subject::Orders(account), Some(read)) = (subject, read)
            && let (false, Step::Orders(_, pass)) = (read.is_audit, &mut read.step)
        {
            let rows = std::mem::take(&mut pass.found).into_values().collect();
            let serial = read.start.serial;
            self.apply(now, subject, Found::Orders(*account, rows, Vec::new()), false, serial);
        }
        self.drop_read(subject);
        let spacing = self.config.reconcile_spacing;
        let Some(feed) = self.feeds.get_mut(subject) else { return };
        let at = now.mono + wait;
        feed.due = Some(if feed.gap.is_some() { feed.spaced(at, spacing) } else { at });
    }

    fn differences(&self, found: &Found, is_complete: bool, began: Timestamp) -> BTreeSet<Key> {
        match found {
            Found::Accounts(list) => {
                let keys = self.accounts.differences(list, is_complete);
                keys.into_iter().map(Key::Account).collect()
            }
            Found::Positions(account, list) => {
                let differences = |table: &Table<Position>| table.differences(list, is_complete);
                let keys = self.positions.get(account).map_or_else(|| differences(&Table::default()), differences);
                keys.into_iter().map(Key::Contract).collect()
            }
            Found::Trades(account, list) => {
                let table = self.trades.get(account);
                let is_news = |row: &&UserTrade| table.is_none_or(|table| table.is_news(row));
                list.iter().filter(is_news).map(|row| Key::Trade(row.id)).collect()
            }
            Found::Orders(account, list, _) => {
                let table = self.orders.get(account);
                let is_news = |row: &&Order| table.is_none_or(|table| table.is_news(row, began));
                list.iter().filter(is_news).map(|row| Key::Order(row.id)).collect()
            }
        }
    }

    /// Believes what was found, unless the stream told something newer, and tells what is new in it. The stream's rows after `serial` came
    /// after the question.
    fn apply(&mut self, now: Moment, subject: &Subject, found: Found, is_complete: bool, serial: u64) {
        let Some(feed) = self.feeds.get_mut(subject) else { return };
        let at_best = feed.at_best(self.is_connected);
        let kept = self.config.rows_kept;
        let source = Source::Rest;
        let before = self.events.len();
        let mut removed = 0;
        match found {
            Found::Accounts(list) => {
                let changes = self.accounts.read(list, is_complete, serial, kept);
                feed.is_overfull |= changes.is_cut;
                removed = changes.removed;
                let tell = |value| UserUpdate::Account(Told { value, source, known: at_best });
                self.events.extend(changes.told.into_iter().map(tell));
            }
            Found::Positions(account, list) => {
                let table = self.positions.entry(account).or_default();
                let changes = table.read(list, is_complete, serial, kept);
                feed.is_overfull |= changes.is_cut;
                let tell = |value| UserUpdate::Position(Told { value, source, known: at_best });
                self.events.extend(changes.told.into_iter().map(tell));
            }
            Found::Trades(account, mut list) => {
                let is_cold = feed.gap.as_ref().is_some_and(|open| open.gap.causes.contains(&GapCause::ColdStart));
                let (table, since) = (self.trades.entry(account).or_default(), feed.since.wall_by(now));
                list.sort_by_key(|row| (row.creation_timestamp, row.id));
                for row in list {
                    feed.note(row.creation_timestamp);
                    let was_known = table.row(row.id).is_some();
                    let is_history = row.creation_timestamp.map_or(is_cold, |at| at < since);
                    let told = Told { value: row.clone(), source, known: Known::Verified };
                    if table.read(row, now.wall) && (was_known || !is_history) {
                        self.events.push_back(UserUpdate::Trade(told));
                    }
                    self.counters.evicted += u64::from(table.trim(self.config.trades_kept));
                }
            }
            Found::Orders(account, list, unanswered) => {
                let (table, began) = (self.orders.entry(account).or_default(), self.began.wall_by(now));
                for row in list {
                    feed.note(time_of(&row));
                    let id = row.id;
                    if let Some(value) = table.read(row, began) {
                        let known = table.row(id).map_or(at_best, |held| OrderTable::known(held, at_best));
                        self.events.push_back(UserUpdate::Order(Told { value, source, known }));
                    }
                    if let Some(was_working) = table.trim(self.config.orders_kept) {
                        feed.is_overfull |= was_working;
                        self.counters.evicted += 1;
                    }
                }
                unanswered.into_iter().for_each(|id| table.doubt(id));
            }
        }
        let told = u32::try_from(self.events.len() - before).unwrap_or(u32::MAX);
        if let Some(open) = &mut feed.gap {
            open.changes = open.changes.saturating_add(told).saturating_add(removed);
        }
    }
}
