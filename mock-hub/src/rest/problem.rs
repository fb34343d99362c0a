//! Refusals with a body: ASP.NET Core's ProblemDetails (RFC 9457).

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

/// Why a request never reached its call.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    title: &'static str,
    section: &'static str,
    errors: Option<Map<String, Value>>,
}

impl Problem {
    /// The JSON at a path does not fit. The model is missing then, which ASP.NET Core says too, misleading as it is.
    pub(super) fn not_json(path: &str, text: &str) -> Self {
        Self::invalid([("request", "The request field is required."), (path, text)])
    }

    pub(super) fn empty_body() -> Self {
        Self::invalid([("", "A non-empty request body is required."), ("request", "The request field is required.")])
    }

    /// A member that must be there is not; the error names the property, with a capital.
    pub(super) fn missing(member: &str) -> Self {
        let (first, rest) = member.split_at_checked(1).unwrap_or_default();
        let property = format!("{}{rest}", first.to_ascii_uppercase());
        let text = format!("The {property} field is required.");
        Self::invalid([(property.as_str(), text.as_str())])
    }

    pub(super) fn unsupported_media_type() -> Self {
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        Self { status, title: "Unsupported Media Type", section: "15.5.16", errors: None }
    }

    /// The map of errors, as JSON.
    #[cfg(test)]
    pub(super) fn errors(&self) -> String {
        Value::from(self.errors.clone().unwrap_or_default()).to_string()
    }

    fn invalid<'a>(errors: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let errors = errors.into_iter().map(|(name, text)| (name.to_owned(), json!([text]))).collect();
        let title = "One or more validation errors occurred.";
        Self { status: StatusCode::BAD_REQUEST, title, section: "15.5.1", errors: Some(errors) }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let trace = format!("00-{:032x}-{:016x}-00", fastrand::u128(..), fastrand::u64(..));
        let kind = format!("https://tools.ietf.org/html/rfc9110#section-{}", self.section);
        let errors = self.errors.map(|errors| format!("\"errors\":{},", Value::from(errors))).unwrap_or_default();
        let (title, status) = (self.title, self.status.as_u16());
        let body = format!(
            "{{\"type\":\"{kind}\",\"title\":\"{title}\",\"status\":{status},{errors}\"traceId\":\"{trace}\"}}"
        );
        (self.status, [(header::CONTENT_TYPE, "application/problem+json; charset=utf-8")], body).into_response()
    }
}
