//! The gateway against mock-hub, over real sockets, on both runtimes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic where it stands")]

mod calls;
mod http;
mod latest;
mod limits;
mod outcomes;
mod secrets;
mod support;
mod tokens;
mod worth;
