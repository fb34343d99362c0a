//! The market hub: full quotes and sparse ones, the book, rates, and contracts that nobody knows.

use std::collections::BTreeMap;
use std::time::Duration;

use mock_hub::{Clock, MockHub, Options};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::common::Client;
use crate::common::rest::control;
use crate::{MNQ, market, start, still};

const SECOND: Duration = Duration::from_secs(1);

fn moving(rate: f64) -> MockHub {
    start(Options { clock: Clock::Virtual, quotes_per_second: rate, seed: 7, ..Options::default() })
}

async fn subscribe(client: &mut Client, what: &str, contract: &str) {
    let completion = client.call(what, &format!("Subscribe{what}"), &format!("[\"{contract}\"]")).await;
    assert_eq!(completion, json!({ "type": 3, "invocationId": what, "result": null }));
}

/// Everything that the client was sent so far, after a call that fences it off.
async fn heard(client: &mut Client) -> Vec<(String, Value)> {
    client.send("{\"type\":1,\"invocationId\":\"fence\",\"target\":\"Fence\",\"arguments\":[]}\u{1e}").await;
    let mut events = Vec::new();
    loop {
        let mut record = client.json().await;
        if record["invocationId"] == "fence" {
            return events;
        }
        if record["type"] == 1 {
            events.push((record["target"].as_str().unwrap().to_owned(), record["arguments"][1].take()));
        }
    }
}

#[tokio::test]
async fn quotes_begin_full_before_the_completion_and_go_on_sparse() {
    let hub = moving(42.0);
    let mut client = market(&hub).await;
    subscribe(&mut client, "ContractQuotes", MNQ).await;
    let first = client.json().await;
    assert_eq!((&first["target"], &first["arguments"][0]), (&json!("GatewayQuote"), &json!(MNQ)));
    let mut merged = first["arguments"][1].clone();
    for member in ["symbol", "lastPrice", "bestBid", "bestAsk", "change", "open", "high", "low", "volume", "timestamp"]
    {
        assert!(merged.get(member).is_some(), "no {member} in {merged}");
    }
    assert_eq!(merged["symbol"], "F.US.MNQ");
    hub.advance(3 * SECOND).unwrap();
    let quotes = heard(&mut client).await;
    assert!((100..=150).contains(&quotes.len()), "42 a second, not {}", quotes.len());
    for (index, (target, quote)) in quotes.into_iter().enumerate() {
        // The first one of a contract that nobody followed before is full again.
        assert!(target == "GatewayQuote" && (index == 0 || quote.get("open").is_none()), "{index}: {quote}");
        merged.as_object_mut().unwrap().extend(quote.as_object().unwrap().clone());
    }
    let truth = &control(&hub, "GET", "truth").await["quotes"][0];
    assert_eq!(truth["contractId"], MNQ);
    for member in ["bestBid", "bestAsk", "lastPrice"] {
        assert_eq!(truth[member].as_str().unwrap(), merged[member].to_string().trim_end_matches(".0"), "{member}");
    }
}

type Book = BTreeMap<(bool, Decimal), u64>;

/// Applies rows as a client would: levels are absolute, 0 removes, Reset clears, prints do not touch the book.
fn apply(book: &mut Book, rows: &Value) {
    for row in rows.as_array().unwrap().iter().filter(|row| !row.is_null()) {
        let price = Decimal::from_str_exact(&row["price"].to_string()).unwrap().normalize();
        let is_bid = match row["type"].as_i64().unwrap() {
            1 | 3 | 10 => false,
            2 | 4 | 9 => true,
            6 => {
                book.clear();
                continue;
            }
            _ => continue,
        };
        match row["volume"].as_u64().unwrap() {
            0 => drop(book.remove(&(is_bid, price))),
            size => drop(book.insert((is_bid, price), size)),
        }
    }
}

fn real_book(hub: &MockHub) -> Book {
    let levels = hub.with_market(|_, market| market.book(MNQ)).unwrap();
    let side = |is_bid, levels: Vec<(Decimal, u32)>| {
        levels.into_iter().map(move |(price, size)| ((is_bid, price.normalize()), u64::from(size)))
    };
    side(true, levels.bids).chain(side(false, levels.asks)).collect()
}

