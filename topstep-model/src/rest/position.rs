//! Positions.

use serde::Serialize;

use super::payload::{Done, answer};
use super::request::request;
use crate::{AccountId, CloseErrorCode, ContractId, PartialCloseErrorCode, Position, SearchErrorCode};

/// `Position/searchOpen`: what an account holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct SearchOpenPositions {
    /// The account.
    pub account_id: AccountId,
}

impl SearchOpenPositions {
    /// Asks for an account's positions.
    pub const fn new(account_id: AccountId) -> Self {
        Self { account_id }
    }
}

answer! {
    /// An account's open positions.
    pub struct Positions, PositionsBuild {
        /// The positions; `None` where the answer has no list, which does not say that the account is flat.
        list "positions" positions: Position,
    }
}

request!(SearchOpenPositions, "/api/Position/searchOpen" => Positions, SearchErrorCode);

/// `Position/closeContract`: closes all of a position at the market. The answer names no order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CloseContract {
    /// The account.
    pub account_id: AccountId,
    /// The contract.
    pub contract_id: ContractId,
}

impl CloseContract {
    /// Closes a position.
    pub const fn new(account_id: AccountId, contract_id: ContractId) -> Self {
        Self { account_id, contract_id }
    }
}

request!(CloseContract, "/api/Position/closeContract" => Done, CloseErrorCode, CHANGES = true);

/// `Position/partialCloseContract`: closes a part of a position at the market. The answer names no order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct PartialCloseContract {
    /// The account.
    pub account_id: AccountId,
    /// The contract.
    pub contract_id: ContractId,
    /// How many contracts to close.
    pub size: i32,
}

impl PartialCloseContract {
    /// Closes so many contracts of a position.
    pub const fn new(account_id: AccountId, contract_id: ContractId, size: i32) -> Self {
        Self { account_id, contract_id, size }
    }
}

request!(
    PartialCloseContract, "/api/Position/partialCloseContract" => Done, PartialCloseErrorCode, CHANGES = true
);
