//! Positions: what an account holds of a contract.

use rust_decimal::Decimal;
use time::OffsetDateTime;

use super::json::{Form, Object};
use super::stamp;

/// Whether a position gains when prices rise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PositionType {
    /// 0: nothing is held any more.
    Flat,
    /// 1: bought.
    Long,
    /// 2: sold.
    Short,
}

impl PositionType {
    /// The number on the wire.
    pub const fn code(self) -> i32 {
        match self {
            Self::Flat => 0,
            Self::Long => 1,
            Self::Short => 2,
        }
    }
}

/// A position as the venue shows it: one row for each contract of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// Its id, the same from opening to close.
    pub id: i32,
    /// The account it belongs to.
    pub account_id: i32,
    /// The contract.
    pub contract_id: String,
    /// The contract's name for people, with a year of two digits: `MNQZ26`.
    pub contract_display_name: String,
    /// When it was opened.
    pub creation: OffsetDateTime,
    /// Long, short, or flat on its last event.
    pub position_type: PositionType,
    /// Contracts held, never negative.
    pub size: i32,
    /// The average price of what is held, which may be finer than a tick; kept on the last event.
    pub average_price: Decimal,
}

impl Position {
    /// The same members in both forms; REST cuts the time to microseconds.
    pub(super) fn json(&self, form: Form) -> String {
        let time = if form == Form::Stream { stamp::stream } else { stamp::rest };
        Object::new(form)
            .plain("id", self.id)
            .plain("accountId", self.account_id)
            .text("contractId", &self.contract_id)
            .text("contractDisplayName", &self.contract_display_name)
            .text("creationTimestamp", &time(self.creation))
            .plain("type", self.position_type.code())
            .plain("size", self.size)
            .decimal("averagePrice", self.average_price)
            .finish()
    }
}
