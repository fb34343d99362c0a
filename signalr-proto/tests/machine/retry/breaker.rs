//! The circuit breaker by itself: its rules, and random traces against a model of thirty lines.

use std::time::Duration;

use signalr_proto::retry::{BreakerConfig, BreakerState, CircuitBreaker, Permit};
use signalr_proto::time::Instant;

const SECOND: u64 = 1_000_000_000;

pub(super) fn at(seconds: f64) -> Instant {
    Instant::from_nanos((seconds * SECOND as f64).round() as u64)
}

pub(super) fn fail(breaker: &mut CircuitBreaker, now: Instant) {
    let permit = breaker.acquire(now).expect("it permits");
    breaker.failed(now, permit);
}

pub(super) fn succeed(breaker: &mut CircuitBreaker, now: Instant) {
    let permit = breaker.acquire(now).expect("it permits");
    breaker.succeeded(now, permit);
}

fn opened() -> CircuitBreaker {
    let mut breaker = CircuitBreaker::new(BreakerConfig::default());
    (0..5).for_each(|_| fail(&mut breaker, at(0.0)));
    breaker
}

#[test]
fn a_success_begins_the_count_anew() {
    let mut breaker = CircuitBreaker::new(BreakerConfig::default());
    for _ in 0..10 {
        (0..4).for_each(|_| fail(&mut breaker, at(0.0)));
        succeed(&mut breaker, at(0.0));
    }
    assert_eq!(breaker.state(at(0.0)), BreakerState::Closed);
}

#[test]
fn one_probe_at_a_time_and_a_cancelled_one_makes_room() {
    let mut breaker = opened();
    let probe = breaker.acquire(at(10.0)).expect("half-open");
    let refused = breaker.acquire(at(11.0)).expect_err("there is a probe");
    assert_eq!((refused.state, refused.retry_after), (BreakerState::HalfOpen, Some(Duration::from_secs(34))));
    breaker.cancelled(at(11.0), probe);
    assert!(breaker.acquire(at(11.0)).is_ok());
}

#[test]
fn a_probe_that_never_ends_fails_at_its_deadline() {
    let mut breaker = opened();
    let probe = breaker.acquire(at(10.0)).expect("half-open");
    assert_eq!(breaker.state(at(44.999_999_999)), BreakerState::HalfOpen);
    assert_eq!(breaker.state(at(45.0)), BreakerState::Open);
    // Late by a minute: the time still counts from the deadline.
    assert_eq!(breaker.retry_after(at(50.0)), Some(Duration::from_secs(15)));
    breaker.succeeded(at(50.0), probe);
    assert_eq!((breaker.state(at(50.0)), breaker.metrics().ignored), (BreakerState::Open, 1));
}

#[test]
fn an_outcome_of_an_older_state_changes_nothing() {
    let mut breaker = CircuitBreaker::new(BreakerConfig::default());
    let early = breaker.acquire(at(0.0)).expect("closed");
    (0..5).for_each(|_| fail(&mut breaker, at(0.0)));
    breaker.succeeded(at(1.0), early);
    assert_eq!(breaker.state(at(9.999_999_999)), BreakerState::Open);
    assert_eq!(breaker.metrics().ignored, 1);
}

#[test]
fn isolation_ends_by_reset_only() {
    let mut breaker = opened();
    breaker.isolate(at(1.0));
    let refused = breaker.acquire(at(1e6)).expect_err("isolated");
    assert_eq!((refused.state, refused.retry_after), (BreakerState::Isolated, None));
    breaker.reset(at(1e6));
    assert_eq!((breaker.state(at(1e6)), breaker.consecutive_failures()), (BreakerState::Closed, 0));
}

#[test]
fn a_trip_opens_at_once() {
    let mut breaker = CircuitBreaker::new(BreakerConfig::default());
    let permit = breaker.acquire(at(0.0)).expect("closed");
    breaker.trip(at(0.0), permit);
    assert_eq!(breaker.retry_after(at(0.0)), Some(Duration::from_secs(10)));
}

