//! Strings: the end of one, and its text without the escapes (RFC 8259, section 7).

use super::error::{SyntaxError, SyntaxErrorKind};

/// The offset of the first byte from `at` on that is a quote, a backslash or a control character, or the end of all.
#[inline]
pub(super) fn plain_end(bytes: &[u8], mut at: usize) -> usize {
    while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let special = special_bytes(u64::from_le_bytes(*chunk));
        if special != 0 {
            return at + special.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    while let Some(byte) = bytes.get(at) {
        if matches!(byte, b'"' | b'\\' | 0..0x20) {
            break;
        }
        at += 1;
    }
    at
}

/// The end of the string whose quote stands at `at`, behind its closing quote.
#[inline]
pub(super) fn end(bytes: &[u8], at: usize) -> Result<usize, SyntaxError> {
    let end = plain_end(bytes, at + 1);
    match bytes.get(end) {
        Some(b'"') => Ok(end + 1),
        _ => end_after_escapes(bytes, end),
    }
}

/// The text of a string whose grammar was checked, or the offset of the first half of a surrogate pair without the other.
pub(super) fn unescape(raw: &str) -> Result<String, usize> {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((plain, escape)) = rest.split_once('\\') {
        text.push_str(plain);
        let (unit, length) = escaped(escape);
        let Some(unit) = unit else { return Err(raw.len() - escape.len() - 1) };
        text.push(unit);
        rest = escape.get(length..).unwrap_or_default();
    }
    text.push_str(rest);
    Ok(text)
}

/// As [`unescape`], with U+FFFD for every half of a surrogate pair without the other.
pub(super) fn unescape_lossy(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((plain, escape)) = rest.split_once('\\') {
        text.push_str(plain);
        let (unit, length) = escaped(escape);
        text.push(unit.unwrap_or(char::REPLACEMENT_CHARACTER));
        rest = escape.get(length..).unwrap_or_default();
    }
    text.push_str(rest);
    text
}

/// The high bit of each byte that is a quote, a backslash or a control character.
///
/// Bytes above the first such byte may be set by mistake, those below it never.
#[inline]
fn special_bytes(chunk: u64) -> u64 {
    const ONES: u64 = u64::MAX / 0xff;
    const HIGH: u64 = ONES << 7;
    let control = chunk.wrapping_sub(ONES * 0x20);
    let quote = (chunk ^ (ONES * b'"' as u64)).wrapping_sub(ONES);
    let backslash = (chunk ^ (ONES * b'\\' as u64)).wrapping_sub(ONES);
    (control | quote | backslash) & !chunk & HIGH
}

// Not cold: .NET's default encoder escapes the `+` of every time's offset.
#[inline(never)]
fn end_after_escapes(bytes: &[u8], mut at: usize) -> Result<usize, SyntaxError> {
    loop {
        match bytes.get(at) {
            Some(b'"') => return Ok(at + 1),
            Some(b'\\') => at = escape_end(bytes, at)?,
            Some(_) => return Err(SyntaxError::new(at, SyntaxErrorKind::ControlCharacter)),
            None => return Err(SyntaxError::new(at, SyntaxErrorKind::UnexpectedEnd)),
        }
        at = plain_end(bytes, at);
    }
}

/// The end of the escape whose backslash stands at `at`.
#[inline]
fn escape_end(bytes: &[u8], at: usize) -> Result<usize, SyntaxError> {
    match bytes.get(at + 1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
        Some(b'u') => {
            let digits = bytes.get(at + 2..).unwrap_or_default();
            match digits.iter().take(4).position(|byte| !byte.is_ascii_hexdigit()) {
                Some(_) => Err(SyntaxError::new(at, SyntaxErrorKind::InvalidEscape)),
                None if digits.len() < 4 => Err(SyntaxError::new(bytes.len(), SyntaxErrorKind::UnexpectedEnd)),
                None => Ok(at + 6),
            }
        }
        Some(_) => Err(SyntaxError::new(at, SyntaxErrorKind::InvalidEscape)),
        None => Err(SyntaxError::new(at + 1, SyntaxErrorKind::UnexpectedEnd)),
    }
}

/// The character of an escape, given what follows its backslash, and how much of that belongs to it.
///
/// No character for half a surrogate pair without the other.
fn escaped(escape: &str) -> (Option<char>, usize) {
    let character = match escape.as_bytes().first() {
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => {
            let Some(high) = code_unit(escape, 1) else { return (None, 1) };
            if !(0xd800..0xdc00).contains(&high) {
                return (char::from_u32(high), 5);
            }
            let low = if escape.get(5..7) == Some("\\u") { code_unit(escape, 7) } else { None };
            return match low {
                Some(low @ 0xdc00..0xe000) => (char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00)), 11),
                _ => (None, 5),
            };
        }
        Some(byte) => char::from(*byte),
        None => return (None, 0),
    };
    (Some(character), 1)
}

