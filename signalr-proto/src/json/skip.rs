//! Going past a value of any depth without recursion, its grammar checked in full (RFC 8259).

use super::cursor::Cursor;
use super::error::{SyntaxError, SyntaxErrorKind};
use super::number;
use super::string;

/// The offset of the first byte from `at` on that is not white space.
#[inline]
pub(super) fn white_space(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = bytes.get(at) {
        at += 1;
    }
    at
}

/// The end of the literal that should begin at `at`.
pub(super) fn literal(bytes: &[u8], at: usize) -> Result<usize, SyntaxError> {
    let expected: &[u8] = match bytes.get(at) {
        Some(b't') => b"true",
        Some(b'f') => b"false",
        Some(b'n') => b"null",
        Some(_) => return Err(SyntaxError::new(at, SyntaxErrorKind::ExpectedValue)),
        None => return Err(SyntaxError::new(at, SyntaxErrorKind::UnexpectedEnd)),
    };
    match bytes.get(at..at + expected.len()) {
        Some(found) if found == expected => Ok(at + expected.len()),
        _ => Err(SyntaxError::new(at, SyntaxErrorKind::InvalidLiteral)),
    }
}

/// The end of the object or array whose bracket stands at `at`, with `depth` others open around it.
///
/// What is open inside is one bit a level, 1 for an object: the depth limit is what makes 64 of them enough.
pub(super) fn container(bytes: &[u8], mut at: usize, mut depth: u32) -> Result<usize, SyntaxError> {
    const { assert!(Cursor::MAX_DEPTH <= u64::BITS) };
    let outside = depth;
    let mut objects = 0_u64;
    loop {
        // A value begins at `at`, or white space before it.
        at = to_token(bytes, at);
        match bytes.get(at) {
            Some(&open @ (b'{' | b'[')) => {
                if depth >= Cursor::MAX_DEPTH {
                    return Err(SyntaxError::new(at, SyntaxErrorKind::TooDeep));
                }
                depth += 1;
                at = to_token(bytes, at + 1);
                objects <<= 1;
                if open == b'{' {
                    objects |= 1;
                    if bytes.get(at) != Some(&b'}') {
                        at = member_name(bytes, at)?;
                        continue;
                    }
                } else if bytes.get(at) != Some(&b']') {
                    continue;
                }
            }
            Some(b'"') => at = string::end(bytes, at)?,
            Some(b'-' | b'0'..=b'9') => at = number::end(bytes, at)?,
            _ => at = literal(bytes, at)?,
        }
        // A value ended at `at`, or an empty container is about to.
        loop {
            at = to_token(bytes, at);
            let in_object = objects & 1 == 1;
            match bytes.get(at) {
                Some(b',') => {
                    at = to_token(bytes, at + 1);
                    match bytes.get(at) {
                        Some(b'}' | b']') => return Err(SyntaxError::new(at, SyntaxErrorKind::TrailingComma)),
                        _ if in_object => at = member_name(bytes, at)?,
                        _ => {}
                    }
                    break;
                }
                Some(b'}') if in_object => {}
                Some(b']') if !in_object => {}
                None => return Err(SyntaxError::new(at, SyntaxErrorKind::UnexpectedEnd)),
                Some(_) if in_object => return Err(SyntaxError::new(at, SyntaxErrorKind::ExpectedCommaOrBrace)),
                Some(_) => return Err(SyntaxError::new(at, SyntaxErrorKind::ExpectedCommaOrBracket)),
            }
            at += 1;
            objects >>= 1;
            depth -= 1;
            if depth == outside {
                return Ok(at);
            }
        }
    }
}

/// The offset behind the name, and the colon, of a member that should begin at `at`.
#[inline]
fn member_name(bytes: &[u8], at: usize) -> Result<usize, SyntaxError> {
    match bytes.get(at) {
        Some(b'"') => {}
        Some(_) => return Err(SyntaxError::new(at, SyntaxErrorKind::ExpectedKey)),
        None => return Err(SyntaxError::new(at, SyntaxErrorKind::UnexpectedEnd)),
    }
    let at = to_token(bytes, string::end(bytes, at)?);
    match bytes.get(at) {
        Some(b':') => Ok(at + 1),
        Some(_) => Err(SyntaxError::new(at, SyntaxErrorKind::ExpectedColon)),
        None => Err(SyntaxError::new(at, SyntaxErrorKind::UnexpectedEnd)),
    }
}

