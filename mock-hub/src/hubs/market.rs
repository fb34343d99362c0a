//! `/hubs/market`: quotes, trades and depth by contract, with the names TopstepX documents and no others.

use super::{Caller, Method, MethodError};
use crate::protocol::dotnet::Type;
use crate::world::Topic;

pub(super) const METHODS: &[Method] = &[
    Method::plain("SubscribeContractQuotes", 1).taking(&[Type::Text]),
    Method::plain("UnsubscribeContractQuotes", 1).taking(&[Type::Text]),
    Method::plain("SubscribeContractTrades", 1).taking(&[Type::Text]),
    Method::plain("UnsubscribeContractTrades", 1).taking(&[Type::Text]),
    Method::plain("SubscribeContractMarketDepth", 1).taking(&[Type::Text]),
    Method::plain("UnsubscribeContractMarketDepth", 1).taking(&[Type::Text]),
];

/// An unknown contract is accepted and stays silent.
pub(super) fn call(name: &str, caller: &Caller) -> Result<String, MethodError> {
    let contract = caller.arguments.string(0)?;
    let (joins, topic) = match name {
        "SubscribeContractQuotes" => (true, Topic::Quotes),
        "UnsubscribeContractQuotes" => (false, Topic::Quotes),
        "SubscribeContractTrades" => (true, Topic::Trades),
        "UnsubscribeContractTrades" => (false, Topic::Trades),
        "SubscribeContractMarketDepth" => (true, Topic::Depth),
        _ => (false, Topic::Depth),
    };
    if joins {
        caller.gateway.world.subscribe(&caller.peer, topic, &contract);
    } else {
        caller.gateway.peers.leave_group(&caller.peer, &topic.group(&contract));
    }
    Ok("null".to_owned())
}
