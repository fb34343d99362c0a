//! A server that a test writes out by hand: one async closure for each WebSocket, and hooks for the HTTP before it.
//!
//! [`MockHub`](crate::MockHub) behaves as a hub does. [`ScriptHub`] does what it is told and nothing else, which is
//! what tests of faults need: garbage, silence, resets, half a frame, a refusal with `Retry-After`.
//!
//! ```
//! use mock_hub::script::{Answer, Reply, ScriptHub};
//!
//! let hub = ScriptHub::builder()
//!     .on_upgrade(|request| match request.serial {
//!         0 => Reply::from(Answer::new(503).header("Retry-After", "2")),
//!         _ => Reply::Accept,
//!     })
//!     .start(|mut session| async move {
//!         session.handshake().await;
//!         session.send_text("{\"type\":1,\"target\":\"Hello\",\"arguments\":[]}\u{1e}").await;
//!         session.abort();
//!     })?;
//! let url = hub.hub_url("/hubs/any"); // connect a client to it, on any runtime
//! assert!(hub.requests().is_empty());
//! # let _ = url;
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! A script that panics makes the drop of its [`ScriptHub`] panic, so that what it asserts counts.

mod http;
mod hub;
mod server;
mod session;

pub use http::{Answer, Reply, Request};
pub use hub::{Builder, ScriptHub};
pub use session::{Session, SocketMessage};
