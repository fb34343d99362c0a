//! The cursor: a place in a JSON text, and the steps a hand-written reader takes from there.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use serde::Deserialize;

use super::error::{DecodeError, SyntaxError, SyntaxErrorKind};
use super::number;
use super::skip;
use super::string;

/// Stands at one place in a JSON text and reads forward from there.
///
/// All methods skip white space before what they read. On failure they leave the cursor where it stood, or behind the
/// white space before it, so that [`skip_value`](Self::skip_value) can check what did not fit; only a failure in the
/// middle of walking ([`next_key`](Self::next_key), [`next_element`](Self::next_element)) leaves it in between.
///
/// It is 32 bytes and cheap to clone; [`checkpoint`](Self::checkpoint) is cheaper.
#[derive(Clone)]
pub struct Cursor<'a> {
    pub(super) text: &'a str,
    pub(super) position: usize,
    pub(super) depth: u32,
}

/// Remembers a place of a [`Cursor`], to come back to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    position: usize,
    depth: u32,
}

/// Says what kind of value begins at a place, as far as its first byte tells.
///
/// The grammar knows these seven and no more (RFC 8259, section 3), hence the enum is exhaustive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A string: `"`.
    String,
    /// A number: `-` or a digit.
    Number,
    /// An object: `{`.
    Object,
    /// An array: `[`.
    Array,
    /// The literal `true`.
    True,
    /// The literal `false`.
    False,
    /// The literal `null`.
    Null,
}

impl<'a> Cursor<'a> {
    /// How many objects and arrays may be open around a value: 64, the limit of System.Text.Json's reader.
    ///
    /// The record's own object is the first. The 65th open bracket is [`SyntaxErrorKind::TooDeep`].
    pub const MAX_DEPTH: u32 = 64;

