//! The gateway's two sessions: the user hub's and the market hub's.

use std::sync::{Arc, Weak};
use std::time::Duration;

use adapter_core::{ConfigError, HubConnection, HubConnectionBuilder, RetryPolicy, Runtime, TokenPlacement};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use topstep_model::{
    Account, AccountId, Code, ContractId, DepthRow, Hub, Logout, MarketEvent, MarketTrade, Order, Position, Quote,
    Rows, Target, UserEvent, UserTrade,
};

use super::{Gateway, Inner};
use crate::budget::Priority;
use crate::gateway::GatewayConfig;
use crate::host::{Host, RuntimeHost};
use crate::keeper::{Halt, LogoutPolicy};
use crate::known::Known;
use crate::latest::{LiveQuote, LiveQuotes};
use crate::link::HubLink;
use crate::login::{HubTokens, LoginState};
use crate::market::{MarketConfig, MarketMachine};
use crate::moment::Moment;
use crate::rest::CallError;
use crate::router::{Events, Filter, Handler, Router, SessionEvent};
use crate::session::{self, AccountSession, Backend, Handle, MarketSession, Pair, Shared, Task, UserSession};
use crate::stream::Keep;
use crate::user::{Answer, Query, QueryFailure, UserConfig, UserMachine};

/// How many events of the router wait for a reader.
const EVENTS: usize = 16_384;

/// How the sessions behave.
#[derive(Default)]
pub(super) struct SessionConfig {
    pub(super) user: UserConfig,
    pub(super) market: MarketConfig,
    pub(super) logout: LogoutPolicy,
    /// Asked once for each hub.
    pub(super) retry: Option<Box<dyn Fn() -> RetryPolicy + Send + Sync>>,
    pub(super) stateful_reconnect: bool,
}

/// Both sessions. Neither knows the gateway but weakly: whoever holds a session or a stream holds the gateway's [`Life`] with it.
pub(crate) struct Sessions {
    host: Arc<dyn Host>,
    router: Arc<Router>,
    pair: Arc<Pair>,
    pub(super) user: Arc<Handle<UserMachine>>,
    pub(super) market: Arc<Handle<MarketMachine>>,
}

impl<R: Runtime> Gateway<R> {
    /// The user hub's session. It connects when something is wanted of it.
    pub fn user_session(&self) -> UserSession {
        UserSession::new(self.sessions().user.clone(), self.keep())
    }

    /// One account as the user hub tells of it: see [`user_session`](Self::user_session) for all of them.
    pub fn user(&self, account: AccountId) -> AccountSession {
        self.user_session().account(account)
    }

    /// The market hub's session. It connects when something is wanted of it.
    pub fn market(&self) -> MarketSession {
        MarketSession::new(self.sessions().market.clone(), self.keep())
    }

    /// Everything that happens on both hubs from now on, in one order.
    ///
    /// What concerns money is never dropped: a reader that lets 16,384 events wait holds the user hub up. Values of the market are left out
    /// meanwhile, and counted ([`EventKind::Missed`](crate::EventKind::Missed)).
    ///
    /// It keeps nothing alive, and ends with the sessions: when the last handle of the gateway, of a session and of a stream is gone.
    pub fn events(&self, filter: Filter) -> Events {
        let sessions = self.sessions();
        let links = [Arc::downgrade(&sessions.user.link), Arc::downgrade(&sessions.market.link)];
        let made_room = Arc::new(move || links.iter().filter_map(Weak::upgrade).for_each(|link| link.made_room()));
        sessions.router.listen(filter, EVENTS, made_room)
    }

    /// Hands every event that passes the filter to a handler, one after the other, in a task of its own. One that fails or panics is told as
    /// [`EventKind::HandlerFailed`](crate::EventKind::HandlerFailed), goes on with the next event, and stops nobody else.
    ///
    /// The handler ends when what this returns is dropped, or with the sessions: see [`events`](Self::events).
    pub fn handle<F, Fut, E>(&self, name: impl Into<String>, filter: Filter, handler: F) -> Handler
    where
        F: FnMut(SessionEvent) -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: std::fmt::Display + 'static,
    {
        let sessions = self.sessions();
        crate::router::handle(self.events(filter), &sessions.router, &sessions.host, name.into(), handler)
    }

    /// Why both hubs are left alone, if they are.
    pub fn halted(&self) -> Option<Halt> {
        self.sessions().pair.halted()
    }

    /// Begins again after a logout, a refused login or a [`close`](Self::close).
    pub fn resume(&self) {
        self.inner.login.resume();
        self.sessions().pair.resume();
    }

    /// Makes the attempts to reconnect that are waited for now.
    pub fn reconnect_now(&self) {
        let sessions = self.sessions();
        sessions.user.shared.order(session::Order::ReconnectNow);
        sessions.market.shared.order(session::Order::ReconnectNow);
    }

