//! `Retry-After`, in both of its forms (RFC 9110, section 10.2.3).

use std::time::{Duration, SystemTime};

use http::HeaderMap;
use http::header::{DATE, HeaderName, RETRY_AFTER};

/// The wait for a date that nothing can be compared with: the answer names no `Date`, and this machine's clock is not the server's.
const WITHOUT_DATE: Duration = Duration::from_secs(30);

/// The wait that an answer asks for, uncapped. A date is counted from the answer's own `Date`; one that is past means no wait.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // Only digits, so what does not fit is too large.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let until = httpdate::parse_http_date(text).ok()?;
    let Some(sent) = date(headers, DATE) else { return Some(WITHOUT_DATE) };
    Some(until.duration_since(sent).unwrap_or(Duration::ZERO))
}

fn date(headers: &HeaderMap, name: HeaderName) -> Option<SystemTime> {
    httpdate::parse_http_date(headers.get(name)?.to_str().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn both_forms_are_read() {
        let noon = Some("Wed, 21 Oct 2026 12:00:00 GMT");
        for (value, date, expected) in [
            ("120", None, Some(Duration::from_secs(120))),
            (" 0 ", None, Some(Duration::ZERO)),
            ("99999999999999999999999", None, Some(Duration::from_secs(u64::MAX))),
            ("Wed, 21 Oct 2026 12:01:30 GMT", noon, Some(Duration::from_secs(90))),
            ("Wed, 21 Oct 2026 11:59:00 GMT", noon, Some(Duration::ZERO)),
            ("Wed, 21 Oct 2026 12:01:30 GMT", None, Some(WITHOUT_DATE)),
            ("Wed, 21 Oct 2026 12:01:30 GMT", Some("yesterday"), Some(WITHOUT_DATE)),
            ("soon", noon, None),
            ("-1", noon, None),
            ("1.5", noon, None),
            ("", noon, None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, HeaderValue::from_static(value));
            if let Some(date) = date {
                headers.insert(DATE, HeaderValue::from_static(date));
            }
            assert_eq!(retry_after(&headers), expected, "{value:?} at {date:?}");
        }
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }
}
