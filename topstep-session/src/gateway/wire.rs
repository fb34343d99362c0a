//! A typed request as HTTP carries it, and back.

use std::time::Duration;

use adapter_core::{HttpAnswer, HttpCall, HttpClient, HttpError, Runtime, Secret};
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, DATE, RETRY_AFTER, USER_AGENT};
use http::{HeaderValue, Method};
use topstep_model::rest::{self, Answer, ApiError, Body, RateClass, Request};
use zeroize::Zeroize;

/// The longest answer to accept: 20,000 bars are some 3 MB.
const MAX_ANSWER_BYTES: usize = 32 << 20;
const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// Whoever guards a server's door may turn clients away that have no name.
const NAME: HeaderValue = HeaderValue::from_static(concat!("topstep-session/", env!("CARGO_PKG_VERSION")));

/// Everything about a request but its type.
#[derive(Clone)]
pub(crate) struct Wire {
    pub(crate) path: &'static str,
    pub(crate) method: Method,
    pub(crate) body: Option<Bytes>,
    pub(crate) needs_token: bool,
    pub(crate) changes: bool,
    pub(crate) class: RateClass,
    pub(crate) max_body_bytes: usize,
}

/// The bytes of a body, wiped when the last one lets go.
struct Owned(Body);

impl AsRef<[u8]> for Owned {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl Wire {
    pub(crate) fn of<Q: Request>(request: &Q) -> Self {
        Self {
            path: Q::PATH,
            method: if Q::METHOD == rest::Method::Get { Method::GET } else { Method::POST },
            body: request.body().map(|body| Bytes::from_owner(Owned(body))),
            needs_token: Q::NEEDS_TOKEN,
            changes: Q::CHANGES,
            class: Q::LIMIT,
            max_body_bytes: MAX_ANSWER_BYTES,
        }
    }
}

/// Sends it once, if it leaves in time.
pub(crate) async fn send<R: Runtime>(
    http: &HttpClient<R>,
    wire: Wire,
    token: Option<&Secret>,
    timeout: Duration,
    leave_within: Duration,
) -> Result<HttpAnswer, HttpError> {
    let path = wire.path;
    let mut call = HttpCall::new(wire.method, path);
    call.token = token.cloned();
    call.headers.extend([(ACCEPT, JSON), (USER_AGENT, NAME)]);
    if let Some(body) = wire.body {
        call.headers.push((CONTENT_TYPE, JSON));
        call.body = body;
    }
    call.max_body_bytes = wire.max_body_bytes;
    call.timeout = timeout;
    call.leave_within = leave_within;
    let begun = std::time::Instant::now();
    let answer = http.request(call).await;
    let outcome = outcome(&answer);
    metrics::histogram!("topstep_rest_response_seconds", "path" => path).record(begun.elapsed().as_secs_f64());
    metrics::counter!("topstep_rest_calls_total", "path" => path, "outcome" => outcome).increment(1);
    tracing::debug!(path, outcome, elapsed_ms = begun.elapsed().as_millis() as u64, "asked the venue");
    answer
}

/// Reads an answer.
pub(crate) fn read<Q: Request>(answer: &HttpAnswer) -> Result<Q::Response, ApiError<Q::Code>> {
    Q::read(&Answer::new(answer.status, &answer.body).with_wait(answer.header(RETRY_AFTER), answer.header(DATE)))
}

/// How long an answer asks to be left alone.
pub(crate) fn wait_of(answer: &HttpAnswer) -> Option<Duration> {
    let head = HttpAnswer { body: Bytes::new(), ..answer.clone() };
    match read::<rest::LogOut>(&head) {
        Err(ApiError::TooManyRequests { retry_after } | ApiError::Status { retry_after, .. }) => retry_after,
        _ => None,
    }
}

/// Wipes bytes, where nobody else has them.
pub(crate) fn wipe(bytes: Bytes) {
    if let Ok(mut bytes) = bytes.try_into_mut() {
        bytes.as_mut().zeroize();
    }
}

fn outcome(answer: &Result<HttpAnswer, HttpError>) -> &'static str {
    match answer {
        Ok(answer) => match answer.status {
            200..=299 => "ok",
            401 => "unauthorized",
            429 => "too_many",
            500.. => "server_error",
            _ => "status",
        },
        Err(HttpError::NotSent(_)) => "not_sent",
        Err(HttpError::OutcomeUnknown(_)) => "outcome_unknown",
    }
}
