//! An event of whatever kind.

use crate::decode::{DecodeError, Rows};
use crate::row::{Member, Row, Shown};
use crate::{ContractId, StreamAction};

use super::{
    Account, DepthRow, Logout, MarketEvent, MarketTrade, Order, Position, Quote, Target, UserEvent, UserTrade,
};

/// One row of any event, for whoever takes them all: a recorder, a source that plays events back, a test.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum AnyEvent {
    /// From `GatewayUserAccount`.
    Account(UserEvent<Account>),
    /// From `GatewayUserOrder`.
    Order(UserEvent<Order>),
    /// From `GatewayUserPosition`.
    Position(UserEvent<Position>),
    /// From `GatewayUserTrade`.
    UserTrade(UserEvent<UserTrade>),
    /// From `GatewayQuote`.
    Quote(MarketEvent<Quote>),
    /// From `GatewayTrade`.
    MarketTrade(MarketEvent<MarketTrade>),
    /// From `GatewayDepth`.
    Depth(MarketEvent<DepthRow>),
    /// From `GatewayLogout`.
    Logout(Logout),
}

impl AnyEvent {
    /// Reads the rows of an event from the JSON text of its arguments.
    ///
    /// ```
    /// use topstep_model::{AnyEvent, Target};
    ///
    /// let rows = AnyEvent::decode(Target::UserAccount, r#"[{"action":1,"data":{"id":1,"balance":149848.64}}]"#)?;
    /// let Some(AnyEvent::Account(event)) = rows.values().next() else { panic!("an account") };
    /// assert_eq!(event.value.balance, Some("149848.64".parse()?));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`DecodeError::Arguments`]: the text is no JSON, or the arguments as a whole are none of this event.
    pub fn decode(target: Target, arguments: &str) -> Result<Rows<Self>, DecodeError> {
        Ok(match target {
            Target::UserAccount => Rows::from_json(arguments)?.map(Self::Account),
            Target::UserOrder => Rows::from_json(arguments)?.map(Self::Order),
            Target::UserPosition => Rows::from_json(arguments)?.map(Self::Position),
            Target::UserTrade => Rows::from_json(arguments)?.map(Self::UserTrade),
            Target::Quote => Rows::from_json(arguments)?.map(Self::Quote),
            Target::Trade => Rows::from_json(arguments)?.map(Self::MarketTrade),
            Target::Depth => Rows::from_json(arguments)?.map(Self::Depth),
            Target::Logout => {
                let logout = serde_json::from_str(arguments).map_err(|error| DecodeError::arguments(&error))?;
                let mut rows = Rows::new();
                rows.list().push(Ok(Self::Logout(logout)));
                rows
            }
        })
    }

    /// Writes the arguments of an event with this row alone, in the form that the venue sends: an envelope on the user hub, an
    /// object behind the contract on the market hub.
    ///
    /// A user's row without an action has no envelope.
    pub fn to_arguments(&self) -> String {
        let json = match self {
            Self::Account(event) => serde_json::to_string(&[event]),
            Self::Order(event) => serde_json::to_string(&[event]),
            Self::Position(event) => serde_json::to_string(&[event]),
            Self::UserTrade(event) => serde_json::to_string(&[event]),
            Self::Quote(event) => serde_json::to_string(event),
            Self::MarketTrade(event) => serde_json::to_string(event),
            Self::Depth(event) => serde_json::to_string(event),
            Self::Logout(logout) => serde_json::to_string(logout),
        };
        json.expect("a row is an object with plain members")
    }

    /// The event that it comes from.
    pub const fn target(&self) -> Target {
        match self {
            Self::Account(_) => Target::UserAccount,
            Self::Order(_) => Target::UserOrder,
            Self::Position(_) => Target::UserPosition,
            Self::UserTrade(_) => Target::UserTrade,
            Self::Quote(_) => Target::Quote,
            Self::MarketTrade(_) => Target::Trade,
            Self::Depth(_) => Target::Depth,
            Self::Logout(_) => Target::Logout,
        }
    }

    /// What the envelope of a user's event says.
    pub const fn action(&self) -> Option<StreamAction> {
        match self {
            Self::Account(event) => event.action,
            Self::Order(event) => event.action,
            Self::Position(event) => event.action,
            Self::UserTrade(event) => event.action,
            _ => None,
        }
    }

    /// The contract of a market's event: its first argument.
    pub const fn contract_id(&self) -> Option<&ContractId> {
        match self {
            Self::Quote(event) => Some(&event.contract_id),
            Self::MarketTrade(event) => Some(&event.contract_id),
            Self::Depth(event) => Some(&event.contract_id),
            _ => None,
        }
    }

    /// Shows each member of the row that is there; a logout has none.
    pub fn visit(&self, show: &mut dyn FnMut(&'static Member, Shown<'_>)) {
        match self {
            Self::Account(event) => event.value.visit(show),
            Self::Order(event) => event.value.visit(show),
            Self::Position(event) => event.value.visit(show),
            Self::UserTrade(event) => event.value.visit(show),
            Self::Quote(event) => event.value.visit(show),
            Self::MarketTrade(event) => event.value.visit(show),
            Self::Depth(event) => event.value.visit(show),
            Self::Logout(_) => {}
        }
    }
}
