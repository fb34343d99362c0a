//! A market to trade in: contracts, prices that move, quotes, trades, a book, and bars, all from one seed.
//!
//! [`Market`] knows no socket, no clock and no thread. Whoever drives it says what time it is, and gets the events that
//! were due by then, each with its JSON as TopstepX's market hub sends it. The same seed and the same calls at the same
//! moments give the same events, however often [`Market::advance`] is called in between.
//!
//! **Steps.** A contract that is followed moves in steps, so many a second as its rate says, in bursts of up to eight
//! with a pause after each. A step makes exactly one quote; trades and depth rows keep the relation to the quotes that
//! was measured at the venue, 42 quotes to 20 trades to 62 rows. In a step somebody takes the best level or a part of
//! it, or one side of the touch moves by a tick; a burst pushes in one direction, and a pull leads back towards the
//! price where the contract began, or where a [nudge](Market::nudge) put it.
//!
//! **Book.** Behind each contract stand 64 levels a side or more. Rows carry absolute sizes, 0 takes a level away, and
//! every change of the book is told at once: a snapshot and the rows after it give exactly [`Market::book`], and no
//! prefix of them is ever crossed. Ask rows are the types 1, 3 and 10, bid rows 2, 4 and 9; the others leave the book
//! alone, but for Reset, which clears it.
//!
//! **Sessions.** The markets are always open. The day that `open`, `high`, `low`, `change` and `volume` refer to begins
//! at 17:00 in Chicago.
//!
//! **History.** What a contract traded before somebody first asked for it is a pure function of the seed, the contract
//! and the time. The live price begins where history stands at that moment, so bars run through it without a step. A
//! contract that stands still, or whose market was left alone for long, has no bars for that time.
//!
//! ```
//! use mock_hub::market::Market;
//! use time::{Duration, OffsetDateTime};
//!
//! let noon = OffsetDateTime::from_unix_timestamp(1_795_262_400)?;
//! let mut market = Market::new(7, noon);
//! assert!(market.follow(noon, "CON.F.US.EP.Z26"));
//! let mut quotes = 0;
//! market.advance(noon + Duration::SECOND, &mut |event| quotes += u32::from(event.target() == "GatewayQuote"));
//! assert!((34..=50).contains(&quotes), "about 42, not {quotes}");
//! # Ok::<(), time::error::ComponentRange>(())
//! ```

mod bars;
mod book;
mod candle;
mod contracts;
mod event;
mod history;
mod instrument;
mod json;
mod pace;
mod roots;
mod session;
mod stamp;
mod tick;

use std::cmp::Reverse;
use std::collections::binary_heap::PeekMut;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;

use rust_decimal::Decimal;
use time::OffsetDateTime;

use candle::LiveCandles;
use contracts::Expiry;
use history::History;
use instrument::Instrument;
use pace::Pace;
use stamp::Stamp;
use tick::Tick;

pub use bars::{Bar, BarUnit};
pub use contracts::{Contract, Contracts};
pub use event::{Best, MarketEvent, Side};

/// The contracts that may be open at once; a further one is treated as unknown.
const MAX_OPEN: usize = 1_024;
/// How many steps of a contract are made up for after a pause; older ones are left out.
const MAX_BEHIND: i64 = 16_384;
/// How many steps one call of `advance` makes.
const STEPS_A_CALL: usize = 4_096;

/// Every contract of the venue, its price and its book.
#[derive(Debug)]
pub struct Market {
    seed: u64,
    contracts: Contracts,
    rate: f64,
    /// The nanoseconds between two steps of a contract; none while everything stands still.
    interval: Option<i64>,
    pads_with_nulls: bool,
    /// The latest moment that a caller named.
    now: i64,
    open: Vec<Instrument>,
    by_id: HashMap<Arc<str>, usize>,
    /// When each moving contract's next step is due.
    due: BinaryHeap<Reverse<(i64, usize)>>,
    stamp: Stamp,
}

impl Market {
    /// Quotes a second and contract at first, as measured in regular hours.
    pub const DEFAULT_RATE: f64 = 42.0;
    /// The highest rate, in quotes a second and contract.
    pub const HIGHEST_RATE: f64 = 50_000.0;

    /// A market in which nothing is followed yet; `now` decides which contracts are active.
    #[must_use]
    pub fn new(seed: u64, now: OffsetDateTime) -> Self {
        Self {
            seed,
            contracts: Contracts::new(now),
            rate: Self::DEFAULT_RATE,
            interval: interval_of(Self::DEFAULT_RATE),
            pads_with_nulls: false,
            now: stamp::nanos(now),
            open: Vec::new(),
            by_id: HashMap::new(),
            due: BinaryHeap::new(),
            stamp: Stamp::new(),
        }
    }

