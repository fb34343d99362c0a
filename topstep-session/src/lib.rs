//! TopstepX as it is followed: sessions that restore themselves, state that says how it is known, orders that end in one outcome.
//!
//! Two machines hold what is believed: [`user::UserMachine`] accounts, orders, positions and trades, [`market::MarketMachine`] quotes, books and
//! bars. They know no socket and no clock; a [`Moment`] goes in, queries and [`Update`]s come out.

mod action;
pub mod budget;
pub mod calendar;
mod error;
pub mod gap;
pub mod gateway;
mod host;
mod keeper;
pub mod known;
pub mod latest;
mod lifecycle;
mod link;
pub mod login;
pub mod market;
pub mod moment;
pub mod observe;
pub mod offline;
pub mod rest;
mod router;
mod session;
mod stream;
pub mod update;
pub mod user;

pub use budget::{Budget, BudgetConfig, Priority};
pub use error::SubscribeError;
pub use gap::{Edge, Gap, GapCause, GapId, GapNotice, Subject, Verdict};
pub use gateway::{AccountSelector, ConnectError, Gateway, GatewayBuilder};
pub use keeper::{Halt, LogoutPolicy};
pub use known::{Known, Source};
pub use latest::{Latest, LatestError, LatestSource, LatestWarning};
pub use lifecycle::{Ending, Lifecycle};
pub use login::{Login, LoginError, LoginState};
pub use moment::Moment;
pub use observe::{Alert, AlertKind, HealthReport, HubHealth, describe_metrics};
pub use offline::Offline;
pub use rest::{CallError, OutcomeUnknown, Settled};
pub use router::{EventKind, Events, Filter, SessionEvent};
pub use session::{AccountSession, DepthUpdate, Following, LinkStatus, MarketSession, UserSession};
pub use stream::{Held, Updates};
pub use update::{Malformed, Told, Update};
