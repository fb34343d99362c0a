//! Builds the bars of one contract.

mod repair;

use std::collections::VecDeque;
use std::time::Duration;

use signalr_proto::time::Instant;
use topstep_model::{BarUnit, ContractId, MarketTrade, Timestamp};

use super::holes::Holes;
use super::{BarSpan, BarUpdate, BuiltBar};
use crate::gap::{Gap, GapNotice, Subject};
use crate::market::MarketUpdate;
use crate::moment::Moment;

/// Builds bars of one length of one contract: from history, then from its trades, then from REST again where a gap fell in.
///
/// Give it what the market's stream yields with [`handle_update`](Self::handle_update), wake it when [`poll_timeout`](Self::poll_timeout) says,
/// and empty [`poll_bar`](Self::poll_bar) after each call. Trades fall into bars by the venue's time. A bar is over when a trade of a later one
/// comes, or two seconds after its end by this computer's clock; a trade that comes later still changes it.
///
/// A bar into which a gap falls is flagged as incomplete, the one that was running at the beginning too. Once it is over and the gap is closed,
/// [`wants_repair`](Self::wants_repair) has the request that tells it anew, and [`repair`](Self::repair) takes the answer.
///
/// Bars of ticks are counted from the first trade heard, so they are not cut where the venue cuts them; REST repairs none of them.
#[derive(Debug)]
pub struct BarBuilder {
    contract: ContractId,
    span: BarSpan,
    keep: usize,
    closed: VecDeque<BuiltBar>,
    current: Option<Running>,
    holes: Holes,
    is_gap_open: bool,
    /// When the last gap closed, by this computer's clock; the beginning, if there was none.
    whole_since: Timestamp,
    news: VecDeque<BarUpdate>,
}

/// The bar that is not over yet.
#[derive(Debug)]
struct Running {
    bar: BuiltBar,
    /// `None` for a bar of ticks, and for one that ends after the calendar.
    end: Option<Timestamp>,
    trades: u32,
    /// When to look whether it is over.
    look_at: Option<Instant>,
}

impl BarBuilder {
    /// By how much this computer's clock may be off before a silent contract's bars are repaired too early.
    const CLOCK_ERROR: time::Duration = time::Duration::minutes(1);

    /// How long after its end, by this computer's clock, a bar without a later trade is over; REST is asked no earlier either.
    pub const GRACE: Duration = Duration::from_secs(2);

    /// Bars of a contract from now on. The bar that is running is incomplete, since its beginning was not heard.
    pub fn new(contract: ContractId, span: BarSpan, began: Moment) -> Self {
        let mut holes = Holes::default();
        holes.open(began.wall);
        Self {
            contract,
            span,
            keep: 1_000,
            closed: VecDeque::new(),
            current: None,
            holes,
            is_gap_open: false,
            whole_since: began.wall,
            news: VecDeque::new(),
        }
    }

    /// Sets how many bars that are over are kept; at least 1. Default 1,000.
    #[must_use]
    pub fn keep(mut self, bars: usize) -> Self {
        self.keep = bars.max(1);
        self
    }

    /// The contract.
    pub fn contract(&self) -> &ContractId {
        &self.contract
    }

    /// The length of the bars.
    pub fn span(&self) -> BarSpan {
        self.span
    }

    /// The running bar; `None` before its first trade.
    pub fn current(&self) -> Option<&BuiltBar> {
        self.current.as_ref().map(|running| &running.bar)
    }

    /// The bars that are over, the oldest first.
    pub fn closed(&self) -> impl ExactSizeIterator<Item = &BuiltBar> + DoubleEndedIterator {
        self.closed.iter()
    }

    /// Takes what matters of a session's stream: the trades of this contract, and the gaps in them. What
    /// [`MarketMachine::join`](crate::market::MarketMachine::join) says of its trades comes first.
    pub fn handle_update(&mut self, now: Moment, update: &MarketUpdate) {
        match update {
            MarketUpdate::Trade { contract, told } if *contract == self.contract => self.handle_trade(now, &told.value),
            MarketUpdate::Gap(notice) => self.handle_gap(notice),
            _ => {}
        }
    }

    /// Takes a trade. One without a time counts as of now.
    pub fn handle_trade(&mut self, now: Moment, trade: &MarketTrade) {
        let at = trade.timestamp.filter(|at| *at > Timestamp::UNSET).unwrap_or(now.wall);
        if !self.is_gap_open {
            self.holes.end(at);
        }
        if self.span.unit() == BarUnit::Tick {
            return self.add_tick(now, at, trade);
        }
        let Some(start) = self.span.start_of(at) else { return };
        match &self.current {
            Some(running) if start < running.bar.start => return self.add_late(start, at, trade),
            Some(running) if start > running.bar.start => self.close(),
            None if self.closed.back().is_some_and(|last| start <= last.start) => {
                return self.add_late(start, at, trade);
            }
            _ => {}
        }
        self.add(now, start, self.span.end_of(at), trade);
    }

