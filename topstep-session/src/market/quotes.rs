//! The quotes of one contract: its gap, and the watch over its silence.

use std::time::Duration;

use signalr_proto::time::Instant;
use topstep_model::{ContractId, Quote};

use super::config::MarketConfig;
use super::line::{Line, Wire};
use super::quote::{Freshness, MergedQuote};
use super::update::{FeedState, MarketUpdate};
use crate::gap::{GapCause, Subject, Verdict};
use crate::known::{Known, Source};
use crate::moment::Moment;
use crate::update::Told;

#[derive(Debug)]
pub(super) struct QuoteFeed {
    pub(super) line: Line,
    quote: MergedQuote,
    /// Rows of the subscription before may still come, and prove nothing: only a full row does, or one after the acknowledgement.
    is_doubtful: bool,
    patience: Option<Patience>,
    watch: Watch,
    /// When the watch looks next; `None` while nothing can be expected.
    look_at: Option<Instant>,
    probe: Probe,
}

/// How often a silent subscription was asked for anew. The hub may have forgotten it, and a full quote follows if it answers.
#[derive(Debug, Clone, Copy, Default)]
struct Probe {
    /// Since quotes came by themselves.
    times: u32,
    at: Option<Instant>,
}

/// How long a gap still waits for fresh prices.
#[derive(Debug, Clone, Copy)]
struct Patience {
    /// Since when the market has been open, as far as it matters here.
    open_since: Option<Instant>,
    look_at: Instant,
}

/// What was last said of the silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Watch {
    Fresh,
    Stale,
    Quiet,
    /// Nothing was said of the opening: the first quote has its time.
    Opening,
}

impl QuoteFeed {
    pub(super) fn new(contract: ContractId, now: Moment) -> Self {
        Self {
            line: Line::new(Subject::Quotes(contract.clone()), now),
            quote: MergedQuote::new(contract),
            is_doubtful: false,
            patience: None,
            watch: Watch::Fresh,
            look_at: None,
            probe: Probe::default(),
        }
    }

    pub(super) fn quote(&self) -> &MergedQuote {
        &self.quote
    }

    pub(super) fn due(&self) -> Option<Instant> {
        let patience = self.patience.map(|patience| patience.look_at);
        patience.into_iter().chain(self.look_at).min()
    }

    pub(super) fn known(&self, now: Moment, config: &MarketConfig, wire: &Wire) -> Known {
        self.known_at_age(self.quote.age(now), now, config, wire)
    }

    fn known_at_age(&self, age: Duration, now: Moment, config: &MarketConfig, wire: &Wire) -> Known {
        // The calendar is asked only if it matters.
        let is_old = self.quote.arrived.is_some() && age > config.stale_after;
        self.quote.known_at_age(
            age,
            Freshness {
                is_connected: wire.is_connected && self.line.is_wanted(),
                is_gap_open: self.line.is_gap_open(),
                is_market_open: is_old && config.hours.is_open(now.wall),
                stale_after: config.stale_after,
            },
        )
    }

    pub(super) fn told(&self, now: Moment, config: &MarketConfig, wire: &Wire) -> Told<MergedQuote> {
        Told { value: self.quote.clone(), source: Source::Stream, known: self.known(now, config, wire) }
    }

    pub(super) fn want(&mut self, now: Moment, wire: &mut Wire) {
        if self.line.want(now, wire) {
            self.is_doubtful = self.quote.arrived.is_some();
            self.quote.begin_epoch();
            self.watch = Watch::Fresh;
        }
    }

    pub(super) fn unwant(&mut self, now: Moment, wire: &mut Wire) {
        if self.line.unwant(now, wire) {
            self.rest();
        }
    }

