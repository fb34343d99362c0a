//! Secrets that must show up nowhere, in whatever dress.

use data_encoding::{BASE64, BASE64URL_NOPAD};

/// So long a piece of a secret is a leak, where a character stands for a byte or nearly so.
const PIECE: usize = 12;

/// A token that looks like one and holds what must be escaped in a query.
pub(crate) fn canary(name: &str) -> String {
    format!("eyJ{name}.Q2FuYXJ5+{name}/c29uZw==~{name}.x-Y_z%7Ctail")
}

/// Asserts that no piece of any of these secrets stands in a text: raw, percent-encoded, or in base64.
pub(crate) fn assert_hidden(text: &str, secrets: &[&str]) {
    for secret in secrets {
        for (dress, length) in dresses(secret) {
            for start in 0..dress.len().saturating_sub(length) {
                let piece = &dress[start..start + length];
                if let Some(place) = text.find(piece) {
                    let from = text[..place].char_indices().rev().nth(200).map_or(0, |(index, _)| index);
                    panic!("a piece of the secret `{secret}` got out: ...{}", &text[from..place + length]);
                }
            }
        }
    }
}

/// As it stands in a query.
pub(crate) fn percent_encoded(secret: &str) -> String {
    let escape = |byte: u8| match byte {
        byte if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    secret.bytes().map(escape).collect()
}

/// Each with the length of a piece of it that cannot be there by chance.
fn dresses(secret: &str) -> Vec<(String, usize)> {
    let percent = percent_encoded(secret);
    let bytes = secret.as_bytes();
    // Base64 looks different for each of the three places that the secret may have in what is encoded.
    let based = (0..3).flat_map(|shift| [BASE64.encode(&bytes[shift..]), BASE64URL_NOPAD.encode(&bytes[shift..])]);
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let debug = format!("{bytes:?}");
    let near = [secret.to_owned(), percent].into_iter().chain(based).map(|dress| (dress, PIECE));
    near.chain([(hex, 2 * PIECE), (debug, 4 * PIECE)]).collect()
}

#[test]
fn a_canary_in_any_dress_is_found() {
    let secret = canary("found");
    for (dress, length) in dresses(&secret) {
        let text = format!("some text\nbefore{}behind", &dress[3..length + 8]);
        let found = std::panic::catch_unwind(|| assert_hidden(&text, &[&secret]));
        assert!(found.is_err(), "{text}");
    }
    assert_hidden("nothing here but eyJfou and nd.Q2F", &[&secret]);
}
