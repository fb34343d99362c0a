//! A contract's order book, and the depth rows that tell of its changes.

use std::collections::VecDeque;

use fastrand::Rng;

/// A side that has fewer levels is filled up to [`USUAL`].
const FEWEST: usize = 64;
/// A side that has more levels is cut down to [`USUAL`].
const GREATEST: usize = 100;
const USUAL: usize = 80;

/// The kinds of depth rows, by the venue's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DomType {
    Ask = 1,
    Bid = 2,
    BestAsk = 3,
    BestBid = 4,
    Trade = 5,
    Reset = 6,
    Low = 7,
    High = 8,
    NewBestBid = 9,
    NewBestAsk = 10,
    Fill = 11,
}

/// One row of a depth event.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) kind: DomType,
    pub(super) ticks: i64,
    /// The size of the level from now on, 0 for none; of a print, what traded at its price altogether.
    pub(super) volume: u64,
    /// The size of a print; 0 for a level.
    pub(super) current: u32,
}

/// Both sides; every price between the best and the last level of a side has a level.
#[derive(Debug)]
pub(super) struct Book {
    pub(super) bids: Side,
    pub(super) asks: Side,
}

/// One side, best level first.
#[derive(Debug)]
pub(super) struct Side {
    best: i64,
    sizes: VecDeque<u32>,
    kinds: &'static Kinds,
}

/// How rows name what happens to a side.
#[derive(Debug)]
struct Kinds {
    level: DomType,
    best: DomType,
    new_best: DomType,
    /// From a level to the next worse one, in ticks.
    away: i64,
}

const BIDS: Kinds = Kinds { level: DomType::Bid, best: DomType::BestBid, new_best: DomType::NewBestBid, away: -1 };
const ASKS: Kinds = Kinds { level: DomType::Ask, best: DomType::BestAsk, new_best: DomType::NewBestAsk, away: 1 };

impl Book {
    /// A full book around a bid and an ask.
    pub(super) fn new(bid: i64, ask: i64, rng: &mut Rng) -> Self {
        let mut book = Self { bids: Side::new(bid, &BIDS), asks: Side::new(ask, &ASKS) };
        book.level_out(rng, &mut Vec::new());
        book
    }

    pub(super) fn bid(&self) -> i64 {
        self.bids.best
    }

    pub(super) fn ask(&self) -> i64 {
        self.asks.best
    }

    /// Gives both sides their usual number of levels again where they have far too few or too many.
    pub(super) fn level_out(&mut self, rng: &mut Rng, rows: &mut Vec<Row>) {
        self.bids.level_out(rng, rows);
        self.asks.level_out(rng, rows);
    }

    /// Moves the whole book to another bid and a higher ask.
    pub(super) fn move_to(&mut self, bid: i64, ask: i64, rng: &mut Rng, rows: &mut Vec<Row>) {
        // First the side that has to give way, so that a reader's book is never crossed, not even between two rows.
        if bid >= self.bid() {
            self.asks.move_to(ask, rng, rows);
            self.bids.move_to(bid, rng, rows);
        } else {
            self.bids.move_to(bid, rng, rows);
            self.asks.move_to(ask, rng, rows);
        }
        self.level_out(rng, rows);
    }

    /// A Reset and every level, which together make the book.
    pub(super) fn snapshot(&self) -> Vec<Row> {
        let reset = Row { kind: DomType::Reset, ticks: 0, volume: 0, current: 0 };
        let levels = [&self.bids, &self.asks].into_iter().flat_map(|side| {
            let row = |(ticks, size)| Row { kind: side.kinds.level, ticks, volume: u64::from(size), current: 0 };
            side.levels().map(row)
        });
        std::iter::once(reset).chain(levels).collect()
    }
}

impl Side {
    fn new(best: i64, kinds: &'static Kinds) -> Self {
        Self { best, sizes: VecDeque::with_capacity(GREATEST + 8), kinds }
    }

