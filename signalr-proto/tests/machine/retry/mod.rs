//! When a connection is tried again: every policy, class and limit, on a virtual clock and to the nanosecond.

mod breaker;
mod classes;
mod flapping;
mod hints;
mod ladders;
mod metrics;
mod world;
mod ws_breaker;
mod ws_reconnection;
