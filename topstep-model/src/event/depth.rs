//! Rows of the market's depth.

use crate::row::{Decode, row};
use crate::{ContractId, DomType, Price, SymbolId, Timestamp};

use super::MarketRow;

row! {
    /// One row of a contract's depth, as `GatewayDepth` tells it.
    ///
    /// The event fires at every change, with one row or many; after a subscription the whole book comes in large arrays, first a
    /// reset, with the year 1 for a time. The contract is the event's first argument. A row may come as an array of time, type,
    /// price, volume and current volume.
    ///
    /// What the two volumes mean is not documented; the meanings below are inferred from what clients do.
    pub struct DepthRow, "depth row", "a depth row" {
        /// The price of the level; 0 on some rows.
        required "price" price: Price,
        /// On levels, all that is offered there, 0 taking the level away; on trades and fills, the total traded at the price.
        required "volume" volume: i64,
        /// On trades and fills, the size; 0 is normal on levels.
        optional "currentVolume" current_volume: i64,
        /// What the row says.
        required "type" kind: DomType,
        /// When it was; the year 1 in a snapshot.
        optional "timestamp" timestamp: Timestamp,
        /// The level's place in the book; never seen, but other clients accept it.
        optional "index" index: i64,
        /// The contract's product; never seen, but other clients accept it.
        optional "symbolId" symbol_id: SymbolId,
        /// The contract once more; never seen on these rows.
        optional "contractId" contract_id: ContractId,
    }
    positions timestamp kind price volume current_volume;
    find find;
}

impl DepthRow {
    /// Makes a row of which nothing else is known.
    pub fn new(kind: DomType, price: Price, volume: i64) -> Self {
        Self { kind, price, volume, ..Self::blank() }
    }
}

impl MarketRow for DepthRow {
    fn own_contract(&self) -> Option<ContractId> {
        self.contract_id.clone()
    }
}

/// By length first: no length has more than two names.
#[inline(always)]
fn find(name: &str) -> Option<Tag> {
    match name.len() {
        4 if name == "type" => Some(Tag::kind),
        5 if name == "price" => Some(Tag::price),
        5 if name == "index" => Some(Tag::index),
        6 if name == "volume" => Some(Tag::volume),
        8 if name == "symbolId" => Some(Tag::symbol_id),
        9 if name == "timestamp" => Some(Tag::timestamp),
        10 if name == "contractId" => Some(Tag::contract_id),
        13 if name == "currentVolume" => Some(Tag::current_volume),
        _ => None,
    }
}
