//! What went through one connection, counted where it passes.

use std::ops::AddAssign;
use std::sync::atomic::{AtomicU64, Ordering};

/// The counters of one connection; each step is one relaxed addition.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    messages_in: AtomicU64,
    bytes_in: AtomicU64,
    records_out: AtomicU64,
    bytes_out: AtomicU64,
}

/// The counters at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    /// WebSocket messages that came.
    pub(crate) messages_in: u64,
    /// Their bytes, without the frames around them.
    pub(crate) bytes_in: u64,
    /// Records that were queued.
    pub(crate) records_out: u64,
    /// Bytes of records that were written.
    pub(crate) bytes_out: u64,
}

impl Traffic {
    pub(crate) fn came(&self, bytes: usize) {
        self.messages_in.fetch_add(1, Ordering::Relaxed);
        self.bytes_in.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(crate) fn queued(&self) {
        self.records_out.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn wrote(&self, bytes: usize) {
        self.bytes_out.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(crate) fn totals(&self) -> Totals {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Totals {
            messages_in: read(&self.messages_in),
            bytes_in: read(&self.bytes_in),
            records_out: read(&self.records_out),
            bytes_out: read(&self.bytes_out),
        }
    }
}

impl AddAssign for Totals {
    fn add_assign(&mut self, other: Self) {
        self.messages_in += other.messages_in;
        self.bytes_in += other.bytes_in;
        self.records_out += other.records_out;
        self.bytes_out += other.bytes_out;
    }
}
