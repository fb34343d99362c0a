//! The driver loop and the handle that every runtime adapter of the SignalR client shares.
//!
//! Applications use an adapter (`adapter-tokio`, `adapter-async-std`), which re-exports everything here for its runtime; libraries that should
//! work on either are generic over [`Runtime`].
//!
//! A connection is a machine of `signalr-proto` behind a lock. Its handles ([`HubConnection`] and the streams made from it) put commands in
//! and see the true state at once; its one [`Driver`] moves bytes between the machine and a WebSocket, and nothing else. `build` runs the
//! driver in the background; `build_with_driver` leaves it to whoever counts microseconds.
//!
//! # What to rely on
//!
//! * A call ends in exactly one way: its result, or one of [`CallError`]. Nothing that may have been sent is sent again.
//! * Between two events of an [`On`] either nothing was lost, or a [`Delivery::Gap`] stands there.
//! * A [`Subscription`] is a wish: it outlives outages, `stop` and `start`, and ends with `unsubscribe`.
//! * Everything is bounded: see [`HubConnectionBuilder`] for the limits and [`QueueRule`] for what a slow consumer gets.
//! * A handler that panics answers the hub with an error, and nothing else happens. A panic in a type's `Deserialize` or in a token provider
//!   ends the driver: every call ends with the outcome that is true of it, and the connection cannot be started again.
//! * No token is in any log, error or `Debug` of these crates. The payloads themselves are in tungstenite's TRACE output, when somebody
//!   switches that on.

mod arguments;
mod builder;
mod call;
mod connection;
#[doc(hidden)]
pub mod dial;
mod driver;
mod events;
mod handler;
mod http_client;
mod hub_stream;
mod on;
pub mod queue;
mod runtime;
mod shared;
mod subscription;
mod token;
mod upload;

pub use arguments::read as read_arguments;
pub use builder::HubConnectionBuilder;
pub use call::{Call, CallError};
pub use connection::{HubConnection, Transport, WeakHubConnection};
pub use dial::{NoTrustRoots, Proxy, ProxyError, tls_config_with_roots};
pub use driver::Driver;
pub use events::Events;
pub use handler::Registration;
pub use http_client::{HttpAnswer, HttpCall, HttpClient, HttpClientBuilder, HttpError};
pub use hub_stream::{HubStream, StreamError};
pub use on::On;
pub use queue::{Delivery, QueueRule};
pub use runtime::{Runtime, SpawnError};
pub use subscription::{Subscription, SubscriptionMethods};
pub use token::TokenRequest;

pub use signalr_proto::error::{
    Cause, ConfigError, DisconnectReason, HubError, NotSent, OutcomeUnknown, ProtocolViolation, Rejection,
};
pub use signalr_proto::io::{IoFailure, IoFailureKind};
pub use signalr_proto::json::DecodeError;
pub use signalr_proto::retry::{
    BreakerConfig, BreakerMetrics, BreakerState, ByClass, Durations, Exponential, FailureClass, RetryContext,
    RetryMetrics, RetryPolicy, SubscriptionCounts, Transitions, WaitReason,
};
pub use signalr_proto::secret::Secret;
pub use signalr_proto::sink::Gap;
pub use signalr_proto::subscription::SubscriptionKey;
pub use signalr_proto::{
    ConnectionId, Counters, Event, StartError, State, SubscribeError, TokenPlacement, UnsubscribeError,
};