    /// Takes news of a gap; of other subscriptions than this contract's trades, nothing.
    pub fn handle_gap(&mut self, notice: &GapNotice) {
        if !matches!(&notice.gap().subject, Subject::MarketTrades(contract) if *contract == self.contract) {
            return;
        }
        match notice {
            GapNotice::Opened(gap) => self.open(gap),
            GapNotice::Closed(gap, _) => {
                self.is_gap_open = false;
                self.whole_since = gap.to.map_or(self.whole_since, |to| to.at.wall);
            }
        }
    }

    /// Ends the running bar if its time is over. Too early, it does nothing.
    pub fn handle_timeout(&mut self, now: Moment) {
        let Some(running) = &mut self.current else { return };
        if running.look_at.is_none_or(|at| at > now.mono) {
            return;
        }
        let wait = running.end.map(|end| wait_for(now, end));
        if wait.is_none_or(|wait| wait > Duration::ZERO) {
            // The wall's clock went back.
            running.look_at = wait.map(|wait| now.mono + wait);
            return;
        }
        self.close();
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.current.as_ref()?.look_at
    }

    /// The next news.
    #[must_use = "news that are dropped are news lost"]
    pub fn poll_bar(&mut self) -> Option<BarUpdate> {
        self.news.pop_front()
    }

    fn open(&mut self, gap: &Gap) {
        self.is_gap_open = true;
        let from = gap.from.last_stamp.unwrap_or(gap.from.at.wall);
        self.holes.open(from);
        for bar in self.closed.iter_mut().filter(|bar| !bar.is_incomplete) {
            let end = self.span.end_of(bar.start);
            if end.is_some_and(|end| end > from) && self.holes.touch(bar.start, end) {
                bar.is_incomplete = true;
                self.news.push_back(BarUpdate::Changed(bar.clone()));
            }
        }
        if let Some(running) = self.current.as_mut().filter(|running| !running.bar.is_incomplete) {
            running.bar.is_incomplete = true;
            self.news.push_back(BarUpdate::Current(running.bar.clone()));
        }
    }

    fn add(&mut self, now: Moment, start: Timestamp, end: Option<Timestamp>, trade: &MarketTrade) {
        let is_incomplete = self.holes.touch(start, end);
        let running = match &mut self.current {
            Some(running) => {
                running.bar.add(trade);
                running
            }
            empty => empty.insert(Running {
                bar: BuiltBar::of_trade(start, trade, is_incomplete),
                end,
                trades: 0,
                look_at: end.map(|end| now.mono + wait_for(now, end)),
            }),
        };
        running.trades = running.trades.saturating_add(1);
        running.bar.is_incomplete |= is_incomplete;
        self.news.push_back(BarUpdate::Current(running.bar.clone()));
    }

    fn add_tick(&mut self, now: Moment, at: Timestamp, trade: &MarketTrade) {
        let start = self.current.as_ref().map_or(at, |running| running.bar.start);
        self.add(now, start, Some(at), trade);
        if let Some(running) = &mut self.current {
            // Ticks know no clock.
            (running.end, running.look_at) = (None, None);
            if running.trades >= self.span.number() {
                self.close();
            }
        }
    }

    /// A trade of a bar that is over, or of one that never was.
    fn add_late(&mut self, start: Timestamp, at: Timestamp, trade: &MarketTrade) {
        let is_incomplete = self.holes.touch(start, self.span.end_of(at));
        match self.closed.binary_search_by_key(&start, |bar| bar.start) {
            Ok(index) => {
                // REST knew of it.
                let Some(bar) = self.closed.get_mut(index).filter(|bar| bar.source == crate::Source::Stream) else {
                    return;
                };
                bar.add(trade);
                bar.is_incomplete |= is_incomplete;
                self.news.push_back(BarUpdate::Changed(bar.clone()));
            }
            // Older than everything that is kept.
            Err(0) if self.closed.len() >= self.keep => {}
            Err(index) => self.insert(index, BuiltBar::of_trade(start, trade, is_incomplete)),
        }
    }

    fn insert(&mut self, index: usize, bar: BuiltBar) {
        self.news.push_back(BarUpdate::Changed(bar.clone()));
        self.closed.insert(index, bar);
        self.trim();
    }

    fn close(&mut self) {
        let Some(running) = self.current.take() else { return };
        self.news.push_back(BarUpdate::Closed(running.bar.clone()));
        self.closed.push_back(running.bar);
        self.trim();
    }

    fn trim(&mut self) {
        let surplus = self.closed.len().saturating_sub(self.keep);
        self.closed.drain(..surplus);
    }
}

/// How long until a bar that ends then is over.
fn wait_for(now: Moment, end: Timestamp) -> Duration {
    let wait = (end.utc() - now.wall.utc()) + BarBuilder::GRACE;
    Duration::try_from(wait).unwrap_or(Duration::ZERO)
}

#[cfg(test)]
mod tests;
