//! Everything that both hubs tell, as one stream.

use adapter_core::{Delivery, Event, HubConnection, On, Runtime};
use futures_util::StreamExt;
use futures_util::stream::{BoxStream, SelectAll};
use serde_json::Value;
use topstep_model::{ContractId, Quote};

/// What a hub told.
pub(crate) enum News {
    /// A quote of the market hub, typed.
    Quote(Delivery<(ContractId, Quote)>),
    /// Any other event of the market hub.
    Market(&'static str, Delivery<(ContractId, Value)>),
    /// An event of the user hub.
    User(&'static str, Delivery<(Value,)>),
    /// What became of a hub's connection.
    Life(&'static str, Event),
}

/// What the market hub sends, quotes apart; and the members to show.
pub(crate) const MARKET_EVENTS: [(&str, &[&str]); 2] =
    [("GatewayTrade", &["price", "volume", "type"]), ("GatewayDepth", &["price", "volume", "type"])];

/// What the user hub sends, and the members to show.
pub(crate) const USER_EVENTS: [(&str, &[&str]); 4] = [
    ("GatewayUserAccount", &["name", "balance", "canTrade"]),
    ("GatewayUserOrder", &["id", "contractId", "status", "side", "size", "fillVolume"]),
    ("GatewayUserPosition", &["contractId", "type", "size", "averagePrice"]),
    ("GatewayUserTrade", &["contractId", "side", "size", "price", "profitAndLoss"]),
];

/// Listens to everything that both hubs may tell; before they are started, so that nothing is missed.
pub(crate) fn listen<R: Runtime>(
    market: &HubConnection<R>,
    user: &HubConnection<R>,
) -> SelectAll<BoxStream<'static, News>> {
    let mut news = SelectAll::new();
    news.push(market.lifecycle().map(|event| News::Life("market", event)).boxed());
    news.push(user.lifecycle().map(|event| News::Life("user", event)).boxed());
    news.push(market.on("GatewayQuote").map(News::Quote).boxed());
    for (target, _) in MARKET_EVENTS {
        let events: On<(ContractId, Value)> = market.on(target);
        news.push(events.map(move |event| News::Market(target, event)).boxed());
    }
    for (target, _) in USER_EVENTS {
        let events: On<(Value,)> = user.on(target);
        news.push(events.map(move |event| News::User(target, event)).boxed());
    }
    news
}

/// The members of a TopstepX payload that are worth a line: of the first row of a list, of what an envelope holds.
pub(crate) fn describe(payload: &Value, members: &[&str]) -> String {
    let rows = payload.as_array();
    let row = rows.map_or(payload, |rows| rows.first().unwrap_or(&Value::Null));
    let data = row.get("data").unwrap_or(row);
    let mut text: Vec<String> = members
        .iter()
        .filter_map(|member| match data.get(member)? {
            // A hub's text must not steer the terminal.
            Value::String(value) => Some(format!("{member} {}", value.escape_debug())),
            value => Some(format!("{member} {value}")),
        })
        .collect();
    if let Some(more) = rows.map(|rows| rows.len().saturating_sub(1)).filter(|more| *more > 0) {
        text.push(format!("and {more} more"));
    }
    text.join("  ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_of_every_shape_are_described() {
        let describe = |text: &str| describe(&serde_json::from_str(text).unwrap(), &["id", "name"]);
        assert_eq!(describe(r#"{"id":1,"name":"a","x":2}"#), "id 1  name a");
        assert_eq!(describe(r#"{"action":1,"data":{"name":"a"}}"#), "name a");
        assert_eq!(describe(r#"[{"id":1},{"id":2},{"id":3}]"#), "id 1  and 2 more");
        assert_eq!(describe(r#"{"name":"\u001b[2J"}"#), r"name \u{1b}[2J");
        assert_eq!(describe("[]"), "");
        assert_eq!(describe("null"), "");
    }
}
