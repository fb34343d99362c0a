//! What can go wrong while reading: the text is no JSON, a scalar is another one, or a value does not fit its type.

use std::fmt::{self, Display, Write};

use serde::de::{self, Expected, Unexpected};
use thiserror::Error;

/// The text is no JSON (RFC 8259), or not what the reader said must stand there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{kind} at byte {offset}")]
pub struct SyntaxError {
    offset: usize,
    kind: SyntaxErrorKind,
}

/// What is wrong with a text that is no JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum SyntaxErrorKind {
    /// The text ends too early.
    #[error("unexpected end of the text")]
    UnexpectedEnd,
    /// No value begins with this byte.
    #[error("expected a value")]
    ExpectedValue,
    /// The reader wants an object, and something else stands there.
    #[error("expected an object")]
    ExpectedObject,
    /// The reader wants an array, and something else stands there.
    #[error("expected an array")]
    ExpectedArray,
    /// A member's name must be a string.
    #[error("expected a member's name")]
    ExpectedKey,
    /// A colon must follow a member's name.
    #[error("expected a colon")]
    ExpectedColon,
    /// A comma or a closing brace must follow a member.
    #[error("expected a comma or a closing brace")]
    ExpectedCommaOrBrace,
    /// A comma or a closing bracket must follow an element.
    #[error("expected a comma or a closing bracket")]
    ExpectedCommaOrBracket,
    /// A comma stands before a closing brace or bracket.
    #[error("comma before a closing bracket")]
    TrailingComma,
    /// A word that is none of `true`, `false` and `null`.
    #[error("invalid literal")]
    InvalidLiteral,
    /// A number that breaks its grammar: a leading zero, a missing digit.
    #[error("invalid number")]
    InvalidNumber,
    /// An escape that is none.
    #[error("invalid escape")]
    InvalidEscape,
    /// A control character stands in a string unescaped.
    #[error("control character in a string")]
    ControlCharacter,
    /// Objects and arrays nest deeper than [`Cursor::MAX_DEPTH`](super::Cursor::MAX_DEPTH).
    #[error("nested deeper than 64 levels")]
    TooDeep,
    /// Something other than white space follows the value.
    #[error("unexpected characters after the value")]
    TrailingCharacters,
}

/// A scalar could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The text is no JSON.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
    /// Another kind of value begins there. It was not read, hence not checked, any further.
    #[error("expected {expected} at byte {offset}")]
    Unexpected {
        /// Where the value begins.
        offset: usize,
        /// What the reader wants.
        expected: &'static str,
    },
    /// The integer does not fit 64 bits.
    #[error("integer out of range at byte {offset}")]
    OutOfRange {
        /// Where the integer begins.
        offset: usize,
    },
    /// The string holds half a surrogate pair, which is JSON but no text.
    #[error("half a surrogate pair at byte {offset}")]
    LoneSurrogate {
        /// Where its escape begins.
        offset: usize,
    },
}

/// A value could not be decoded, and where in it.
///
/// What it quotes of the value is cut to 64 characters, with control characters escaped: a hub cannot flood or forge a
/// log through it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodeError {
    // Boxed: a decoder's results are moved often, and its errors are rare.
    detail: Box<Detail>,
}

/// Says whether a value is no JSON, or JSON that does not fit its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// The value is no JSON, or nests too deep: the hub breaks the protocol.
    Syntax,
    /// The value is JSON and does not fit the type.
    Type,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Detail {
    kind: DecodeErrorKind,
    place: String,
    message: String,
    offset: Option<usize>,
}

impl SyntaxError {
    #[cold]
    pub(super) fn new(offset: usize, kind: SyntaxErrorKind) -> Self {
        Self { offset, kind }
    }

    /// The offset of the byte that broke the rule, from the beginning of the text.
    ///
    /// For literals and escapes it is that of their first byte; at the end of the text it is its length.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// What is wrong there.
    #[must_use]
    pub fn kind(&self) -> SyntaxErrorKind {
        self.kind
    }
}

impl ReadError {
    /// The offset at which it was found, from the beginning of the text.
    #[must_use]
    pub fn offset(&self) -> usize {
        match *self {
            Self::Syntax(error) => error.offset(),
            Self::Unexpected { offset, .. } | Self::OutOfRange { offset } | Self::LoneSurrogate { offset } => offset,
        }
    }
}

impl DecodeError {
    /// Where in the value it failed: `[1].bestBid`, with the indexes and member names from the outside in; empty for the
    /// value as a whole.
    ///
    /// Names that are no plain words stand in brackets and quotes: `["best bid"]`.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.detail.place
    }

    /// What was found there, and what was expected.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.detail.message
    }

    /// Whether the value is no JSON, or does not fit.
    #[must_use]
    pub fn kind(&self) -> DecodeErrorKind {
        self.detail.kind
    }

    /// The offset of the failure from the beginning of the text, as far as it is known.
    ///
    /// A value that was read and then refused is named by its end.
    #[must_use]
    pub fn offset(&self) -> Option<usize> {
        self.detail.offset
    }

    /// Puts `outer` before the place: for a reader that walks to a value on its own and decodes it there.
    #[must_use]
    pub fn within(mut self, outer: &str) -> Self {
        self.detail.place.insert_str(0, outer);
        self
    }

    /// The same for a value whose grammar turned out to be fine.
    pub(super) fn into_misfit(mut self) -> Self {
        self.detail.kind = DecodeErrorKind::Type;
        self
    }

    pub(super) fn at(mut self, offset: usize, place: String) -> Self {
        self.detail.offset = Some(offset);
        self.detail.place = place;
        self
    }

    #[cold]
    pub(super) fn misfit(offset: Option<usize>, message: impl Display) -> Self {
        let message = Clipped::new(message, MESSAGE_LIMIT).to_string();
        Self { detail: Box::new(Detail { kind: DecodeErrorKind::Type, place: String::new(), message, offset }) }
    }
}

