//! What kind of failure it was: the class decides how a policy reacts.

use std::fmt;

use crate::error::Cause;

/// How a failure is reacted to. The policies `signalr`, `exponential` and `trading` follow it; tables of delays and `microsoft` do not.
///
/// | class | examples | delay | circuit breaker |
/// |---|---|---|---|
/// | `Lost` | a live connection reset, ended, silent for too long | the first | not counted |
/// | `Refused` | nobody listens, no such name, a status that is no success | the next | counted |
/// | `Timeout` | no answer to a dial, an upgrade, a handshake | the next, from the beginning of the attempt | counted |
/// | `Drain` | a Close with `allowReconnect`, WebSocket close 1001, 1012, 1013 | at random up to 2 s, then the second | not counted |
/// | `Refusal` | a Close without `allowReconnect` | none: the end | |
/// | `Throttled` | 429; 503 with `Retry-After` | the next, at least what was asked for, up to 10 % more | counted |
/// | `Auth` | 401 after a second token | none: the end; the next if only the provider failed | isolated; counted |
/// | `Forbidden` | 403 | none: the end | isolated |
/// | `Tls` | a certificate that is not trusted | 80 s, each time, and critical | opened at once |
/// | `Protocol` | a handshake refused or garbled, an upgrade that is none | the next; the end after three in a row | counted |
/// | `Local` | this side has no network or no socket | 5 s, or a hint | not counted |
/// | `Oversize` | a record over the limit, WebSocket close 1009 | the second | counted |
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FailureClass {
    /// A live connection was lost without a word.
    Lost,
    /// The hub could not be reached, or answered that it does not work.
    Refused,
    /// The hub did not answer in time.
    Timeout,
    /// The hub goes away and says so.
    Drain,
    /// The hub wants no more of this client.
    Refusal,
    /// The hub asks for a pause.
    Throttled,
    /// The hub does not accept the token, or there is none.
    Auth,
    /// The hub knows the token, and it is not enough.
    Forbidden,
    /// The peer could not prove who it is.
    Tls,
    /// The peer does not speak the protocol, or not this version.
    Protocol,
    /// It is this machine's fault.
    Local,
    /// The peer sends more than is accepted.
    Oversize,
}

impl FailureClass {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Lost,
        Self::Refused,
        Self::Timeout,
        Self::Drain,
        Self::Refusal,
        Self::Throttled,
        Self::Auth,
        Self::Forbidden,
        Self::Tls,
        Self::Protocol,
        Self::Local,
        Self::Oversize,
    ];

    /// The class as one word in snake case, for logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Refused => "refused",
            Self::Timeout => "timeout",
            Self::Drain => "drain",
            Self::Refusal => "refusal",
            Self::Throttled => "throttled",
            Self::Auth => "auth",
            Self::Forbidden => "forbidden",
            Self::Tls => "tls",
            Self::Protocol => "protocol",
            Self::Local => "local",
            Self::Oversize => "oversize",
        }
    }

    /// The class of a cause about which nothing more is known.
    pub(crate) fn of(cause: Cause) -> Self {
        match cause {
            Cause::Stopped | Cause::ClosedByHub => Self::Refusal,
            Cause::Lost | Cause::ServerTimeout => Self::Lost,
            Cause::HandshakeTimeout | Cause::ConnectTimeout => Self::Timeout,
            Cause::HandshakeRejected | Cause::ProtocolViolation => Self::Protocol,
            // A maintenance page answers a negotiation with HTML: that passes.
            Cause::Negotiation | Cause::HttpStatus | Cause::Refused => Self::Refused,
            Cause::Unauthorized => Self::Auth,
            Cause::Tls => Self::Tls,
            Cause::Local => Self::Local,
            Cause::Oversize => Self::Oversize,
        }
    }

    /// The class of an HTTP status that is no success.
    pub(crate) fn of_status(status: u16, has_retry_after: bool) -> Self {
        match status {
            401 => Self::Auth,
            403 => Self::Forbidden,
            429 => Self::Throttled,
            503 if has_retry_after => Self::Throttled,
            _ => Self::Refused,
        }
    }

    /// The class of a WebSocket close code (RFC 6455, section 7.4.1, and its registry).
    pub(crate) fn of_close_code(code: Option<u16>) -> Self {
        match code {
            Some(1001 | 1012 | 1013) => Self::Drain,
            Some(1009) => Self::Oversize,
            _ => Self::Lost,
        }
    }
}

impl fmt::Display for FailureClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
