//! Trades of the user's.

use serde::Serialize;

use super::payload::answer;
use super::request::request;
use crate::{AccountId, SearchErrorCode, Timestamp, UserTrade};

/// `Trade/search`: an account's trades in an interval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct SearchTrades {
    /// The account.
    pub account_id: AccountId,
    /// The earliest time. The documentation requires it, the swagger does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_timestamp: Option<Timestamp>,
    /// The latest time; default: now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_timestamp: Option<Timestamp>,
}

impl SearchTrades {
    /// Asks for an account's trades since a time.
    pub const fn since(account_id: AccountId, start: Timestamp) -> Self {
        Self { account_id, start_timestamp: Some(start), end_timestamp: None }
    }

    /// Asks up to a time only.
    #[must_use]
    pub const fn until(mut self, end: Timestamp) -> Self {
        self.end_timestamp = Some(end);
        self
    }
}

answer! {
    /// Some of an account's trades.
    pub struct Trades, TradesBuild {
        /// The trades, newest first; `None` where the answer has no list, which is not the same as an empty one.
        list "trades" trades: UserTrade,
    }
}

request!(SearchTrades, "/api/Trade/search" => Trades, SearchErrorCode);
