//! When a hub is connected, and when it is left alone: what stands above the connection's own reconnecting.
//!
//! ```text
//!            begin                connected
//!   Idle ----------> Starting -----------------> Up
//!                      ^   |  failed              |  closed for good
//!                      |   v                      v
//!                      +-- Resting (10 s) <-------+
//!                      ^                          |  logged out, login refused
//!                      |   resume                 v
//!                      +----------------------- Halted
//! ```

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use adapter_core::Cause;
use signalr_proto::time::Instant;

use crate::lifecycle::{Ending, Lifecycle};

/// How long after the hub's goodbye a session begins a new connection.
const REST: Duration = Duration::from_secs(10);

/// A goodbye this soon after the handshake, before anything was agreed on, is how the user hub refuses a token (seen on the live hub).
const SUSPICIOUS: Duration = Duration::from_secs(2);

/// What a session does when another one logs it out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum LogoutPolicy {
    /// Stops both hubs until [`Gateway::resume`](crate::Gateway::resume): two programs that log in again and again would log each other out for ever.
    #[default]
    Stop,
    /// Logs in again after 2 s, 4 s, and so on up to 15 s, at most five times in two minutes; then it stops.
    Relogin,
}

/// Why both hubs are left alone.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Halt {
    /// Another login of the same user ended this one.
    LoggedOut,
    /// The login was refused.
    LoginRefused {
        /// The gateway's words.
        explanation: String,
    },
    /// The application closed the gateway.
    Closed,
}

impl Halt {
    /// The reason as one word in snake case.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::LoggedOut => "logged_out",
            Self::LoginRefused { .. } => "login_refused",
            Self::Closed => "closed",
        }
    }
}

impl fmt::Display for Halt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LoggedOut => f.write_str("another login of the same user ended this one"),
            Self::LoginRefused { explanation } => write!(f, "the login was refused: {explanation}"),
            Self::Closed => f.write_str("the application closed it"),
        }
    }
}

/// What the session must do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    Start,
    Stop,
    /// The token in use is good for nothing.
    ForgetToken,
    /// The hub said goodbye for good; a new connection begins after this long.
    Told {
        ending: Ending,
        begins_in: Duration,
        is_unauthorized: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Idle,
    Starting,
    Up { since: Instant, is_agreed: bool },
    Resting { until: Instant },
    Halted,
}

/// Decides for one hub.
#[derive(Debug)]
pub(crate) struct Keeper {
    phase: Phase,
    /// Whether anything was ever wanted of the hub.
    is_wanted: bool,
    steps: VecDeque<Step>,
}

impl Keeper {
    pub(crate) fn new() -> Self {
        Self { phase: Phase::Idle, is_wanted: false, steps: VecDeque::new() }
    }

    /// Something is wanted of the hub.
    pub(crate) fn begin(&mut self) {
        self.is_wanted = true;
        if self.phase == Phase::Idle {
            self.start();
        }
    }

    pub(crate) fn handle_life(&mut self, now: Instant, life: &Lifecycle) {
        if self.phase == Phase::Halted {
            return;
        }
        match life {
            Lifecycle::Connected | Lifecycle::Reconnected => self.phase = Phase::Up { since: now, is_agreed: false },
            Lifecycle::Restored => self.handle_agreed(),
            Lifecycle::Disconnected(ending) if ending.cause != Cause::Stopped => self.rest(now, ending),
            _ => {}
        }
    }

    /// The hub answered a subscription: it takes the token seriously.
    pub(crate) fn handle_agreed(&mut self) {
        if let Phase::Up { is_agreed, .. } = &mut self.phase {
            *is_agreed = true;
        }
    }

    /// A start came to nothing.
    pub(crate) fn handle_not_started(&mut self, now: Instant, ending: &Ending) {
        // A stop of our own ends a start as well.
        if self.phase == Phase::Starting && ending.cause != Cause::Stopped {
            self.rest(now, ending);
        }
    }

    /// The connection was made with a token that a login of our own has replaced.
    pub(crate) fn renew(&mut self) {
        if !matches!(self.phase, Phase::Idle | Phase::Halted) {
            self.steps.push_back(Step::Stop);
            self.start();
        }
    }

    pub(crate) fn halt(&mut self) {
        if self.phase != Phase::Halted {
            self.phase = Phase::Halted;
            self.steps.push_back(Step::Stop);
        }
    }

    /// Begins again after a halt.
    pub(crate) fn resume(&mut self) {
        if self.phase != Phase::Halted {
            return;
        }
        if self.is_wanted { self.start() } else { self.phase = Phase::Idle }
    }