    /// Stands at the beginning of `text`, outside of everything.
    #[inline]
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        Self { text, position: 0, depth: 0 }
    }

    /// Stands at `start` in `text` with `depth` objects and arrays open around it.
    ///
    /// For decoding a value again whose range was remembered. `depth` is what [`depth`](Self::depth) said there; a larger
    /// one than [`MAX_DEPTH`](Self::MAX_DEPTH) leaves room for scalars only.
    #[inline]
    #[must_use]
    pub fn at(text: &'a str, start: usize, depth: u32) -> Self {
        Self { text, position: start, depth }
    }

    /// The whole text.
    #[inline]
    #[must_use]
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// The offset of the next byte to read, from the beginning of the text.
    #[inline]
    #[must_use]
    pub fn position(&self) -> usize {
        self.position
    }

    /// The number of objects and arrays that are open around the position.
    #[inline]
    #[must_use]
    pub fn depth(&self) -> u32 {
        self.depth
    }

    /// The text of `range`, or `""` where the text has no such range.
    #[inline]
    #[must_use]
    pub fn slice(&self, range: Range<usize>) -> &'a str {
        self.text.get(range).unwrap_or_default()
    }

    /// Remembers this place.
    #[inline]
    #[must_use]
    pub fn checkpoint(&self) -> Checkpoint {
        Checkpoint { position: self.position, depth: self.depth }
    }

    /// Goes back, or forward, to a remembered place of the same text.
    #[inline]
    pub fn restore(&mut self, checkpoint: Checkpoint) {
        self.position = checkpoint.position;
        self.depth = checkpoint.depth;
    }

    /// Says what kind of value begins here, or `None` at the end and at a byte that begins none.
    #[inline]
    pub fn peek_kind(&mut self) -> Option<Kind> {
        match self.peek()? {
            b'"' => Some(Kind::String),
            b'-' | b'0'..=b'9' => Some(Kind::Number),
            b'{' => Some(Kind::Object),
            b'[' => Some(Kind::Array),
            b't' => Some(Kind::True),
            b'f' => Some(Kind::False),
            b'n' => Some(Kind::Null),
            _ => None,
        }
    }

    /// Enters an object: its `{`, after which [`next_key`](Self::next_key) is to be called.
    ///
    /// # Errors
    /// [`SyntaxErrorKind::ExpectedObject`] where another kind of value stands, and [`SyntaxErrorKind::TooDeep`].
    #[inline]
    pub fn begin_object(&mut self) -> Result<(), SyntaxError> {
        match self.peek() {
            Some(b'{') => self.open(),
            _ => Err(self.expected(SyntaxErrorKind::ExpectedObject)),
        }
    }

    /// Reads the next member's name and its colon, or leaves the object by its `}` and says `None`.
    ///
    /// The cursor then stands before the member's value, which must be read or skipped before the next call.
    ///
    /// `first` says whether no member of this object was read yet: the comma depends on it. Half a surrogate pair in a
    /// name, which no string can hold, becomes U+FFFD: such a member is an unknown one, to be skipped like any other.
    ///
    /// # Errors
    /// What is no member of an object; `{,}` and `{"a":1,}` among them.
    #[inline]
    pub fn next_key(&mut self, first: bool) -> Result<Option<Cow<'a, str>>, SyntaxError> {
        if !self.next_member(first)? {
            return Ok(None);
        }
        let key = match self.plain_string_here() {
            Some(key) => Cow::Borrowed(key),
            None => self.key_with_escapes()?,
        };
        self.colon()?;
        Ok(Some(key))
    }

    /// Consumes `"expected":`, with the comma before it unless `first`, where exactly that stands, without white space.
    ///
    /// Else it moves nothing and says `false`. It is the fast way for members that come in a known order, as those of a
    /// hub's records do; [`next_key`](Self::next_key) is the way for everything else. `expected` is taken as it is: names
    /// that JSON must escape never match.
    #[inline]
    pub fn next_key_is(&mut self, first: bool, expected: &str) -> bool {
        let Some(rest) = self.text.as_bytes().get(self.position..) else { return false };
        let (rest, comma) = match rest {
            [b',', rest @ ..] if !first => (rest, 1),
            _ if first => (rest, 0),
            _ => return false,
        };
        let [b'"', rest @ ..] = rest else { return false };
        let Some([b'"', b':', ..]) = rest.strip_prefix(expected.as_bytes()) else { return false };
        self.position += comma + expected.len() + 3;
        true
    }

    /// Leaves the object by the `}` that stands exactly here, where one does. Else it moves nothing and says `false`.
    #[inline]
    pub(crate) fn ends_object(&mut self) -> bool {
        let is_end = self.byte(self.position) == Some(b'}');
        if is_end {
            self.close();
        }
        is_end
    }

    /// Enters an array: its `[`, after which [`next_element`](Self::next_element) is to be called.
    ///
    /// # Errors
    /// [`SyntaxErrorKind::ExpectedArray`] where another kind of value stands, and [`SyntaxErrorKind::TooDeep`].
    #[inline]
    pub fn begin_array(&mut self) -> Result<(), SyntaxError> {
        match self.peek() {
            Some(b'[') => self.open(),
            _ => Err(self.expected(SyntaxErrorKind::ExpectedArray)),
        }
    }

    /// Leaves the cursor before the next element and says `true`, or leaves the array by its `]` and says `false`.
    ///
    /// `first` says whether no element of this array was read yet: the comma depends on it.
    ///
    /// # Errors
    /// What is no array; `[,]` and `[1,]` among them.
    #[inline]
    pub fn next_element(&mut self, first: bool) -> Result<bool, SyntaxError> {
        match self.peek() {
            Some(b']') => {
                self.close();
                Ok(false)
            }
            Some(b',') if !first => {
                self.position += 1;
                match self.peek() {
                    Some(b']') => Err(self.error(SyntaxErrorKind::TrailingComma)),
                    Some(_) => Ok(true),
                    None => Err(self.error(SyntaxErrorKind::UnexpectedEnd)),
                }
            }
            Some(b',') => Err(self.error(SyntaxErrorKind::ExpectedValue)),
            Some(_) if first => Ok(true),
            _ => Err(self.expected(SyntaxErrorKind::ExpectedCommaOrBracket)),
        }
    }

    /// Goes past one value of any kind with its grammar checked in full, and says where it stands.
    ///
    /// It does not recurse, and it accepts `"\ud800"`, as the grammar and System.Text.Json's reader do.
    ///
    /// # Errors
    /// What is no JSON value, or nests deeper than [`MAX_DEPTH`](Self::MAX_DEPTH).
    #[inline]
    pub fn skip_value(&mut self) -> Result<Range<usize>, SyntaxError> {
        let Some(first) = self.peek() else { return Err(self.error(SyntaxErrorKind::UnexpectedEnd)) };
        let bytes = self.text.as_bytes();
        let start = self.position;
        let end = match first {
            b'-' | b'0'..=b'9' => number::end(bytes, start)?,
            b'"' => string::end(bytes, start)?,
            b'{' | b'[' => skip::container(bytes, start, self.depth)?,
            _ => skip::literal(bytes, start)?,
        };
        self.position = end;
        Ok(start..end)
    }

    /// Checks that nothing but white space is left.
    ///
    /// # Errors
    /// [`SyntaxErrorKind::TrailingCharacters`].
    #[inline]
    pub fn finish(&mut self) -> Result<(), SyntaxError> {
        if self.position == self.text.len() {
            return Ok(());
        }
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.error(SyntaxErrorKind::TrailingCharacters)),
        }
    }

    /// Decodes the value that begins here, in place.
    ///
    /// What of the value `T` does not ask for is checked like everything skipped. Whatever stands behind the value is not
    /// looked at. After a failure the cursor stands before the value again.
    ///
    /// # Errors
    /// A [`DecodeError`] that names the place in the value; its [kind](DecodeError::kind) says whether the value is no JSON,
    /// or is JSON that does not fit `T`: on failure, and only then, the whole value is checked a second time to tell.
    #[inline]
    pub fn decode<T: Deserialize<'a>>(&mut self) -> Result<T, DecodeError> {
        let start = self.checkpoint();
        // The result is changed where it lies: taken apart and put together again, a large value would be copied twice.
        match T::deserialize(&mut *self) {
            Err(mut error) => {
                self.explain(start, &mut error);
                Err(error)
            }
            decoded => decoded,
        }
    }
}

