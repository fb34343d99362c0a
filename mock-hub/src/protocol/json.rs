//! JSON as System.Text.Json prints it on a SignalR hub.

use serde_json::value::RawValue;
use signalr_proto::json::write_string;

/// A string as JSON.
pub(crate) fn string(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    write_string(&mut out, text);
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
        write_string(&mut out, &serde_json::from_str::<String>(token).ok()?);
        rest = after;
    }
    push_without_space(&mut out, rest);
    Some(out)
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
    fn reprinting_keeps_numbers_members_and_order() {
        let text = r#" { "b" : 1.50 , "a" : [ 1E-07 , "\u001e\u00e9" , null ] , "b" : -0 } "#;
        assert_eq!(reprinted(text).as_deref(), Some(r#"{"b":1.50,"a":[1E-07,"\u001Eé",null],"b":-0}"#));
        assert_eq!(reprinted(r#""a \" \\ \ud800 b""#), None);
    }
}
