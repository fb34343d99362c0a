//! A contract's quote, merged from sparse rows.

use std::time::Duration;

use rust_decimal::Decimal;
use topstep_model::{ContractId, Price, Quote, SymbolId, Timestamp};

use crate::known::Known;
use crate::moment::Moment;

/// A member of a quote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum QuoteMember {
    /// The price of the last trade.
    Last,
    /// The highest bid.
    Bid,
    /// The lowest ask.
    Ask,
    /// The change since the previous close.
    Change,
    /// The change in relation to that close.
    ChangePercent,
    /// The session's first price.
    Open,
    /// The session's highest price.
    High,
    /// The session's lowest price.
    Low,
    /// The session's volume.
    Volume,
}

/// What is known of a contract's prices: each member as it was last heard.
///
/// Rows hold what changed, so members differ in age. An *epoch* is the time between two gaps. A member that was not heard in the current one is
/// from before a gap: it is still shown, but [`spread`](Self::spread), [`mid`](Self::mid) and the flags use members of the current epoch only.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct MergedQuote {
    /// The contract: the event's first argument.
    pub contract: ContractId,
    /// The root, such as `F.US.MNQ`.
    pub symbol: Option<SymbolId>,
    /// How far the last price is from the previous session's close.
    pub change: Option<Price>,
    /// The same in relation to the close, as the venue gives it.
    pub change_percent: Option<Price>,
    /// The session's first price.
    pub open: Option<Price>,
    /// The session's highest price.
    pub high: Option<Price>,
    /// The session's lowest price.
    pub low: Option<Price>,
    /// How many contracts were traded in the session.
    pub volume: Option<i64>,
    /// When the venue last changed the quote.
    pub last_updated: Option<Timestamp>,
    /// The venue's other time. It can stand still from the session's close on (seen on the live hub), so no age is taken from it.
    pub timestamp: Option<Timestamp>,
    /// When the last row came; `None` before the first.
    pub arrived: Option<Moment>,
    /// Counts the gaps: which stretch between two of them this is.
    pub epoch: u64,
    last: Option<Price>,
    bid: Option<Price>,
    ask: Option<Price>,
    /// Which members were heard in this epoch, a bit each.
    current: u16,
    /// What the last row said of its time; a row without does not make an older one count.
    stamp: Option<Timestamp>,
}

/// What [`MergedQuote::known`] depends on besides the quote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "an answer that needs more facts is another answer")]
pub struct Freshness {
    /// Whether the hub is connected, and the contract's quotes are subscribed to.
    pub is_connected: bool,
    /// Whether a gap is open on the quotes.
    pub is_gap_open: bool,
    /// Whether the market is open.
    pub is_market_open: bool,
    /// How old a quote may be in an open market.
    pub stale_after: Duration,
}

impl MergedQuote {
    /// A quote of which nothing is known yet.
    pub(super) fn new(contract: ContractId) -> Self {
        Self {
            contract,
            symbol: None,
            change: None,
            change_percent: None,
            open: None,
            high: None,
            low: None,
            volume: None,
            last_updated: None,
            timestamp: None,
            arrived: None,
            epoch: 0,
            last: None,
            bid: None,
            ask: None,
            current: 0,
            stamp: None,
        }
    }

    /// The price of the last trade, be it from before a gap: see [`is_current`](Self::is_current).
    pub fn last(&self) -> Option<Price> {
        self.last
    }

    /// The highest bid, be it from before a gap: see [`is_current`](Self::is_current).
    pub fn bid(&self) -> Option<Price> {
        self.bid
    }

    /// The lowest ask, be it from before a gap: see [`is_current`](Self::is_current).
    pub fn ask(&self) -> Option<Price> {
        self.ask
    }

    /// Whether a member was heard since the last gap.
    pub fn is_current(&self, member: QuoteMember) -> bool {
        self.current & bit(member) != 0
    }

    /// Bid and ask, if both were heard since the last gap.
    pub fn sides(&self) -> Option<(Price, Price)> {
        let are_current = self.is_current(QuoteMember::Bid) && self.is_current(QuoteMember::Ask);
        if are_current { self.bid.zip(self.ask) } else { None }
    }

