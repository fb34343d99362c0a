//! Orders.

use crate::row::{Decode, row};
use crate::{AccountId, ContractId, OrderId, OrderSide, OrderStatus, OrderType, Price, SymbolId, Text, Timestamp};

use super::UserRow;

row! {
    /// An order, as `GatewayUserOrder` and the searches of orders tell it.
    ///
    /// The event fires at every change. A market order says pending, then filled; a rejected one says so without a reason,
    /// which stands in the answer to the request only. The children of a bracket begin suspended, without a price, and may
    /// come before their parent (all of this seen on the live hub). An absent member keeps what was known of it.
    pub struct Order, "order", "an order" {
        /// Names the order.
        required "id" id: OrderId,
        /// The account that it belongs to.
        required "accountId" account_id: AccountId,
        /// The contract.
        required "contractId" contract_id: ContractId,
        /// The contract's product.
        optional "symbolId" symbol_id: SymbolId,
        /// When the order was created.
        optional "creationTimestamp" creation_timestamp: Timestamp,
        /// When the order last changed; later states of an order have a later time, or the same.
        optional "updateTimestamp" update_timestamp: Timestamp,
        /// What has become of it.
        required "status" status: OrderStatus,
        /// How it is executed.
        optional "type" kind: OrderType,
        /// Whether it buys or sells.
        optional "side" side: OrderSide,
        /// How many contracts it is for.
        optional "size" size: i32,
        /// The limit, of an order that has one.
        optional "limitPrice" limit_price: Price,
        /// The price that wakes it, of an order that has one.
        optional "stopPrice" stop_price: Price,
        /// How many contracts were filled.
        optional "fillVolume" fill_volume: i32,
        /// The average price of what was filled.
        optional "filledPrice" filled_price: Price,
        /// What the client called the order; unique in its account. Children of a bracket add -SL and -TP.
        optional "customTag" custom_tag: Text,
        /// The order whose bracket this is a child of. Not documented by the venue.
        optional "parentOrderId" parent_order_id: OrderId,
        /// The stop loss beside this take profit; the stop loss does not name its sibling. Not documented by the venue.
        optional "linkedOrderId" linked_order_id: OrderId,
        /// How far a child of a bracket is from the entry, in ticks, with a sign. Not documented by the venue.
        optional "trailDistance" trail_distance: i32,
        /// The same as a difference of prices. Not documented by the venue.
        optional "trailPrice" trail_price: Price,
    }
    alias "orderId" => id;
}

impl Order {
    /// Makes an order of which nothing else is known.
    pub fn new(id: OrderId, account_id: AccountId, contract_id: ContractId, status: OrderStatus) -> Self {
        Self { id, account_id, contract_id, status, ..Self::blank() }
    }
}

impl UserRow for Order {}
