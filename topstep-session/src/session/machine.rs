//! What a session needs of its machine.

use std::time::Duration;

use signalr_proto::time::Instant;
use topstep_model::{Hub, Target};

use super::outlet::Outlets;
use crate::action::Action;
use crate::gap::{GapCause, Subject};
use crate::moment::Moment;
use crate::observe::{Audits, Seen, Tally};
use crate::router::{EventKind, Router};
use crate::user::{Answer, Query, QueryFailure, Ticket};

/// A machine that a session can drive.
pub(crate) trait SessionMachine: Sized + Send + 'static {
    /// What it tells.
    type Update: Send + 'static;
    /// Who hears that.
    type Outlets: Outlets<Self::Update>;
    /// The hub that it follows.
    const HUB: Hub;
    /// Whether the hub is held up by readers of the router who do not keep up.
    const WAITS: bool;

    /// Whether it is followed: not if there is no room for more.
    fn want(&mut self, now: Moment, subject: Subject) -> bool;
    fn unwant(&mut self, now: Moment, subject: &Subject);
    fn handle_connected(&mut self, now: Moment);
    fn handle_lost(&mut self, now: Moment, cause: GapCause);
    fn handle_subscribed(&mut self, now: Moment, subject: &Subject);
    fn handle_gap(&mut self, now: Moment, subject: &Subject, cause: GapCause);
    fn handle_refused(&mut self, now: Moment, subject: &Subject, error: String);
    fn handle_malformed(&mut self, now: Moment, target: Target, message: String);
    fn handle_timeout(&mut self, now: Moment);
    fn poll_action(&mut self) -> Option<Action>;
    fn poll_update(&mut self) -> Option<Self::Update>;
    fn poll_timeout(&self) -> Option<Instant>;

    /// What a listener of a subject that is followed already is told first: the gap that is open, and what is known.
    fn join(&self, now: Moment, subject: &Subject) -> Vec<Self::Update>;

    /// A reader of the subject did not keep up.
    fn handle_overflow(&mut self, _now: Moment, _subject: &Subject) {}

    fn poll_query(&mut self) -> Option<(Ticket, Query)> {
        None
    }

    fn handle_answer(&mut self, _now: Moment, _ticket: Ticket, _answer: Result<Answer, QueryFailure>) {}

    /// The longest wait between two attempts to reconnect, while more than data is at stake.
    fn max_delay(&self) -> Option<Duration> {
        None
    }

    /// What it has counted of its audits.
    fn audits(&self) -> Audits {
        Audits::default()
    }

    /// The update as far as it is counted.
    fn seen(update: &Self::Update) -> Seen<'_>;

    /// The same update for those who hear everything.
    fn event(update: &Self::Update) -> Option<EventKind>;
}

/// Takes the rows of one record.
pub(crate) trait Receive<T>: SessionMachine {
    /// What is said of them goes to the ears at once, or is queued for the next look at `poll_update`.
    fn receive(&mut self, now: Moment, rows: T, ears: Ears<'_, Self>);
}

/// Those who hear what a machine says.
pub(crate) struct Ears<'c, M: SessionMachine> {
    pub(crate) now: Moment,
    pub(crate) outlets: &'c mut M::Outlets,
    pub(crate) tally: &'c mut Tally,
    pub(crate) router: &'c Router,
}

impl<M: SessionMachine> Ears<'_, M> {
    /// Hands an update to everybody.
    #[inline]
    pub(crate) fn tell(&mut self, update: M::Update) {
        self.tally.see(self.now, &M::seen(&update));
        if self.router.is_heard()
            && let Some(event) = M::event(&update)
        {
            self.router.tell_later(self.now, event);
        }
        self.outlets.tell(update);
    }
}

/// What a session's machine does by its own methods of the same names.
macro_rules! by_its_own_methods {
    () => {
        fn unwant(&mut self, now: Moment, subject: &Subject) {
            self.unwant(now, subject);
        }

        fn handle_connected(&mut self, now: Moment) {
            self.handle_connected(now);
        }

        fn handle_lost(&mut self, now: Moment, cause: GapCause) {
            self.handle_lost(now, cause);
        }

        fn handle_subscribed(&mut self, now: Moment, subject: &Subject) {
            self.handle_subscribed(now, subject);
        }

        fn handle_gap(&mut self, now: Moment, subject: &Subject, cause: GapCause) {
            self.handle_gap(now, subject, cause);
        }

        fn handle_refused(&mut self, now: Moment, subject: &Subject, error: String) {
            self.handle_refused(now, subject, error);
        }

        fn handle_malformed(&mut self, now: Moment, target: Target, message: String) {
            self.handle_malformed(now, target, message);
        }

        fn handle_timeout(&mut self, now: Moment) {
            self.handle_timeout(now);
        }

        fn poll_action(&mut self) -> Option<crate::action::Action> {
            self.poll_action()
        }

        #[inline]
        fn poll_update(&mut self) -> Option<Self::Update> {
            self.poll_event()
        }

        #[inline]
        fn poll_timeout(&self) -> Option<Instant> {
            self.poll_timeout()
        }
    };
}
pub(super) use by_its_own_methods;
