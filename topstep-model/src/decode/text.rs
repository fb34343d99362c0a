//! Rows from JSON text, when there is time to go over it twice.

use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer};
use serde_json::value::RawValue;

use super::arguments::{self, ArgumentsVisitor, Source};
use super::element::{Collector, ElementSeed, Outcome};
use super::error::{DecodeError, RowError};
use super::path::{Path, Step};
use super::rows::Rows;
use super::scalar_value::ScalarValue;
use super::sequence::Sequence;
use crate::Text;
use crate::event::Event;
use crate::excerpt::harmless;
use crate::row::Decode;
use crate::scalar::Fault;

impl<E: Event> Rows<E> {
    /// Reads all arguments of an event from their JSON text.
    ///
    /// It says what `serde_json::from_str` says, and more in two cases that one pass cannot see through: a value that no
    /// reader of JSON can take (`1e999`, half a surrogate pair) in place of a row costs only that row, and the numbers of
    /// a positional row keep all their digits.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Arguments`]: the text is no JSON, or the arguments as a whole are none of this event.
    pub fn from_json(arguments: &str) -> Result<Self, DecodeError> {
        let mut deserializer = serde_json::Deserializer::from_str(arguments);
        let collector = deserializer.deserialize_seq(ArgumentsVisitor::<E>(PhantomData));
        if let Ok(collector) = collector
            && !collector.is_approximate
            && deserializer.end().is_ok()
        {
            return Ok(collector.finish());
        }
        let raw: Vec<&RawValue> = serde_json::from_str(arguments).map_err(|error| DecodeError::arguments(&error))?;
        let collector = arguments::read(OneByOne(raw.into_iter())).map_err(|error| DecodeError::arguments(&error))?;
        Ok(collector.finish())
    }
}

struct OneByOne<'a>(std::vec::IntoIter<&'a RawValue>);

impl<E: Event> Source<E> for OneByOne<'_> {
    type Error = serde_json::Error;

    fn next(&mut self, out: &mut Collector<E>, path: Path<'_>) -> serde_json::Result<Option<Outcome>> {
        Ok(self.0.next().map(|raw| element(raw.get(), out, path, 0)))
    }

    fn has_more(&mut self) -> serde_json::Result<bool> {
        Ok(self.0.next().is_some())
    }
}

/// Reads one value, each of its elements by itself.
fn element<E: Event>(json: &str, out: &mut Collector<E>, path: Path<'_>, nesting: u8) -> Outcome {
    match json.as_bytes().first() {
        Some(b'n') => Outcome::Padding,
        Some(b't') => Outcome::Scalar(ScalarValue::Flag(true)),
        Some(b'f') => Outcome::Scalar(ScalarValue::Flag(false)),
        Some(b'"') => {
            let text = serde_json::from_str(json).map_or_else(|_| Text::new(json), |text: String| Text::from(text));
            Outcome::Scalar(ScalarValue::Text(text))
        }
        Some(b'[') if nesting < 2 => match serde_json::from_str::<Vec<&RawValue>>(json) {
            Ok(elements) => {
                let mut sequence = Sequence::default();
                for raw in elements {
                    let path = path.then(Step::Index(sequence.length));
                    let before = out.rows.len();
                    let outcome = element(raw.get(), out, path, nesting + 1);
                    sequence.take(outcome, before, out, &path);
                }
                sequence.finish(out, &path);
                Outcome::Rows
            }
            Err(error) => refuse(out, &path, &error),
        },
        Some(b'[' | b'{') => {
            let before = out.rows.len();
            let seed = ElementSeed { out: &mut *out, path, nesting };
            match seed.deserialize(&mut serde_json::Deserializer::from_str(json)) {
                Ok(outcome) => outcome,
                Err(error) => {
                    out.rows.list().truncate(before);
                    refuse(out, &path, &error)
                }
            }
        }
        _ => Outcome::Scalar(ScalarValue::Number(Text::new(json))),
    }
}

fn refuse<E: Event>(out: &mut Collector<E>, path: &Path<'_>, error: &serde_json::Error) -> Outcome {
    out.push(Err(RowError::new(path, Fault::missing(E::Row::EXPECTED, harmless(error)))));
    Outcome::Rows
}
