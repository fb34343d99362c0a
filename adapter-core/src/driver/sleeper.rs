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

#[cfg(test)]
mod tests {
    use super::*;

    /// A sleeper that compared the clocks when the monotone one and the wall clock were so far back.
    fn compared(mono: Duration, wall: Duration) -> Sleeper {
        let began = std::time::Instant::now().checked_sub(mono).expect("the machine runs for longer than that");
        Sleeper { clocks: Some((began, SystemTime::now() - wall)), ..Sleeper::default() }
    }

    #[test]
    fn cf_22_a_wall_clock_that_ran_ahead_is_a_suspension_and_told_once() {
        let mut slept = compared(Duration::from_secs(2), Duration::from_secs(8 * 3_600));
        assert!(slept.notice_suspension());
        assert!(!slept.notice_suspension());
        assert!(compared(Duration::from_secs(2), Duration::from_secs(8)).notice_suspension());
    }

    #[test]
    fn cf_23_clocks_that_agree_or_a_wall_clock_that_went_back_say_nothing() {
        assert!(!Sleeper::default().notice_suspension(), "nothing to compare with");
        assert!(!compared(Duration::from_secs(40), Duration::from_secs(43)).notice_suspension());
        // An hour back, as after a correction.
        let mut back = compared(Duration::from_secs(2), Duration::ZERO);
        back.clocks = back.clocks.map(|(mono, wall)| (mono, wall + Duration::from_secs(3_600)));
        assert!(!back.notice_suspension());
        // Too soon to be worth a look.
        assert!(!compared(Duration::from_millis(100), Duration::from_secs(3_600)).notice_suspension());
    }
}
