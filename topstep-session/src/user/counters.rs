//! What the user machine counted.

use std::collections::BTreeMap;

use crate::gap::GapCause;
use crate::moment::Moment;

/// Numbers since the machine began; none ever goes down.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct UserCounters {
    /// Rows of the stream that were delivered.
    pub rows: u64,
    /// Rows of accounts that nobody wants, which were not delivered.
    pub foreign_rows: u64,
    /// Rows of the stream that were older than what was known.
    pub stale_rows: u64,
    /// Trades that came again.
    pub repeated_trades: u64,
    /// Rows and whole events that could not be read.
    pub malformed: u64,
    /// Rows of REST answers that could not be read.
    pub malformed_answers: u64,
    /// Gaps by their first cause, as [`GapCause::as_str`] names it.
    pub gaps: BTreeMap<&'static str, u64>,
    /// Reconciles that began.
    pub reconciles: u64,
    /// Reads that came to nothing, and are tried again.
    pub failed_reads: u64,
    /// Audits that found nothing.
    pub clean_audits: u64,
    /// Audits that found something which the stream did not tell.
    pub mismatched_audits: u64,
    /// When an audit last found nothing.
    pub last_clean_audit: Option<Moment>,
    /// Rows that were dropped since there were too many.
    pub evicted: u64,
    /// Answers that nobody waited for any more.
    pub late_answers: u64,
}

impl UserCounters {
    pub(super) fn gap(&mut self, cause: GapCause) {
        *self.gaps.entry(cause.as_str()).or_default() += 1;
    }
}
