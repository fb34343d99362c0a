//! The driver loop and the handle that every runtime adapter of the SignalR client shares.
//!
//! Applications use an adapter (`adapter-tokio`, `adapter-async-std`), which re-exports everything here for its runtime.

mod arguments;
mod builder;
mod call;
mod connection;
#[doc(hidden)]
pub mod dial;
mod driver;
mod events;
mod handler;
mod hub_stream;
mod on;
mod queue;
mod runtime;
mod shared;
mod subscription;
mod token;
mod upload;

pub use builder::HubConnectionBuilder;
pub use call::{Call, CallError};
pub use connection::{HubConnection, Transport, WeakHubConnection};
pub use dial::{NoTrustRoots, Proxy, ProxyError, tls_config_with_roots};
pub use driver::Driver;
pub use events::Events;
pub use handler::Registration;
pub use hub_stream::{HubStream, StreamError};
pub use on::On;
pub use queue::{Delivery, QueueRule};
pub use runtime::{Runtime, SpawnError};
pub use subscription::{Subscription, SubscriptionMethods};

pub use signalr_proto::error::{Cause, ConfigError, DisconnectReason, HubError, NotSent, OutcomeUnknown, ProtocolViolation, Rejection};
pub use signalr_proto::json::DecodeError;
pub use signalr_proto::retry::{Exponential, RetryContext, RetryPolicy};
pub use signalr_proto::secret::Secret;
pub use signalr_proto::sink::Gap;
pub use signalr_proto::subscription::SubscriptionKey;
pub use signalr_proto::{ConnectionId, Counters, Event, StartError, State, SubscribeError, TokenPlacement, UnsubscribeError};
