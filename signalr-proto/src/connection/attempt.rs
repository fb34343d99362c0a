//! One try to reach the hub: token, negotiation with its redirects, dial, handshake.

use std::sync::Arc;

use http::header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION, SET_COOKIE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::resume::Resume;
use super::{ConnectionId, Event, HubConnection, Phase, Reply};
use crate::config::TokenPlacement;
use crate::error::{Cause, DisconnectReason};
use crate::io::{Action, AttemptId, CloseHow, HttpRequest, HttpResponse, IoFailure, IoFailureKind, OpenRequest};
use crate::protocol::message::HubMessage;
use crate::protocol::{handshake, negotiation};
use crate::retry::FailureClass;
use crate::secret::Secret;
use crate::time::{Instant, Timer};
use crate::url::{HubUrl, Origin};

/// Microsoft's clients give up after so many negotiate requests.
const MAX_NEGOTIATIONS: u32 = 100;
/// A negotiate answer lists three transports; this is generous.
const MAX_NEGOTIATE_BYTES: usize = 1 << 20;
/// Cookies kept for one attempt, and the longest of them.
const MAX_COOKIES: usize = 32;
const MAX_COOKIE_BYTES: usize = 4 << 10;

pub(super) struct Attempt {
    pub(super) id: AttemptId,
    pub(super) stage: Stage,
    /// Where this attempt goes: the configured URL, or where it was redirected.
    base: HubUrl,
    negotiations: u32,
    /// What the provider gave.
    token: Option<Secret>,
    /// A 401 was answered with another question to the provider already.
    asked_again: bool,
    /// What a redirect gave, and the origin it is for.
    redirect_token: Option<(Origin, Secret)>,
    cookies: Vec<(Origin, String)>,
    negotiated: Option<(Arc<str>, Secret)>,
    /// The hub agreed to stateful reconnect.
    is_stateful: bool,
}

