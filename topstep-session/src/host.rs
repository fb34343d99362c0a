//! What the world does for a gateway: two clocks, sleep, tasks.

use std::marker::PhantomData;
use std::time::{Duration, SystemTime};

use adapter_core::{Runtime, SpawnError};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use signalr_proto::time::Instant;
use time::UtcDateTime;
use topstep_model::Timestamp;

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
    origin: std::time::Instant,
    runtime: PhantomData<fn() -> R>,
}

impl<R: Runtime> RuntimeHost<R> {
    pub(crate) fn new() -> Self {
        Self { origin: std::time::Instant::now(), runtime: PhantomData }
    }
}

impl<R: Runtime> Host for RuntimeHost<R> {
    fn now(&self) -> Moment {
        let nanos = u64::try_from(self.origin.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let wall = Timestamp::try_from(UtcDateTime::from(SystemTime::now())).unwrap_or(Timestamp::UNSET);
        Moment::new(Instant::from_nanos(nanos), wall)
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        R::sleep(duration).boxed()
    }

    fn spawn(&self, task: BoxFuture<'static, ()>) -> Result<(), SpawnError> {
        R::spawn(task)
    }
}
