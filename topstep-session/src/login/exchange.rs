//! One exchange with the venue's doorkeeper.

use std::time::Duration;

use adapter_core::{HttpClient, HttpError, Runtime, Secret};
use topstep_model::Code;
use topstep_model::rest::{ApiError, Request};

use super::machine::Outcome;
use crate::gateway::wire::{self, Wire};

/// The answer is a token and three words.
const MAX_ANSWER_BYTES: usize = 64 << 10;

/// Sends a request and reads what came of it.
pub(super) async fn ask<R: Runtime, Q: Request>(
    http: &HttpClient<R>,
    timeout: Duration,
    request: &Q,
    token: Option<&Secret>,
) -> Result<Q::Response, Outcome> {
    let wire = Wire { max_body_bytes: MAX_ANSWER_BYTES, ..Wire::of(request) };
    let answer = wire::send(http, wire, token, timeout, timeout).await.map_err(|error| match error {
        HttpError::NotSent(failure) => Outcome::NotSent(failure.message),
        HttpError::OutcomeUnknown(failure) => Outcome::Unclear(failure.message),
    })?;
    let read = wire::read::<Q>(&answer);
    // It may hold a token.
    wire::wipe(answer.body);
    read.map_err(|error| match error {
        ApiError::Refused(refusal) => Outcome::Refused { code: refusal.code.code(), message: refusal.message },
        ApiError::Unauthorized => Outcome::Unauthorized,
        ApiError::TooManyRequests { retry_after } => Outcome::Busy(retry_after),
        ApiError::Status { status: 503, retry_after } => Outcome::Busy(retry_after),
        ApiError::BadRequest(problem) => Outcome::Unclear(format!("HTTP 400: {problem}")),
        other => Outcome::Unclear(other.to_string()),
    })
}
