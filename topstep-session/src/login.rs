//! Logging in, and keeping the token: one login for everything that needs one.
//!
//! A token is asked for before every call and before every attempt to connect. It is renewed in the background once 80 % of its life are over,
//! and whoever asks meanwhile gets the one that is still good. Whatever is asked of the venue is asked once, for however many wait.

mod exchange;
mod hub;
mod life;
mod machine;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use adapter_core::{HttpClient, Runtime, Secret};
use futures_channel::oneshot;
use signalr_proto::time::Instant;
use topstep_model::rest;

use crate::gateway::clock::Clock;
use crate::gateway::limiter::Limiter;
use crate::moment::Moment;
pub use hub::HubTokens;
pub(crate) use machine::SPACING;
use machine::{Exchange, Machine, Outcome, Turn};

/// Counts the tokens of one login, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Revision(pub u64);

/// Why there is no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LoginError {
    /// The venue refused name and key. Nothing is asked again until [`Login::resume`].
    #[error("the login was refused (code {code}){}", message.as_deref().map(|message| format!(": {message}")).unwrap_or_default())]
    Refused {
        /// The code of the venue's list (`LoginErrorCode`).
        code: i64,
        /// The venue's words, if it had any; cut, with control characters escaped.
        message: Option<String>,
    },
    /// The venue ended the login: another one of the same user, or its own will. Nothing is asked again until [`Login::resume`].
    #[error("the venue ended the login")]
    LoggedOut,
    /// Five logins in an hour, and each one's token was refused. Nothing is asked again until [`Login::resume`].
    #[error("the tokens of five logins in an hour were refused")]
    TooManyLogins,
    /// The venue gave no answer that could be used. The next one who needs a token asks again, but not within 30 s of a login that may have
    /// been seen.
    #[error("the login brought no answer: {reason}")]
    Unreachable {
        /// Why; it names host and port at most.
        reason: String,
    },
    /// More than 4,096 wait for a token.
    #[error("too many wait for a token")]
    Busy,
    /// There is no runtime to log in on.
    #[error("no runtime to log in on")]
    NoRuntime,
}

impl LoginError {
    /// The error as one word in snake case.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Refused { .. } => "refused",
            Self::LoggedOut => "logged_out",
            Self::TooManyLogins => "too_many_logins",
            Self::Unreachable { .. } => "unreachable",
            Self::Busy => "busy",
            Self::NoRuntime => "no_runtime",
        }
    }
}

/// How it stands with a login.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoginState {
    /// There is no token, and nobody has asked for one.
    Idle,
    /// The first token, or another one, is being asked for.
    LoggingIn,
    /// There is a token.
    LoggedIn {
        /// Which one.
        revision: Revision,
        /// When it will be renewed.
        renew_at: Instant,
        /// When it is over.
        expires_at: Instant,
    },
    /// The venue ended it.
    LoggedOut,
    /// It is over, and this is why.
    Ended(LoginError),
}

/// A token, and which one it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The token.
    pub secret: Secret,
    /// Which one.
    pub revision: Revision,
}

/// The login of a [`Gateway`](crate::Gateway). A clone is the same login.
pub struct Login<R> {
    inner: Arc<Inner<R>>,
}

/// Not more than this many wait for a token.
const MAX_WAITING: usize = 4_096;
/// How long after a login of our own the goodbye to an older token is our own doing.
const OWN_LOGOUT: Duration = Duration::from_secs(60);

struct Inner<R> {
    http: HttpClient<R>,
    key: rest::Login,
    timeout: Duration,
    clock: Clock,
    limiter: Arc<Limiter>,
    state: Mutex<State>,
}

struct State {
    machine: Machine,
    waiting: Vec<oneshot::Sender<Result<(), LoginError>>>,
}

enum Step {
    Take(Token),
    Join(oneshot::Receiver<Result<(), LoginError>>),
    Wait(Instant),
}

impl<R: Runtime> Login<R> {
    pub(crate) fn new(
        http: HttpClient<R>,
        key: rest::Login,
        timeout: Duration,
        spacing: Duration,
        clock: Clock,
        limiter: Arc<Limiter>,
    ) -> Self {
        let state = Mutex::new(State { machine: Machine::new(spacing), waiting: Vec::new() });
        Self { inner: Arc::new(Inner { http, key, timeout, clock, limiter, state }) }
    }

    /// The token, once there is a good one. `refused` names one that the venue has just answered with 401: it is not offered again to whom it
    /// failed. Others get it for as long as no login is allowed: one path that refuses it must not hold up an exit on another.
    ///
    /// Waits for as long as it takes, 30 s at times: no two logins are closer together.
    ///
    /// # Errors
    ///
    /// [`LoginError`]: there is none, and waiting would not bring one.
    pub async fn token(&self, refused: Option<Revision>) -> Result<Token, LoginError> {
        loop {
            match self.step(refused)? {
                Step::Take(token) => return Ok(token),
                // Whoever logs in is gone, as when its runtime ends: the next round tells more.
                Step::Join(outcome) => outcome.await.map_err(|_| LoginError::NoRuntime)??,
                Step::Wait(until) => R::sleep(until.saturating_since(self.inner.clock.now().mono)).await,
            }
        }
    }

