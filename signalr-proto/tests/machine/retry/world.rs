//! A hub that is down, or that drops everybody after a while, and the times at which it is dialled.

use std::time::Duration;

use signalr_proto::io::{IoFailure, IoFailureKind};
use signalr_proto::retry::RetryPolicy;
use signalr_proto::time::Instant;
use signalr_proto::{Action, HubConnectionConfig, State};

use crate::support::sim::Sim;

/// What becomes of a dial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hub {
    /// Nobody listens.
    Down,
    /// It accepts, and drops the connection after so long.
    DropsAfter(Duration),
    /// It accepts and stays.
    Up,
}

/// A connection under this policy that has been stable, on a hub without negotiation.
pub(crate) fn connected(policy: RetryPolicy) -> Sim {
    let config = HubConnectionConfig::default().skip_negotiation(true).server_timeout(None).automatic_reconnect(policy);
    let mut sim = Sim::new(config).connect();
    sim.seconds(600);
    sim.wire();
    sim.log.take();
    sim.waits();
    sim
}

pub(crate) fn refused() -> IoFailure {
    IoFailure::new(IoFailureKind::Refused, "nobody listens")
}

/// Runs for so long; gives back the times of all dials.
pub(crate) fn dials(sim: &mut Sim, hub: Hub, lasting: Duration) -> Vec<Duration> {
    let (begin, end) = (sim.now, sim.now + lasting);
    let mut dials = Vec::new();
    let mut drops_at: Option<Instant> = None;
    if let (Hub::DropsAfter(after), State::Connected) = (hub, sim.machine.state()) {
        drops_at = Some(sim.now + after);
    }
    loop {
        while let Some(action) = sim.actions.front() {
            match action {
                Action::Open { .. } => {
                    dials.push(sim.now.saturating_since(begin));
                    match hub {
                        Hub::Down => drop(sim.open(Err(refused()))),
                        Hub::Up => sim.link(),
                        Hub::DropsAfter(after) => {
                            sim.link();
                            drops_at = Some(sim.now + after);
                        }
                    }
                }
                _ => drop(sim.actions.pop_front()),
            }
        }
        let next = [sim.machine.poll_timeout_at(), drops_at].into_iter().flatten().min().filter(|at| *at <= end);
        let Some(at) = next else {
            sim.advance(end.saturating_since(sim.now));
            return dials;
        };
        if drops_at == Some(at) {
            sim.advance(at.saturating_since(sim.now));
            drops_at = None;
            if sim.machine.state() == State::Connected {
                sim.lose();
            }
        } else {
            sim.advance(at.saturating_since(sim.now));
        }
    }
}

trait Deadline {
    fn poll_timeout_at(&self) -> Option<Instant>;
}

impl Deadline for signalr_proto::HubConnection {
    fn poll_timeout_at(&self) -> Option<Instant> {
        signalr_proto::Machine::poll_timeout(self)
    }
}

/// How many of these times lie in the interval, its end excluded.
pub(crate) fn within(times: &[Duration], from: f64, to: f64) -> usize {
    times.iter().filter(|time| (from..to).contains(&time.as_secs_f64())).count()
}

pub(crate) fn seconds(times: &[Duration]) -> Vec<f64> {
    times.iter().map(Duration::as_secs_f64).collect()
}
