//! Exact prices: a count of units at a scale.

use std::fmt;

/// `units` times ten to the power of `-scale`; prints in plain notation without trailing zeros, as TopstepX prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Decimal {
    pub(crate) units: i64,
    pub(crate) scale: u32,
}

impl fmt::Display for Decimal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one = 10_u64.pow(self.scale);
        let sign = if self.units < 0 { "-" } else { "" };
        let (whole, fraction) = (self.units.unsigned_abs() / one, self.units.unsigned_abs() % one);
        if fraction == 0 {
            return write!(formatter, "{sign}{whole}");
        }
        let digits = format!("{fraction:0width$}", width = self.scale as usize);
        write!(formatter, "{sign}{whole}.{}", digits.trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_print_as_captured() {
        let printed = |units, scale| Decimal { units, scale }.to_string();
        assert_eq!(printed(4_990_900, 2), "49909");
        assert_eq!(printed(502_325, 2), "5023.25");
        assert_eq!(printed(502_350, 2), "5023.5");
        assert_eq!(printed(-5, 7), "-0.0000005");
        assert_eq!(printed(0, 2), "0");
    }
}
