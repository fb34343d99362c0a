//! The user machine against a venue that it can be held against, in virtual time.
//!
//! `USER_SEEDS=n` plays so many worlds (40; thousands are for a build with optimisation), `USER_SEED=s` one of them and writes down what happens in it.

mod oracle;
mod rules;
mod venue;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

use world::World;

/// How long things go wrong.
const TROUBLE: Duration = Duration::from_secs(100);
/// From the last fault on: a retry (15 s), an audit (45 s), the spacing of a reconcile (15 s), beside what the reads take.
const UNTIL_REST: Duration = Duration::from_secs(100);

#[test]
fn what_is_live_or_verified_is_true_in_every_world() {
    if let Some(seed) = number("USER_SEED") {
        play(seed);
        return;
    }
    for seed in 0..number("USER_SEEDS").unwrap_or(40) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| play(seed))) {
            eprintln!("seed {seed}: USER_SEED={seed} plays it again");
            resume_unwind(panic);
        }
    }
}

fn play(seed: u64) {
    let mut world = World::new(seed);
    if number("USER_SEED").is_some() {
        eprintln!("{:?}", world.faults);
        world.is_loud = true;
    }
    world.run(TROUBLE);
    world.heal();
    world.run(UNTIL_REST + world.faults.reads_take());
    world.oracle.at_rest(&world.machine, &world.venue, world.faults.is_old, world.now);
    assert!(world.oracle.gaps_closed >= 7, "at least the beginning of each subject was settled");
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}
