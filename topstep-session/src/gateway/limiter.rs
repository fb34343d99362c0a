//! The rate budget as futures wait for it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use adapter_core::Runtime;
use signalr_proto::time::Instant;
use topstep_model::rest::RateClass;

use super::clock::Clock;
use crate::budget::{Budget, BudgetConfig, Priority, Ticket, Turn};

/// The budget of one gateway.
#[derive(Debug)]
pub(crate) struct Limiter(Mutex<Budget>);

impl Limiter {
    pub(crate) fn new(config: BudgetConfig) -> Self {
        Self(Mutex::new(Budget::new(config)))
    }

    /// Waits for a call's turn; `false` where that does not come before the deadline.
    pub(crate) async fn turn<R: Runtime>(
        &self,
        clock: Clock,
        class: RateClass,
        priority: Priority,
        deadline: Instant,
    ) -> bool {
        let Some(ticket) = self.lock().join(class, priority) else { return false };
        let place = Place { limiter: self, ticket };
        loop {
            let now = clock.now().mono;
            let turn = self.lock().turn(now, place.ticket);
            match turn {
                Turn::Now => return true,
                // There is no point in waiting for what comes too late.
                Turn::At(at) if at > deadline => return false,
                Turn::At(at) => R::sleep(at.saturating_since(now)).await,
            }
        }
    }

    pub(crate) fn charge(&self, now: Instant) {
        self.lock().charge(now);
    }

    pub(crate) fn hold(&self, now: Instant, retry_after: Option<Duration>) {
        self.lock().hold(now, retry_after);
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Budget> {
        // The budget is whole after every call.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gives its place up when the future that waits is dropped.
struct Place<'a> {
    limiter: &'a Limiter,
    ticket: Ticket,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.limiter.lock().leave(self.ticket);
    }
}
