//! One contract as it trades: its book, its board, and the steps in which both move.

use std::collections::HashMap;

use fastrand::Rng;

use super::book::{Book, DomType, Row};
use super::candle::{Grain, LiveCandles};
use super::contracts::{Contract, Expiry};
use super::event::{Best, MarketEvent, Side};
use super::history::History;
use super::json::{self, Board, Names, Print};
use super::pace::Pace;
use super::session;
use super::stamp::{self, Stamp};
use super::tick::{self, Tick};

/// What was measured in a second of regular hours: quotes, trades, depth rows. A step makes one quote and earns its
/// share of the others.
const QUOTES: i64 = 42;
const TRADES: i64 = 20;
const ROWS: i64 = 62;

/// The widest spread in ticks.
const WIDEST: i64 = 4;
/// The prices of a session whose traded volume is remembered.
const MAX_PRICES: usize = 4_096;
/// With null padding, one step in so many has it.
const PADDED: u64 = 16;

/// A contract that somebody asked for.
#[derive(Debug)]
pub(super) struct Instrument {
    pub(super) names: Names,
    pub(super) tick: Tick,
    pub(super) history: History,
    pub(super) live: LiveCandles,
    pub(super) book: Book,
    /// When the next step is due; none while the contract stands still.
    pub(super) pace: Option<Pace>,
    pub(super) followed: bool,
    pub(super) rng: Rng,
    board: Board,
    /// What the quotes up to now said.
    published: Board,
    /// Whether the next quote has every member.
    quotes_in_full: bool,
    /// When the last event was, in nanoseconds; the later ones are not before it.
    touched: i64,
    day: i64,
    session_end: i64,
    /// The price that the walk returns to, and how far from it is far.
    anchor: i64,
    range: i64,
    /// Which way the present burst pushes, from -1 to 1.
    momentum: f64,
    trades_earned: i64,
    rows_earned: i64,
    /// How many prints the next trade event has.
    batch: i64,
    steps: u64,
    traded: HashMap<i64, u64>,
    prints: Vec<Print>,
    rows: Vec<Row>,
}

impl Instrument {
    /// A contract at the price to which its history leads.
    pub(super) fn new(seed: u64, expiry: Expiry, contract: &Contract, now: i64) -> Self {
        let history = History::new(seed, expiry, &contract.id);
        let second = stamp::second(now);
        let live = LiveCandles::new(second, |grain| history.so_far(grain, second));
        let day = session::day_of(second);
        let mut rng = Rng::with_seed(history.live_seed());
        let last = history.price_before(second);
        let book = Book::new(last - 1, last, &mut rng);
        let session = live.candle(Grain::Day, day);
        let board = Board {
            last,
            bid: book.bid(),
            ask: book.ask(),
            open: session.map_or(last, |session| session.open),
            high: session.map_or(last, |session| session.high),
            low: session.map_or(last, |session| session.low),
            before: history.close_of(day - 1),
            volume: session.map_or(0, |session| session.volume),
        };
        let names = Names {
            contract: contract.id.as_str().into(),
            symbol: contract.symbol_id.clone(),
            symbol_name: format!("/{}", expiry.root.name),
        };
        Self {
            names,
            tick: Tick::new(expiry.root.tick),
            history,
            live,
            book,
            pace: None,
            followed: false,
            rng,
            board,
            published: board,
            quotes_in_full: true,
            touched: now,
            day,
            session_end: session::start_of(day + 1),
            anchor: last,
            range: (last / 200).max(40),
            momentum: 0.0,
            trades_earned: 0,
            rows_earned: 0,
            batch: 1,
            steps: 0,
            traded: HashMap::new(),
            prints: Vec::new(),
            rows: Vec::new(),
        }
    }

    pub(super) fn best(&self) -> Best {
        best_of(&self.board, self.tick)
    }

    pub(super) fn merged_quote(&self) -> Best {
        best_of(&self.published, self.tick)
    }

    /// The quote that a new subscriber gets; what follows it need not be in full.
    pub(super) fn full_quote(&mut self, stamp: &mut Stamp) -> String {
        self.quotes_in_full = false;
        stamp.set(self.touched);
        json::quote(&self.names, self.tick, &self.published, None, stamp)
    }

