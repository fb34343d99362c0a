//! The arguments of a call, bound to the types of the method's parameters.

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::MethodError;
use crate::protocol::json;

/// The arguments of a call in order, still as text.
#[derive(Debug)]
pub(crate) struct Arguments(Vec<Box<RawValue>>);

impl Arguments {
    pub(crate) fn new(arguments: Vec<Box<RawValue>>) -> Self {
        Self(arguments)
    }

    /// An `int`: an integer token in range; `1.0` and `"1"` are refused, as by System.Text.Json.
    pub(crate) fn int(&self, index: usize) -> Result<i32, MethodError> {
        self.integer(index)
    }

    /// A `long`.
    pub(crate) fn long(&self, index: usize) -> Result<i64, MethodError> {
        self.integer(index)
    }

    /// A `string` that must be there: the name of its parameter is told where it is null.
    pub(crate) fn text(&self, index: usize, parameter: &str) -> Result<String, MethodError> {
        self.typed::<Option<String>>(index)?.ok_or_else(|| MethodError::argument_null(parameter))
    }

    /// A `string`; null binds too and is the empty text here.
    pub(crate) fn string(&self, index: usize) -> Result<String, MethodError> {
        Ok(self.typed::<Option<String>>(index)?.unwrap_or_default())
    }

    /// A `JsonElement`, printed again as .NET prints it.
    pub(crate) fn json(&self, index: usize) -> Result<String, MethodError> {
        let value = self.0.get(index).ok_or_else(MethodError::wrong_argument_type)?;
        json::reprint(value).ok_or(MethodError::LONE_SURROGATE)
    }

    /// An `object[]` as a JSON array. Null binds too, and breaks whoever counts its elements.
    pub(crate) fn array(&self, index: usize) -> Result<String, MethodError> {
        let text = self.json(index)?;
        match text.as_bytes().first() {
            Some(b'[') => Ok(text),
            Some(b'n') => Err(MethodError::Unwritable(
                "NullReferenceException: Object reference not set to an instance of an object.",
            )),
            _ => Err(MethodError::wrong_argument_type()),
        }
    }

    /// From the digits: `-0` is an integer too.
    fn integer<T: std::str::FromStr>(&self, index: usize) -> Result<T, MethodError> {
        let value = self.0.get(index).and_then(|value| value.get().parse().ok());
        value.ok_or_else(MethodError::wrong_argument_type)
    }

    fn typed<T: DeserializeOwned>(&self, index: usize) -> Result<T, MethodError> {
        let value = self.0.get(index).ok_or_else(MethodError::wrong_argument_type)?;
        serde_json::from_str(value.get()).map_err(|_| MethodError::wrong_argument_type())
    }
}
