//! What can go wrong, one type per culprit.

use std::fmt;
use std::time::Duration;

use crate::retry::FailureClass;
use crate::url::UrlError;

/// You built it wrong: the configuration cannot work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The hub's URL is none.
    #[error("the hub's URL {0}")]
    Url(#[from] UrlError),
    /// A token would cross the network in the clear.
    #[error("a token is not sent over plain http to `{host}`: use https, a loopback host, or `allow_insecure_token`")]
    InsecureToken {
        /// The host it would have gone to.
        host: String,
    },
    /// A header's name or value is not allowed in HTTP.
    #[error("the header `{name}` is not allowed in HTTP")]
    Header {
        /// Its name.
        name: String,
    },
    /// An option has a value outside of its range.
    #[error("the option `{option}` {problem}")]
    Option {
        /// The option's name.
        option: &'static str,
        /// What is wrong with its value.
        problem: String,
    },
    /// There is no runtime to run the connection on.
    #[error("no runtime: {0}")]
    NoRuntime(String),
}

/// Not now: the command does not fit the state the connection is in, or a limit. Nothing was done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// The connection is disconnected, or about to be.
    #[error("the connection is not active")]
    NotActive,
    /// `start` while it is connected, reconnecting or stopping.
    #[error("the connection cannot be started while it is {0}")]
    NotDisconnected(crate::State),
    /// More durable subscriptions than the configured limit.
    #[error("more than {0} subscriptions")]
    TooManySubscriptions(usize),
    /// Nobody subscribed with this key.
    #[error("there is no such subscription")]
    NotSubscribed,
    /// A text that should be JSON is none, or holds the byte that ends records.
    #[error("{0}")]
    Invalid(String),
}

/// The hub's method failed: the text that the hub sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct HubError {
    /// The hub's own words, cut at 1,024 characters, control characters escaped.
    pub message: String,
}

impl HubError {
    pub(crate) fn new(text: &str) -> Self {
        Self { message: printable(text, 1024) }
    }
}

/// Why a call was never written: not one byte of it left.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotSent {
    /// The connection is being set up, or set up again.
    #[error("not sent: the connection is {0}")]
    NotConnected(crate::State),
    /// Its deadline passed while it waited for room.
    #[error("not sent: the deadline passed before there was room to send it")]
    Deadline,
    /// The connection was lost first.
    #[error("not sent: the connection ended first ({0})")]
    Disconnected(DisconnectReason),
    /// The caller lost interest first.
    #[error("not sent: cancelled first")]
    Cancelled,
}

/// Why nobody can tell whether a call that was sent had its effect.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OutcomeUnknown {
    /// Its deadline passed before the hub answered.
    #[error("outcome unknown: the hub did not answer within the deadline")]
    Deadline,
    /// The connection was lost before the hub answered.
    #[error("outcome unknown: the connection ended before the hub answered ({0})")]
    Disconnected(DisconnectReason),
    /// The caller lost interest before the hub answered.
    #[error("outcome unknown: cancelled before the hub answered")]
    Cancelled,
}

/// Why a link ended or could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct DisconnectReason {
    cause: Cause,
    class: FailureClass,
    message: String,
    may_retry: bool,
    pub(crate) retry_after: Option<Duration>,
}

impl DisconnectReason {
    pub(crate) fn new(cause: Cause, message: impl Into<String>) -> Self {
        let class = FailureClass::of(cause);
        Self { cause, class, message: message.into(), may_retry: cause != Cause::Stopped, retry_after: None }
    }

    pub(crate) fn with_class(self, class: FailureClass) -> Self {
        Self { class, ..self }
    }

    pub(crate) fn terminal(mut self) -> Self {
        self.may_retry = false;
        self
    }

    pub(crate) fn stopped() -> Self {
        Self::new(Cause::Stopped, "the connection was stopped")
    }

    /// The kind of end.
    pub fn cause(&self) -> Cause {
        self.cause
    }

    /// How a policy reacts to it.
    pub fn class(&self) -> FailureClass {
        self.class
    }

    /// The same in words, for a person. Holds no token and no payload.
    pub fn explain(&self) -> &str {
        &self.message
    }

    /// Whether trying again can help: not after a stop, a refused login, or a hub's goodbye for good.
    pub fn may_retry(&self) -> bool {
        self.may_retry
    }

    /// The wait that the server asked for (`Retry-After`).
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
}

/// The kinds of [`DisconnectReason`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// We asked for it.
    Stopped,
    /// The hub said goodbye with a Close record.
    ClosedByHub,
    /// The transport ended, with or without a WebSocket close.
    Lost,
    /// Nothing was heard from the hub for the server timeout, or twice over no answer to a subscription that it was to restore.
    ServerTimeout,
    /// The hub did not answer the handshake in time.
    HandshakeTimeout,
    /// A negotiation or a dial with its upgrade got no answer in time.
    ConnectTimeout,
    /// The hub refused the handshake.
    HandshakeRejected,
    /// The peer broke the hub protocol, or WebSocket's.
    ProtocolViolation,
    /// The answer to a negotiation was none, or held an error.
    Negotiation,
    /// A negotiation or an upgrade was answered with an HTTP status that is no success.
    HttpStatus,
    /// 401 or 403, or no token could be had.
    Unauthorized,
    /// Nobody listens there, or the name is unknown.
    Refused,
    /// TLS could not be set up.
    Tls,
    /// This side could not send.
    Local,
    /// A record was longer than `max_record_bytes`.
    Oversize,
}

impl Cause {
    /// The cause as one word in snake case, for logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::ClosedByHub => "closed_by_hub",
            Self::Lost => "lost",
            Self::ServerTimeout => "server_timeout",
            Self::HandshakeTimeout => "handshake_timeout",
            Self::ConnectTimeout => "connect_timeout",
            Self::HandshakeRejected => "handshake_rejected",
            Self::ProtocolViolation => "protocol_violation",
            Self::Negotiation => "negotiation",
            Self::HttpStatus => "http_status",
            Self::Unauthorized => "unauthorized",
            Self::Refused => "refused",
            Self::Tls => "tls",
            Self::Local => "local",
            Self::Oversize => "oversize",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What the peer did wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ProtocolViolation {
    message: String,
}

impl ProtocolViolation {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into() }
    }

    /// What it was, in words; what is quoted of the peer is cut and escaped.
    pub fn message(&self) -> &str {
        &self.message
    }
}

/// A peer's text made fit for a log: at most so many characters, control characters and direction marks escaped.
pub(crate) fn printable(text: &str, limit: usize) -> String {
    let mut out = String::with_capacity(text.len().min(limit + 8));
    for (count, character) in text.chars().enumerate() {
        if count == limit {
            out.push('…');
            break;
        }
        // Direction marks turn a log line around: U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069.
        let is_direction =
            matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if character.is_control() || is_direction {
            out.extend(character.escape_unicode());
        } else {
            out.push(character);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peers_text_cannot_break_a_log() {
        assert_eq!(printable("a\r\n\u{1b}[31m\u{202e}é", 100), "a\\u{d}\\u{a}\\u{1b}[31m\\u{202e}é");
        assert_eq!(printable("abcdef", 3), "abc…");
        assert_eq!(printable("abc", 3), "abc");
    }
}
