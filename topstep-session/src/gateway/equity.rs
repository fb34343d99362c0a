//! What an account is worth now.

use adapter_core::Runtime;
use rust_decimal::Decimal;
use topstep_model::{AccountId, ContractErrorCode, ContractId, Tick};

use super::Gateway;
use crate::known::Known;
use crate::rest::CallError;
use crate::user::{self, Entry, Market};

/// What an account is worth: see [`Gateway::equity`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Equity {
    /// The account's balance, which has no open position in it.
    pub balance: Entry<Decimal>,
    /// What each open position would bring; `None` where no price of its contract is known.
    pub unrealised: Vec<(ContractId, Option<Entry<Decimal>>)>,
    /// Balance and positions together, as well known as the weakest of them; `None` where the worth of one is not known.
    pub total: Option<Entry<Decimal>>,
}

impl<R: Runtime> Gateway<R> {
    /// What an account is worth now: its balance, and what its open positions would bring at the prices that the market session follows.
    ///
    /// `None` while the account is not followed, or has no balance. Ticks are asked for once a contract.
    ///
    /// # Errors
    ///
    /// [`CallError`]: the tick of a contract cannot be had.
    pub async fn equity(&self, account: AccountId) -> Result<Option<Equity>, CallError<ContractErrorCode>> {
        let session = self.user(account);
        let positions = session.open_positions();
        let Some(believed) = session.get() else { return Ok(None) };
        let Some(balance) = user::equity(&believed, []) else { return Ok(None) };
        let mut unrealised = Vec::new();
        for position in positions.entries {
            let contract = position.value.contract_id.clone();
            let tick = self.tick(&contract).await?;
            let worth = tick.and_then(|tick| user::unrealised(&position, &self.prices(&contract), &tick));
            unrealised.push((contract, worth));
        }
        // Whether there are further positions is known as well as their list.
        let balance = Entry::new(balance.value, balance.known);
        let listed = Entry::new(Decimal::ZERO, positions.known);
        let parts: Option<Vec<_>> = unrealised.iter().map(|(_, worth)| worth.clone()).collect();
        let total = parts.and_then(|parts| user::equity(&believed, parts.into_iter().chain([listed])));
        Ok(Some(Equity { balance, unrealised, total }))
    }

    /// The tick of a contract, asked for once.
    async fn tick(&self, contract: &ContractId) -> Result<Option<Tick>, CallError<ContractErrorCode>> {
        let known = self.inner.ticks.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get(contract).copied();
        if known.is_some() {
            return Ok(known);
        }
        let found = self.contract(contract.clone()).await?;
        let Ok(tick) = found.tick() else { return Ok(None) };
        self.inner.ticks.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(contract.clone(), tick);
        Ok(Some(tick))
    }

    fn prices(&self, contract: &ContractId) -> Market {
        match self.market().quote(contract) {
            Some(told) => {
                Market { bid: told.value.bid(), ask: told.value.ask(), last: told.value.last(), known: told.known }
            }
            None => Market { bid: None, ask: None, last: None, known: Known::Stale },
        }
    }
}
