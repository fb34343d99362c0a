//! Reading scalars by hand: strings, integers, booleans, null, and numbers as they are written.

use std::borrow::Cow;

use super::cursor::Cursor;
use super::error::{ReadError, SyntaxError, SyntaxErrorKind};
use super::number::{self, Number};
use super::string;

impl<'a> Cursor<'a> {
    /// Reads a string, borrowed from the text unless it holds an escape.
    ///
    /// # Errors
    /// [`ReadError::LoneSurrogate`] for half a surrogate pair, which the grammar allows and a string cannot hold: then
    /// [`skip_value`](Self::skip_value) still goes past it.
    #[inline]
    pub fn string(&mut self) -> Result<Cow<'a, str>, ReadError> {
        match self.peek() {
            Some(b'"') => self.string_here(),
            _ => Err(self.unexpected("a string")),
        }
    }

    /// Reads the string that begins exactly here if it holds no escape. Else it moves nothing.
    #[inline]
    pub(crate) fn plain_string(&mut self) -> Option<&'a str> {
        if self.byte(self.position) != Some(b'"') {
            return None;
        }
        self.plain_string_here()
    }

    /// Reads the integer of one digit that stands exactly here, a comma behind it. Else it moves nothing.
    #[inline]
    pub(crate) fn digit(&mut self) -> Option<i64> {
        match self.text.as_bytes().get(self.position..)? {
            [digit @ b'0'..=b'9', b',', ..] => {
                self.position += 1;
                Some(i64::from(digit - b'0'))
            }
            _ => None,
        }
    }

    /// Reads an integer: a number without fraction and exponent that fits an `i64`.
    ///
    /// # Errors
    /// [`ReadError::Unexpected`] for other numbers, `1.0` and `1e0` among them, and for other values;
    /// [`ReadError::OutOfRange`] for larger integers.
    #[inline]
    pub fn integer(&mut self) -> Result<i64, ReadError> {
        let Some(b'-' | b'0'..=b'9') = self.peek() else { return Err(self.unexpected("an integer")) };
        let (number, end) = number::parse(self.text, self.position)?;
        let value = match number {
            Number::Unsigned(value) => i64::try_from(value).ok(),
            Number::Negative(value) => Some(value),
            // -0 counts as a float, as with serde_json, and so does what no u64 can hold.
            Number::Float(_) => {
                let token = self.slice(self.position..end);
                if token.bytes().any(|byte| matches!(byte, b'.' | b'e' | b'E')) {
                    return Err(self.unexpected("an integer"));
                }
                token.parse().ok()
            }
        };
        let value = value.ok_or(ReadError::OutOfRange { offset: self.position })?;
        self.position = end;
        Ok(value)
    }

    /// Reads `true` or `false`.
    ///
    /// # Errors
    /// [`ReadError::Unexpected`] for other values.
    #[inline]
    pub fn bool(&mut self) -> Result<bool, ReadError> {
        match self.peek() {
            Some(b't') => self.literal("true").map(|()| true).map_err(ReadError::Syntax),
            Some(b'f') => self.literal("false").map(|()| false).map_err(ReadError::Syntax),
            _ => Err(self.unexpected("a boolean")),
        }
    }

    /// Reads `null`.
    ///
    /// # Errors
    /// [`ReadError::Unexpected`] for other values.
    #[inline]
    pub fn null(&mut self) -> Result<(), ReadError> {
        match self.peek() {
            Some(b'n') => self.literal("null").map_err(ReadError::Syntax),
            _ => Err(self.unexpected("null")),
        }
    }

    /// Reads a number as it was written, its grammar checked.
    ///
    /// # Errors
    /// [`ReadError::Unexpected`] for other values.
    #[inline]
    pub fn number_text(&mut self) -> Result<&'a str, ReadError> {
        let Some(b'-' | b'0'..=b'9') = self.peek() else { return Err(self.unexpected("a number")) };
        let end = number::end(self.text.as_bytes(), self.position)?;
        let token = self.slice(self.position..end);
        self.position = end;
        Ok(token)
    }
}