/// As [`white_space`], for places where there is hardly ever any.
#[inline]
fn to_token(bytes: &[u8], at: usize) -> usize {
    match bytes.get(at) {
        Some(byte) if *byte > b' ' => at,
        _ => white_space(bytes, at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skip(text: &str) -> Result<(), SyntaxError> {
        let mut cursor = Cursor::new(text);
        cursor.skip_value()?;
        cursor.finish()
    }

    #[test]
    fn the_grammar_is_accepted() {
        for text in [
            "null",
            "true",
            "false",
            "0",
            "-0",
            "-1.5e-7",
            "1E+2",
            "\"\"",
            "[]",
            "{}",
            "[[]]",
            "[{}]",
            "{\"a\":{}}",
            "{\"\":[]}",
            " [ 1 ,\t\"x\"\r,\n{ \"a\" : null , \"b\":[ ] } ] ",
            r#""\"\\\/\b\f\n\r\t\u00e9\uD834\udd1e""#,
            r#""\ud800""#,
            "\"\u{7f}\u{2028}é\u{10ffff}\"",
            r#"{"a":1,"a":2}"#,
        ] {
            assert_eq!(skip(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn what_is_no_json_is_refused_at_its_place() {
        use SyntaxErrorKind as E;
        for (text, offset, kind) in [
            ("", 0, E::UnexpectedEnd),
            ("  ", 2, E::UnexpectedEnd),
            ("\u{feff}1", 0, E::ExpectedValue),
            ("\u{a0}1", 0, E::ExpectedValue),
            ("\u{b}1", 0, E::ExpectedValue),
            ("tru", 0, E::InvalidLiteral),
            ("True", 0, E::ExpectedValue),
            ("nulll", 4, E::TrailingCharacters),
            ("NaN", 0, E::ExpectedValue),
            ("'a'", 0, E::ExpectedValue),
            ("// x\n1", 0, E::ExpectedValue),
            ("[1,]", 3, E::TrailingComma),
            ("[,1]", 1, E::ExpectedValue),
            ("[1,,1]", 3, E::ExpectedValue),
            ("[1 1]", 3, E::ExpectedCommaOrBracket),
            ("[1:1]", 2, E::ExpectedCommaOrBracket),
            ("[1}", 2, E::ExpectedCommaOrBracket),
            ("[", 1, E::UnexpectedEnd),
            ("[1", 2, E::UnexpectedEnd),
            ("[1,", 3, E::UnexpectedEnd),
            ("{\"a\":1,}", 7, E::TrailingComma),
            ("{,}", 1, E::ExpectedKey),
            ("{\"a\":1]", 6, E::ExpectedCommaOrBrace),
            ("{\"a\":1 \"b\":2}", 7, E::ExpectedCommaOrBrace),
            ("{\"a\"}", 4, E::ExpectedColon),
            ("{\"a\",1}", 4, E::ExpectedColon),
            ("{\"a\":}", 5, E::ExpectedValue),
            ("{\"a\"::1}", 5, E::ExpectedValue),
            ("{a:1}", 1, E::ExpectedKey),
            ("{1:1}", 1, E::ExpectedKey),
            ("{\"a", 3, E::UnexpectedEnd),
            ("{\"a\"", 4, E::UnexpectedEnd),
            ("{\"a\":", 5, E::UnexpectedEnd),
            ("{\"a\":1", 6, E::UnexpectedEnd),
            ("{\"a\":1,", 7, E::UnexpectedEnd),
            ("]", 0, E::ExpectedValue),
            ("[]]", 2, E::TrailingCharacters),
            ("{}{}", 2, E::TrailingCharacters),
            ("\"a", 2, E::UnexpectedEnd),
            ("\"a\u{1e}\"", 2, E::ControlCharacter),
            ("\"\\x\"", 1, E::InvalidEscape),
            ("\"\\u12g4\"", 1, E::InvalidEscape),
            ("[\"\n\"]", 2, E::ControlCharacter),
        ] {
            assert_eq!(skip(text), Err(SyntaxError::new(offset, kind)), "{text:?}");
        }
    }

    #[test]
    fn sixty_four_levels_nest_and_no_more() {
        let arrays = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        let objects = |depth: usize| "{\"a\":".repeat(depth) + "1" + &"}".repeat(depth);
        for depth in [63, 64] {
            assert_eq!(skip(&arrays(depth)), Ok(()));
            assert_eq!(skip(&objects(depth)), Ok(()));
        }
        for depth in [65, 100_000] {
            assert_eq!(skip(&arrays(depth)), Err(SyntaxError::new(64, SyntaxErrorKind::TooDeep)));
            assert_eq!(skip(&objects(depth)), Err(SyntaxError::new(64 * 5, SyntaxErrorKind::TooDeep)));
            assert_eq!(skip(&"[".repeat(depth)), Err(SyntaxError::new(64, SyntaxErrorKind::TooDeep)));
        }
        // Closing makes room again, and every level knows what it is.
        assert_eq!(skip(&format!("[{},{}]", arrays(63), objects(63))), Ok(()));
        let mixed = "[{\"a\":".repeat(32) + "1" + &"}]".repeat(32);
        assert_eq!(skip(&mixed), Ok(()));
        assert!(skip(&("[{\"a\":".repeat(32) + "1" + &"]}".repeat(32))).is_err());
        // What is open around the value counts.
        assert_eq!(Cursor::at("[]", 0, 63).skip_value(), Ok(0..2));
        assert_eq!(Cursor::at("[]", 0, 64).skip_value(), Err(SyntaxError::new(0, SyntaxErrorKind::TooDeep)));
        assert_eq!(Cursor::at("[]", 0, u32::MAX).skip_value(), Err(SyntaxError::new(0, SyntaxErrorKind::TooDeep)));
        assert_eq!(Cursor::at("1", 0, u32::MAX).skip_value(), Ok(0..1));
    }
}
