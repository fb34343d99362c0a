//! Why a call brought nothing.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};

use crate::OrderId;
use crate::code::Code;
use crate::decode::RowError;
use crate::excerpt::harmless;

/// Why a call of the REST API is no success. `C` is the call's own list of error codes.
///
/// Of a lost connection this type knows nothing: that is the HTTP client's. A call that changes something and ends in
/// [`Malformed`](Self::Malformed) or [`Status`](Self::Status) may have had its effect.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ApiError<C> {
    /// The gateway understood the call and says no: status 200 with `success` false.
    #[error(transparent)]
    Refused(Refusal<C>),
    /// Status 401: the token is missing, wrong or over.
    #[error("the token is missing, wrong or over (HTTP 401)")]
    Unauthorized,
    /// Status 429: too many calls; see [`RateClass`](super::RateClass).
    #[error("too many calls (HTTP 429)")]
    TooManyRequests {
        /// How long to wait, if the gateway says so, which is not documented; at most a day.
        retry_after: Option<Duration>,
    },
    /// Status 400: the gateway could not read the request.
    #[error("the gateway cannot read the request (HTTP 400): {0}")]
    BadRequest(ProblemDetails),
    /// Another status.
    #[error("HTTP status {status}")]
    Status {
        /// The status.
        status: u16,
        /// How long to wait, if the server says so, as with 503.
        retry_after: Option<Duration>,
    },
    /// The answer is not what the call brings.
    #[error("the answer cannot be read: {0}")]
    Malformed(RowError),
}

/// A refusal in the gateway's own words.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Refusal<C> {
    /// Why.
    pub code: C,
    /// Why, in words; often absent. Cut to 320 characters, with control characters escaped.
    pub message: Option<String>,
    /// The order that was made and rejected at once, where placing an order is refused and the gateway names one.
    pub order_id: Option<OrderId>,
}

impl<C: Code> fmt::Display for Refusal<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "refused: {} ({})", self.code, self.code.code())?;
        if let Some(message) = &self.message {
            write!(f, ": {message}")?;
        }
        if let Some(order) = self.order_id {
            write!(f, " [order {order}]")?;
        }
        Ok(())
    }
}

impl<C: Code> std::error::Error for Refusal<C> {}

impl<C: Code> Refusal<C> {
    pub(super) fn new(code: C, message: Option<&str>, order_id: Option<OrderId>) -> Self {
        let message = message.map(str::trim).filter(|message| !message.is_empty());
        Self { code, message: message.map(|message| harmless(&message)), order_id }
    }
}

/// What ASP.NET says of a request that it cannot bind (RFC 9457).
///
/// The words can mislead: an enum that was sent as text comes back as "The request field is required".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProblemDetails {
    /// The title; empty where the body has none.
    pub title: String,
    /// The members that are wrong, each with what is wrong: at most eight, cut, with control characters escaped.
    pub errors: Vec<(String, String)>,
}

impl ProblemDetails {
    const MOST_ERRORS: usize = 8;

    /// Whatever can be understood of a body.
    pub(super) fn read(body: &[u8]) -> Self {
        serde_json::from_slice(body).unwrap_or_default()
    }
}

impl fmt::Display for ProblemDetails {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.title.is_empty() { "no reason" } else { &self.title })?;
        for (member, error) in &self.errors {
            write!(f, "; {member}: {error}")?;
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for ProblemDetails {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ProblemVisitor)
    }
}

struct ProblemVisitor;

impl<'de> Visitor<'de> for ProblemVisitor {
    type Value = ProblemDetails;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("problem details")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ProblemDetails, A::Error> {
        let mut problem = ProblemDetails::default();
        while let Some(name) = map.next_key::<String>()? {
            let value: serde_json::Value = map.next_value()?;
            match (name.as_str(), &value) {
                ("title", serde_json::Value::String(title)) => problem.title = harmless(title),
                ("errors", serde_json::Value::Object(errors)) => {
                    let errors = errors.iter().take(ProblemDetails::MOST_ERRORS);
                    problem.errors = errors.map(|(member, error)| (harmless(member), first_text(error))).collect();
                    // Whether `serde_json` keeps their order depends on a feature that somebody else may switch on.
                    problem.errors.sort_unstable();
                }
                _ => {}
            }
        }
        Ok(problem)
    }
}

fn first_text(value: &serde_json::Value) -> String {
    let first = value.get(0).unwrap_or(value);
    first.as_str().map_or_else(String::new, |text| harmless(&text))
}
