//! What the world does for a gateway: two clocks, sleep, tasks.

use std::marker::PhantomData;
use std::time::Duration;

use adapter_core::{Runtime, SpawnError};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::gateway::clock::Clock;
use crate::moment::Moment;

/// The clocks, sleep and tasks, whatever the runtime.
pub(crate) trait Host: Send + Sync + 'static {
    /// Reads both clocks.
    fn now(&self) -> Moment;

    /// Waits.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;

    /// Runs a task in the background.
    fn spawn(&self, task: BoxFuture<'static, ()>) -> Result<(), SpawnError>;
}

/// A real runtime.
pub(crate) struct RuntimeHost<R> {
    clock: Clock,
    runtime: PhantomData<fn() -> R>,
}

impl<R: Runtime> RuntimeHost<R> {
    pub(crate) fn new(clock: Clock) -> Self {
        Self { clock, runtime: PhantomData }
    }
}

impl<R: Runtime> Host for RuntimeHost<R> {
    fn now(&self) -> Moment {
        self.clock.now()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        R::sleep(duration).boxed()
    }

    fn spawn(&self, task: BoxFuture<'static, ()>) -> Result<(), SpawnError> {
        R::spawn(task)
    }
}
