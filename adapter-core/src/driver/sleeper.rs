//! The one sleep of a driver.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use signalr_proto::time::Instant;

use crate::runtime::Runtime;
use crate::shared::Shared;

type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Sleeps until the machine's deadline. A deadline that moved later costs one early wake-up in place of a new timer for every message.
#[derive(Default)]
pub(super) struct Sleeper {
    sleep: Option<(Instant, Sleep)>,
    clocks: Option<(std::time::Instant, SystemTime)>,
}

/// The wall clock may run ahead of the monotone one by so much before the process counts as suspended.
const SUSPENSION: Duration = Duration::from_secs(5);
/// How often the clocks are compared.
const COMPARE_EVERY: Duration = Duration::from_secs(1);

impl Sleeper {
    /// Whether the sleep is over.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> bool {
        let Some((_, sleep)) = &mut self.sleep else { return false };
        if sleep.as_mut().poll(context).is_pending() {
            return false;
        }
        self.sleep = None;
        true
    }

    /// Sees to it that the task is woken at the deadline. `false`: it is there already.
    pub(super) fn arm<R: Runtime>(&mut self, shared: &Shared, deadline: Instant, context: &mut Context<'_>) -> bool {
        if self.sleep.as_ref().is_some_and(|(until, _)| *until <= deadline) {
            return true;
        }
        let mut sleep: Sleep = Box::pin(R::sleep(shared.until(deadline)));
        if let Poll::Ready(()) = sleep.as_mut().poll(context) {
            return false;
        }
        self.sleep = Some((deadline, sleep));
        true
    }

    /// Whether the wall clock went on without the monotone one: then the process, or the machine under it, slept.
    pub(super) fn notice_suspension(&mut self) -> bool {
        let now = std::time::Instant::now();
        let Some((mono, wall)) = self.clocks else {
            self.clocks = Some((now, SystemTime::now()));
            return false;
        };
        let passed = now.saturating_duration_since(mono);
        if passed < COMPARE_EVERY {
            return false;
        }
        let wall_now = SystemTime::now();
        self.clocks = Some((now, wall_now));
        // A wall clock that went back says nothing.
        wall_now.duration_since(wall).is_ok_and(|wall_passed| wall_passed.saturating_sub(passed) > SUSPENSION)
    }
}
