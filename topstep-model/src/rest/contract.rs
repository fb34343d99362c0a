//! Contracts.

use serde::Serialize;

use super::payload::answer;
use super::request::request;
use crate::contract::{Tick, TickError};
use crate::row::row;
use crate::{ContractErrorCode, ContractId, ListErrorCode, Price, SymbolId, Text};

row! {
    /// A contract, as the searches of contracts tell it.
    pub struct Contract, "contract", "a contract" {
        /// Names the contract.
        required "id" id: ContractId,
        /// The exchange's name with a one-digit year, such as `NQU6`.
        optional "name" name: Text,
        /// What people call it, such as `E-mini NASDAQ-100: September 2025`.
        optional "description" description: Text,
        /// The smallest step of its price.
        required "tickSize" tick_size: Price,
        /// What one step of one contract is worth, in US dollars.
        required "tickValue" tick_value: Price,
        /// Whether it is the month that is traded.
        optional "activeContract" active_contract: bool,
        /// The contract's product.
        optional "symbolId" symbol_id: SymbolId,
    }
}

impl Contract {
    /// The arithmetic of its prices.
    ///
    /// # Errors
    ///
    /// [`TickError::NotPositive`]: the venue gave a tick of nothing.
    pub fn tick(&self) -> Result<Tick, TickError> {
        Tick::new(self.tick_size, self.tick_value)
    }
}

answer! {
    /// Some contracts.
    pub struct Contracts, ContractsBuild {
        /// The contracts; `None` where the answer has no list, which is not the same as an empty one.
        list "contracts" contracts: Contract,
    }
}

answer! {
    /// One contract.
    pub struct FoundContract, FoundContractBuild {
        /// The contract.
        row "contract" contract: Contract,
    }
}

/// `Contract/available`: all contracts that can be traded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AvailableContracts {
    /// Which tier of market data; see [`SearchContracts::live`].
    pub live: bool,
}

impl AvailableContracts {
    /// Asks for a tier.
    pub const fn new(live: bool) -> Self {
        Self { live }
    }
}

request!(AvailableContracts, "/api/Contract/available" => Contracts, ListErrorCode);

/// `Contract/search`: up to about twenty active contracts whose name or description holds a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct SearchContracts {
    /// The text.
    pub search_text: String,
    /// Which tier of market data, not which kind of account: `true` gives a practice login empty lists and no error.
    pub live: bool,
}

impl SearchContracts {
    /// Searches a tier for a text.
    pub fn new(search_text: impl Into<String>, live: bool) -> Self {
        Self { search_text: search_text.into(), live }
    }
}

request!(SearchContracts, "/api/Contract/search" => Contracts, ListErrorCode);

/// `Contract/searchById`: one contract, an expired one too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct FindContract {
    /// The contract.
    pub contract_id: ContractId,
}

impl FindContract {
    /// Asks for a contract.
    pub const fn new(contract_id: ContractId) -> Self {
        Self { contract_id }
    }
}

request!(FindContract, "/api/Contract/searchById" => FoundContract, ContractErrorCode);