    /// Hangs up on both hubs. What is believed is stale from now on, and the venue goes on without us: [`left_open`](Self::left_open) says
    /// what is left there. The token stays good; [`log_out`](Self::log_out) ends it.
    pub async fn close(&self) {
        for done in self.sessions().pair.halt(Halt::Closed) {
            // A session that is over has hung up as well.
            let _ = done.await;
        }
    }

    fn keep(&self) -> Option<Keep> {
        self.life.clone().map(|life| life as Keep)
    }

    pub(super) fn sessions(&self) -> &Sessions {
        self.inner.sessions.get().expect("a gateway is built with its sessions")
    }
}

/// What every handle of a gateway, of its sessions and of their streams holds: with the last of them both sessions end. What is still asked
/// of REST does not count: it goes on for seconds, and begins again.
pub(crate) struct Life<R>(Arc<Inner<R>>);

impl<R> Life<R> {
    pub(super) fn new(inner: Arc<Inner<R>>) -> Self {
        Self(inner)
    }
}

impl<R> Drop for Life<R> {
    fn drop(&mut self) {
        if let Some(sessions) = self.0.sessions.get() {
            sessions.user.shared.end();
            sessions.market.shared.end();
        }
    }
}

impl Sessions {
    /// Both sessions, in the background and not connected.
    pub(super) fn begin<R: Runtime>(inner: &Arc<Inner<R>>, config: &SessionConfig) -> Result<Self, ConfigError> {
        let host: Arc<dyn Host> = Arc::new(RuntimeHost::<R>::new(inner.clock));
        let router = Arc::new(Router::default());
        let pair = Pair::new(host.clone(), router.clone(), config.logout);
        let now = host.now();
        let user = Shared::new(UserMachine::new(config.user.clone(), now), host.clone(), router.clone());
        let market = Shared::new(MarketMachine::new(config.market.clone(), now), host.clone(), router.clone());
        pair.join(vec![user.clone(), market.clone()]);

        let (connection, tokens) = inner.connect_to(Hub::User, config)?;
        session::follow(&connection, &user);
        session::feed::<_, _, Rows<UserEvent<Account>>>(&connection, &user, Target::UserAccount);
        session::feed::<_, _, Rows<UserEvent<Order>>>(&connection, &user, Target::UserOrder);
        session::feed::<_, _, Rows<UserEvent<Position>>>(&connection, &user, Target::UserPosition);
        session::feed::<_, _, Rows<UserEvent<UserTrade>>>(&connection, &user, Target::UserTrade);
        let user = drive(inner, &host, &pair, user, connection, tokens)?;

        let (connection, tokens) = inner.connect_to(Hub::Market, config)?;
        session::follow(&connection, &market);
        session::feed::<_, _, Rows<MarketEvent<Quote>>>(&connection, &market, Target::Quote);
        session::feed::<_, _, Rows<MarketEvent<MarketTrade>>>(&connection, &market, Target::Trade);
        session::feed::<_, _, Rows<MarketEvent<DepthRow>>>(&connection, &market, Target::Depth);
        let market = drive(inner, &host, &pair, market, connection, tokens)?;
        inner.latest.set_live_quotes(Arc::new(LiveMarket(Arc::downgrade(&market.shared))));
        Ok(Self { host, router, pair, user, market })
    }
}

impl<R: Runtime> Inner<R> {
    fn connect_to(&self, hub: Hub, config: &SessionConfig) -> Result<(HubConnection<R>, HubTokens<R>), ConfigError> {
        let tokens = self.login.hub_tokens();
        let url = format!("{}{}", self.config.rtc_url().trim_end_matches('/'), hub.path());
        let provider = tokens.clone();
        let policy = config.retry.as_ref().map_or_else(RetryPolicy::trading, |policy| policy());
        let connection = builder::<R>(url, &self.config)
            .access_token_source(move |request| provider.token(request))
            // As the venue documents it; nobody has published whether the header alone would do.
            .token_placement(TokenPlacement::Both)
            .skip_negotiation(!config.stateful_reconnect)
            .stateful_reconnect(config.stateful_reconnect)
            .automatic_reconnect(policy)
            .retry_initial_connect(true)
            .build()?;
        Ok((connection, tokens))
    }
}

/// A hub's connection as the gateway's configuration has it.
fn builder<R: Runtime>(url: String, config: &GatewayConfig) -> HubConnectionBuilder<R> {
    let mut builder = HubConnection::<R>::builder(url).allow_insecure_token(config.allows_insecure_token());
    if let Some(tls) = config.tls_config() {
        builder = builder.tls_config(tls.clone());
    }
    if let Some(proxy) = config.proxy() {
        builder = builder.proxy(proxy.clone());
    }
    builder
}

