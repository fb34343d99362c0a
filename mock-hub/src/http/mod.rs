//! The HTTP side: which request goes where.

mod access;
mod console;
mod control;
mod hub_endpoint;
mod negotiate;
mod observe;
mod origin;
mod raw;
mod redirect;
mod upgrade;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::BoxError;
use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};
use tokio::time::Instant;

use crate::faults;
use crate::gateway::Gateway;
use crate::hubs::Hub;
use crate::recording;
use crate::rest;
use crate::scenario;

pub(crate) use access::token_of;

/// How long a client has for a request's body.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);
/// The largest body taken by what has no limit of its own.
const MAX_BODY_BYTES: usize = 2 * 1024 * 1024;

/// Everything the hub answers to.
pub(crate) fn router(gateway: Arc<Gateway>) -> Router {
    Router::new()
        .merge(rest::routes())
        .merge(control::routes())
        .merge(console::routes())
        .merge(observe::routes())
        .merge(faults::routes())
        .merge(recording::routes())
        .merge(scenario::routes())
        .fallback(by_path)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(middleware::from_fn(in_time))
        .layer(middleware::from_fn_with_state(Arc::clone(&gateway), faults::gate))
        .layer(middleware::from_fn(origin::only_own))
        .layer(middleware::from_fn_with_state(Arc::clone(&gateway), observe::measure))
        .layer(middleware::from_fn_with_state(Arc::clone(&gateway), only_for_loopback))
        .with_state(gateway)
}

/// Paths in any case, with or without a slash at the end, as ASP.NET Core routes.
async fn by_path(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    let path = request.uri().path().to_ascii_lowercase();
    let segments: Vec<_> = path.trim_matches('/').split('/').collect();
    let is_post = request.method() == Method::POST;
    match segments.as_slice() {
        ["api", ..] => rest::handle(&gateway, request).await,
        ["hubs", hub] => match Hub::named(hub) {
            Some(hub) => hub_endpoint::connect(gateway, hub, request).await,
            None => StatusCode::NOT_FOUND.into_response(),
        },
        ["hubs", hub, "negotiate"] => match Hub::named(hub) {
            Some(hub) => negotiate::negotiate(&gateway, hub, request).await,
            None => StatusCode::NOT_FOUND.into_response(),
        },
        ["raw", "hub"] => raw::hub(&gateway, request),
        ["raw", "echo"] => raw::echo(&gateway, request),
        [.., "negotiate"] if !is_post => negotiate::method_not_allowed(),
        ["raw", "hub", "negotiate"] => raw::negotiate(),
        [rest @ .., "negotiate"] => redirect::negotiate(&gateway, rest, request.headers()),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Gives the request's body a time to come in; who reads it then finds it broken off.
async fn in_time(request: Request, next: Next) -> Response {
    let deadline = Instant::now() + BODY_TIMEOUT;
    next.run(request.map(|body| until(body, deadline))).await
}

fn until(body: Body, deadline: Instant) -> Body {
    if body.is_end_stream() {
        return body;
    }
    Body::from_stream(stream::unfold(body.into_data_stream(), move |mut data| async move {
        let next = match tokio::time::timeout_at(deadline, data.next()).await {
            Ok(next) => next?.map_err(BoxError::from),
            Err(elapsed) => Err(elapsed.into()),
        };
        Some((next, data))
    }))
}

/// A page of some other site must not reach the hub through a name that resolves to this machine.
async fn only_for_loopback(State(gateway): State<Arc<Gateway>>, request: Request, next: Next) -> Response {
    if gateway.options.public || names_loopback(request.headers()) {
        return next.run(request).await;
    }
    (StatusCode::BAD_REQUEST, "Host must name a loopback address").into_response()
}

/// Whether the one `Host` that there is names this machine, with any port or none.
fn names_loopback(headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (hosts.next().and_then(|host| host.to_str().ok()), hosts.next()) else {
        return false;
    };
    let (name, port) = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) => (address, port.strip_prefix(':')),
        None => host.split_once(':').map_or((host, None), |(name, port)| (name, Some(port))),
    };
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    let is_here = name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    is_here && port.is_none_or(is_port)
}

/// The origin that a client used for this hub, for links back to it.
fn own_origin(headers: &HeaderMap) -> String {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("127.0.0.1");
    format!("http://{host}")
}

pub(crate) fn json(status: StatusCode, body: String) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

pub(crate) fn plain(status: StatusCode, body: &'static str) -> Response {
    (status, [(header::CONTENT_TYPE, "text/plain")], body).into_response()
}

pub(crate) fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_body_that_takes_too_long_breaks_off() {
        let slow = Body::from_stream(stream::pending::<Result<&str, BoxError>>());
        assert!(axum::body::to_bytes(until(slow, Instant::now()), 10).await.is_err());
        let quick = until(Body::from("body"), Instant::now() + BODY_TIMEOUT);
        assert_eq!(axum::body::to_bytes(quick, 10).await.unwrap(), "body");
    }

    #[test]
    fn only_loopback_names_are_ours() {
        let named = |host: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, host.parse().unwrap());
            names_loopback(&headers)
        };
        assert!(named("127.0.0.1:80") && named("localhost:9") && named("[::1]:9") && named("127.0.0.2"));
        assert!(!named("example.com") && !named("192.168.0.1:80") && !named("127.0.0.1.example.com:80"));
        assert!(!named("127.0.0.1:80@example.com") && !named("example.com:80") && !named("localhost:80:80"));
        assert!(!names_loopback(&HeaderMap::new()));
        let mut two = HeaderMap::new();
        two.append(header::HOST, header::HeaderValue::from_static("127.0.0.1"));
        two.append(header::HOST, header::HeaderValue::from_static("example.com"));
        assert!(!names_loopback(&two));
    }
}
