//! The REST half of the gateway, under `/api`: POST and JSON but for the ping, HTTP 200 for whatever the business says.
//!
//! The order of refusals is ASP.NET Core's: the path (404), the method (405), the token (401, no body), the rate (429),
//! the body's type (415), size (413) and form (400).

mod account;
mod answer;
mod auth;
mod body;
mod contract;
mod history;
mod limits;
mod order;
mod position;
mod problem;
mod status;
mod trade;

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;

use crate::gateway::Gateway;
use crate::http::{empty, json, token_of};
use crate::lock::lock;
use crate::tokens::Bearer;
use crate::world::Visit;
use body::Members;
use limits::Kind;
pub(crate) use limits::Limits;
use problem::Problem;

/// The largest body taken; no call needs a tenth of it.
const MAX_BODY_BYTES: usize = 64 * 1024;
/// How long a body that nobody wants may take to arrive.
const DRAIN_LIMIT: std::time::Duration = std::time::Duration::from_secs(1);

/// Who calls.
struct Caller<'a> {
    gateway: &'a Arc<Gateway>,
    bearer: Bearer,
}

impl Caller<'_> {
    /// The account that a request names, if it is one of the caller's.
    fn account(&self, body: &Members<'_>) -> Result<Option<i32>, Problem> {
        let id = body.int("accountId")?;
        let is_own = |world: Visit<'_>| world.exchange.owner(id) == Some(&*self.bearer.user);
        Ok(self.gateway.world.visit(is_own).then_some(id))
    }

    /// Whether the caller may see data of this tier.
    fn has_data(&self, live: bool) -> bool {
        !live || self.gateway.options.live_data
    }
}

/// A call's answer, as JSON text, or why it was never made.
type Answered = Result<String, Problem>;

