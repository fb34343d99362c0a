//! What every call has.

use std::fmt;
use std::time::Duration;

use serde::Serialize;
use zeroize::Zeroizing;

use super::answer::Answer;
use super::envelope;
use super::error::ApiError;
use super::payload::Payload;
use crate::code::Code;

/// A call of the gateway's REST API.
///
/// The crate's own types implement it, and nobody else can.
pub trait Request: sealed::Sealed + fmt::Debug {
    /// The HTTP method.
    const METHOD: Method = Method::Post;

    /// The path at the API's host, such as `/api/Order/place`.
    const PATH: &'static str;

    /// Whether the call needs `Authorization: Bearer <token>`.
    const NEEDS_TOKEN: bool = true;

    /// Which rate limit it counts for.
    const LIMIT: RateClass = RateClass::General;

    /// Whether the call changes something at the venue: then a lost answer leaves its outcome unknown, and it must not simply
    /// be sent again.
    const CHANGES: bool = false;

    /// What a call that went well brings.
    type Response: Payload;

    /// Why it may be refused.
    type Code: Code;

    /// The JSON to send with `Content-Type: application/json`; `None`: send no body.
    fn body(&self) -> Option<Body>;

    /// Reads what came back.
    ///
    /// # Errors
    ///
    /// Whatever is no success: see [`ApiError`].
    fn read(answer: &Answer<'_>) -> Result<Self::Response, ApiError<Self::Code>> {
        answer.check()?;
        envelope::read(answer.body())
    }
}

pub(super) mod sealed {
    /// Keeps [`Request`](super::Request) to this crate.
    pub trait Sealed {}
}

/// An HTTP method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Method {
    /// `GET`.
    Get,
    /// `POST`.
    Post,
}

impl Method {
    /// The method's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// A rate limit of the gateway, as documented; beyond it answers HTTP 429.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RateClass {
    /// `History/retrieveBars`: 50 calls in 30 s.
    Bars,
    /// Everything else: 200 calls in 60 s.
    General,
}

impl RateClass {
    /// How many calls, in how long a time. Whether the time is a fixed or a rolling window is not documented.
    pub const fn limit(self) -> (u32, Duration) {
        match self {
            Self::Bars => (50, Duration::from_secs(30)),
            Self::General => (200, Duration::from_secs(60)),
        }
    }
}

/// The JSON of a request. It may hold a key, so it does not print, and its memory is cleared when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Body(Zeroizing<String>);

impl Body {
    /// Writes a request that cannot fail to be JSON: numbers, texts and lists of them.
    pub(super) fn of(request: &impl Serialize) -> Self {
        Self(Zeroizing::new(serde_json::to_string(request).expect("a request is an object with plain members")))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body({} bytes)", self.0.len())
    }
}

/// Says of a request where it goes and what comes back; its body is itself.
macro_rules! request {
    ($name:ident, $path:literal => $response:ty, $code:ty $(, $constant:ident = $value:expr)*) => {
        impl $crate::rest::request::sealed::Sealed for $name {}

        impl $crate::rest::request::Request for $name {
            const PATH: &'static str = $path;
            $($crate::rest::request::request!(@const $constant = $value);)*

            type Response = $response;
            type Code = $code;

            fn body(&self) -> Option<$crate::rest::request::Body> {
                Some($crate::rest::request::Body::of(self))
            }
        }
    };
    (@const CHANGES = $value:expr) => { const CHANGES: bool = $value; };
    (@const LIMIT = $value:expr) => { const LIMIT: $crate::rest::request::RateClass = $value; };
}
pub(super) use request;
