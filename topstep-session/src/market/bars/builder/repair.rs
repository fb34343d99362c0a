//! What REST says of bars.

use topstep_model::rest::{Bar, Bars, RetrieveBars};
use topstep_model::{BarUnit, Timestamp};

use super::{BarBuilder, Running, wait_for};
use crate::market::bars::holes::Hole;
use crate::market::bars::{BarUpdate, BuiltBar};
use crate::moment::Moment;

impl BarBuilder {
    /// Asks for the newest bars of history, the running one included, to give to [`seed`](Self::seed).
    ///
    /// They are looked for since `since`. No more are asked for than are kept.
    pub fn history(&self, now: Moment, since: Timestamp) -> RetrieveBars {
        let most = i32::try_from(self.keep).unwrap_or(RetrieveBars::MOST).min(RetrieveBars::MOST);
        let end = (now + Self::GRACE).wall;
        self.request(since, end).limit(most).include_partial_bar()
    }

    /// Takes the answer to [`history`](Self::history): bars that are over replace those that were built of the same interval; the running one is
    /// joined with the trades heard so far, and stays incomplete, since no one can say where REST ends and the stream begins.
    pub fn seed(&mut self, now: Moment, bars: &Bars) {
        let mut news = Vec::new();
        // Newest first on the wire.
        for bar in in_order(bars) {
            let end = self.span.end_of(bar.time);
            if end.is_none_or(|end| wait_for(now, end).is_zero()) {
                news.extend(self.replace(bar));
            } else {
                self.join(now, bar, end);
            }
        }
        // History is no news; what corrects something told before is.
        self.news.extend(news.into_iter().filter_map(|(bar, is_new)| (!is_new).then_some(BarUpdate::Changed(bar))));
    }

    /// The request that tells the bars anew into which a gap fell, if there are any that are over. Nothing while a gap is open.
    ///
    /// It is there until [`repair`](Self::repair) has its answer: when to ask, and how often, is the caller's affair.
    pub fn wants_repair(&self, now: Moment) -> Option<RetrieveBars> {
        if self.is_gap_open {
            return None;
        }
        let settled = now.wall.utc().checked_sub(time::Duration::try_from(Self::GRACE).ok()?)?;
        let over = self.span.start_of(Timestamp::try_from(settled).ok()?)?;
        // A running bar is not over, whatever this computer's clock says.
        let over = self.current.as_ref().map_or(over, |running| over.min(running.bar.start));
        // What would not be kept is not asked for.
        let most = i64::try_from(self.keep).unwrap_or(i64::MAX);
        let oldest = self.closed.front().map(|bar| bar.start);
        let kept =
            self.span.start_after(over, most.saturating_neg()).map(|first| oldest.map_or(first, |old| old.min(first)));
        self.holes.iter().find_map(|hole| self.request_for(hole, over, kept))
    }

    /// Takes REST's answer to a request of [`wants_repair`](Self::wants_repair): its bars replace what was built of the same interval, those that
    /// were missed are put in. What the answer leaves out stays as it is; an answer without a list, or with a bar that cannot be read, leaves
    /// the request standing.
    pub fn repair(&mut self, request: &RetrieveBars, bars: &Bars) {
        let (from, until) = (request.start_time, request.end_time);
        for bar in in_order(bars).filter(|bar| (from..until).contains(&bar.time)) {
            if self.current.as_ref().is_none_or(|running| bar.time < running.bar.start) {
                let news = self.replace(bar);
                self.news.extend(news.map(|(bar, _)| BarUpdate::Changed(bar)));
            }
        }
        if bars.bars.as_ref().is_none_or(|rows| rows.errors().next().is_some()) {
            return;
        }
        self.holes.repaired(until);
        if !self.is_gap_open && until.utc() >= self.whole_since.utc().saturating_add(Self::CLOCK_ERROR) {
            self.holes.forget_open();
        }
    }

    /// The request for the bars of one hole, from the first that is kept to the last that is over.
    fn request_for(&self, hole: Hole, over: Timestamp, kept: Option<Timestamp>) -> Option<RetrieveBars> {
        let until = match hole.to {
            Some(to) => self.span.end_of(to)?.min(over),
            // Nobody knows where it ends by the venue's clock: it is asked for once, when this one's is surely past it.
            None if over.utc() < self.whole_since.utc().checked_add(Self::CLOCK_ERROR)? => return None,
            None => over,
        };
        let from = self.span.start_of(hole.from)?;
        let from = kept.map_or(from, |first| first.max(from));
        // One answer holds no more.
        let until = self.span.start_after(from, RetrieveBars::MOST.into()).map_or(until, |last| last.min(until));
        (from < until).then(|| self.request(from, until))
    }

    fn request(&self, from: Timestamp, until: Timestamp) -> RetrieveBars {
        let number = i32::try_from(self.span.number()).unwrap_or(i32::MAX);
        RetrieveBars::new(self.contract.clone(), from, until, self.span.unit(), number)
    }

    /// Puts REST's bar in its place. Says what changed, and whether nothing was there.
    fn replace(&mut self, bar: &Bar) -> Option<(BuiltBar, bool)> {
        let bar = BuiltBar::of_rest(bar);
        match self.closed.binary_search_by_key(&bar.start, |old| old.start) {
            Ok(index) => {
                let old = self.closed.get_mut(index)?;
                // Who says it is no change.
                let is_same = BuiltBar { source: old.source, ..bar.clone() } == *old;
                *old = bar.clone();
                (!is_same).then_some((bar, false))
            }
            Err(0) if self.closed.len() >= self.keep => None,
            Err(index) => {
                self.closed.insert(index, bar.clone());
                self.trim();
                Some((bar, true))
            }
        }
    }

    /// Joins REST's running bar with what was heard of it.
    fn join(&mut self, now: Moment, bar: &Bar, end: Option<Timestamp>) {
        if self.span.unit() == BarUnit::Tick
            || self.current.as_ref().is_some_and(|running| bar.time < running.bar.start)
        {
            return;
        }
        let mut joined = BuiltBar { is_incomplete: true, ..BuiltBar::of_rest(bar) };
        let mut trades = 0;
        match self.current.take() {
            Some(running) if running.bar.start == joined.start => {
                joined.high = joined.high.max(running.bar.high);
                joined.low = joined.low.min(running.bar.low);
                joined.close = running.bar.close;
                joined.volume = joined.volume.max(running.bar.volume);
                trades = running.trades;
            }
            Some(running) => {
                // The stream is still in the bar before.
                self.current = Some(running);
                self.close();
            }
            None => {}
        }
        // Trades are added to it from here on.
        joined.source = crate::Source::Stream;
        self.holes.open(joined.start);
        self.news.push_back(BarUpdate::Current(joined.clone()));
        let look_at = end.map(|end| now.mono + wait_for(now, end));
        self.current = Some(Running { bar: joined, end, trades, look_at });
    }
}

/// The bars that can be read, the oldest first.
fn in_order(bars: &Bars) -> impl Iterator<Item = &Bar> {
    let mut list: Vec<&Bar> = bars.bars.iter().flat_map(|rows| rows.values()).collect();
    list.sort_by_key(|bar| bar.time);
    list.into_iter()
}
