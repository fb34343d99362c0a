//! What the market machine says: to the hub, to listeners, and to whoever asks.

use std::time::Duration;

use topstep_model::{ContractId, DepthRow, MarketTrade, Price};

use super::quote::MergedQuote;
use crate::gap::{Gap, GapNotice, Subject};
use crate::known::Known;
use crate::update::{Malformed, Told};

/// One item of the market's stream, in order.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum MarketUpdate {
    /// A contract's merged quote after a row of the hub; or once more, because how it is known has risen.
    Quote {
        /// The contract.
        contract: ContractId,
        /// The quote.
        told: Told<MergedQuote>,
    },
    /// A trade at the exchange.
    Trade {
        /// The contract.
        contract: ContractId,
        /// The trade: always live, since a trade is final.
        told: Told<MarketTrade>,
    },
    /// The depth rows of one record, as they came. Without rows: the book has become valid.
    Depth {
        /// The contract.
        contract: ContractId,
        /// The rows, those that do not touch the book included.
        rows: Vec<DepthRow>,
        /// Whether the book is complete after them.
        is_valid: bool,
        /// How the book is known after them.
        known: Known,
    },
    /// A gap opened, or closed.
    Gap(GapNotice),
    /// Something came that cannot be read. On the market hub it opens no gap.
    Malformed(Malformed),
    /// A contract's quotes have fallen silent, or come again: said once each time.
    Feed {
        /// The contract.
        contract: ContractId,
        /// What became of its quotes.
        state: FeedState,
    },
    /// The hub refuses a subscription. Its gap stays open; asking again is the session's affair.
    Refused {
        /// The subscription.
        subject: Subject,
        /// The hub's words, cut, with control characters escaped.
        message: String,
    },
    /// The list of holidays is over: from here on a holiday looks like an open market. Said once.
    CalendarEnded,
}

/// Whether a contract's quotes come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FeedState {
    /// They come, and are recent.
    Fresh,
    /// The market is open, and the newest is older than the limit: an alarm.
    Stale {
        /// How old it was when that was noticed; since the acknowledgement if none came.
        age: Duration,
    },
    /// The market is closed, and nothing comes, as is to be expected.
    Quiet,
}

/// The state of a contract's book, in short.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BookView {
    /// The contract.
    pub contract: ContractId,
    /// Whether it is complete. Nothing else counts if not.
    pub is_valid: bool,
    /// Whether its best bid is not below its best ask.
    pub is_crossed: bool,
    /// The highest bid with its size.
    pub best_bid: Option<(Price, i64)>,
    /// The lowest ask with its size.
    pub best_ask: Option<(Price, i64)>,
    /// How it is known.
    pub known: Known,
}

/// What is believed of the market at one moment.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct MarketState {
    /// Whether the market hub is connected.
    pub is_connected: bool,
    /// The merged quote of every contract whose quotes are wanted, by contract; blank where none came yet.
    pub quotes: Vec<Told<MergedQuote>>,
    /// The book of every contract whose depth is wanted, by contract.
    pub books: Vec<BookView>,
    /// The open gaps, by their names.
    pub gaps: Vec<Gap>,
}

/// How much has come, and what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct MarketCounters {
    /// Quote rows merged.
    pub quotes: u64,
    /// Trades told.
    pub trades: u64,
    /// Depth rows told.
    pub depth_rows: u64,
    /// Depth rows that a book rule could make nothing of.
    pub odd_depth_rows: u64,
    /// Rows of contracts and feeds that nobody wants.
    pub foreign_rows: u64,
    /// Rows that came when there was no connection.
    pub late_rows: u64,
    /// Rows and events that could not be read.
    pub malformed: u64,
    /// Quotes that a listener missed because a newer one of the same contract took their place.
    pub conflated: u64,
    /// Gaps opened.
    pub gaps_opened: u64,
    /// Gaps closed.
    pub gaps_closed: u64,
    /// How often a book became crossed: each time a reason to subscribe anew, which is left to the application.
    pub crossed_books: u64,
    /// How often the machine asked for a depth anew.
    pub resubscribes: u64,
    /// Alarms because quotes did not come in an open market.
    pub stale_alarms: u64,
    /// Subscriptions that the hub refused.
    pub refusals: u64,
    /// Wishes that were not followed because there were too many contracts.
    pub wishes_declined: u64,
}
