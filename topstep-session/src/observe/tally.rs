//! What one session counts: plain integers under the session's lock, taken out once a second.

mod events;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use adapter_core::Cause;
use signalr_proto::time::Instant;
use topstep_model::{Hub, Timestamp};

use super::health::{LatencyHealth, SubscriptionHealth};
use super::kind::{Kind, Seen};
use super::latency::{Buckets, Rolling};
use super::publish::{Levels, News, Rare};
use crate::gap::{GapCause, GapId, GapNotice, Verdict};
use crate::moment::Moment;

/// How often the metrics are told.
const TICK: Duration = Duration::from_secs(1);
/// Over how long the rate of messages is taken, and at least how long latencies are remembered.
const WINDOW: Duration = Duration::from_secs(10);
/// So many latencies are measured each second, and of the others every sixteenth.
const MEASURED: u32 = 64;
const ONE_OF: u64 = 16;
/// How many rare events wait to be told. More than that in a second are left out of the metrics.
const MOST_RARE: usize = 4_096;

/// How many subscriptions there are, by what the hub made of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Subscriptions {
    pub(crate) intended: usize,
    pub(crate) acked: usize,
    pub(crate) refused: usize,
    pub(crate) is_connected: bool,
}

/// What the machine of a session has counted itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Audits {
    pub(crate) clean: u64,
    pub(crate) mismatched: u64,
}

/// Counts what a session sees.
#[derive(Debug)]
pub(crate) struct Tally {
    hub: Hub,
    messages: [u64; Kind::COUNT],
    malformed: [u64; Kind::COUNT],
    latency: [Rolling; Kind::COUNT],
    measured: u32,
    /// What came with the end of a gap may be older than the subscription.
    closed_at: Option<Instant>,
    open: BTreeMap<GapId, (Kind, Instant)>,
    subscriptions: Subscriptions,
    /// Since when something is wanted that the hub has not agreed to.
    unanswered: Option<Instant>,
    /// Since when something is wanted and the hub is not connected.
    down: Option<Instant>,
    lost: Option<Cause>,
    /// When the connection was lost that is not made good yet: until all is subscribed to, and until all gaps are closed.
    unready: Option<Instant>,
    unverified: Option<Instant>,
    connections: u64,
    reconnects: u64,
    audits: Audits,
    totals: VecDeque<(Instant, u64)>,
    rare: Vec<Rare>,
    ticked: Instant,
    told: News,
}

impl Tally {
    pub(crate) fn new(hub: Hub, now: Moment) -> Self {
        let now = now.mono;
        Self {
            hub,
            messages: [0; Kind::COUNT],
            malformed: [0; Kind::COUNT],
            latency: std::array::from_fn(|_| Rolling::new(WINDOW, now)),
            measured: 0,
            closed_at: None,
            open: BTreeMap::new(),
            subscriptions: Subscriptions::default(),
            unanswered: None,
            down: None,
            lost: None,
            unready: None,
            unverified: None,
            connections: 0,
            reconnects: 0,
            audits: Audits::default(),
            totals: VecDeque::from([(now, 0)]),
            rare: Vec::new(),
            ticked: now,
            told: News::default(),
        }
    }

    /// Counts an update that is handed out.
    #[inline]
    pub(crate) fn see(&mut self, now: Moment, seen: &Seen<'_>) {
        match seen {
            Seen::Value(kind, stamp) => {
                self.messages[*kind as usize] += 1;
                if let Some(stamp) = stamp {
                    self.measure(now, *kind, *stamp);
                }
            }
            Seen::Gap(GapNotice::Opened(gap)) => {
                self.gap_opened(now, gap.id, Kind::of(&gap.subject), gap.causes.first().copied());
            }
            Seen::Gap(GapNotice::Closed(gap, verdict)) => {
                self.gap_closed(now, gap.id, Kind::of(&gap.subject), gap.causes.first().copied(), verdict);
            }
            Seen::Malformed(target) => self.saw_malformed(target),
            Seen::Other => {}
        }
    }

    /// Measures an event's way from its own time to here. Clocks that differ make it wrong by as much; a negative one counts as none.
    #[inline]
    fn measure(&mut self, now: Moment, kind: Kind, stamp: Timestamp) {
        let is_sampled = self.measured < MEASURED || self.messages[kind as usize].is_multiple_of(ONE_OF);
        if !is_sampled || stamp == Timestamp::UNSET || self.closed_at == Some(now.mono) {
            return;
        }
        self.measured += 1;
        let latency = Duration::try_from(now.wall.utc() - stamp.utc()).unwrap_or_default();
        self.latency[kind as usize].record(latency);
    }

