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

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Control characters are escaped: the text may go to a terminal or into a log of lines.
        write!(f, "`{}{}`", self.text.escape_debug(), if self.cut { "…" } else { "" })
    }
}

impl fmt::Debug for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