#[test]
fn a_shorter_longest_time_shortens_the_one_that_runs() {
    let mut breaker = opened();
    for until in [10.0, 30.0, 70.0] {
        fail(&mut breaker, at(until));
    }
    assert_eq!(breaker.retry_after(at(71.0)), Some(Duration::from_secs(79)));
    breaker.set_max_open(at(71.0), Duration::from_secs(20));
    assert_eq!(breaker.retry_after(at(71.0)), Some(Duration::from_secs(20)));
    fail(&mut breaker, at(91.0));
    assert_eq!(breaker.retry_after(at(91.0)), Some(Duration::from_secs(20)));
}

macro_rules! agree {
    ($left:expr, $right:expr $(, $what:literal)?) => {
        if $left != $right {
            return Err(format!("{} is {:?} and not {:?}", stringify!($left), $left, $right));
        }
    };
}

/// What the breaker must be, written down a second time, in whole milliseconds.
#[derive(Debug)]
struct Model {
    state: BreakerState,
    until: u64,
    failures: u32,
    opened: u32,
    successes: u32,
    probe: Option<u64>,
    epoch: u32,
}

impl Model {
    fn turn(&mut self, state: BreakerState) {
        self.state = state;
        self.epoch += 1;
        self.successes = 0;
        self.probe = None;
    }

    fn open(&mut self, now: u64) {
        self.until = now + [10_000, 20_000, 40_000, 80_000][self.opened.min(3) as usize];
        self.opened += 1;
        self.turn(BreakerState::Open);
    }

    fn tick(&mut self, now: u64) {
        loop {
            match (self.state, self.probe) {
                (BreakerState::Open, _) if self.until <= now => self.turn(BreakerState::HalfOpen),
                (BreakerState::HalfOpen, Some(deadline)) if deadline <= now => {
                    self.failures += 1;
                    self.open(deadline);
                }
                _ => return,
            }
        }
    }

    fn acquire(&mut self, now: u64) -> Option<u32> {
        self.tick(now);
        match self.state {
            BreakerState::Closed => Some(self.epoch),
            BreakerState::HalfOpen if self.probe.is_none() => {
                self.probe = Some(now + 35_000);
                Some(self.epoch)
            }
            _ => None,
        }
    }

