//! The events of both hubs.

mod account;
mod any;
mod depth;
mod logout;
mod market_trade;
mod order;
mod position;
mod quote;
mod target;
mod user_trade;

use serde::ser::{Serialize, SerializeStruct, SerializeTuple, Serializer};

use crate::decode::Element;
use crate::row::Row;
use crate::{ContractId, StreamAction};

pub use account::Account;
pub use any::AnyEvent;
pub use depth::DepthRow;
pub use logout::Logout;
pub use market_trade::MarketTrade;
pub use order::Order;
pub use position::Position;
pub use quote::Quote;
pub use target::Target;
pub use user_trade::UserTrade;

/// One of the gateway's two hubs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a third hub would be another gateway")]
pub enum Hub {
    /// `/hubs/user`: what happens to the accounts of a user.
    User,
    /// `/hubs/market`: what happens to the prices of contracts.
    Market,
}

impl Hub {
    /// The hub as one word in lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Market => "market",
        }
    }

    /// The path at the gateway's host.
    pub const fn path(self) -> &'static str {
        match self {
            Self::User => "/hubs/user",
            Self::Market => "/hubs/market",
        }
    }
}

/// What the arguments of an event are made of: a [`UserEvent`] or a [`MarketEvent`].
///
/// Nobody else can implement it.
pub trait Event: Element {
    /// The hub that sends it.
    const HUB: Hub;
}

/// A row of an account, order, position or trade of the user's, with what its envelope said.
///
/// On the wire it is `{"action":1,"data":{...}}` since 2025. `Rows<UserEvent<T>>` reads that, and the other shapes that were
/// documented or that clients have met: the row without an envelope, either in an array, with `null` as padding, an object
/// with numbers for names, and `(accountId, data)` as two arguments or as an array of two. Names may begin with a capital.
///
/// It is written as an envelope, or as the bare row where there is no action.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct UserEvent<T> {
    /// What the envelope says; `None` where there was none.
    pub action: Option<StreamAction>,
    /// The row.
    pub value: T,
}

/// A row of market data with the contract that it belongs to, which is the event's first argument.
///
/// On the wire it is `("CON.F.US.EP.U25", data)`, where data is an object or an array of rows. `Rows<MarketEvent<T>>` reads
/// that with `null` as padding and numbers for names, too. Rows without the first argument must name their contract themselves,
/// as trades do.
///
/// It is written as the array of these two arguments.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct MarketEvent<T> {
    /// The contract: the only member that tells two months of a product apart.
    pub contract_id: ContractId,
    /// The row.
    pub value: T,
}

impl<T> UserEvent<T> {
    /// Puts a row into an envelope.
    pub const fn new(action: Option<StreamAction>, value: T) -> Self {
        Self { action, value }
    }
}

impl<T> MarketEvent<T> {
    /// Says which contract a row belongs to.
    pub const fn new(contract_id: ContractId, value: T) -> Self {
        Self { contract_id, value }
    }
}

/// A row of the market's events.
pub trait MarketRow: Row {
    /// The contract that the row itself names, which the venue does not document.
    fn own_contract(&self) -> Option<ContractId>;
}

/// A row of the user's events.
pub trait UserRow: Row {}

impl<T: UserRow> Element for UserEvent<T> {
    type Row = T;

    const MAY_FOLLOW_AN_ID: bool = true;

    #[inline]
    fn blank(_: Option<&ContractId>) -> Self {
        Self { action: None, value: T::blank() }
    }

    #[inline]
    fn row_mut(&mut self) -> &mut T {
        &mut self.value
    }

    fn take_own_contract(&mut self) -> bool {
        true
    }

    fn set_action(&mut self, action: StreamAction) {
        self.action.get_or_insert(action);
    }
}

impl<T: MarketRow> Element for MarketEvent<T> {
    type Row = T;

    const MAY_FOLLOW_AN_ID: bool = false;

    #[inline]
    fn blank(contract: Option<&ContractId>) -> Self {
        Self { contract_id: contract.cloned().unwrap_or_else(|| ContractId::new("")), value: T::blank() }
    }

    #[inline]
    fn row_mut(&mut self) -> &mut T {
        &mut self.value
    }

    fn take_own_contract(&mut self) -> bool {
        let own = self.value.own_contract();
        own.map(|contract| self.contract_id = contract).is_some()
    }

    fn set_action(&mut self, _: StreamAction) {}
}

impl<T: UserRow> Event for UserEvent<T> {
    const HUB: Hub = Hub::User;
}

impl<T: MarketRow> Event for MarketEvent<T> {
    const HUB: Hub = Hub::Market;
}

impl<T: Serialize> Serialize for UserEvent<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some(action) = self.action else { return self.value.serialize(serializer) };
        let mut envelope = serializer.serialize_struct("UserEvent", 2)?;
        envelope.serialize_field("action", &action)?;
        envelope.serialize_field("data", &self.value)?;
        envelope.end()
    }
}

impl<T: Serialize> Serialize for MarketEvent<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut arguments = serializer.serialize_tuple(2)?;
        arguments.serialize_element(&self.contract_id)?;
        arguments.serialize_element(&self.value)?;
        arguments.end()
    }
}