    pub(super) fn depth_snapshot(&self) -> String {
        json::depth(self.tick, &self.book.snapshot(), false, json::NO_TIME)
    }

    /// Goes on to the next step after the due one.
    pub(super) fn schedule(&mut self, interval: i64) {
        let Some(pace) = &mut self.pace else { return };
        if pace.advance(interval, &mut self.rng) {
            self.momentum = self.rng.f64() * 2.0 - 1.0;
        }
    }

    /// Makes one step at a moment, and tells all of it.
    pub(super) fn step(&mut self, at: i64, padding: bool, stamp: &mut Stamp, emit: &mut dyn FnMut(MarketEvent)) {
        self.begin(at);
        self.trades_earned += TRADES;
        if self.trades_earned >= QUOTES * self.batch {
            self.trade();
        } else {
            self.shift();
        }
        self.book.level_out(&mut self.rng, &mut self.rows);
        self.spend_rows();
        let padding = padding && self.steps.is_multiple_of(PADDED);
        self.publish(padding, stamp, emit);
    }

    /// Trades at a price at once, wherever it is, and stays around it.
    pub(super) fn nudge(&mut self, at: i64, to: i64, stamp: &mut Stamp, emit: &mut dyn FnMut(MarketEvent)) {
        self.begin(at);
        // A buyer who drives the price up leaves it as the bid; so an order resting there is reached from its side.
        let is_up = 2 * to > self.board.bid + self.board.ask;
        let (bid, ask) = if is_up { (to, to + 1) } else { (to - 1, to) };
        self.book.move_to(bid, ask, &mut self.rng, &mut self.rows);
        let volume = self.rng.u32(1..=5);
        self.print(to, volume, is_up);
        self.anchor = to;
        self.spend_rows();
        self.publish(false, stamp, emit);
    }

    fn begin(&mut self, at: i64) {
        self.touched = self.touched.max(at);
        self.steps += 1;
        self.prints.clear();
        self.rows.clear();
        let second = stamp::second(self.touched);
        if second >= self.session_end {
            self.day = session::day_of(second);
            self.session_end = session::start_of(self.day + 1);
            let Board { last, bid, ask, .. } = self.board;
            self.board = Board { last, bid, ask, open: last, high: last, low: last, before: last, volume: 0 };
            self.traded.clear();
        }
    }

    /// Somebody takes what the other side offers, in one print or a few.
    fn trade(&mut self) {
        let is_up = self.goes_up();
        self.trades_earned -= QUOTES * self.batch;
        for _ in 0..self.batch {
            let ticks = if is_up { self.book.ask() } else { self.book.bid() };
            let side = if is_up { &mut self.book.asks } else { &mut self.book.bids };
            let size = side.best_size();
            let volume = if self.rng.bool() { size } else { self.rng.u32(1..=5).min(size) };
            side.take(volume, &mut self.rows);
            self.print(ticks, volume, is_up);
        }
        while self.book.ask() - self.book.bid() > WIDEST {
            let side = if is_up { &mut self.book.bids } else { &mut self.book.asks };
            side.improve(&mut self.rng, &mut self.rows);
        }
        self.batch = if self.rng.u32(0..10) < 8 { 1 } else { self.rng.i64(2..=4) };
    }

    /// One side of the touch comes closer or goes away, while nothing trades.
    fn shift(&mut self) {
        let is_up = self.goes_up();
        let Board { bid, ask, last, .. } = self.board;
        let (follower, leader, step) = if is_up { (bid, ask, 1) } else { (ask, bid, -1) };
        // The last price stays within a tick of one side.
        let is_near = |price: i64| (last - price).abs() <= 1;
        let may_follow = ask - bid > 1 && (is_near(leader) || is_near(follower + step));
        let may_leave = ask - bid < WIDEST && is_near(follower);
        let (bids, asks) = (&mut self.book.bids, &mut self.book.asks);
        let (follower, leader) = if is_up { (bids, asks) } else { (asks, bids) };
        if may_follow && (!may_leave || self.rng.bool()) {
            follower.improve(&mut self.rng, &mut self.rows);
        } else if may_leave {
            leader.retreat(&mut self.rows);
        }
    }