fn drive<R: Runtime, M: session::SessionMachine>(
    inner: &Arc<Inner<R>>,
    host: &Arc<dyn Host>,
    pair: &Arc<Pair>,
    shared: Arc<Shared<M>>,
    connection: HubConnection<R>,
    tokens: HubTokens<R>,
) -> Result<Arc<Handle<M>>, ConfigError> {
    let link = Arc::new(HubLink::new(connection));
    let backend = Arc::new(GatewayBackend { inner: Arc::downgrade(inner), pair: pair.clone(), tokens });
    let task = Task::new(shared.clone(), link.clone(), backend, host.clone());
    R::spawn(task).map_err(|error| ConfigError::NoRuntime(error.to_string()))?;
    Ok(Arc::new(Handle::new(shared, link, pair.clone())))
}

/// The market session's quotes, for [`Gateway::latest`].
struct LiveMarket(Weak<Shared<MarketMachine>>);

impl LiveQuotes for LiveMarket {
    fn live_quote(&self, now: Moment, contract: &ContractId) -> Option<LiveQuote> {
        let shared = self.0.upgrade()?;
        let told = session::quote(&shared, now, contract)?;
        if told.known != Known::Live {
            return None;
        }
        let quote = told.value;
        let price = quote.last().or(quote.bid()).or(quote.ask())?;
        Some(LiveQuote { price, bid: quote.bid(), ask: quote.ask(), age: quote.age(now) })
    }
}

/// What a session needs of the gateway, which it does not keep alive.
struct GatewayBackend<R> {
    inner: Weak<Inner<R>>,
    pair: Arc<Pair>,
    tokens: HubTokens<R>,
}

impl<R: Runtime> GatewayBackend<R> {
    fn gateway(&self) -> Option<Gateway<R>> {
        self.inner.upgrade().map(|inner| Gateway { inner, life: None })
    }
}

impl<R: Runtime> Backend for GatewayBackend<R> {
    fn query(&self, query: Query) -> BoxFuture<'static, Result<Answer, QueryFailure>> {
        let (inner, pair) = (self.inner.clone(), self.pair.clone());
        async move {
            let gateway = Gateway { inner: inner.upgrade().ok_or(QueryFailure::Failed)?, life: None };
            let answer = gateway.query(query).await;
            // The hubs look at a token when they are connected to, and not again: they may outlive the login, without REST to repair a gap.
            if answer.is_err()
                && let Some(explanation) = gateway.login_refusal()
            {
                drop(pair.halt(Halt::LoginRefused { explanation }));
            }
            answer
        }
        .boxed()
    }

    fn forget_token(&self) {
        self.tokens.refuse();
    }

    fn is_own_logout(&self) -> bool {
        let (Some(gateway), Some(used)) = (self.gateway(), self.tokens.given()) else { return false };
        gateway.inner.login.is_own_logout(used)
    }

    fn logged_out(&self, _: Logout) {
        let Some(gateway) = self.gateway() else { return };
        gateway.inner.login.on_logout();
        let inner = self.inner.clone();
        self.pair.logged_out(move || {
            if let Some(inner) = inner.upgrade() {
                inner.login.resume();
            }
        });
    }

    fn login_refusal(&self) -> Option<String> {
        self.gateway()?.login_refusal()
    }

    fn pair(&self) -> &Pair {
        &self.pair
    }
}

impl<R: Runtime> Gateway<R> {
    /// Why there is no login any more and nobody asks for another, if so.
    fn login_refusal(&self) -> Option<String> {
        match self.inner.login.state() {
            LoginState::Ended(error) => Some(error.to_string()),
            _ => None,
        }
    }

    /// Asks what a session wants to know.
    async fn query(&self, query: Query) -> Result<Answer, QueryFailure> {
        Ok(match query {
            Query::Accounts => Answer::Accounts(self.read(&Query::search_accounts()).await?),
            Query::Positions(account) => Answer::Positions(self.read(&Query::open_positions(account)).await?),
            Query::WorkingOrders { account, page } => {
                Answer::Page(self.read(&Query::working_orders(account, page)).await?)
            }
            Query::OpenOrders(account) => Answer::Orders(self.read(&Query::open_orders(account)).await?),
            Query::OrdersSince { account, start } => {
                Answer::Orders(self.read(&Query::orders_since(account, start)).await?)
            }
            Query::Order { account, order } => Answer::Order(Box::new(self.read(&Query::order(account, order)).await?)),
            Query::Trades { account, start } => Answer::Trades(self.read(&Query::trades(account, start)).await?),
        })
    }

    async fn read<Q: topstep_model::rest::Request + 'static>(&self, request: &Q) -> Result<Q::Response, QueryFailure> {
        let answer = self.call_within(request, Priority::Recovery, self.inner.config.timeout()).await;
        answer.map_err(|error| failure(&error))
    }
}

/// What a call's failure means for a query.
fn failure<C: Code>(error: &CallError<C>) -> QueryFailure {
    match error {
        CallError::TooManyRequests { retry_after } => {
            QueryFailure::Throttled(retry_after.unwrap_or(Duration::from_secs(10)))
        }
        CallError::Status(403 | 404 | 405 | 501) | CallError::BadRequest(_) => QueryFailure::Unsupported,
        CallError::Refused(_) => QueryFailure::NotFound,
        _ => QueryFailure::Failed,
    }
}
