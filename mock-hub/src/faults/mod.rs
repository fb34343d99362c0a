//! What goes wrong on command: for everyone, for a hub, or for one connection; now or later; once, often, or by chance.
//!
//! A [`Rule`] is a [`Fault`] with a [`Scope`] and times. A test hands it to [`MockHub::inject`](crate::MockHub::inject),
//! a program in another language to `POST /control/faults`, and a scenario file has it under `[[rule]]`:
//!
//! ```
//! use std::time::Duration;
//! use mock_hub::faults::{Fault, Rule};
//! use mock_hub::{MockHub, Options};
//!
//! let hub = MockHub::start(Options::default())?;
//! let id = hub.inject(Rule::new(Fault::NoPings).on_hub("market").lasts(Duration::from_secs(60)))?;
//! assert_eq!(hub.faults().len(), 1);
//! assert!(hub.heal(id));
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! ```text
//! curl -X POST $URL/control/faults -d '{"fault":"no-pings","scope":{"hub":"market"},"lasts":"60s"}'
//! ```
//!
//! All rules stand in one book, which is asked wherever something can go wrong: at the port, at negotiate and upgrade,
//! at every record and frame, at every call of a method, at every event for every connection, and below it all at the
//! socket. Without rules nobody asks.

mod book;
mod calls;
mod desk;
mod door;
mod events;
mod fault;
mod handle;
mod http;
mod mangle;
mod manner;
mod names;
mod packing;
mod parts;
mod rest;
mod rule;
pub(crate) mod span;

pub use fault::Fault;
pub use parts::{AfterClose, AfterTruncation, Direction, DropHow, Moment, RetryAfter};
pub use rule::{FaultId, Pattern, Phase, Rule, RuleReport, Scope};

pub(crate) use book::check;
pub(crate) use calls::intercept;
pub(crate) use desk::{Faults, run};
pub(crate) use door::{Door, at_negotiate, at_upgrade};
pub(crate) use http::routes;
pub(crate) use mangle::{Mangler, Step};
pub(crate) use rest::gate;
