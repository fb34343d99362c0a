//! JSON as System.Text.Json prints it on a SignalR hub, and the depth check that it makes on reading.

use std::fmt::Write as _;

use serde_json::value::RawValue;

/// The deepest nesting System.Text.Json reads; the record's own object is 1.
const MAX_DEPTH: usize = 64;

/// Appends a string with the escapes of .NET's relaxed encoder: upper-case hex, surrogate pairs beyond the BMP.
pub(crate) fn push_string(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{a0}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffd}' => {
                push_unit(out, character as u32)
            }
            '\u{10000}'.. => {
                let mut units = [0; 2];
                character.encode_utf16(&mut units).iter().for_each(|unit| push_unit(out, u32::from(*unit)));
            }
            _ => out.push(character),
        }
    }
    out.push('"');
}

/// A string as JSON.
pub(crate) fn string(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    push_string(&mut out, text);
    out
}

/// Prints a value again as .NET's `JsonElement` does: numbers to the digit, members in their order and as often as
/// they stood there, no white space, strings escaped anew. `None` for a lone surrogate, which .NET cannot write.
pub(crate) fn reprint(value: &RawValue) -> Option<String> {
    let text = value.get();
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(quote) = rest.find('"') {
        let (plain, quoted) = rest.split_at(quote);
        push_without_space(&mut out, plain);
        let (token, after) = quoted.split_at(string_token_length(quoted));
        push_string(&mut out, &serde_json::from_str::<String>(token).ok()?);
        rest = after;
    }
    push_without_space(&mut out, rest);
    Some(out)
}

/// Whether brackets nest no deeper than System.Text.Json reads.
pub(crate) fn is_shallow(text: &str) -> bool {
    let mut depth = 0_usize;
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => skip_string(&mut bytes),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return false;
        }
    }
    true
}

fn push_unit(out: &mut String, unit: u32) {
    // Writing to a String cannot fail.
    let _ = write!(out, "\\u{unit:04X}");
}

fn push_without_space(out: &mut String, text: &str) {
    out.extend(text.chars().filter(|character| !character.is_ascii_whitespace()));
}

/// The length of the string token that `text` begins with, both quotes included.
fn string_token_length(text: &str) -> usize {
    let mut bytes = text.bytes();
    bytes.next();
    skip_string(&mut bytes);
    text.len() - bytes.len()
}

fn skip_string(bytes: &mut std::str::Bytes<'_>) {
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => drop(bytes.next()),
            b'"' => return,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reprinted(text: &str) -> Option<String> {
        reprint(&serde_json::from_str::<Box<RawValue>>(text).unwrap())
    }

    #[test]
    fn strings_are_escaped_as_dotnet_escapes_them() {
        assert_eq!(string("é\u{1e}\u{7f}\u{2028}🦀<>&'+\"\\\n"), r#""é\u001E\u007F\u2028\uD83E\uDD80<>&'+\"\\\n""#);
    }

    #[test]
    fn reprinting_keeps_numbers_members_and_order() {
        let text = r#" { "b" : 1.50 , "a" : [ 1E-07 , "\u001e\u00e9" , null ] , "b" : -0 } "#;
        assert_eq!(reprinted(text).as_deref(), Some(r#"{"b":1.50,"a":[1E-07,"\u001Eé",null],"b":-0}"#));
        assert_eq!(reprinted(r#""a \" \\ \ud800 b""#), None);
    }

    #[test]
    fn depth_is_64_and_brackets_in_strings_do_not_count() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(is_shallow(&nested(64)));
        assert!(!is_shallow(&nested(65)));
        assert!(is_shallow(&format!("\"{}\\\"[\"", "[".repeat(100))));
    }
}
