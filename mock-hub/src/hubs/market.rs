//! `/hubs/market`: quotes, trades and depth by contract, with the names TopstepX documents and no others.

use super::{Caller, Method, MethodError};

pub(super) const METHODS: &[Method] = &[
    Method::plain("SubscribeContractQuotes", 1),
    Method::plain("UnsubscribeContractQuotes", 1),
    Method::plain("SubscribeContractTrades", 1),
    Method::plain("UnsubscribeContractTrades", 1),
    Method::plain("SubscribeContractMarketDepth", 1),
    Method::plain("UnsubscribeContractMarketDepth", 1),
];

pub(super) fn call(name: &str, caller: &Caller) -> Result<String, MethodError> {
    let contract = caller.arguments.string(0)?;
    let (verb, topic) = match name {
        "SubscribeContractQuotes" => (Verb::Join, "quotes"),
        "UnsubscribeContractQuotes" => (Verb::Leave, "quotes"),
        "SubscribeContractTrades" => (Verb::Join, "trades"),
        "UnsubscribeContractTrades" => (Verb::Leave, "trades"),
        "SubscribeContractMarketDepth" => (Verb::Join, "depth"),
        _ => (Verb::Leave, "depth"),
    };
    let group = format!("{topic}/{contract}");
    match verb {
        Verb::Join if topic == "quotes" => caller.gateway.feed.open_quotes(&contract, |record| {
            caller.gateway.peers.join_group(&caller.peer, &group);
            caller.peer.send(record);
        }),
        Verb::Join => caller.gateway.peers.join_group(&caller.peer, &group),
        Verb::Leave => caller.gateway.peers.leave_group(&caller.peer, &group),
    }
    Ok("null".to_owned())
}

enum Verb {
    Join,
    Leave,
}
