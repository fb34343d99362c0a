//! Contracts and bars.

use adapter_core::Runtime;
use topstep_model::rest::{AvailableContracts, Bar, Contract, FindContract, RetrieveBars, SearchContracts};
use topstep_model::{BarsErrorCode, ContractErrorCode, ContractId, ListErrorCode, Rows};

use super::Gateway;
use crate::budget::Priority;
use crate::rest::CallError;

/// Some contracts of one tier of market data.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ContractList {
    /// The contracts.
    pub contracts: Rows<Contract>,
    /// Whether there may be none for another reason than that none fits: the live tier was asked for, and a login without it gets empty lists
    /// and no error (seen on the live gateway).
    pub may_lack_live_tier: bool,
}

impl<R: Runtime> Gateway<R> {
    /// All contracts that can be traded. `live` is the tier of market data, not the kind of account: `false` suits every login.
    pub async fn available_contracts(&self, live: bool) -> Result<ContractList, CallError<ListErrorCode>> {
        let answer = self.call(&AvailableContracts::new(live), Priority::Read).await?;
        answer.contracts.ok_or(CallError::NoList).map(|contracts| ContractList::of(contracts, live))
    }

    /// Up to about twenty active contracts whose name or description holds a text; `live` as with
    /// [`available_contracts`](Self::available_contracts).
    pub async fn search_contracts(
        &self,
        text: impl Into<String> + Send,
        live: bool,
    ) -> Result<ContractList, CallError<ListErrorCode>> {
        let answer = self.call(&SearchContracts::new(text, live), Priority::Read).await?;
        answer.contracts.ok_or(CallError::NoList).map(|contracts| ContractList::of(contracts, live))
    }

    /// One contract, an expired one too.
    pub async fn contract(
        &self,
        contract: impl Into<ContractId> + Send,
    ) -> Result<Contract, CallError<ContractErrorCode>> {
        self.call(&FindContract::new(contract.into()), Priority::Read).await.map(|answer| answer.contract)
    }

    /// Bars, newest first. Their tier is the request's; they have a rate limit of their own.
    pub async fn bars(&self, request: &RetrieveBars) -> Result<Rows<Bar>, CallError<BarsErrorCode>> {
        let bars = self.call(request, Priority::Read).await?.bars.ok_or(CallError::NoList)?;
        if request.live && bars.is_empty() {
            tell_of_tier();
        }
        Ok(bars)
    }
}

impl ContractList {
    fn of(contracts: Rows<Contract>, live: bool) -> Self {
        let may_lack_live_tier = live && contracts.is_empty();
        if may_lack_live_tier {
            tell_of_tier();
        }
        Self { contracts, may_lack_live_tier }
    }
}

fn tell_of_tier() {
    tracing::warn!("an empty list from the live tier: a login without that tier gets empty lists and no error");
}
