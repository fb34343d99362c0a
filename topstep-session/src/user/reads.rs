//! What REST is asked, and what follows from its answers.

use std::collections::BTreeSet;
use std::time::Duration;

use topstep_model::Rows;

use super::conclude::Found;
use super::feed::{PassStart, Read, Step};
use super::orders_pass::{Next, OrdersPass, Part};
use super::query::{Answer, Query, QueryFailure, Ticket};
use super::{Asked, UserMachine};
use crate::calendar::trading_day_start;
use crate::gap::Subject;
use crate::moment::Moment;

/// Up to so many trades, an audit reads the whole trading day, and finds what was taken back; beyond, every fourth does.
const WHOLE_DAY: usize = 1000;

impl UserMachine {
    /// Begins and ends what is due.
    pub(super) fn run_due(&mut self, now: Moment) {
        if self.held_until.is_some_and(|until| until <= now.mono) {
            self.held_until = None;
        }
        let is_due = |at: Option<_>| at.is_some_and(|at| at <= now.mono);
        let due = self.feeds.iter().filter(|(_, feed)| is_due(feed.timeout(self.held_until)));
        let due: Vec<Subject> = due.map(|(subject, _)| subject.clone()).collect();
        for subject in due {
            let Some(feed) = self.feeds.get(&subject) else { continue };
            match feed.read.as_ref().map(|read| &read.step) {
                None => self.begin_read(now, &subject),
                Some(Step::Pause(_)) => self.begin_pass(now, &subject),
                // No answer came.
                Some(Step::List(_) | Step::Orders(..)) => self.fail(now, &subject, self.config.retry_interval),
            }
        }
    }

    pub(super) fn take_answer(&mut self, now: Moment, ticket: Ticket, answer: Result<Answer, QueryFailure>) {
        let Some(Asked { subject, part }) = self.asked.remove(&ticket) else {
            self.counters.late_answers += 1;
            return;
        };
        match answer {
            Ok(answer) => self.take_rows_of(now, &subject, part, answer),
            Err(failure) => self.take_failure(now, &subject, part, failure),
        }
        self.run_due(now);
    }

    fn begin_read(&mut self, now: Moment, subject: &Subject) {
        let Some(feed) = self.feeds.get_mut(subject) else { return };
        feed.due = None;
        if feed.wants == 0 || !feed.is_acked || !self.is_connected {
            return;
        }
        let is_audit = feed.gap.is_none();
        feed.begun = Some(now.mono);
        if is_audit {
            feed.audits += 1;
        } else {
            feed.reconciled = Some(now.mono);
            self.counters.reconciles += 1;
        }
        feed.read = Some(Read {
            is_audit,
            pass: 0,
            start: PassStart { at: now, serial: self.serial, known_until: None, is_partial: false },
            suspects: BTreeSet::new(),
            suspected: 0,
            step: Step::Pause(now.mono),
        });
        self.begin_pass(now, subject);
    }

    fn begin_pass(&mut self, now: Moment, subject: &Subject) {
        let until = now.mono + self.config.answer_within;
        let Some(feed) = self.feeds.get_mut(subject) else { return };
        let Some(read) = feed.read.as_ref() else { return };
        if feed.known_until > now.wall {
            // This computer's clock was ahead: what it said is worth nothing, and the day is read anew.
            feed.known_until = Self::history_from(now);
        }
        let (known_so_far, is_audit, audits) = (feed.known_until, read.is_audit, feed.audits);
        let known_until = feed.newest.map(|newest| newest.min(now.wall));
        let start = self.overlapping(known_so_far);
        let (step, questions) = match subject {
            Subject::Orders(account) => {
                let (pass, questions) = OrdersPass::new(*account, start);
                (Step::Orders(until, Box::new(pass)), questions)
            }
            Subject::Positions(account) => (Step::List(until), vec![(Part::Since, Query::Positions(*account))]),
            Subject::Trades(account) => {
                let day = trading_day_start(now.wall);
                let few = self.trades.get(account).is_none_or(|table| table.len() <= WHOLE_DAY);
                let is_whole = !is_audit || few || audits.is_multiple_of(4);
                let start = if is_whole { start.min(day) } else { start };
                (Step::List(until), vec![(Part::Since, Query::Trades { account: *account, start })])
            }
            _ => (Step::List(until), vec![(Part::Since, Query::Accounts)]),
        };
        let start = PassStart { at: now, serial: self.serial, known_until, is_partial: false };
        if let Some(read) = self.feeds.get_mut(subject).and_then(|feed| feed.read.as_mut()) {
            read.pass += 1;
            (read.start, read.step) = (start, step);
        }
        self.ask(subject, questions);
    }

    fn ask(&mut self, subject: &Subject, questions: Vec<(Part, Query)>) {
        for (part, query) in questions {
            let ticket = Ticket(self.next_ticket);
            self.next_ticket += 1;
            self.asked.insert(ticket, Asked { subject: subject.clone(), part });
            self.queries.push_back((ticket, query));
        }
    }

