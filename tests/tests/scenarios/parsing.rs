//! Reading prices: good ones, bad ones, exact ones, and frames of every kind.
//!
//! Where a bad record is no JSON at all, everything behind it may be misread: the connection is given up, the gap says so, and another one
//! is made. Where the record is sound and its payload is not, that payload is told as malformed, and nothing else happens.

use std::time::Duration;

use adapter_core::{Cause, Delivery, Event, Runtime, State};
use mock_hub::Frame;
use mock_hub::faults::Fault;
use tests::events::{find, up_to};
use tests::scenarios;
use tests::wait::{next, within};
use topstep_model::{DepthRow, MarketEvent, MarketTrade, Price, Rows};

use super::quotes::{CONTRACT, Market, QUOTES, quote_record, read};

scenarios! {
    ws_parsing_valid_price_message,
    ws_parsing_malformed_json,
    ws_parsing_missing_required_fields,
    ws_parsing_price_type_validation,
    ws_parsing_decimal_precision,
    ws_parsing_invalid_message,
    ws_parsing_frame_buffering,
    ws_parsing_large_message,
}

/// Every member that a quote has.
const FULL: &str = r#"{"symbol":"F.US.EP","symbolName":"/ES","lastPrice":2100.25,"bestBid":2100.00,"bestAsk":2100.50,"change":25.50,"changePercent":0.14,"open":2090.00,"high":2110.00,"low":2080.00,"volume":12000,"lastUpdated":"2024-07-21T13:45:00Z","timestamp":"2024-07-21T13:45:00.1234567Z"}"#;

fn price(text: &str) -> Option<Price> {
    Some(text.parse().unwrap())
}

/// The digits of a price, as they stood on the wire.
fn digits(price: Option<Price>) -> Option<String> {
    price.map(|price| price.to_string())
}

