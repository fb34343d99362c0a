//! Building a connection.

use std::fmt;
use std::fmt::Display;
use std::future::Future;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use rustls::ClientConfig;
use signalr_proto::error::ConfigError;
use signalr_proto::retry::RetryPolicy;
use signalr_proto::secret::Secret;
use signalr_proto::{HubConnectionConfig, TokenPlacement};

use crate::connection::HubConnection;
use crate::dial::{DialOptions, Proxy, shared_tls_config};
use crate::driver::Driver;
use crate::runtime::Runtime;
use crate::shared::{Limits, Shared};
use crate::token::{TokenProvider, TokenRequest};

/// Builds a [`HubConnection`]. Everything but the URL has a default.
#[must_use = "a builder does nothing until `build`"]
pub struct HubConnectionBuilder<R> {
    url: String,
    config: HubConnectionConfig,
    headers: Vec<(String, String)>,
    tokens: Option<TokenProvider>,
    tls: Option<Arc<ClientConfig>>,
    proxy: Option<Proxy>,
    limits: Limits,
    seed: Option<u64>,
    runtime: PhantomData<fn() -> R>,
}

impl<R: Runtime> HubConnectionBuilder<R> {
    pub(crate) fn new(url: String) -> Self {
        Self {
            url,
            config: HubConnectionConfig::default(),
            headers: Vec::new(),
            tokens: None,
            tls: None,
            proxy: None,
            limits: Limits { queue_events: 1_024, stream_bytes: 16 << 20 },
            seed: None,
            runtime: PhantomData,
        }
    }

    fn config(self, change: impl FnOnce(HubConnectionConfig) -> HubConnectionConfig) -> Self {
        Self { config: change(self.config), ..self }
    }