    fn goes_up(&mut self) -> bool {
        if self.board.bid <= tick::LEAST + 8 || self.board.ask >= tick::MOST - 8 {
            return self.board.bid <= tick::LEAST + 8;
        }
        let pull = (self.anchor - self.board.last) as f64 / self.range as f64;
        let chance = 0.5 + 0.25 * self.momentum + 0.25 * pull.clamp(-1.0, 1.0);
        self.rng.f64() < chance
    }

    fn print(&mut self, ticks: i64, volume: u32, is_up: bool) {
        let board = &mut self.board;
        if board.volume == 0 {
            (board.open, board.high, board.low) = (ticks, ticks, ticks);
        }
        for (kind, extreme) in [(DomType::High, &mut board.high), (DomType::Low, &mut board.low)] {
            if (ticks > *extreme) == (kind == DomType::High) && ticks != *extreme {
                *extreme = ticks;
                self.rows.push(Row { kind, ticks, volume: 0, current: 0 });
            }
        }
        board.last = ticks;
        board.volume += i64::from(volume);
        if self.traded.len() >= MAX_PRICES {
            self.traded.clear();
        }
        *self.traded.entry(ticks).or_default() += u64::from(volume);
        self.live.record(stamp::second(self.touched), self.day, ticks, i64::from(volume));
        self.prints.push(Print { ticks, volume, kind: u8::from(!is_up) });
    }

    /// Adds prints and sizes to the rows that the book needed, as far as the rate of rows allows.
    fn spend_rows(&mut self) {
        self.rows_earned += ROWS;
        let earned = |rows: &[Row], earned: i64| earned - QUOTES * rows.len() as i64;
        for print in &self.prints {
            if earned(&self.rows, self.rows_earned) < 0 || self.rng.u32(0..4) == 0 {
                continue;
            }
            let volume = self.traded.get(&print.ticks).copied().unwrap_or_default();
            let row = Row { kind: DomType::Trade, ticks: print.ticks, volume, current: print.volume };
            self.rows.push(row);
            if self.rng.u32(0..8) == 0 {
                self.rows.push(Row { kind: DomType::Fill, ..row });
            }
        }
        while earned(&self.rows, self.rows_earned) >= QUOTES {
            let side = if self.rng.bool() { &mut self.book.bids } else { &mut self.book.asks };
            side.resize(&mut self.rng, &mut self.rows);
        }
        // A book that moved far is not paid for with minutes without sizes.
        self.rows_earned = earned(&self.rows, self.rows_earned).max(-QUOTES * 64);
    }

    fn publish(&mut self, padding: bool, stamp: &mut Stamp, emit: &mut dyn FnMut(MarketEvent)) {
        stamp.set(self.touched);
        (self.board.bid, self.board.ask) = (self.book.bid(), self.book.ask());
        let (contract, at) = (&self.names.contract, stamp.moment());
        if let Some(last) = self.prints.last() {
            let json = json::trades(&self.names, self.tick, &self.prints, padding, stamp);
            let volume = self.prints.iter().map(|print| u64::from(print.volume)).sum();
            let side = if last.kind == 0 { Side::Buy } else { Side::Sell };
            let price = self.tick.price(last.ticks);
            emit(MarketEvent::Trade { contract: contract.clone(), at, json, price, volume, side });
        }
        if !self.rows.is_empty() {
            let json = json::depth(self.tick, &self.rows, padding, stamp.ticks());
            emit(MarketEvent::Depth { contract: contract.clone(), at, json });
        }
        let published = (!self.quotes_in_full).then_some(&self.published);
        let json = json::quote(&self.names, self.tick, &self.board, published, stamp);
        self.published = self.board;
        self.quotes_in_full = false;
        let best = best_of(&self.board, self.tick);
        emit(MarketEvent::Quote { contract: contract.clone(), at, json, best });
    }
}

fn best_of(board: &Board, tick: Tick) -> Best {
    Best { bid: tick.price(board.bid), ask: tick.price(board.ask), last: tick.price(board.last) }
}
