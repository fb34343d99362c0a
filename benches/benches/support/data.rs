//! What a market hub sends, as ASP.NET Core writes it.

/// The arguments of one `GatewayQuote`.
pub(crate) const ARGUMENTS: &str = concat!(
    r#"["CON.F.US.EP.Z26",{"symbol":"F.US.EP","symbolName":"/ES","lastPrice":5023.25,"bestBid":5023.00,"#,
    r#""bestAsk":5023.25,"change":12.50,"changePercent":0.25,"open":5010.75,"high":5030.00,"low":5005.25,"volume":306373,"#,
    r#""lastUpdated":"2026-11-20T14:30:00.1234567\u002B00:00","timestamp":"2026-11-20T14:30:00.1234567\u002B00:00"}]"#,
);

/// How many records a frame has: what a burst brings, and what a quiet feed does.
pub(crate) const SIZES: [usize; 2] = [50, 1];

/// One record of the usual shape, without its separator.
pub(crate) fn record() -> String {
    format!(r#"{{"type":1,"target":"GatewayQuote","arguments":{ARGUMENTS}}}"#)
}

/// A frame of so many of these records.
pub(crate) fn frame(record: &str, records: usize) -> String {
    format!("{record}\u{1e}").repeat(records)
}
