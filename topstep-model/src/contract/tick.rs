//! Exact arithmetic with the smallest steps of a price.

use rust_decimal::Decimal;

use crate::Price;

/// The smallest step of a contract's price, and what that step is worth.
///
/// All results are exact decimals without trailing zeros. What would need more than 28 digits is an error, never rounded.
///
/// ```
/// use topstep_model::{Price, Rounding, Tick};
///
/// let es = Tick::new("0.25".parse()?, "12.5".parse()?)?;
/// let (entry, exit): (Price, Price) = ("5023.25".parse()?, "5021.75".parse()?);
/// assert_eq!(es.ticks_between(entry, exit)?, -6);
/// assert_eq!(es.value_of_move(entry, exit, 2)?.to_string(), "-150");
/// assert_eq!(es.round("5023.30".parse()?, Rounding::Nearest)?, entry);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tick {
    size: Price,
    value: Price,
}

/// Where to go with a price that lies between two ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "there is no further direction")]
pub enum Rounding {
    /// To the lower tick.
    Down,
    /// To the nearer tick; from the middle to the one farther from zero.
    Nearest,
    /// To the higher tick.
    Up,
}

impl Tick {
    /// Makes a tick of its size and of what one contract gains by it, in the account's currency.
    ///
    /// # Errors
    ///
    /// [`TickError::NotPositive`].
    pub fn new(size: Price, value: Price) -> Result<Self, TickError> {
        if size <= Price::ZERO || value <= Price::ZERO {
            return Err(TickError::NotPositive);
        }
        Ok(Self { size, value })
    }

    /// The smallest step of the price.
    pub const fn size(self) -> Price {
        self.size
    }

    /// What one step of one contract is worth.
    pub const fn value(self) -> Price {
        self.value
    }

    /// Whether an order can have this price: the venue refuses any other.
    pub fn is_aligned(self, price: Price) -> bool {
        self.rest(price.decimal()).is_ok_and(|rest| rest.is_zero())
    }

    /// The price at a whole number of ticks.
    ///
    /// # Errors
    ///
    /// [`TickError::OutOfRange`].
    pub fn round(self, price: Price, rounding: Rounding) -> Result<Price, TickError> {
        let (price, size) = (price.decimal(), self.size.decimal());
        let rest = self.rest(price)?;
        if rest.is_zero() {
            return exact(price);
        }
        // `rest` has the sign of the price.
        let toward_zero = sum(price, -rest)?;
        let lower = if rest.is_sign_negative() { sum(toward_zero, -size)? } else { toward_zero };
        let upper = sum(lower, size)?;
        let is_past_the_middle = rest.abs() >= sum(size, -rest.abs())?;
        exact(match rounding {
            Rounding::Down => lower,
            Rounding::Up => upper,
            Rounding::Nearest if is_past_the_middle == rest.is_sign_negative() => lower,
            Rounding::Nearest => upper,
        })
    }

    /// How many ticks it is from one price to another; negative downward.
    ///
    /// The prices themselves need not be aligned, as average prices are not; their difference must be.
    ///
    /// # Errors
    ///
    /// [`TickError::NotAligned`] and [`TickError::OutOfRange`].
    pub fn ticks_between(self, from: Price, to: Price) -> Result<i64, TickError> {
        let distance = sum(to.decimal(), -from.decimal())?;
        if !self.rest(distance)?.is_zero() {
            return Err(TickError::NotAligned);
        }
        let ticks = distance.checked_div(self.size.decimal()).ok_or(TickError::OutOfRange)?.normalize();
        Price::try_from(ticks).ok().and_then(Price::to_i64).ok_or(TickError::OutOfRange)
    }

    /// The price that is so many ticks away.
    ///
    /// # Errors
    ///
    /// [`TickError::OutOfRange`].
    pub fn offset(self, price: Price, ticks: i64) -> Result<Price, TickError> {
        let distance = product(self.size.decimal(), Decimal::from(ticks))?;
        exact(sum(price.decimal(), distance)?)
    }

    /// What so many ticks are worth for so many contracts; negative for one of them negative.
    ///
    /// # Errors
    ///
    /// [`TickError::OutOfRange`].
    pub fn value_of_ticks(self, ticks: i64, contracts: i64) -> Result<Price, TickError> {
        let worth = product(self.value.decimal(), Decimal::from(ticks))?;
        exact(product(worth, Decimal::from(contracts))?)
    }

    /// What a move of the price is worth for so many contracts, negative ones being short.
    ///
    /// Any move has a worth, a fraction of a tick as well: average prices are finer than ticks. Only where the worth is a
    /// periodic fraction (a tick of 0.03) it must be whole ticks.
    ///
    /// # Errors
    ///
    /// [`TickError::NotAligned`] and [`TickError::OutOfRange`].
    pub fn value_of_move(self, from: Price, to: Price, contracts: i64) -> Result<Price, TickError> {
        let distance = sum(to.decimal(), -from.decimal())?;
        let worth = product(product(distance, self.value.decimal())?, Decimal::from(contracts))?;
        let size = self.size.decimal();
        let quotient = worth.checked_div(size).ok_or(TickError::OutOfRange)?;
        // A quotient that had to be rounded does not come back.
        match product(quotient, size) {
            Ok(again) if again == worth => exact(quotient),
            _ => Err(TickError::NotAligned),
        }
    }

    /// What is left of a price beyond whole ticks.
    fn rest(self, price: Decimal) -> Result<Decimal, TickError> {
        price.checked_rem(self.size.decimal()).ok_or(TickError::OutOfRange)
    }
}

fn exact(value: Decimal) -> Result<Price, TickError> {
    Price::try_from(value.normalize()).map_err(|_| TickError::OutOfRange)
}

/// `Decimal` rounds what has too many digits, and then it has fewer places than the exact result.
fn product(left: Decimal, right: Decimal) -> Result<Decimal, TickError> {
    let (left, right) = (left.normalize(), right.normalize());
    let product = left.checked_mul(right).ok_or(TickError::OutOfRange)?;
    let is_exact = left.is_zero() || right.is_zero() || product.scale() == left.scale() + right.scale();
    if is_exact { Ok(product.normalize()) } else { Err(TickError::OutOfRange) }
}

/// The same for a sum.
fn sum(left: Decimal, right: Decimal) -> Result<Decimal, TickError> {
    let (left, right) = (left.normalize(), right.normalize());
    let sum = left.checked_add(right).ok_or(TickError::OutOfRange)?;
    if sum.scale() == left.scale().max(right.scale()) { Ok(sum.normalize()) } else { Err(TickError::OutOfRange) }
}

/// Says why there is no exact answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TickError {
    /// A tick has a size and a value above zero.
    #[error("a tick has a size and a value above zero")]
    NotPositive,
    /// The distance is no whole number of ticks.
    #[error("the distance is no whole number of ticks")]
    NotAligned,
    /// The result has more digits than a price keeps.
    #[error("the result has more digits than a price keeps")]
    OutOfRange,
}
