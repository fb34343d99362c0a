//! A TopstepX gateway to run clients against: REST, hubs, a market and an exchange behind them, and every fault a test
//! needs.
//!
//! [`MockHub`] speaks the protocol as ASP.NET Core 10 does, texts included, for JSON over WebSockets:
//!
//! | path | what it is |
//! |---|---|
//! | `/api/*` | TopstepX's REST: logins, accounts, contracts, bars, orders, positions, trades |
//! | `/hubs/market`, `/hubs/user` | TopstepX's methods and events |
//! | `/hubs/lenient-market` | takes any token, finishes the handshake and closes where the token is bad |
//! | `/hubs/conformance` | one method for each thing the hub protocol can do |
//! | `/hubs/secure` | the same, behind a token |
//! | `/raw/hub`, `/raw/echo` | floods and echoes that cost the sender next to nothing |
//! | `/redirect/{hub}` and others | negotiate answers of every kind |
//! | `/control/*` | what a test in another language does to the hub, and asks of it |
//!
//! Behind the hubs stand a [`market`] and an [`exchange`], brought up to the system's time or to one that a test moves
//! ([`MockHub::advance`]). Every event that is published has a serial in the hub's log ([`MockHub::log`]); what of it a
//! connection was sent, and what is true now, can be asked at any time ([`MockHub::serials`], [`MockHub::truth`]).
//!
//! ```
//! use std::time::Duration;
//!
//! let hub = mock_hub::MockHub::start(mock_hub::Options::default())?;
//! let url = hub.hub_url("market"); // a client connects to this, on any runtime
//! assert!(url.starts_with("http://127.0.0.1:"));
//! assert!(hub.wait_until(Duration::from_secs(1), |hub| hub.connections().is_empty()));
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! A day's trading in a moment:
//!
//! ```
//! use std::time::Duration;
//!
//! use mock_hub::exchange::{OrderType, PlaceOrder, Side};
//! use mock_hub::{Clock, MockHub, Options};
//!
//! let hub = MockHub::start(Options { clock: Clock::Virtual, ..Options::default() })?;
//! let account = hub.accounts(None)[0].id;
//! assert!(hub.place(PlaceOrder::new(account, "CON.F.US.EP.Z26", OrderType::Market, Side::Buy, 1)).is_success());
//! hub.advance(Duration::from_secs(1))?;
//! assert_eq!(hub.truth(None)["positions"][0]["size"], 1);
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! Everything can go wrong: see [`faults`] for one thing at a time, [`scenario`] for a whole bad day in a file. What
//! connections said can be kept and played again: see [`recording`].
//!
//! [`script::ScriptHub`] is the other tool: a server whose every connection a test writes out by hand.
//!
//! Both bind 127.0.0.1 only (unless [`Options::public`] is set) and live on threads of their own, so that tests of any runtime can use them.
//!
//! Known differences from ASP.NET Core: WebSockets are the only transport, JSON the only protocol, a limit of 0 for
//! received records is none (there it refuses every handshake), the body of a POST to a negotiated id is not kept for the
//! WebSocket, and timers go off when they are due, where the real server looks once a second. `tests/differential.rs`
//! sends the same bytes to both and lists what else may differ.

mod calls;
mod changes;
mod client_results;
mod clock;
mod connection;
mod conversation;
pub mod exchange;
pub mod faults;
mod files;
mod flood;
mod gateway;
mod groups;
mod handle;
mod http;
mod hub_thread;
mod hubs;
mod lock;
mod logins;
pub mod market;
mod observe;
mod options;
mod oracle;
mod outbox;
mod peers;
mod protocol;
pub mod recording;
mod rest;
pub mod scenario;
pub mod script;
mod server;
mod tokens;
mod wire;
mod world;
mod writer;

pub use calls::Call;
pub use handle::{Frame, MockHub};
pub use options::{BadToken, Clock, Login, Options};
pub use oracle::{LoggedEvent, SentEvents};
pub use peers::{ConnectionInfo, How};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
