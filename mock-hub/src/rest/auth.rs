//! `/api/Auth`: logins. A refused one is a 200 too.

use std::sync::Arc;

use super::answer::{answer, string};
use super::body::Members;
use super::{Answered, Caller};
use crate::gateway::Gateway;
use crate::logins;

/// The key is not the user's (`LoginErrorCode`, InvalidCredentials).
const INVALID_CREDENTIALS: i32 = 3;
/// No application is known here (`LoginErrorCode`, AppNotFound).
const APP_NOT_FOUND: i32 = 4;
/// What TopstepX was seen to say about a user it does not know (`LoginErrorCode`, UnknownError).
const UNKNOWN_ERROR: i32 = 8;

/// `loginKey`: a token for a user and an API key. The user's earlier login ends.
pub(super) fn login_key(gateway: &Arc<Gateway>, body: &Members<'_>) -> Answered {
    let user = body.optional_text("userName")?.unwrap_or_default();
    let key = body.optional_text("apiKey")?.unwrap_or_default();
    let refused = |code| {
        gateway.login_seen(&user, false);
        Ok(answer(&[("token", "null")], code, None))
    };
    if user.is_empty() || key.is_empty() {
        return refused(INVALID_CREDENTIALS);
    }
    if !gateway.options.any_login {
        let Some(login) = gateway.options.users.iter().find(|login| login.user == user) else {
            return refused(UNKNOWN_ERROR);
        };
        if login.api_key != key {
            return refused(INVALID_CREDENTIALS);
        }
    }
    let token = logins::log_in(gateway, &user);
    gateway.login_seen(&user, true);
    Ok(answer(&[("token", &string(&token))], 0, None))
}

/// `loginApp`: for applications that the firm has admitted, of which this gateway has none.
pub(super) fn login_app(_: &Arc<Gateway>, body: &Members<'_>) -> Answered {
    for member in ["userName", "password", "deviceId", "appId", "verifyKey"] {
        body.text(member)?;
    }
    Ok(answer(&[("token", "null")], APP_NOT_FOUND, None))
}

/// `validate`: another token of the same login.
pub(super) fn validate(caller: &Caller<'_>) -> String {
    let Caller { gateway, bearer } = caller;
    let token = gateway.tokens.renew(bearer, gateway.options.token_lifetime);
    answer(&[("newToken", &string(&token))], 0, None)
}

/// `logout`: the login's tokens are no good any more; its connections stay.
pub(super) fn logout(caller: &Caller<'_>) -> String {
    if let Some(session) = &caller.bearer.session {
        caller.gateway.tokens.end_session(session);
    }
    answer(&[], 0, None)
}