    fn step(&self, refused: Option<Revision>) -> Result<Step, LoginError> {
        let now = self.inner.clock.now();
        let mut state = self.inner.lock();
        match state.machine.turn(now, refused) {
            Turn::Take(secret, revision, renewal) => {
                drop(state);
                if let Some(renewal) = renewal {
                    // Where that cannot be done now, the token is still good.
                    let _ = self.start(renewal);
                }
                Ok(Step::Take(Token { secret, revision }))
            }
            Turn::Start(exchange) => {
                let outcome = state.wait()?;
                drop(state);
                self.start(exchange)?;
                Ok(Step::Join(outcome))
            }
            Turn::Join => Ok(Step::Join(state.wait()?)),
            Turn::Wait(until) => Ok(Step::Wait(until)),
            Turn::Failed(error) => Err(error),
        }
    }

    /// Has a task of its own do an exchange: those who wait may give up, and others wait for the same.
    fn start(&self, exchange: Exchange) -> Result<(), LoginError> {
        let login = self.clone();
        let task = async move {
            let kind = if exchange == Exchange::LogIn { "login" } else { "validate" };
            let outcome = login.ask(&exchange).await;
            metrics::counter!("topstep_logins_total", "kind" => kind, "outcome" => outcome.as_str()).increment(1);
            login.finish(outcome);
        };
        R::spawn(task).map_err(|_| {
            self.finish(Outcome::NotSent("no runtime".to_owned()));
            LoginError::NoRuntime
        })
    }

    fn finish(&self, outcome: Outcome) {
        let now = self.inner.clock.now();
        let mut state = self.inner.lock();
        let result = state.machine.handle_outcome(now, outcome);
        if let Err(error) = &result {
            // The venue's own words may repeat what it was asked.
            tracing::warn!(reason = error.as_str(), "no token");
        } else {
            tracing::debug!(revision = state.machine.revision().map(|revision| revision.0), "a token is there");
        }
        for waiting in state.waiting.drain(..) {
            // Who has given up hears nothing.
            let _ = waiting.send(result.clone());
        }
    }

    async fn ask(&self, exchange: &Exchange) -> Outcome {
        let Inner { http, key, timeout, clock, limiter, .. } = &*self.inner;
        limiter.charge(clock.now().mono);
        let token = match exchange {
            Exchange::LogIn => exchange::ask(http, *timeout, key, None).await.map(|answer| Some(answer.token)),
            Exchange::Validate(token) => exchange::ask(http, *timeout, &rest::Validate::default(), Some(token))
                .await
                .map(|answer| answer.new_token),
        };
        match token {
            Ok(Some(token)) => Outcome::Token(token.expose().into()),
            Ok(None) => Outcome::Kept,
            Err(outcome) => outcome,
        }
    }

    /// The token of now, or `None`: nobody is asked.
    pub fn revision(&self) -> Option<Revision> {
        self.inner.lock().machine.revision()
    }

    /// How it stands with the login.
    pub fn state(&self) -> LoginState {
        let now = self.inner.clock.now();
        self.inner.lock().machine.state(now)
    }

    /// The token there is, if the venue has refused it somewhere: whoever can wait for the next one does.
    pub(crate) fn refused(&self) -> Option<Revision> {
        self.inner.lock().machine.refused()
    }

    /// When the last login was asked for; `None` before the first that the venue may have seen.
    pub fn last_login_at(&self) -> Option<Moment> {
        self.inner.lock().machine.last_login()
    }

    /// Whether a logout that reaches a connection is the venue's answer to a login of our own: that connection used an older token, and we
    /// have asked for a login within 60 s.
    pub fn is_own_logout(&self, used: Revision) -> bool {
        let now = self.inner.clock.now();
        let state = self.inner.lock();
        let is_recent = |login: Moment| now.mono.saturating_since(login.mono) < OWN_LOGOUT;
        let is_older = match state.machine.revision() {
            Some(current) => used < current,
            // Another one is being asked for.
            None => state.machine.state(now) == LoginState::LoggingIn,
        };
        is_older && state.machine.last_login().is_some_and(is_recent)
    }

    /// Forgets the token, because the venue said that the login is over (`GatewayLogout`). There is none until [`resume`](Self::resume).
    pub fn on_logout(&self) {
        self.inner.lock().machine.handle_logout();
    }

    /// Begins again after a logout, a refused login, or too many of them. The next who needs a token has it asked for.
    pub fn resume(&self) {
        self.inner.lock().machine.handle_resume();
    }
}

impl<R> Inner<R> {
    fn lock(&self) -> MutexGuard<'_, State> {
        // The machine is whole after every call, whatever panicked between two.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn wait(&mut self) -> Result<oneshot::Receiver<Result<(), LoginError>>, LoginError> {
        if self.waiting.len() >= MAX_WAITING {
            self.waiting.retain(|waiting| !waiting.is_canceled());
        }
        if self.waiting.len() >= MAX_WAITING {
            return Err(LoginError::Busy);
        }
        let (sender, receiver) = oneshot::channel();
        self.waiting.push(sender);
        Ok(receiver)
    }
}

impl<R> Clone for Login<R> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone() }
    }
}

impl<R> fmt::Debug for Login<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
