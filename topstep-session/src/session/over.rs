//! A market session over a connection of the application's own, without a gateway.

use std::sync::Arc;

use adapter_core::queue::QueueRule;
use adapter_core::{HubConnection, Runtime, SpawnError};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use topstep_model::{ContractId, DepthRow, Logout, MarketEvent, MarketTrade, Quote, Rows, Target};

use super::handle::Handle;
use super::market::MarketSession;
use super::pair::Pair;
use super::shared::Shared;
use super::sinks::{feed, follow};
use super::task::{Backend, Task};
use crate::error::SubscribeError;
use crate::gap::Subject;
use crate::gateway::clock::Clock;
use crate::host::{Host, RuntimeHost};
use crate::keeper::LogoutPolicy;
use crate::link::HubLink;
use crate::market::{MarketConfig, MarketMachine, MarketUpdate, MergedQuote};
use crate::router::Router;
use crate::stream::Updates;
use crate::user::{Answer, Query, QueryFailure};

/// How many quotes wait for a listener who wants every one of them before the hub is held up.
const QUOTES: usize = 4_096;
/// What such a quote counts against the unread bytes of the connection.
const COST: usize = 512;

impl MarketSession {
    /// Follows a market hub over a connection of your own, with its tokens, its policy and its URL. The connection is not started yet: the
    /// session does that when something is wanted of it, and again ten seconds after a goodbye.
    ///
    /// # Errors
    ///
    /// There is no runtime to run it on.
    pub fn over<R: Runtime>(connection: HubConnection<R>, config: MarketConfig) -> Result<Self, SpawnError> {
        Self::attach(connection, config, false)
    }

    /// The same for a hub that sends without being asked, and knows no method to subscribe: a recording, a relay, a load generator.
    ///
    /// # Errors
    ///
    /// There is no runtime to run it on.
    pub fn over_feed<R: Runtime>(connection: HubConnection<R>, config: MarketConfig) -> Result<Self, SpawnError> {
        Self::attach(connection, config, true)
    }

    fn attach<R: Runtime>(
        connection: HubConnection<R>,
        config: MarketConfig,
        is_unasked: bool,
    ) -> Result<Self, SpawnError> {
        let host: Arc<dyn Host> = Arc::new(RuntimeHost::<R>::new(Clock::start()));
        let router = Arc::new(Router::default());
        let pair = Pair::new(host.clone(), router.clone(), LogoutPolicy::Stop);
        let shared = Shared::new(MarketMachine::new(config, host.now()), host.clone(), router);
        pair.join(vec![shared.clone()]);
        shared.lock().is_unasked = is_unasked;
        follow(&connection, &shared);
        feed::<_, _, Rows<MarketEvent<Quote>>>(&connection, &shared, Target::Quote);
        feed::<_, _, Rows<MarketEvent<MarketTrade>>>(&connection, &shared, Target::Trade);
        feed::<_, _, Rows<MarketEvent<DepthRow>>>(&connection, &shared, Target::Depth);
        let link = Arc::new(if is_unasked { HubLink::unasked(connection) } else { HubLink::new(connection) });
        R::spawn(Task::new(shared.clone(), link.clone(), Arc::new(Lone { pair: pair.clone() }), host))?;
        Ok(Self::new(Arc::new(Handle::new(shared, link, pair)), None))
    }

    /// The merged quotes of a contract, every one of them, where [`quotes`](Self::quotes) keeps the latest for a slow reader: for those who write
    /// ticks down.
    ///
    /// Nothing is dropped: while 4,096 wait to be read, the market hub is not read either, and everybody else hears what it sends later. Whoever
    /// reads for hours so slowly that the hub gives up has the gap of a lost connection.
    ///
    /// # Errors
    ///
    /// [`SubscribeError`]: the hub refused it, or the session is halted or over.
    pub async fn every_quote(&self, contract: impl Into<ContractId>) -> Result<Updates<MergedQuote>, SubscribeError> {
        let subject = Subject::Quotes(contract.into());
        let rule = (QueueRule::wait(QUOTES), COST);
        self.listen(
            subject,
            rule,
            |outlets| &mut outlets.quotes,
            |update| match update {
                MarketUpdate::Quote { told, .. } => Some(told),
                _ => None,
            },
        )
        .await
    }
}

/// The gateway of a session that has none.
struct Lone {
    pair: Arc<Pair>,
}

impl Backend for Lone {
    fn query(&self, _: Query) -> BoxFuture<'static, Result<Answer, QueryFailure>> {
        std::future::ready(Err(QueryFailure::Failed)).boxed()
    }

    fn forget_token(&self) {}

    fn logged_out(&self, _: Logout) {
        self.pair.logged_out(|| {});
    }

    fn pair(&self) -> &Pair {
        &self.pair
    }
}