    /// Gives the access token. Asked before every attempt, within the connect timeout; the same token serves the negotiation and the
    /// upgrade. After a 401 it is asked once more and the request repeated. Its error's text is shown: it must not hold the token.
    pub fn access_token_provider<F, Fut, S, E>(self, provider: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<S, E>> + Send + 'static,
        S: Into<Secret>,
        E: Display,
    {
        self.access_token_source(move |_| provider())
    }

    /// The same for a provider that keeps tokens: it is told when the one before was refused.
    pub fn access_token_source<F, Fut, S, E>(mut self, provider: F) -> Self
    where
        F: Fn(TokenRequest) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<S, E>> + Send + 'static,
        S: Into<Secret>,
        E: Display,
    {
        self.tokens = Some(TokenProvider::new(provider));
        self.config(|config| config.token_provider(true))
    }

    /// An access token that never changes.
    pub fn access_token(self, token: impl Into<Secret>) -> Self {
        let token = token.into();
        self.access_token_provider(move || std::future::ready(Ok::<_, std::convert::Infallible>(token.clone())))
    }

    /// Where the token goes at the upgrade. Default: the `Authorization` header.
    pub fn token_placement(self, placement: TokenPlacement) -> Self {
        self.config(|config| config.token_placement(placement))
    }

    /// Lets a token cross the network in the clear. Default: refused, unless the host is loopback.
    pub fn allow_insecure_token(self, allow: bool) -> Self {
        self.config(|config| config.allow_insecure_token(allow))
    }

    /// A header for every HTTP request and upgrade to this hub; credentials among them go to no other origin.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Opens the WebSocket at once, without negotiation. Default: negotiates.
    pub fn skip_negotiation(self, skip: bool) -> Self {
        self.config(|config| config.skip_negotiation(skip))
    }

    /// What comes after a lost connection. Default: nothing.
    pub fn automatic_reconnect(self, policy: RetryPolicy) -> Self {
        self.config(|config| config.automatic_reconnect(policy))
    }

    /// Lets the policy stand behind the first attempt of a `start` too. Default: `start` fails at once.
    pub fn retry_initial_connect(self, retry: bool) -> Self {
        self.config(|config| config.retry_initial_connect(retry))
    }

    /// Asks the hub to keep the connection when its transport is lost, so that another one can take its place and nothing is missed:
    /// [`Event::Interrupted`](crate::Event::Interrupted), then [`Event::Resumed`](crate::Event::Resumed). Takes effect where the hub allows
    /// it and is negotiated with. Default: off.
    pub fn stateful_reconnect(self, enabled: bool) -> Self {
        self.config(|config| config.stateful_reconnect(enabled))
    }

    /// With stateful reconnect: how many bytes of messages that the hub has not acknowledged are kept; at the limit calls wait within their
    /// deadlines. Default 100,000.
    pub fn stateful_buffer_bytes(self, bytes: usize) -> Self {
        self.config(|config| config.stateful_buffer_bytes(bytes))
    }

    /// With stateful reconnect: how long a lost transport is tried to be replaced. Should be the hub's own patience. Default 15 s.
    pub fn resume_window(self, window: Duration) -> Self {
        self.config(|config| config.resume_window(window))
    }

    /// What random delays are drawn from, so that they repeat. Default: another seed for every connection.
    pub fn retry_seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// A ping leaves when nothing else was sent for so long. Default 15 s; zero: no pings.
    pub fn keep_alive_interval(self, interval: Duration) -> Self {
        self.config(|config| config.keep_alive_interval(Some(interval)))
    }

    /// The connection counts as lost when nothing was heard for so long. Default 30 s; zero: never.
    pub fn server_timeout(self, timeout: Duration) -> Self {
        self.config(|config| config.server_timeout(Some(timeout)))
    }

    /// How long the hub may take to answer the handshake. Default 15 s.
    pub fn handshake_timeout(self, timeout: Duration) -> Self {
        self.config(|config| config.handshake_timeout(timeout))
    }

    /// How long the token provider, each negotiate request, and the dial with its upgrade may take. Default 10 s.
    pub fn connect_timeout(self, timeout: Duration) -> Self {
        self.config(|config| config.connect_timeout(timeout))
    }

    /// How long a stop may take to say goodbye. Default 5 s.
    pub fn stop_timeout(self, timeout: Duration) -> Self {
        self.config(|config| config.stop_timeout(timeout))
    }

    /// How long the hub may take to answer an invocation. Default 30 s; zero: for ever.
    pub fn call_timeout(self, timeout: Duration) -> Self {
        self.config(|config| config.call_timeout(Some(timeout)))
    }

    /// The longest record to accept, in bytes. Default 1 MiB.
    pub fn max_record_bytes(self, bytes: usize) -> Self {
        self.config(|config| config.max_record_bytes(bytes))
    }

    /// How many calls may await the hub at once; further ones wait for room. Default 4,096.
    pub fn max_pending_calls(self, calls: usize) -> Self {
        self.config(|config| config.max_pending_calls(calls))
    }

    /// How many bytes may be queued for the transport; calls beyond it wait for room. Default 4 MiB.
    pub fn max_outbound_bytes(self, bytes: usize) -> Self {
        self.config(|config| config.max_outbound_bytes(bytes))
    }

    /// How many events the queue of an `on` or an `events` holds before reading pauses. Default 1,024.
    pub fn max_pending_events(mut self, events: usize) -> Self {
        self.limits.queue_events = events.max(1);
        self
    }

    /// How many bytes of events may wait for their consumers, whatever awaits the hub. Default 16 MiB.
    pub fn max_pending_bytes(self, bytes: usize) -> Self {
        self.config(|config| config.max_pending_bytes(bytes))
    }

    /// How many bytes of unread items a stream of the hub may hold before it is cancelled. Default 16 MiB.
    pub fn max_stream_bytes(mut self, bytes: usize) -> Self {
        self.limits.stream_bytes = bytes;
        self
    }

    /// How many durable subscriptions there may be. Default 16,384.
    pub fn max_subscriptions(self, subscriptions: usize) -> Self {
        self.config(|config| config.max_subscriptions(subscriptions))
    }

    /// Your own TLS: a private CA, a client certificate. Default: rustls with ring, trusting Mozilla's roots (or the system's, by the feature
    /// `native-roots`).
    pub fn tls_config(mut self, config: Arc<ClientConfig>) -> Self {
        self.tls = Some(config);
        self
    }

    /// Reaches the hub through an HTTP proxy, by CONNECT. The environment's proxies are never used.
    pub fn proxy(mut self, proxy: Proxy) -> Self {
        self.proxy = Some(proxy);
        self
    }

    /// Builds the connection and runs its driver in the background. It connects at [`HubConnection::start`].
    pub fn build(self) -> Result<HubConnection<R>, ConfigError> {
        let (connection, mut driver) = self.assemble(false)?;
        let task = async move { while driver.next().await.is_some() {} };
        R::spawn(task).map_err(|error| ConfigError::NoRuntime(error.to_string()))?;
        Ok(connection)
    }

    /// Builds the connection and leaves its driver to you: nothing happens unless you poll it. It yields the connection's events, and ends
    /// when the last handle and stream are gone and the goodbye is said.
    pub fn build_with_driver(self) -> Result<(HubConnection<R>, Driver<R>), ConfigError> {
        self.assemble(true)
    }

    fn assemble(self, tells_events: bool) -> Result<(HubConnection<R>, Driver<R>), ConfigError> {
        let mut config = self.config.seed(self.seed.unwrap_or_else(random_seed));
        for (name, value) in &self.headers {
            config = config.header(name, value)?;
        }
        let tls = match self.tls {
            Some(tls) => tls,
            None => shared_tls_config()
                .map_err(|error| ConfigError::Option { option: "tls_config", problem: error.to_string() })?,
        };
        let machine = signalr_proto::HubConnection::new(&self.url, config)?;
        let shared = Arc::new(Shared::new(machine, self.limits, tells_events));
        let driver = Driver::new(shared.clone(), DialOptions::new(tls, self.proxy), self.tokens);
        Ok((HubConnection::new(shared), driver))
    }
}

/// The standard library's hash maps are keyed at random: that is randomness enough to spread delays.
fn random_seed() -> u64 {
    RandomState::new().build_hasher().finish()
}

impl<R> fmt::Debug for HubConnectionBuilder<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HubConnectionBuilder").finish_non_exhaustive()
    }
}
