//! The best prices of a contract, and what changed of them.

use crate::row::{Decode, row};
use crate::{ContractId, Price, SymbolId, Text, Timestamp};

use super::MarketRow;

row! {
    /// What the market hub's `GatewayQuote` says of a contract; the contract itself is the event's first argument.
    ///
    /// The first quote after a subscription is nearly complete, later ones hold what changed. A member that is absent or
    /// `null` therefore means "no news", never zero. Members that are not listed here are ignored; where one comes twice,
    /// the last counts. A number in quotes is a number.
    pub struct Quote, "quote", "a quote" {
        /// The root, such as `F.US.MNQ`, which several contracts share.
        optional "symbol" symbol: SymbolId,
        /// The exchange's name of the root, such as `/MNQ`; usually absent.
        optional "symbolName" symbol_name: Text,
        /// The price of the last trade.
        optional "lastPrice" last_price: Price,
        /// The highest price that somebody offers to buy at.
        optional "bestBid" best_bid: Price,
        /// The lowest price that somebody offers to sell at.
        optional "bestAsk" best_ask: Price,
        /// How far the last price is from the previous session's close.
        optional "change" change: Price,
        /// The same in relation to the close, as the venue gives it.
        optional "changePercent" change_percent: Price,
        /// The session's first price.
        optional "open" open: Price,
        /// The session's highest price.
        optional "high" high: Price,
        /// The session's lowest price.
        optional "low" low: Price,
        /// How many contracts were traded in the session.
        optional "volume" volume: i64,
        /// When the venue last changed this quote; this is the one that moves with every event.
        optional "lastUpdated" last_updated: Timestamp,
        /// The venue's other time; it may stand still from the session's close on.
        optional "timestamp" timestamp: Timestamp,
        /// The contract once more: its id, or a short name such as `MNQM6`. Not documented by the venue.
        optional "contract" contract: Text,
    }
    find find;
}

impl Default for Quote {
    /// A quote without any news.
    fn default() -> Self {
        Self::blank()
    }
}

impl MarketRow for Quote {
    fn own_contract(&self) -> Option<ContractId> {
        let contract = self.contract.as_ref()?.as_str();
        // A short name is no contract's id.
        contract.starts_with("CON.").then(|| ContractId::new(contract))
    }
}

/// By length first: no length has more than three names.
#[inline(always)]
fn find(name: &str) -> Option<Tag> {
    match name.len() {
        3 if name == "low" => Some(Tag::low),
        4 if name == "open" => Some(Tag::open),
        4 if name == "high" => Some(Tag::high),
        6 if name == "symbol" => Some(Tag::symbol),
        6 if name == "change" => Some(Tag::change),
        6 if name == "volume" => Some(Tag::volume),
        7 if name == "bestBid" => Some(Tag::best_bid),
        7 if name == "bestAsk" => Some(Tag::best_ask),
        8 if name == "contract" => Some(Tag::contract),
        9 if name == "lastPrice" => Some(Tag::last_price),
        9 if name == "timestamp" => Some(Tag::timestamp),
        10 if name == "symbolName" => Some(Tag::symbol_name),
        11 if name == "lastUpdated" => Some(Tag::last_updated),
        13 if name == "changePercent" => Some(Tag::change_percent),
        _ => None,
    }
}
