//! An order book.

use std::collections::BTreeMap;

use topstep_model::{DepthRow, DomType, Price, Timestamp};

use super::rule::Side;

/// A price and what is offered there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a level is a price and a volume")]
pub struct Level {
    /// The price.
    pub price: Price,
    /// All that is offered there; above 0.
    pub volume: i64,
}

/// A contract's order book as its depth rows tell it.
///
/// The venue sends no sequence and no checksum, so a book can be proven complete only by what it is made of: see
/// [`is_valid`](Self::is_valid).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Book {
    bids: BTreeMap<Price, i64>,
    asks: BTreeMap<Price, i64>,
    is_valid: bool,
    is_suspect: bool,
    updated: Option<Timestamp>,
}

impl Book {
    /// Whether it is complete: everything from a reset on was heard.
    ///
    /// It is at the end of a record that holds a reset and a level on each side, or a while after the last row of a snapshot in several records.
    /// A gap makes it invalid and empty.
    pub fn is_valid(&self) -> bool {
        self.is_valid
    }

    /// Whether a row could not be read since the last reset, which may have been one of this book.
    pub fn is_suspect(&self) -> bool {
        self.is_suspect
    }

    /// Whether the best bid is not below the best ask: a level is missing or left over, and only a new snapshot mends it.
    pub fn is_crossed(&self) -> bool {
        matches!((self.best_bid(), self.best_ask()), (Some(bid), Some(ask)) if bid.price >= ask.price)
    }

    /// The offers to buy, the highest first.
    pub fn bids(&self) -> impl ExactSizeIterator<Item = Level> + '_ {
        self.bids.iter().rev().map(level)
    }

    /// The offers to sell, the lowest first.
    pub fn asks(&self) -> impl ExactSizeIterator<Item = Level> + '_ {
        self.asks.iter().map(level)
    }

    /// The highest offer to buy.
    pub fn best_bid(&self) -> Option<Level> {
        self.bids.last_key_value().map(level)
    }

    /// The lowest offer to sell.
    pub fn best_ask(&self) -> Option<Level> {
        self.asks.first_key_value().map(level)
    }

    /// The newest time that stood on a row, years before 2 aside.
    pub fn updated(&self) -> Option<Timestamp> {
        self.updated
    }

    /// The book as the hub would send it: a reset, the bids and the asks, dated the year 1.
    pub fn to_rows(&self) -> Vec<DepthRow> {
        let mut rows = Vec::with_capacity(1 + self.bids.len() + self.asks.len());
        rows.push(undated(DomType::Reset, Price::ZERO, 0));
        rows.extend(self.bids().map(|level| undated(DomType::Bid, level.price, level.volume)));
        rows.extend(self.asks().map(|level| undated(DomType::Ask, level.price, level.volume)));
        rows
    }

    pub(super) fn clear(&mut self) {
        self.bids.clear();
        self.asks.clear();
        self.is_valid = false;
        self.is_suspect = false;
    }

    pub(super) fn set(&mut self, side: Side, price: Price, volume: i64) {
        let levels = match side {
            Side::Bid => &mut self.bids,
            Side::Ask => &mut self.asks,
        };
        if volume == 0 {
            levels.remove(&price);
        } else {
            levels.insert(price, volume);
        }
    }

    /// How many levels the longer side has.
    pub(super) fn depth(&self) -> usize {
        self.bids.len().max(self.asks.len())
    }

    pub(super) fn complete(&mut self) {
        self.is_valid = true;
    }

    pub(super) fn suspect(&mut self) {
        self.is_suspect = true;
    }

    pub(super) fn stamp(&mut self, at: Timestamp) {
        self.updated = self.updated.max(Some(at));
    }
}

fn level((price, volume): (&Price, &i64)) -> Level {
    Level { price: *price, volume: *volume }
}

fn undated(kind: DomType, price: Price, volume: i64) -> DepthRow {
    let mut row = DepthRow::new(kind, price, volume);
    row.timestamp = Some(Timestamp::UNSET);
    row
}
