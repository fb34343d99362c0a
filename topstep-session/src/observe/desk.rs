//! What REST costs, for the health report.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use signalr_proto::time::Instant;

use super::health::{LatencyHealth, RestHealth};
use super::latency::Rolling;

const SPAN: Duration = Duration::from_secs(30);

/// Counts what REST does.
pub(crate) struct RestDesk(Mutex<Tally>);

struct Tally {
    calls: u64,
    failures: u64,
    outcome_unknown: u64,
    response: Rolling,
}

impl RestDesk {
    pub(crate) fn new(now: Instant) -> Self {
        let response = Rolling::new(SPAN, now);
        Self(Mutex::new(Tally { calls: 0, failures: 0, outcome_unknown: 0, response }))
    }

    /// A try is over.
    pub(crate) fn note(&self, now: Instant, took: Duration, is_failure: bool) {
        let mut tally = self.lock();
        tally.calls += 1;
        tally.failures += u64::from(is_failure);
        tally.response.turn(now);
        tally.response.record(took);
    }

    /// What a call changed is not known.
    pub(crate) fn note_unknown(&self) {
        self.lock().outcome_unknown += 1;
    }

    pub(crate) fn health(&self, now: Instant) -> RestHealth {
        let mut tally = self.lock();
        tally.response.turn(now);
        let Tally { calls, failures, outcome_unknown, .. } = *tally;
        RestHealth { calls, failures, outcome_unknown, response: LatencyHealth::of(&tally.response.recent()) }
    }

    fn lock(&self) -> MutexGuard<'_, Tally> {
        // Whole after every call.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for RestDesk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RestDesk").finish_non_exhaustive()
    }
}
