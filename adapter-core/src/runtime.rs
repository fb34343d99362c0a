//! What a runtime adapter supplies, and nothing more.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_core::Stream;
use futures_sink::Sink;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tungstenite::Message;
use tungstenite::protocol::WebSocketConfig;

/// Names an async runtime and says how it reaches the network, sleeps and spawns.
///
/// A unit type implements it; nobody holds a value. Everything here does one thing once: which address to try, when to give up and what
/// an error means is decided above it, the same way for every runtime.
///
/// Transports and futures are `Send`: the connection's task is spawned by code that does not know the runtime, and such code can only
/// spawn what every runtime promises to be `Send`.
pub trait Runtime: Send + Sync + 'static {
    /// A dialled transport, plain or under TLS.
    type Io: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static;

    /// A WebSocket over a dialled transport.
    type WebSocket: Stream<Item = Result<Message, tungstenite::Error>>
        + Sink<Message, Error = tungstenite::Error>
        + Unpin
        + Send
        + 'static;

    /// Asks for the addresses of a host name, in the order in which they should be tried.
    ///
    /// Asked anew for every attempt; an adapter keeps no answer. `host` is never an address itself.
    fn resolve(host: String, port: u16) -> impl Future<Output = io::Result<Vec<SocketAddr>>> + Send;

    /// Dials one address, with `TCP_NODELAY` on.
    fn connect(address: SocketAddr) -> impl Future<Output = io::Result<Self::Io>> + Send;

    /// Does the TLS handshake over a plain transport, as the client.
    ///
    /// An error of rustls must stay inside the returned error, where `io::Error::get_ref` finds it.
    fn secure(
        io: Self::Io,
        config: Arc<ClientConfig>,
        name: ServerName<'static>,
    ) -> impl Future<Output = io::Result<Self::Io>> + Send;

    /// Begins to speak WebSocket, as the client, over a transport that HTTP has upgraded.
    ///
    /// `read_ahead` holds what arrived together with the answer to the upgrade: the first bytes of the first frames.
    fn websocket(
        io: Self::Io,
        read_ahead: Vec<u8>,
        config: WebSocketConfig,
    ) -> impl Future<Output = Self::WebSocket> + Send;

    /// Waits. The future may be made outside of the runtime, but not polled there.
    fn sleep(duration: Duration) -> impl Future<Output = ()> + Send + 'static;

    /// Runs a task in the background.
    ///
    /// Never panics: where there is no runtime to run it on, the task is dropped and that is the error.
    fn spawn(task: impl Future<Output = ()> + Send + 'static) -> Result<(), SpawnError>;
}

/// Why a task could not be spawned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("cannot spawn a task: {reason}")]
pub struct SpawnError {
    reason: &'static str,
}

impl SpawnError {
    /// A failure in the adapter's words.
    pub fn new(reason: &'static str) -> Self {
        Self { reason }
    }
}
