//! What goes wrong at negotiate and at the upgrade.

use std::time::{Duration, SystemTime};

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;

use super::book::Whom;
use super::fault::Fault;
use super::parts::RetryAfter;
use crate::gateway::Gateway;
use crate::hubs::Hub;
use crate::wire::{Wire, WireFaults};

/// The longest that a request stays without an answer: by then its client has given up.
const LONGEST_SILENCE: Duration = Duration::from_secs(15 * 60);

/// What an upgrade request meets.
#[derive(Debug)]
pub(crate) enum Door {
    /// The usual.
    Open,
    /// A 101 whose `Sec-WebSocket-Accept` belongs to some other key.
    WrongKey,
    /// This answer.
    Shut(Response),
}

/// What a negotiate request meets; `None` for the usual.
pub(crate) async fn at_negotiate(gateway: &Gateway, hub: Hub) -> Option<Response> {
    if gateway.faults.are_none() {
        return None;
    }
    let whom = Whom { hub: Some(hub.name()), connection: None };
    let delay = gateway.faults.damage(whom, |fault| match fault {
        Fault::SlowNegotiate { delay } => Some(*delay),
        Fault::UnansweredNegotiate => Some(LONGEST_SILENCE),
        _ => None,
    });
    if let Some(delay) = delay {
        tokio::time::sleep(delay).await;
    }
    gateway.faults.damage(whom, |fault| match fault {
        Fault::NegotiateStatus { status, retry_after, body } => Some(answer(*status, *retry_after, body.as_deref())),
        _ => None,
    })
}

/// What an upgrade request meets; `connection` is the negotiated connection id.
pub(crate) async fn at_upgrade(gateway: &Gateway, hub: Hub, connection: Option<&str>, wire: Option<Wire>) -> Door {
    if gateway.faults.are_none() {
        return Door::Open;
    }
    let whom = Whom { hub: Some(hub.name()), connection };
    let delay = gateway.faults.damage(whom, |fault| match fault {
        Fault::SlowUpgrade { delay, bytes_per_second } => Some((*delay, *bytes_per_second)),
        Fault::UnansweredUpgrade => Some((LONGEST_SILENCE, None)),
        _ => None,
    });
    if let Some((delay, pace)) = delay {
        tokio::time::sleep(delay).await;
        if let (Some(pace), Some(wire)) = (pace, wire) {
            // Until the connection takes its seat.
            wire.misbehave(WireFaults { out_rate: pace, ..WireFaults::default() });
        }
    }
    let door = gateway.faults.damage(whom, |fault| match fault {
        Fault::UpgradeStatus { status, retry_after, body } => {
            Some(Door::Shut(answer(*status, *retry_after, body.as_deref())))
        }
        Fault::WrongAcceptKey => Some(Door::WrongKey),
        _ => None,
    });
    door.unwrap_or(Door::Open)
}

/// An answer of a proxy's or gateway's making.
pub(super) fn answer(status: u16, retry_after: Option<RetryAfter>, body: Option<&str>) -> Response {
    let mut response = Response::new(Body::from(body.unwrap_or_default().to_owned()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    let text = match retry_after {
        None => return response,
        Some(RetryAfter::Seconds(seconds)) => seconds.to_string(),
        Some(RetryAfter::Date(later)) => httpdate::fmt_http_date(SystemTime::now() + later),
    };
    if let Ok(value) = HeaderValue::from_str(&text) {
        response.headers_mut().insert(header::RETRY_AFTER, value);
    }
    response
}
