//! What a connection waits for: a slot for each timer behind one deadline.

use signalr_proto::time::Instant;

/// What a connection can wait for. Timers that are due together go off in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Timer {
    /// The handshake request.
    Handshake,
    /// The client's token ends.
    Token,
    /// Nothing was heard from a client that had pinged.
    Client,
    /// Nobody came back to a connection whose socket is gone.
    Return,
    /// A full buffer of unacknowledged records is not acknowledged.
    Stall,
    /// What came is to be acknowledged.
    Ack,
    /// A ping is due.
    KeepAlive,
}

const TIMERS: [Timer; 7] =
    [Timer::Handshake, Timer::Token, Timer::Client, Timer::Return, Timer::Stall, Timer::Ack, Timer::KeepAlive];

#[derive(Debug, Default)]
pub(super) struct Timers([Option<Instant>; TIMERS.len()]);

impl Timers {
    pub(super) fn set(&mut self, timer: Timer, at: Instant) {
        self.0[timer as usize] = Some(at);
    }

    pub(super) fn is_set(&self, timer: Timer) -> bool {
        self.0[timer as usize].is_some()
    }

    pub(super) fn clear(&mut self, timer: Timer) {
        self.0[timer as usize] = None;
    }

    pub(super) fn clear_all(&mut self) {
        self.0 = Default::default();
    }

    /// The earliest instant at which one of them goes off.
    pub(super) fn next(&self) -> Option<Instant> {
        self.0.iter().flatten().min().copied()
    }

    /// Takes the first timer that is due.
    pub(super) fn pop_due(&mut self, now: Instant) -> Option<Timer> {
        let due = TIMERS.into_iter().find(|timer| self.0[*timer as usize].is_some_and(|at| at <= now))?;
        self.clear(due);
        Some(due)
    }
}
