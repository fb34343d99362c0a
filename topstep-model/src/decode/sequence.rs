//! An array of an event's data: rows, or one row that is an array, or an id and rows.

use super::element::{Collector, Element, Outcome};
use super::error::RowError;
use super::key::Key;
use super::members::Members;
use super::path::{Path, Step};
use super::scalar_value::{OneMember, ScalarValue};
use crate::row::Decode;
use crate::scalar::{Fault, whole};

/// How many scalars are kept until it is clear what they are; a positional row has five.
const KEPT: usize = 16;

/// What an array held so far.
#[derive(Default)]
pub(super) struct Sequence {
    pub(super) length: usize,
    scalars: Vec<Kept>,
    has_rows: bool,
}

struct Kept {
    index: usize,
    rows_before: usize,
    value: ScalarValue,
}

impl Sequence {
    /// Takes the next element; `rows_before` is how many rows there were before it.
    #[inline]
    pub(super) fn take<E: Element>(
        &mut self,
        outcome: Outcome,
        rows_before: usize,
        out: &mut Collector<E>,
        path: &Path<'_>,
    ) {
        match outcome {
            Outcome::Padding => {}
            Outcome::Rows => self.has_rows = true,
            Outcome::Scalar(value) if self.scalars.len() < KEPT => {
                self.scalars.push(Kept { index: self.length, rows_before, value });
            }
            Outcome::Scalar(value) => out.push(Err(RowError::unexpected(path, E::Row::EXPECTED, value.as_str()))),
        }
        self.length += 1;
    }

    /// Decides what the scalars are.
    #[inline]
    pub(super) fn finish<E: Element>(self, out: &mut Collector<E>, path: &Path<'_>) {
        if !self.scalars.is_empty() {
            self.finish_scalars(out, path);
        }
    }

    #[cold]
    fn finish_scalars<E: Element>(self, out: &mut Collector<E>, path: &Path<'_>) {
        if E::MAY_FOLLOW_AN_ID
            && self.has_rows
            && self.length == 2
            && let [Kept { index: 0, value, .. }] = self.scalars.as_slice()
            && is_id(value)
        {
            return;
        }
        if !self.has_rows && self.scalars.len() > 1 && !E::Row::POSITIONS.is_empty() {
            out.push(self.positional_row(out, path));
            return;
        }
        for (inserted, kept) in self.scalars.iter().enumerate() {
            let place = path.then(Step::Index(kept.index));
            let error = RowError::unexpected(&place, E::Row::EXPECTED, kept.value.as_str());
            out.insert(kept.rows_before + inserted, error);
        }
    }

    fn positional_row<E: Element>(&self, out: &Collector<E>, path: &Path<'_>) -> Result<E, RowError> {
        let mut element = E::blank(out.contract.as_ref());
        let mut members = Members::default();
        for Kept { index, value, .. } in &self.scalars {
            let Some(tag) = E::Row::POSITIONS.get(*index) else {
                let reason = format!("expected {} values, found more", E::Row::POSITIONS.len());
                return Err(RowError::new(path, Fault::missing(E::Row::EXPECTED, reason)));
            };
            // A scalar always comes, so there is nothing to end the row with.
            let _ = members.fill(Key::Known(*tag), element.row_mut(), &mut OneMember(value));
            if let Some(fault) = members.fault_of(E::Row::name_of(*tag)) {
                return Err(RowError::new(&path.then(Step::Index(*index)), fault));
            }
        }
        members.finish(path, &mut element, out.contract.is_some())?;
        Ok(element)
    }
}

/// Whether this can be an account's id.
pub(super) fn is_id(value: &ScalarValue) -> bool {
    match value {
        ScalarValue::Text(text) | ScalarValue::Number(text) => whole(text.as_str()).is_ok(),
        ScalarValue::Flag(_) => false,
    }
}
