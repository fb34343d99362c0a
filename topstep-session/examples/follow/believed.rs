//! What is believed, as one line.

use std::time::Duration;

use adapter_core::Runtime;
use serde_json::{Map, Value, json};
use topstep_session::{Gateway, Known, LinkStatus, Moment};

use crate::told;

/// Everything that is believed now.
pub(crate) fn state<R: Runtime>(gateway: &Gateway<R>, began: Moment) -> Map<String, Value> {
    let (user, market) = (gateway.user_session(), gateway.market());
    let (believed, quoted) = (user.state(), market.state());
    let trades = believed.trades.entries.iter();
    // Trades from before count for the day's profit and loss, and are not told here.
    let trades = trades.filter(|entry| entry.value.creation_timestamp.is_none_or(|created| created >= began.wall));
    let running = gateway.now().mono.saturating_since(began.mono);
    let (user_link, market_link) = (user.link(), market.link());
    let state = json!({
        "event": "state",
        "accounts": list(believed.accounts.entries.iter().map(|entry| (told::account(&entry.value), entry.known))),
        "orders": list(believed.orders.entries.iter().map(|entry| (told::order(&entry.value), entry.known))),
        "positions": list(believed.positions.entries.iter().map(|entry| (told::position(&entry.value), entry.known))),
        "trades": list(trades.map(|entry| (told::trade(&entry.value), entry.known))),
        "quotes": list(quoted.quotes.iter().map(|quote| (told::quote(&quote.value), quote.known))),
        "connected": {"user": user_link.is_connected, "market": market_link.is_connected},
        "gapsOpen": believed.gaps.len() + quoted.gaps.len(),
        "gaps": believed.gaps.iter().chain(&quoted.gaps).map(|gap| gap.subject.to_string()).collect::<Vec<_>>(),
        "heardMsAgo": {"user": heard(&user_link, running), "market": heard(&market_link, running)},
    });
    match state {
        Value::Object(state) => state,
        _ => Map::new(),
    }
}

fn list(entries: impl Iterator<Item = (Value, Known)>) -> Vec<Value> {
    entries
        .map(|(mut value, known)| {
            if let Value::Object(members) = &mut value {
                members.insert("known".to_owned(), json!(known.as_str()));
            }
            value
        })
        .collect()
}

/// Who was never heard has been silent ever since.
fn heard(link: &LinkStatus, running: Duration) -> u64 {
    u64::try_from(link.silence.unwrap_or(running).as_millis()).unwrap_or(u64::MAX)
}