/// Shows where the cursor stands, never the text: it may hold secrets.
impl fmt::Debug for Cursor<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Cursor")
            .field("position", &self.position)
            .field("length", &self.text.len())
            .field("depth", &self.depth)
            .finish_non_exhaustive()
    }
}

/// The steps that the walking methods above and the deserializer share.
impl<'a> Cursor<'a> {
    /// Goes past white space; the byte after it is still to be read.
    #[inline]
    pub(super) fn peek(&mut self) -> Option<u8> {
        match self.byte(self.position) {
            Some(byte) if byte > b' ' => Some(byte),
            _ => self.peek_past_white_space(),
        }
    }

    #[inline(never)]
    fn peek_past_white_space(&mut self) -> Option<u8> {
        self.position = skip::white_space(self.text.as_bytes(), self.position);
        self.byte(self.position)
    }

    #[inline]
    pub(super) fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    /// Goes past the bracket that stands here.
    #[inline]
    pub(super) fn open(&mut self) -> Result<(), SyntaxError> {
        if self.depth >= Self::MAX_DEPTH {
            return Err(self.error(SyntaxErrorKind::TooDeep));
        }
        self.depth += 1;
        self.position += 1;
        Ok(())
    }

    /// Goes past the closing bracket that stands here.
    #[inline]
    pub(super) fn close(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        self.position += 1;
    }

