//! Names for orders, none twice.

use std::sync::atomic::{AtomicU64, Ordering};

/// Makes tags that no gateway made before: a random number for the gateway, and a count.
#[derive(Debug)]
pub(crate) struct Tags {
    seed: u64,
    next: AtomicU64,
}

impl Tags {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed, next: AtomicU64::new(1) }
    }

    pub(super) fn next(&self) -> String {
        format!("ts-{:016x}-{}", self.seed, self.next.fetch_add(1, Ordering::Relaxed))
    }
}
