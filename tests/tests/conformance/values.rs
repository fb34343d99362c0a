//! Numbers and dates as .NET prints them.

use adapter_core::Runtime;
use serde::Deserialize;
use serde_json::Value;
use tests::conformance;
use tests::hubs::Server;

use super::{builder, connect};

conformance! { decimals_and_doubles_are_read_exactly, dates_come_as_their_text }

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Numbers {
    price: f64,
    padded: f64,
    places28: f64,
    negative: f64,
    zero: f64,
    large: f64,
    double_price: f64,
    tenth: f64,
    tiny: f64,
    huge: f64,
    integer_double: f64,
    third: f64,
    id: i64,
    missing: Option<f64>,
}

async fn decimals_and_doubles_are_read_exactly<R: Runtime>(server: Server) {
    let connection = connect::<R>(builder(server.usual())).await;
    let numbers: Numbers = connection.invoke("Decimals", ()).await.unwrap();
    assert_eq!((numbers.price, numbers.padded, numbers.double_price), (5023.25, 5023.25, 5023.25));
    assert_eq!((numbers.negative, numbers.zero, numbers.tenth), (-0.25, 0.0, 0.1));
    assert_eq!((numbers.tiny, numbers.huge, numbers.integer_double), (1e-7, 1e21, 5.0));
    assert_eq!((numbers.id, numbers.missing), (9_007_199_254_740_993, None));
    assert!((numbers.places28 - 1.234_567_890_123_456_8).abs() < 1e-15);
    assert!((numbers.third - 1.0 / 3.0).abs() < 1e-15);
    assert!((numbers.large / 79_228_162_514_264_337_593_543_950_335.0 - 1.0).abs() < 1e-15);
    let tree: Value = connection.invoke("Decimals", ()).await.unwrap();
    assert_eq!((&tree["id"], &tree["price"]), (&Value::from(9_007_199_254_740_993_i64), &Value::from(5023.25)));
}

async fn dates_come_as_their_text<R: Runtime>(server: Server) {
    let connection = connect::<R>(builder(server.usual())).await;
    let dates: Value = connection.invoke("Dates", ()).await.unwrap();
    for (name, text) in [
        ("utc", "2026-11-20T14:30:00.1234567Z"),
        ("unspecified", "2026-11-20T14:30:00.1234567"),
        ("whole", "2026-11-20T14:30:00Z"),
        ("offset", "2026-11-20T08:30:00.1234567-06:00"),
        ("zeroOffset", "2026-11-20T14:30:00.1234567+00:00"),
        ("minimum", "0001-01-01T00:00:00"),
        ("span", "00:00:01.5000000"),
        ("day", "2026-11-20"),
    ] {
        assert_eq!(dates[name], text);
    }
    assert_eq!(dates["missing"], Value::Null);
}
