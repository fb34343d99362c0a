//! Trades of the user's.

use crate::row::{Decode, row};
use crate::{AccountId, ContractId, OrderId, OrderSide, Price, Timestamp, TradeId};

use super::UserRow;

row! {
    /// One fill of one of the user's orders, as `GatewayUserTrade` and `Trade/search` tell it.
    ///
    /// The event fires at every fill, and may come before the order says filled. The trade that opened a position may be sent
    /// again when it is closed: the id tells (seen on the live hub).
    pub struct UserTrade, "trade", "a trade" {
        /// Names the trade.
        required "id" id: TradeId,
        /// The account that traded.
        required "accountId" account_id: AccountId,
        /// The contract.
        required "contractId" contract_id: ContractId,
        /// When it was.
        optional "creationTimestamp" creation_timestamp: Timestamp,
        /// The price of one contract.
        required "price" price: Price,
        /// What closing brought, in US dollars; absent from a trade that opens.
        optional "profitAndLoss" profit_and_loss: Price,
        /// The exchange's fees in US dollars.
        optional "fees" fees: Price,
        /// The broker's commissions in US dollars, not part of the fees. Not documented by the venue.
        optional "commissions" commissions: Price,
        /// Whether it bought or sold.
        required "side" side: OrderSide,
        /// How many contracts.
        required "size" size: i32,
        /// Whether the exchange took the trade back.
        optional "voided" voided: bool,
        /// The order that was filled.
        required "orderId" order_id: OrderId,
    }
}

impl UserTrade {
    /// Makes a trade of which nothing else is known.
    pub fn new(
        id: TradeId,
        account_id: AccountId,
        contract_id: ContractId,
        order_id: OrderId,
        price: Price,
        size: i32,
        side: OrderSide,
    ) -> Self {
        Self { id, account_id, contract_id, order_id, price, size, side, ..Self::blank() }
    }

    /// Whether the trade opened a position, or more of it: it has no profit and no loss.
    pub const fn is_opening(&self) -> bool {
        self.profit_and_loss.is_none()
    }
}

impl UserRow for UserTrade {}
