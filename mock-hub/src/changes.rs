//! "Something changed": lets tests wait for a condition, on a thread or on any runtime.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::{Either, select};
use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::lock::lock;

/// A counter that threads and futures can wait on.
#[derive(Debug)]
pub(crate) struct Changes {
    generation: Mutex<u64>,
    changed: Condvar,
    watch: watch::Sender<u64>,
}

impl Default for Changes {
    fn default() -> Self {
        Self { generation: Mutex::default(), changed: Condvar::new(), watch: watch::Sender::new(0) }
    }
}

impl Changes {
    pub(crate) fn tell(&self) {
        let mut generation = lock(&self.generation);
        *generation += 1;
        self.watch.send_replace(*generation);
        self.changed.notify_all();
    }

    /// Blocks until the condition holds; `false` when the time is over first.
    pub(crate) fn wait(&self, timeout: Duration, mut holds: impl FnMut() -> bool) -> bool {
        let deadline = Instant::now() + timeout;
        loop {
            let seen = *lock(&self.generation);
            if holds() {
                return true;
            }
            let mut generation = lock(&self.generation);
            while *generation == seen {
                let left = deadline.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return false;
                }
                (generation, _) = self.changed.wait_timeout(generation, left).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    /// [`Changes::wait`] as a future for any runtime; the time is kept by `runtime`.
    pub(crate) async fn until(&self, runtime: &Handle, timeout: Duration, mut holds: impl FnMut() -> bool) -> bool {
        let mut changes = self.watch.subscribe();
        // Made inside of the runtime: whoever awaits this may have another one, or none.
        let mut over = runtime.spawn(async move { tokio::time::sleep(timeout).await });
        loop {
            changes.borrow_and_update();
            if holds() {
                over.abort();
                return true;
            }
            let changed = std::pin::pin!(changes.changed());
            if let Either::Right(_) = select(changed, &mut over).await {
                return holds();
            }
        }
    }
}