/// The steps that the methods above share with the deserializer; each begins at the first byte of its value.
impl<'a> Cursor<'a> {
    /// Reads the string whose quote stands here.
    #[inline]
    pub(super) fn string_here(&mut self) -> Result<Cow<'a, str>, ReadError> {
        match self.plain_string_here() {
            Some(text) => Ok(Cow::Borrowed(text)),
            None => self.string_with_escapes(),
        }
    }

    /// Reads the string whose quote stands here if it holds no escape, and is one; else it moves nothing.
    ///
    /// Apart from [`string_here`](Self::string_here) because its result fits two registers.
    #[inline]
    pub(super) fn plain_string_here(&mut self) -> Option<&'a str> {
        let start = self.position + 1;
        let end = string::plain_end(self.text.as_bytes(), start);
        if self.byte(end) != Some(b'"') {
            return None;
        }
        let text = self.text.get(start..end)?;
        self.position = end + 1;
        Some(text)
    }

    #[inline]
    pub(super) fn literal(&mut self, expected: &'static str) -> Result<(), SyntaxError> {
        let end = self.position + expected.len();
        if self.text.as_bytes().get(self.position..end) != Some(expected.as_bytes()) {
            return Err(self.error(SyntaxErrorKind::InvalidLiteral));
        }
        self.position = end;
        Ok(())
    }

    #[cold]
    fn unexpected(&mut self, expected: &'static str) -> ReadError {
        match self.peek_kind() {
            Some(_) => ReadError::Unexpected { offset: self.position, expected },
            None => ReadError::Syntax(self.expected(SyntaxErrorKind::ExpectedValue)),
        }
    }

    #[cold]
    #[inline(never)]
    pub(super) fn string_with_escapes(&mut self) -> Result<Cow<'a, str>, ReadError> {
        let start = self.position + 1;
        let end = string::end(self.text.as_bytes(), self.position)?;
        let owned = string::unescape(self.slice(start..end - 1))
            .map_err(|offset| ReadError::LoneSurrogate { offset: start + offset })?;
        self.position = end;
        Ok(Cow::Owned(owned))
    }

    #[cold]
    #[inline(never)]
    pub(super) fn key_with_escapes(&mut self) -> Result<Cow<'a, str>, SyntaxError> {
        let start = self.position + 1;
        let end = string::end(self.text.as_bytes(), self.position)?;
        self.position = end;
        Ok(Cow::Owned(string::unescape_lossy(self.slice(start..end - 1))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_are_told_apart_and_a_misfit_moves_nothing() {
        let misfit = |offset| Err(ReadError::Unexpected { offset, expected: "an integer" });
        for (text, expected) in [
            ("0", Ok(0)),
            ("-0", Ok(0)),
            ("-7", Ok(-7)),
            ("9223372036854775807", Ok(i64::MAX)),
            ("-9223372036854775808", Ok(i64::MIN)),
            ("9223372036854775808", Err(ReadError::OutOfRange { offset: 0 })),
            ("-9223372036854775809", Err(ReadError::OutOfRange { offset: 0 })),
            ("123456789012345678901234567890", Err(ReadError::OutOfRange { offset: 0 })),
            ("1.0", misfit(0)),
            ("1e0", misfit(0)),
            (" \"1\"", misfit(1)),
            ("true", misfit(0)),
            ("01", Err(ReadError::Syntax(SyntaxError::new(1, SyntaxErrorKind::InvalidNumber)))),
            ("?", Err(ReadError::Syntax(SyntaxError::new(0, SyntaxErrorKind::ExpectedValue)))),
            ("", Err(ReadError::Syntax(SyntaxError::new(0, SyntaxErrorKind::UnexpectedEnd)))),
        ] {
            let mut cursor = Cursor::new(text);
            assert_eq!(cursor.integer(), expected, "{text}");
            if let Err(ReadError::Unexpected { offset, .. }) = expected {
                assert_eq!(cursor.position(), offset);
                assert_eq!(cursor.skip_value(), Ok(offset..text.len()));
            }
        }
        assert_eq!(Cursor::new("1").bool(), Err(ReadError::Unexpected { offset: 0, expected: "a boolean" }));
        assert_eq!(Cursor::new("1").null(), Err(ReadError::Unexpected { offset: 0, expected: "null" }));
        assert_eq!(Cursor::new("1").string(), Err(ReadError::Unexpected { offset: 0, expected: "a string" }));
        assert_eq!(Cursor::new("nul").null().unwrap_err().offset(), 0);
        assert_eq!(Cursor::new(" -12.50e+3,").number_text(), Ok("-12.50e+3"));
    }

    #[test]
    fn half_a_surrogate_pair_is_no_string_but_can_be_skipped() {
        let mut cursor = Cursor::new(r#""a\ud800""#);
        assert_eq!(cursor.string(), Err(ReadError::LoneSurrogate { offset: 2 }));
        assert_eq!(cursor.skip_value(), Ok(0..9));
        let mut cursor = Cursor::new(r#"{"\ud800":1}"#);
        cursor.begin_object().unwrap();
        assert_eq!(cursor.next_key(true).unwrap().unwrap(), "\u{FFFD}");
    }
}
