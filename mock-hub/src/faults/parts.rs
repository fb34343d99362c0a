//! The settings that several faults share.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::span;

/// How a socket ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum DropHow {
    /// A reset (RST): what was on its way is gone. The default.
    #[default]
    Reset,
    /// An orderly end (FIN), both ways at once.
    Fin,
    /// The hub ends its own half (FIN) and goes on reading; what it writes from then on goes nowhere.
    HalfClose,
}

/// Which way bytes go, seen from the hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Direction {
    /// From the client to the hub.
    In,
    /// From the hub to the client.
    Out,
    /// Both.
    Both,
}

impl Direction {
    pub(crate) fn outward() -> Self {
        Self::Out
    }

    pub(crate) fn is_in(self) -> bool {
        self != Self::Out
    }

    pub(crate) fn is_out(self) -> bool {
        self != Self::In
    }
}

/// What follows a Close record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum AfterClose {
    /// A WebSocket close with 1000, as ASP.NET Core does. The default.
    #[default]
    WebsocketClose,
    /// The end of the socket (FIN).
    Fin,
    /// Nothing: the connection goes on as if it had not been said.
    Nothing,
}

/// What follows a truncated record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum AfterTruncation {
    /// The end of the socket (FIN). The default.
    #[default]
    Fin,
    /// The next record, right behind.
    Nothing,
}

/// When a REST fault strikes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Moment {
    /// Before the call takes effect. The default.
    #[default]
    Before,
    /// After it took effect.
    After,
}

/// A `Retry-After` header, in either of its forms (RFC 9110, 10.2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum RetryAfter {
    /// A number of seconds.
    Seconds(u64),
    /// An HTTP date this long after the answer, to the second.
    Date(#[serde(with = "span")] Duration),
}
