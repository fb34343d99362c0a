//! `/api/Account`.

use super::answer::list;
use super::body::Members;
use super::{Answered, Caller};

/// `search`: the accounts of the login.
pub(super) fn search(caller: &Caller<'_>, body: &Members<'_>) -> Answered {
    let only_active = body.bool("onlyActiveAccounts")?;
    let accounts = caller.gateway.world.visit(|world| world.exchange.accounts(&caller.bearer.user, only_active));
    Ok(list("accounts", accounts.iter().map(|account| account.rest_json()), 0))
}
