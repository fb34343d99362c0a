//! `/api/Position`.

use super::answer::{answer, list};
use super::body::Members;
use super::{Answered, Caller};

/// In the error codes of every call here.
const ACCOUNT_NOT_FOUND: i32 = 1;

/// `searchOpen`.
pub(super) fn search_open(caller: &Caller<'_>, body: &Members<'_>) -> Answered {
    let account = caller.account(body)?;
    let positions = |account| caller.gateway.world.visit(|world| world.exchange.positions(account));
    Ok(match account.and_then(positions) {
        Some(positions) => list("positions", positions.iter().map(|position| position.rest_json()), 0),
        None => list("positions", [], ACCOUNT_NOT_FOUND),
    })
}

/// `closeContract`: a market order for all of it; its id is not told.
pub(super) fn close_contract(caller: &Caller<'_>, body: &Members<'_>) -> Answered {
    let (account, contract) = (caller.account(body)?, body.text("contractId")?);
    let Some(account) = account else {
        return Ok(answer(&[], ACCOUNT_NOT_FOUND, None));
    };
    let done = caller.gateway.world.visit(|mut world| world.close(account, &contract, None));
    Ok(answer(&[], done.code, done.message.as_deref()))
}

/// `partialCloseContract`: a market order for some of it.
pub(super) fn partial_close_contract(caller: &Caller<'_>, body: &Members<'_>) -> Answered {
    let (account, contract) = (caller.account(body)?, body.text("contractId")?);
    let size = body.int("size")?;
    let Some(account) = account else {
        return Ok(answer(&[], ACCOUNT_NOT_FOUND, None));
    };
    let done = caller.gateway.world.visit(|mut world| world.close(account, &contract, Some(size)));
    Ok(answer(&[], done.code, done.message.as_deref()))
}
