//! What an event or an answer brings: rows, and what is wrong with those that are none.

use std::{slice, vec};

use super::error::RowError;

/// A row, or what is wrong with it.
type Row<T> = Result<T, RowError>;

/// The rows of one event or of one REST answer, in order, each read or refused by itself.
///
/// A row that does not fit never costs its neighbours: it is an [`Err`] in its place. `null` in place of a row is padding
/// and leaves nothing behind.
///
/// # Limits
///
/// One message yields at most 65,536 rows; what else it has is a single error at the end. The same holds for more than
/// 1,000 errors.
///
/// # As the arguments of an event
///
/// `Rows<UserEvent<T>>` and `Rows<MarketEvent<T>>` implement [`Deserialize`](serde::Deserialize) for the whole array of
/// arguments, in one pass over the wire's bytes.
///
/// ```
/// use topstep_model::{MarketEvent, MarketTrade, Rows};
///
/// let arguments = r#"["CON.F.US.MES.U26",[{"price":7730.5,"volume":1,"type":1},null,{"price":"x"},{"price":7731,"volume":2,"type":0}]]"#;
/// let rows: Rows<MarketEvent<MarketTrade>> = serde_json::from_str(arguments)?;
/// assert_eq!(rows.values().map(|trade| trade.value.volume).collect::<Vec<_>>(), [1, 2]);
/// let bad: Vec<String> = rows.errors().map(ToString::to_string).collect();
/// assert_eq!(bad, ["at [1][2].price: `x` is not a decimal number"]);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Rows<T>(Vec<Row<T>>);

impl<T> Rows<T> {
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    /// How many rows there are, bad ones included.
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none: padding only, or an empty list.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All rows in order.
    pub fn iter(&self) -> slice::Iter<'_, Row<T>> {
        self.0.iter()
    }

    /// The rows that could be read.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.iter().filter_map(|row| row.as_ref().ok())
    }

    /// What is wrong with the others.
    pub fn errors(&self) -> impl Iterator<Item = &RowError> {
        self.iter().filter_map(|row| row.as_ref().err())
    }

    /// Maps every row that could be read.
    pub fn map<U>(self, mut change: impl FnMut(T) -> U) -> Rows<U> {
        Rows(self.0.into_iter().map(|row| row.map(&mut change)).collect())
    }

    pub(crate) const fn list(&mut self) -> &mut Vec<Row<T>> {
        &mut self.0
    }
}

impl<T> IntoIterator for Rows<T> {
    type Item = Row<T>;
    type IntoIter = vec::IntoIter<Row<T>>;

    fn into_iter(self) -> vec::IntoIter<Row<T>> {
        self.0.into_iter()
    }
}

impl<'r, T> IntoIterator for &'r Rows<T> {
    type Item = &'r Row<T>;
    type IntoIter = slice::Iter<'r, Row<T>>;

    fn into_iter(self) -> slice::Iter<'r, Row<T>> {
        self.iter()
    }
}