    fn settle(&mut self, now: u64, epoch: u32, outcome: Outcome) {
        self.tick(now);
        if epoch != self.epoch {
            return;
        }
        self.probe = None;
        match (outcome, self.state) {
            (Outcome::Fail, BreakerState::Closed) => {
                self.failures += 1;
                if self.failures >= 5 {
                    self.open(now);
                }
            }
            (Outcome::Fail, _) => {
                self.failures += 1;
                self.open(now);
            }
            (Outcome::Succeed, BreakerState::HalfOpen) => {
                self.failures = 0;
                self.successes += 1;
                if self.successes == 3 {
                    self.opened = 0;
                    self.turn(BreakerState::Closed);
                }
            }
            (Outcome::Succeed, _) => self.failures = 0,
            (Outcome::Cancel, _) => {}
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Outcome {
    Succeed,
    Fail,
    Cancel,
}

#[derive(Debug, Clone)]
enum Step {
    Acquire,
    /// Which of the permits that are out, and how it ends.
    Settle(usize, Outcome),
    /// Milliseconds.
    Tick(u64),
    /// A clock that goes back.
    Back(u64),
    Isolate,
    Reset,
}

/// Marsaglia's xorshift: a seed names a trace. In some traces most things fail, in others most succeed.
struct Dice {
    state: u64,
    successes_in_seven: u64,
}

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state % limit
    }

    fn step(&mut self) -> Step {
        match self.below(52) {
            0..20 => Step::Acquire,
            20..40 => {
                let outcome = match self.below(8) {
                    7 => Outcome::Cancel,
                    seven if seven < self.successes_in_seven => Outcome::Succeed,
                    _ => Outcome::Fail,
                };
                let which = if self.below(4) == 0 { self.below(4) } else { 0 };
                Step::Settle(which as usize, outcome)
            }
            40..48 => Step::Tick(match self.below(5) {
                0 => 1,
                1 => 9_999,
                2 => 10_000,
                3 => 35_000,
                _ => 1 + self.below(90_000),
            }),
            48..50 => Step::Back(1 + self.below(100_000)),
            50 if self.below(8) == 0 => Step::Isolate,
            50 => Step::Acquire,
            _ if self.below(8) == 0 => Step::Reset,
            _ => Step::Acquire,
        }
    }
}

#[test]
fn two_hundred_thousand_random_traces_agree_with_the_model() {
    let mut closed_again = 0_u32;
    for seed in 1..=200_000_u64 {
        let mut dice = Dice { state: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1, successes_in_seven: 1 + seed % 4 };
        let steps: Vec<Step> = (0..1 + dice.below(100)).map(|_| dice.step()).collect();
        match trace(&steps) {
            Ok(has_closed_again) => closed_again += u32::from(has_closed_again),
            Err(error) => panic!("seed {seed}: {error}\n{steps:#?}"),
        }
    }
    assert!(closed_again > 500, "the traces reach every state: {closed_again} closed again");
}

/// Whether the breaker closed again by three successes on the way.
fn trace(steps: &[Step]) -> Result<bool, String> {
    let millis = |now: u64| Instant::from_nanos(now * 1_000_000);
    let mut breaker = CircuitBreaker::new(BreakerConfig::default());
    let mut model =
        Model { state: BreakerState::Closed, until: 0, failures: 0, opened: 0, successes: 0, probe: None, epoch: 0 };
    let mut closed_again = false;
    let mut out: Vec<(Permit, u32)> = Vec::new();
    let mut now = 0;
    for step in steps {
        match step {
            Step::Acquire => {
                let permit = breaker.acquire(millis(now));
                let expected = model.acquire(now);
                agree!(permit.is_ok(), expected.is_some());
                if let (Ok(permit), Some(epoch)) = (permit, expected) {
                    out.push((permit, epoch));
                }
            }
            Step::Settle(which, outcome) if !out.is_empty() => {
                // The latest ones most of the time: the others are of states that are over.
                let (permit, epoch) = out.remove(out.len() - 1 - which % out.len());
                match outcome {
                    Outcome::Succeed => breaker.succeeded(millis(now), permit),
                    Outcome::Fail => breaker.failed(millis(now), permit),
                    Outcome::Cancel => breaker.cancelled(millis(now), permit),
                }
                let was_half_open = model.state == BreakerState::HalfOpen;
                model.settle(now, epoch, *outcome);
                closed_again |= was_half_open && model.state == BreakerState::Closed;
            }
            Step::Settle(..) => {}
            Step::Tick(by) => now += by,
            Step::Back(by) => {
                let before = breaker.state(millis(now));
                agree!(breaker.state(millis(now.saturating_sub(*by))), before, "time does not go back");
            }
            Step::Isolate => {
                breaker.isolate(millis(now));
                model.tick(now);
                if model.state != BreakerState::Isolated {
                    model.turn(BreakerState::Isolated);
                }
            }
            Step::Reset => {
                breaker.reset(millis(now));
                model.tick(now);
                model.failures = 0;
                model.opened = 0;
                if model.state != BreakerState::Closed {
                    model.turn(BreakerState::Closed);
                }
            }
        }
        model.tick(now);
        agree!(breaker.state(millis(now)), model.state);
        let wait = match (model.state, model.probe) {
            (BreakerState::Open, _) => Some(model.until - now),
            (BreakerState::HalfOpen, Some(deadline)) => Some(deadline - now),
            (BreakerState::Isolated, _) => None,
            _ => Some(0),
        };
        agree!(breaker.retry_after(millis(now)), wait.map(Duration::from_millis));
        let metrics = breaker.metrics();
        let settled = metrics.succeeded + metrics.failed + metrics.ignored + metrics.cancelled;
        agree!(metrics.permits, settled + out.len() as u64, "every permit ends once");
        agree!(metrics.observed_for, Duration::from_millis(now), "the times in all states are the time");
    }
    Ok(closed_again)
}
