//! What the hub tells about itself: metrics for a program, a journal for people, and a view of both for the console.

mod journal;
mod metrics;
mod scrape;
mod topic;
mod traffic;
mod view;

pub(crate) use journal::{Journal, Note, fault_name};
pub(crate) use metrics::{Metrics, Outcome};
pub(crate) use scrape::scrape;
pub(crate) use topic::target_of;
pub(crate) use traffic::{Totals, Traffic};
pub(crate) use view::{Pulse, snapshot};