#[tokio::test]
async fn a_snapshot_and_the_rows_after_it_are_the_book_whenever_one_joins() {
    let hub = moving(200.0);
    let mut clients = Vec::new();
    for _ in 0..3 {
        let mut client = market(&hub).await;
        subscribe(&mut client, "ContractMarketDepth", MNQ).await;
        let mut book = Book::new();
        let mut bytes = 0;
        for (index, (target, rows)) in heard(&mut client).await.into_iter().enumerate() {
            assert_eq!(target, "GatewayDepth");
            if index == 0 {
                assert_eq!((&rows[0]["type"], &rows[0]["timestamp"]), (&json!(6), &json!("0001-01-01T00:00:00+00:00")));
            }
            bytes += rows.to_string().len();
            apply(&mut book, &rows);
        }
        assert!(bytes > 10_000, "{bytes}");
        assert_eq!(book, real_book(&hub));
        clients.push((client, book));
        hub.advance(SECOND).unwrap();
    }
    for (client, book) in &mut clients {
        let rows = heard(client).await;
        assert!(!rows.is_empty());
        rows.iter().for_each(|(_, rows)| apply(book, rows));
        assert_eq!(*book, real_book(&hub));
    }
}

#[tokio::test]
async fn a_market_that_stands_still_has_its_full_quote_and_snapshot_all_the_same() {
    let hub = still();
    let mut client = market(&hub).await;
    subscribe(&mut client, "ContractTrades", MNQ).await;
    subscribe(&mut client, "ContractQuotes", MNQ).await;
    subscribe(&mut client, "ContractMarketDepth", MNQ).await;
    let targets: Vec<_> = heard(&mut client).await.into_iter().map(|(target, _)| target).collect();
    assert_eq!(targets, ["GatewayQuote", "GatewayDepth"]);
    hub.advance(60 * SECOND).unwrap();
    assert_eq!(heard(&mut client).await, []);

    control(&hub, "POST", "market?rate=10").await;
    hub.advance(SECOND).unwrap();
    let count = heard(&mut client).await.iter().filter(|(target, _)| target == "GatewayQuote").count();
    assert!((5..=15).contains(&count), "{count}");
    control(&hub, "POST", "market?rate=0").await;
    hub.advance(60 * SECOND).unwrap();
    assert_eq!(heard(&mut client).await, []);
}

#[tokio::test]
async fn a_nudge_moves_quotes_trades_and_depth_at_once() {
    let hub = still();
    let mut client = market(&hub).await;
    for what in ["ContractQuotes", "ContractTrades", "ContractMarketDepth"] {
        subscribe(&mut client, what, MNQ).await;
    }
    heard(&mut client).await;
    assert!(hub.set_price(MNQ, Decimal::from(30_000)));
    let events = heard(&mut client).await;
    for target in ["GatewayQuote", "GatewayTrade", "GatewayDepth"] {
        assert!(events.iter().any(|(of, _)| of == target), "no {target}: {events:?}");
    }
    let truth = control(&hub, "GET", "truth").await;
    assert_eq!(truth["quotes"][0]["lastPrice"], "30000");
    assert!(!hub.set_price("CON.F.US.NOPE.Z26", Decimal::ONE));
}

#[tokio::test]
async fn an_unknown_contract_is_accepted_and_stays_silent() {
    let hub = moving(42.0);
    let mut client = market(&hub).await;
    for what in ["ContractQuotes", "ContractTrades", "ContractMarketDepth"] {
        subscribe(&mut client, what, "CON.F.US.NOPE.Z26").await;
    }
    hub.advance(SECOND).unwrap();
    assert_eq!(heard(&mut client).await, []);
}

#[tokio::test]
async fn leaving_ends_the_flow_of_that_topic_alone() {
    let hub = moving(42.0);
    let mut client = market(&hub).await;
    subscribe(&mut client, "ContractQuotes", MNQ).await;
    subscribe(&mut client, "ContractTrades", MNQ).await;
    client.call("u", "UnsubscribeContractQuotes", &format!("[\"{MNQ}\"]")).await;
    heard(&mut client).await;
    hub.advance(SECOND).unwrap();
    let events = heard(&mut client).await;
    assert!(!events.is_empty() && events.iter().all(|(target, _)| target == "GatewayTrade"), "{events:?}");
}

#[tokio::test]
async fn padding_is_an_option() {
    for null_padding in [false, true] {
        let options = Options { null_padding, clock: Clock::Virtual, quotes_per_second: 100.0, ..Options::default() };
        let hub = start(options);
        let mut client = market(&hub).await;
        subscribe(&mut client, "ContractTrades", MNQ).await;
        hub.advance(10 * SECOND).unwrap();
        let arrays = heard(&mut client).await;
        let has_null = arrays.iter().any(|(_, rows)| rows.as_array().unwrap().iter().any(Value::is_null));
        assert_eq!(has_null, null_padding);
    }
}

#[tokio::test]
async fn time_flows_by_itself_with_the_system_s_clock() {
    let hub = start(Options { quotes_per_second: 200.0, ..Options::default() });
    let contract = hub.with_market(|_, market| market.contracts().active()[0].id.clone());
    let mut client = market(&hub).await;
    subscribe(&mut client, "ContractQuotes", &contract).await;
    for _ in 0..50 {
        assert_eq!(client.json().await["target"], "GatewayQuote");
    }
}
