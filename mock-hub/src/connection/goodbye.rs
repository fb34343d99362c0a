//! Why and how a connection ends.

use bytes::Bytes;

/// Why a connection ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Goodbye {
    /// A Close record, then WebSocket close 1000.
    Close { error: Option<String>, allow_reconnect: bool },
    /// A last record, then WebSocket close 1000: a handshake that failed.
    Refused(Bytes),
    /// A WebSocket close with this code.
    WebSocket(u16),
    /// The client closed the WebSocket: it gets close 1000, whatever its own code, and no record (seen live).
    Left,
    /// The client's socket is gone.
    Gone,
    /// The socket is closed without a word.
    Tcp,
    /// The socket is reset.
    Reset,
}

impl Goodbye {
    /// The kind of end, in one word.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::Close { error: None, .. } => "closed",
            Self::Close { .. } => "closed-with-error",
            Self::Refused(_) => "handshake-refused",
            Self::WebSocket(_) => "websocket-close",
            Self::Left | Self::Gone => "client-left",
            Self::Tcp => "dropped",
            Self::Reset => "reset",
        }
    }

    /// What ASP.NET Core says after a malformed message, an oversize one, or a client's silence.
    pub(crate) fn failure(detail: Option<&str>) -> Self {
        let error = match detail {
            Some(detail) => format!("Connection closed with an error. {detail}"),
            None => "Connection closed with an error.".to_owned(),
        };
        Self::Close { error: Some(error), allow_reconnect: true }
    }
}
