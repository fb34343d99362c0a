//! `/hubs/user`: accounts of the login; orders, positions and trades of one account each.

use super::{Caller, Method, MethodError};

pub(super) const METHODS: &[Method] = &[
    Method::plain("SubscribeAccounts", 0),
    Method::plain("UnsubscribeAccounts", 0),
    Method::plain("SubscribeOrders", 1),
    Method::plain("UnsubscribeOrders", 1),
    Method::plain("SubscribePositions", 1),
    Method::plain("UnsubscribePositions", 1),
    Method::plain("SubscribeTrades", 1),
    Method::plain("UnsubscribeTrades", 1),
];

pub(super) fn call(name: &str, caller: &Caller) -> Result<String, MethodError> {
    let (joins, topic) = match name.strip_prefix("Un") {
        Some(rest) => (false, rest.trim_start_matches("subscribe")),
        None => (true, name.trim_start_matches("Subscribe")),
    };
    let topic = topic.to_ascii_lowercase();
    let group = if topic == "accounts" { topic } else { format!("{topic}/{}", caller.arguments.long(0)?) };
    if joins {
        caller.gateway.peers.join_group(&caller.peer, &group);
    } else {
        caller.gateway.peers.leave_group(&caller.peer, &group);
    }
    Ok("null".to_owned())
}
