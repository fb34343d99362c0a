//! The life of a login, without clock and network.

use std::collections::VecDeque;
use std::time::Duration;

use adapter_core::Secret;
use signalr_proto::time::Instant;

use super::life::life;
use super::{LoginError, LoginState, Revision};
use crate::moment::Moment;

/// No two logins are asked for within this, where nothing else is wanted.
pub(crate) const SPACING: Duration = Duration::from_secs(30);
/// A login that the venue cannot have seen is tried again after this.
const UNREACHED: Duration = Duration::from_secs(1);
/// A renewal that brought nothing is tried again after this.
const RENEW_AGAIN: Duration = Duration::from_secs(30);
/// This many logins, each because the token before was refused, within [`FORCED_WINDOW`]: then somebody must look.
const MOST_FORCED: usize = 5;
const FORCED_WINDOW: Duration = Duration::from_secs(60 * 60);

/// What is to be asked of the venue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Exchange {
    /// `Auth/loginKey`.
    LogIn,
    /// `Auth/validate`, with this token.
    Validate(Secret),
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// A token, from either.
    Token(Secret),
    /// The token that was validated stays.
    Kept,
    /// The venue understood and says no.
    Refused {
        /// The code of the venue's list.
        code: i64,
        /// Its own words.
        message: Option<String>,
    },
    /// Status 401.
    Unauthorized,
    /// Too many calls, or no service for now.
    Busy(Option<Duration>),
    /// The venue cannot have seen it.
    NotSent(String),
    /// Whatever else: the venue may have seen it.
    Unclear(String),
}

impl Outcome {
    /// The outcome as one word in snake case.
    pub(super) fn as_str(&self) -> &'static str {
        match self {
            Self::Token(_) => "token",
            Self::Kept => "kept",
            Self::Refused { .. } => "refused",
            Self::Unauthorized => "unauthorized",
            Self::Busy(_) => "busy",
            Self::NotSent(_) => "not_sent",
            Self::Unclear(_) => "unclear",
        }
    }
}

/// What whoever needs a token has to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Take this one. With an exchange: that is to be started besides, and nobody waits for it.
    Take(Secret, Revision, Option<Exchange>),
    /// Start this exchange and wait for its outcome.
    Start(Exchange),
    /// Wait for the outcome of the one under way.
    Join,
    /// Come again then.
    Wait(Instant),
    /// There is none.
    Failed(LoginError),
}

struct Held {
    token: Secret,
    revision: Revision,
    renew_at: Instant,
    expires_at: Instant,
    /// The venue has refused it somewhere.
    is_refused: bool,
}

/// Which token there is, how good it is, and when the venue may be asked for another.
pub(super) struct Machine {
    spacing: Duration,
    held: Option<Held>,
    revision: u64,
    in_flight: Option<Exchange>,
    /// A renewal whose outcome nobody knows: the token may have been changed for another, so it is replaced as soon as that is allowed.
    must_log_in: bool,
    is_forced: bool,
    forced: VecDeque<Instant>,
    renew_not_before: Instant,
    log_in_not_before: Instant,
    last_login: Option<Moment>,
    ended: Option<LoginError>,
}

impl Machine {
    /// A login that nobody has asked for; `spacing` is the least time between two of them.
    pub(super) fn new(spacing: Duration) -> Self {
        Self {
            spacing,
            held: None,
            revision: 0,
            in_flight: None,
            must_log_in: false,
            is_forced: false,
            forced: VecDeque::new(),
            renew_not_before: Instant::default(),
            log_in_not_before: Instant::default(),
            last_login: None,
            ended: None,
        }
    }

    /// Asks for a token. `refused` is the revision of one that the venue has just refused: whoever says so is not offered it again. Others are,
    /// for as long as no login is allowed: if one path alone refuses it, an exit must not wait for that.
    pub(super) fn turn(&mut self, moment: Moment, refused: Option<Revision>) -> Turn {
        let now = moment.mono;
        if let Some(error) = &self.ended {
            return Turn::Failed(error.clone());
        }
        let mut is_refused_to_caller = false;
        if let Some(held) = &mut self.held
            && refused.is_some_and(|refused| held.revision <= refused)
        {
            held.is_refused = true;
            is_refused_to_caller = true;
            self.is_forced = true;
        }
        if self.held.as_ref().is_some_and(|held| held.expires_at <= now) {
            self.held = None;
        }
        let may_log_in = now >= self.log_in_not_before;
        let is_refused = self.held.as_ref().is_some_and(|held| held.is_refused);
        if (self.must_log_in || is_refused) && may_log_in && self.in_flight.is_none() {
            self.held = None;
        }
        let held = self.held.as_ref().filter(|_| !is_refused_to_caller);
        let Some(held) = held else { return self.log_in(moment) };
        let (token, revision) = (held.token.clone(), held.revision);
        let is_due = now >= held.renew_at && now >= self.renew_not_before && !self.must_log_in && !is_refused;
        let renewal = (is_due && self.in_flight.is_none()).then(|| Exchange::Validate(token.clone()));
        if renewal.is_some() {
            self.in_flight.clone_from(&renewal);
        }
        Turn::Take(token, revision, renewal)
    }

