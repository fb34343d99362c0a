//! The market machine against models of it, against what the venue was seen to send, and against a hub that loses things.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod book;
mod merge;
mod samples;
mod sim;

use std::time::Duration;

use signalr_proto::time::Instant;
use topstep_model::Timestamp;
use topstep_session::Moment;

/// A Friday noon in Chicago, and so many milliseconds later.
fn at(millis: u64) -> Moment {
    let noon: Timestamp = "2026-11-20T18:00:00Z".parse().unwrap();
    Moment::new(Instant::from_nanos(0), noon) + Duration::from_millis(millis)
}
