//! The products that the venue listed in August 2026.

use crate::{Price, SymbolId};

use super::tick::Tick;

/// A product of the venue's list: how its contracts are called, and what their ticks are worth.
///
/// For showing and for tests. A program that trades takes the tick from the contract that REST answered, which is the venue's own word
/// of today.
///
/// ```
/// use topstep_model::Product;
///
/// let product = Product::find("EP").expect("the venue lists it");
/// assert_eq!((product.exchange_root, product.symbol_id().as_str()), ("ES", "F.US.EP"));
/// assert_eq!(product.tick().value().to_string(), "12.5");
/// ```
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Product {
    /// The code in the venue's ids.
    pub code: &'static str,
    /// The exchange's root.
    pub exchange_root: &'static str,
    /// Mantissa and places of the tick's size and of its value.
    tick: [(i64, u32); 2],
}

impl Product {
    /// Every product, in the order of the venue's documentation.
    pub const ALL: &'static [Self] = &PRODUCTS;

    /// The product with this code in the venue's ids.
    pub fn find(code: &str) -> Option<&'static Self> {
        PRODUCTS.iter().find(|product| product.code == code)
    }

    /// The product with this root at the exchange.
    pub fn of_root(root: &str) -> Option<&'static Self> {
        PRODUCTS.iter().find(|product| product.exchange_root == root)
    }

    /// The id that quotes name.
    pub fn symbol_id(&self) -> SymbolId {
        SymbolId::from(format!("F.US.{}", self.code))
    }

    /// The tick of its contracts.
    pub fn tick(&self) -> Tick {
        let [size, value] =
            self.tick.map(|(mantissa, places)| Price::new(mantissa, places).expect("the table has few places"));
        Tick::new(size, value).expect("the table has positive ticks")
    }
}

const fn product(code: &'static str, exchange_root: &'static str, size: (i64, u32), value: (i64, u32)) -> Product {
    Product { code, exchange_root, tick: [size, value] }
}

static PRODUCTS: [Product; 51] = [
    product("EP", "ES", (25, 2), (125, 1)),
    product("ENQ", "NQ", (25, 2), (5, 0)),
    product("MES", "MES", (25, 2), (125, 2)),
    product("MNQ", "MNQ", (25, 2), (5, 1)),
    product("RTY", "RTY", (1, 1), (5, 0)),
    product("M2K", "M2K", (1, 1), (5, 1)),
    product("YM", "YM", (1, 0), (5, 0)),
    product("MYM", "MYM", (1, 0), (5, 1)),
    product("NKD", "NKD", (5, 0), (25, 0)),
    product("CLE", "CL", (1, 2), (10, 0)),
    product("MCLE", "MCL", (1, 2), (1, 0)),
    product("NQM", "QM", (25, 3), (125, 1)),
    product("NGE", "NG", (1, 3), (10, 0)),
    product("MNG", "MNG", (1, 3), (1, 0)),
    product("NQG", "QG", (5, 3), (125, 1)),
    product("RBE", "RB", (1, 4), (42, 1)),
    product("HOE", "HO", (1, 4), (42, 1)),
    product("GCE", "GC", (1, 1), (10, 0)),
    product("MGC", "MGC", (1, 1), (1, 0)),
    product("SIE", "SI", (5, 3), (25, 0)),
    product("SIL", "SIL", (5, 3), (5, 0)),
    product("CPE", "HG", (5, 4), (125, 1)),
    product("MHG", "MHG", (5, 4), (125, 2)),
    product("PLE", "PL", (1, 1), (5, 0)),
    product("USA", "ZB", (3125, 5), (3125, 2)),
    product("ULA", "UB", (3125, 5), (3125, 2)),
    product("TYA", "ZN", (15625, 6), (15625, 3)),
    product("TNA", "TN", (15625, 6), (15625, 3)),
    product("FVA", "ZF", (78125, 7), (78125, 4)),
    product("TUA", "ZT", (390_625, 8), (78125, 4)),
    product("EU6", "6E", (5, 5), (625, 2)),
    product("BP6", "6B", (1, 4), (625, 2)),
    product("DA6", "6A", (5, 5), (5, 0)),
    product("CA6", "6C", (5, 5), (5, 0)),
    product("JY6", "6J", (5, 7), (625, 2)),
    product("SF6", "6S", (5, 5), (625, 2)),
    product("NE6", "6N", (5, 5), (5, 0)),
    product("MX6", "6M", (1, 5), (5, 0)),
    product("EEU", "E7", (1, 4), (625, 2)),
    product("M6E", "M6E", (1, 4), (125, 2)),
    product("M6B", "M6B", (1, 4), (625, 3)),
    product("M6A", "M6A", (1, 4), (1, 0)),
    product("MBT", "MBT", (5, 0), (5, 1)),
    product("GMET", "MET", (5, 1), (5, 2)),
    product("ZCE", "ZC", (25, 2), (125, 1)),
    product("ZWA", "ZW", (25, 2), (125, 1)),
    product("ZSE", "ZS", (25, 2), (125, 1)),
    product("ZLE", "ZL", (1, 2), (6, 0)),
    product("ZME", "ZM", (1, 1), (10, 0)),
    product("GLE", "LE", (25, 3), (10, 0)),
    product("HE", "HE", (25, 3), (10, 0)),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_and_every_root_is_there_once() {
        for product in Product::ALL {
            assert!(std::ptr::eq(Product::find(product.code).unwrap(), product), "{}", product.code);
            assert!(std::ptr::eq(Product::of_root(product.exchange_root).unwrap(), product), "{}", product.code);
            assert!(product.tick().size() > Price::ZERO && product.tick().value() > Price::ZERO);
        }
        assert_eq!(Product::find("ES"), None);
    }

    #[test]
    fn the_finest_ticks_are_exact() {
        let shown = |code| {
            let tick = Product::find(code).unwrap().tick();
            (tick.size().to_string(), tick.value().to_string())
        };
        assert_eq!(shown("JY6"), ("0.0000005".to_owned(), "6.25".to_owned()));
        assert_eq!(shown("TUA"), ("0.00390625".to_owned(), "7.8125".to_owned()));
        assert_eq!(shown("M6B"), ("0.0001".to_owned(), "0.625".to_owned()));
    }
}
