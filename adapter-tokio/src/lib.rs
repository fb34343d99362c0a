//! SignalR on tokio.
//!
//! Everything of [`adapter_core`] is here again, with [`Tokio`] as the runtime where one must be named.

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
