//! Sessions in virtual time: everything that the hubs, REST and the listeners can do, without a network, and each time the same.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic where it stands")]

mod ends;
mod gaps;
mod halts;
mod holding;
mod router;
mod sharing;
mod slow;
mod support;
