//! What the metrics facade is told of a session, once a second.

use std::time::Duration;

use adapter_core::Cause;
use metrics::{counter, gauge, histogram};
use topstep_model::Hub;

use super::kind::Kind;
use super::tally::{Audits, Published, Subscriptions};
use crate::gap::GapCause;

/// What was counted up to some moment.
#[derive(Debug, Clone, Default)]
pub(crate) struct News {
    pub(super) messages: [u64; Kind::COUNT],
    pub(super) malformed: [u64; Kind::COUNT],
    pub(super) audits: Audits,
    pub(super) levels: Levels,
}

/// What goes up and down.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Levels {
    pub(super) subscriptions: Subscriptions,
    pub(super) gaps: [usize; Kind::COUNT],
    pub(super) per_second: f64,
}

/// Something that happens seldom enough to be told by itself.
#[derive(Debug)]
pub(crate) enum Rare {
    GapOpened(Kind, GapCause),
    GapClosed(Kind, &'static str, Duration),
    Reconnected(Cause),
    Refused(Kind),
    Ready(Duration),
    Verified(Duration),
}

impl Published {
    /// Tells the facade. Not under a lock: nobody knows what an exporter does.
    pub(crate) fn publish(self) {
        let hub = self.hub.name();
        for kind in Kind::of_hub(self.hub) {
            let (index, kind) = (*kind as usize, kind.as_str());
            let messages = self.news.messages[index] - self.before.messages[index];
            counter!("topstep_messages_total", "hub" => hub, "kind" => kind).increment(messages);
            let malformed = self.news.malformed[index] - self.before.malformed[index];
            if malformed > 0 {
                counter!("topstep_malformed_total", "hub" => hub, "kind" => kind).increment(malformed);
            }
            for (latency, count) in self.latency[index].ends() {
                histogram!("topstep_latency_seconds", "hub" => hub, "kind" => kind)
                    .record_many(latency.as_secs_f64(), count as usize);
            }
        }
        let audits = [
            ("clean", self.news.audits.clean.saturating_sub(self.before.audits.clean)),
            ("mismatch", self.news.audits.mismatched.saturating_sub(self.before.audits.mismatched)),
        ];
        for (outcome, count) in audits.into_iter().filter(|(_, count)| *count > 0) {
            counter!("topstep_audits_total", "outcome" => outcome).increment(count);
        }
        self.rare.iter().for_each(|rare| rare.publish(hub));
        self.before.levels.publish(self.hub, &self.news.levels);
    }
}

impl Rare {
    fn publish(&self, hub: &'static str) {
        match self {
            Self::GapOpened(kind, cause) => {
                counter!("topstep_gap_total", "hub" => hub, "kind" => kind.as_str(), "cause" => cause.as_str())
                    .increment(1);
            }
            Self::GapClosed(kind, verdict, lasted) => {
                histogram!("topstep_gap_seconds", "hub" => hub, "kind" => kind.as_str(), "verdict" => *verdict)
                    .record(lasted.as_secs_f64());
            }
            Self::Reconnected(cause) => {
                counter!("topstep_reconnects_total", "hub" => hub, "cause" => cause.as_str()).increment(1);
            }
            Self::Refused(kind) => {
                counter!("topstep_refusals_total", "hub" => hub, "kind" => kind.as_str()).increment(1);
            }
            Self::Ready(took) => {
                histogram!("topstep_time_to_ready_seconds", "hub" => hub).record(took.as_secs_f64());
            }
            Self::Verified(took) => {
                histogram!("topstep_time_to_verified_seconds", "hub" => hub).record(took.as_secs_f64());
            }
        }
    }
}

impl Levels {
    /// Moves the gauges from these levels to those.
    pub(super) fn publish(&self, hub: Hub, to: &Self) {
        if self == to {
            return;
        }
        let (mine, theirs) = (self.subscriptions, to.subscriptions);
        let hub_name = hub.name();
        gauge!("topstep_connections_active", "hub" => hub_name)
            .increment(f64::from(u8::from(theirs.is_connected)) - f64::from(u8::from(mine.is_connected)));
        gauge!("topstep_messages_per_second", "hub" => hub_name).increment(to.per_second - self.per_second);
        for (state, from, to) in [
            ("intended", mine.intended, theirs.intended),
            ("acked", mine.acked, theirs.acked),
            ("refused", mine.refused, theirs.refused),
        ] {
            gauge!("topstep_subscriptions", "hub" => hub_name, "state" => state).increment(to as f64 - from as f64);
        }
        for kind in Kind::of_hub(hub) {
            let index = *kind as usize;
            gauge!("topstep_gaps_open", "hub" => hub_name, "kind" => kind.as_str())
                .increment(to.gaps[index] as f64 - self.gaps[index] as f64);
        }
    }
}
