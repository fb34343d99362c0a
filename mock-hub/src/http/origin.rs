//! Pages of other origins: they may not change anything here, whatever a browser lets them send.

use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Refuses a request that changes something, or that watches the hub, when a page of another origin made it.
///
/// No answer carries CORS headers, so such a page cannot read one either; but a simple `POST` needs no leave. The hubs
/// themselves stay open, as TopstepX's are: a page of its own may be what is being tested.
pub(super) async fn only_own(request: Request, next: Next) -> Response {
    if is_guarded(request.method(), request.uri().path()) && !is_own(request.headers()) {
        return (StatusCode::FORBIDDEN, "Origin must be the hub's own").into_response();
    }
    next.run(request).await
}

fn is_guarded(method: &Method, path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    let changes = !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    (changes && (path.starts_with("/control/") || path.starts_with("/api/"))) || path.starts_with("/hubs/console")
}

/// Whether the request names no origin, as programs do, or the one that it was sent to.
fn is_own(headers: &HeaderMap) -> bool {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let (Some(origin), None) = (origins.next(), origins.next()) else {
        return !headers.contains_key(header::ORIGIN);
    };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let named = origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, authority)| authority);
    matches!((named, host), (Some(named), Some(host)) if named.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(origin: Option<&'static str>, host: &'static str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        is_own(&headers)
    }

    #[test]
    fn only_the_own_origin_and_programs_are_own() {
        assert!(own(None, "127.0.0.1:80"));
        assert!(own(Some("http://127.0.0.1:80"), "127.0.0.1:80"));
        assert!(!own(Some("http://127.0.0.1:81"), "127.0.0.1:80"));
        assert!(!own(Some("https://example.com"), "127.0.0.1:80"));
        assert!(!own(Some("null"), "127.0.0.1:80"));
        assert!(!own(Some("http://127.0.0.1:80.example.com"), "127.0.0.1:80"));
    }

    #[test]
    fn what_changes_something_is_guarded_in_any_spelling() {
        assert!(is_guarded(&Method::POST, "/control/drop"));
        assert!(is_guarded(&Method::DELETE, "/Control/faults/1"));
        assert!(is_guarded(&Method::POST, "/api/Order/place"));
        assert!(is_guarded(&Method::GET, "/hubs/Console"));
        assert!(!is_guarded(&Method::GET, "/control/connections"));
        assert!(!is_guarded(&Method::POST, "/hubs/market/negotiate"));
    }
}
