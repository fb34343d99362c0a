//! The venue's REST API: every call of it, within its limits, with one login.
//!
//! ```no_run
//! use adapter_tokio::Tokio;
//! use topstep_model::OrderSide;
//! use topstep_model::rest::PlaceOrder;
//! use topstep_session::{CallError, Gateway, Settled};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let gateway = Gateway::builder().api_key("name", "key").connect::<Tokio>().await?;
//! let account = gateway.account("PRACTICE-1").await?;
//! let order = PlaceOrder::market(account.id, "CON.F.US.MES.Z26".into(), OrderSide::Bid, 1);
//! match gateway.place(order).await {
//!     Ok(order) => println!("placed: {order}"),
//!     // It may stand, or not: it is looked up, and never sent again.
//!     Err(CallError::OutcomeUnknown(unknown)) => match gateway.settle(&unknown).await {
//!         Settled::Placed(order) => println!("placed after all: {order}"),
//!         Settled::NotFoundYet => println!("not there so far: look again, and later"),
//!         other => println!("{other:?}"),
//!     },
//!     // Nothing happened.
//!     Err(error) => println!("{error}"),
//! }
//! # Ok(()) }
//! ```

mod accounts;
mod builder;
mod call;
pub(crate) mod clock;
mod close;
mod equity;
mod health;
mod history;
pub(crate) mod limiter;
mod live_bars;
mod orders;
mod sessions;
mod settle;
mod tags;
mod trading;
pub(crate) mod wire;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock};

use adapter_core::{HttpClient, Runtime};
use topstep_model::{ContractId, Tick};

use crate::budget::Budget;
use crate::latest::desk::LatestDesk;
use crate::login::{Login, LoginError};
use crate::moment::Moment;
use crate::observe::RestDesk;
pub use crate::router::Handler;
pub use accounts::{AccountError, AccountSelector};
pub use builder::{ConnectError, GatewayBuilder, GatewayConfig};
use clock::Clock;
pub use close::LeftOpen;
pub use equity::Equity;
pub use history::ContractList;
use limiter::Limiter;
pub use live_bars::LiveBars;
pub use orders::QueriedOrders;
use sessions::{Life, Sessions};
use tags::Tags;

/// A login at the venue, and everything that can be asked with it. A clone is the same one.
///
/// Calls of all clones share one token and one rate budget.
pub struct Gateway<R> {
    pub(crate) inner: Arc<Inner<R>>,
    /// `None`: one of the sessions' own, which keeps neither of them alive.
    life: Option<Arc<Life<R>>>,
}

pub(crate) struct Inner<R> {
    pub(crate) config: GatewayConfig,
    pub(crate) clock: Clock,
    pub(crate) http: HttpClient<R>,
    pub(crate) limiter: Arc<Limiter>,
    pub(crate) login: Login<R>,
    pub(crate) tags: Tags,
    pub(crate) latest: LatestDesk,
    pub(crate) rest: RestDesk,
    sessions: OnceLock<Sessions>,
    /// The ticks of contracts that were asked for: they never change.
    ticks: Mutex<BTreeMap<ContractId, Tick>>,
}

impl Gateway<()> {
    /// Begins to build a gateway; the runtime is named by [`GatewayBuilder::connect`] or [`GatewayBuilder::build`].
    pub fn builder() -> GatewayBuilder {
        GatewayBuilder::new()
    }
}

impl<R: Runtime> Gateway<R> {
    /// Sees to it that there is a token, and logs in if there is none.
    ///
    /// # Errors
    ///
    /// [`LoginError`]: there is none, and waiting would not bring one.
    pub async fn log_in(&self) -> Result<(), LoginError> {
        self.inner.login.token(None).await.map(|_| ())
    }

    /// The login, which hub connections share.
    pub fn login(&self) -> &Login<R> {
        &self.inner.login
    }

    /// What it was built with.
    pub fn config(&self) -> &GatewayConfig {
        &self.inner.config
    }

    /// Now, on the gateway's clocks.
    pub fn now(&self) -> Moment {
        self.inner.clock.now()
    }

    /// Looks at the rate budget.
    pub fn with_budget<T>(&self, look: impl FnOnce(&mut Budget) -> T) -> T {
        look(&mut self.inner.limiter.lock())
    }
}

impl<R> Clone for Gateway<R> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), life: self.life.clone() }
    }
}

impl<R> fmt::Debug for Gateway<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateway").field("config", &self.inner.config).finish_non_exhaustive()
    }
}
