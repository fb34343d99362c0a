//! What kind of event a group carries: a label with few values, where the group's own name has one for each contract.

/// The event's name for a group of a class of hubs, or `other`.
pub(crate) fn target_of(class: &str, group: &str) -> &'static str {
    let (topic, _) = group.split_once('/').unwrap_or((group, ""));
    match (class, topic) {
        ("market", "quotes") => "GatewayQuote",
        ("market", "trades") => "GatewayTrade",
        ("market", "depth") => "GatewayDepth",
        ("user", "accounts") => "GatewayUserAccount",
        ("user", "orders") => "GatewayUserOrder",
        ("user", "positions") => "GatewayUserPosition",
        ("user", "trades") => "GatewayUserTrade",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_contract_and_no_account_is_a_label() {
        assert_eq!(target_of("market", "trades/CON.F.US.EP.Z26"), "GatewayTrade");
        assert_eq!(target_of("user", "trades/123"), "GatewayUserTrade");
        assert_eq!(target_of("user", "accounts"), "GatewayUserAccount");
        assert_eq!(target_of("conformance", "quotes/CON.F.US.EP.Z26"), "other");
    }
}
