//! One call: token, turn, tries.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use adapter_core::{HttpAnswer, HttpError, Runtime};
use futures_util::future::{Either, select};
use http::StatusCode;
use signalr_proto::time::Instant;
use topstep_model::Code;
use topstep_model::rest::{ApiError, Request};

use super::wire::{self, Wire};
use super::{Gateway, Inner};
use crate::budget::Priority;
use crate::login::{LoginError, Revision, Token};
use crate::moment::Moment;
use crate::rest::{CallError, Mutation, OutcomeUnknown};

/// How long a read waits before its second and its third try.
const BETWEEN_TRIES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(2)];

/// Why a call has no answer at all.
enum Unanswered {
    Login(LoginError),
    NotSent(String),
    Lost { sent_at: Moment, reason: String },
}

impl<R: Runtime> Gateway<R> {
    /// Makes any call of the REST API within the gateway's deadline.
    ///
    /// A call that only reads is tried up to three times; one that changes something is sent once, and repeated only after a 401, which says
    /// that nothing happened. The priority says which part of the rate budget it may use.
    pub fn call<Q: Request + 'static>(
        &self,
        request: &Q,
        priority: Priority,
    ) -> impl Future<Output = Result<Q::Response, CallError<Q::Code>>> + Send + use<Q, R> {
        self.call_within(request, priority, self.inner.config.deadline())
    }

    /// The same within a deadline of its own.
    pub fn call_within<Q: Request + 'static>(
        &self,
        request: &Q,
        priority: Priority,
        within: Duration,
    ) -> impl Future<Output = Result<Q::Response, CallError<Q::Code>>> + Send + use<Q, R> {
        let inner = self.inner.clone();
        let wire = Wire::of(request);
        let what = if Q::CHANGES { Mutation::of(request) } else { None };
        async move {
            let sent = inner.answer(&wire, priority, within).await;
            let result = conclude::<Q>(sent, what);
            if let Err(error) = &result {
                let outcome = error.as_str();
                if matches!(error, CallError::OutcomeUnknown(_)) {
                    inner.rest.note_unknown();
                    metrics::counter!("topstep_outcome_unknown_total", "path" => Q::PATH).increment(1);
                }
                metrics::counter!("topstep_call_errors_total", "path" => Q::PATH, "outcome" => outcome).increment(1);
                tracing::debug!(path = Q::PATH, outcome, "a call failed");
            }
            result
        }
    }
}

/// Says how a call ended, from its last try.
fn conclude<Q: Request>(
    sent: Result<(HttpAnswer, Moment), Unanswered>,
    what: Option<Mutation>,
) -> Result<Q::Response, CallError<Q::Code>> {
    let lost = |sent_at, reason| CallError::OutcomeUnknown(Box::new(OutcomeUnknown { what, sent_at, reason }));
    let (answer, sent_at) = match sent {
        Ok(answer) => answer,
        Err(Unanswered::Login(error)) => return Err(CallError::Login(error)),
        Err(Unanswered::NotSent(reason)) => return Err(CallError::NotSent { reason }),
        Err(Unanswered::Lost { sent_at, reason }) if Q::CHANGES => return Err(lost(sent_at, reason)),
        Err(Unanswered::Lost { reason, .. }) => return Err(CallError::NoAnswer { reason }),
    };
    match wire::read::<Q>(&answer) {
        Ok(response) => Ok(response),
        Err(error @ (ApiError::Malformed(_) | ApiError::Status { status: 500.., .. })) if Q::CHANGES => {
            Err(lost(sent_at, error.to_string()))
        }
        // No answer either: nobody knows whether it will happen, or did.
        Err(ApiError::Refused(refusal)) if Q::CHANGES && is_evasive(refusal.code) => {
            Err(lost(sent_at, format!("the venue answered \"{}\"", refusal.code)))
        }
        Err(error) => Err(CallError::of(error)),
    }
}