async fn ws_parsing_valid_price_message<R: Runtime>() {
    let mut market = Market::<R>::new().await;
    market.tell(FULL);
    let quote = market.quote().await;
    assert_eq!(quote.symbol.as_ref().map(ToString::to_string).as_deref(), Some("F.US.EP"));
    assert_eq!(quote.symbol_name.as_ref().map(ToString::to_string).as_deref(), Some("/ES"));
    assert_eq!((quote.last_price, quote.best_bid, quote.best_ask), (price("2100.25"), price("2100"), price("2100.5")));
    assert_eq!((quote.change, quote.change_percent), (price("25.5"), price("0.14")));
    assert_eq!((quote.open, quote.high, quote.low), (price("2090"), price("2110"), price("2080")));
    assert_eq!(quote.volume, Some(12_000));
    assert_eq!(quote.last_updated.map(|at| at.to_string()).as_deref(), Some("2024-07-21T13:45:00Z"));
    assert_eq!(quote.timestamp.map(|at| at.to_string()).as_deref(), Some("2024-07-21T13:45:00.1234567Z"));
    assert_eq!(read(FULL).unwrap().values().next().map(|event| &event.value), Some(&quote));
    // Sparse, as most are: what is absent is no news, and never zero.
    market.tell(r#"{"bestBid":2100.25,"lastUpdated":"2024-07-21T13:45:01Z"}"#);
    let sparse = market.quote().await;
    assert_eq!(
        (sparse.best_bid, sparse.best_ask, sparse.last_price, sparse.volume),
        (price("2100.25"), None, None, None)
    );
    // The last price may lie outside of bid and ask, and they may cross: told as it is.
    market.tell(r#"{"lastPrice":2200,"bestBid":2101,"bestAsk":2100.75}"#);
    let crossed = market.quote().await;
    assert!(crossed.best_bid > crossed.best_ask && crossed.last_price > crossed.best_bid, "{crossed:?}");
}

async fn ws_parsing_malformed_json<R: Runtime>() {
    let bad = [
        "{\"type\":1,\"target\":\"GatewayQuote\",\"arguments\":[",
        "<html>503</html>",
        "{'type':6}",
        "{\"type\":NaN}",
        "",
    ];
    for text in bad {
        let mut market = Market::<R>::new().await;
        let subscription = market.connection.subscribe(QUOTES, (CONTRACT,));
        within::<R, _>("the subscription", subscription).await.unwrap();
        assert!(market.quote().await.open.is_some(), "the full quote that answers it");
        let mut events = market.connection.events();
        market.tell(r#"{"bestBid":1}"#);
        market.say(text);
        assert_eq!(market.quote().await.best_bid, price("1"), "{text}: what stood before it is delivered");
        let reason = find::<R, _>("the loss", &mut events, |event| match event {
            Event::Reconnecting(reason) => Some(reason.clone()),
            _ => None,
        });
        assert_eq!(reason.await.cause(), Cause::ProtocolViolation, "{text}");
        up_to::<R>(&mut events, "restored").await;
        let gap = market.next().await;
        assert!(
            matches!(&gap, Delivery::Gap(gap) if gap.reason.cause() == Cause::ProtocolViolation),
            "{text}: {gap:?}"
        );
        assert!(market.quote().await.open.is_some(), "{text}: subscribed again");
        market.tell(r#"{"bestBid":2}"#);
        assert_eq!(market.quote().await.best_bid, price("2"), "{text}");
    }
}

async fn ws_parsing_missing_required_fields<R: Runtime>() {
    let mut market = Market::<R>::new().await;
    let mut trades = market.connection.on::<Rows<MarketEvent<MarketTrade>>>("GatewayTrade");
    let mut depth = market.connection.on::<Rows<MarketEvent<DepthRow>>>("GatewayDepth");
    let (good, rest) = (r#"{"price":7730.5,"volume":1,"type":0}"#, r#""timestamp":"2024-07-21T13:45:00Z""#);
    let cases =
        [("price", r#""volume":1,"type":0"#), ("volume", r#""price":1,"type":0"#), ("type", r#""price":1,"volume":1"#)];
    for target in ["GatewayTrade", "GatewayDepth"] {
        for (missing, others) in cases {
            let rows = format!("[{good},{{{others},{rest}}},{good}]");
            market.say(&format!(r#"{{"type":1,"target":"{target}","arguments":["{CONTRACT}",{rows}]}}"#));
            let (values, errors): (Vec<_>, Vec<_>) = if target == "GatewayTrade" {
                let rows = next::<R, _>("trades", &mut trades).await.into_value().unwrap();
                (rows.values().map(|row| row.value.price).collect(), rows.errors().map(ToString::to_string).collect())
            } else {
                let rows = next::<R, _>("depth", &mut depth).await.into_value().unwrap();
                (rows.values().map(|row| row.value.price).collect(), rows.errors().map(ToString::to_string).collect())
            };
            assert_eq!(
                values.into_iter().map(Some).collect::<Vec<_>>(),
                [price("7730.5"); 2],
                "its neighbours are there"
            );
            assert_eq!(errors.len(), 1, "{errors:?}");
            assert!(errors[0].contains("[1][1]") && errors[0].contains(missing), "{errors:?}");
        }
    }
    // Of a quote nothing is required but its contract.
    market.say(r#"{"type":1,"target":"GatewayQuote","arguments":[]}"#);
    market.say(r#"{"type":1,"target":"GatewayQuote","arguments":[{"bestBid":1}]}"#);
    for _ in 0..2 {
        match market.next().await {
            Delivery::Malformed(_) => {}
            Delivery::Value(rows) => assert_eq!((rows.values().count(), rows.errors().count()), (0, 1), "{rows:?}"),
            other => panic!("{other:?}"),
        }
    }
    market.tell("{}");
    assert_eq!(market.quote().await.best_bid, None);
    assert_eq!(market.connection.state(), State::Connected);
}

async fn ws_parsing_price_type_validation<R: Runtime>() {
    let mut market = Market::<R>::new().await;
    let bad = [
        "\"abc\"",
        "\"\"",
        "\"1,5\"",
        "\" 1\"",
        "\"NaN\"",
        "\"Infinity\"",
        "\"0x10\"",
        "true",
        "false",
        "[]",
        "[1]",
        "{}",
    ];
    for value in bad {
        market.tell(&format!(r#"{{"bestBid":{value},"bestAsk":2100.5}}"#));
        let rows = market.rows().await;
        let errors: Vec<_> = rows.errors().map(ToString::to_string).collect();
        assert_eq!((rows.values().count(), errors.len()), (0, 1), "{value}: {rows:?}");
        assert!(errors[0].contains("bestBid"), "{errors:?}");
    }
    // A number in quotes is a number, and null is no news.
    for (value, expected) in
        [("\"2100.25\"", price("2100.25")), ("-0.5", price("-0.5")), ("1E-07", price("0.0000001")), ("null", None)]
    {
        market.tell(&format!(r#"{{"bestBid":{value},"bestAsk":2100.5}}"#));
        let quote = market.quote().await;
        assert_eq!((quote.best_bid, quote.best_ask), (expected, price("2100.5")), "{value}");
    }
    assert_eq!(market.connection.state(), State::Connected);
}

async fn ws_parsing_decimal_precision<R: Runtime>() {
    let mut market = Market::<R>::new().await;
    let exact = [
        "0.12345678",
        "1.234567890",
        "5023.500000001",
        "0.1",
        "0.30000000000000004",
        "123456789.123456789123456789",
        "9007199254740993",
        "0.0000000000000000000000000001",
        "-7922816251426.433759354395033",
        "2100.00",
    ];
    for text in exact {
        market.tell(&format!(r#"{{"bestBid":{text},"lastPrice":"{text}"}}"#));
        let quote = market.quote().await;
        assert_eq!(digits(quote.best_bid).as_deref(), Some(text));
        assert_eq!(digits(quote.last_price).as_deref(), Some(text));
    }
    // More than can be kept is an error that shows what came, and is never rounded.
    for text in ["0.00000000000000000000000000001", "12345678901234567890123456789"] {
        market.tell(&format!(r#"{{"bestBid":{text}}}"#));
        let rows = market.rows().await;
        let errors: Vec<_> = rows.errors().map(ToString::to_string).collect();
        assert!(rows.values().next().is_none() && errors.len() == 1 && errors[0].contains(text), "{errors:?}");
    }
}

/// What WebSocket or the hub protocol does not know: some of it is nobody's business, some ends the connection, nothing is silent.
async fn ws_parsing_invalid_message<R: Runtime>() {
    // Known to nobody: counted, told, and the next quote is there.
    let mut market = Market::<R>::new().await;
    let mut events = market.connection.events();
    for record in [
        r#"{"type":42}"#,
        r#"{"type":3,"invocationId":"nobody"}"#,
        r#"{"type":1,"target":"GatewaySummary","arguments":[1]}"#,
    ] {
        market.say(record);
    }
    let binary = format!("{}\u{1e}", quote_record(r#"{"bestBid":3}"#));
    assert!(market.hub.send_raw(&market.id(), Frame::Binary(binary.into_bytes())), "text in a binary frame is text");
    assert_eq!(market.quote().await.best_bid, price("3"));
    let names = up_to::<R>(&mut events, "invocation:GatewayQuote").await;
    let of = |name: &str| names.iter().filter(|told| *told == name).count();
    assert_eq!((of("violation"), of("unhandled:GatewaySummary")), (2, 1), "{names:?}");
    assert_eq!(market.connection.state(), State::Connected);

    let ends: [(&str, Frame, Cause); 4] = [
        (
            "a text that is not UTF-8",
            Frame::Text(b"{\"type\":6,\"x\":\"\xff\"}\x1e".to_vec()),
            Cause::ProtocolViolation,
        ),
        ("a reserved opcode", Frame::Wire(vec![0x83, 0x00]), Cause::ProtocolViolation),
        ("a masked frame of a server", Frame::Wire(vec![0x81, 0x81, 1, 2, 3, 4, 5]), Cause::ProtocolViolation),
        ("a reserved bit", Frame::Wire(vec![0xf1, 0x00]), Cause::ProtocolViolation),
    ];
    for (what, frame, cause) in ends {
        let mut market = Market::<R>::new().await;
        let mut events = market.connection.lifecycle();
        market.tell(r#"{"bestBid":4}"#);
        assert_eq!(market.quote().await.best_bid, price("4"));
        market.hub.send_raw(&market.id(), frame);
        let told = find::<R, _>(what, &mut events, |event| match event {
            Event::Reconnecting(reason) => Some(reason.cause()),
            _ => None,
        });
        assert_eq!(told.await, cause, "{what}");
        up_to::<R>(&mut events, "restored").await;
        assert!(matches!(market.next().await, Delivery::Gap(_)), "{what}: the gap");
        assert!(market.hub.until(Duration::from_secs(20), |hub| hub.connections().len() == 1).await);
        market.tell(r#"{"bestBid":5}"#);
        assert_eq!(market.quote().await.best_bid, price("5"), "{what}");
    }
}

/// However records are cut, glued and interleaved, the same quotes come.
async fn ws_parsing_frame_buffering<R: Runtime>() {
    let faults = [
        Fault::SplitRecords { size: 1 },
        Fault::SplitRecords { size: 7 },
        Fault::FragmentedRecords { size: 1, with_pings: true },
        Fault::FragmentedRecords { size: 3, with_pings: false },
        Fault::GluedRecords { records: 5, hold: Duration::from_millis(300) },
        Fault::OneByteWrites,
        Fault::BinaryFrames,
    ];
    for fault in faults {
        let mut market = Market::<R>::new().await;
        market.hub.inject(fault.clone()).unwrap();
        for number in 0..10 {
            // Not only ASCII, so that characters are cut, too.
            market.tell(&format!(r#"{{"symbolName":"/ÉS 😀","bestBid":{number}.25,"bestAsk":{number}.5}}"#));
        }
        for number in 0..10 {
            let quote = market.quote().await;
            assert_eq!(quote.symbol_name.as_ref().map(ToString::to_string).as_deref(), Some("/ÉS 😀"), "{fault:?}");
            assert_eq!(digits(quote.best_bid), Some(format!("{number}.25")), "{fault:?}");
        }
        assert_eq!(market.connection.state(), State::Connected, "{fault:?}");
    }
}

/// 64 KiB is nothing special; 1 MiB is the limit, which can be moved.
async fn ws_parsing_large_message<R: Runtime>() {
    const LIMIT: usize = 1 << 20;
    let mut market = Market::<R>::new().await;
    let mut depth = market.connection.on::<Rows<MarketEvent<DepthRow>>>("GatewayDepth");
    for count in [1_000, 10_000] {
        let rows: Vec<_> = (0..count)
            .map(|level| format!(r#"{{"price":{level}.25,"volume":{level},"currentVolume":0,"type":1}}"#))
            .collect();
        let record = format!(r#"{{"type":1,"target":"GatewayDepth","arguments":["{CONTRACT}",[{}]]}}"#, rows.join(","));
        assert!(record.len() > if count == 1_000 { 48 << 10 } else { 512 << 10 }, "{}", record.len());
        market.say(&record);
        let rows = next::<R, _>("depth", &mut depth).await.into_value().unwrap();
        assert_eq!((rows.values().count(), rows.errors().count()), (count, 0));
        assert!(rows.values().zip(0..).all(|(row, level)| row.value.volume == level));
    }
    // To the byte: as long as may be, and one more.
    let padded = |bytes: usize| {
        let bare = quote_record(r#"{"bestBid":7,"padding":""}"#).len();
        quote_record(&format!(r#"{{"bestBid":7,"padding":"{}"}}"#, "x".repeat(bytes - bare)))
    };
    for bytes in [64 << 10, (64 << 10) + 1, LIMIT] {
        market.say(&padded(bytes));
        assert_eq!(market.quote().await.best_bid, price("7"), "{bytes} bytes");
    }
    let mut events = market.connection.lifecycle();
    market.say(&padded(LIMIT + 1));
    let told = find::<R, _>("the loss", &mut events, |event| match event {
        Event::Reconnecting(reason) => Some(reason.cause()),
        _ => None,
    });
    assert_eq!(told.await, Cause::Oversize);
    up_to::<R>(&mut events, "restored").await;
    assert!(matches!(market.next().await, Delivery::Gap(_)), "what was too long may be missing");
}
