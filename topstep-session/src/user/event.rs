//! What the user machine tells.

use topstep_model::{Account, Order, Position, UserTrade};

use crate::gap::GapNotice;
use crate::update::{Malformed, Told};

/// News of the accounts, in order.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum UserUpdate {
    /// An account, as the stream or REST has it.
    Account(Told<Account>),
    /// An order. From the stream it is the row as it came, where an absent member says nothing.
    Order(Told<Order>),
    /// A position; size 0 says that it is closed.
    Position(Told<Position>),
    /// A trade: each once, and once more when it is voided.
    Trade(Told<UserTrade>),
    /// A gap opened or closed.
    Gap(GapNotice),
    /// Something came that cannot be read. A gap follows.
    Malformed(Malformed),
}
