//! What may have happened.

use std::any::Any;
use std::fmt;

use topstep_model::rest::{CancelOrder, CloseContract, ModifyOrder, PartialCloseContract, PlaceOrder};
use topstep_model::{AccountId, ContractId, Order, OrderId, Position};

use crate::moment::Moment;

/// A call that changes something was sent, and no answer told what became of it: none came, or one that says "pending" or "unknown error".
///
/// Neither `Debug` nor `Display` tells an account, an order or a contract.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OutcomeUnknown {
    /// What to look at; `None` of a call that this version has no words for.
    pub what: Option<Mutation>,
    /// When it was sent.
    pub sent_at: Moment,
    /// Why there is no answer; it names host and port at most, or the venue's code in words.
    pub reason: String,
}

/// What was asked for.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mutation {
    /// An order was to be placed.
    Place {
        /// The account.
        account: AccountId,
        /// The order's tag, by which it can be found.
        tag: String,
    },
    /// An order was to be changed.
    Modify {
        /// The account.
        account: AccountId,
        /// The order.
        order: OrderId,
    },
    /// An order was to be cancelled.
    Cancel {
        /// The account.
        account: AccountId,
        /// The order.
        order: OrderId,
    },
    /// A position, or a part of it, was to be closed.
    Close {
        /// The account.
        account: AccountId,
        /// The contract.
        contract: ContractId,
        /// How many contracts of it; `None`: all.
        size: Option<i32>,
    },
}

/// What could be found out about an [`OutcomeUnknown`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Settled {
    /// The order was placed, and this is its id. What has become of it since, its own search tells.
    Placed(OrderId),
    /// The order was made, and rejected.
    Rejected(OrderId),
    /// The venue has no order of that tag so far. It may still come: ask again.
    NotFoundYet,
    /// The order that was to be changed or cancelled, as it is now.
    Order(Box<Order>),
    /// The position that was to be closed, as it is now; `None`: the account is flat in that contract.
    Position(Option<Box<Position>>),
    /// Nothing could be found out: the venue did not answer, or not fully.
    Unknown,
}

impl Mutation {
    /// What a request is about.
    pub(crate) fn of(request: &dyn Any) -> Option<Self> {
        if let Some(order) = request.downcast_ref::<PlaceOrder>() {
            let tag = order.custom_tag.clone()?;
            return Some(Self::Place { account: order.account_id, tag });
        }
        if let Some(modify) = request.downcast_ref::<ModifyOrder>() {
            return Some(Self::Modify { account: modify.account_id, order: modify.order_id });
        }
        if let Some(cancel) = request.downcast_ref::<CancelOrder>() {
            return Some(Self::Cancel { account: cancel.account_id, order: cancel.order_id });
        }
        if let Some(close) = request.downcast_ref::<CloseContract>() {
            return Some(Self::Close { account: close.account_id, contract: close.contract_id.clone(), size: None });
        }
        let close = request.downcast_ref::<PartialCloseContract>()?;
        let (contract, size) = (close.contract_id.clone(), Some(close.size));
        Some(Self::Close { account: close.account_id, contract, size })
    }

    /// What it is, as one word in lower case.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Place { .. } => "place",
            Self::Modify { .. } => "modify",
            Self::Cancel { .. } => "cancel",
            Self::Close { .. } => "close",
        }
    }
}

impl OutcomeUnknown {
    /// The tag of the order that may have been placed.
    pub fn tag(&self) -> Option<&str> {
        match &self.what {
            Some(Mutation::Place { tag, .. }) => Some(tag),
            _ => None,
        }
    }
}

impl fmt::Display for OutcomeUnknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = self.what.as_ref().map_or("call", Mutation::as_str);
        write!(f, "the outcome of this {what} is unknown: {}", self.reason)
    }
}

impl std::error::Error for OutcomeUnknown {}

impl fmt::Debug for OutcomeUnknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutcomeUnknown").field("what", &self.what).field("reason", &self.reason).finish_non_exhaustive()
    }
}

impl fmt::Debug for Mutation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
