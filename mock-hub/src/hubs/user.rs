//! `/hubs/user`: accounts of the login; orders, positions and trades of one account each.

use super::{Caller, Method, MethodError};
use crate::protocol::dotnet::Type;

pub(super) const METHODS: &[Method] = &[
    Method::plain("SubscribeAccounts", 0),
    Method::plain("UnsubscribeAccounts", 0),
    Method::plain("SubscribeOrders", 1).taking(&[Type::Long]),
    Method::plain("UnsubscribeOrders", 1).taking(&[Type::Long]),
    Method::plain("SubscribePositions", 1).taking(&[Type::Long]),
    Method::plain("UnsubscribePositions", 1).taking(&[Type::Long]),
    Method::plain("SubscribeTrades", 1).taking(&[Type::Long]),
    Method::plain("UnsubscribeTrades", 1).taking(&[Type::Long]),
];

pub(super) fn call(name: &str, caller: &Caller) -> Result<String, MethodError> {
    let (joins, topic) = match name.strip_prefix("Un") {
        Some(rest) => (false, rest.trim_start_matches("subscribe")),
        None => (true, name.trim_start_matches("Subscribe")),
    };
    let topic = topic.to_ascii_lowercase();
    let group = match topic.as_str() {
        "accounts" => topic,
        _ => {
            let account = caller.arguments.long(0)?;
            if joins && caller.gateway.options.refuse_foreign_accounts && !is_own(caller, account) {
                return Err(MethodError::Hub(format!("Account {account} is not yours.")));
            }
            format!("{topic}/{account}")
        }
    };
    // Events of the world go to members whose account it is: somebody else's stays silent.
    if joins {
        caller.gateway.peers.join_group(&caller.peer, &group);
    } else {
        caller.gateway.peers.leave_group(&caller.peer, &group);
    }
    Ok("null".to_owned())
}

fn is_own(caller: &Caller, account: i64) -> bool {
    let user = caller.peer.origin.user.as_deref().unwrap_or(caller.gateway.options.first_user());
    let Ok(account) = i32::try_from(account) else {
        return false;
    };
    caller.gateway.world.visit(|world| world.exchange.owner(account) == Some(user))
}
