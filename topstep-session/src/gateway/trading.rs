//! Changing things at the venue. Nothing here is sent twice.

use std::time::Duration;

use adapter_core::Runtime;
use topstep_model::rest::{CancelOrder, CloseContract, ModifyOrder, PartialCloseContract, PlaceOrder};
use topstep_model::{
    AccountId, CancelErrorCode, CloseErrorCode, ContractId, ModifyErrorCode, OrderId, PartialCloseErrorCode,
    PlaceErrorCode,
};

use super::Gateway;
use crate::budget::Priority;
use crate::rest::CallError;

impl<R: Runtime> Gateway<R> {
    /// Places an order, and returns its id.
    ///
    /// It leaves within the gateway's [`deadline`](crate::GatewayBuilder::deadline) or not at all: it may wait that long for a token and for its
    /// turn in the rate budget. Where an order that late is worth nothing, use [`place_within`](Self::place_within).
    ///
    /// An order without a tag is given one that no other has, so that it can be found when no answer comes. A tag of your own must be new to
    /// the account: the venue refuses one that it has seen. A refusal may name an order: it was made, and rejected at once.
    ///
    /// # Errors
    ///
    /// [`CallError::OutcomeUnknown`]: the order may stand; [`settle`](Self::settle) looks its tag up. After any other error it does not.
    pub async fn place(&self, order: PlaceOrder) -> Result<OrderId, CallError<PlaceErrorCode>> {
        self.place_within(order, self.config().deadline()).await
    }

    /// The same for an order that is worth nothing later: it leaves within this time or not at all ([`CallError::NotSent`]). Its answer is waited
    /// for as long as that of any other.
    ///
    /// # Errors
    ///
    /// As of [`place`](Self::place).
    pub async fn place_within(
        &self,
        mut order: PlaceOrder,
        within: Duration,
    ) -> Result<OrderId, CallError<PlaceErrorCode>> {
        order.custom_tag.get_or_insert_with(|| self.inner.tags.next());
        self.call_within(&order, Priority::Order, within).await.map(|placed| placed.order_id)
    }

    /// Changes a working order. The answer says that the venue took the change, not that the order has it already.
    pub async fn modify(&self, change: ModifyOrder) -> Result<(), CallError<ModifyErrorCode>> {
        self.call(&change, Priority::Order).await.map(|_| ())
    }

    /// Cancels a working order; it is an exit, and may use all of the rate budget.
    pub async fn cancel(&self, account: AccountId, order: OrderId) -> Result<(), CallError<CancelErrorCode>> {
        self.call(&CancelOrder::new(account, order), Priority::Exit).await.map(|_| ())
    }

    /// Closes all of a position at the market; it is an exit. The answer names no order.
    pub async fn close_position(
        &self,
        account: AccountId,
        contract: impl Into<ContractId> + Send,
    ) -> Result<(), CallError<CloseErrorCode>> {
        self.call(&CloseContract::new(account, contract.into()), Priority::Exit).await.map(|_| ())
    }

    /// Closes so many contracts of a position at the market; it is an exit. The answer names no order.
    pub async fn close_part(
        &self,
        account: AccountId,
        contract: impl Into<ContractId> + Send,
        size: i32,
    ) -> Result<(), CallError<PartialCloseErrorCode>> {
        self.call(&PartialCloseContract::new(account, contract.into(), size), Priority::Exit).await.map(|_| ())
    }
}
