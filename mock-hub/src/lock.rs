//! Locks that outlive a panic of somebody who held them.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks a mutex; a test that panicked while holding it must not take the hub down with it.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
