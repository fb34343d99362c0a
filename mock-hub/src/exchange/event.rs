//! What the user hub publishes.

use std::sync::Arc;

use time::OffsetDateTime;

use super::account::Account;
use super::json::Form;
use super::order::Order;
use super::position::Position;
use super::trade::Trade;

/// The action code of something new; trades carry it.
pub const ACTION_CREATE: i32 = 0;
/// The action code of a change; accounts, orders and open positions carry it, on their first event too.
pub const ACTION_UPDATE: i32 = 1;
/// The action code of something gone; a closed position carries it.
pub const ACTION_DELETE: i32 = 2;

/// Which of the four user events it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `GatewayUserAccount`.
    Account,
    /// `GatewayUserOrder`.
    Order,
    /// `GatewayUserPosition`.
    Position,
    /// `GatewayUserTrade`.
    Trade,
}

impl Kind {
    /// The target on the user hub.
    pub const fn target(self) -> &'static str {
        match self {
            Self::Account => "GatewayUserAccount",
            Self::Order => "GatewayUserOrder",
            Self::Position => "GatewayUserPosition",
            Self::Trade => "GatewayUserTrade",
        }
    }
}

/// What an event is about, as it stood at that moment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Value {
    /// An account.
    Account(Account),
    /// An order.
    Order(Order),
    /// A position.
    Position(Position),
    /// A trade.
    Trade(Trade),
}

impl Value {
    /// The object as the user hub sends it: what is null is left out.
    pub fn stream_json(&self) -> String {
        self.json(Form::Stream)
    }

    /// The object as a REST answer lists it: explicit nulls, times cut to microseconds.
    pub fn rest_json(&self) -> String {
        self.json(Form::Rest)
    }

    fn json(&self, form: Form) -> String {
        match self {
            Self::Account(account) => account.json(form),
            Self::Order(order) => order.json(form),
            Self::Position(position) => position.json(form),
            Self::Trade(trade) => trade.json(form),
        }
    }
}

macro_rules! forms {
    ($($type:ident),*) => {$(
        impl $type {
            /// The object as the user hub sends it: what is null is left out.
            pub fn stream_json(&self) -> String {
                self.json(Form::Stream)
            }

            /// The object as a REST answer lists it: explicit nulls, times cut to microseconds.
            pub fn rest_json(&self) -> String {
                self.json(Form::Rest)
            }
        }
    )*};
}
forms!(Account, Order, Position, Trade);

/// One event of the user hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserEvent {
    /// Whose account it is.
    pub user: Arc<str>,
    /// The account.
    pub account_id: i32,
    /// Which of the four events it is.
    pub kind: Kind,
    /// [`ACTION_CREATE`], [`ACTION_UPDATE`] or [`ACTION_DELETE`], as captured for its kind.
    pub action: i32,
    /// When it happened.
    pub at: OffsetDateTime,
    /// What it is about.
    pub value: Value,
}

impl UserEvent {
    /// The event's argument as the venue sends it: `{"action":1,"data":{...}}`.
    pub fn envelope(&self) -> String {
        format!("{{\"action\":{},\"data\":{}}}", self.action, self.value.stream_json())
    }
}
