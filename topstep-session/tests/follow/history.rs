//! Everything that was ever true, and from when to when, by the hub's own log.

use std::collections::{BTreeMap, HashMap};
use std::time::Instant;

use mock_hub::{LoggedEvent, MockHub};
use rust_decimal::Decimal;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

/// The list and the key of an entry.
pub(crate) type Key = (&'static str, String);

/// A value that was true from some time on, until the next one of its key was; `None`: there was nothing.
pub(crate) struct Span {
    /// It was not true before.
    from: Instant,
    /// It was not true any more after; none while it is.
    to: Option<Instant>,
    value: Option<Value>,
}

pub(crate) struct History {
    began: Instant,
    drained: Instant,
    serial: u64,
    spans: HashMap<Key, Vec<Span>>,
}

impl History {
    /// Begins with what is true now.
    pub(crate) fn begin(hub: &MockHub) -> Self {
        let now = Instant::now();
        let mut history = Self { began: now, drained: now, serial: 1, spans: HashMap::new() };
        history.drain(hub);
        let truth = hub.truth(None);
        for list in LISTS {
            for entry in entries(&truth, list) {
                history.set((list, key_of(list, entry)), Some(entry.clone()), now, now);
            }
        }
        history
    }

    pub(crate) fn began(&self) -> Instant {
        self.began
    }

    /// Takes what was published since the last time.
    pub(crate) fn drain(&mut self, hub: &MockHub) {
        let (since, before) = (self.drained, Instant::now());
        loop {
            let events = hub.log(self.serial, None, 4096);
            let now = Instant::now();
            let Some(last) = events.last() else { break };
            self.serial = last.serial + 1;
            for event in &events {
                self.take(event, since, now);
            }
        }
        self.drained = before;
    }

    fn take(&mut self, event: &LoggedEvent, since: Instant, now: Instant) {
        let list = match event.target.as_str() {
            "GatewayUserAccount" => "accounts",
            "GatewayUserOrder" => "orders",
            "GatewayUserPosition" => "positions",
            "GatewayUserTrade" => "trades",
            "GatewayQuote" => return self.take_quote(event, since, now),
            _ => return,
        };
        let arguments: Vec<BTreeMap<String, Box<RawValue>>> = serde_json::from_str(&event.arguments).unwrap();
        let row: BTreeMap<String, Box<RawValue>> = match arguments[0].get("data") {
            Some(data) => serde_json::from_str(data.get()).unwrap(),
            None => arguments.into_iter().next().unwrap(),
        };
        let value = value_of(list, &row);
        let is_gone = list == "positions" && value["size"] == 0;
        self.set((list, key_of(list, &value)), (!is_gone).then_some(value), since, now);
    }

    /// Quotes tell what is new in them.
    fn take_quote(&mut self, event: &LoggedEvent, since: Instant, now: Instant) {
        let (contract, row): (String, BTreeMap<String, Box<RawValue>>) =
            serde_json::from_str(&event.arguments).unwrap();
        let key = ("quotes", contract.clone());
        let known = self.spans.get(&key).and_then(|spans| spans.last()).and_then(|span| span.value.clone());
        let mut merged = known.unwrap_or_else(|| json!({"contractId": contract}));
        for name in ["bestBid", "bestAsk", "lastPrice"] {
            if let Some(price) = row.get(name) {
                merged[name] = digits(price);
            }
        }
        if merged["bestBid"].is_string() && merged["bestAsk"].is_string() && merged["lastPrice"].is_string() {
            self.set(key, Some(merged), since, now);
        }
    }

    fn set(&mut self, key: Key, value: Option<Value>, since: Instant, now: Instant) {
        let began = self.began;
        let spans = self.spans.entry(key).or_insert_with(|| vec![Span { from: began, to: None, value: None }]);
        if let Some(last) = spans.last_mut() {
            if last.value == value {
                return;
            }
            last.to = Some(now);
        }
        spans.push(Span { from: since, to: None, value });
    }

    /// Whether a value was true at any time between these two.
    pub(crate) fn was_true(&self, key: &Key, value: Option<&Value>, from: Instant, to: Instant) -> bool {
        let Some(spans) = self.spans.get(key) else { return value.is_none() };
        let is_in = |span: &&Span| span.from <= to && span.to.is_none_or(|end| end >= from);
        spans.iter().filter(is_in).any(|span| span.value.as_ref() == value)
    }

    /// Everything that there ever was of a list.
    pub(crate) fn keys(&self, list: &'static str) -> impl Iterator<Item = &Key> {
        self.spans.keys().filter(move |key| key.0 == list)
    }

    /// The last values of a key, for a person.
    pub(crate) fn tell(&self, key: &Key, now: Instant) -> String {
        let spans = self.spans.get(key).map_or(&[][..], |spans| &spans[spans.len().saturating_sub(5)..]);
        let ago = |at: Instant| now.saturating_duration_since(at).as_millis();
        spans
            .iter()
            .map(|span| {
                let to = span.to.map_or("now".to_owned(), |to| format!("{} ms ago", ago(to)));
                let value = span.value.as_ref().map_or("nothing".to_owned(), Value::to_string);
                format!("\n    {} ms ago to {to}: {value}", ago(span.from))
            })
            .collect()
    }
}

pub(crate) const LISTS: [&str; 5] = ["accounts", "orders", "positions", "trades", "quotes"];

pub(crate) fn entries<'a>(truth: &'a Value, list: &str) -> impl Iterator<Item = &'a Value> {
    truth[list].as_array().into_iter().flatten()
}

/// What tells the entries of a list apart.
pub(crate) fn key_of(list: &str, entry: &Value) -> String {
    match list {
        "accounts" => entry["id"].to_string(),
        "positions" => format!("{}/{}", entry["accountId"], entry["contractId"].as_str().unwrap_or_default()),
        "quotes" => entry["contractId"].as_str().unwrap_or_default().to_owned(),
        _ => format!("{}/{}", entry["accountId"], entry["id"]),
    }
}

/// What both sides tell of an entry.
pub(crate) fn members(list: &str) -> &'static [&'static str] {
    match list {
        "accounts" => &["id", "balance", "canTrade"],
        "orders" => &[
            "accountId",
            "id",
            "contractId",
            "status",
            "type",
            "side",
            "size",
            "fillVolume",
            "filledPrice",
            "limitPrice",
            "stopPrice",
        ],
        "positions" => &["accountId", "contractId", "type", "size", "averagePrice"],
        "trades" => &["accountId", "id", "orderId", "price", "size", "side", "profitAndLoss", "voided"],
        _ => &["contractId", "bestBid", "bestAsk", "lastPrice"],
    }
}

const DECIMALS: [&str; 7] =
    ["balance", "filledPrice", "limitPrice", "stopPrice", "averagePrice", "price", "profitAndLoss"];

/// A row of the stream in the form of the truth.
fn value_of(list: &str, row: &BTreeMap<String, Box<RawValue>>) -> Value {
    let mut value = Map::new();
    for name in members(list) {
        let member = match row.get(*name) {
            None => Value::Null,
            Some(raw) if DECIMALS.contains(name) => digits(raw),
            Some(raw) => serde_json::from_str(raw.get()).unwrap(),
        };
        value.insert((*name).to_owned(), member);
    }
    Value::Object(value)
}

fn digits(raw: &RawValue) -> Value {
    match raw.get() {
        "null" => Value::Null,
        text => json!(Decimal::from_str_exact(text).unwrap().normalize().to_string()),
    }
}
