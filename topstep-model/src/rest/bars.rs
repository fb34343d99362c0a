//! History.

use serde::Serialize;

use super::payload::answer;
use super::request::{RateClass, request};
use crate::row::row;
use crate::{BarUnit, BarsErrorCode, ContractId, Price, Timestamp};

row! {
    /// What a contract's price did in one interval.
    pub struct Bar, "bar", "a bar" {
        /// When the interval begins; of a daily bar, when its session opened.
        required "t" time: Timestamp,
        /// The first price.
        required "o" open: Price,
        /// The highest price.
        required "h" high: Price,
        /// The lowest price.
        required "l" low: Price,
        /// The last price.
        required "c" close: Price,
        /// How many contracts were traded.
        required "v" volume: i64,
    }
}

answer! {
    /// Some bars.
    pub struct Bars, BarsBuild {
        /// The bars, newest first; `None` where the answer has no list, which is not the same as an empty one.
        list "bars" bars: Bar,
    }
}

/// `History/retrieveBars`: the bars of a contract, at most 20,000. It has a rate limit of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct RetrieveBars {
    /// The contract; an expired one too.
    pub contract_id: ContractId,
    /// Which tier of market data; see [`SearchContracts::live`](super::SearchContracts::live). Default `false`.
    pub live: bool,
    /// The earliest time.
    pub start_time: Timestamp,
    /// The latest time.
    pub end_time: Timestamp,
    /// The unit of a bar's length.
    pub unit: BarUnit,
    /// How many units long a bar is.
    pub unit_number: i32,
    /// The most bars, the newest of the interval; 20,000 is the venue's own limit.
    pub limit: i32,
    /// Whether the bar that is not over yet belongs to them. Default `false`.
    pub include_partial_bar: bool,
}

impl RetrieveBars {
    /// The most bars of one answer.
    pub const MOST: i32 = 20_000;

    /// Asks for all bars of an interval, up to [`MOST`](Self::MOST), without the one that is not over.
    pub const fn new(
        contract_id: ContractId,
        start_time: Timestamp,
        end_time: Timestamp,
        unit: BarUnit,
        unit_number: i32,
    ) -> Self {
        Self {
            contract_id,
            live: false,
            start_time,
            end_time,
            unit,
            unit_number,
            limit: Self::MOST,
            include_partial_bar: false,
        }
    }

    /// Asks for the newest so many only.
    #[must_use]
    pub const fn limit(mut self, limit: i32) -> Self {
        self.limit = limit;
        self
    }

    /// Asks for the bar that is not over yet, too.
    #[must_use]
    pub const fn include_partial_bar(mut self) -> Self {
        self.include_partial_bar = true;
        self
    }
}

request!(RetrieveBars, "/api/History/retrieveBars" => Bars, BarsErrorCode, LIMIT = RateClass::Bars);
