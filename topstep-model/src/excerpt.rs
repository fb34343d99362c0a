//! Foreign text in an error: cut, and harmless to print.

use std::fmt;

/// How many characters of a foreign text an error repeats.
const KEPT: usize = 64;

/// The beginning of a text that was refused.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Excerpt {
    text: Box<str>,
    cut: bool,
}

impl Excerpt {
    pub(crate) fn new(text: &str) -> Self {
        let end = text.char_indices().nth(KEPT).map(|(position, _)| position);
        let kept = end.and_then(|end| text.get(..end)).unwrap_or(text);
        Self { text: kept.into(), cut: end.is_some() }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }
}

/// A message that may repeat foreign text: cut, with control characters escaped.
pub(crate) fn harmless(message: &impl fmt::Display) -> String {
    const LONGEST: usize = 320;
    let mut harmless = String::new();
    for character in message.to_string().chars().take(LONGEST) {
        if character.is_control() {
            harmless.extend(character.escape_default());
        } else {
            harmless.push(character);
        }
    }
    harmless
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`")?;
        // Control characters are escaped: the text may go to a terminal or into a log of lines.
        for character in self.text.chars() {
            match character {
                '"' | '\'' | '\\' => write!(f, "{character}")?,
                _ => write!(f, "{}", character.escape_debug())?,
            }
        }
        f.write_str(if self.cut { "…`" } else { "`" })
    }
}

impl fmt::Debug for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
