//! The names of the events.

use std::fmt;
use std::str::FromStr;

use crate::decode::DecodeError;
use crate::row::{Member, Row};

use super::{Account, DepthRow, Hub, MarketTrade, Order, Position, Quote, UserTrade};

/// An event of the gateway, by the name that is its target on the hub.
///
/// Names compare by exact case, as the hub protocol's targets do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Target {
    /// `GatewayUserAccount`: an [`Account`].
    UserAccount,
    /// `GatewayUserOrder`: an [`Order`].
    UserOrder,
    /// `GatewayUserPosition`: a [`Position`].
    UserPosition,
    /// `GatewayUserTrade`: a [`UserTrade`].
    UserTrade,
    /// `GatewayQuote`: a [`Quote`].
    Quote,
    /// `GatewayTrade`: a [`MarketTrade`].
    Trade,
    /// `GatewayDepth`: a [`DepthRow`].
    Depth,
    /// `GatewayLogout`: a [`Logout`](crate::Logout), on both hubs.
    Logout,
}

impl Target {
    /// Every event.
    pub const ALL: [Self; 8] = [
        Self::UserAccount,
        Self::UserOrder,
        Self::UserPosition,
        Self::UserTrade,
        Self::Quote,
        Self::Trade,
        Self::Depth,
        Self::Logout,
    ];

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::UserAccount => "GatewayUserAccount",
            Self::UserOrder => "GatewayUserOrder",
            Self::UserPosition => "GatewayUserPosition",
            Self::UserTrade => "GatewayUserTrade",
            Self::Quote => "GatewayQuote",
            Self::Trade => "GatewayTrade",
            Self::Depth => "GatewayDepth",
            Self::Logout => "GatewayLogout",
        }
    }

    /// The hub that sends it; `None` for the one that both send.
    pub const fn hub(self) -> Option<Hub> {
        match self {
            Self::UserAccount | Self::UserOrder | Self::UserPosition | Self::UserTrade => Some(Hub::User),
            Self::Quote | Self::Trade | Self::Depth => Some(Hub::Market),
            Self::Logout => None,
        }
    }

    /// The members of its rows; none for the logout.
    pub const fn members(self) -> &'static [Member] {
        match self {
            Self::UserAccount => Account::MEMBERS,
            Self::UserOrder => Order::MEMBERS,
            Self::UserPosition => Position::MEMBERS,
            Self::UserTrade => UserTrade::MEMBERS,
            Self::Quote => Quote::MEMBERS,
            Self::Trade => MarketTrade::MEMBERS,
            Self::Depth => DepthRow::MEMBERS,
            Self::Logout => &[],
        }
    }

    /// The method that subscribes to it at its hub, the one that ends that, and whether they take an id.
    ///
    /// The id is the account's on the user hub and the contract's on the market hub. Nothing subscribes to a logout.
    pub const fn methods(self) -> Option<(&'static str, &'static str, bool)> {
        match self {
            Self::UserAccount => Some(("SubscribeAccounts", "UnsubscribeAccounts", false)),
            Self::UserOrder => Some(("SubscribeOrders", "UnsubscribeOrders", true)),
            Self::UserPosition => Some(("SubscribePositions", "UnsubscribePositions", true)),
            Self::UserTrade => Some(("SubscribeTrades", "UnsubscribeTrades", true)),
            Self::Quote => Some(("SubscribeContractQuotes", "UnsubscribeContractQuotes", true)),
            Self::Trade => Some(("SubscribeContractTrades", "UnsubscribeContractTrades", true)),
            Self::Depth => Some(("SubscribeContractMarketDepth", "UnsubscribeContractMarketDepth", true)),
            Self::Logout => None,
        }
    }
}

impl FromStr for Target {
    type Err = DecodeError;

    fn from_str(name: &str) -> Result<Self, DecodeError> {
        let mut all = Self::ALL.into_iter();
        all.find(|target| target.name() == name).ok_or_else(|| DecodeError::unknown_target(name))
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
