//! The quote of the floods, which measure clients and not the market.

/// The contract of the floods.
pub(crate) const CONTRACT: &str = "CON.F.US.EP.Z26";

/// The quote of the floods: the same bytes every time but for its serial.
pub(crate) fn contract_quote(serial: i64) -> String {
    format!(
        "{{\"symbol\":\"F.US.EP\",\"symbolName\":\"/ES\",\"lastPrice\":5023.25,\"bestBid\":5023.00,\
         \"bestAsk\":5023.25,\"change\":12.50,\"changePercent\":0.25,\"open\":5010.75,\"high\":5030.00,\
         \"low\":5005.25,\"volume\":{serial},\"lastUpdated\":\"2026-11-20T14:30:00.1234567+00:00\",\
         \"timestamp\":\"2026-11-20T14:30:00.1234567+00:00\"}}"
    )
}
