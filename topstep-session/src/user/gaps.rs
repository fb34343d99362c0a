//! Where gaps open and close.

use signalr_proto::time::Instant;

use super::event::UserUpdate;
use super::feed::OpenGap;
use super::{UserMachine, orders_pass};
use crate::action::Action;
use crate::calendar::trading_day_start;
use crate::gap::{Edge, Gap, GapCause, GapId, GapNotice, Subject, Verdict};
use crate::moment::Moment;

impl UserMachine {
    /// Opens a gap, or widens the one that is open. What is being read of the subject no longer counts.
    pub(super) fn open_gap(&mut self, now: Moment, subject: &Subject, cause: GapCause) {
        self.drop_read(subject);
        let Some(feed) = self.feeds.get_mut(subject) else { return };
        feed.is_verified = false;
        if let Some(open) = &mut feed.gap {
            if !open.gap.causes.contains(&cause) {
                open.gap.causes.push(cause);
            }
        } else {
            // What an audit finds was lost at any time since the last one that was clean.
            let from = if cause == GapCause::AuditMismatch { feed.clean } else { feed.last };
            let id = GapId(self.next_gap);
            self.next_gap += 1;
            let gap = Gap { id, subject: subject.clone(), causes: vec![cause], from, to: None };
            self.counters.gap(cause);
            self.events.push_back(UserUpdate::Gap(GapNotice::Opened(gap.clone())));
            feed.gap = Some(OpenGap { gap, changes: 0 });
        }
        if feed.is_acked && self.is_connected {
            feed.plan_reconcile(now.mono, self.config.reconcile_spacing);
        } else {
            feed.due = None;
        }
    }

    /// Closes the gap of a subject, if one is open.
    pub(super) fn close_gap(&mut self, now: Moment, subject: &Subject, verdict: Option<Verdict>) {
        let generation = self.generation;
        let Some(feed) = self.feeds.get_mut(subject) else { return };
        let Some(OpenGap { mut gap, changes }) = feed.gap.take() else { return };
        let edge = Edge { at: now, generation, last_stamp: feed.last.last_stamp };
        gap.to = Some(edge);
        feed.last = edge;
        let verdict = verdict.unwrap_or(match changes {
            0 => Verdict::NothingMissed,
            changes => Verdict::StateRepaired { changes },
        });
        self.events.push_back(UserUpdate::Gap(GapNotice::Closed(gap, verdict)));
    }

    /// The connection is gone.
    pub(super) fn lose(&mut self, now: Moment, cause: GapCause) {
        self.is_connected = false;
        for subject in self.wanted() {
            if let Some(feed) = self.feeds.get_mut(&subject) {
                feed.is_acked = false;
            }
            self.open_gap(now, &subject, cause);
        }
    }

    /// A subscription is given up, to be acknowledged anew.
    pub(super) fn await_ack(&mut self, now: Moment, subject: &Subject) {
        if let Some(feed) = self.feeds.get_mut(subject) {
            feed.is_acked = false;
        }
        self.open_gap(now, subject, GapCause::Resubscribed);
    }

    /// Two audits in a row found something: the subscription is not to be trusted.
    pub(super) fn resubscribe(&mut self, now: Moment, subject: &Subject) {
        self.await_ack(now, subject);
        self.actions.push_back(Action::Resubscribe(subject.clone()));
    }

    /// Forgets what is being read of a subject: answers that are still to come are ignored.
    pub(super) fn drop_read(&mut self, subject: &Subject) {
        if let Some(feed) = self.feeds.get_mut(subject)
            && feed.read.take().is_some()
        {
            self.asked.retain(|_, asked| asked.subject != *subject);
            self.queries.retain(|(ticket, _)| self.asked.contains_key(ticket));
        }
    }

    /// The subjects that somebody wants.
    pub(super) fn wanted(&self) -> Vec<Subject> {
        self.feeds.iter().filter(|(_, feed)| feed.wants > 0).map(|(subject, _)| subject.clone()).collect()
    }

    /// Where the search for a new subject's history begins.
    pub(super) fn history_from(now: Moment) -> topstep_model::Timestamp {
        trading_day_start(now.wall)
    }

    /// Whether REST asks to be left alone.
    pub(super) fn is_held(&self, now: Instant) -> bool {
        self.held_until.is_some_and(|until| until > now)
    }

    /// Where a search begins that continues what is known until then.
    pub(super) fn overlapping(&self, known_until: topstep_model::Timestamp) -> topstep_model::Timestamp {
        orders_pass::earlier(known_until, self.config.overlap)
    }
}
