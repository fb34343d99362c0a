//! The scenarios that this library was asked for, by their names: connecting, reading what comes, and what a hub refuses.
//!
//! Those of events and logins are in `gateway`, those of coming back in `reconnecting`. `docs/scenarios.md` has all of them, and a test here
//! holds it against the files.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic where it stands")]

mod connection;
mod document;
mod parsing;
mod payloads;
mod quotes;
mod refusals;
mod states;
