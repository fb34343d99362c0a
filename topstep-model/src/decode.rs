//! From the arguments of an event, or a list of a REST answer, to rows: every shape that the venue or its clients know.
//!
//! A value is padding (`null`), one row (an object), or several: an array, or an object whose names are numbers. An object
//! with a member `data` is an envelope around any of these. A row of the depth may be an array of its values. It is all read
//! in one pass, and what is wrong with a row is noted beside the others: see [`Rows`](crate::Rows).

mod arguments;
mod element;
mod error;
mod key;
mod members;
mod path;
mod rows;
mod scalar_value;
mod sequence;
mod text;

pub(crate) use element::Element;
pub use error::{DecodeError, RowError};
pub use rows::Rows;

pub(crate) use element::{Collector, ElementSeed, Outcome};
pub(crate) use key::{Key, KeySeed};
pub(crate) use path::{Path, Step};
pub(crate) use scalar_value::ScalarValue;
