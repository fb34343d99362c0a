//! Building a gateway.

use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use adapter_core::{ConfigError, HttpClient, Proxy, RetryPolicy, Runtime};
use rustls::ClientConfig;
use topstep_model::rest;

use super::clock::Clock;
use super::limiter::Limiter;
use super::sessions::{Life, SessionConfig, Sessions};
use super::tags::Tags;
use super::{Gateway, Inner};
use crate::budget::BudgetConfig;
use crate::keeper::LogoutPolicy;
use crate::latest::desk::LatestDesk;
use crate::login::{Login, LoginError, SPACING};
use crate::market::MarketConfig;
use crate::observe::RestDesk;
use crate::user::UserConfig;

const API: &str = "https://api.topstepx.com";
const RTC: &str = "https://rtc.topstepx.com";

/// Builds a [`Gateway`]. Everything but the key has a default.
#[must_use = "a builder does nothing until `connect` or `build`"]
pub struct GatewayBuilder {
    config: GatewayConfig,
    key: Option<rest::Login>,
    tag_seed: Option<u64>,
    sessions: SessionConfig,
}

/// What a [`Gateway`] was built with, the key aside.
#[derive(Clone)]
pub struct GatewayConfig {
    api_url: String,
    rtc_url: String,
    timeout: Duration,
    deadline: Duration,
    login_spacing: Duration,
    budget: BudgetConfig,
    tls: Option<Arc<ClientConfig>>,
    proxy: Option<Proxy>,
    allow_insecure_token: bool,
}

/// Why there is no gateway.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// It was built wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// It cannot log in.
    #[error(transparent)]
    Login(#[from] LoginError),
}

impl GatewayBuilder {
    pub(super) fn new() -> Self {
        let config = GatewayConfig {
            api_url: API.to_owned(),
            rtc_url: RTC.to_owned(),
            timeout: Duration::from_secs(5),
            deadline: Duration::from_secs(20),
            login_spacing: SPACING,
            budget: BudgetConfig::default(),
            tls: None,
            proxy: None,
            allow_insecure_token: false,
        };
        Self { config, key: None, tag_seed: None, sessions: SessionConfig::default() }
    }

    /// One root for REST (`/api/...`) and the hubs (`/hubs/...`), such as that of a mock.
    pub fn url(self, root: impl Into<String>) -> Self {
        let root = root.into();
        self.api_url(root.clone()).rtc_url(root)
    }

    /// The root of REST. Default: `https://api.topstepx.com`.
    pub fn api_url(mut self, root: impl Into<String>) -> Self {
        self.config.api_url = root.into();
        self
    }

    /// The root of the hubs. Default: `https://rtc.topstepx.com`.
    pub fn rtc_url(mut self, root: impl Into<String>) -> Self {
        self.config.rtc_url = root.into();
        self
    }

    /// Whose login it is. There is no default.
    pub fn api_key(mut self, user_name: impl Into<String>, api_key: impl Into<rest::Secret>) -> Self {
        self.key = Some(rest::Login::new(user_name, api_key));
        self
    }

