//! What a contract costs to trade and to hold.

use rust_decimal::Decimal;

/// The costs of one contract, in dollars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Costs {
    /// Exchange fees of one contract and side.
    pub(super) fee: Decimal,
    /// Commission of one contract and side.
    pub(super) commission: Decimal,
    /// What holding one contract takes of the balance.
    pub(super) margin: Decimal,
}

/// Cents of fee and commission, dollars of margin. The two micros at the top are as captured, the rest is plausible.
const TABLE: &[(&[&str], i64, i64, i64)] = &[
    (&["MNQ"], 36, 25, 50),
    (&["MYM"], 37, 25, 50),
    (&["MES", "M2K"], 37, 25, 50),
    (&["MCLE", "MNG", "MGC", "SIL", "MHG"], 52, 25, 100),
    (&["M6E", "M6B", "M6A"], 26, 25, 50),
    (&["MBT", "GMET"], 230, 25, 100),
    (&["EP", "ENQ", "RTY", "YM"], 140, 50, 500),
    (&["USA", "ULA", "TYA", "TNA", "FVA", "TUA"], 89, 50, 500),
];

/// Of a root that the table does not name.
const OTHER: (i64, i64, i64) = (162, 50, 500);

/// The costs of a symbol such as `F.US.MNQ`.
pub(super) fn of(symbol_id: &str) -> Costs {
    let root = symbol_id.rsplit('.').next().unwrap_or_default();
    let known = TABLE.iter().find(|(roots, ..)| roots.contains(&root));
    let (fee, commission, margin) = known.map_or(OTHER, |(_, fee, commission, margin)| (*fee, *commission, *margin));
    Costs { fee: Decimal::new(fee, 2), commission: Decimal::new(commission, 2), margin: Decimal::from(margin) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_micros_cost_what_was_captured() {
        let fifteen = Decimal::from(15);
        let (mnq, mym) = (of("F.US.MNQ"), of("F.US.MYM"));
        assert_eq!((mnq.fee, mnq.commission), (Decimal::new(36, 2), Decimal::new(25, 2)));
        assert_eq!((mym.fee * fifteen, mym.commission * fifteen), (Decimal::new(555, 2), Decimal::new(375, 2)));
    }

    #[test]
    fn an_unknown_root_costs_something() {
        assert!(of("F.US.NEW").fee > Decimal::ZERO && of("").margin > Decimal::ZERO);
    }
}
