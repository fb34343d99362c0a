//! The machine against a scripted hub, one module per area, on a virtual clock.

#[path = "../support/mod.rs"]
mod support;

mod calls;
mod client_results;
mod closing;
mod codec;
mod feeds;
mod handshake;
mod hostile;
mod laws;
mod liveness;
mod negotiation;
mod pressure;
mod reconnect;
mod resume;
mod retry;
mod streams;
mod subscriptions;
mod ws_connection;
