//! Bytes from a hub, whole and cut in pieces: no cut changes what a user sees.
//!
//! `cargo fuzz run framing fuzz/corpus/framing fuzz/seeds/framing`. The input: scene, number of cuts, cuts, payload (see `support::framing`).

#![no_main]

#[path = "../../signalr-proto/tests/support/mod.rs"]
#[allow(dead_code, reason = "shared with the tests, which use more of it")]
mod support;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| support::framing::check(bytes));