    /// Leaves the cursor before the quote of the next member's name, or behind the `}`.
    ///
    /// Always inlined: called, it costs a derived struct a tenth of its time.
    #[inline(always)]
    pub(super) fn next_member(&mut self, first: bool) -> Result<bool, SyntaxError> {
        match self.peek() {
            Some(b',') if !first => {
                self.position += 1;
                match self.peek() {
                    Some(b'"') => Ok(true),
                    Some(b'}') => Err(self.error(SyntaxErrorKind::TrailingComma)),
                    _ => Err(self.expected(SyntaxErrorKind::ExpectedKey)),
                }
            }
            Some(b'"') if first => Ok(true),
            Some(b'}') => {
                self.close();
                Ok(false)
            }
            _ if first => Err(self.expected(SyntaxErrorKind::ExpectedKey)),
            _ => Err(self.expected(SyntaxErrorKind::ExpectedCommaOrBrace)),
        }
    }

    #[inline]
    pub(super) fn colon(&mut self) -> Result<(), SyntaxError> {
        match self.peek() {
            Some(b':') => {
                self.position += 1;
                Ok(())
            }
            _ => Err(self.expected(SyntaxErrorKind::ExpectedColon)),
        }
    }

    #[cold]
    pub(super) fn error(&self, kind: SyntaxErrorKind) -> SyntaxError {
        SyntaxError::new(self.position, kind)
    }