    /// How long one try of a call may take. Default 5 s.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.config.timeout = timeout;
        self
    }

    /// How long a call may take with its wait for a token and its turn, and with all its tries. Default 20 s.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.config.deadline = deadline;
        self
    }

    /// The least time between two logins, whatever they are for. Default 30 s; less is for tests: the venue may lock who hammers it.
    pub fn login_spacing(mut self, spacing: Duration) -> Self {
        self.config.login_spacing = spacing;
        self
    }

    /// The rate limits to keep. Default: those of the venue.
    pub fn budget(mut self, budget: BudgetConfig) -> Self {
        self.config.budget = budget;
        self
    }

    /// Your own TLS: a private CA, a client certificate. Default: rustls with ring, trusting Mozilla's roots (or the system's, by adapter-core's
    /// feature `native-roots`).
    pub fn tls_config(mut self, config: Arc<ClientConfig>) -> Self {
        self.config.tls = Some(config);
        self
    }

    /// Reaches the venue through an HTTP proxy, by CONNECT. The environment's proxies are never used.
    pub fn proxy(mut self, proxy: Proxy) -> Self {
        self.config.proxy = Some(proxy);
        self
    }

    /// Lets a token cross the network in the clear. Default: refused, unless the host is loopback.
    pub fn allow_insecure_token(mut self, allow: bool) -> Self {
        self.config.allow_insecure_token = allow;
        self
    }

    /// What the tags of orders are made from. Default: another number for every gateway, so that no tag comes twice, over restarts too. With one
    /// of yours, another one for each start: the venue refuses a tag that it has seen, and [`settle`](Gateway::settle) would find the old order.
    pub fn tag_seed(mut self, seed: u64) -> Self {
        self.tag_seed = Some(seed);
        self
    }

    /// How beliefs about accounts are kept: see [`UserConfig`].
    pub fn user_config(mut self, config: UserConfig) -> Self {
        self.sessions.user = config;
        self
    }

    /// How beliefs about the market are kept, its trading hours among them: see [`MarketConfig`].
    pub fn market_config(mut self, config: MarketConfig) -> Self {
        self.sessions.market = config;
        self
    }

    /// What happens when another login of the same user ends ours. Default: [`LogoutPolicy::Stop`].
    pub fn on_logout(mut self, policy: LogoutPolicy) -> Self {
        self.sessions.logout = policy;
        self
    }

    /// When lost hubs are dialled again; asked once for each hub. Default: [`RetryPolicy::trading`], which never gives up.
    pub fn automatic_reconnect(mut self, policy: impl Fn() -> RetryPolicy + Send + Sync + 'static) -> Self {
        self.sessions.retry = Some(Box::new(policy));
        self
    }

    /// Asks the hubs to keep a connection over the loss of its transport, which takes a negotiation. Default: no; whether the venue's hubs can
    /// do it is not known.
    pub fn stateful_reconnect(mut self, enabled: bool) -> Self {
        self.sessions.stateful_reconnect = enabled;
        self
    }

    /// Builds the gateway. It asks for a token when it needs the first.
    ///
    /// # Errors
    ///
    /// [`ConfigError`]: no key, a URL that is none, or one that a token must not go to.
    pub fn build<R: Runtime>(self) -> Result<Gateway<R>, ConfigError> {
        let Self { config, key, tag_seed, sessions } = self;
        let option = |option, problem: &str| ConfigError::Option { option, problem: problem.to_owned() };
        let key = key.ok_or_else(|| option("api_key", "must be given"))?;
        for (name, time) in [("timeout", config.timeout), ("deadline", config.deadline)] {
            if time.is_zero() {
                return Err(option(name, "must be longer than zero"));
            }
        }
        // It is used by those who connect to the hubs, and what is wrong with it should be said now.
        config.client::<R>(&config.rtc_url)?;
        let http = config.client::<R>(&config.api_url)?;
        let clock = Clock::start();
        let limiter = Arc::new(Limiter::new(config.budget));
        let login = Login::new(http.clone(), key, config.timeout, config.login_spacing, clock, limiter.clone());
        let tags = Tags::new(tag_seed.unwrap_or_else(random_seed));
        let inner = Inner {
            config,
            clock,
            http,
            limiter,
            login,
            tags,
            latest: LatestDesk::default(),
            rest: RestDesk::new(clock.now().mono),
            sessions: OnceLock::new(),
            ticks: Mutex::default(),
        };
        let inner = Arc::new(inner);
        let sessions = Sessions::begin(&inner, &sessions)?;
        inner.sessions.get_or_init(|| sessions);
        let life = Some(Arc::new(Life::new(inner.clone())));
        Ok(Gateway { inner, life })
    }

    /// Builds the gateway and logs in.
    ///
    /// # Errors
    ///
    /// [`ConnectError`]: it was built wrong, or the venue gives no token.
    pub async fn connect<R: Runtime>(self) -> Result<Gateway<R>, ConnectError> {
        let gateway = self.build::<R>()?;
        gateway.log_in().await?;
        Ok(gateway)
    }
}

impl fmt::Debug for GatewayBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GatewayBuilder").field("config", &self.config).finish_non_exhaustive()
    }
}

impl GatewayConfig {
    /// The root of REST.
    pub fn api_url(&self) -> &str {
        &self.api_url
    }

    /// The root of the hubs.
    pub fn rtc_url(&self) -> &str {
        &self.rtc_url
    }

    /// How long one try of a call may take.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// How long a call may take in all.
    pub fn deadline(&self) -> Duration {
        self.deadline
    }

    /// The rate limits to keep.
    pub fn budget(&self) -> BudgetConfig {
        self.budget
    }

    /// The TLS to use, where it is not the default.
    pub fn tls_config(&self) -> Option<&Arc<ClientConfig>> {
        self.tls.as_ref()
    }

    /// The proxy to go through.
    pub fn proxy(&self) -> Option<&Proxy> {
        self.proxy.as_ref()
    }

    /// Whether a token may cross the network in the clear.
    pub fn allows_insecure_token(&self) -> bool {
        self.allow_insecure_token
    }

    fn client<R: Runtime>(&self, root: &str) -> Result<HttpClient<R>, ConfigError> {
        let mut client =
            HttpClient::<R>::builder(root).carries_token(true).allow_insecure_token(self.allow_insecure_token);
        if let Some(tls) = &self.tls {
            client = client.tls_config(tls.clone());
        }
        if let Some(proxy) = &self.proxy {
            client = client.proxy(proxy.clone());
        }
        client.build()
    }
}

impl fmt::Debug for GatewayConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GatewayConfig")
            .field("timeout", &self.timeout)
            .field("deadline", &self.deadline)
            .field("budget", &self.budget)
            .field("proxy", &self.proxy)
            .finish_non_exhaustive()
    }
}

/// The standard library's hash maps are keyed at random, anew for every one.
fn random_seed() -> u64 {
    RandomState::new().build_hasher().finish()
}
