//! Accounts.

use rust_decimal::Decimal;

use super::json::{Form, Object};

/// What [`Exchange::add_account`](super::Exchange::add_account) is told of a new account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAccount {
    /// The name that people see, such as `PRAC-V2-000000-00000001`.
    pub name: String,
    /// The balance it begins with, in dollars.
    pub balance: Decimal,
    /// Whether orders are routed to a simulation; true on practice and on funded accounts alike.
    pub simulated: bool,
}

impl NewAccount {
    /// A practice account of 150,000 dollars, named as captured.
    pub fn practice() -> Self {
        Self { name: "PRAC-V2-000000-00000001".to_owned(), balance: Decimal::from(150_000), simulated: true }
    }

    /// An evaluation account of 50,000 dollars, named as captured.
    pub fn evaluation() -> Self {
        Self { name: "50KTC-V2-DLL-000000-00000002".to_owned(), balance: Decimal::from(50_000), simulated: true }
    }
}

/// An account as the venue shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its id, from 10,000,001 on.
    pub id: i32,
    /// The name that people see.
    pub name: String,
    /// Dollars, after every fill's profit, fees and commissions.
    pub balance: Decimal,
    /// Whether it takes new orders.
    pub can_trade: bool,
    /// Whether the platform lists it.
    pub is_visible: bool,
    /// Whether orders are routed to a simulation.
    pub simulated: bool,
}

impl Account {
    /// The same members in both forms; none is ever null.
    pub(super) fn json(&self, form: Form) -> String {
        Object::new(form)
            .plain("id", self.id)
            .text("name", &self.name)
            .decimal("balance", self.balance)
            .plain("canTrade", self.can_trade)
            .plain("isVisible", self.is_visible)
            .plain("simulated", self.simulated)
            .finish()
    }
}
