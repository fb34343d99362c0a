//! Sides of positions.

use super::codes;

codes! {
    /// Which way a position goes.
    pub enum PositionType {
        /// Neither: what a closed position says.
        0 Undefined "undefined",
        /// Bought.
        1 Long "long",
        /// Sold.
        2 Short "short",
    }
}

impl PositionType {
    /// 1 for long, -1 for short, 0 for closed; `None` where the number is not known.
    pub const fn sign(self) -> Option<i32> {
        match self {
            Self::Undefined => Some(0),
            Self::Long => Some(1),
            Self::Short => Some(-1),
            Self::Other(_) => None,
        }
    }
}
