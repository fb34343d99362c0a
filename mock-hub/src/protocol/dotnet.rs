//! A JSON object read member by member, refused where System.Text.Json refuses it and in its words.
//!
//! The words reach a client only where errors are detailed; which exception it is decides nothing else.

use std::borrow::Cow;
use std::ops::Range;

use signalr_proto::json::{Cursor, Kind};

/// What SignalR says of everything that is no JSON.
pub(crate) const NOT_JSON: &str = "InvalidDataException: Error reading JSON.";
const LONE_SURROGATE: &str =
    "InvalidOperationException: Cannot read incomplete UTF-16 JSON text as string with missing low surrogate.";
const INVALID_UTF8: &str = "InvalidOperationException: Cannot transcode invalid UTF-8 JSON text to UTF-16 string.";

/// A record's text. Invalid UTF-8, which only binary frames can bring, has become U+FFFD, and its places are known.
#[derive(Debug)]
pub(crate) struct Text<'a> {
    text: Cow<'a, str>,
    invalid: Vec<usize>,
}

impl<'a> Text<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        if let Ok(text) = std::str::from_utf8(bytes) {
            return Self { text: Cow::Borrowed(text), invalid: Vec::new() };
        }
        let (mut text, mut invalid) = (String::with_capacity(bytes.len() + 8), Vec::new());
        for chunk in bytes.utf8_chunks() {
            text.push_str(chunk.valid());
            if !chunk.invalid().is_empty() {
                invalid.push(text.len());
                text.push(char::REPLACEMENT_CHARACTER);
            }
        }
        Self { text: Cow::Owned(text), invalid }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    fn is_valid(&self, range: &Range<usize>) -> bool {
        !self.invalid.iter().any(|at| range.contains(at))
    }
}

/// Stands between the members of an object. What follows the object is never looked at, as .NET's reader stops there.
pub(crate) struct Members<'t> {
    source: &'t Text<'t>,
    pub(crate) cursor: Cursor<'t>,
    is_first: bool,
}

impl<'t> Members<'t> {
    /// Enters the object that the text must begin with.
    pub(crate) fn of(source: &'t Text<'t>) -> Result<Self, String> {
        let mut cursor = Cursor::new(source.as_str());
        let token = match cursor.peek_kind() {
            Some(Kind::Object) => "",
            Some(Kind::Array) => "Array",
            Some(Kind::String) => "String",
            Some(Kind::Number) => "Number",
            Some(Kind::True) => "True",
            Some(Kind::False) => "False",
            Some(Kind::Null) => "Null",
            None => return Err(NOT_JSON.to_owned()),
        };
        if !token.is_empty() {
            cursor.skip_value().map_err(|_| NOT_JSON.to_owned())?;
            return Err(format!("InvalidDataException: Unexpected JSON Token Type '{token}'. Expected a JSON Object."));
        }
        cursor.begin_object().map_err(|_| NOT_JSON.to_owned())?;
        Ok(Self { source, cursor, is_first: true })
    }

