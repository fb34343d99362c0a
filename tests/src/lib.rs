//! What the integration tests share: both runtimes, waiting with a deadline, servers to run against.
//!
//! A scenario is a generic async function over [`Runtime`](adapter_core::Runtime). The macro [`scenarios!`] makes two
//! tests of it, `<scenario>::tokio` and `<scenario>::async_std`; [`conformance!`] makes them for each kind of hub.
//! Nothing here sleeps for a time and hopes: it waits for a condition, and fails at a deadline.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic where it stands")]

pub mod capture;
pub mod events;
pub mod gateway;
pub mod http;
pub mod hubs;
pub mod raw;
pub mod records;
pub mod relay;
pub mod scenario;
pub mod scripted;
pub mod tls;
pub mod wait;

pub use adapter_async_std::AsyncStd;
pub use adapter_tokio::Tokio;
