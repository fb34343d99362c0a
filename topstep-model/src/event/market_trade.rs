//! Trades of everybody.

use crate::row::{Decode, row};
use crate::{ContractId, Price, SymbolId, Timestamp, TradeLogType};

use super::MarketRow;

row! {
    /// One trade at the exchange, as `GatewayTrade` tells it.
    ///
    /// The event fires at every print, often several in one array, with equal times at times. The contract is the event's first
    /// argument.
    pub struct MarketTrade, "market trade", "a market trade" {
        /// The contract's product.
        optional "symbolId" symbol_id: SymbolId,
        /// The price.
        required "price" price: Price,
        /// When it was, to the millisecond.
        optional "timestamp" timestamp: Timestamp,
        /// Who took the other's offer.
        required "type" kind: TradeLogType,
        /// How many contracts.
        required "volume" volume: i64,
        /// The contract once more. Not documented by the venue.
        optional "contractId" contract_id: ContractId,
    }
    find find;
}

impl MarketTrade {
    /// Makes a trade of which nothing else is known.
    pub fn new(price: Price, volume: i64, kind: TradeLogType) -> Self {
        Self { price, volume, kind, ..Self::blank() }
    }
}

impl MarketRow for MarketTrade {
    fn own_contract(&self) -> Option<ContractId> {
        self.contract_id.clone()
    }
}

/// No length has more than one name.
#[inline(always)]
fn find(name: &str) -> Option<Tag> {
    match name.len() {
        4 if name == "type" => Some(Tag::kind),
        5 if name == "price" => Some(Tag::price),
        6 if name == "volume" => Some(Tag::volume),
        8 if name == "symbolId" => Some(Tag::symbol_id),
        9 if name == "timestamp" => Some(Tag::timestamp),
        10 if name == "contractId" => Some(Tag::contract_id),
        _ => None,
    }
}