    /// The venue's contracts.
    #[must_use]
    pub fn contracts(&self) -> &Contracts {
        &self.contracts
    }

    /// Sets how many quotes a second each contract has, [42](Self::DEFAULT_RATE) at first.
    ///
    /// Trades and depth rows follow in proportion. At 0, and at anything that is not a positive number, everything
    /// stands still; above [50,000](Self::HIGHEST_RATE) that is the rate. Steps that were due before `now` and never
    /// asked for are left out, so [`advance`](Self::advance) first.
    pub fn set_rate(&mut self, now: OffsetDateTime, quotes_per_second_and_contract: f64) {
        let now = self.clock(now);
        let rate = quotes_per_second_and_contract.min(Self::HIGHEST_RATE);
        self.rate = if rate > 0.0 { rate } else { 0.0 };
        self.interval = interval_of(self.rate);
        self.due.clear();
        for index in 0..self.open.len() {
            self.set_going(now, index);
        }
    }

    /// The quotes a second and contract.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.rate
    }

    /// Sets whether some arrays of trades and depth rows begin with a null entry, which the venue's clients expect.
    ///
    /// Off at first. It changes nothing else about the events.
    pub fn set_null_padding(&mut self, pads_with_nulls: bool) {
        self.pads_with_nulls = pads_with_nulls;
    }

    /// Lets a contract move from now on; tells whether there is such a contract.
    ///
    /// Does nothing for one that moves already. The first quote has every member.
    pub fn follow(&mut self, now: OffsetDateTime, contract: &str) -> bool {
        let now = self.clock(now);
        let Some(index) = self.opened(contract) else { return false };
        if !std::mem::replace(&mut self.open[index].followed, true) {
            self.set_going(now, index);
        }
        true
    }

    /// When the next event is due; none while nothing moves.
    #[must_use]
    pub fn next_due(&self) -> Option<OffsetDateTime> {
        self.due.peek().map(|Reverse((at, _))| stamp::moment(*at))
    }

    /// Tells the events that were due up to `now`, in the order of their time.
    ///
    /// One call makes at most 4,096 steps, of up to three events each: where [`next_due`](Self::next_due) is still not
    /// after `now`, call again. A contract that is more than 16,384 steps behind leaves out the older ones, as if the
    /// market had stood still meanwhile.
    pub fn advance(&mut self, now: OffsetDateTime, emit: &mut dyn FnMut(MarketEvent)) {
        let now = self.clock(now);
        let Some(interval) = self.interval else { return };
        let furthest = now.saturating_sub(interval.saturating_mul(MAX_BEHIND));
        for _ in 0..STEPS_A_CALL {
            let Some(mut first) = self.due.peek_mut() else { return };
            let Reverse((at, index)) = *first;
            if at > now {
                return;
            }
            let Some(instrument) = self.open.get_mut(index) else {
                PeekMut::pop(first);
                continue;
            };
            if at < furthest {
                instrument.pace = Some(Pace::begin(furthest, interval, &mut instrument.rng));
            } else {
                instrument.step(at, self.pads_with_nulls, &mut self.stamp, emit);
                instrument.schedule(interval);
            }
            let next = instrument.pace.as_ref().map_or(i64::MAX, Pace::next);
            *first = Reverse((next, index));
        }
    }

    /// The quote that a new subscriber gets first, with every documented member, as a JSON object.
    ///
    /// It says what all quotes told so far say together. None for an unknown contract.
    pub fn full_quote(&mut self, now: OffsetDateTime, contract: &str) -> Option<String> {
        self.clock(now);
        let index = self.opened(contract)?;
        Some(self.open.get_mut(index)?.full_quote(&mut self.stamp))
    }

    /// The rows that a new subscriber to the depth gets first: JSON arrays, more than 10 KB altogether.
    ///
    /// The first row is a Reset, and all are dated to the year 1. None for an unknown contract.
    pub fn depth_snapshot(&mut self, now: OffsetDateTime, contract: &str) -> Option<Vec<String>> {
        self.clock(now);
        let index = self.opened(contract)?;
        Some(vec![self.open.get(index)?.depth_snapshot()])
    }

    /// The touch of a contract; none for an unknown one.
    ///
    /// A contract that nobody asked for yet opens at the latest moment that any call named.
    pub fn best(&mut self, contract: &str) -> Option<Best> {
        let index = self.opened(contract)?;
        Some(self.open.get(index)?.best())
    }

    /// What somebody believes who got every quote of a contract; none for a contract that nobody asked for yet.
    #[must_use]
    pub fn merged_quote(&self, contract: &str) -> Option<Best> {
        Some(self.instrument(contract)?.merged_quote())
    }

    /// Every level of a contract's book; none for a contract that nobody asked for yet.
    #[must_use]
    pub fn book(&self, contract: &str) -> Option<Levels> {
        let instrument = self.instrument(contract)?;
        let priced = |(ticks, size)| (instrument.tick.price(ticks), size);
        let book = &instrument.book;
        Some(Levels { bids: book.bids.levels().map(priced).collect(), asks: book.asks.levels().map(priced).collect() })
    }

    /// The contracts that move, in the order in which they were followed.
    pub fn followed(&self) -> impl Iterator<Item = &Arc<str>> {
        self.open.iter().filter(|instrument| instrument.followed).map(|instrument| &instrument.names.contract)
    }

    /// Moves a contract's price to the tick nearest to `to_price` at once; tells whether there is such a contract.
    ///
    /// There is a trade at that price, all depth rows in between, and a quote. A rise leaves the price as the bid with
    /// the ask a tick above, a fall leaves it as the ask. From then on the price stays around there. Steps that were
    /// due before `now` should be asked for first; this works at a rate of 0 too.
    pub fn nudge(
        &mut self,
        now: OffsetDateTime,
        contract: &str,
        to_price: Decimal,
        emit: &mut dyn FnMut(MarketEvent),
    ) -> bool {
        let now = self.clock(now);
        let Some(instrument) = self.opened(contract).and_then(|index| self.open.get_mut(index)) else { return false };
        let to = instrument.tick.nearest(to_price);
        instrument.nudge(now, to, &mut self.stamp, emit);
        true
    }

    /// The bars of a contract that begin from `start` on and before `end`, newest first.
    ///
    /// Each is `unit_number` units long, 1 at least. At most `limit` come back, and never more than
    /// [`Bar::LIMIT`]. The bar that is not over at `now` comes only with `include_partial`. History goes back a day for
    /// seconds, 63 days for minutes, a year for hours and ten for the longer units. None for an unknown contract.
    #[must_use]
    #[expect(clippy::too_many_arguments, reason = "they are the members of the venue's request")]
    pub fn bars(
        &self,
        now: OffsetDateTime,
        contract: &str,
        unit: BarUnit,
        unit_number: u32,
        start: OffsetDateTime,
        end: OffsetDateTime,
        limit: usize,
        include_partial: bool,
    ) -> Vec<Bar> {
        let now = stamp::nanos(now).max(self.now);
        let request = bars::Request {
            now,
            unit,
            number: unit_number,
            start: stamp::nanos(start),
            end: stamp::nanos(end),
            limit,
            includes_partial: include_partial,
        };
        if let Some(instrument) = self.instrument(contract) {
            return bars::collect(&request, instrument.history, &instrument.live, instrument.tick);
        }
        let Some(expiry) = Expiry::of(contract) else { return Vec::new() };
        let history = History::new(self.seed, expiry, contract);
        let second = stamp::second(now);
        let live = LiveCandles::new(second, |grain| history.so_far(grain, second));
        bars::collect(&request, history, &live, Tick::new(expiry.root.tick))
    }

    fn instrument(&self, contract: &str) -> Option<&Instrument> {
        self.open.get(*self.by_id.get(contract)?)
    }

    /// The place of a contract, which opens at the latest moment that a caller named.
    fn opened(&mut self, contract: &str) -> Option<usize> {
        if let Some(index) = self.by_id.get(contract) {
            return Some(*index);
        }
        if self.open.len() >= MAX_OPEN {
            return None;
        }
        let instrument = Instrument::new(self.seed, Expiry::of(contract)?, &self.contracts.find(contract)?, self.now);
        let index = self.open.len();
        self.by_id.insert(instrument.names.contract.clone(), index);
        self.open.push(instrument);
        Some(index)
    }

    fn set_going(&mut self, now: i64, index: usize) {
        let Some(instrument) = self.open.get_mut(index).filter(|instrument| instrument.followed) else { return };
        instrument.pace = self.interval.map(|interval| Pace::begin(now, interval, &mut instrument.rng));
        if let Some(pace) = &instrument.pace {
            self.due.push(Reverse((pace.next(), index)));
        }
    }

    fn clock(&mut self, now: OffsetDateTime) -> i64 {
        let now = stamp::nanos(now);
        self.now = self.now.max(now);
        now
    }
}

/// Every level of a book: price and size, best first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Levels {
    /// What buyers offer, from the highest price down.
    pub bids: Vec<(Decimal, u32)>,
    /// What sellers offer, from the lowest price up.
    pub asks: Vec<(Decimal, u32)>,
}

fn interval_of(rate: f64) -> Option<i64> {
    // A step in centuries is as good as none, and fits.
    (rate > 0.0).then(|| (1e9 / rate).min(1e18) as i64)
}