    pub(super) fn take(
        &mut self,
        now: Moment,
        row: &Quote,
        config: &MarketConfig,
        wire: &mut Wire,
        tell: impl FnOnce(&mut Wire, &MergedQuote, Known),
    ) {
        if !self.line.is_wanted() {
            wire.counters.foreign_rows += 1;
            return;
        }
        if self.is_doubtful && is_full(row) {
            self.is_doubtful = false;
            self.quote.begin_epoch();
        }
        let stamp = row.last_updated.or(row.timestamp);
        self.quote.merge(now, row);
        self.line.heard(now, wire, stamp);
        wire.counters.quotes += 1;
        if self.line.is_gap_open() {
            self.close_if_whole(now, wire);
        }
        let age = self.quote.age(now);
        let known = self.known_at_age(age, now, config, wire);
        self.watch_row(now, age, config, wire);
        tell(wire, &self.quote, known);
    }

    pub(super) fn acknowledged(&mut self, now: Moment, config: &MarketConfig, wire: &mut Wire) {
        self.line.acknowledge(now);
        if std::mem::take(&mut self.is_doubtful) {
            self.quote.begin_epoch();
        }
        self.look(now + config.stale_after, wire);
        if !self.line.is_gap_open() {
            return;
        }
        if self.close_if_whole(now, wire) {
            // The quote that made it whole was told as provisional: in a market that stands, nothing else would say that it is not.
            let told = self.told(now, config, wire);
            wire.tell(MarketUpdate::Quote { contract: self.quote.contract.clone(), told });
            return;
        }
        self.be_patient(now, config, wire);
    }

    pub(super) fn lost(&mut self, wire: &mut Wire, cause: GapCause) {
        self.rest();
        // What comes next comes over another connection.
        self.is_doubtful = false;
        self.line.await_acknowledgement();
        self.line.open_gap(wire, cause);
        self.quote.begin_epoch();
    }

    /// A hole in a subscription that lives.
    pub(super) fn hole(&mut self, now: Moment, cause: GapCause, config: &MarketConfig, wire: &mut Wire) {
        self.line.open_gap(wire, cause);
        self.quote.begin_epoch();
        if cause == GapCause::Resubscribed {
            self.rest();
            self.is_doubtful = true;
            self.line.await_acknowledgement();
        }
        if self.line.acknowledged().is_some() {
            self.be_patient(now, config, wire);
        }
    }

    /// What comes next is of the new subscription.
    pub(super) fn old_ended(&mut self) {
        if self.line.acknowledged().is_none() && self.line.is_gap_open() {
            self.is_doubtful = false;
            self.quote.begin_epoch();
        }
    }

    pub(super) fn refused(&mut self) {
        self.rest();
        self.line.await_acknowledgement();
    }

    pub(super) fn timeout(&mut self, now: Moment, config: &MarketConfig, wire: &mut Wire) {
        if self.patience.is_some_and(|patience| patience.look_at <= now.mono) {
            self.be_patient_still(now, config, wire);
        }
        if self.look_at.is_some_and(|at| at <= now.mono) {
            self.watch_silence(now, config, wire);
        }
    }

    /// Nothing is to be expected.
    fn rest(&mut self) {
        self.patience = None;
        self.look_at = None;
    }

    fn close_if_whole(&mut self, now: Moment, wire: &mut Wire) -> bool {
        let is_whole = self.line.acknowledged().is_some() && self.quote.sides().is_some();
        if is_whole {
            self.patience = None;
            self.line.close_gap(now, wire, Verdict::TicksLost);
        }
        is_whole
    }

    fn be_patient(&mut self, now: Moment, config: &MarketConfig, wire: &mut Wire) {
        self.patience = Some(Patience { open_since: None, look_at: now.mono });
        self.be_patient_still(now, config, wire);
    }

    /// Gives the gap up once the market has been open for long enough; while it is closed, nothing is to be expected of it.
    fn be_patient_still(&mut self, now: Moment, config: &MarketConfig, wire: &mut Wire) {
        let Some(patience) = self.patience else { return };
        if !config.hours.is_open(now.wall) {
            let look_at = now.mono + config.hours.until_change(now.wall);
            self.patience = Some(Patience { open_since: None, look_at });
            return wire.arm(look_at);
        }
        let open_since = patience.open_since.unwrap_or(now.mono);
        let look_at = open_since + config.ticks_lost_after;
        if look_at <= now.mono {
            self.patience = None;
            return self.line.close_gap(now, wire, Verdict::TicksLost);
        }
        self.patience = Some(Patience { open_since: Some(open_since), look_at });
        wire.arm(look_at);
    }

