//! Quotes that only count.

use mock_hub::Options;
use serde_json::json;

use super::common::Client;
use super::start;

#[tokio::test]
async fn quotes_begin_with_a_full_one_before_the_completion_and_count_without_a_hole() {
    let hub = start(Options { counted_quotes: true, quotes_per_second: 200.0, ..Options::default() });
    let mut client = Client::connect(&hub.hub_url("market")).await;
    let completion = client.call("1", "SubscribeContractQuotes", "[\"CON.F.US.MNQ.U26\"]").await;
    assert_eq!(completion, json!({ "type": 3, "invocationId": "1", "result": null }));

    let first = client.json().await;
    assert_eq!(first["target"], "GatewayQuote");
    let quote = &first["arguments"][1];
    for member in ["symbol", "lastPrice", "bestBid", "bestAsk", "change", "open", "high", "low", "volume", "timestamp"]
    {
        assert!(quote.get(member).is_some(), "no {member} in {quote}");
    }
    let mut serial = quote["volume"].as_u64().unwrap();
    for _ in 0..50 {
        let next = client.json().await;
        assert_eq!(next["arguments"][0], "CON.F.US.MNQ.U26");
        let quote = &next["arguments"][1];
        assert!(quote.get("open").is_none(), "not sparse: {quote}");
        // Up to seven digits of a second: .NET leaves out the zeros at the end.
        let at = quote["lastUpdated"].as_str().unwrap();
        assert!(at.ends_with("+00:00") && at.len() <= "2026-11-20T14:30:00.1234567+00:00".len(), "{at}");
        serial += 1;
        assert_eq!(quote["volume"], serial);
    }
    client.call("2", "UnsubscribeContractQuotes", "[\"CON.F.US.MNQ.U26\"]").await;
}

#[tokio::test]
async fn a_later_subscriber_continues_the_count() {
    let hub = start(Options { counted_quotes: true, quotes_per_second: 500.0, ..Options::default() });
    let mut early = Client::connect(&hub.hub_url("market")).await;
    early.call("1", "SubscribeContractQuotes", "[\"C\"]").await;
    while early.json().await["arguments"][1]["volume"].as_u64() < Some(20) {}
    let mut late = Client::connect(&hub.hub_url("market")).await;
    late.call("1", "SubscribeContractQuotes", "[\"C\"]").await;
    let first = late.json().await["arguments"][1]["volume"].as_u64().unwrap();
    assert!(first >= 20, "{first}");
    assert_eq!(late.json().await["arguments"][1]["volume"], first + 1);
}