fn code_unit(escape: &str, at: usize) -> Option<u32> {
    u32::from_str_radix(escape.get(at..at + 4)?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_special_byte_is_found_at_any_offset() {
        for special in ['"', '\\', '\0', '\u{1e}', '\u{1f}'] {
            for length in 0..40 {
                for plain in ['a', ' ', '!', '#', '[', ']', '\u{7f}', 'é', '\u{2028}', '\u{10ffff}'] {
                    let before: String = std::iter::repeat_n(plain, length).collect();
                    for after in ["", "x", "\"\"\"\"\"\"\"\"", "aaaaaaaaaaaaaaaa"] {
                        let text = format!("{before}{special}{after}");
                        assert_eq!(plain_end(text.as_bytes(), 0), before.len(), "{text:?}");
                    }
                    assert_eq!(plain_end(before.as_bytes(), 0), before.len());
                }
            }
        }
        assert_eq!(plain_end(b"abc", 9), 9);
    }

    #[test]
    fn escapes_are_read() {
        for (raw, expected) in [
            ("", ""),
            ("plain é", "plain é"),
            (r#"\"\\\/\b\f\n\r\t"#, "\"\\/\u{8}\u{c}\n\r\t"),
            (r"\u0000\u001e\u00E9\uffff", "\0\u{1e}é\u{ffff}"),
            (r"a\ud834\udd1eb", "a\u{1d11e}b"),
            (r"\uDBFF\uDFFF", "\u{10ffff}"),
            (r"\\u0041", "\\u0041"),
        ] {
            assert_eq!(unescape(raw).as_deref(), Ok(expected), "{raw}");
            assert_eq!(unescape_lossy(raw), expected, "{raw}");
        }
    }

    #[test]
    fn half_a_surrogate_pair_is_named_or_replaced() {
        for (raw, offset, lossy) in [
            (r"\ud800", 0, "\u{fffd}"),
            (r"ab\udc00c", 2, "ab\u{fffd}c"),
            (r"\ud800\n", 0, "\u{fffd}\n"),
            (r"\ud800\ud834\udd1e", 0, "\u{fffd}\u{1d11e}"),
            (r"\n\ud800x", 2, "\n\u{fffd}x"),
            (r"\ud800é", 0, "\u{fffd}é"),
            (r"\udd1e\ud834", 0, "\u{fffd}\u{fffd}"),
        ] {
            assert_eq!(unescape(raw), Err(offset), "{raw}");
            assert_eq!(unescape_lossy(raw), lossy, "{raw}");
        }
    }

    #[test]
    fn an_escape_that_is_none_is_refused_at_its_backslash() {
        for (text, offset) in [
            (r#""\x""#, 1),
            (r#""ab\""#, 5),
            (r#""\u12""#, 1),
            (r#""\u123"#, 6),
            (r#""\u+123""#, 1),
            (r#""\u12é4""#, 1),
            (r#""\"#, 2),
            (r#""\U0041""#, 1),
        ] {
            assert_eq!(end(text.as_bytes(), 0).map_err(|error| error.offset()), Err(offset), "{text}");
        }
    }

    #[test]
    fn long_strings_are_read() {
        let long = format!("\"{}\"", "x".repeat(1 << 20));
        assert_eq!(end(long.as_bytes(), 0), Ok(long.len()));
        let escapes = "\\n".repeat(1 << 19);
        assert_eq!(end(format!("\"{escapes}\"").as_bytes(), 0), Ok(escapes.len() + 2));
        assert_eq!(unescape(&escapes).map(|text| text.len()), Ok(1 << 19));
    }
}
