//! What a depth row does to a book.

use rust_decimal::Decimal;
use topstep_model::{DepthRow, DomType, Price};

/// A side of a book.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a book has two sides")]
pub enum Side {
    /// Offers to buy.
    Bid,
    /// Offers to sell.
    Ask,
}

/// What becomes of a book.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BookChange {
    /// Every level goes; a snapshot follows.
    Clear,
    /// The level has this volume from now on; none if it is 0.
    Set {
        /// Its side.
        side: Side,
        /// Its price.
        price: Price,
        /// All that is offered there.
        volume: i64,
    },
    /// The row is not about a level.
    Nothing,
    /// The row makes no sense to the rule: it is counted, and changes nothing.
    Odd,
}

/// Says what a depth row does to a book. It must depend on the row alone.
///
/// What the venue's volumes mean is not documented, so this can be replaced in [`MarketConfig`](super::MarketConfig::book_rule).
pub type BookRule = fn(&DepthRow) -> BookChange;

/// The rule that fits what was seen on the live hub and what other clients infer.
///
/// Bid, ask, best and new best rows are all levels: `volume` is what is offered there altogether, 0 takes the level away. A reset clears the
/// book, whatever its numbers. Trades, fills, the session's low and high leave it alone. A level with a negative volume is odd, and so is one
/// with a volume at the price 0, which "stands on some rows" without meaning a price.
pub fn topstep_rule(row: &DepthRow) -> BookChange {
    if row.kind == DomType::Reset {
        return BookChange::Clear;
    }
    let side = match row.kind {
        kind if kind.is_bid() => Side::Bid,
        kind if kind.is_ask() => Side::Ask,
        DomType::Trade | DomType::Fill | DomType::Low | DomType::High => return BookChange::Nothing,
        _ => return BookChange::Odd,
    };
    if row.volume < 0 || (row.volume > 0 && row.price.decimal() == Decimal::ZERO) {
        return BookChange::Odd;
    }
    BookChange::Set { side, price: row.price, volume: row.volume }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(kind: DomType, price: i64, volume: i64) -> BookChange {
        topstep_rule(&DepthRow::new(kind, price.into(), volume))
    }

    #[test]
    fn every_kind_of_row_has_its_effect() {
        let set = |side, volume| BookChange::Set { side, price: 100.into(), volume };
        for kind in [DomType::Bid, DomType::BestBid, DomType::NewBestBid] {
            assert_eq!(change(kind, 100, 7), set(Side::Bid, 7), "{kind}");
        }
        for kind in [DomType::Ask, DomType::BestAsk, DomType::NewBestAsk] {
            assert_eq!(change(kind, 100, 0), set(Side::Ask, 0), "{kind}");
        }
        for kind in [DomType::Trade, DomType::Fill, DomType::Low, DomType::High] {
            assert_eq!(change(kind, 100, 7), BookChange::Nothing, "{kind}");
        }
        assert_eq!(change(DomType::Reset, 28_010, 5), BookChange::Clear);
        assert_eq!(change(DomType::Unknown, 100, 5), BookChange::Odd);
        assert_eq!(change(DomType::Other(99), 100, 5), BookChange::Odd);
    }

    #[test]
    fn a_level_needs_a_price_and_a_volume() {
        assert_eq!(change(DomType::Bid, 0, 4), BookChange::Odd);
        assert_eq!(change(DomType::Bid, 100, -1), BookChange::Odd);
        // Taking away what is not there does no harm.
        assert_eq!(change(DomType::Bid, 0, 0), BookChange::Set { side: Side::Bid, price: Price::ZERO, volume: 0 });
        // A spread may trade below zero.
        assert!(matches!(change(DomType::Ask, -3, 4), BookChange::Set { side: Side::Ask, .. }));
    }
}
