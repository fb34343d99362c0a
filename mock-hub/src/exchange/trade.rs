//! Trades: one row for each half-turn.

use rust_decimal::Decimal;
use time::OffsetDateTime;

use super::json::{Form, Object};
use super::order::Side;
use super::stamp;

/// A half-turn as the venue shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trade {
    /// Its id; the same trade may be sent again under it.
    pub id: i64,
    /// The account it belongs to.
    pub account_id: i32,
    /// The contract.
    pub contract_id: String,
    /// When it happened.
    pub creation: OffsetDateTime,
    /// The price.
    pub price: Decimal,
    /// Gross profit in dollars; `None` on the half-turn that opens.
    pub profit_and_loss: Option<Decimal>,
    /// Exchange fees in dollars, for the whole size.
    pub fees: Decimal,
    /// Commissions in dollars, for the whole size; not part of the fees.
    pub commissions: Decimal,
    /// The side of the order.
    pub side: Side,
    /// Contracts.
    pub size: i32,
    /// Whether the venue took it back.
    pub voided: bool,
    /// The order that traded.
    pub order_id: i64,
}

impl Trade {
    /// What the trade does to the balance while it stands.
    pub fn net(&self) -> Decimal {
        self.profit_and_loss.unwrap_or_default() - self.fees - self.commissions
    }

    /// The stream's members, or REST's: there `profitAndLoss` is null on an opening half-turn, and there are no
    /// commissions, which no REST capture shows.
    pub(super) fn json(&self, form: Form) -> String {
        let time = if form == Form::Stream { stamp::stream } else { stamp::rest };
        Object::new(form)
            .plain("id", self.id)
            .plain("accountId", self.account_id)
            .text("contractId", &self.contract_id)
            .text("creationTimestamp", &time(self.creation))
            .decimal("price", self.price)
            .nullable("profitAndLoss", self.profit_and_loss, Object::decimal)
            .decimal("fees", self.fees)
            .optional("commissions", Some(self.commissions).filter(|_| form == Form::Stream), Object::decimal)
            .plain("side", self.side.code())
            .plain("size", self.size)
            .plain("voided", self.voided)
            .plain("orderId", self.order_id)
            .finish()
    }
}
