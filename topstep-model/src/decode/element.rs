//! One value of an event's data, whatever its shape, taken apart into rows.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::error::RowError;
use super::key::Key;
use super::members::Members;
use super::path::{Path, Step};
use super::rows::Rows;
use super::scalar_value::ScalarValue;
use super::sequence::Sequence;
use crate::row::{Decode, Row};
use crate::scalar::Fault;
use crate::{ContractId, StreamAction, Text};

/// How deep arrays and envelopes may nest: an array of envelopes of arrays of positional rows, and one to spare.
const DEEPEST: u8 = 5;

/// What a row becomes: the crate's own business.
pub trait Element: Sized {
    /// The row as it stands on the wire.
    type Row: Row;

    /// Whether an array of two may begin with an account's id.
    const MAY_FOLLOW_AN_ID: bool;

    /// A row of nothing, to be filled where it stands: rows are large, and every move of one shows.
    fn blank(contract: Option<&ContractId>) -> Self;

    /// The row to be filled.
    fn row_mut(&mut self) -> &mut Self::Row;

    /// Takes the contract that the row itself names, if it needs one; false if there is none.
    fn take_own_contract(&mut self) -> bool;

    /// Takes the envelope's action, if there is none yet.
    fn set_action(&mut self, action: StreamAction);
}

/// A row by itself, as in the answers of REST.
impl<R: Row> Element for R {
    type Row = R;

    const MAY_FOLLOW_AN_ID: bool = false;

    #[inline]
    fn blank(_: Option<&ContractId>) -> Self {
        <R as Decode>::blank()
    }

    #[inline]
    fn row_mut(&mut self) -> &mut R {
        self
    }

    fn take_own_contract(&mut self) -> bool {
        true
    }

    fn set_action(&mut self, _: StreamAction) {}
}

/// The rows of a message, as they come.
pub(crate) struct Collector<E> {
    pub(crate) rows: Rows<E>,
    /// The contract that they belong to, in the market's events.
    pub(crate) contract: Option<ContractId>,
    /// Whether a number came as a float, where its digits were wanted.
    pub(crate) is_approximate: bool,
    errors: usize,
    surplus: usize,
}

impl<E> Collector<E> {
    /// The most rows of one message. A full book has some thousands, the longest list of bars 20,000.
    const MOST_ROWS: usize = 65_536;

    /// The most errors of one message: each is larger than the few bytes that can cause it.
    const MOST_ERRORS: usize = 1_000;

    pub(crate) const fn new() -> Self {
        Self { rows: Rows::new(), contract: None, is_approximate: false, errors: 0, surplus: 0 }
    }

    pub(crate) fn push(&mut self, row: Result<E, RowError>) {
        self.rows.list().push(row);
        self.settle_last();
    }

    pub(crate) fn insert(&mut self, index: usize, error: RowError) {
        self.errors += 1;
        if self.errors <= Self::MOST_ERRORS && index <= self.rows.len() {
            self.rows.list().insert(index, Err(error));
        } else {
            self.surplus += 1;
        }
    }

    /// Takes the last row back if it is one too many.
    #[inline]
    fn settle_last(&mut self) {
        let is_error = matches!(self.rows.list().last(), Some(Err(_)));
        self.errors += usize::from(is_error);
        if self.rows.len() > Self::MOST_ROWS || is_error && self.errors > Self::MOST_ERRORS {
            self.rows.list().pop();
            self.surplus += 1;
        }
    }

    /// Everything, with a last error for what was too much.
    #[inline]
    pub(crate) fn finish(mut self) -> Rows<E> {
        if self.surplus > 0 {
            let reason = format!("{} more rows, which are too many for one message", self.surplus);
            self.rows.list().push(Err(RowError::new(&Path::START, Fault::missing("fewer rows", reason))));
        }
        self.rows
    }
}

impl<E: Element> Collector<E> {
    /// Begins a row. One is what an event has, nearly always: a list grown by itself begins with room for four, a block beyond the sizes that
    /// allocators keep at hand.
    #[inline]
    fn push_blank(&mut self) {
        let row = E::blank(self.contract.as_ref());
        let list = self.rows.list();
        if list.capacity() == 0 {
            list.reserve_exact(1);
        }
        list.push(Ok(row));
    }
}

/// What a value turned out to be.
pub(crate) enum Outcome {
    /// `null`.
    Padding,
    /// Rows, good and bad, which the collector has.
    Rows,
    /// No row; what it is depends on what stands around it.
    Scalar(ScalarValue),
}

/// Reads one value into the collector.
pub(crate) struct ElementSeed<'c, 'p, E> {
    pub(crate) out: &'c mut Collector<E>,
    pub(crate) path: Path<'p>,
    pub(crate) nesting: u8,
}