impl Display for DecodeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.place().is_empty() {
            return formatter.write_str(self.message());
        }
        write!(formatter, "at {}: {}", self.place(), self.message())
    }
}

impl std::error::Error for DecodeError {}

impl From<SyntaxError> for DecodeError {
    #[cold]
    fn from(error: SyntaxError) -> Self {
        let mut decode = Self::misfit(Some(error.offset()), error.kind());
        decode.detail.kind = DecodeErrorKind::Syntax;
        decode
    }
}

impl From<ReadError> for DecodeError {
    #[cold]
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Syntax(error) => error.into(),
            ReadError::LoneSurrogate { offset } => Self::misfit(Some(offset), "half a surrogate pair, expected text"),
            ReadError::OutOfRange { offset } => Self::misfit(Some(offset), "integer out of range"),
            ReadError::Unexpected { offset, expected } => {
                Self::misfit(Some(offset), format_args!("expected {expected}"))
            }
        }
    }
}

impl de::Error for DecodeError {
    #[cold]
    fn custom<T: Display>(message: T) -> Self {
        Self::misfit(None, message)
    }

    #[cold]
    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::misfit(None, format_args!("invalid type: {}, expected {expected}", Found(unexpected)))
    }

    #[cold]
    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::misfit(None, format_args!("invalid value: {}, expected {expected}", Found(unexpected)))
    }

    #[cold]
    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self::misfit(None, format_args!("unknown variant `{}`, expected {}", excerpt(variant), OneOf(expected)))
    }

    #[cold]
    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::misfit(None, format_args!("unknown member `{}`, expected {}", excerpt(field), OneOf(expected)))
    }
}

/// How many characters of a value an error quotes.
const EXCERPT_LIMIT: usize = 64;

/// How many characters an error message has: what a type of the application says may quote the value as well.
const MESSAGE_LIMIT: usize = 320;

/// Prints the beginning of a text from outside.
pub(super) fn excerpt(text: &str) -> impl Display {
    Clipped::new(text, EXCERPT_LIMIT)
}

/// Prints `limit` characters of something, control characters escaped, and says when it is cut.
struct Clipped<T> {
    value: T,
    limit: usize,
}

struct ClippedWriter<'a, 'f> {
    formatter: &'a mut fmt::Formatter<'f>,
    left: usize,
    is_cut: bool,
}

/// Prints what was found, with texts cut.
struct Found<'a>(Unexpected<'a>);

/// Prints the names that would have been right.
struct OneOf(&'static [&'static str]);

impl<T> Clipped<T> {
    fn new(value: T, limit: usize) -> Self {
        Self { value, limit }
    }
}

impl<T: Display> Display for Clipped<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut writer = ClippedWriter { formatter, left: self.limit, is_cut: false };
        match write!(writer, "{}", self.value) {
            // The writer stops the value at the limit; the cut is all there is to say about that.
            Err(_) if writer.is_cut => formatter.write_str("..."),
            result => result,
        }
    }
}

impl Write for ClippedWriter<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            let Some(left) = self.left.checked_sub(1) else {
                self.is_cut = true;
                return Err(fmt::Error);
            };
            self.left = left;
            if character.is_control() {
                write!(self.formatter, "{}", character.escape_default())?;
            } else {
                self.formatter.write_char(character)?;
            }
        }
        Ok(())
    }
}

impl Display for Found<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Unexpected::Str(text) => write!(formatter, "string \"{}\"", excerpt(text)),
            Unexpected::Other(text) => write!(formatter, "{}", excerpt(text)),
            Unexpected::Unit => formatter.write_str("null"),
            other => write!(formatter, "{other}"),
        }
    }
}

impl Display for OneOf {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((first, others)) = self.0.split_first() else { return formatter.write_str("none") };
        write!(formatter, "`{first}`")?;
        others.iter().try_for_each(|name| write!(formatter, ", `{name}`"))
    }
}

#[cfg(test)]
mod tests {
    use serde::de::Error;

    use super::*;

    #[test]
    fn what_is_quoted_is_cut_and_escaped() {
        let long = "é".repeat(1000);
        let error = DecodeError::invalid_type(Unexpected::Str(&long), &"a number");
        assert_eq!(error.message(), format!("invalid type: string \"{}...\", expected a number", "é".repeat(64)));
        let error = DecodeError::unknown_variant("a\n\u{1e}\u{1b}[31m", &["b", "c"]);
        assert_eq!(error.message(), r"unknown variant `a\n\u{1e}\u{1b}[31m`, expected `b`, `c`");
        assert_eq!(DecodeError::unknown_field("x", &[]).message(), "unknown member `x`, expected none");
        let error = DecodeError::custom(format_args!("no price: {}", "9".repeat(1 << 20)));
        assert_eq!(error.message().len(), MESSAGE_LIMIT + 3);
        let exactly = "x".repeat(64);
        assert_eq!(excerpt(&exactly).to_string(), exactly);
    }

    #[test]
    fn it_prints_its_place() {
        let error = DecodeError::custom("no").at(3, "[1].bid".into());
        assert_eq!(error.to_string(), "at [1].bid: no");
        assert_eq!(error.within(".arguments").place(), ".arguments[1].bid");
        assert_eq!(DecodeError::custom("no").to_string(), "no");
        assert_eq!(size_of::<DecodeError>(), size_of::<usize>());
    }
}