    /// The next member's name, its value still to be read; `None` behind the closing brace.
    pub(crate) fn next_name(&mut self) -> Result<Option<Cow<'t, str>>, String> {
        let start = self.cursor.position();
        let name = self.cursor.next_key(self.is_first).map_err(|_| NOT_JSON.to_owned())?;
        self.is_first = false;
        // Only half a surrogate pair is told from U+FFFD by looking again.
        if name.as_ref().is_some_and(|name| name.contains(char::REPLACEMENT_CHARACTER)) {
            let raw = self.cursor.slice(start..self.cursor.position());
            let token = raw.find('"').and_then(|quote| raw.get(quote..)).unwrap_or_default();
            if Cursor::new(token).string().is_err() {
                return Err(LONE_SURROGATE.to_owned());
            }
        }
        Ok(name)
    }

    /// Goes past a value of any kind.
    pub(crate) fn skip(&mut self) -> Result<Range<usize>, String> {
        self.cursor.skip_value().map_err(|_| NOT_JSON.to_owned())
    }

    /// A string; null is none.
    pub(crate) fn string(&mut self, name: &str) -> Result<Cow<'t, str>, String> {
        self.expect(Kind::String, name, "String")?;
        self.text()
    }

    /// An `int`; `None` for null.
    pub(crate) fn int32(&mut self, name: &str) -> Result<Option<i32>, String> {
        self.number(name, "Int32")
    }

    /// A `long`; `None` for null.
    pub(crate) fn int64(&mut self, name: &str) -> Result<Option<i64>, String> {
        self.number(name, "Int64")
    }

    /// `true` or `false`.
    pub(crate) fn boolean(&mut self, name: &str) -> Result<(), String> {
        match self.cursor.peek_kind() {
            Some(Kind::True | Kind::False) => self.skip().map(drop),
            _ => Err(self.misfit(format!("InvalidDataException: Expected '{name}' to be true or false."))),
        }
    }

    /// An array, only looked at.
    pub(crate) fn array(&mut self, name: &str) -> Result<Range<usize>, String> {
        self.expect(Kind::Array, name, "Array")?;
        self.skip()
    }

    /// An array of strings.
    pub(crate) fn strings(&mut self, name: &str) -> Result<(), String> {
        self.expect(Kind::Array, name, "Array")?;
        self.cursor.begin_array().map_err(|_| NOT_JSON.to_owned())?;
        let mut is_first = true;
        while self.cursor.next_element(is_first).map_err(|_| NOT_JSON.to_owned())? {
            is_first = false;
            match self.cursor.peek_kind() {
                Some(Kind::String) => drop(self.text()?),
                Some(Kind::Null) => {
                    return Err(self.misfit(format!("InvalidDataException: Null value for '{name}' is not valid.")));
                }
                kind => {
                    let kind = token_name(kind);
                    return Err(self.misfit(format!(
                        "InvalidOperationException: Cannot get the value of a token type '{kind}' as a string."
                    )));
                }
            }
        }
        Ok(())
    }

    /// An object of strings.
    pub(crate) fn headers(&mut self) -> Result<(), String> {
        self.expect(Kind::Object, "headers", "StartObject")?;
        self.cursor.begin_object().map_err(|_| NOT_JSON.to_owned())?;
        let outer = std::mem::replace(&mut self.is_first, true);
        while let Some(name) = self.next_name()? {
            if self.cursor.peek_kind() != Some(Kind::String) {
                return Err(
                    self.misfit(format!("InvalidDataException: Expected header '{name}' to be of type String."))
                );
            }
            self.text()?;
        }
        self.is_first = outer;
        Ok(())
    }

    fn expect(&mut self, kind: Kind, name: &str, said: &str) -> Result<(), String> {
        if self.cursor.peek_kind() == Some(kind) {
            return Ok(());
        }
        Err(self.misfit(format!("InvalidDataException: Expected '{name}' to be of type {said}.")))
    }

    fn number<T: std::str::FromStr>(&mut self, name: &str, kind: &str) -> Result<Option<T>, String> {
        if self.cursor.peek_kind() == Some(Kind::Null) {
            return self.skip().map(|_| None);
        }
        self.expect(Kind::Number, name, "Number")?;
        let number = self.cursor.number_text().map_err(|_| NOT_JSON.to_owned())?;
        number.parse().map(Some).map_err(|_| {
            format!("FormatException: Either the JSON value is not in a supported format, or is out of bounds for an {kind}.")
        })
    }

    fn text(&mut self) -> Result<Cow<'t, str>, String> {
        let mut checked = self.cursor.clone();
        let range = checked.skip_value().map_err(|_| NOT_JSON.to_owned())?;
        if !self.source.is_valid(&range) {
            return Err(INVALID_UTF8.to_owned());
        }
        self.cursor.string().map_err(|_| LONE_SURROGATE.to_owned())
    }

    /// What does not fit is told as such only where it is JSON.
    fn misfit(&mut self, told: String) -> String {
        if matches!(self.cursor.peek_kind(), Some(Kind::Object | Kind::Array)) || self.cursor.skip_value().is_ok() {
            told
        } else {
            NOT_JSON.to_owned()
        }
    }
}

/// The types of hub methods' parameters, as far as one matters to binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    /// `JsonElement`: everything.
    Json,
    /// `int`.
    Int,
    /// `long`.
    Long,
    /// `string`, null included.
    Text,
    /// `object[]`, null included.
    Array,
}

impl Type {
    fn name(self) -> &'static str {
        match self {
            Self::Json => "System.Text.Json.JsonElement",
            Self::Int => "System.Int32",
            Self::Long => "System.Int64",
            Self::Text => "System.String",
            Self::Array => "System.Object[]",
        }
    }
}

impl Text<'_> {
    /// Whether the value at a place can be bound to a type; the error is the exception's text.
    pub(crate) fn bind(&self, range: &Range<usize>, wanted: Type) -> Result<(), String> {
        let mut cursor = Cursor::new(self.text.get(range.clone()).unwrap_or_default());
        let kind = cursor.peek_kind();
        let fits = match (wanted, kind) {
            (Type::Json, _) | (Type::Text | Type::Array, Some(Kind::Null)) | (Type::Array, Some(Kind::Array)) => true,
            (Type::Int, Some(Kind::Number)) => cursor.number_text().is_ok_and(|number| number.parse::<i32>().is_ok()),
            (Type::Long, Some(Kind::Number)) => cursor.number_text().is_ok_and(|number| number.parse::<i64>().is_ok()),
            (Type::Text, Some(Kind::String)) => self.is_valid(range) && cursor.string().is_ok(),
            _ => false,
        };
        if fits {
            return Ok(());
        }
        // A container is refused at its first byte.
        let at = if matches!(kind, Some(Kind::Object | Kind::Array)) { 1 } else { range.len() };
        let name = wanted.name();
        Err(format!(
            "JsonException: The JSON value could not be converted to {name}. Path: $ | LineNumber: 0 | \
             BytePositionInLine: {at}."
        ))
    }
}

fn token_name(kind: Option<Kind>) -> &'static str {
    match kind {
        Some(Kind::Object) => "StartObject",
        Some(Kind::Array) => "StartArray",
        Some(Kind::Number) => "Number",
        Some(Kind::True) => "True",
        Some(Kind::False) => "False",
        Some(Kind::String) => "String",
        Some(Kind::Null) | None => "Null",
    }
}
