//! Nineteen faults that clients of SignalR have been seen to have, one test each, over real sockets.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic where it stands")]

mod ends;
mod handlers;
mod messages;
mod streams;
mod token;