    /// Price in ticks and size, best first.
    pub(super) fn levels(&self) -> impl Iterator<Item = (i64, u32)> + '_ {
        self.sizes.iter().zip(0..).map(|(size, index)| (self.price(index), *size))
    }

    /// The size of the best level.
    pub(super) fn best_size(&self) -> u32 {
        self.sizes.front().copied().unwrap_or(0)
    }

    /// Opens a level one tick better than the best.
    pub(super) fn improve(&mut self, rng: &mut Rng, rows: &mut Vec<Row>) {
        let size = size_at(0, rng);
        self.best -= self.kinds.away;
        self.sizes.push_front(size);
        rows.push(self.row(self.kinds.new_best, 0));
    }

    /// Takes away the best level.
    pub(super) fn retreat(&mut self, rows: &mut Vec<Row>) {
        rows.push(Row { kind: self.kinds.level, ticks: self.best, volume: 0, current: 0 });
        self.sizes.pop_front();
        self.best += self.kinds.away;
    }

    /// Takes `volume` out of the best level; tells whether that used it up.
    pub(super) fn take(&mut self, volume: u32, rows: &mut Vec<Row>) -> bool {
        let Some(size) = self.sizes.front_mut().filter(|size| **size > volume) else {
            self.retreat(rows);
            return true;
        };
        *size -= volume;
        rows.push(self.row(self.kinds.best, 0));
        false
    }

    /// Gives some level another size, one near the best more often than one far away.
    pub(super) fn resize(&mut self, rng: &mut Rng, rows: &mut Vec<Row>) {
        let reach = rng.usize(1..=self.sizes.len().max(1));
        let index = rng.usize(0..reach);
        let Some(size) = self.sizes.get_mut(index) else { return };
        *size = size_at(index, rng);
        let kind = if index == 0 { self.kinds.best } else { self.kinds.level };
        rows.push(self.row(kind, index));
    }

    fn move_to(&mut self, best: i64, rng: &mut Rng, rows: &mut Vec<Row>) {
        let worse = (best - self.best) * self.kinds.away;
        // Beyond the last level there is nothing to take away one by one.
        if worse.unsigned_abs() as usize > self.sizes.len().min(USUAL) {
            while !self.sizes.is_empty() {
                self.retreat(rows);
            }
            self.best = best;
            self.level_out(rng, rows);
            return;
        }
        (0..worse).for_each(|_| self.retreat(rows));
        (worse..0).for_each(|_| self.improve(rng, rows));
    }

    fn level_out(&mut self, rng: &mut Rng, rows: &mut Vec<Row>) {
        if self.sizes.len() < FEWEST {
            for index in self.sizes.len()..USUAL {
                self.sizes.push_back(size_at(index, rng));
                rows.push(self.row(self.kinds.level, index));
            }
        }
        if self.sizes.len() > GREATEST {
            for index in (USUAL..self.sizes.len()).rev() {
                rows.push(Row { volume: 0, ..self.row(self.kinds.level, index) });
                self.sizes.pop_back();
            }
        }
    }

    fn row(&self, kind: DomType, index: usize) -> Row {
        let size = self.sizes.get(index).copied().unwrap_or(0);
        Row { kind, ticks: self.price(index), volume: u64::from(size), current: 0 }
    }

    fn price(&self, index: usize) -> i64 {
        // An index is below a few hundred.
        self.best + self.kinds.away * index as i64
    }
}

/// A size that is usual at the level of this index; it grows with the distance from the best.
fn size_at(index: usize, rng: &mut Rng) -> u32 {
    rng.u32(1..=10 + 2 * index.min(20) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_book_keeps_its_depth_wherever_it_goes() {
        let mut rng = Rng::with_seed(3);
        let mut book = Book::new(1_000, 1_001, &mut rng);
        for (bid, ask) in [(1_050, 1_053), (900, 901), (901, 902), (5_000, 5_001), (5_000, 5_002), (4_999, 5_000)] {
            let mut rows = Vec::new();
            book.move_to(bid, ask, &mut rng, &mut rows);
            assert_eq!((book.bid(), book.ask()), (bid, ask));
            for side in [&book.bids, &book.asks] {
                assert!((FEWEST..=GREATEST).contains(&side.sizes.len()));
                assert!(side.sizes.iter().all(|size| *size > 0));
            }
        }
    }
}
