//! What happened, as lines.

use serde_json::{Map, Value, json};
use topstep_model::{Account, ContractId, MarketTrade, Order, Position, Price, Timestamp, UserTrade};
use topstep_session::market::MergedQuote;
use topstep_session::{EventKind, GapNotice, Lifecycle, Source};

/// The line that tells of an event; `None` where there is nothing to tell.
pub(crate) fn line(event: &EventKind) -> Option<Map<String, Value>> {
    Some(object(match event {
        EventKind::Account(told) => value("account", told.source, account(&told.value)),
        EventKind::Order(told) => value("order", told.source, order(&told.value)),
        EventKind::Position(told) => value("position", told.source, position(&told.value)),
        EventKind::Trade(told) => value("trade", told.source, trade(&told.value)),
        EventKind::Quote(told) => value("quote", told.source, quote(&told.value)),
        EventKind::MarketTrade { contract, told } => {
            value("market_trade", told.source, market_trade(contract, &told.value))
        }
        EventKind::Depth(told) => {
            let depth = &told.value;
            let rows: Vec<_> = depth
                .rows
                .iter()
                .map(|row| json!({"price": decimal(Some(row.price)), "volume": row.volume, "type": row.kind}))
                .collect();
            let depth = json!({"contractId": depth.contract, "isValid": depth.is_valid, "rows": rows});
            value("depth", told.source, depth)
        }
        EventKind::Gap(GapNotice::Opened(gap)) => {
            json!({"event": "gap", "subject": gap.subject.to_string(), "state": "open", "cause": gap.causes.first().map(|cause| cause.as_str())})
        }
        EventKind::Gap(GapNotice::Closed(gap, verdict)) => {
            json!({"event": "gap", "subject": gap.subject.to_string(), "state": "closed", "verdict": verdict.as_str()})
        }
        EventKind::Malformed(malformed) => {
            json!({"event": "malformed", "target": malformed.target, "message": malformed.message})
        }
        EventKind::Lifecycle { life: Lifecycle::Interrupted(_) | Lifecycle::Resumed, .. } => return None,
        EventKind::Lifecycle { hub, life } => {
            let cause = life.ending().map(|ending| ending.cause.as_str());
            json!({"event": "lifecycle", "hub": hub.name(), "state": life.as_str(), "cause": cause})
        }
        EventKind::Halted(halt) => json!({"event": "halted", "message": halt.to_string()}),
        EventKind::Goodbye { hub, ending, begins_in, is_unauthorized } => json!({
            "event": "goodbye", "hub": hub.name(), "cause": ending.cause.as_str(), "message": ending.explanation,
            "beginsInMs": u64::try_from(begins_in.as_millis()).ok(), "unauthorized": is_unauthorized,
        }),
        EventKind::Refused { subject, error } => {
            json!({"event": "refused", "subject": subject.to_string(), "message": error})
        }
        EventKind::Missed { events } => json!({"event": "missed", "events": events}),
        _ => return None,
    }))
}

pub(crate) fn account(account: &Account) -> Value {
    json!({"id": account.id, "balance": decimal(account.balance), "canTrade": account.can_trade})
}

pub(crate) fn order(order: &Order) -> Value {
    json!({
        "accountId": order.account_id, "id": order.id, "contractId": order.contract_id, "status": order.status,
        "type": order.kind, "side": order.side, "size": order.size, "fillVolume": order.fill_volume.unwrap_or(0),
        "filledPrice": decimal(order.filled_price), "limitPrice": decimal(order.limit_price),
        "stopPrice": decimal(order.stop_price), "updateTimestamp": time(order.update_timestamp),
    })
}

pub(crate) fn position(position: &Position) -> Value {
    json!({
        "accountId": position.account_id, "contractId": position.contract_id, "type": position.kind,
        "size": position.size, "averagePrice": decimal(position.average_price),
    })
}

pub(crate) fn trade(trade: &UserTrade) -> Value {
    json!({
        "accountId": trade.account_id, "id": trade.id, "orderId": trade.order_id, "price": decimal(Some(trade.price)),
        "size": trade.size, "side": trade.side, "profitAndLoss": decimal(trade.profit_and_loss),
        "voided": trade.voided.unwrap_or(false),
    })
}

pub(crate) fn quote(quote: &MergedQuote) -> Value {
    json!({
        "contractId": quote.contract, "bestBid": decimal(quote.bid()), "bestAsk": decimal(quote.ask()),
        "lastPrice": decimal(quote.last()),
    })
}

fn market_trade(contract: &ContractId, trade: &MarketTrade) -> Value {
    json!({
        "contractId": contract, "price": decimal(Some(trade.price)), "volume": trade.volume, "type": trade.kind,
    })
}

/// A decimal without trailing zeros, or null.
fn decimal(price: Option<Price>) -> Option<String> {
    price.map(|price| price.decimal().normalize().to_string())
}

fn time(time: Option<Timestamp>) -> Option<String> {
    time.map(|time| time.to_string())
}

fn value(event: &str, source: Source, value: Value) -> Value {
    json!({"event": event, "source": source.as_str(), "value": value})
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}
