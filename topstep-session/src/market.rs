//! What is believed of the market: the merged quote, the order book and the bars of every contract that somebody wants.
//!
//! [`MarketMachine`] is told what the market hub says and when, and says what to subscribe to, what to tell the listeners, and when it wants to
//! be woken. It knows no socket and no clock. Whoever drives it empties [`poll_action`](MarketMachine::poll_action) and
//! [`poll_event`](MarketMachine::poll_event) after each call.
//!
//! **Quotes** are sparse on the wire, and merged here per contract. Every member knows whether it was heard since the last gap, and no spread is
//! ever worked out of a side from before a gap and one from after it. **Books** come from depth rows by a [`BookRule`], and say nothing until they
//! are complete. **Bars** are built from trades by a [`BarBuilder`], and flagged where a gap falls in.
//!
//! # Gaps
//!
//! Each subscription has at most one gap open at a time. What the market does not say twice is lost, so every gap that closes by itself closes as
//! [`TicksLost`](crate::Verdict::TicksLost):
//!
//! | feed | closes when |
//! |---|---|
//! | quotes | the hub has acknowledged, and bid and ask were both heard since the gap began; or the market has been open for [`ticks_lost_after`](MarketConfig::ticks_lost_after) since the acknowledgement, whether it moves or stands |
//! | trades | the hub has acknowledged; at the first subscription too, since what traded before was not heard |
//! | depth | the hub has acknowledged, and the book is complete again. Without a reset within [`depth_reset_within`](MarketConfig::depth_reset_within) it is given up as [`Abandoned`](crate::Verdict::Abandoned), and the book stays invalid until a reset comes after all |
//!
//! What the hub sends between a subscribe and its acknowledgement counts: a full quote or a whole book may come first. When a subscription begins
//! anew on the same connection, rows of the one before may still be under way; then only a full quote or a reset counts before the
//! acknowledgement.

mod bars;
mod book;
mod config;
mod contracts;
mod depth;
mod hours;
mod line;
mod machine;
mod quote;
mod quotes;
mod rule;
mod text;
mod trades;
mod update;

pub use crate::action::Action;
pub use bars::{BarBuilder, BarSpan, BarUpdate, BuiltBar};
pub use book::{Book, Level};
pub use config::MarketConfig;
pub use hours::{Closure, TradingHours, TradingWeek};
pub use machine::MarketMachine;
pub use quote::{Freshness, MergedQuote, QuoteMember};
pub use rule::{BookChange, BookRule, Side, topstep_rule};
pub use update::{BookView, FeedState, MarketCounters, MarketState, MarketUpdate};
