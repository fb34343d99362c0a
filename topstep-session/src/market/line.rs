//! One subscription: who wants it, what the hub said of it, and its gap. And what all of them share.

use std::collections::VecDeque;

use signalr_proto::time::Instant;
use topstep_model::Timestamp;

use super::update::{MarketCounters, MarketUpdate};
use crate::action::Action;
use crate::gap::{Edge, Gap, GapCause, GapId, GapNotice, Subject, Verdict};
use crate::moment::Moment;

/// What all subscriptions share: the connection, what goes out, and the next deadline.
#[derive(Debug, Default)]
pub(super) struct Wire {
    pub(super) is_connected: bool,
    /// Counts the connections.
    pub(super) generation: u64,
    pub(super) events: VecDeque<MarketUpdate>,
    pub(super) actions: VecDeque<Action>,
    pub(super) counters: MarketCounters,
    next_gap: u64,
    due: Option<Instant>,
}

impl Wire {
    pub(super) fn tell(&mut self, update: MarketUpdate) {
        self.events.push_back(update);
    }

    /// Asks to be woken; an earlier wish stays.
    pub(super) fn arm(&mut self, at: Instant) {
        self.due = Some(self.due.map_or(at, |due| due.min(at)));
    }

    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    pub(super) fn disarm(&mut self) {
        self.due = None;
    }
}

/// One subscription of the hub.
#[derive(Debug)]
pub(super) struct Line {
    subject: Subject,
    wants: u32,
    /// When the hub last acknowledged it on this connection.
    acknowledged: Option<Instant>,
    gap: Option<Gap>,
    /// The last event delivered, or when it was first wanted.
    last: Edge,
    was_wanted: bool,
}

impl Line {
    pub(super) fn new(subject: Subject, now: Moment) -> Self {
        let last = Edge { at: now, generation: 0, last_stamp: None };
        Self { subject, wants: 0, acknowledged: None, gap: None, last, was_wanted: false }
    }

    #[inline]
    pub(super) fn is_wanted(&self) -> bool {
        self.wants > 0
    }

    #[inline]
    pub(super) fn is_gap_open(&self) -> bool {
        self.gap.is_some()
    }

    pub(super) fn gap(&self) -> Option<&Gap> {
        self.gap.as_ref()
    }

    /// When the hub acknowledged it, if it did on this connection.
    pub(super) fn acknowledged(&self) -> Option<Instant> {
        self.acknowledged
    }

    /// Counts somebody in; tells whether he is the first.
    pub(super) fn want(&mut self, now: Moment, wire: &mut Wire) -> bool {
        self.wants = self.wants.saturating_add(1);
        if self.wants > 1 {
            return false;
        }
        self.acknowledged = None;
        // Wanted again, it may have been lost already when it was given up.
        if !std::mem::replace(&mut self.was_wanted, true) {
            self.last = Edge { at: now, generation: wire.generation, last_stamp: None };
        }
        self.open_gap(wire, GapCause::ColdStart);
        wire.actions.push_back(Action::Subscribe(self.subject.clone()));
        true
    }

    /// Counts somebody out; tells whether he was the last.
    pub(super) fn unwant(&mut self, now: Moment, wire: &mut Wire) -> bool {
        if self.wants == 0 {
            return false;
        }
        self.wants -= 1;
        if self.wants > 0 {
            return false;
        }
        self.acknowledged = None;
        self.close_gap(now, wire, Verdict::Abandoned { reason: "nobody wants it any more" });
        wire.actions.push_back(Action::Unsubscribe(self.subject.clone()));
        true
    }

    /// An event of it was delivered.
    #[inline]
    pub(super) fn heard(&mut self, now: Moment, wire: &Wire, stamp: Option<Timestamp>) {
        self.last = Edge { at: now, generation: wire.generation, last_stamp: stamp.or(self.last.last_stamp) };
    }

    /// Nothing counts as acknowledged: the connection is lost, or it is subscribed to anew.
    pub(super) fn await_acknowledgement(&mut self) {
        self.acknowledged = None;
    }

    pub(super) fn acknowledge(&mut self, now: Moment) {
        self.acknowledged = Some(now.mono);
    }

    /// Asks the hub for it anew.
    pub(super) fn resubscribe(&mut self, wire: &mut Wire) {
        self.acknowledged = None;
        wire.counters.resubscribes += 1;
        wire.actions.push_back(Action::Resubscribe(self.subject.clone()));
    }

    /// Opens a gap, or widens the one that is open.
    pub(super) fn open_gap(&mut self, wire: &mut Wire, cause: GapCause) {
        if let Some(gap) = &mut self.gap {
            if !gap.causes.contains(&cause) {
                gap.causes.push(cause);
            }
            return;
        }
        wire.next_gap += 1;
        wire.counters.gaps_opened += 1;
        let gap = Gap {
            id: GapId(wire.next_gap),
            subject: self.subject.clone(),
            causes: vec![cause],
            from: self.last,
            to: None,
        };
        self.gap = Some(gap.clone());
        wire.tell(MarketUpdate::Gap(GapNotice::Opened(gap)));
    }

    /// Closes the gap, if one is open.
    pub(super) fn close_gap(&mut self, now: Moment, wire: &mut Wire, verdict: Verdict) {
        let Some(mut gap) = self.gap.take() else { return };
        gap.to = Some(Edge { at: now, generation: wire.generation, last_stamp: self.last.last_stamp });
        wire.counters.gaps_closed += 1;
        wire.tell(MarketUpdate::Gap(GapNotice::Closed(gap, verdict)));
    }
}