/// Whether a code says that the call is under way, or nothing at all.
fn is_evasive<C: Code>(code: C) -> bool {
    let entry = C::CODES.iter().find(|entry| entry.code == code.code());
    entry.is_some_and(|entry| ["OrderPending", "Pending", "UnknownError"].contains(&entry.name))
}

impl<R: Runtime> Inner<R> {
    /// Tries until there is an answer that another try would not better, and says when it was asked for.
    async fn answer(
        self: &Arc<Self>,
        wire: &Wire,
        priority: Priority,
        within: Duration,
    ) -> Result<(HttpAnswer, Moment), Unanswered> {
        let deadline = self.clock.now().mono + within;
        let mut pauses = BETWEEN_TRIES.iter();
        let mut refused = None;
        loop {
            let token = self.token(wire, refused, deadline).await?;
            if !self.limiter.turn::<R>(self.clock, wire.class, priority, deadline).await {
                return Err(Unanswered::NotSent("the rate budget has no room in time".to_owned()));
            }
            let sent_at = self.clock.now();
            // A program that was held up may find its turn long after it came.
            let left = deadline.saturating_since(sent_at.mono);
            if left.is_zero() {
                return Err(Unanswered::NotSent("its time was over before its turn came".to_owned()));
            }
            let timeout = match self.config.timeout() {
                // What changes something is not given up early: its outcome would be unknown. But it leaves in time, or not at all.
                timeout if wire.changes => timeout,
                timeout => timeout.min(left),
            };
            let secret = token.as_ref().map(|token| &token.secret);
            let answer = wire::send(&self.http, wire.clone(), secret, timeout, left).await;
            let done_at = self.clock.now().mono;
            let is_failure = answer.as_ref().map_or(true, |answer| !(200..300).contains(&answer.status));
            self.rest.note(done_at, done_at.saturating_since(sent_at.mono), is_failure);

            if let (Ok(answer), Some(token), None) = (&answer, &token, refused)
                && answer.status == StatusCode::UNAUTHORIZED
            {
                // It says that nothing happened: so it may be sent again, whatever it is.
                refused = Some(token.revision);
                continue;
            }
            let now = self.clock.now().mono;
            let status = answer.as_ref().map_or(StatusCode::OK, |answer| {
                StatusCode::from_u16(answer.status).unwrap_or(StatusCode::BAD_GATEWAY)
            });
            let is_passing = status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS;
            let wait = answer.as_ref().ok().filter(|_| is_passing).and_then(wire::wait_of);
            if status == StatusCode::TOO_MANY_REQUESTS {
                self.limiter.hold(now, wait);
            }
            if (is_passing || answer.is_err())
                && !wire.changes
                && let Some(pause) = pauses.next()
            {
                let pause = wait.unwrap_or_default().max(*pause);
                if now + pause < deadline {
                    metrics::counter!("topstep_rest_retries_total", "path" => wire.path).increment(1);
                    R::sleep(pause).await;
                    continue;
                }
            }
            return match answer {
                Ok(answer) => Ok((answer, sent_at)),
                Err(HttpError::NotSent(failure)) => Err(Unanswered::NotSent(failure.message)),
                Err(HttpError::OutcomeUnknown(failure)) => Err(Unanswered::Lost { sent_at, reason: failure.message }),
            };
        }
    }

    async fn token(
        &self,
        wire: &Wire,
        refused: Option<Revision>,
        deadline: Instant,
    ) -> Result<Option<Token>, Unanswered> {
        if !wire.needs_token {
            return Ok(None);
        }
        let left = deadline.saturating_since(self.clock.now().mono);
        let token = pin!(self.login.token(refused));
        match select(token, pin!(R::sleep(left))).await {
            Either::Left((token, _)) => token.map(Some).map_err(Unanswered::Login),
            Either::Right(_) => Err(Unanswered::NotSent("no token in time".to_owned())),
        }
    }
}
