//! Time and tasks that move when they are told to.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use adapter_core::SpawnError;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use signalr_proto::time::Instant;

use super::lock;
use crate::host::Host;
use crate::moment::Moment;

/// A bound for tasks that never come to rest: it would be a bug, and a hang tells nothing.
const MOST_ROUNDS: usize = 10_000;

/// A clock, and those who wait for it.
pub(super) struct World {
    began: Moment,
    now: Arc<Mutex<Instant>>,
    /// How many sleep until when.
    sleepers: Arc<Mutex<BTreeMap<Instant, usize>>>,
    tasks: Mutex<Vec<BoxFuture<'static, ()>>>,
}

impl World {
    pub(super) fn new(began: Moment) -> Self {
        Self { began, now: Arc::new(Mutex::new(began.mono)), sleepers: Arc::default(), tasks: Mutex::default() }
    }

    pub(super) fn add(&self, task: BoxFuture<'static, ()>) {
        lock(&self.tasks).push(task);
    }

    /// Ends every task where it stands.
    pub(super) fn end(&self) {
        // Dropped without the lock: it may be anything.
        let tasks = std::mem::take(&mut *lock(&self.tasks));
        drop(tasks);
    }

    pub(super) fn set(&self, now: Instant) {
        let mut clock = lock(&self.now);
        *clock = now.max(*clock);
    }

    /// The next deadline that somebody sleeps until and that is still to come.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let now = *lock(&self.now);
        lock(&self.sleepers).range(now..).find(|(due, _)| **due > now).map(|(due, _)| *due)
    }

    /// Polls every task until a round has changed nothing that can be seen: tasks wake each other, so every one is polled at least twice.
    pub(super) fn run(&self) {
        let woken = Arc::new(Flag::default());
        let waker = Waker::from(woken.clone());
        for _ in 0..MOST_ROUNDS {
            // Whatever is done by a task, or was done before, may concern another.
            let mut tasks = std::mem::take(&mut *lock(&self.tasks));
            tasks.retain_mut(|task| task.poll_unpin(&mut Context::from_waker(&waker)).is_pending());
            let mut all = lock(&self.tasks);
            let is_quiet = all.is_empty() && !woken.take();
            tasks.append(&mut all);
            *all = tasks;
            if is_quiet {
                return;
            }
        }
    }
}

impl Host for World {
    fn now(&self) -> Moment {
        let now = *lock(&self.now);
        self.began + now.saturating_since(self.began.mono)
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let until = *lock(&self.now) + duration;
        *lock(&self.sleepers).entry(until).or_default() += 1;
        let place = Place { until, sleepers: self.sleepers.clone() };
        let clock = self.now.clone();
        std::future::poll_fn(move |_| {
            // All of it: a closure that names one field takes that field alone, and the place would be given up at once.
            let place = &place;
            if *lock(&clock) >= place.until { Poll::Ready(()) } else { Poll::Pending }
        })
        .boxed()
    }

    fn spawn(&self, task: BoxFuture<'static, ()>) -> Result<(), SpawnError> {
        self.add(task);
        Ok(())
    }
}

/// One sleeper.
struct Place {
    until: Instant,
    sleepers: Arc<Mutex<BTreeMap<Instant, usize>>>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut sleepers = lock(&self.sleepers);
        if let Some(count) = sleepers.get_mut(&self.until) {
            *count -= 1;
            if *count == 0 {
                sleepers.remove(&self.until);
            }
        }
    }
}

/// Whether anybody was woken.
#[derive(Default)]
struct Flag(std::sync::atomic::AtomicBool);

impl Flag {
    fn take(&self) -> bool {
        self.0.swap(false, std::sync::atomic::Ordering::SeqCst)
    }
}

impl std::task::Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, std::sync::atomic::Ordering::SeqCst);
    }
}