    /// The ask less the bid. `None` unless both were heard since the last gap.
    pub fn spread(&self) -> Option<Decimal> {
        let (bid, ask) = self.sides()?;
        ask.decimal().checked_sub(bid.decimal())
    }

    /// The middle between bid and ask. `None` unless both were heard since the last gap.
    pub fn mid(&self) -> Option<Decimal> {
        let (bid, ask) = self.sides()?;
        bid.decimal().checked_add(ask.decimal())?.checked_div(Decimal::TWO)
    }

    /// Whether the bid is not below the ask. Rows are sparse, so it may be for a moment that one side was told before the other.
    pub fn is_crossed(&self) -> bool {
        self.sides().is_some_and(|(bid, ask)| bid >= ask)
    }

    /// Whether the last trade was below the bid or above the ask; the venue does not promise otherwise.
    pub fn is_last_outside_spread(&self) -> bool {
        let last = self.last.filter(|_| self.is_current(QuoteMember::Last));
        matches!((last, self.sides()), (Some(last), Some((bid, ask))) if last < bid || last > ask)
    }

    /// How old it is: the time since the last row came, or since the time that the row says, whichever is more.
    ///
    /// The second is on this computer's clock. While that is behind the venue's, it counts for nothing: an age is never negative. A quote that
    /// never came has the greatest age there is.
    pub fn age(&self, now: Moment) -> Duration {
        let Some(arrived) = self.arrived else { return Duration::MAX };
        let since_arrival = now.mono.saturating_since(arrived.mono);
        let since_update = self
            .stamp
            .map_or(Duration::ZERO, |stamp| Duration::try_from(now.wall.utc() - stamp.utc()).unwrap_or(Duration::ZERO));
        since_arrival.max(since_update)
    }

    /// How it is known.
    ///
    /// Stale: not connected, too old in an open market, or a side is from before a gap. Provisional: a gap is open, or a side was never heard.
    /// Live otherwise. A closed market ages nothing.
    pub fn known(&self, now: Moment, facts: Freshness) -> Known {
        self.known_at_age(self.age(now), facts)
    }

    pub(super) fn known_at_age(&self, age: Duration, facts: Freshness) -> Known {
        let is_old = |side: Option<Price>, member| side.is_some() && !self.is_current(member);
        if !facts.is_connected || is_old(self.bid, QuoteMember::Bid) || is_old(self.ask, QuoteMember::Ask) {
            return Known::Stale;
        }
        if facts.is_market_open && self.arrived.is_some() && age > facts.stale_after {
            return Known::Stale;
        }
        if facts.is_gap_open || self.sides().is_none() { Known::Provisional } else { Known::Live }
    }

    /// Takes in what a row says; what it does not say stays.
    pub(super) fn merge(&mut self, now: Moment, row: &Quote) {
        let mut current = self.current;
        let mut set = |field: &mut Option<Price>, news: Option<Price>, member| {
            if news.is_some() {
                *field = news;
                current |= bit(member);
            }
        };
        set(&mut self.last, row.last_price, QuoteMember::Last);
        set(&mut self.bid, row.best_bid, QuoteMember::Bid);
        set(&mut self.ask, row.best_ask, QuoteMember::Ask);
        set(&mut self.change, row.change, QuoteMember::Change);
        set(&mut self.change_percent, row.change_percent, QuoteMember::ChangePercent);
        set(&mut self.open, row.open, QuoteMember::Open);
        set(&mut self.high, row.high, QuoteMember::High);
        set(&mut self.low, row.low, QuoteMember::Low);
        if row.volume.is_some() {
            self.volume = row.volume;
            current |= bit(QuoteMember::Volume);
        }
        self.current = current;
        self.stamp = row.last_updated;
        self.last_updated = row.last_updated.or(self.last_updated);
        self.timestamp = row.timestamp.or(self.timestamp);
        if self.symbol.is_none() {
            self.symbol.clone_from(&row.symbol);
        }
        self.arrived = Some(now);
    }

    /// Something may have been missed: nothing known so far is of the epoch that begins.
    pub(super) fn begin_epoch(&mut self) {
        self.epoch += 1;
        self.current = 0;
    }
}

fn bit(member: QuoteMember) -> u16 {
    1 << member as u16
}
