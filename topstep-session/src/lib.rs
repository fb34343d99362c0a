//! TopstepX as it is followed: sessions that restore themselves, state that says how it is known, orders that end in one outcome.
//!
//! Two machines hold what is believed: [`user::UserMachine`] accounts, orders, positions and trades, [`market::MarketMachine`] quotes, books and
//! bars. They know no socket and no clock; a [`Moment`] goes in, queries and [`Update`]s come out.

pub mod calendar;
pub mod gap;
pub mod known;
pub mod market;
pub mod moment;
pub mod update;
pub mod user;

pub use gap::{Edge, Gap, GapCause, GapId, GapNotice, Subject, Verdict};
pub use known::{Known, Source};
pub use moment::Moment;
pub use update::{Malformed, Told, Update};
