//! The products that the venue lists: what the reference's table of contracts says of each, and where its price stands.

/// One product, of which a contract is listed for each of its months.
#[derive(Debug)]
pub(super) struct Root {
    /// The product in contract and symbol ids, such as `EP`.
    pub(super) id: &'static str,
    /// The exchange's own name, such as `ES`.
    pub(super) name: &'static str,
    /// What people call it, such as `E-mini S&P 500`.
    pub(super) title: &'static str,
    /// The tick: units, and the number of decimal places.
    pub(super) tick: (i64, u32),
    /// What one tick of one contract is worth in dollars, written like `tick`.
    pub(super) value: (i64, u32),
    /// The letters of the months that it is listed for.
    pub(super) months: &'static str,
    /// When its front contract gives way to the next.
    pub(super) roll: Roll,
    /// A plausible price, in ticks.
    pub(super) price: i64,
}

impl Root {
    /// What it is a contract on, whatever the size of the contract.
    pub(super) fn underlying(&self) -> &'static str {
        self.title.trim_start_matches("Micro ").trim_start_matches("E-mini ")
    }
}

/// The last day on which a contract is the front one: this day, so many months before the month it is named after.
#[derive(Clone, Copy, Debug)]
pub(super) struct Roll {
    pub(super) months_before: i32,
    pub(super) day: u8,
}

/// The month letters of futures, January first.
pub(super) const MONTHS: &str = "FGHJKMNQUVXZ";

const QUARTERS: &str = "HMUZ";
const EVEN: &str = "GJMQVZ";
const GRAIN: &str = "HKNUZ";

const INDEX: Roll = Roll { months_before: 0, day: 16 };
const CURRENCY: Roll = Roll { months_before: 0, day: 14 };
const RATE: Roll = Roll { months_before: 1, day: 28 };
const ENERGY: Roll = Roll { months_before: 1, day: 18 };
const METAL: Roll = Roll { months_before: 1, day: 26 };
const CRYPTO: Roll = Roll { months_before: 0, day: 24 };
const CROP: Roll = Roll { months_before: 1, day: 26 };
const MEAT: Roll = Roll { months_before: 0, day: 5 };

type Amount = (i64, u32);