impl Attempt {
    /// The provider's token for the next dial, where it is one that can be sent.
    pub(super) fn renew_token(&mut self, token: Option<Secret>) {
        self.token = token.filter(is_sendable);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// The provider is asked; then comes the request.
    Token(Request),
    Negotiate,
    Open,
    Handshake,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Request {
    Negotiate,
    Open,
}

impl HubConnection {
    pub(super) fn begin_attempt(&mut self, now: Instant) {
        self.last_attempt += 1;
        let id = AttemptId(self.last_attempt);
        let request = if self.config.skip_negotiation { Request::Open } else { Request::Negotiate };
        let attempt = Attempt {
            id,
            stage: Stage::Token(request),
            base: self.url.clone(),
            negotiations: 0,
            token: None,
            asked_again: false,
            redirect_token: None,
            cookies: Vec::new(),
            negotiated: None,
            is_stateful: false,
        };
        tracing::debug!(attempt = id.0, url = %self.url, "connecting");
        self.scheduler.attempt_begins(now);
        self.timers.clear_all();
        self.timers.set(Timer::Attempt, now + self.config.connect_timeout.saturating_mul(3));
        if self.config.has_token_provider {
            self.ask_token(now, id);
            self.phase = Phase::Attempting(Box::new(attempt));
        } else {
            self.send_request(now, attempt, request);
        }
    }

    pub(super) fn ask_token(&mut self, now: Instant, attempt: AttemptId) {
        self.timers.set(Timer::Stage, now + self.config.connect_timeout);
        self.actions.push_back(Action::ProvideToken { attempt });
    }

    /// The attempt with this id, taken out of its phase, if it is the one under way.
    fn take_attempt(&mut self, id: AttemptId) -> Option<Attempt> {
        match std::mem::replace(&mut self.phase, Phase::Disconnected) {
            Phase::Attempting(attempt) if attempt.id == id => Some(*attempt),
            other => {
                self.phase = other;
                None
            }
        }
    }

    pub(super) fn token_provided(&mut self, now: Instant, id: AttemptId, token: Result<Option<Secret>, String>) {
        if self.is_resuming_by(id) {
            return self.token_to_resume(now, token);
        }
        let Some(mut attempt) = self.take_attempt(id) else { return };
        let Stage::Token(request) = attempt.stage else {
            self.phase = Phase::Attempting(Box::new(attempt));
            return;
        };
        match token {
            Ok(token) => attempt.token = token.filter(|token| !token.expose().is_empty()),
            Err(message) => {
                let message = format!("the access token provider failed: {}", crate::error::printable(&message, 256));
                return self.attempt_failed(now, attempt, DisconnectReason::new(Cause::Unauthorized, message));
            }
        }
        if !attempt.token.as_ref().is_none_or(is_sendable) {
            let reason = DisconnectReason::new(
                Cause::Unauthorized,
                "the access token holds characters that HTTP does not allow",
            );
            return self.attempt_failed(now, attempt, reason);
        }
        self.send_request(now, attempt, request);
    }

    fn send_request(&mut self, now: Instant, mut attempt: Attempt, request: Request) {
        self.timers.set(Timer::Stage, now + self.config.connect_timeout);
        let action = match request {
            Request::Negotiate => {
                attempt.stage = Stage::Negotiate;
                attempt.negotiations += 1;
                Action::Http { attempt: attempt.id, request: self.negotiate_request(&attempt) }
            }
            Request::Open => {
                attempt.stage = Stage::Open;
                Action::Open { attempt: attempt.id, request: self.open_request(&attempt) }
            }
        };
        self.actions.push_back(action);
        self.phase = Phase::Attempting(Box::new(attempt));
    }

    /// `POST {url}/negotiate?negotiateVersion=1` (TransportProtocols.md). The token always stands in the header here.
    fn negotiate_request(&self, attempt: &Attempt) -> HttpRequest {
        let mut url = attempt.base.with_segment("negotiate");
        if !url.has_query("negotiateVersion") {
            url = url.with_query("negotiateVersion", "1");
        }
        if self.config.stateful_reconnect {
            url = url.with_query("useStatefulReconnect", "true");
        }
        let mut headers = self.headers(attempt);
        // Lets authentication answer 401 in place of a redirect to a login page.
        headers.insert(HeaderName::from_static("x-requested-with"), HeaderValue::from_static("XMLHttpRequest"));
        if let Some(token) = self.token_for(attempt) {
            insert_bearer(&mut headers, token);
        }
        HttpRequest { url, headers, max_body_bytes: MAX_NEGOTIATE_BYTES }
    }

    pub(super) fn open_request(&self, attempt: &Attempt) -> OpenRequest {
        let mut url = attempt.base.clone();
        if let Some((_, connection_token)) = &attempt.negotiated {
            url = url.with_query("id", connection_token.expose());
        }
        let mut headers = self.headers(attempt);
        if let Some(token) = self.token_for(attempt) {
            if self.config.token_placement != TokenPlacement::Query {
                insert_bearer(&mut headers, token);
            }
            if self.config.token_placement != TokenPlacement::Header {
                url = url.with_query("access_token", token.expose());
            }
        }
        OpenRequest { url, headers, max_message_bytes: self.config.max_message_bytes() }
    }

    /// The user's headers, without his credentials when it goes to another origin; the cookies of this attempt.
    fn headers(&self, attempt: &Attempt) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(USER_AGENT, self.config.user_agent.clone());
        let is_home = attempt.base.origin() == self.url.origin();
        for (name, value) in &self.config.headers {
            let is_credential = [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION].contains(name);
            if *name == USER_AGENT {
                headers.insert(name, value.clone());
            } else if is_home || !is_credential {
                headers.append(name, value.clone());
            }
        }
        let own: Vec<HeaderValue> = headers.get_all(COOKIE).iter().cloned().collect();
        headers.remove(COOKIE);
        let given = attempt
            .cookies
            .iter()
            .filter(|(origin, _)| origin == attempt.base.origin())
            .map(|(_, cookie)| cookie.as_str());
        let all: Vec<&str> = own.iter().filter_map(|value| value.to_str().ok()).chain(given).collect();
        if let (false, Ok(mut value)) = (all.is_empty(), HeaderValue::from_str(&all.join("; "))) {
            value.set_sensitive(true);
            headers.insert(COOKIE, value);
        }
        headers
    }

    /// The token for where the attempt goes: a redirect's own, or the provider's at home. Never the provider's elsewhere.
    fn token_for<'a>(&self, attempt: &'a Attempt) -> Option<&'a Secret> {
        match &attempt.redirect_token {
            Some((origin, token)) if origin == attempt.base.origin() => Some(token),
            _ if attempt.base.origin() == self.url.origin() => attempt.token.as_ref(),
            _ => None,
        }
    }

    pub(super) fn negotiate_answered(
        &mut self,
        now: Instant,
        id: AttemptId,
        response: Result<HttpResponse, IoFailure>,
    ) {
        let Some(mut attempt) = self.take_attempt(id) else { return };
        if attempt.stage != Stage::Negotiate {
            self.phase = Phase::Attempting(Box::new(attempt));
            return;
        }
        let response = match response {
            Ok(response) => response,
            Err(failure) => return self.attempt_failed(now, attempt, io_reason(failure)),
        };
        if response.status != 200 {
            return self.status_failed(now, attempt, Request::Negotiate, response.status, response.retry_after);
        }
        keep_cookies(&mut attempt, &response.headers);
        match negotiation::read_answer(&response.body) {
            Ok(negotiation::Answer::Accepted { connection_id, connection_token, is_stateful }) => {
                attempt.is_stateful = is_stateful && self.config.stateful_reconnect;
                attempt.negotiated = Some((connection_id.into(), connection_token));
                self.send_request(now, attempt, Request::Open);
            }
            Ok(negotiation::Answer::Redirect { url, access_token }) => {
                match self.redirect(&mut attempt, &url, access_token) {
                    Ok(()) => self.send_request(now, attempt, Request::Negotiate),
                    Err(message) => {
                        self.attempt_failed(now, attempt, DisconnectReason::new(Cause::Negotiation, message))
                    }
                }
            }
            Err(message) => self.attempt_failed(now, attempt, DisconnectReason::new(Cause::Negotiation, message)),
        }
    }

    fn redirect(&self, attempt: &mut Attempt, url: &str, access_token: Option<Secret>) -> Result<(), String> {
        if attempt.negotiations >= MAX_NEGOTIATIONS {
            return Err(format!("the negotiation was redirected {MAX_NEGOTIATIONS} times"));
        }
        let target =
            HubUrl::parse(url).map_err(|error| format!("the negotiation was redirected to a URL that {error}"))?;
        if attempt.base.origin().is_secure() && !target.origin().is_secure() {
            return Err("the negotiation was redirected from https to http".to_owned());
        }
        attempt.base = target;
        if let Some(token) = access_token {
            attempt.redirect_token = Some((attempt.base.origin().clone(), token));
        }
        if self.token_for(attempt).is_some() && !self.config.may_carry_token(&attempt.base) {
            return Err("the negotiation was redirected to plain http with a token".to_owned());
        }
        let is_sendable = |token: &Secret| token.expose().bytes().all(|byte| byte.is_ascii_graphic());
        if !self.token_for(attempt).is_none_or(is_sendable) {
            return Err("the negotiation was redirected with a token that HTTP does not allow".to_owned());
        }
        Ok(())
    }

    pub(super) fn opened(&mut self, now: Instant, id: AttemptId, result: Result<(), IoFailure>) {
        if self.is_resuming_by(id) {
            return self.opened_to_resume(now, result);
        }
        let Some(mut attempt) = self.take_attempt(id) else { return };
        if attempt.stage != Stage::Open {
            self.phase = Phase::Attempting(Box::new(attempt));
            return;
        }
        match result {
            Ok(()) => {
                attempt.stage = Stage::Handshake;
                let is_stateful = attempt.is_stateful;
                self.phase = Phase::Attempting(Box::new(attempt));
                self.timers.clear(Timer::Stage);
                self.timers.set(Timer::Handshake, now + self.config.handshake_timeout);
                self.buffer.reset(handshake::MAX_RESPONSE_BYTES);
                self.outbound.clear();
                self.outbound.push_control(handshake::request(if is_stateful { 2 } else { 1 }));
            }
            Err(IoFailure { kind: IoFailureKind::Status(status), retry_after, .. }) => {
                self.status_failed(now, attempt, Request::Open, status, retry_after);
            }
            Err(failure) => self.attempt_failed(now, attempt, io_reason(failure)),
        }
    }

    /// A request was answered with a status that is no success. A 401 has the provider asked once more, for a token that is its own.
    fn status_failed(
        &mut self,
        now: Instant,
        mut attempt: Attempt,
        request: Request,
        status: u16,
        retry_after: Option<std::time::Duration>,
    ) {
        let is_own_token = attempt.base.origin() == self.url.origin()
            && attempt.redirect_token.as_ref().is_none_or(|(origin, _)| origin != attempt.base.origin());
        if status == 401 && self.config.has_token_provider && is_own_token && !attempt.asked_again {
            tracing::debug!(attempt = attempt.id.0, "status 401: the access token provider is asked once more");
            attempt.asked_again = true;
            attempt.stage = Stage::Token(request);
            attempt.token = None;
            self.ask_token(now, attempt.id);
            self.phase = Phase::Attempting(Box::new(attempt));
            return;
        }
        let what = if request == Request::Negotiate { "negotiation" } else { "upgrade to a WebSocket" };
        let mut reason = match status {
            401 | 403 => {
                DisconnectReason::new(Cause::Unauthorized, format!("the {what} was refused with status {status}"))
                    .terminal()
            }
            404 => DisconnectReason::new(
                Cause::HttpStatus,
                format!(
                    "the {what} was answered with status 404: this may be no SignalR hub, or a proxy stands in between"
                ),
            ),
            _ => DisconnectReason::new(Cause::HttpStatus, format!("the {what} was answered with status {status}")),
        };
        reason.retry_after = retry_after;
        let reason = reason.with_class(FailureClass::of_status(status, retry_after.is_some()));
        self.attempt_failed(now, attempt, reason);
    }

    /// The attempt is over; what it still has is ended.
    fn attempt_failed(&mut self, now: Instant, attempt: Attempt, reason: DisconnectReason) {
        let id = attempt.id;
        self.phase = Phase::Attempting(Box::new(attempt));
        self.fail_attempt(now, id, reason, Some(CloseHow::Abort));
    }

    /// Ends the attempt under way and decides what follows. `close` is `None` if the transport is gone by itself.
    pub(super) fn fail_attempt(
        &mut self,
        now: Instant,
        id: AttemptId,
        reason: DisconnectReason,
        close: Option<CloseHow>,
    ) {
        tracing::debug!(attempt = id.0, cause = %reason.cause(), reason = %reason, "attempt failed");
        if let Some(how) = close {
            self.actions.push_back(Action::Close { attempt: id, how, cause: reason.cause() });
        }
        self.timers.clear_all();
        self.outbound.clear();
        self.try_again(now, reason);
    }

    /// The hub accepted the handshake.
    pub(super) fn handshake_accepted(&mut self, now: Instant, attempt: Attempt) {
        self.connections += 1;
        let server = attempt.negotiated.as_ref().map(|(id, _)| id.clone());
        let id = ConnectionId { local: self.connections, server };
        tracing::info!(attempt = attempt.id.0, connection = id.local, "connected");
        self.connection_id = Some(id.clone());
        self.phase = Phase::Connected(attempt.id);
        self.origin = attempt.id;
        self.resume = attempt.is_stateful.then(|| Resume::new(attempt));
        self.timers.clear_all();
        self.buffer.set_limit(self.config.max_record_bytes);
        self.last_received = now;
        self.last_sent = now;
        self.open_tickets = 0;
        if let Some(timeout) = self.config.server_timeout {
            self.timers.set(Timer::Server, now + timeout);
        }
        if let Some(interval) = self.config.keep_alive_interval {
            self.timers.set(Timer::KeepAlive, now + interval);
            // The first ping arms the hub's own timeout (ASP.NET Core counts a client's silence from it on).
            self.outbound.push_control(HubMessage::Ping.to_record());
        }
        if let Some(stable_at) = self.scheduler.connected(now) {
            self.timers.set(Timer::Stable, stable_at);
        }
        let outage = self.outage.take();
        let is_reconnect = outage.is_some_and(|outage| !outage.is_initial);
        self.open_owed_gaps();
        let has_wishes = self.restore_subscriptions(now);
        self.event(if is_reconnect { Event::Reconnected(id) } else { Event::Connected(id) });
        for token in std::mem::take(&mut self.starting) {
            self.reply(token, Reply::Started(Ok(())));
        }
        if !has_wishes {
            self.scheduler.restored(now);
            if is_reconnect {
                self.tell_restored();
            }
        }
    }

    /// The handshake's attempt, if one is under way under this id.
    pub(super) fn take_handshake(&mut self, id: AttemptId) -> Option<Attempt> {
        match &self.phase {
            Phase::Attempting(attempt) if attempt.id == id && attempt.stage == Stage::Handshake => {
                self.take_attempt(id)
            }
            _ => None,
        }
    }
}

