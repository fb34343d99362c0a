//! A trace of commands, inputs and steps in time: every law of a machine holds after each of them.
//!
//! `cargo fuzz run machine fuzz/corpus/machine fuzz/seeds/machine`. The input: two bytes of options, then steps (see `support::program`).

#![no_main]

#[path = "../../signalr-proto/tests/support/mod.rs"]
#[allow(dead_code, reason = "shared with the tests, which use more of it")]
mod support;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| drop(support::program::run(bytes)));