const fn root(
    (id, name, title): (&'static str, &'static str, &'static str),
    (tick, value): (Amount, Amount),
    (months, roll): (&'static str, Roll),
    price: i64,
) -> Root {
    Root { id, name, title, tick, value, months, roll, price }
}

/// The product of an id, or none where the venue does not list it.
pub(super) fn find(id: &str) -> Option<&'static Root> {
    ROOTS.iter().find(|root| root.id == id)
}

/// Every product of the reference's table.
pub(super) static ROOTS: [Root; 51] = [
    root(("EP", "ES", "E-mini S&P 500"), ((25, 2), (125, 1)), (QUARTERS, INDEX), 27_200),
    root(("ENQ", "NQ", "E-mini NASDAQ-100"), ((25, 2), (5, 0)), (QUARTERS, INDEX), 100_400),
    root(("MES", "MES", "Micro E-mini S&P 500"), ((25, 2), (125, 2)), (QUARTERS, INDEX), 27_200),
    root(("MNQ", "MNQ", "Micro E-mini NASDAQ-100"), ((25, 2), (5, 1)), (QUARTERS, INDEX), 100_400),
    root(("RTY", "RTY", "E-mini Russell 2000"), ((1, 1), (5, 0)), (QUARTERS, INDEX), 24_000),
    root(("M2K", "M2K", "Micro E-mini Russell 2000"), ((1, 1), (5, 1)), (QUARTERS, INDEX), 24_000),
    root(("YM", "YM", "E-mini Dow"), ((1, 0), (5, 0)), (QUARTERS, INDEX), 49_900),
    root(("MYM", "MYM", "Micro E-mini Dow"), ((1, 0), (5, 1)), (QUARTERS, INDEX), 49_900),
    root(("NKD", "NKD", "Nikkei 225 (Dollar)"), ((5, 0), (25, 0)), (QUARTERS, INDEX), 10_000),
    root(("CLE", "CL", "Crude Oil"), ((1, 2), (10, 0)), (MONTHS, ENERGY), 7_000),
    root(("MCLE", "MCL", "Micro Crude Oil"), ((1, 2), (1, 0)), (MONTHS, ENERGY), 7_000),
    root(("NQM", "QM", "E-mini Crude Oil"), ((25, 3), (125, 1)), (MONTHS, ENERGY), 2_800),
    root(("NGE", "NG", "Natural Gas"), ((1, 3), (10, 0)), (MONTHS, ENERGY), 3_500),
    root(("MNG", "MNG", "Micro Natural Gas"), ((1, 3), (1, 0)), (MONTHS, ENERGY), 3_500),
    root(("NQG", "QG", "E-mini Natural Gas"), ((5, 3), (125, 1)), (MONTHS, ENERGY), 700),
    root(("RBE", "RB", "RBOB Gasoline"), ((1, 4), (42, 1)), (MONTHS, ENERGY), 21_500),
    root(("HOE", "HO", "NY Harbor ULSD"), ((1, 4), (42, 1)), (MONTHS, ENERGY), 23_500),
    root(("GCE", "GC", "Gold"), ((1, 1), (10, 0)), (EVEN, METAL), 34_000),
    root(("MGC", "MGC", "Micro Gold"), ((1, 1), (1, 0)), (EVEN, METAL), 34_000),
    root(("SIE", "SI", "Silver"), ((5, 3), (25, 0)), (GRAIN, METAL), 7_600),
    root(("SIL", "SIL", "Micro Silver"), ((5, 3), (5, 0)), (GRAIN, METAL), 7_600),
    root(("CPE", "HG", "Copper"), ((5, 4), (125, 1)), (GRAIN, METAL), 9_000),
    root(("MHG", "MHG", "Micro Copper"), ((5, 4), (125, 2)), (GRAIN, METAL), 9_000),
    root(("PLE", "PL", "Platinum"), ((1, 1), (5, 0)), ("FJNV", METAL), 13_500),
    root(("USA", "ZB", "30 Year US Treasury Bond"), ((3_125, 5), (3_125, 2)), (QUARTERS, RATE), 3_700),
    root(("ULA", "UB", "Ultra US Treasury Bond"), ((3_125, 5), (3_125, 2)), (QUARTERS, RATE), 3_800),
    root(("TYA", "ZN", "10 Year US Treasury Note"), ((15_625, 6), (15_625, 3)), (QUARTERS, RATE), 7_100),
    root(("TNA", "TN", "Ultra 10 Year US Treasury Note"), ((15_625, 6), (15_625, 3)), (QUARTERS, RATE), 7_300),
    root(("FVA", "ZF", "5 Year US Treasury Note"), ((78_125, 7), (78_125, 4)), (QUARTERS, RATE), 14_000),
    root(("TUA", "ZT", "2 Year US Treasury Note"), ((390_625, 8), (78_125, 4)), (QUARTERS, RATE), 26_600),
    root(("EU6", "6E", "Euro FX"), ((5, 5), (625, 2)), (QUARTERS, CURRENCY), 23_400),
    root(("BP6", "6B", "British Pound"), ((1, 4), (625, 2)), (QUARTERS, CURRENCY), 13_400),
    root(("DA6", "6A", "Australian Dollar"), ((5, 5), (5, 0)), (QUARTERS, CURRENCY), 13_000),
    root(("CA6", "6C", "Canadian Dollar"), ((5, 5), (5, 0)), (QUARTERS, CURRENCY), 14_500),
    root(("JY6", "6J", "Japanese Yen"), ((5, 7), (625, 2)), (QUARTERS, CURRENCY), 13_500),
    root(("SF6", "6S", "Swiss Franc"), ((5, 5), (625, 2)), (QUARTERS, CURRENCY), 25_000),
    root(("NE6", "6N", "New Zealand Dollar"), ((5, 5), (5, 0)), (QUARTERS, CURRENCY), 11_900),
    root(("MX6", "6M", "Mexican Peso"), ((1, 5), (5, 0)), (QUARTERS, CURRENCY), 5_300),
    root(("EEU", "E7", "E-mini Euro FX"), ((1, 4), (625, 2)), (QUARTERS, CURRENCY), 11_700),
    root(("M6E", "M6E", "Micro Euro FX"), ((1, 4), (125, 2)), (QUARTERS, CURRENCY), 11_700),
    root(("M6B", "M6B", "Micro British Pound"), ((1, 4), (625, 3)), (QUARTERS, CURRENCY), 13_400),
    root(("M6A", "M6A", "Micro Australian Dollar"), ((1, 4), (1, 0)), (QUARTERS, CURRENCY), 6_500),
    root(("MBT", "MBT", "Micro Bitcoin"), ((5, 0), (5, 1)), (MONTHS, CRYPTO), 20_000),
    root(("GMET", "MET", "Micro Ether"), ((5, 1), (5, 2)), (MONTHS, CRYPTO), 6_000),
    root(("ZCE", "ZC", "Corn"), ((25, 2), (125, 1)), (GRAIN, CROP), 1_720),
    root(("ZWA", "ZW", "Chicago SRW Wheat"), ((25, 2), (125, 1)), (GRAIN, CROP), 2_200),
    root(("ZSE", "ZS", "Soybeans"), ((25, 2), (125, 1)), ("FHKNQUX", CROP), 4_300),
    root(("ZLE", "ZL", "Soybean Oil"), ((1, 2), (6, 0)), ("FHKNQUVZ", CROP), 5_100),
    root(("ZME", "ZM", "Soybean Meal"), ((1, 1), (10, 0)), ("FHKNQUVZ", CROP), 3_100),
    root(("GLE", "LE", "Live Cattle"), ((25, 3), (10, 0)), (EVEN, MEAT), 9_200),
    root(("HE", "HE", "Lean Hogs"), ((25, 3), (10, 0)), ("GJKMNQVZ", MEAT), 3_500),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_product_has_an_id_of_its_own_and_is_listed() {
        for root in &ROOTS {
            assert_eq!(
                ROOTS.iter().filter(|other| other.id == root.id || other.name == root.name).count(),
                1,
                "{root:?}"
            );
            assert!(root.months.chars().all(|month| MONTHS.contains(month)), "{root:?}");
            assert!(root.price >= 500 && root.tick.0 > 0 && root.value.0 > 0, "{root:?}");
        }
    }
}
