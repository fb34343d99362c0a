//! Scalars that are `serde_json`'s own: booleans and texts.

use crate::excerpt::Excerpt;
use crate::{ContractId, SymbolId, Text};

use super::Scalar;

impl Scalar for bool {
    type Error = String;

    const EXPECTED: &'static str = "true or false";
    const MAY_STAND_BARE: bool = true;
    const MAY_STAND_QUOTED: bool = false;

    #[inline]
    fn from_usual_bare(json: &str) -> Option<Self> {
        match json {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    fn from_usual_quoted(_: &str) -> Option<Self> {
        None
    }

    fn from_text(text: &str) -> Result<Self, String> {
        Self::from_usual_bare(text).ok_or_else(|| Self::wrong_kind(text))
    }

    fn from_bool(value: bool) -> Option<Self> {
        Some(value)
    }

    fn wrong_kind(json: &str) -> String {
        format!("{} is neither true nor false", Excerpt::new(json))
    }
}

impl Scalar for Text {
    type Error = String;

    const EXPECTED: &'static str = "a string";
    const MAY_STAND_BARE: bool = false;

    fn from_usual_bare(_: &str) -> Option<Self> {
        None
    }

    #[inline]
    fn from_usual_quoted(content: &str) -> Option<Self> {
        // What has escapes goes the long way.
        if content.bytes().any(|byte| byte == b'\\') { None } else { Some(Self::new(content)) }
    }

    fn from_text(text: &str) -> Result<Self, String> {
        Ok(Self::new(text))
    }

    fn wrong_kind(json: &str) -> String {
        // What stands in quotes and still is no text holds half a surrogate pair.
        let fault = if json.starts_with('"') { "is no Unicode text" } else { "is not a string" };
        format!("{} {fault}", Excerpt::new(json))
    }
}

macro_rules! text_scalar {
    ($($type:ty)*) => {$(
        impl Scalar for $type {
            type Error = String;

            const EXPECTED: &'static str = "a string";
            const MAY_STAND_BARE: bool = false;

            fn from_usual_bare(_: &str) -> Option<Self> {
                None
            }

            #[inline]
            fn from_usual_quoted(content: &str) -> Option<Self> {
                Text::from_usual_quoted(content).map(Self::from)
            }

            fn from_text(text: &str) -> Result<Self, String> {
                Ok(Self::new(text))
            }

            fn wrong_kind(json: &str) -> String {
                Text::wrong_kind(json)
            }
        }
    )*};
}

text_scalar! { ContractId SymbolId }
