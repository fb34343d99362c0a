//! Sessions against mock-hub, over real sockets, on both runtimes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic where it stands")]

mod ends;
mod logins;
mod refusals;
mod restoring;
mod streams;
mod support;
