//! Writing a string.

/// Writes `text` as a JSON string, quotes included, to the end of `out`.
///
/// Escapes what must be (RFC 8259, section 7): `"`, `\` and every control character. U+001E, which ends a record
/// (HubProtocol.md, JSON Encoding), is one of them, so that no text can end a record before its time. It escapes as .NET's relaxed
/// encoder does, which writes SignalR's records: hexadecimal digits in upper case, and with them U+007F to U+00A0, other spaces and
/// line ends than U+0020, private characters, and everything beyond U+FFFF as a surrogate pair. The rest, such as `é`, goes out as it is.
pub fn write_string(out: &mut String, text: &str) {
    out.reserve(text.len() + 2);
    out.push('"');
    escape(text, |part| out.push_str(part));
    out.push('"');
}

/// As [`write_string`], to the end of a buffer of bytes.
pub fn write_string_bytes(out: &mut Vec<u8>, text: &str) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    escape(text, |part| out.extend_from_slice(part.as_bytes()));
    out.push(b'"');
}

fn escape(text: &str, mut write: impl FnMut(&str)) {
    let mut rest = text;
    loop {
        let Some((before, special)) = rest.split_at_checked(plain_end(rest)) else { return };
        write(before);
        let mut characters = special.chars();
        let Some(character) = characters.next() else { return };
        match character {
            '"' => write("\\\""),
            '\\' => write("\\\\"),
            '\u{8}' => write("\\b"),
            '\t' => write("\\t"),
            '\n' => write("\\n"),
            '\u{c}' => write("\\f"),
            '\r' => write("\\r"),
            _ => character.encode_utf16(&mut [0; 2]).iter().for_each(|unit| write_unit(*unit, &mut write)),
        }
        rest = characters.as_str();
    }
}

/// The offset of the first character that is escaped, or the end of all.
fn plain_end(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 0;
    loop {
        at = ascii_end(bytes, at);
        // ASCII ends there: a boundary of characters.
        let Some(character) = text.get(at..).and_then(|rest| rest.chars().next()) else { return at };
        if is_escaped(character) {
            return at;
        }
        at += character.len_utf8();
    }
}

/// The offset of the first byte from `at` on that is not plain ASCII: it may need an escape.
#[inline]
fn ascii_end(bytes: &[u8], mut at: usize) -> usize {
    while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let special = special_bytes(u64::from_le_bytes(*chunk));
        if special != 0 {
            return at + special.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    while let Some(b' '..=b'!' | b'#'..=b'[' | b']'..=b'~') = bytes.get(at) {
        at += 1;
    }
    at
}

/// The high bit of each byte that is a quote, a backslash, a control character, U+007F or no ASCII.
///
/// Bytes above the first such byte may be set by mistake, those below it never.
#[inline]
fn special_bytes(chunk: u64) -> u64 {
    const ONES: u64 = u64::MAX / 0xff;
    const HIGH: u64 = ONES << 7;
    let control = chunk.wrapping_sub(ONES * 0x20);
    let quote = (chunk ^ (ONES * b'"' as u64)).wrapping_sub(ONES);
    let backslash = (chunk ^ (ONES * b'\\' as u64)).wrapping_sub(ONES);
    let delete = (chunk ^ (ONES * 0x7f)).wrapping_sub(ONES);
    (control | quote | backslash | delete | chunk) & HIGH
}

/// What `JavaScriptEncoder.UnsafeRelaxedJsonEscaping` escapes, characters without a meaning in Unicode aside.
fn is_escaped(character: char) -> bool {
    matches!(
        character,
        '\0'..='\u{1f}'
            | '"'
            | '\\'
            | '\u{7f}'..='\u{a0}'
            | '\u{1680}'
            | '\u{2000}'..='\u{200a}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{202f}'
            | '\u{205f}'
            | '\u{3000}'
            | '\u{e000}'..='\u{f8ff}'
            | '\u{fdd0}'..='\u{fdef}'
            | '\u{feff}'
            | '\u{fff0}'..
    )
}

fn write_unit(unit: u16, write: &mut impl FnMut(&str)) {
    const DIGITS: [&str; 16] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "A", "B", "C", "D", "E", "F"];
    write("\\u");
    for shift in [12, 8, 4, 0] {
        write(DIGITS[usize::from(unit >> shift & 0xf)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_escaped_as_dotnet_escapes_them() {
        let mut out = String::from("x");
        write_string(&mut out, "a\"b\\c\u{1e}\0\n\r\t\u{8}\u{c}\u{1f}\u{7f}é\u{a0}\u{2028}\u{200b}🦀<>&'+/");
        assert_eq!(
            out,
            "x\"a\\\"b\\\\c\\u001E\\u0000\\n\\r\\t\\b\\f\\u001F\\u007Fé\\u00A0\\u2028\u{200b}\\uD83E\\uDD80<>&'+/\""
        );
    }

    #[test]
    fn what_is_escaped_is_found_at_any_offset() {
        for special in ['"', '\\', '\0', '\u{1e}', '\u{7f}', '\u{85}', '\u{2028}', '🦀'] {
            for length in 0..20 {
                for plain in ['a', ' ', '!', '#', '[', ']', '~', 'é', '€'] {
                    let before: String = std::iter::repeat_n(plain, length).collect();
                    assert_eq!(plain_end(&format!("{before}{special}aaaaaaaa")), before.len(), "{special:?}");
                    assert_eq!(plain_end(&before), before.len());
                }
            }
        }
    }

    #[test]
    fn every_character_comes_back() {
        let text: String =
            (0..0x300).chain(0x2000..0x2100).chain(0xffe0..0x1_0010).filter_map(char::from_u32).collect();
        let (mut out, mut bytes) = (String::new(), Vec::new());
        write_string(&mut out, &text);
        write_string_bytes(&mut bytes, &text);
        assert_eq!(out.as_bytes(), bytes);
        assert!(bytes.iter().all(|byte| *byte >= 0x20));
        assert_eq!(serde_json::from_str::<String>(&out).unwrap(), text);
        assert_eq!(super::super::Cursor::new(&out).string().unwrap(), text);
    }
}
