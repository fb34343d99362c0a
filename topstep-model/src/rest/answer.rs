//! What came back over HTTP.

use std::time::Duration;

use super::error::{ApiError, ProblemDetails};

/// The longest wait that a `Retry-After` can ask for: a day. A longer one is cut to it.
pub const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// The wait when `Retry-After` is a date, and the answer has none to count from.
const UNKNOWN_WAIT: Duration = Duration::from_secs(30);

/// An HTTP answer, as far as it matters.
#[derive(Clone, Copy)]
pub struct Answer<'a> {
    status: u16,
    body: &'a [u8],
    retry_after: Option<&'a str>,
    date: Option<&'a str>,
}

impl<'a> Answer<'a> {
    /// Takes the status and the whole body.
    pub const fn new(status: u16, body: &'a [u8]) -> Self {
        Self { status, body, retry_after: None, date: None }
    }

    /// Takes the headers `Retry-After` and `Date`, which count when the status is 429 or 503.
    #[must_use]
    pub const fn with_wait(mut self, retry_after: Option<&'a str>, date: Option<&'a str>) -> Self {
        self.retry_after = retry_after;
        self.date = date;
        self
    }

    /// The status.
    pub const fn status(&self) -> u16 {
        self.status
    }

    pub(super) const fn body(&self) -> &'a [u8] {
        self.body
    }

    /// Whether there is a body to read at all.
    pub(super) fn check<C>(&self) -> Result<(), ApiError<C>> {
        match self.status {
            200..=299 => Ok(()),
            400 => Err(ApiError::BadRequest(ProblemDetails::read(self.body))),
            401 => Err(ApiError::Unauthorized),
            429 => Err(ApiError::TooManyRequests { retry_after: self.retry_after() }),
            status => Err(ApiError::Status { status, retry_after: self.retry_after() }),
        }
    }

    /// How long the server wants to be left alone: seconds, or a date counted from the answer's own (RFC 9110, 10.2.3).
    fn retry_after(&self) -> Option<Duration> {
        let text = self.retry_after?.trim();
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            let wait = text.parse().map_or(MAX_RETRY_AFTER, Duration::from_secs);
            return Some(wait.min(MAX_RETRY_AFTER));
        }
        let until = httpdate::parse_http_date(text).ok()?;
        let Some(date) = self.date.and_then(|date| httpdate::parse_http_date(date.trim()).ok()) else {
            return Some(UNKNOWN_WAIT);
        };
        Some(until.duration_since(date).unwrap_or_default().min(MAX_RETRY_AFTER))
    }
}

// The body of a login holds a token.
impl std::fmt::Debug for Answer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer").field("status", &self.status).field("bytes", &self.body.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(retry_after: Option<&str>, date: Option<&str>) -> Option<u64> {
        let answer = Answer::new(429, b"").with_wait(retry_after, date);
        match answer.check::<()>() {
            Err(ApiError::TooManyRequests { retry_after }) => retry_after.map(|wait| wait.as_secs()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_wait_is_seconds_or_a_date() {
        let date = Some("Fri, 20 Nov 2026 14:30:00 GMT");
        for (retry_after, date, expected) in [
            (None, None, None),
            (Some("7"), None, Some(7)),
            (Some(" 0 "), date, Some(0)),
            (Some("86401"), None, Some(86_400)),
            (Some("99999999999999999999999"), None, Some(86_400)),
            (Some("Fri, 20 Nov 2026 14:30:12 GMT"), date, Some(12)),
            (Some("Fri, 20 Nov 2026 14:29:12 GMT"), date, Some(0)),
            (Some("Sat, 20 Nov 2027 14:30:12 GMT"), date, Some(86_400)),
            (Some("Fri, 20 Nov 2026 14:30:12 GMT"), None, Some(30)),
            (Some("Fri, 20 Nov 2026 14:30:12 GMT"), Some("today"), Some(30)),
            (Some("-1"), None, None),
            (Some("1.5"), None, None),
            (Some(""), None, None),
            (Some("soon"), date, None),
        ] {
            assert_eq!(wait(retry_after, date), expected, "{retry_after:?} {date:?}");
        }
    }
}
