//! SignalR on async-std.
//!
//! Everything of [`adapter_core`] is here again, with [`AsyncStd`] as the runtime where one must be named.

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
