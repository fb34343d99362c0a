//! Text that must not be printed.

use std::fmt;

use zeroize::Zeroizing;

use crate::scalar::Scalar;

/// A key or a token: it prints as `***`, and its memory is cleared when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a secret text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text itself, for sending it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Scalar for Secret {
    type Error = &'static str;

    const EXPECTED: &'static str = "a secret text";
    const MAY_STAND_BARE: bool = false;
    const IS_SECRET: bool = true;

    fn from_usual_bare(_: &str) -> Option<Self> {
        None
    }

    fn from_usual_quoted(_: &str) -> Option<Self> {
        None
    }

    fn from_text(text: &str) -> Result<Self, Self::Error> {
        Ok(Self::new(text))
    }

    fn wrong_kind(_: &str) -> Self::Error {
        "something else than a text stands in place of a secret"
    }
}
