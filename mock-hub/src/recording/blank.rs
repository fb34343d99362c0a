//! Takes tokens out of text.

use std::borrow::Cow;

/// What stands in a token's place.
const BLANK: &str = "TOKEN";

/// The text without anything that has the form of a JWT: three parts of base64url, the first of them a JSON object.
pub(super) fn tokens(text: &str) -> Cow<'_, str> {
    let mut out = Cow::Borrowed("");
    let mut rest = text;
    // `{"` in base64.
    while let Some(found) = rest.find("eyJ") {
        let (before, token) = rest.split_at(found);
        let length = token_length(token);
        let (kept, after) = match length {
            Some(length) => (BLANK, token.get(length..).unwrap_or_default()),
            None => token.split_at(3),
        };
        let out = out.to_mut();
        out.push_str(before);
        out.push_str(kept);
        rest = after;
    }
    if out.is_empty() {
        return Cow::Borrowed(text);
    }
    out.to_mut().push_str(rest);
    out
}

/// The length of the token that the text begins with.
fn token_length(text: &str) -> Option<usize> {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let length = text.bytes().position(|byte| !is_part(byte) && byte != b'.').unwrap_or(text.len());
    let mut parts = text.get(..length)?.split('.');
    let first = parts.next()?.len();
    let second = parts.next()?.len();
    let third = parts.next()?.len();
    (first > 3 && second > 3 && third > 3).then_some(first + second + third + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jwts_go_and_everything_else_stays() {
        let jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl";
        assert_eq!(tokens(&format!("a \"{jwt}\", é {jwt}")), "a \"TOKEN\", é TOKEN");
        for plain in ["", "nothing", "eyJ", "eyJ0.x", "eyJhbGc é eyJhbGc.eyJh", "a.b.c"] {
            assert_eq!(tokens(plain), plain);
        }
    }
}
