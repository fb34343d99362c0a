//! Time as the machine knows it: instants that somebody else measured, and the closed set of timers behind one deadline.

use std::ops::{Add, Sub};
use std::time::Duration;

/// A point in time: nanoseconds since an origin that the driver chose, on a clock that never goes back.
///
/// The machine never reads a clock; whoever drives it passes `now` in. 2^64 ns are 584 years.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Instant(u64);

impl Instant {
    /// So many nanoseconds after the origin.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the origin.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The time from `earlier` to this instant; zero if `earlier` is later.
    #[must_use]
    pub fn saturating_since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    /// Saturates: a timeout of centuries is no timeout.
    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)))
    }
}

impl Sub<Duration> for Instant {
    type Output = Self;

    /// Saturates at the origin.
    fn sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)))
    }
}

/// What a connection can wait for. Timers that are due at the same instant go off in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Timer {
    /// A stop that takes too long.
    Stop,
    /// Nothing was heard from the hub.
    Server,
    /// Nothing answered the probe after a suspension.
    Probe,
    /// One stage of an attempt: the token, a negotiation, the dial with its upgrade.
    Stage,
    /// A whole attempt.
    Attempt,
    /// The hub does not answer the handshake.
    Handshake,
    /// The next attempt is due.
    Retry,
    /// Nothing was sent to the hub.
    KeepAlive,
    /// The hub forgets an interrupted connection.
    Window,
    /// What was received is to be acknowledged.
    Ack,
    /// The connection has lived long enough to count as a success.
    Stable,
}

const TIMERS: [Timer; 11] = [
    Timer::Stop,
    Timer::Server,
    Timer::Probe,
    Timer::Stage,
    Timer::Attempt,
    Timer::Handshake,
    Timer::Retry,
    Timer::KeepAlive,
    Timer::Window,
    Timer::Ack,
    Timer::Stable,
];

/// A slot for each [`Timer`].
#[derive(Debug, Default)]
pub(crate) struct Timers([Option<Instant>; TIMERS.len()]);

impl Timers {
    pub(crate) fn set(&mut self, timer: Timer, at: Instant) {
        self.0[timer as usize] = Some(at);
    }

    /// When this one goes off.
    pub(crate) fn due(&self, timer: Timer) -> Option<Instant> {
        self.0[timer as usize]
    }

    pub(crate) fn is_set(&self, timer: Timer) -> bool {
        self.0[timer as usize].is_some()
    }

    pub(crate) fn clear(&mut self, timer: Timer) {
        self.0[timer as usize] = None;
    }

    pub(crate) fn clear_all(&mut self) {
        self.0 = Default::default();
    }

    /// The earliest instant at which one of them goes off.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.0.iter().flatten().min().copied()
    }

    /// Takes the first timer that is due.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<Timer> {
        let due = TIMERS.into_iter().find(|timer| self.0[*timer as usize].is_some_and(|at| at <= now))?;
        self.clear(due);
        Some(due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_saturate() {
        assert_eq!(Instant::from_nanos(u64::MAX) + Duration::from_secs(1), Instant::from_nanos(u64::MAX));
        assert_eq!(Instant::from_nanos(5) - Duration::from_secs(1), Instant::from_nanos(0));
        assert_eq!(Instant::from_nanos(5).saturating_since(Instant::from_nanos(9)), Duration::ZERO);
    }

    #[test]
    fn timers_due_together_go_off_in_one_order() {
        let mut timers = Timers::default();
        let at = Instant::from_nanos(7);
        timers.set(Timer::KeepAlive, at);
        timers.set(Timer::Server, at);
        timers.set(Timer::Retry, at + Duration::from_nanos(1));
        assert_eq!(timers.next(), Some(at));
        assert_eq!(timers.pop_due(at), Some(Timer::Server));
        assert_eq!(timers.pop_due(at), Some(Timer::KeepAlive));
        assert_eq!(timers.pop_due(at), None);
        assert_eq!(timers.next(), Some(at + Duration::from_nanos(1)));
    }
}