    fn log_in(&mut self, moment: Moment) -> Turn {
        let now = moment.mono;
        if self.in_flight.is_some() {
            return Turn::Join;
        }
        if now < self.log_in_not_before {
            return Turn::Wait(self.log_in_not_before);
        }
        if self.is_forced {
            while self.forced.front().is_some_and(|first| *first + FORCED_WINDOW <= now) {
                self.forced.pop_front();
            }
            if self.forced.len() >= MOST_FORCED {
                self.ended = Some(LoginError::TooManyLogins);
                return Turn::Failed(LoginError::TooManyLogins);
            }
            self.forced.push_back(now);
            self.is_forced = false;
        }
        self.log_in_not_before = now + self.spacing;
        self.last_login = Some(moment);
        self.in_flight = Some(Exchange::LogIn);
        Turn::Start(Exchange::LogIn)
    }

    /// Takes the outcome of the exchange under way; the error is for those who wait for it.
    pub(super) fn handle_outcome(&mut self, now: Moment, outcome: Outcome) -> Result<(), LoginError> {
        let Some(exchange) = self.in_flight.take() else { return Ok(()) };
        if let Some(error) = &self.ended {
            // Logged out meanwhile: a token from before that is worth nothing.
            return Err(error.clone());
        }
        match exchange {
            Exchange::LogIn => self.logged_in(now, outcome),
            Exchange::Validate(token) => {
                self.validated(now, token, outcome);
                Ok(())
            }
        }
    }

    fn logged_in(&mut self, now: Moment, outcome: Outcome) -> Result<(), LoginError> {
        let unreachable = |reason: String| Err(LoginError::Unreachable { reason });
        match outcome {
            Outcome::Token(token) => {
                self.must_log_in = false;
                self.hold(now, token);
                Ok(())
            }
            Outcome::Refused { code, message } => {
                let error = LoginError::Refused { code, message };
                self.ended = Some(error.clone());
                Err(error)
            }
            Outcome::NotSent(reason) => {
                self.log_in_not_before = now.mono + UNREACHED.min(self.spacing);
                self.last_login = None;
                unreachable(reason)
            }
            Outcome::Busy(wait) => {
                let wait = wait.unwrap_or_default().max(self.spacing);
                self.log_in_not_before = self.log_in_not_before.max(now.mono + wait);
                unreachable("too many calls, or no service for now".to_owned())
            }
            Outcome::Unauthorized => unreachable("the login itself was answered with HTTP 401".to_owned()),
            Outcome::Kept => unreachable("the answer has no token".to_owned()),
            Outcome::Unclear(reason) => unreachable(reason),
        }
    }

    fn validated(&mut self, now: Moment, token: Secret, outcome: Outcome) {
        self.renew_not_before = now.mono + RENEW_AGAIN;
        let is_still_held = self.held.as_ref().is_some_and(|held| held.token == token);
        match outcome {
            Outcome::Token(token) => self.hold(now, token),
            Outcome::Kept | Outcome::NotSent(_) => {}
            Outcome::Busy(wait) => self.renew_not_before = now.mono + wait.unwrap_or_default().max(RENEW_AGAIN),
            Outcome::Refused { .. } | Outcome::Unauthorized if is_still_held => {
                self.held = None;
                self.is_forced = true;
            }
            Outcome::Refused { .. } | Outcome::Unauthorized => {}
            Outcome::Unclear(_) => self.must_log_in = true,
        }
    }

    fn hold(&mut self, now: Moment, token: Secret) {
        let life = life(token.expose(), now.wall);
        self.revision += 1;
        let is_the_same = self.held.as_ref().is_some_and(|held| held.token == token);
        // One that was not changed for another has no longer life either.
        self.renew_not_before = if is_the_same { now.mono + RENEW_AGAIN } else { now.mono };
        self.is_forced = false;
        self.held = Some(Held {
            token,
            revision: Revision(self.revision),
            renew_at: now.mono + life * 4 / 5,
            expires_at: now.mono + life,
            is_refused: false,
        });
    }

    /// The venue ended the login: the token is forgotten, and there is none until [`resume`](Self::handle_resume).
    pub(super) fn handle_logout(&mut self) {
        self.held = None;
        self.ended.get_or_insert(LoginError::LoggedOut);
    }

    /// Begins again after a logout, a refused login, or too many logins. What was asked a moment ago is still not asked again at once.
    pub(super) fn handle_resume(&mut self) {
        self.ended = None;
        self.is_forced = false;
        self.forced.clear();
    }

    /// The revision of the token there is.
    pub(super) fn revision(&self) -> Option<Revision> {
        self.held.as_ref().map(|held| held.revision)
    }

    /// The revision of the token there is, if the venue has refused it somewhere.
    pub(super) fn refused(&self) -> Option<Revision> {
        self.held.as_ref().filter(|held| held.is_refused).map(|held| held.revision)
    }

    /// When the last login was asked for that the venue may have seen.
    pub(super) fn last_login(&self) -> Option<Moment> {
        self.last_login
    }

    pub(super) fn state(&self, now: Moment) -> LoginState {
        match (&self.ended, &self.held, &self.in_flight) {
            (Some(LoginError::LoggedOut), ..) => LoginState::LoggedOut,
            (Some(error), ..) => LoginState::Ended(error.clone()),
            (None, Some(held), _) if now.mono < held.expires_at => {
                LoginState::LoggedIn { revision: held.revision, renew_at: held.renew_at, expires_at: held.expires_at }
            }
            (None, _, Some(Exchange::LogIn)) => LoginState::LoggingIn,
            (None, ..) => LoginState::Idle,
        }
    }
}