    /// A row came: the silence is over, unless the row is old itself.
    fn watch_row(&mut self, now: Moment, age: Duration, config: &MarketConfig, wire: &mut Wire) {
        if age <= config.stale_after {
            // The first quotes after a probe are its answer.
            if self.probe.at.is_some_and(|at| at + config.stale_after < now.mono) {
                self.probe.times = 0;
            }
            if self.watch == Watch::Fresh {
                return;
            }
            let was_told = self.watch != Watch::Opening;
            self.watch = Watch::Fresh;
            self.look(now + config.stale_after, wire);
            if was_told {
                wire.tell(MarketUpdate::Feed { contract: self.quote.contract.clone(), state: FeedState::Fresh });
            }
        } else if self.watch != Watch::Stale && config.hours.is_open(now.wall) {
            self.alarm(age, wire);
        }
    }

    /// Looks how long nothing came; while something comes, only when its time is over.
    fn watch_silence(&mut self, now: Moment, config: &MarketConfig, wire: &mut Wire) {
        let Some(acknowledged) = self.line.acknowledged() else {
            self.look_at = None;
            return;
        };
        let silence = self.quote.age(now).min(now.mono.saturating_since(acknowledged));
        if silence <= config.stale_after {
            return self.look(now + (config.stale_after - silence), wire);
        }
        if !config.hours.is_open(now.wall) {
            if self.watch != Watch::Quiet {
                self.watch = Watch::Quiet;
                wire.tell(MarketUpdate::Feed { contract: self.quote.contract.clone(), state: FeedState::Quiet });
            }
            return self.look(now + config.hours.until_change(now.wall), wire);
        }
        match self.watch {
            Watch::Quiet => {
                self.watch = Watch::Opening;
                self.look(now + config.stale_after, wire);
            }
            Watch::Fresh | Watch::Opening => {
                self.alarm(silence, wire);
                self.look(now + Self::RECHECK, wire);
                self.probe(now, wire);
            }
            Watch::Stale => {
                self.look(now + Self::RECHECK, wire);
                self.probe(now, wire);
            }
        }
    }

    /// How often the watch looks whether a market that does not move has closed.
    const RECHECK: Duration = Duration::from_secs(60);
    /// The most doublings of the time between two probes: 16 minutes.
    const MOST_DOUBLINGS: u32 = 4;

    /// Asks the hub anew for a subscription that is silent in an open market, less and less often.
    fn probe(&mut self, now: Moment, wire: &mut Wire) {
        let spacing = Self::RECHECK * 2_u32.pow(self.probe.times.min(Self::MOST_DOUBLINGS));
        if self.probe.times > 0 && self.probe.at.is_some_and(|at| at + spacing > now.mono) {
            return;
        }
        self.probe = Probe { times: self.probe.times.saturating_add(1), at: Some(now.mono) };
        self.line.open_gap(wire, GapCause::Resubscribed);
        self.quote.begin_epoch();
        self.rest();
        self.line.resubscribe(wire);
    }

    fn alarm(&mut self, age: Duration, wire: &mut Wire) {
        self.watch = Watch::Stale;
        wire.counters.stale_alarms += 1;
        wire.tell(MarketUpdate::Feed { contract: self.quote.contract.clone(), state: FeedState::Stale { age } });
    }

    /// Looks just after this moment: what is exactly as old as the limit is not too old.
    fn look(&mut self, at: Moment, wire: &mut Wire) {
        let at = at.mono + Duration::from_nanos(1);
        self.look_at = Some(at);
        wire.arm(at);
    }
}

/// Whether it can only be the answer to a subscription: later rows hold what changed, and the session's first price does not.
fn is_full(row: &Quote) -> bool {
    row.best_bid.is_some() && row.best_ask.is_some() && row.open.is_some()
}
