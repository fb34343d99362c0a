//! Arguments as the text of a JSON array.

use serde::Serialize;
use signalr_proto::error::Rejection;

/// A tuple is a list of arguments, and so is anything else that serializes to an array; `()` is the empty list.
pub(crate) fn to_json(arguments: &impl Serialize) -> Result<String, Rejection> {
    let text = serde_json::to_string(arguments).map_err(|error| Rejection::Invalid(format!("the arguments cannot be written as JSON: {error}")))?;
    match text.as_bytes().first() {
        Some(b'[') => Ok(text),
        _ if text == "null" => Ok("[]".to_owned()),
        _ => Err(Rejection::Invalid("the arguments are not a list: put them into a tuple, as in `(1,)`".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
