//! The topics of the market hub.

use crate::market::MarketEvent;

/// What can be subscribed to of a contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Topic {
    Quotes,
    Trades,
    Depth,
}

impl Topic {
    /// The topic of an event.
    pub(super) fn of(event: &MarketEvent) -> Self {
        match event {
            MarketEvent::Quote { .. } => Self::Quotes,
            MarketEvent::Trade { .. } => Self::Trades,
            MarketEvent::Depth { .. } => Self::Depth,
        }
    }

    /// The group of a contract's subscribers.
    pub(crate) fn group(self, contract: &str) -> String {
        let topic = match self {
            Self::Quotes => "quotes",
            Self::Trades => "trades",
            Self::Depth => "depth",
        };
        format!("{topic}/{contract}")
    }

    /// The target of its events.
    pub(super) fn target(self) -> &'static str {
        match self {
            Self::Quotes => "GatewayQuote",
            Self::Trades => "GatewayTrade",
            Self::Depth => "GatewayDepth",
        }
    }
}
