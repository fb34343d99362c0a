//! How a connection is begun, ended, shared and neglected.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic where it stands")]

mod backpressure;
mod building;
mod handles;
mod hooks;
mod limits;
mod order;
mod panics;
mod policies;
mod starting;
mod stopping;

use std::time::Duration;

use adapter_core::RetryPolicy;
use mock_hub::script::ScriptHub;
use tests::scripted::{builder, connect, echo};

fn soon() -> RetryPolicy {
    RetryPolicy::custom(|_| Some(Duration::from_millis(5)))
}

fn echo_hub() -> ScriptHub {
    ScriptHub::start(echo).unwrap()
}