impl<'de, E: Element> DeserializeSeed<'de> for ElementSeed<'_, '_, E> {
    type Value = Outcome;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Outcome, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<E: Element> ElementSeed<'_, '_, E> {
    /// Reads a value within this one, which must not be a scalar.
    fn inner<'de, A: MapAccess<'de>>(&mut self, step: Step, map: &mut A) -> Result<(), A::Error> {
        if self.nesting >= DEEPEST {
            map.next_value::<IgnoredAny>()?;
            self.too_deep();
            return Ok(());
        }
        let path = self.path.then(step);
        let outcome = map.next_value_seed(ElementSeed { out: &mut *self.out, path, nesting: self.nesting + 1 })?;
        if let Outcome::Scalar(value) = outcome {
            self.out.push(Err(RowError::unexpected(&path, E::Row::EXPECTED, value.as_str())));
        }
        Ok(())
    }

    /// Gives the rows of an envelope its action.
    fn finish_container(&mut self, start: usize, members: Members) {
        match (members.fault_of("action"), members.action) {
            (Some(fault), _) => {
                self.out.rows.list().truncate(start);
                self.out.push(Err(RowError::new(&self.path.then(Step::Member("action")), fault)));
            }
            (None, Some(action)) => {
                let rows = self.out.rows.list().iter_mut().skip(start);
                rows.filter_map(|row| row.as_mut().ok()).for_each(|row| row.set_action(action));
            }
            (None, None) => {}
        }
    }

    #[cold]
    fn too_deep(&mut self) -> Outcome {
        let fault = Fault::missing(E::Row::EXPECTED, "arrays and envelopes nest too deep");
        self.out.push(Err(RowError::new(&self.path, fault)));
        Outcome::Rows
    }
}

impl<'de, E: Element> Visitor<'de> for ElementSeed<'_, '_, E> {
    type Value = Outcome;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(E::Row::EXPECTED)
    }

    #[inline]
    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Outcome, A::Error> {
        let start = self.out.rows.len();
        let mut members = Members::default();
        let mut has_row = false;
        let mut is_container = false;
        let mut key = members.next_key::<E::Row, A>(&mut map)?;
        while let Some(this) = key {
            match this {
                Key::Action => members.action(&mut map)?,
                Key::Data | Key::Number => {
                    // What stands beside it is no row.
                    if has_row || matches!(this, Key::Data) {
                        self.out.rows.list().truncate(start);
                    }
                    (has_row, is_container) = (false, true);
                    let step = if matches!(this, Key::Data) { Step::Member("data") } else { Step::Key(members.number) };
                    self.inner(step, &mut map)?;
                }
                Key::Digits => {
                    return map.next_value::<Text>().map(|digits| Outcome::Scalar(ScalarValue::Number(digits)));
                }
                _ if is_container => {
                    map.next_value::<IgnoredAny>()?;
                }
                Key::Known(_) | Key::Alias | Key::Other => {
                    if !has_row {
                        self.out.push_blank();
                        has_row = true;
                    }
                    let Some(Ok(element)) = self.out.rows.list().last_mut() else { unreachable!("it was pushed") };
                    key = members.fill(this, element.row_mut(), &mut map)?;
                    continue;
                }
            }
            key = members.next_key::<E::Row, A>(&mut map)?;
        }
        if is_container {
            self.finish_container(start, members);
        } else {
            if !has_row {
                self.out.push_blank();
            }
            let has_contract = self.out.contract.is_some();
            if let Some(row) = self.out.rows.list().last_mut()
                && let Ok(element) = row
                && let Err(error) = members.finish(&self.path, element, has_contract)
            {
                *row = Err(error);
            }
            self.out.settle_last();
        }
        Ok(Outcome::Rows)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<Outcome, A::Error> {
        if self.nesting >= DEEPEST {
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(self.too_deep());
        }
        let mut sequence = Sequence::default();
        loop {
            let path = self.path.then(Step::Index(sequence.length));
            let before = self.out.rows.len();
            let seed = ElementSeed { out: &mut *self.out, path, nesting: self.nesting + 1 };
            let Some(outcome) = seq.next_element_seed(seed)? else { break };
            sequence.take(outcome, before, self.out, &path);
        }
        sequence.finish(self.out, &self.path);
        Ok(Outcome::Rows)
    }

    fn visit_none<X: Error>(self) -> Result<Outcome, X> {
        Ok(Outcome::Padding)
    }

    fn visit_unit<X: Error>(self) -> Result<Outcome, X> {
        Ok(Outcome::Padding)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Outcome, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Outcome, D::Error> {
        deserializer.deserialize_any(self)
    }

    #[inline]
    fn visit_str<X: Error>(self, text: &str) -> Result<Outcome, X> {
        Ok(Outcome::Scalar(ScalarValue::Text(Text::new(text))))
    }

    fn visit_bool<X: Error>(self, value: bool) -> Result<Outcome, X> {
        Ok(Outcome::Scalar(ScalarValue::Flag(value)))
    }

    fn visit_u64<X: Error>(self, value: u64) -> Result<Outcome, X> {
        Ok(number(value))
    }

    fn visit_i64<X: Error>(self, value: i64) -> Result<Outcome, X> {
        Ok(number(value))
    }

    fn visit_u128<X: Error>(self, value: u128) -> Result<Outcome, X> {
        Ok(number(value))
    }

    fn visit_i128<X: Error>(self, value: i128) -> Result<Outcome, X> {
        Ok(number(value))
    }

    fn visit_f64<X: Error>(self, value: f64) -> Result<Outcome, X> {
        self.out.is_approximate = true;
        Ok(number(format_args!("{value:e}")))
    }
}

fn number(value: impl fmt::Display) -> Outcome {
    Outcome::Scalar(ScalarValue::Number(Text::from(value.to_string())))
}