/// What a path leads to.
#[derive(Clone, Copy)]
enum Call {
    /// With a body, for everybody.
    Login(fn(&Arc<Gateway>, &Members<'_>) -> Answered),
    /// For the bearer of a token.
    Bearer(BearerCall),
}

/// What the bearer of a token may call.
#[derive(Clone, Copy)]
enum BearerCall {
    /// Without a body.
    Session(fn(&Caller<'_>) -> String),
    /// With a body.
    Business(fn(&Caller<'_>, &Members<'_>) -> Answered),
}

const fn session(call: fn(&Caller<'_>) -> String) -> Call {
    Call::Bearer(BearerCall::Session(call))
}

const fn business(call: fn(&Caller<'_>, &Members<'_>) -> Answered) -> Call {
    Call::Bearer(BearerCall::Business(call))
}

const PING: &str = "/api/Status/ping";
const BARS: &str = "/api/History/retrieveBars";
const CALLS: &[(&str, Call)] = &[
    ("/api/Auth/loginKey", Call::Login(auth::login_key)),
    ("/api/Auth/loginApp", Call::Login(auth::login_app)),
    ("/api/Auth/validate", session(auth::validate)),
    ("/api/Auth/logout", session(auth::logout)),
    ("/api/Account/search", business(account::search)),
    ("/api/Contract/available", business(contract::available)),
    ("/api/Contract/search", business(contract::search)),
    ("/api/Contract/searchById", business(contract::search_by_id)),
    (BARS, business(history::retrieve_bars)),
    ("/api/Order/search", business(order::search)),
    ("/api/Order/searchOpen", business(order::search_open)),
    ("/api/Order/searchById", business(order::search_by_id)),
    ("/api/Order/v2/query", business(order::query)),
    ("/api/Order/place", business(order::place)),
    ("/api/Order/modify", business(order::modify)),
    ("/api/Order/cancel", business(order::cancel)),
    ("/api/Position/searchOpen", business(position::search_open)),
    ("/api/Position/closeContract", business(position::close_contract)),
    ("/api/Position/partialCloseContract", business(position::partial_close_contract)),
    ("/api/Trade/search", business(trade::search)),
];

/// The calls by the names that are documented; [`handle`] takes them in any case.
pub(crate) fn routes() -> Router<Arc<Gateway>> {
    let by_name = async |State(gateway): State<Arc<Gateway>>, request: Request| handle(&gateway, request).await;
    let paths = CALLS.iter().map(|(path, _)| *path).chain([PING]);
    paths.fold(Router::new(), |router, path| router.route(path, any(by_name)))
}

/// Answers a request whose path begins with `/api`. A body that nobody asked for is read all the same: a socket that is closed with bytes
/// unread is reset, and the answer lost with it.
pub(crate) async fn handle(gateway: &Arc<Gateway>, mut request: Request) -> Response {
    match begin(gateway, &request) {
        Begun::Login(login) => with_body(request, |members| login(gateway, members)).await,
        Begun::Business(business, caller) => with_body(request, |members| business(&caller, members)).await,
        Begun::Answered(answer) => {
            let body = std::mem::take(request.body_mut());
            let _ = tokio::time::timeout(DRAIN_LIMIT, to_bytes(body, MAX_BODY_BYTES)).await;
            answer
        }
    }
}

/// What becomes of a request before its body is looked at.
enum Begun<'a> {
    Answered(Response),
    Login(fn(&Arc<Gateway>, &Members<'_>) -> Answered),
    Business(fn(&Caller<'_>, &Members<'_>) -> Answered, Caller<'a>),
}

fn begin<'a>(gateway: &'a Arc<Gateway>, request: &Request) -> Begun<'a> {
    let path = request.uri().path().trim_end_matches('/');
    if path.eq_ignore_ascii_case(PING) {
        return Begun::Answered(status::ping(request.method()));
    }
    let Some((path, call)) = CALLS.iter().find(|(known, _)| known.eq_ignore_ascii_case(path)) else {
        return Begun::Answered(empty(StatusCode::NOT_FOUND));
    };
    if request.method() != Method::POST {
        let mut refused = empty(StatusCode::METHOD_NOT_ALLOWED);
        refused.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
        return Begun::Answered(refused);
    }
    let call = match call {
        Call::Login(login) => return Begun::Login(*login),
        Call::Bearer(call) => call,
    };
    let token = token_of(request.uri(), request.headers());
    let Some(bearer) = token.and_then(|token| gateway.tokens.check(&token)) else {
        return Begun::Answered(empty(StatusCode::UNAUTHORIZED));
    };
    let kind = if *path == BARS { Kind::Bars } else { Kind::Other };
    if let Some(refused) = too_many(gateway, &bearer.user, kind) {
        return Begun::Answered(refused);
    }
    let caller = Caller { gateway, bearer };
    match call {
        BearerCall::Session(session) => Begun::Answered(json(StatusCode::OK, session(&caller))),
        BearerCall::Business(business) => Begun::Business(*business, caller),
    }
}

/// Makes a call with the request's body.
async fn with_body(request: Request, call: impl FnOnce(&Members<'_>) -> Answered) -> Response {
    let body = match body_of(request).await {
        Ok(body) => body,
        Err(refused) => return refused,
    };
    match Members::of_body(&body).and_then(|members| call(&members)) {
        Ok(answer) => json(StatusCode::OK, answer),
        Err(problem) => problem.into_response(),
    }
}

async fn body_of(request: Request) -> Result<axum::body::Bytes, Response> {
    if !has_json(request.headers()) {
        return Err(Problem::unsupported_media_type().into_response());
    }
    to_bytes(request.into_body(), MAX_BODY_BYTES).await.map_err(|_| empty(StatusCode::PAYLOAD_TOO_LARGE))
}

fn has_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    matches!(essence.as_str(), "application/json" | "text/json") || essence.ends_with("+json")
}

/// The refusal of a call too many.
fn too_many(gateway: &Gateway, user: &str, kind: Kind) -> Option<Response> {
    if !gateway.options.rate_limits {
        return None;
    }
    let wait = lock(&gateway.limits).count(Instant::now(), user, kind).err()?;
    let mut refused = empty(StatusCode::TOO_MANY_REQUESTS);
    if gateway.options.retry_after {
        refused.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(whole_seconds(wait)));
    }
    Some(refused)
}

fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}
