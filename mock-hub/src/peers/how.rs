//! A connection as a test sees it, and the ways in which it can end one.

use std::time::Duration;

use crate::connection::Goodbye;

/// How the hub ends a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum How {
    /// The TCP socket is closed without a word (FIN): no Close record, no WebSocket close.
    Tcp,
    /// The TCP socket is reset (RST).
    Reset,
    /// SignalR's goodbye: a Close record, then WebSocket close 1000. With `allow_reconnect` clients reconnect,
    /// without it they stop for good (HubProtocol.md, Close Message Encoding).
    Close {
        /// Whether the record carries `"allowReconnect":true`.
        allow_reconnect: bool,
    },
    /// SignalR's goodbye with the text that ASP.NET Core uses for a failure of its own, and reconnecting allowed.
    CloseWithError,
    /// A WebSocket close with this code and no Close record, as from a proxy.
    WebSocket(u16),
}

/// A connection that has finished its handshake.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ConnectionInfo {
    /// The connection id that the server knows it by.
    pub id: String,
    /// The hub's name as in the path: `market`, `user`, `conformance`, `secure`, `lenient-market`.
    pub hub: &'static str,
    /// Whom the token names, where there was one.
    pub user: Option<String>,
    /// How long it has been connected.
    pub connected_for: Duration,
}

impl From<How> for Goodbye {
    fn from(how: How) -> Self {
        match how {
            How::Tcp => Self::Tcp,
            How::Reset => Self::Reset,
            How::Close { allow_reconnect } => Self::Close { error: None, allow_reconnect },
            How::CloseWithError => Self::failure(None),
            How::WebSocket(code) => Self::WebSocket(code),
        }
    }
}
