//! What goes wrong with the REST API, before a call takes effect or after.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::Response;
use futures_util::{StreamExt, stream};

use super::book::Whom;
use super::door::answer;
use super::fault::Fault;
use super::parts::{DropHow, Moment};
use crate::gateway::Gateway;
use crate::wire::Wire;

/// The largest answer of the REST API that is cut short.
const MAX_BODY: usize = 64 * 1024 * 1024;
const PAGE: &str = "<!DOCTYPE html><html><body><h1>Bad gateway</h1></body></html>";

/// Stands before every route and acts on those of the REST API.
pub(crate) async fn gate(State(gateway): State<Arc<Gateway>>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_ascii_lowercase();
    if gateway.faults.are_none() || !path.starts_with("/api/") {
        return next.run(request).await;
    }
    let wire = request.extensions().get::<Wire>().cloned();
    pause(&gateway, &path, Moment::Before).await;
    if let Some(response) = instead(&gateway, &path, Moment::Before, wire.as_ref()) {
        return response;
    }
    let response = next.run(request).await;
    pause(&gateway, &path, Moment::After).await;
    if let Some(response) = instead(&gateway, &path, Moment::After, wire.as_ref()) {
        return response;
    }
    let cut = gateway.faults.damage(Whom::default(), |fault| match fault {
        Fault::RestTruncated { path: of, keep } if is_of(of, &path) => Some(*keep),
        _ => None,
    });
    match cut {
        Some(keep) => truncated(response, keep).await,
        None => response,
    }
}

async fn pause(gateway: &Gateway, path: &str, now: Moment) {
    let by = gateway.faults.damage(Whom::default(), |fault| match fault {
        Fault::RestDelay { path: of, by, moment } if *moment == now && is_of(of, path) => Some(*by),
        _ => None,
    });
    tokio::time::sleep(by.unwrap_or(Duration::ZERO)).await;
}

/// The answer in place of the true one.
fn instead(gateway: &Gateway, path: &str, now: Moment, wire: Option<&Wire>) -> Option<Response> {
    gateway.faults.damage(Whom::default(), |fault| match fault {
        Fault::RestStatus { path: of, status, retry_after, body, moment } if *moment == now && is_of(of, path) => {
            Some(answer(*status, *retry_after, body.as_deref()))
        }
        Fault::RestGarbage { path: of, body, moment } if *moment == now && is_of(of, path) => {
            Some(answer(200, None, Some(body.as_deref().unwrap_or(PAGE))))
        }
        Fault::RestDrop { path: of, how, moment } if *moment == now && is_of(of, path) => {
            // What is answered here never leaves.
            wire.inspect(|wire| hang_up(wire, *how));
            Some(Response::new(Body::empty()))
        }
        _ => None,
    })
}

fn hang_up(wire: &Wire, how: DropHow) {
    match how {
        DropHow::Reset => {
            wire.reset_on_drop();
            wire.break_off();
        }
        DropHow::Fin => wire.break_off(),
        DropHow::HalfClose => wire.half_close(),
    }
}

/// The answer's head with its true length, the first bytes of its body, and then the end of the socket.
async fn truncated(response: Response, keep: Option<usize>) -> Response {
    let (mut head, body) = response.into_parts();
    let Ok(mut body) = to_bytes(body, MAX_BODY).await else {
        return Response::from_parts(head, Body::empty());
    };
    head.headers.insert(header::CONTENT_LENGTH, body.len().into());
    body.truncate(keep.unwrap_or(body.len() / 2));
    let end = std::io::Error::from(std::io::ErrorKind::ConnectionAborted);
    let front = stream::once(async { Ok::<Bytes, std::io::Error>(body) });
    let end = stream::once(async {
        // Until what is there has left.
        tokio::task::yield_now().await;
        Err(end)
    });
    Response::from_parts(head, Body::from_stream(front.chain(end)))
}

fn is_of(prefix: &Option<String>, path: &str) -> bool {
    prefix.as_deref().is_none_or(|prefix| path.starts_with(&prefix.to_ascii_lowercase()))
}
