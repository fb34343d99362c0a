//! A world for the machine: a virtual clock, sinks that write down what they hear, and a driver that carries bytes by hand.
//!
//! No sleeping, no threads: time goes on only when a test says so.

pub(crate) mod framing;
pub(crate) mod program;
pub(crate) mod sim;
pub(crate) mod sinks;
