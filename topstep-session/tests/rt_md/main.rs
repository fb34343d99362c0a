//! Real-time market data: the scenarios of that specification, against mock-hub over real sockets on both runtimes, and their exact times
//! without a network.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic where it stands")]

mod exact;
mod fallback;
mod observability;
mod streaming;
mod support;
