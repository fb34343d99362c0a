//! Text of others, made harmless.

/// The most characters that are repeated of a text.
const MOST: usize = 256;

/// Cuts a text, and escapes what could disturb a terminal or a log: control characters and those that turn the direction of writing.
pub(super) fn harmless(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(MOST));
    for (index, character) in text.chars().enumerate() {
        if index == MOST {
            out.push('…');
            break;
        }
        let turns = matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if turns || character.is_control() || matches!(character, '\u{2028}' | '\u{2029}') {
            out.extend(character.escape_unicode());
        } else {
            out.push(character);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_disturb_is_escaped_and_what_is_long_is_cut() {
        assert_eq!(harmless("Größe \x1b[2J\n\u{202e}x"), r"Größe \u{1b}[2J\u{a}\u{202e}x");
        assert_eq!(harmless(&"ü".repeat(300)), "ü".repeat(256) + "…");
        assert_eq!(harmless(&"ü".repeat(256)), "ü".repeat(256));
    }
}
