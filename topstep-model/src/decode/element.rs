//! One value of an event's data, whatever its shape, taken apart into rows.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::error::RowError;
use super::key::Key;
use super::path::{Path, Step};
use super::rows::Rows;
use super::scalar_value::ScalarValue;
use super::sequence::Sequence;
use crate::row::{Decode, Misfit, Row};
use crate::scalar::{Fault, FillLenient};
use crate::{ContractId, StreamAction, Text};

/// How deep arrays and envelopes may nest: an array of envelopes of arrays of positional rows, and one to spare.
const DEEPEST: u8 = 5;

/// What a row becomes: the crate's own business.
pub trait Element: Sized {
    /// The row as it stands on the wire.
    type Row: Row;

    /// Whether an array of two may begin with an account's id.
    const MAY_FOLLOW_AN_ID: bool;

    /// Adds what stood beside the row; `None` if it lacks a contract and needs one.
    fn new(row: Self::Row, contract: Option<&ContractId>) -> Option<Self>;

    /// Takes the envelope's action, if there is none yet.
    fn set_action(&mut self, action: StreamAction);
}

/// A row by itself, as in the answers of REST.
impl<R: Row> Element for R {
    type Row = R;

    const MAY_FOLLOW_AN_ID: bool = false;

    #[inline]
    fn new(row: R, _: Option<&ContractId>) -> Option<Self> {
        Some(row)
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

    #[inline]
    pub(crate) fn push(&mut self, row: Result<E, RowError>) {
        if self.has_room(row.is_err()) {
            self.rows.push(row);
        }
    }

    pub(crate) fn insert(&mut self, index: usize, error: RowError) {
        if self.has_room(true) {
            self.rows.insert(index, Err(error));
        }
    }

    /// Everything, with a last error for what was too much.
    #[inline]
    pub(crate) fn finish(mut self) -> Rows<E> {
        if self.surplus > 0 {
            let reason = format!("{} more rows, which are too many for one message", self.surplus);
            self.rows.push(Err(RowError::new(&Path::START, Fault::missing("fewer rows", reason))));
        }
        self.rows
    }

    #[inline]
    fn has_room(&mut self, is_error: bool) -> bool {
        self.errors += usize::from(is_error);
        let has_room = self.rows.len() < Self::MOST_ROWS && (!is_error || self.errors <= Self::MOST_ERRORS);
        self.surplus += usize::from(!has_room);
        has_room
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
        let path = self.path.then(step);
        let outcome = map.next_value_seed(ElementSeed { out: &mut *self.out, path, nesting: self.nesting + 1 })?;
        if let Outcome::Scalar(value) = outcome {
            self.out.push(Err(RowError::unexpected(&path, E::Row::EXPECTED, value.as_str())));
        }
        Ok(())
    }

    #[cold]
    fn too_deep(&mut self) -> Outcome {
        let fault = Fault::missing(E::Row::EXPECTED, "arrays and envelopes nest too deep");
        self.out.push(Err(RowError::new(&self.path, fault)));
        Outcome::Rows
    }
}

/// What is wrong with a row so far: the last word on the first member that was wrong.
#[derive(Default)]
struct Faults(Option<(&'static str, Fault)>);

impl Faults {
    #[inline]
    fn note(&mut self, name: impl Fn() -> &'static str, fault: Option<Fault>) {
        match (fault, &self.0) {
            (None, None) => {}
            (Some(fault), _) => self.0 = Some((name(), fault)),
            // A member that comes twice counts by its last value.
            (None, Some((noted, _))) => {
                if *noted == name() {
                    self.0 = None;
                }
            }
        }
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
        let mut row = E::Row::blank();
        let mut seen = 0;
        let mut faults = Faults::default();
        let mut action: Option<StreamAction> = None;
        let mut is_container = false;
        while let Some(key) = map.next_key::<Key<<E::Row as Decode>::Tag, E::Row>>()? {
            match key {
                Key::Known(tag) => {
                    let mut misfit = None;
                    row.fill(tag, &mut seen, &mut map, &mut misfit)?;
                    faults.note(|| E::Row::name_of(tag), misfit.map(|Misfit(fault)| fault));
                }
                Key::Alias(tag) if seen & E::Row::bit_of(tag) == 0 => {
                    let mut misfit = None;
                    row.fill(tag, &mut seen, &mut map, &mut misfit)?;
                    faults.note(|| E::Row::name_of(tag), misfit.map(|Misfit(fault)| fault));
                }
                Key::Action => {
                    let mut fault = None;
                    map.next_value_seed(FillLenient { place: &mut action, fault: &mut fault })?;
                    faults.note(|| "action", fault);
                }
                Key::Data | Key::Number(_) if self.nesting >= DEEPEST => {
                    map.next_value::<IgnoredAny>()?;
                    is_container = true;
                    self.too_deep();
                }
                Key::Data => {
                    is_container = true;
                    self.out.rows.truncate(start);
                    self.inner(Step::Member("data"), &mut map)?;
                }
                Key::Number(number) => {
                    is_container = true;
                    self.inner(Step::Key(number), &mut map)?;
                }
                Key::Digits => {
                    return map.next_value::<Text>().map(|digits| Outcome::Scalar(ScalarValue::Number(digits)));
                }
                Key::Alias(_) | Key::Other(_) => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        if is_container {
            match (faults.0, action) {
                (Some((name @ "action", fault)), _) => {
                    self.out.rows.truncate(start);
                    self.out.push(Err(RowError::new(&self.path.then(Step::Member(name)), fault)));
                }
                (_, Some(action)) => self.out.rows.values_from(start).for_each(|row| row.set_action(action)),
                (_, None) => {}
            }
            return Ok(Outcome::Rows);
        }
        let row = finish_row::<E>(&self.path, row, seen, faults.0, action, self.out.contract.as_ref());
        self.out.push(row);
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

/// Makes what the caller wants of a row whose members were all read.
#[inline]
pub(super) fn finish_row<E: Element>(
    path: &Path<'_>,
    row: E::Row,
    seen: u32,
    fault: Option<(&'static str, Fault)>,
    action: Option<StreamAction>,
    contract: Option<&ContractId>,
) -> Result<E, RowError> {
    if let Some((name, fault)) = fault {
        return Err(RowError::new(&path.then(Step::Member(name)), fault));
    }
    if let Some(name) = E::Row::missing(seen) {
        return Err(RowError::missing(path, E::Row::EXPECTED, name));
    }
    let Some(mut element) = E::new(row, contract) else {
        return Err(RowError::missing(path, E::Row::EXPECTED, "contractId"));
    };
    if let Some(action) = action {
        element.set_action(action);
    }
    Ok(element)
}
