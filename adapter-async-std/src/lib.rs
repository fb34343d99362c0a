//! SignalR on async-std.
//!
//! Everything of [`adapter_core`] is here again, with [`AsyncStd`] as the runtime. Programs for the other adapter differ in one `use`.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use adapter_async_std::{Delivery, HubConnection, RetryPolicy};
//! # use futures_util::StreamExt;
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let connection = HubConnection::builder("https://rtc.example.com/hubs/market")
//!     .automatic_reconnect(RetryPolicy::delays([0, 2, 5, 10].map(Duration::from_secs)))
//!     .build()?;
//! let mut quotes = connection.on::<(String, serde_json::Value)>("GatewayQuote");
//! connection.start().await?;
//! connection.subscribe(("SubscribeContractQuotes", "UnsubscribeContractQuotes"), ("CON.F.US.EP.Z26",)).await?;
//! while let Some(delivery) = quotes.next().await {
//!     match delivery {
//!         Delivery::Value((contract, quote)) => println!("{contract}: {quote}"),
//!         Delivery::Gap(gap) => println!("events may have been missed: {}", gap.reason),
//!         other => println!("{other:?}"),
//!     }
//! }
//! # Ok(()) }
//! ```
//!
//! async-std is no longer maintained; this adapter is for programs that run on it already. Its worker threads pass every message from one to
//! another: with `ASYNC_STD_THREAD_COUNT=1` a connection costs half as much CPU.

mod runtime;

pub use adapter_core::*;
pub use runtime::{AsyncStd, Socket};

/// A connection to a hub, on async-std.
pub type HubConnection = adapter_core::HubConnection<AsyncStd>;

/// Builds a [`HubConnection`].
pub type HubConnectionBuilder = adapter_core::HubConnectionBuilder<AsyncStd>;

/// A handle that does not keep its [`HubConnection`] alive.
pub type WeakHubConnection = adapter_core::WeakHubConnection<AsyncStd>;

/// Drives one [`HubConnection`] where the application polls it itself.
pub type Driver = adapter_core::Driver<AsyncStd>;
