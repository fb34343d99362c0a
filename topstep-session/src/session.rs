//! Sessions: a machine, the hub that feeds it, and those who listen.
//!
//! ```text
//! hub connection --records, gaps, life--> Shared: machine + outlets --updates--> streams, router
//!       ^                                    |  bell
//!       +-------- subscribe, start ------- Task --queries--> REST
//! ```
//!
//! What the hub sends goes through the machine where the bytes arrive, so that its order is the order of the records. Everything that
//! takes time is done by the session's one task.

mod handle;
mod machine;
mod market;
mod outlet;
mod over;
mod pair;
mod shared;
mod sinks;
mod task;
mod user;
mod work;

pub use handle::LinkStatus;
pub use market::{DepthUpdate, MarketSession};
pub use user::{AccountSession, Following, UserSession};

pub(crate) use handle::Handle;
pub(crate) use machine::{Receive, SessionMachine};
pub(crate) use market::quote;
pub(crate) use pair::Pair;
pub(crate) use shared::Shared;
pub(crate) use sinks::{feed, follow};
pub(crate) use task::{Backend, Task};
pub(crate) use work::Order;
