//! Where in a value a decoder failed, found by walking the value again: only a failure pays for it.

use std::fmt::Write;
use std::ops::Range;

use super::cursor::{Cursor, Kind};
use super::error::{DecodeError, SyntaxError, excerpt};
use super::string;

impl<'a> Cursor<'a> {
    /// Completes the failure of decoding the value at `start`, and goes back there.
    #[cold]
    #[inline(never)]
    pub(super) fn explain(&mut self, start: super::Checkpoint, failure: &mut DecodeError) {
        let stopped = self.position;
        self.restore(start);
        // A decoder stops at the first misfit, and what stands behind it may be no JSON: that is the graver news.
        let error = match self.clone().skip_value() {
            Err(syntax) => syntax.into(),
            Ok(_) => failure.clone().into_misfit(),
        };
        // Without an offset of its own, the error came from a type that had read so far and no further.
        let offset = error.offset().unwrap_or(stopped);
        let place = match error.offset() {
            Some(offset) => place_of(self.clone(), offset, Opening::IsBefore),
            None => place_of(self.clone(), stopped, Opening::Holds),
        };
        *failure = error.at(offset, place);
    }
}

/// One open object or array on the way to the place, and which of its values it leads through, if any.
enum Step {
    Object { is_first: bool, key: Option<Range<usize>> },
    Array { next: usize, is_inside: bool },
}

/// Whose the offset right behind an opening bracket is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Opening {
    /// The container's: a type refused it as soon as it saw what it is.
    Holds,
    /// The first element's, or name's: it breaks the grammar.
    IsBefore,
}

/// The path from the value that begins at `cursor` to the innermost value that holds `offset`.
///
/// A value holds the offset of its own end too: a type that refuses a value often has just read it.
fn place_of(mut cursor: Cursor<'_>, offset: usize, opening: Opening) -> String {
    let mut path = Vec::new();
    // A syntax error ends the walk as well: then the way so far is the place.
    let _ = walk(&mut cursor, offset, opening, &mut path);

    let mut place = String::new();
    for step in path {
        let _ = match step {
            Step::Array { next, is_inside: true } => write!(place, "[{}]", next - 1),
            Step::Object { key: Some(key), .. } => write_key(&mut place, cursor.slice(key)),
            _ => Ok(()),
        };
    }
    place
}

fn walk(cursor: &mut Cursor<'_>, offset: usize, opening: Opening, path: &mut Vec<Step>) -> Result<(), SyntaxError> {
    loop {
        let is_inside = match cursor.peek_kind() {
            Some(Kind::Object) => {
                cursor.open()?;
                path.push(Step::Object { is_first: true, key: None });
                opening == Opening::Holds
            }
            Some(Kind::Array) => {
                cursor.open()?;
                path.push(Step::Array { next: 0, is_inside: false });
                opening == Opening::Holds
            }
            _ => {
                cursor.skip_value()?;
                true
            }
        };
        if offset < cursor.position() || (is_inside && offset == cursor.position()) {
            return Ok(());
        }
        while !enter_next(cursor, path)? {
            path.pop();
            if path.is_empty() || offset <= cursor.position() {
                return Ok(());
            }
        }
        if offset < cursor.position() {
            return Ok(());
        }
    }
}

/// Goes to the next value of the innermost container, or out of it.
fn enter_next(cursor: &mut Cursor<'_>, path: &mut [Step]) -> Result<bool, SyntaxError> {
    match path.last_mut() {
        Some(Step::Object { is_first, key }) => {
            *key = None;
            if !cursor.next_member(*is_first)? {
                return Ok(false);
            }
            *is_first = false;
            let start = cursor.position();
            cursor.position = string::end(cursor.text().as_bytes(), start)?;
            *key = Some(start + 1..cursor.position - 1);
            cursor.colon()?;
        }
        Some(Step::Array { next, is_inside }) => {
            *is_inside = false;
            if !cursor.next_element(*next == 0)? {
                return Ok(false);
            }
            *next += 1;
            *is_inside = true;
        }
        None => return Ok(false),
    }
    Ok(true)
}

fn write_key(place: &mut String, raw: &str) -> std::fmt::Result {
    let key = string::unescape_lossy(raw);
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'$');
    if !key.is_empty() && key.bytes().all(is_word) {
        write!(place, ".{}", excerpt(&key))
    } else {
        write!(place, "[\"{}\"]", excerpt(&key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_offset_has_a_place() {
        let text = r#"["x", {"a" : [1,{}] ,"b c":null}, [] ]"#;
        let found = |needle: &str, shift: usize| {
            place_of(Cursor::new(text), text.find(needle).unwrap() + shift, Opening::IsBefore)
        };
        assert_eq!(found("\"x\"", 0), "[0]");
        assert_eq!(found("\"x\"", 3), "[0]");
        assert_eq!(found("1,", 0), "[1].a[0]");
        assert_eq!(found("1,", 1), "[1].a[0]");
        assert_eq!(found("{}", 0), "[1].a[1]");
        assert_eq!(found("{}", 2), "[1].a[1]");
        assert_eq!(found("{}", 3), "[1].a");
        assert_eq!(found("null", 2), "[1][\"b c\"]");
        assert_eq!(found("null", 5), "[1]");
        assert_eq!(found("[] ]", 2), "[2]");
        assert_eq!(found("[] ]", 4), "");
        assert_eq!(found("\"b c\"", 2), "[1][\"b c\"]");
        assert_eq!(place_of(Cursor::new(text), 1000, Opening::IsBefore), "");
        let deep = "[[{\"a\":1}]]";
        assert_eq!(place_of(Cursor::new(deep), 0, Opening::IsBefore), "");
        assert_eq!(place_of(Cursor::new(deep), 1, Opening::IsBefore), "[0]");
        assert_eq!(place_of(Cursor::new(deep), 1, Opening::Holds), "");
        assert_eq!(place_of(Cursor::new(deep), 2, Opening::Holds), "[0]");
        assert_eq!(place_of(Cursor::new(deep), 3, Opening::Holds), "[0][0]");
        assert_eq!(place_of(Cursor::new(deep), 7, Opening::Holds), "[0][0].a");
    }
}