    fn take_failure(&mut self, now: Moment, subject: &Subject, part: Part, failure: QueryFailure) {
        let retry = self.config.retry_interval;
        let pass = self.feeds.get_mut(subject).and_then(|feed| feed.read.as_mut()).map(|read| &mut read.step);
        match (failure, part, pass) {
            (QueryFailure::Throttled(wait), ..) => {
                let until = now.mono + wait;
                self.held_until = Some(self.held_until.map_or(until, |held| held.max(until)));
                self.fail(now, subject, wait);
            }
            // Whoever may not use it, or is refused, has the open orders at least.
            (QueryFailure::Unsupported | QueryFailure::NotFound, Part::Page(_), Some(Step::Orders(_, pass))) => {
                let questions = pass.fall_back();
                self.ask(subject, questions);
            }
            (QueryFailure::Unsupported | QueryFailure::NotFound, Part::One(order), Some(Step::Orders(_, pass))) => {
                if failure == QueryFailure::Unsupported {
                    pass.ask_no_more();
                }
                pass.take_one(order, None);
                self.advance(now, subject);
            }
            _ => self.fail(now, subject, retry),
        }
    }

    fn take_rows_of(&mut self, now: Moment, subject: &Subject, part: Part, answer: Answer) {
        let retry = self.config.retry_interval;
        let Some(feed) = self.feeds.get_mut(subject) else { return };
        let Some(read) = feed.read.as_mut() else { return };
        match (answer, subject, &mut read.step) {
            (Answer::Accounts(answer), Subject::Accounts, Step::List(_)) => {
                let Some(rows) = answer.accounts else { return self.fail(now, subject, retry) };
                let (list, is_complete) = self.readable(rows, |_| true);
                self.conclude(now, subject, Found::Accounts(list), is_complete);
            }
            (Answer::Positions(answer), Subject::Positions(account), Step::List(_)) => {
                let Some(rows) = answer.positions else { return self.fail(now, subject, retry) };
                let (list, is_complete) = self.readable(rows, |row| row.account_id == *account);
                self.conclude(now, subject, Found::Positions(*account, list), is_complete);
            }
            (Answer::Trades(answer), Subject::Trades(account), Step::List(_)) => {
                let Some(rows) = answer.trades else { return self.fail(now, subject, retry) };
                let (list, is_complete) = self.readable(rows, |row| row.account_id == *account);
                self.conclude(now, subject, Found::Trades(*account, list), is_complete);
            }
            (Answer::Page(answer), Subject::Orders(_), Step::Orders(_, pass)) => {
                let Part::Page(page) = part else { return self.fail(now, subject, retry) };
                match pass.take_page(page, answer) {
                    Some(Next::Ask(questions)) => self.follow(now, subject, questions),
                    // An order went away in between: once more from the first page.
                    Some(Next::Torn | Next::Done(_)) => self.again(now, subject),
                    None => self.fail(now, subject, retry),
                }
            }
            (Answer::Orders(answer), Subject::Orders(_), Step::Orders(_, pass)) => {
                match pass.take_list(part, answer.orders) {
                    Some(()) => self.advance(now, subject),
                    None => self.fail(now, subject, retry),
                }
            }
            (Answer::Order(answer), Subject::Orders(_), Step::Orders(_, pass)) => {
                let Part::One(order) = part else { return self.fail(now, subject, retry) };
                pass.take_one(order, Some(answer.order));
                self.advance(now, subject);
            }
            // An answer to something else.
            _ => self.fail(now, subject, retry),
        }
    }

    /// The rows that could be read and belong here; whether nothing was bad among them.
    fn readable<T>(&mut self, rows: Rows<T>, belongs: impl Fn(&T) -> bool) -> (Vec<T>, bool) {
        let bad = rows.errors().count() as u64;
        self.counters.malformed_answers += bad;
        let all = rows.into_iter().flatten();
        let list: Vec<T> = all.filter(|row| belongs(row)).collect();
        (list, bad == 0)
    }

    fn follow(&mut self, now: Moment, subject: &Subject, questions: Vec<(Part, Query)>) {
        if questions.is_empty() {
            return self.advance(now, subject);
        }
        if self.is_held(now.mono) {
            return self.fail(now, subject, Duration::ZERO);
        }
        let until = now.mono + self.config.answer_within;
        let step = self.feeds.get_mut(subject).and_then(|feed| feed.read.as_mut()).map(|read| &mut read.step);
        if let Some(Step::Orders(deadline, _)) = step {
            *deadline = until;
        }
        self.ask(subject, questions);
    }

    /// Asks what is still open about the orders, or draws the conclusion.
    fn advance(&mut self, now: Moment, subject: &Subject) {
        let Subject::Orders(account) = subject else { return };
        let table = self.orders.entry(*account).or_default();
        let Some(read) = self.feeds.get_mut(subject).and_then(|feed| feed.read.as_mut()) else { return };
        let Step::Orders(_, pass) = &mut read.step else { return };
        match pass.advance(table, read.start.serial) {
            Next::Ask(questions) if questions.is_empty() => {}
            Next::Ask(questions) => self.follow(now, subject, questions),
            Next::Torn => self.again(now, subject),
            Next::Done(unanswered) => {
                let rows = std::mem::take(&mut pass.found).into_values().collect();
                let is_complete = pass.is_complete;
                self.counters.malformed_answers += pass.malformed;
                read.start.is_partial = pass.is_partial;
                self.conclude(now, subject, Found::Orders(*account, rows, unanswered), is_complete);
            }
        }
    }
}
