//! Arguments as the text of a JSON array.

use std::any::Any;

use serde::Serialize;
use serde::de::DeserializeOwned;
use signalr_proto::error::Rejection;
use signalr_proto::json::{Cursor, DecodeError};

/// A tuple is a list of arguments, and so is anything else that serializes to an array; `()` is the empty list.
pub(crate) fn to_json(arguments: &impl Serialize) -> Result<String, Rejection> {
    let text = serde_json::to_string(arguments)
        .map_err(|error| Rejection::Invalid(format!("the arguments cannot be written as JSON: {error}")))?;
    match text.as_bytes().first() {
        Some(b'[') => Ok(text),
        _ if text == "null" => Ok("[]".to_owned()),
        _ => Err(Rejection::Invalid("the arguments are not a list: put them into a tuple, as in `(1,)`".to_owned())),
    }
}

/// Reads a list of arguments as a tuple, or as anything else that reads an array; `()` is the empty list here too, though not to serde.
#[inline]
pub fn read<T: DeserializeOwned + 'static>(arguments: &mut Cursor<'_>) -> Result<T, DecodeError> {
    let mut unit = Some(());
    if let Some(unit) = (&mut unit as &mut dyn Any).downcast_mut::<Option<T>>() {
        arguments.decode::<[(); 0]>()?;
        return Ok(unit.take().expect("it was put there just now"));
    }
    arguments.decode()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_empty_list_is_read_as_nothing_and_a_longer_one_is_not() {
        assert_eq!(read::<()>(&mut Cursor::new("[]")), Ok(()));
        assert_eq!(read::<(i32,)>(&mut Cursor::new("[1]")), Ok((1,)));
        assert_eq!(read::<Vec<i32>>(&mut Cursor::new("[1,2]")), Ok(vec![1, 2]));
        assert!(read::<()>(&mut Cursor::new("[1]")).is_err());
        assert!(read::<(i32,)>(&mut Cursor::new("[]")).is_err());
    }

    #[test]
    fn only_a_list_is_a_list_of_arguments() {
        assert_eq!(to_json(&()).unwrap(), "[]");
        assert_eq!(to_json(&(1, "two")).unwrap(), r#"[1,"two"]"#);
        assert_eq!(to_json(&vec![1]).unwrap(), "[1]");
        assert!(to_json(&"one").is_err());
        assert!(to_json(&1).is_err());
    }

    #[test]
    fn the_separator_is_escaped() {
        assert_eq!(to_json(&("\u{1e}",)).unwrap(), r#"["\u001e"]"#);
    }
}
