//! One subject that is followed: its subscription, its gap, and when it is read next.

use std::collections::BTreeSet;
use std::time::Duration;

use signalr_proto::time::Instant;
use topstep_model::{AccountId, ContractId, OrderId, Timestamp, TradeId};

use super::orders_pass::OrdersPass;
use crate::gap::{Edge, Gap};
use crate::known::Known;
use crate::moment::Moment;

/// What is known of a subject, beside its rows.
#[derive(Debug)]
pub(super) struct Feed {
    /// How many listeners want it.
    pub(super) wants: u32,
    /// Whether the hub acknowledged the subscription on this connection.
    pub(super) is_acked: bool,
    pub(super) gap: Option<OpenGap>,
    /// The serial number of the stream's last row of it, and that of the last row of all when it was acknowledged.
    pub(super) heard: u64,
    pub(super) acked_at: u64,
    /// Whether REST confirmed the list as a whole, and the stream told nothing since.
    pub(super) is_verified: bool,
    /// Whether REST has no complete list of what there is.
    pub(super) is_partial: bool,
    /// Whether something was not kept since there was too much.
    pub(super) is_overfull: bool,
    /// Where the last event was delivered, or the last gap closed.
    pub(super) last: Edge,
    /// Where the last read that left no doubt began.
    pub(super) clean: Edge,
    /// When it was first wanted.
    pub(super) since: Moment,
    /// Up to this time of the venue everything is known.
    pub(super) known_until: Timestamp,
    /// The latest time that a row had.
    pub(super) newest: Option<Timestamp>,
    /// When the next read is due.
    pub(super) due: Option<Instant>,
    /// When the last read began, and the last reconcile.
    pub(super) begun: Option<Instant>,
    pub(super) reconciled: Option<Instant>,
    /// How many audits there were, and how many in a row found something.
    pub(super) audits: u64,
    pub(super) mismatches: u32,
    pub(super) read: Option<Read>,
    /// What the hub said when it refused the subscription.
    pub(super) refusal: Option<String>,
}

/// A gap that is not closed.
#[derive(Debug)]
pub(super) struct OpenGap {
    pub(super) gap: Gap,
    /// How many values REST has told since it opened.
    pub(super) changes: u32,
}

/// A read that is under way: one pass, or several until the answers stand still.
#[derive(Debug)]
pub(super) struct Read {
    /// Whether it only compares.
    pub(super) is_audit: bool,
    /// Counts the passes, from 1.
    pub(super) pass: u32,
    pub(super) start: PassStart,
    /// What an earlier pass found different, and the serial number at its beginning.
    pub(super) suspects: BTreeSet<Key>,
    pub(super) suspected: u64,
    pub(super) step: Step,
}

/// What was so when a pass began.
#[derive(Debug, Clone, Copy)]
pub(super) struct PassStart {
    pub(super) at: Moment,
    /// The serial number of the stream's last row.
    pub(super) serial: u64,
    /// Up to which time of the venue everything is known if the pass is complete.
    pub(super) known_until: Option<Timestamp>,
    /// Whether REST turned out to have no complete list.
    pub(super) is_partial: bool,
}

/// What a read waits for.
#[derive(Debug)]
pub(super) enum Step {
    /// Before the next pass.
    Pause(Instant),
    /// Its one answer, until then.
    List(Instant),
    /// The answers about orders, the next of them until then.
    Orders(Instant, Box<OrdersPass>),
}

/// What a difference is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    Account(AccountId),
    Contract(ContractId),
    Order(OrderId),
    Trade(TradeId),
}

impl Feed {
    pub(super) fn new(now: Moment, generation: u64, known_until: Timestamp) -> Self {
        let edge = Edge { at: now, generation, last_stamp: None };
        Self {
            wants: 0,
            is_acked: false,
            gap: None,
            heard: 0,
            acked_at: 0,
            is_verified: false,
            is_partial: false,
            is_overfull: false,
            last: edge,
            clean: edge,
            since: now,
            known_until,
            newest: None,
            due: None,
            begun: None,
            reconciled: None,
            audits: 0,
            mismatches: 0,
            read: None,
            refusal: None,
        }
    }

    /// How well anything of it can be known.
    pub(super) fn at_best(&self, is_connected: bool) -> Known {
        if self.wants == 0 || !is_connected {
            Known::Stale
        } else if !self.is_acked || self.gap.is_some() {
            Known::Provisional
        } else {
            Known::Verified
        }
    }

    /// How well its list is known as a whole.
    pub(super) fn level(&self, is_connected: bool) -> Known {
        let level = match (self.is_partial || self.is_overfull, self.is_verified) {
            (true, _) => Known::Provisional,
            (false, false) => Known::Live,
            (false, true) => Known::Verified,
        };
        self.at_best(is_connected).weaker(level)
    }

    /// Takes a row of the stream.
    pub(super) fn hear(&mut self, now: Moment, generation: u64, serial: u64, stamp: Option<Timestamp>) {
        self.heard = serial;
        self.is_verified = false;
        self.last = Edge { at: now, generation, last_stamp: stamp.or(self.last.last_stamp) };
        self.note(stamp);
    }

    /// Notes a time of the venue.
    pub(super) fn note(&mut self, stamp: Option<Timestamp>) {
        self.newest = self.newest.max(stamp);
    }

    /// Plans the reconcile of a gap.
    pub(super) fn plan_reconcile(&mut self, now: Instant, spacing: Duration) {
        self.due = Some(self.spaced(now, spacing));
    }

    /// Moves the next read forward, but not before the last one is this long ago.
    pub(super) fn hurry(&mut self, at: Instant, spacing: Duration) {
        let at = self.begun.map_or(at, |begun| at.max(begun + spacing));
        if self.due.is_some_and(|due| due > at) {
            self.due = Some(at);
        }
    }

    /// Not before the last reconcile is this long ago.
    pub(super) fn spaced(&self, at: Instant, spacing: Duration) -> Instant {
        self.reconciled.map_or(at, |began| at.max(began + spacing))
    }

    /// When something is to be done.
    pub(super) fn timeout(&self, held_until: Option<Instant>) -> Option<Instant> {
        match self.read.as_ref().map(|read| &read.step) {
            Some(Step::List(until) | Step::Orders(until, _)) => Some(*until),
            Some(Step::Pause(until)) => Some(*until).max(held_until),
            None => self.due.map(|due| held_until.map_or(due, |held| due.max(held))),
        }
    }
}