fn is_sendable(token: &Secret) -> bool {
    HeaderValue::from_str(token.expose()).is_ok() && token.expose().bytes().all(|byte| byte.is_ascii_graphic())
}

fn insert_bearer(headers: &mut HeaderMap, token: &Secret) {
    // The token was checked when it was given.
    let Ok(mut value) = HeaderValue::from_str(&format!("Bearer {}", token.expose())) else { return };
    value.set_sensitive(true);
    headers.insert(AUTHORIZATION, value);
}

/// Load balancers keep a client at one server by a cookie: it goes back to the same origin for this attempt.
fn keep_cookies(attempt: &mut Attempt, headers: &HeaderMap) {
    for value in headers.get_all(SET_COOKIE) {
        let Some(cookie) = value.to_str().ok().and_then(|text| text.split(';').next()).map(str::trim) else { continue };
        let Some((name, _)) = cookie.split_once('=') else { continue };
        let origin = attempt.base.origin();
        attempt
            .cookies
            .retain(|(known, kept)| known != origin || kept.split_once('=').is_none_or(|(kept, _)| kept != name));
        if attempt.cookies.len() < MAX_COOKIES && cookie.len() <= MAX_COOKIE_BYTES {
            attempt.cookies.push((origin.clone(), cookie.to_owned()));
        }
    }
}

/// What an adapter saw, as a reason.
pub(super) fn io_reason(failure: IoFailure) -> DisconnectReason {
    let cause = match failure.kind {
        IoFailureKind::Refused => Cause::Refused,
        IoFailureKind::TimedOut => Cause::ConnectTimeout,
        IoFailureKind::Tls => Cause::Tls,
        IoFailureKind::Status(_) => Cause::HttpStatus,
        IoFailureKind::Protocol => Cause::ProtocolViolation,
        IoFailureKind::Oversize => Cause::Oversize,
        IoFailureKind::Lost => Cause::Lost,
        IoFailureKind::Local => Cause::Local,
    };
    let mut reason = DisconnectReason::new(cause, failure.message);
    reason.retry_after = failure.retry_after;
    reason
}
