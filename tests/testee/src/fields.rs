//! The members of a line, taken one by one: what is left at the end was not understood.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

/// The members of a JSON object. Values keep the text they were written with.
#[derive(Debug)]
pub(crate) struct Fields(BTreeMap<String, Box<RawValue>>);

impl Fields {
    /// Reads an object; of a member that comes twice the last counts.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map(Self).map_err(|error| format!("this is no JSON object: {error}"))
    }

    /// Takes a member that must be there.
    pub(crate) fn required<T: DeserializeOwned>(&mut self, name: &str) -> Result<T, String> {
        let value = self.0.remove(name).ok_or_else(|| format!("`{name}` is missing"))?;
        read(name, &value)
    }

    /// Takes a member that may be absent or null.
    pub(crate) fn optional<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>, String> {
        match self.0.remove(name) {
            Some(value) => read(name, &value),
            None => Ok(None),
        }
    }

    /// Takes a member as it was written.
    pub(crate) fn raw(&mut self, name: &str) -> Option<Box<RawValue>> {
        self.0.remove(name)
    }

    /// The name of a member that nobody took.
    pub(crate) fn left_over(&self) -> Option<&str> {
        self.0.keys().next().map(String::as_str)
    }

    /// Fails if there is a member that nobody took.
    pub(crate) fn finish(&self) -> Result<(), String> {
        match self.left_over() {
            Some(name) => Err(format!("`{name}` means nothing here")),
            None => Ok(()),
        }
    }
}

fn read<T: DeserializeOwned>(name: &str, value: &RawValue) -> Result<T, String> {
    serde_json::from_str(value.get()).map_err(|error| format!("`{name}`: {error}"))
}

/// The same JSON without the spaces between its tokens, so that two spellings of one value are one text.
pub(crate) fn compact(json: &RawValue) -> Box<RawValue> {
    let mut is_text = false;
    let mut is_escaped = false;
    let is_kept = |character: &char| {
        if is_text {
            is_text = is_escaped || *character != '"';
            is_escaped = !is_escaped && *character == '\\';
            return true;
        }
        is_text = *character == '"';
        !matches!(character, ' ' | '\t' | '\r' | '\n')
    };
    let text: String = json.get().chars().filter(is_kept).collect();
    RawValue::from_string(text).expect("JSON without its spaces is JSON")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_taken_by_name_and_type() {
        let mut fields = Fields::parse(r#"{"a":1,"b":null,"c":"x","d":1.50}"#).unwrap();
        assert_eq!(fields.required::<i64>("a"), Ok(1));
        assert_eq!(fields.optional::<i64>("b"), Ok(None));
        assert!(fields.required::<i64>("c").unwrap_err().starts_with("`c`: "));
        assert_eq!(fields.required::<i64>("a").unwrap_err(), "`a` is missing");
        assert_eq!(fields.left_over(), Some("d"));
        assert_eq!(fields.raw("d").unwrap().get(), "1.50");
        assert_eq!(fields.finish(), Ok(()));
        assert!(Fields::parse("[1]").is_err() && Fields::parse("").is_err());
    }

    #[test]
    fn only_the_spaces_between_tokens_go() {
        let json = RawValue::from_string(r#"{ "a b" : [ 1.50 , "\" \\" , "x y" ] }"#.to_owned()).unwrap();
        assert_eq!(compact(&json).get(), r#"{"a b":[1.50,"\" \\","x y"]}"#);
    }
}
