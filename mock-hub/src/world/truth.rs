//! What is true now, in the lists of values that a follower believes in.

use serde_json::{Map, Value, json};

use super::state::State;

/// Accounts, orders, positions and trades of a user, and the quotes that whoever heard all of them has merged.
pub(super) fn of(state: &State, user: &str) -> Map<String, Value> {
    let mut lists = match serde_json::to_value(state.exchange.truth(user)) {
        Ok(Value::Object(lists)) => lists,
        _ => Map::new(),
    };
    let quote = |contract: &str| {
        let quote = state.market.merged_quote(contract)?;
        let [bid, ask, last] = [quote.bid, quote.ask, quote.last].map(|price| price.normalize().to_string());
        Some(json!({ "contractId": contract, "bestBid": bid, "bestAsk": ask, "lastPrice": last }))
    };
    let quotes: Vec<_> = state.market.followed().filter_map(|contract| quote(contract)).collect();
    lists.insert("quotes".to_owned(), Value::from(quotes));
    lists
}
