//! Accounts.

use crate::row::row;
use crate::{AccountId, Price, Text};

use super::UserRow;

row! {
    /// A trading account, as `GatewayUserAccount` and `Account/search` tell it.
    ///
    /// The event fires when the balance changes; two to four identical copies after one fill are normal (seen on the live
    /// hub). An absent member keeps what was known of it.
    pub struct Account, "account", "an account" {
        /// Names the account.
        required "id" id: AccountId,
        /// What the platform shows, such as `50KTC-V2-000000-00000002`.
        optional "name" name: Text,
        /// The balance in US dollars.
        optional "balance" balance: Price,
        /// Whether orders can be placed.
        optional "canTrade" can_trade: bool,
        /// Whether the platform shows the account.
        optional "isVisible" is_visible: bool,
        /// Whether orders are executed in a simulation; true for practice and for funded simulated accounts.
        optional "simulated" simulated: bool,
    }
}

impl Account {
    /// Makes an account of which nothing else is known.
    pub fn new(id: AccountId) -> Self {
        Self { id, name: None, balance: None, can_trade: None, is_visible: None, simulated: None }
    }
}

impl UserRow for Account {}
