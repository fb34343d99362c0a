//! A hub's own path: WebSocket upgrades, and refusals of everything else in ASP.NET Core's words.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;

use super::access::{self, Access};
use super::{empty, plain, upgrade};
use crate::conversation::{self, Admission};
use crate::faults::{self, Door};
use crate::gateway::{Claim, Gateway};
use crate::hubs::Hub;
use crate::observe::Note;
use crate::peers::Origin;
use crate::tokens::{Bearer, random_id};
use crate::wire::Wire;

pub(super) async fn connect(gateway: Arc<Gateway>, hub: Hub, request: Request) -> Response {
    let (bearer, is_unwelcome) = match access::check(&gateway, hub, request.uri(), request.headers()) {
        Access::Granted(bearer) => (bearer, false),
        Access::Unwelcome => (None, true),
        Access::Refused(response) => {
            count_upgrade(&gateway, &request);
            gateway.journal.note(Note::UpgradeRefused { hub, status: response.status().as_u16() });
            return *response;
        }
    };
    if !matches!(*request.method(), Method::GET | Method::POST | Method::DELETE | Method::CONNECT) {
        return plain(StatusCode::METHOD_NOT_ALLOWED, "");
    }
    count_upgrade(&gateway, &request);
    let token = access::query_value(request.uri(), "id").filter(|id| !id.is_empty());
    let known_as = token.as_deref().and_then(|token| gateway.connection_id(token));
    let wire = request.extensions().get::<Wire>().cloned();
    let door = faults::at_upgrade(&gateway, hub, known_as.as_deref(), wire).await;
    if let Door::Shut(response) = door {
        gateway.journal.note(Note::UpgradeRefused { hub, status: response.status().as_u16() });
        return response;
    }
    let Some(mut key) = upgrade::key(&request) else {
        return not_an_upgrade(&gateway, &request, token.as_deref());
    };
    if gateway.open_sockets.load(Ordering::Relaxed) >= gateway.options.max_connections {
        return empty(StatusCode::SERVICE_UNAVAILABLE);
    }
    let (connection_id, returns) = match token.as_deref().map(|token| gateway.claim(token)) {
        None => (random_id(), None),
        Some(Claim::Granted { connection_id, returns }) => (connection_id, returns),
        Some(Claim::Returned(returns)) => {
            let connection_id = known_as.unwrap_or_default();
            return upgrade::accept(request, &key, move |wire, early| async move {
                gateway.faults.seat(&wire, hub, &connection_id);
                // A connection that ended meanwhile takes no socket: this one is dropped.
                let _ = returns.send((wire, early)).await;
            });
        }
        Some(Claim::Unknown) => {
            // On an upgrade this one comes without its type (seen live).
            let mut response = no_such_id();
            response.headers_mut().remove(header::CONTENT_TYPE);
            return response;
        }
        Some(Claim::InUse) => return empty(StatusCode::CONFLICT),
    };
    let expires = access::expiry(&gateway, hub, &bearer);
    let rules = gateway.rules(returns.is_some(), is_unwelcome);
    let origin = origin(&request, bearer);
    let admission = Admission { connection_id, hub, origin, expires, rules, returns, token: token.clone() };
    if let Door::WrongKey = door {
        key = HeaderValue::from_static("d3Jvbmcga2V5IGluZGVlZCE=");
    }
    let open = OpenSocket::count(&gateway, token);
    upgrade::accept(request, &key, move |wire, early| async move {
        let gateway = Arc::clone(&open.gateway);
        gateway.faults.seat(&wire, hub, &admission.connection_id);
        conversation::serve(gateway, wire, early, admission).await;
        drop(open);
    })
}

/// Holds the place of an open WebSocket, and its negotiated id while it lasts.
struct OpenSocket {
    gateway: Arc<Gateway>,
    token: Option<String>,
}

impl OpenSocket {
    fn count(gateway: &Arc<Gateway>, token: Option<String>) -> Self {
        gateway.open_sockets.fetch_add(1, Ordering::Relaxed);
        Self { gateway: Arc::clone(gateway), token }
    }
}

impl Drop for OpenSocket {
    fn drop(&mut self) {
        self.gateway.open_sockets.fetch_sub(1, Ordering::Relaxed);
        if let Some(token) = &self.token {
            self.gateway.release(token);
        }
    }
}

fn count_upgrade(gateway: &Gateway, request: &Request) {
    if request.headers().contains_key(header::UPGRADE) {
        gateway.upgrades.fetch_add(1, Ordering::Relaxed);
        gateway.changes.tell();
    }
}

/// The id is looked at before the transport (seen live).
fn not_an_upgrade(gateway: &Gateway, request: &Request, token: Option<&str>) -> Response {
    match token {
        None => plain(StatusCode::BAD_REQUEST, "Connection ID required"),
        Some(token) if !gateway.knows(token) => no_such_id(),
        Some(_) if *request.method() == Method::DELETE => {
            plain(StatusCode::BAD_REQUEST, "Cannot terminate this connection using the DELETE endpoint.")
        }
        Some(_) if *request.method() == Method::POST => empty(StatusCode::METHOD_NOT_ALLOWED),
        Some(_) => plain(StatusCode::NOT_FOUND, "LongPolling transport not supported by this end point type"),
    }
}

fn no_such_id() -> Response {
    plain(StatusCode::NOT_FOUND, "No Connection with that ID")
}

fn origin(request: &Request, bearer: Option<Bearer>) -> Origin {
    let (user, session) = bearer.map(|bearer| (bearer.user, bearer.session)).unzip();
    Origin {
        path: request.uri().path().to_owned(),
        user,
        session: session.flatten(),
        token_in_query: !access::query_values(request.uri(), "access_token").is_empty(),
        token_in_header: request.headers().contains_key(header::AUTHORIZATION),
        user_agent: text(request.headers(), "user-agent"),
        signalr_user_agent: text(request.headers(), "x-signalr-user-agent"),
    }
}

fn text(headers: &HeaderMap, name: &str) -> String {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}
