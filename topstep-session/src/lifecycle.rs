//! The life of a session's connection, in the words of SignalR.

use std::time::Duration;

use adapter_core::{Cause, DisconnectReason};

/// What happens to the connection of one hub, in order.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Lifecycle {
    /// Connected, for the first time since a start.
    Connected,
    /// Lost; it is tried again. Once an outage.
    Reconnecting(Ending),
    /// Another attempt follows.
    Waiting {
        /// Counts from 1 in an outage.
        attempt: u32,
        /// How long, from now on.
        delay: Duration,
        /// Why the last attempt failed, or the connection was lost.
        why: Ending,
    },
    /// Connected again; what was subscribed is asked for anew.
    Reconnected,
    /// The hub has answered for every subscription, well or not.
    Restored,
    /// The transport is gone, but the hub keeps the connection for now (stateful reconnect).
    Interrupted(Ending),
    /// The connection goes on; nothing was missed.
    Resumed,
    /// It is over, and the connection itself tries no more. The session may: see [`SessionEvent`](crate::SessionEvent).
    Disconnected(Ending),
}

impl Lifecycle {
    /// The event as one word in lower case.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::Reconnecting(_) => "reconnecting",
            Self::Waiting { .. } => "waiting",
            Self::Reconnected => "reconnected",
            Self::Restored => "restored",
            Self::Interrupted(_) => "interrupted",
            Self::Resumed => "resumed",
            Self::Disconnected(_) => "disconnected",
        }
    }

    /// Why, where there is a why.
    pub fn ending(&self) -> Option<&Ending> {
        match self {
            Self::Reconnecting(why) | Self::Waiting { why, .. } | Self::Interrupted(why) | Self::Disconnected(why) => {
                Some(why)
            }
            Self::Connected | Self::Reconnected | Self::Restored | Self::Resumed => None,
        }
    }
}

/// Why a connection ended, or could not be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// The kind of end.
    pub cause: Cause,
    /// The same in words, for a person. It holds no token and no payload.
    pub explanation: String,
    /// Whether trying again can help.
    pub may_retry: bool,
}

impl From<&DisconnectReason> for Ending {
    fn from(reason: &DisconnectReason) -> Self {
        Self { cause: reason.cause(), explanation: reason.explain().to_owned(), may_retry: reason.may_retry() }
    }
}
