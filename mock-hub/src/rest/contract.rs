//! `/api/Contract`. A login that is not entitled to live data finds nothing there, and no error.

use super::answer::{answer, list, string};
use super::body::Members;
use super::{Answered, Caller};
use crate::market::Contract;

/// `SearchContractByIdErrorCode`.
const CONTRACT_NOT_FOUND: i32 = 1;

/// `available`: all contracts that can be traded.
pub(super) fn available(caller: &Caller<'_>, body: &Members<'_>) -> Answered {
    let has_data = caller.has_data(body.bool("live")?);
    let contracts = caller.gateway.world.visit(|world| match has_data {
        true => world.market.contracts().active().iter().map(json).collect(),
        false => Vec::new(),
    });
    Ok(list("contracts", contracts, 0))
}

/// `search`: up to 20 of them by a part of their name, id or description.
pub(super) fn search(caller: &Caller<'_>, body: &Members<'_>) -> Answered {
    let has_data = caller.has_data(body.bool("live")?);
    let text = body.optional_text("searchText")?.unwrap_or_default();
    let contracts = caller.gateway.world.visit(|world| match has_data {
        true => world.market.contracts().search(&text),
        false => Vec::new(),
    });
    Ok(list("contracts", contracts.iter().map(json), 0))
}

/// `searchById`: one, also when it has expired.
pub(super) fn search_by_id(caller: &Caller<'_>, body: &Members<'_>) -> Answered {
    let id = body.text("contractId")?;
    Ok(match caller.gateway.world.visit(|world| world.market.contracts().find(&id)) {
        Some(contract) => answer(&[("contract", &json(&contract))], 0, None),
        None => answer(&[("contract", "null")], CONTRACT_NOT_FOUND, None),
    })
}

fn json(contract: &Contract) -> String {
    format!(
        "{{\"id\":{},\"name\":{},\"description\":{},\"tickSize\":{},\"tickValue\":{},\"activeContract\":{},\"symbolId\":{}}}",
        string(&contract.id),
        string(&contract.name),
        string(&contract.description),
        contract.tick_size.normalize(),
        contract.tick_value.normalize(),
        contract.active,
        string(&contract.symbol_id),
    )
}