    /// When [`tick`](Self::tick) is due: not while nothing goes on.
    pub(crate) fn due(&self) -> Option<Instant> {
        let is_quiet = !self.subscriptions.is_connected && self.open.is_empty() && self.rare.is_empty();
        let is_idle = is_quiet && self.told.levels.per_second == 0.0 && self.told.levels == self.levels(self.ticked);
        (!is_idle).then_some(self.ticked + TICK)
    }

    /// What is to be told to the metrics, if it is time.
    pub(crate) fn tick(&mut self, now: Moment, audits: Audits) -> Option<Published> {
        (now.mono >= self.ticked + TICK).then(|| self.take(now.mono, audits))
    }

    fn take(&mut self, now: Instant, audits: Audits) -> Published {
        self.ticked = now;
        self.measured = 0;
        self.audits = audits;
        self.latency.iter_mut().for_each(|rolling| rolling.turn(now));
        self.totals.push_back((now, self.messages.iter().sum()));
        // One from before the window stays: the rate is over at least that long.
        while self.totals.get(1).is_some_and(|(at, _)| now.saturating_since(*at) >= WINDOW) {
            self.totals.pop_front();
        }
        let news =
            News { messages: self.messages, malformed: self.malformed, audits: self.audits, levels: self.levels(now) };
        let before = std::mem::replace(&mut self.told, news.clone());
        let latency = self.latency.each_mut().map(Rolling::take_fresh);
        Published { hub: self.hub, before, news, latency, rare: std::mem::take(&mut self.rare) }
    }

    pub(crate) fn per_second(&self, now: Instant) -> f64 {
        let total: u64 = self.messages.iter().sum();
        let recent = self.totals.iter().find(|(at, _)| now.saturating_since(*at) <= WINDOW).or(self.totals.back());
        let Some((at, then)) = recent else { return 0.0 };
        // One message a millisecond after the last tick is not a thousand a second.
        total.saturating_sub(*then) as f64 / now.saturating_since(*at).max(TICK).as_secs_f64()
    }

    fn levels(&self, now: Instant) -> Levels {
        let mut gaps = [0; Kind::COUNT];
        self.open.values().for_each(|(kind, _)| gaps[*kind as usize] += 1);
        Levels { subscriptions: self.subscriptions, gaps, per_second: self.per_second(now) }
    }

    pub(crate) fn subscriptions(&self) -> SubscriptionHealth {
        let Subscriptions { intended, acked, refused, .. } = self.subscriptions;
        SubscriptionHealth { intended, acked, refused }
    }

    pub(crate) fn unanswered_for(&self, now: Instant) -> Option<Duration> {
        self.unanswered.map(|since| now.saturating_since(since))
    }

    pub(crate) fn down_for(&self, now: Instant) -> Option<Duration> {
        self.down.map(|since| now.saturating_since(since))
    }

    /// How many gaps are open, and for how long the oldest has been.
    pub(crate) fn gaps(&self, now: Instant) -> (usize, Option<Duration>) {
        let oldest = self.open.values().map(|(_, opened)| now.saturating_since(*opened)).max();
        (self.open.len(), oldest)
    }

    pub(crate) fn reconnects(&self) -> u64 {
        self.reconnects
    }

    pub(crate) fn messages(&self) -> u64 {
        self.messages.iter().sum()
    }

    pub(crate) fn malformed(&self) -> u64 {
        self.malformed.iter().sum()
    }

    /// Latencies of the last ten to twenty seconds, of every kind together.
    pub(crate) fn latency(&mut self, now: Instant) -> LatencyHealth {
        let mut all = Buckets::default();
        for rolling in &mut self.latency {
            rolling.turn(now);
            all.add(&rolling.recent());
        }
        LatencyHealth::of(&all)
    }
}

/// What a session tells the metrics at once: see [`Published::publish`].
#[derive(Debug)]
pub(crate) struct Published {
    pub(super) hub: Hub,
    pub(super) before: News,
    pub(super) news: News,
    pub(super) latency: [Buckets; Kind::COUNT],
    pub(super) rare: Vec<Rare>,
}

impl Drop for Tally {
    /// What this session added to the gauges goes; what it counted stays.
    fn drop(&mut self) {
        self.take(self.ticked, self.audits).publish();
        self.told.levels.publish(self.hub, &Levels::default());
    }
}
