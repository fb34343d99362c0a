//! The floor under all figures: split at the separator, one `serde_json` parse a record into borrowed text and `f64`.
//!
//! It is the floor of the load client, by the same types.

#[path = "../../src/bin/load/floor/record.rs"]
mod record;

use std::hint::black_box;

use record::{Borrowed, Meaning, Record};

/// Parses the records of a frame; says how many were quotes.
#[inline]
pub(crate) fn parse(frame: &str) -> u64 {
    let mut quotes = 0;
    let mut start = 0;
    for end in memchr::memchr_iter(0x1e, frame.as_bytes()) {
        quotes += parse_record(&frame[start..end]);
        start = end + 1;
    }
    quotes
}

/// Parses one record; says whether it was a quote.
#[inline]
pub(crate) fn parse_record(record: &str) -> u64 {
    let record: Record<Borrowed<'_>> = serde_json::from_str(record).expect("the bench's own record is one");
    match black_box(&record).meaning() {
        Meaning::Quote(quote) => u64::from(black_box(quote).best_bid > 0.0),
        _ => 0,
    }
}
