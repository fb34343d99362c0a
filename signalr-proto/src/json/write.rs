//! Writing a string.

/// Writes `text` as a JSON string, quotes included, to the end of `out`.
///
/// Escapes what must be (RFC 8259, section 7): `"`, `\` and every control character. U+001E, which ends a record
/// (HubProtocol.md, JSON Encoding), is one of them, so that no text can end a record before its time.
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
        let plain = super::string::plain_end(rest.as_bytes(), 0);
        // The byte at `plain` is ASCII, or the end: a boundary both ways.
        let Some((before, special)) = rest.split_at_checked(plain) else { return };
        write(before);
        let Some(&byte) = special.as_bytes().first() else { return };
        match byte {
            b'"' => write("\\\""),
            b'\\' => write("\\\\"),
            b'\n' => write("\\n"),
            b'\r' => write("\\r"),
            b'\t' => write("\\t"),
            _ => {
                const DIGITS: [&str; 16] =
                    ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "a", "b", "c", "d", "e", "f"];
                write(if byte < 0x10 { "\\u000" } else { "\\u001" });
                write(DIGITS[usize::from(byte & 0xf)]);
            }
        }
        rest = special.get(1..).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_must_be_escaped_is() {
        let mut out = String::from("x");
        write_string(&mut out, "a\"b\\c\u{1e}\0\n\r\t\u{8}\u{1f}\u{7f}é\u{2028}");
        assert_eq!(out, "x\"a\\\"b\\\\c\\u001e\\u0000\\n\\r\\t\\u0008\\u001f\u{7f}é\u{2028}\"");
    }

    #[test]
    fn every_character_comes_back() {
        let text: String = (0..0x300).chain(0xffe0..0x1_0010).filter_map(char::from_u32).collect();
        let (mut out, mut bytes) = (String::new(), Vec::new());
        write_string(&mut out, &text);
        write_string_bytes(&mut bytes, &text);
        assert_eq!(out.as_bytes(), bytes);
        assert!(bytes.iter().all(|byte| *byte >= 0x20));
        assert_eq!(serde_json::from_str::<String>(&out).unwrap(), text);
        assert_eq!(super::super::Cursor::new(&out).string().unwrap(), text);
    }
}