    /// Rests no longer.
    pub(crate) fn hurry(&mut self) {
        if matches!(self.phase, Phase::Resting { .. }) {
            self.start();
        }
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        if matches!(self.phase, Phase::Resting { until } if until <= now) {
            self.start();
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        match self.phase {
            Phase::Resting { until } => Some(until),
            _ => None,
        }
    }

    pub(crate) fn poll_step(&mut self) -> Option<Step> {
        self.steps.pop_front()
    }

    fn start(&mut self) {
        self.phase = Phase::Starting;
        self.steps.push_back(Step::Start);
    }

    fn rest(&mut self, now: Instant, ending: &Ending) {
        let is_sudden =
            matches!(self.phase, Phase::Up { since, is_agreed: false } if now.saturating_since(since) <= SUSPICIOUS);
        let is_unauthorized = ending.cause == Cause::Unauthorized || (is_sudden && ending.cause == Cause::ClosedByHub);
        if is_unauthorized {
            self.steps.push_back(Step::ForgetToken);
        }
        self.steps.push_back(Step::Told { ending: ending.clone(), begins_in: REST, is_unauthorized });
        self.phase = Phase::Resting { until: now + REST };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ending(cause: Cause) -> Ending {
        Ending { cause, explanation: String::new(), may_retry: false }
    }

    fn at(milliseconds: u64) -> Instant {
        Instant::from_nanos(milliseconds * 1_000_000)
    }

    fn steps(keeper: &mut Keeper) -> Vec<&'static str> {
        std::iter::from_fn(|| keeper.poll_step())
            .map(|step| match step {
                Step::Start => "start",
                Step::Stop => "stop",
                Step::ForgetToken => "forget",
                Step::Told { is_unauthorized: true, .. } => "told unauthorized",
                Step::Told { .. } => "told",
            })
            .collect()
    }

    fn up() -> Keeper {
        let mut keeper = Keeper::new();
        keeper.begin();
        keeper.handle_life(at(0), &Lifecycle::Connected);
        keeper.handle_agreed();
        steps(&mut keeper);
        keeper
    }

    #[test]
    fn a_goodbye_for_good_is_followed_by_a_new_connection_after_ten_seconds() {
        let mut keeper = up();
        keeper.handle_life(at(60_000), &Lifecycle::Disconnected(ending(Cause::ClosedByHub)));
        assert_eq!(steps(&mut keeper), ["told"]);
        assert_eq!(keeper.poll_timeout(), Some(at(70_000)));
        keeper.handle_timeout(at(69_999));
        assert!(steps(&mut keeper).is_empty());
        keeper.handle_timeout(at(70_000));
        assert_eq!(steps(&mut keeper), ["start"]);
    }

    #[test]
    fn a_goodbye_at_once_and_before_anything_was_agreed_on_is_a_refused_token() {
        for (after, is_agreed, expected) in [
            (50, false, vec!["forget", "told unauthorized"]),
            (2_000, false, vec!["forget", "told unauthorized"]),
            (2_001, false, vec!["told"]),
            (50, true, vec!["told"]),
        ] {
            let mut keeper = Keeper::new();
            keeper.begin();
            keeper.handle_life(at(0), &Lifecycle::Connected);
            if is_agreed {
                keeper.handle_agreed();
            }
            steps(&mut keeper);
            keeper.handle_life(at(after), &Lifecycle::Disconnected(ending(Cause::ClosedByHub)));
            assert_eq!(steps(&mut keeper), expected, "after {after} ms, agreed: {is_agreed}");
        }
    }

    #[test]
    fn a_halt_stops_until_it_is_lifted() {
        let mut keeper = up();
        keeper.halt();
        keeper.halt();
        assert_eq!(steps(&mut keeper), ["stop"]);
        keeper.handle_life(at(1), &Lifecycle::Disconnected(ending(Cause::ClosedByHub)));
        keeper.begin();
        keeper.renew();
        keeper.handle_timeout(at(1_000_000));
        assert!(steps(&mut keeper).is_empty());
        assert_eq!(keeper.poll_timeout(), None);
        keeper.resume();
        assert_eq!(steps(&mut keeper), ["start"]);
        keeper.resume();
        assert!(steps(&mut keeper).is_empty(), "it has begun already");
    }

    #[test]
    fn a_token_of_our_own_that_replaced_the_old_one_makes_a_new_connection() {
        let mut keeper = up();
        keeper.renew();
        assert_eq!(steps(&mut keeper), ["stop", "start"]);
        keeper.handle_life(at(5), &Lifecycle::Disconnected(ending(Cause::Stopped)));
        assert!(steps(&mut keeper).is_empty(), "that was our own stop");
    }

    #[test]
    fn a_start_that_fails_for_good_is_made_again() {
        let mut keeper = Keeper::new();
        keeper.begin();
        keeper.begin();
        assert_eq!(steps(&mut keeper), ["start"]);
        keeper.handle_not_started(at(0), &ending(Cause::Unauthorized));
        assert_eq!(steps(&mut keeper), ["forget", "told unauthorized"]);
        keeper.resume();
        assert!(steps(&mut keeper).is_empty(), "it was not halted");
        keeper.hurry();
        assert_eq!(steps(&mut keeper), ["start"]);
    }

    #[test]
    fn a_start_that_our_own_stop_ended_is_no_failure() {
        let mut keeper = Keeper::new();
        keeper.begin();
        keeper.renew();
        assert_eq!(steps(&mut keeper), ["start", "stop", "start"]);
        keeper.handle_not_started(at(0), &ending(Cause::Stopped));
        assert!(steps(&mut keeper).is_empty());
        assert_eq!(keeper.poll_timeout(), None);
    }

    #[test]
    fn a_hub_that_nobody_wanted_is_not_dialled_after_a_halt() {
        let mut keeper = Keeper::new();
        keeper.halt();
        keeper.resume();
        assert_eq!(steps(&mut keeper), ["stop"]);
        keeper.begin();
        assert_eq!(steps(&mut keeper), ["start"]);

        let mut keeper = Keeper::new();
        keeper.halt();
        keeper.begin();
        keeper.resume();
        assert_eq!(steps(&mut keeper), ["stop", "start"], "it was wanted meanwhile");
    }
}