    /// `kind`, or the end of the text where that is what came instead.
    #[cold]
    pub(super) fn expected(&self, kind: SyntaxErrorKind) -> SyntaxError {
        let kind = if self.position < self.text.len() { kind } else { SyntaxErrorKind::UnexpectedEnd };
        self.error(kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_walks_a_record_as_its_members_come() {
        let text = r#" { "type" : 1 , "t\u0061rget":"a\nb","list":[ 1 , true,null ] , "empty":{},"none":[]} "#;
        let mut cursor = Cursor::new(text);
        cursor.begin_object().unwrap();
        assert_eq!(cursor.next_key(true).unwrap().unwrap(), "type");
        assert_eq!(cursor.integer(), Ok(1));
        assert_eq!(cursor.next_key(false).unwrap().unwrap(), "target");
        assert_eq!(cursor.string().unwrap(), "a\nb");
        assert_eq!(cursor.next_key(false).unwrap().unwrap(), "list");
        cursor.begin_array().unwrap();
        assert_eq!(cursor.depth(), 2);
        assert_eq!(cursor.next_element(true), Ok(true));
        assert_eq!(cursor.number_text(), Ok("1"));
        assert_eq!(cursor.next_element(false), Ok(true));
        assert_eq!(cursor.bool(), Ok(true));
        assert_eq!(cursor.next_element(false), Ok(true));
        assert_eq!(cursor.null(), Ok(()));
        assert_eq!(cursor.next_element(false), Ok(false));
        assert_eq!(cursor.next_key(false).unwrap().unwrap(), "empty");
        cursor.begin_object().unwrap();
        assert_eq!(cursor.next_key(true), Ok(None));
        assert_eq!(cursor.next_key(false).unwrap().unwrap(), "none");
        cursor.begin_array().unwrap();
        assert_eq!(cursor.next_element(true), Ok(false));
        assert_eq!(cursor.next_key(false), Ok(None));
        assert_eq!(cursor.depth(), 0);
        assert_eq!(cursor.finish(), Ok(()));
    }

    #[test]
    fn the_fast_key_moves_only_where_exactly_that_stands() {
        let mut cursor = Cursor::new(r#"{"type":1,"target":"x"}"#);
        cursor.begin_object().unwrap();
        assert!(!cursor.next_key_is(true, "typ"));
        assert!(!cursor.next_key_is(true, "types"));
        assert!(!cursor.next_key_is(false, "type"));
        assert!(cursor.next_key_is(true, "type"));
        assert_eq!(cursor.integer(), Ok(1));
        assert!(!cursor.next_key_is(true, "target"));
        assert!(!cursor.next_key_is(false, "arguments"));
        assert!(cursor.next_key_is(false, "target"));
        assert_eq!(cursor.string().unwrap(), "x");
        assert!(!cursor.next_key_is(false, "target"));
        assert_eq!(cursor.next_key(false), Ok(None));

        for text in [r#" "a":1"#, r#""a" :1"#, r#""a""#, r#""a"#, "", r#""\u0061":1"#] {
            let mut cursor = Cursor::new(text);
            assert!(!cursor.next_key_is(true, "a"), "{text}");
            assert_eq!(cursor.position(), 0);
        }
        assert!(!Cursor::at("x", 7, 0).next_key_is(true, "a"));
    }

    #[test]
    fn commas_and_colons_stand_exactly_where_they_must() {
        let object = |text: &'static str| -> Result<(), SyntaxError> {
            let mut cursor = Cursor::new(text);
            cursor.begin_object()?;
            let mut first = true;
            while cursor.next_key(first)?.is_some() {
                first = false;
                cursor.skip_value()?;
            }
            cursor.finish()
        };
        let array = |text: &'static str| -> Result<(), SyntaxError> {
            let mut cursor = Cursor::new(text);
            cursor.begin_array()?;
            let mut first = true;
            while cursor.next_element(first)? {
                first = false;
                cursor.skip_value()?;
            }
            cursor.finish()
        };
        use SyntaxErrorKind as E;
        for (text, offset, kind) in [
            ("{,}", 1, E::ExpectedKey),
            (r#"{"a":1,}"#, 7, E::TrailingComma),
            (r#"{"a":1,,"b":2}"#, 7, E::ExpectedKey),
            (r#"{"a":1 "b":2}"#, 7, E::ExpectedCommaOrBrace),
            (r#"{"a" 1}"#, 5, E::ExpectedColon),
            (r#"{"a":}"#, 5, E::ExpectedValue),
            (r#"{a:1}"#, 1, E::ExpectedKey),
            (r#"{"a":1]"#, 6, E::ExpectedCommaOrBrace),
            (r#"{"a":1}}"#, 7, E::TrailingCharacters),
            ("{", 1, E::UnexpectedEnd),
            (r#"{"a":1"#, 6, E::UnexpectedEnd),
            (r#"{"a":1,"#, 7, E::UnexpectedEnd),
            ("[]", 0, E::ExpectedObject),
            ("", 0, E::UnexpectedEnd),
        ] {
            assert_eq!(object(text), Err(SyntaxError::new(offset, kind)), "{text}");
        }
        for (text, offset, kind) in [
            ("[,]", 1, E::ExpectedValue),
            ("[1,]", 3, E::TrailingComma),
            ("[1,,2]", 3, E::ExpectedValue),
            ("[1 2]", 3, E::ExpectedCommaOrBracket),
            ("[1}", 2, E::ExpectedCommaOrBracket),
            ("[1]]", 3, E::TrailingCharacters),
            ("[1", 2, E::UnexpectedEnd),
            ("[", 1, E::UnexpectedEnd),
            ("{}", 0, E::ExpectedArray),
        ] {
            assert_eq!(array(text), Err(SyntaxError::new(offset, kind)), "{text}");
        }
    }

    #[test]
    fn a_place_can_be_remembered_and_read_again() {
        let text = r#"{"a":[1,2]}"#;
        let mut cursor = Cursor::new(text);
        cursor.begin_object().unwrap();
        cursor.next_key(true).unwrap();
        let (place, depth) = (cursor.checkpoint(), cursor.depth());
        let range = cursor.skip_value().unwrap();
        assert_eq!(cursor.slice(range.clone()), "[1,2]");
        assert_eq!(cursor.slice(90..91), "");
        assert_eq!(Cursor::at(text, range.start, depth).decode::<Vec<u8>>().unwrap(), [1, 2]);
        cursor.begin_array().unwrap_err();
        cursor.restore(place);
        assert_eq!(cursor.decode::<(u8, u8)>().unwrap(), (1, 2));
        assert!(!format!("{cursor:?}").contains("[1,2]"));
    }
}
