//! What goes between a machine and the world: actions out, inputs in.
//!
//! Everything about one try to reach the server carries its [`AttemptId`], so that a late answer of an older attempt can be told apart and
//! is ignored.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;

use crate::error::Cause;
use crate::secret::Secret;
use crate::url::HubUrl;

/// Names one try to reach the server. Never repeats on one machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttemptId(pub(crate) u64);

impl fmt::Display for AttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// Names one command of the application; its one reply carries the same token.
///
/// Whoever drives the machine chooses it and must not use one twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub u64);

/// What the world must do for the machine.
#[derive(Debug)]
#[non_exhaustive]
pub enum Action {
    /// Ask the access token provider. Answered by [`Input::TokenProvided`].
    ProvideToken {
        /// The attempt that needs the token.
        attempt: AttemptId,
    },
    /// Do one HTTP exchange, following no redirect. Answered by [`Input::Answered`].
    Http {
        /// The attempt that negotiates.
        attempt: AttemptId,
        /// What to send.
        request: HttpRequest,
    },
    /// Dial and upgrade to a WebSocket. Answered by [`Input::Opened`].
    Open {
        /// The attempt that dials.
        attempt: AttemptId,
        /// Where to.
        request: OpenRequest,
    },
    /// Send a WebSocket ping: its pong shows whether the peer is still there. Answered by [`Input::Alive`].
    Probe {
        /// The attempt whose transport is in doubt.
        attempt: AttemptId,
    },
    /// End whatever the attempt still has: a request under way, a dial, an open transport.
    ///
    /// After [`CloseHow::Flush`] the world still tells what it receives, and then [`Input::Closed`]; after [`CloseHow::Abort`] the machine
    /// listens no more.
    Close {
        /// The attempt to end.
        attempt: AttemptId,
        /// Politely or at once.
        how: CloseHow,
        /// Why the machine hangs up.
        cause: Cause,
    },
}

/// How to end a transport.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CloseHow {
    /// Drop it at once.
    Abort,
    /// Send what is queued, then `last`, then a WebSocket close, and wait for the peer's.
    Flush {
        /// Records that stand behind everything queued: the hub protocol's own goodbye.
        last: Bytes,
        /// How long all of it may take; afterwards the transport is dropped.
        timeout: Duration,
    },
}

/// One HTTP request. It has no body: negotiation sends none.
pub struct HttpRequest {
    /// Where to. Its scheme is http or https.
    pub url: HubUrl,
    /// Headers, credentials included (marked as sensitive).
    pub headers: HeaderMap,
    /// The longest body worth reading; a longer one is a failure.
    pub max_body_bytes: usize,
}

impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpRequest").field("url", &self.url).field("headers", &self.headers.len()).finish()
    }
}

/// The answer to an [`HttpRequest`], whatever its status.
#[derive(Clone)]
pub struct HttpResponse {
    /// The status code.
    pub status: u16,
    /// All headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// The wait that a `Retry-After` header asks for; a date in it is counted from the answer's own `Date`.
    pub retry_after: Option<Duration>,
}

impl fmt::Debug for HttpResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpResponse").field("status", &self.status).field("body_bytes", &self.body.len()).finish()
    }
}

/// Where to open a WebSocket.
pub struct OpenRequest {
    /// Where to. Its scheme is http or https (for ws or wss); its query may hold the token.
    pub url: HubUrl,
    /// Headers beside those of the upgrade itself, credentials included (marked as sensitive).
    pub headers: HeaderMap,
    /// The longest WebSocket message to accept, in bytes.
    pub max_message_bytes: usize,
}

impl fmt::Debug for OpenRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenRequest").field("url", &self.url).field("headers", &self.headers.len()).finish()
    }
}

/// Bytes that arrived: the payload of one WebSocket message, borrowed from the transport's buffer.
#[derive(Debug, Clone, Copy)]
pub enum Payload<'a> {
    /// A text message: the transport has checked that it is UTF-8.
    Text(&'a str),
    /// A binary message, or any other run of bytes.
    Binary(&'a [u8]),
}

/// What the world did.
#[derive(Debug)]
#[non_exhaustive]
pub enum Input<'a> {
    /// The access token provider answered. `Ok(None)` means: no token.
    TokenProvided {
        /// The attempt that asked.
        attempt: AttemptId,
        /// The token, or the provider's failure in words that hold no secret.
        token: Result<Option<Secret>, String>,
    },
    /// The HTTP exchange ended.
    Answered {
        /// The attempt that asked.
        attempt: AttemptId,
        /// The answer with any status, or why there is none.
        response: Result<HttpResponse, IoFailure>,
    },
    /// The dial ended.
    Opened {
        /// The attempt that dialled.
        attempt: AttemptId,
        /// Whether a WebSocket is open now.
        result: Result<(), IoFailure>,
    },
    /// A WebSocket message arrived.
    Received {
        /// The attempt whose transport it came from.
        attempt: AttemptId,
        /// Its payload.
        payload: Payload<'a>,
    },
    /// The peer showed a sign of life that holds no payload: a WebSocket ping or pong.
    Alive {
        /// The attempt whose transport it came from.
        attempt: AttemptId,
    },
    /// The transport is gone.
    Closed {
        /// The attempt whose transport it was.
        attempt: AttemptId,
        /// How it went.
        reason: TransportEnd,
    },
    /// A consumer made room in a queue that had been full.
    ConsumerReady,
    /// The process, or the machine under it, slept: the wall clock went on further than the monotone one.
    Suspended,
}

/// How a transport ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransportEnd {
    /// The peer sent a WebSocket close frame.
    Close {
        /// Its code, if it gave one.
        code: Option<u16>,
        /// Its reason, which may be empty.
        reason: String,
    },
    /// The socket failed, or ended without a close frame.
    Failed(IoFailure),
}

/// What an adapter saw when a dial, a request or a transport failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct IoFailure {
    /// What kind of failure.
    pub kind: IoFailureKind,
    /// The same in words. Never holds a token, a query or a body.
    pub message: String,
    /// The wait that a `Retry-After` header asked for.
    pub retry_after: Option<Duration>,
}

impl IoFailure {
    /// A failure without a `Retry-After`.
    pub fn new(kind: IoFailureKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), retry_after: None }
    }
}

/// The kinds of [`IoFailure`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum IoFailureKind {
    /// Nobody listens there, no route leads there, or the name is unknown.
    Refused,
    /// The operating system gave up waiting.
    TimedOut,
    /// TLS could not be set up: an untrusted certificate, a wrong name, no common version.
    Tls,
    /// An upgrade was answered with this HTTP status in place of 101.
    Status(u16),
    /// The answer was no HTTP, no WebSocket, or broke their rules.
    Protocol,
    /// A message was longer than allowed.
    Oversize,
    /// The transport ended or broke.
    Lost,
    /// This side could not send or could not get a socket.
    Local,
}
