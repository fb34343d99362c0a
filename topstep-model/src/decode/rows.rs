//! What an event or an answer brings: rows, and what is wrong with those that are none.

use std::{iter, option, slice, vec};

use super::error::RowError;

/// A row, or what is wrong with it.
type Row<T> = Result<T, RowError>;

/// The rows of one event or of one REST answer, in order, each read or refused by itself.
///
/// A row that does not fit never costs its neighbours: it is an [`Err`] in its place. `null` in place of a row is padding
/// and leaves nothing behind. The usual event, one row, needs no allocation.
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
pub struct Rows<T> {
    first: Option<Result<T, RowError>>,
    rest: Vec<Result<T, RowError>>,
}

impl<T> Rows<T> {
    pub(crate) const fn new() -> Self {
        Self { first: None, rest: Vec::new() }
    }

    /// How many rows there are, bad ones included.
    pub fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.rest.len()
    }

    /// Whether there are none: padding only, or an empty list.
    pub fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// All rows in order.
    pub fn iter(&self) -> Iter<'_, T> {
        Iter(self.first.iter().chain(&self.rest))
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
        let mut change = |row: Result<T, RowError>| row.map(&mut change);
        Rows { first: self.first.map(&mut change), rest: self.rest.into_iter().map(change).collect() }
    }

    #[inline]
    pub(crate) fn push(&mut self, row: Result<T, RowError>) {
        if self.first.is_none() {
            self.first = Some(row);
        } else {
            self.rest.push(row);
        }
    }

    pub(crate) fn insert(&mut self, index: usize, row: Result<T, RowError>) {
        match index.checked_sub(1) {
            Some(index) if index <= self.rest.len() => self.rest.insert(index, row),
            _ => {
                if let Some(second) = self.first.replace(row) {
                    self.rest.insert(0, second);
                }
            }
        }
    }

    pub(crate) fn truncate(&mut self, length: usize) {
        match length.checked_sub(1) {
            Some(rest) => self.rest.truncate(rest),
            None => *self = Self::new(),
        }
    }

    pub(crate) fn values_from(&mut self, start: usize) -> impl Iterator<Item = &mut T> {
        self.first.iter_mut().chain(&mut self.rest).skip(start).filter_map(|row| row.as_mut().ok())
    }
}

impl<T> IntoIterator for Rows<T> {
    type Item = Result<T, RowError>;
    type IntoIter = IntoIter<T>;

    fn into_iter(self) -> IntoIter<T> {
        IntoIter(self.first.into_iter().chain(self.rest))
    }
}

impl<'r, T> IntoIterator for &'r Rows<T> {
    type Item = &'r Result<T, RowError>;
    type IntoIter = Iter<'r, T>;

    fn into_iter(self) -> Iter<'r, T> {
        self.iter()
    }
}

/// The rows by value: see [`Rows`].
#[derive(Debug)]
pub struct IntoIter<T>(iter::Chain<option::IntoIter<Row<T>>, vec::IntoIter<Row<T>>>);

impl<T> Iterator for IntoIter<T> {
    type Item = Result<T, RowError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

/// The rows by reference: see [`Rows::iter`].
#[derive(Clone, Debug)]
pub struct Iter<'r, T>(iter::Chain<option::Iter<'r, Row<T>>, slice::Iter<'r, Row<T>>>);

impl<'r, T> Iterator for Iter<'r, T> {
    type Item = &'r Result<T, RowError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_order_whatever_is_done() {
        let mut rows = Rows::new();
        let shown = |rows: &Rows<i32>| rows.values().copied().collect::<Vec<_>>();
        for value in 1..=4 {
            rows.push(Ok(value));
        }
        rows.insert(0, Ok(0));
        rows.insert(5, Ok(9));
        rows.insert(2, Ok(7));
        assert_eq!(shown(&rows), [0, 1, 7, 2, 3, 4, 9]);
        assert_eq!(rows.clone().into_iter().count(), rows.len());
        rows.truncate(3);
        assert_eq!(shown(&rows), [0, 1, 7]);
        rows.values_from(1).for_each(|value| *value += 1);
        assert_eq!(shown(&rows.clone().map(|value| value * 2)), [0, 4, 16]);
        rows.truncate(0);
        assert!(rows.is_empty());
        rows.insert(0, Ok(5));
        assert_eq!(shown(&rows), [5]);
    }
}
