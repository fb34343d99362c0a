//! Ticks, in which the market counts, and the prices that they stand for.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

/// The lowest price in ticks: below it there would be no room for a side of the book.
pub(super) const LEAST: i64 = 128;
/// The highest price in ticks, far above that of any product.
pub(super) const MOST: i64 = 10_000_000;

/// The size of a contract's tick.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tick {
    units: i64,
    scale: u32,
    /// Ten to the power of `scale`.
    one: u64,
}

impl Tick {
    /// A tick of `units` at `scale` decimal places, at most 18.
    pub(super) fn new((units, scale): (i64, u32)) -> Self {
        let scale = scale.min(18);
        Self { units, scale, one: 10_u64.pow(scale) }
    }

    /// The price of so many ticks, without trailing zeros.
    pub(super) fn price(self, ticks: i64) -> Decimal {
        let (mut units, mut scale) = (ticks.saturating_mul(self.units), self.scale);
        while scale > 0 && units % 10 == 0 {
            units /= 10;
            scale -= 1;
        }
        Decimal::new(units, scale)
    }

    /// The nearest number of ticks within the market's bounds.
    pub(super) fn nearest(self, price: Decimal) -> i64 {
        let tick = Decimal::new(self.units, self.scale);
        let ticks = price.checked_div(tick).and_then(|ticks| ticks.round().to_i64());
        let beyond = if price.is_sign_negative() { LEAST } else { MOST };
        ticks.unwrap_or(beyond).clamp(LEAST, MOST)
    }

    /// Writes the price of so many ticks as the venue does: plain notation, no trailing zeros, no point if integral.
    pub(super) fn write(self, ticks: i64, json: &mut String) {
        let units = ticks.saturating_mul(self.units);
        let (whole, mut fraction) = (units.unsigned_abs() / self.one, units.unsigned_abs() % self.one);
        if units < 0 {
            json.push('-');
        }
        json.push_str(itoa::Buffer::new().format(whole));
        if fraction == 0 {
            return;
        }
        json.push('.');
        let mut place = self.one / 10;
        while fraction > 0 {
            // A single digit by construction: the fraction is below ten places of this one.
            json.push(char::from(b'0' + (fraction / place) as u8));
            fraction %= place;
            place = (place / 10).max(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_written_as_captured() {
        let written = |tick, ticks| {
            let mut json = String::new();
            Tick::new(tick).write(ticks, &mut json);
            assert_eq!(Tick::new(tick).price(ticks).to_string(), json);
            json
        };
        assert_eq!(written((25, 2), 199_636), "49909");
        assert_eq!(written((25, 2), 20_093), "5023.25");
        assert_eq!(written((25, 2), 20_094), "5023.5");
        assert_eq!(written((5, 7), -1), "-0.0000005");
        assert_eq!(written((390_625, 8), 26_601), "103.91015625");
        assert_eq!(written((1, 4), 10_001), "1.0001");
        assert_eq!(written((5, 0), 0), "0");
    }

    #[test]
    fn any_price_becomes_ticks_within_the_bounds() {
        let tick = Tick::new((25, 2));
        assert_eq!(tick.nearest(Decimal::new(502_330, 2)), 20_093);
        assert_eq!((tick.nearest(Decimal::MAX), tick.nearest(Decimal::MIN)), (MOST, LEAST));
        assert_eq!(Tick::new((5, 7)).nearest(Decimal::MAX), MOST);
    }
}
