//! `/api/Trade`.

use super::answer::list;
use super::body::Members;
use super::{Answered, Caller};

/// `SearchTradesErrorCode`.
const ACCOUNT_NOT_FOUND: i32 = 1;

/// `search`: the half-turns of an account, newest first.
pub(super) fn search(caller: &Caller<'_>, body: &Members<'_>) -> Answered {
    let account = caller.account(body)?;
    let (start, end) = (body.optional_time("startTimestamp")?, body.optional_time("endTimestamp")?);
    let trades = |account| caller.gateway.world.visit(|world| world.exchange.trades(account, start, end));
    Ok(match account.and_then(trades) {
        Some(trades) => list("trades", trades.iter().map(|trade| trade.rest_json()), 0),
        None => list("trades", [], ACCOUNT_NOT_FOUND),
    })
}
