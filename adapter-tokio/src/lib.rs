//! SignalR on tokio.
//!
//! Everything of [`adapter_core`] is here again, with [`Tokio`] as the runtime. Programs for the other adapter differ in one `use`.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use adapter_tokio::{Delivery, HubConnection, RetryPolicy};
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

mod io;
mod runtime;

pub use adapter_core::*;
pub use io::Socket;
pub use runtime::Tokio;

/// A connection to a hub, on tokio.
pub type HubConnection = adapter_core::HubConnection<Tokio>;

/// Builds a [`HubConnection`].
pub type HubConnectionBuilder = adapter_core::HubConnectionBuilder<Tokio>;

/// A handle that does not keep its [`HubConnection`] alive.
pub type WeakHubConnection = adapter_core::WeakHubConnection<Tokio>;

/// Drives one [`HubConnection`] where the application polls it itself.
pub type Driver = adapter_core::Driver<Tokio>;
