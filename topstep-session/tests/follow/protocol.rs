//! What `follow` may say, and in which order.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::Value;

/// Follows the lines, and keeps what is wrong with them.
#[derive(Default)]
pub(crate) struct Protocol {
    last: u64,
    hubs: BTreeMap<String, Hub>,
    open: BTreeSet<String>,
    /// Subjects that were followed when their connection was lost, until their gap is told.
    owed: BTreeSet<String>,
    seen: BTreeSet<String>,
    /// How often a trade was told, as it is and as taken back.
    trades: BTreeMap<(String, bool), u32>,
    /// How many lines there were of each kind.
    pub(crate) counts: BTreeMap<String, u64>,
    pub(crate) faults: Vec<String>,
    /// What it said besides.
    pub(crate) complaints: VecDeque<String>,
    /// The last lines about the connections and the gaps.
    pub(crate) tail: VecDeque<String>,
}

#[derive(Default)]
struct Hub {
    is_connected: bool,
    is_reconnecting: bool,
    losses: u32,
}

impl Protocol {
    pub(crate) fn blame(&mut self, fault: String) {
        if self.faults.len() < 20 {
            self.faults.push(fault);
        }
    }

    pub(crate) fn complain(&mut self, line: String) {
        self.complaints.push_back(line);
        if self.complaints.len() > 20 {
            self.complaints.pop_front();
        }
    }

    pub(crate) fn hear(&mut self, line: &Value) {
        let Some(t) = line["t"].as_u64() else { return self.blame(format!("no t: {line}")) };
        if t < self.last {
            self.blame(format!("t goes back from {}: {line}", self.last));
        }
        self.last = t;
        let kind = line["event"].as_str().unwrap_or_default().to_owned();
        *self.counts.entry(kind.clone()).or_default() += 1;
        match kind.as_str() {
            "lifecycle" => self.hear_life(line),
            "gap" => self.hear_gap(line),
            "account" | "order" | "position" | "trade" | "quote" | "market_trade" | "depth" => self.hear_value(line),
            "state" | "malformed" => {}
            "halted" | "goodbye" | "refused" | "missed" => self.keep(line),
            other => self.blame(format!("an event {other:?}")),
        }
    }

    /// How often the connection to a hub was lost.
    pub(crate) fn losses(&self, hub: &str) -> u32 {
        self.hubs.get(hub).map_or(0, |hub| hub.losses)
    }

    fn keep(&mut self, line: &Value) {
        self.tail.push_back(line.to_string());
        if self.tail.len() > 60 {
            self.tail.pop_front();
        }
    }

    fn hear_life(&mut self, line: &Value) {
        self.keep(line);
        let name = line["hub"].as_str().unwrap_or_default().to_owned();
        let hub = self.hubs.entry(name.clone()).or_default();
        let state = line["state"].as_str().unwrap_or_default();
        let is_right = match state {
            "connected" => !hub.is_connected && !hub.is_reconnecting,
            "reconnecting" => hub.is_connected,
            "waiting" => !hub.is_connected,
            "reconnected" => !hub.is_connected && hub.is_reconnecting,
            "restored" => hub.is_connected,
            "disconnected" => true,
            _ => false,
        };
        let was_connected = hub.is_connected;
        match state {
            "connected" | "reconnected" => (hub.is_connected, hub.is_reconnecting) = (true, false),
            "reconnecting" => (hub.is_connected, hub.is_reconnecting) = (false, true),
            "disconnected" => (hub.is_connected, hub.is_reconnecting) = (false, false),
            _ => {}
        }
        if was_connected && matches!(state, "reconnecting" | "disconnected") {
            hub.losses += 1;
            let prefix = format!("{name}/");
            let lost = self.seen.iter().filter(|subject| subject.starts_with(&prefix) && !self.open.contains(*subject));
            self.owed.extend(lost.cloned());
        }
        if !is_right {
            self.blame(format!("out of order: {line}"));
        }
    }

    fn hear_gap(&mut self, line: &Value) {
        self.keep(line);
        let subject = line["subject"].as_str().unwrap_or_default().to_owned();
        let is_right = match line["state"].as_str() {
            Some("open") => {
                self.owed.remove(&subject);
                self.seen.insert(subject.clone());
                self.open.insert(subject)
            }
            Some("closed") => {
                let hub = subject.split('/').next().and_then(|name| self.hubs.get(name));
                hub.is_some_and(|hub| hub.is_connected) && line["verdict"].is_string() && self.open.remove(&subject)
            }
            _ => false,
        };
        if !is_right {
            self.blame(format!("a gap out of order: {line}"));
        }
    }

    fn hear_value(&mut self, line: &Value) {
        let value = &line["value"];
        let subject = match line["event"].as_str().unwrap_or_default() {
            "account" => "user/accounts".to_owned(),
            "order" => format!("user/orders/{}", value["accountId"]),
            "position" => format!("user/positions/{}", value["accountId"]),
            "trade" => format!("user/trades/{}", value["accountId"]),
            "quote" => format!("market/quotes/{}", value["contractId"].as_str().unwrap_or_default()),
            "market_trade" => format!("market/market_trades/{}", value["contractId"].as_str().unwrap_or_default()),
            _ => format!("market/depth/{}", value["contractId"].as_str().unwrap_or_default()),
        };
        if !self.seen.contains(&subject) {
            self.blame(format!("before the first gap of its subject: {line}"));
        }
        if self.owed.contains(&subject) {
            self.blame(format!("between a loss and its gap: {line}"));
        }
        if line["event"] == "trade" {
            let key = (format!("{}/{}", value["accountId"], value["id"]), value["voided"] == true);
            let times = self.trades.entry(key).or_default();
            *times += 1;
            let times = *times;
            if times > 1 {
                self.blame(format!("told {times} times: {line}"));
            }
        }
    }
}
