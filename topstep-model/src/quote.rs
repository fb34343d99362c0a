//! The best prices of a contract, and what changed of them.

use std::fmt;

use serde::Serialize;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};

use crate::scalar::{FillOption, Whole};
use crate::{Price, SymbolId, Text, Timestamp};

/// What the market hub's `GatewayQuote` says of a contract; the contract itself is the event's first argument.
///
/// The first quote after a subscription is nearly complete, later ones hold what changed. A member that is absent or
/// `null` therefore means "no news", never zero. Members that are not listed here are ignored; where one comes twice,
/// the last counts. A number in quotes is a number.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Quote {
    /// The root, such as `F.US.MNQ`, which several contracts share.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub symbol: Option<SymbolId>,
    /// The exchange's name of the root, such as `/MNQ`; usually absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub symbol_name: Option<Text>,
    /// The price of the last trade.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_price: Option<Price>,
    /// The highest price that somebody offers to buy at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub best_bid: Option<Price>,
    /// The lowest price that somebody offers to sell at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub best_ask: Option<Price>,
    /// How far the last price is from the previous session's close.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<Price>,
    /// The same in relation to the close, as the venue gives it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change_percent: Option<Price>,
    /// The session's first price.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open: Option<Price>,
    /// The session's highest price.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high: Option<Price>,
    /// The session's lowest price.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub low: Option<Price>,
    /// How many contracts were traded in the session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume: Option<i64>,
    /// When the venue last changed this quote; this is the one that moves with every event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_updated: Option<Timestamp>,
    /// The venue's other time; it may stand still from the session's close on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<Timestamp>,
    /// The contract once more: its id, or a short name such as `MNQM6`. Not documented by the venue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contract: Option<Text>,
}

impl<'de> Deserialize<'de> for Quote {
    #[inline]
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_struct("Quote", NAMES, QuoteVisitor)
    }
}

/// The names on the wire, for formats that want to know them beforehand.
const NAMES: &[&str] = &[
    "symbol",
    "symbolName",
    "lastPrice",
    "bestBid",
    "bestAsk",
    "change",
    "changePercent",
    "open",
    "high",
    "low",
    "volume",
    "lastUpdated",
    "timestamp",
    "contract",
];

enum Member {
    Symbol,
    SymbolName,
    LastPrice,
    BestBid,
    BestAsk,
    Change,
    ChangePercent,
    Open,
    High,
    Low,
    Volume,
    LastUpdated,
    Timestamp,
    Contract,
    Other,
}

impl Member {
    #[inline]
    fn from_name(name: &[u8]) -> Self {
        // By length first: no length has more than three names.
        match name.len() {
            3 if name == b"low" => Self::Low,
            4 if name == b"open" => Self::Open,
            4 if name == b"high" => Self::High,
            6 if name == b"symbol" => Self::Symbol,
            6 if name == b"change" => Self::Change,
            6 if name == b"volume" => Self::Volume,
            7 if name == b"bestBid" => Self::BestBid,
            7 if name == b"bestAsk" => Self::BestAsk,
            8 if name == b"contract" => Self::Contract,
            9 if name == b"lastPrice" => Self::LastPrice,
            9 if name == b"timestamp" => Self::Timestamp,
            10 if name == b"symbolName" => Self::SymbolName,
            11 if name == b"lastUpdated" => Self::LastUpdated,
            13 if name == b"changePercent" => Self::ChangePercent,
            _ => Self::Other,
        }
    }
}

impl<'de> Deserialize<'de> for Member {
    #[inline]
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MemberVisitor;

        impl Visitor<'_> for MemberVisitor {
            type Value = Member;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a member")
            }

            #[inline]
            fn visit_str<E: Error>(self, name: &str) -> Result<Member, E> {
                Ok(Member::from_name(name.as_bytes()))
            }

            #[inline]
            fn visit_bytes<E: Error>(self, name: &[u8]) -> Result<Member, E> {
                Ok(Member::from_name(name))
            }
        }

        deserializer.deserialize_identifier(MemberVisitor)
    }
}

struct QuoteVisitor;

impl<'de> Visitor<'de> for QuoteVisitor {
    type Value = Quote;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a quote")
    }

    #[inline]
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Quote, A::Error> {
        // Filled where it will be returned: a quote is large, and every move of it shows.
        let mut result = Ok(Quote::default());
        if let Ok(quote) = &mut result {
            quote.fill(map)?;
        }
        result
    }
}

impl Quote {
    #[inline]
    fn fill<'de, A: MapAccess<'de>>(&mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(member) = map.next_key()? {
            match member {
                Member::Symbol => self.symbol = map.next_value()?,
                Member::SymbolName => self.symbol_name = map.next_value()?,
                Member::LastPrice => map.next_value_seed(FillOption(&mut self.last_price))?,
                Member::BestBid => map.next_value_seed(FillOption(&mut self.best_bid))?,
                Member::BestAsk => map.next_value_seed(FillOption(&mut self.best_ask))?,
                Member::Change => map.next_value_seed(FillOption(&mut self.change))?,
                Member::ChangePercent => map.next_value_seed(FillOption(&mut self.change_percent))?,
                Member::Open => map.next_value_seed(FillOption(&mut self.open))?,
                Member::High => map.next_value_seed(FillOption(&mut self.high))?,
                Member::Low => map.next_value_seed(FillOption(&mut self.low))?,
                Member::Volume => self.volume = map.next_value::<Option<Whole>>()?.map(|whole| whole.0),
                Member::LastUpdated => map.next_value_seed(FillOption(&mut self.last_updated))?,
                Member::Timestamp => map.next_value_seed(FillOption(&mut self.timestamp))?,
                Member::Contract => self.contract = map.next_value()?,
                Member::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}
