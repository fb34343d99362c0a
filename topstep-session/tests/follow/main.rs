//! The example `follow` against the mock hub, with faults of every kind between the two: what it says it knows is true, and once all is well
//! again it knows everything.
//!
//! `FOLLOW_RUNS`, `FOLLOW_SEED` and `FOLLOW_SECONDS` make it more than the little that a test suite has time for; `FOLLOW_RATE` (quotes a
//! second and contract) and `FOLLOW_PAUSE` (milliseconds between two acts of the trader, at most) make it busier.

#![allow(clippy::unwrap_used, reason = "this is test code, though clippy does not see it")]

mod follower;
mod history;
mod life;
mod losses;
mod many;
mod protocol;
mod proxy;
mod run;
mod storm;
mod trader;

use std::time::Duration;

use run::Run;
use storm::Kind;

/// From the environment, or the default.
fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn storms(runtime: &'static str, kind: Kind, first: u64) {
    let first = setting("FOLLOW_SEED", first);
    for seed in first..first + setting("FOLLOW_RUNS", 1) {
        let lasts = Duration::from_secs(setting("FOLLOW_SECONDS", 15));
        let rate = f64::from(u32::try_from(setting("FOLLOW_RATE", 10)).unwrap());
        let pause = Duration::from_millis(setting("FOLLOW_PAUSE", 200));
        Run { runtime, seed, kind, lasts, rate, pause }.go();
    }
}

mod follow_through_a_storm {
    use super::*;

    #[test]
    fn tokio() {
        storms("tokio", Kind::Loud, 1);
    }

    #[test]
    fn async_std() {
        storms("async-std", Kind::Loud, 2);
    }
}

mod follow_through_silent_losses {
    use super::*;

    #[test]
    fn tokio() {
        storms("tokio", Kind::Silent, 3);
    }

    #[test]
    fn async_std() {
        storms("async-std", Kind::Silent, 4);
    }
}
