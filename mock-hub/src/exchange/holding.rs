//! The lots behind a position: first in, first out, so that profit is exact.

use std::collections::VecDeque;

use rust_decimal::Decimal;
use time::OffsetDateTime;

use super::order::Side;
use super::position::{Position, PositionType};
use crate::market::Contract;

/// Average prices are kept to this many places; a division may have no end.
pub(super) const AVERAGE_PLACES: u32 = 9;

/// What an account holds of one contract; there is none without lots.
#[derive(Clone, Debug)]
pub(super) struct Holding {
    id: i32,
    side: Side,
    creation: OffsetDateTime,
    lots: VecDeque<Lot>,
    size: i32,
    /// The sum of price times size over the lots.
    cost: Decimal,
}

#[derive(Clone, Debug)]
struct Lot {
    trade_id: i64,
    price: Decimal,
    size: i32,
}

/// What a fill closed.
#[derive(Debug)]
pub(super) struct Closed {
    /// Price times size gained, before the tick value is applied.
    pub(super) gain: Decimal,
    /// The trades that had opened what was closed, oldest first.
    pub(super) openings: Vec<i64>,
    /// The average price that stood before.
    pub(super) average: Decimal,
}

impl Holding {
    pub(super) const fn new(id: i32, side: Side, creation: OffsetDateTime) -> Self {
        Self { id, side, creation, lots: VecDeque::new(), size: 0, cost: Decimal::ZERO }
    }

    pub(super) const fn side(&self) -> Side {
        self.side
    }

    pub(super) const fn size(&self) -> i32 {
        self.size
    }

    /// Contracts, negative where they are sold.
    pub(super) fn net(&self) -> i64 {
        i64::from(self.size) * self.side.sign()
    }

    pub(super) fn add(&mut self, trade_id: i64, price: Decimal, size: i32) {
        self.lots.push_back(Lot { trade_id, price, size });
        self.size += size;
        self.cost += price * Decimal::from(size);
    }

    /// Takes `size`, at most what is held, from the oldest lots.
    pub(super) fn take(&mut self, price: Decimal, size: i32) -> Closed {
        let average = self.average();
        let (mut left, mut openings, mut cost) = (size.min(self.size), Vec::new(), Decimal::ZERO);
        let closed = Decimal::from(left);
        while left > 0 {
            let Some(lot) = self.lots.front_mut() else { break };
            let part = left.min(lot.size);
            cost += lot.price * Decimal::from(part);
            openings.push(lot.trade_id);
            (lot.size, left, self.size) = (lot.size - part, left - part, self.size - part);
            if lot.size == 0 {
                self.lots.pop_front();
            }
        }
        self.cost -= cost;
        let gain = (price * closed - cost) * Decimal::from(self.side.sign());
        Closed { gain, openings, average }
    }

    /// The row that shows it.
    pub(super) fn position(&self, account_id: i32, contract: &Contract) -> Position {
        let position_type = match self.side {
            Side::Buy => PositionType::Long,
            Side::Sell => PositionType::Short,
        };
        Position {
            id: self.id,
            account_id,
            contract_id: contract.id.clone(),
            contract_display_name: contract.display_name.clone(),
            creation: self.creation,
            position_type,
            size: self.size,
            average_price: self.average(),
        }
    }

    fn average(&self) -> Decimal {
        if self.size == 0 {
            return Decimal::ZERO;
        }
        (self.cost / Decimal::from(self.size)).round_dp(AVERAGE_PLACES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(quarters: i64) -> Decimal {
        Decimal::new(quarters * 25, 2)
    }

    #[test]
    fn averages_are_finer_than_a_tick() {
        let mut long = Holding::new(1, Side::Buy, OffsetDateTime::UNIX_EPOCH);
        long.add(1, price(4), 1);
        long.add(2, price(5), 1);
        assert_eq!(long.average(), Decimal::new(1_125, 3));
        long.add(3, price(5), 1);
        assert_eq!(long.average(), Decimal::new(1_166_666_667, 9));
    }

    #[test]
    fn the_oldest_lot_goes_first() {
        let mut short = Holding::new(1, Side::Sell, OffsetDateTime::UNIX_EPOCH);
        short.add(1, price(8), 1);
        short.add(2, price(4), 2);
        let closed = short.take(price(4), 2);
        assert_eq!((closed.gain, closed.openings), (price(4), vec![1, 2]));
        assert_eq!((short.size(), short.net(), short.average()), (1, -1, price(4)));
        let rest = short.take(price(6), 5);
        assert_eq!((rest.gain, rest.average, short.size()), (price(-2), price(4), 0));
    }
}
