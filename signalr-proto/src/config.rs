//! How a connection behaves: every number in one place.

use std::time::Duration;

use http::header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::error::ConfigError;
use crate::retry::RetryPolicy;
use crate::url::HubUrl;

/// Where the access token goes when the WebSocket is opened. A negotiation always has it in its `Authorization` header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TokenPlacement {
    /// `Authorization: Bearer`, as Microsoft's clients do outside of browsers.
    #[default]
    Header,
    /// `access_token` in the query, as browsers must. Servers and proxies tend to log it.
    Query,
    /// Both, as TopstepX documents it.
    Both,
}

/// The options of a connection. Durations and sizes are in the units of their types; `None` switches a timeout off.
#[derive(Debug)]
pub struct HubConnectionConfig {
    pub(crate) keep_alive_interval: Option<Duration>,
    pub(crate) server_timeout: Option<Duration>,
    pub(crate) handshake_timeout: Duration,
    pub(crate) connect_timeout: Duration,
    pub(crate) stop_timeout: Duration,
    pub(crate) call_timeout: Option<Duration>,
    pub(crate) max_record_bytes: usize,
    pub(crate) max_pending_calls: usize,
    pub(crate) max_outbound_bytes: usize,
    pub(crate) max_pending_bytes: usize,
    pub(crate) max_subscriptions: usize,
    pub(crate) skip_negotiation: bool,
    pub(crate) token_placement: TokenPlacement,
    pub(crate) has_token_provider: bool,
    pub(crate) allow_insecure_token: bool,
    pub(crate) headers: HeaderMap,
    pub(crate) user_agent: HeaderValue,
    pub(crate) retry: RetryPolicy,
    pub(crate) retry_initial_connect: bool,
    pub(crate) seed: u64,
    pub(crate) stateful_reconnect: bool,
    pub(crate) stateful_buffer_bytes: usize,
    pub(crate) resume_window: Duration,
}

impl Default for HubConnectionConfig {
    fn default() -> Self {
        Self {
            keep_alive_interval: Some(Duration::from_secs(15)),
            server_timeout: Some(Duration::from_secs(30)),
            handshake_timeout: Duration::from_secs(15),
            connect_timeout: Duration::from_secs(10),
            stop_timeout: Duration::from_secs(5),
            call_timeout: Some(Duration::from_secs(30)),
            max_record_bytes: 1 << 20,
            max_pending_calls: 4_096,
            max_outbound_bytes: 4 << 20,
            max_pending_bytes: 16 << 20,
            max_subscriptions: 16_384,
            skip_negotiation: false,
            token_placement: TokenPlacement::Header,
            has_token_provider: false,
            allow_insecure_token: false,
            headers: HeaderMap::new(),
            user_agent: HeaderValue::from_static(concat!("signalr-proto/", env!("CARGO_PKG_VERSION"))),
            retry: RetryPolicy::never(),
            retry_initial_connect: false,
            seed: 0,
            stateful_reconnect: false,
            stateful_buffer_bytes: 100_000,
            resume_window: Duration::from_secs(15),
        }
    }
}

impl HubConnectionConfig {
    /// A ping leaves when nothing else was sent for so long. Default 15 s; `None`: no pings.
    #[must_use]
    pub fn keep_alive_interval(self, interval: Option<Duration>) -> Self {
        Self { keep_alive_interval: interval.filter(|interval| !interval.is_zero()), ..self }
    }

    /// The connection counts as lost when nothing was heard for so long. Should be twice the server's keep-alive interval. Default 30 s.
    #[must_use]
    pub fn server_timeout(self, timeout: Option<Duration>) -> Self {
        Self { server_timeout: timeout.filter(|timeout| !timeout.is_zero()), ..self }
    }

    /// How long the hub may take to answer the handshake. Default 15 s.
    #[must_use]
    pub fn handshake_timeout(self, timeout: Duration) -> Self {
        Self { handshake_timeout: timeout, ..self }
    }

    /// How long the token provider, each negotiate request, and the dial with its upgrade may take; a whole attempt gets three times as
    /// long. Default 10 s.
    #[must_use]
    pub fn connect_timeout(self, timeout: Duration) -> Self {
        Self { connect_timeout: timeout, ..self }
    }

    /// How long a stop may take to say goodbye. Default 5 s.
    #[must_use]
    pub fn stop_timeout(self, timeout: Duration) -> Self {
        Self { stop_timeout: timeout, ..self }
    }

    /// How long the hub may take to answer an invocation that sets no timeout of its own. Streams and calls with uploads have none.
    /// Default 30 s.
    #[must_use]
    pub fn call_timeout(self, timeout: Option<Duration>) -> Self {
        Self { call_timeout: timeout.filter(|timeout| !timeout.is_zero()), ..self }
    }

    /// The longest record to accept from the hub, its separator not counted. A longer one ends the connection. Default 1 MiB.
    #[must_use]
    pub fn max_record_bytes(self, bytes: usize) -> Self {
        Self { max_record_bytes: bytes, ..self }
    }

    /// How many calls may await the hub at once. Further ones wait for room. Default 4,096.
    #[must_use]
    pub fn max_pending_calls(self, calls: usize) -> Self {
        Self { max_pending_calls: calls.max(1), ..self }
    }

    /// How many bytes may be queued for the transport. Calls beyond it wait for room. Default 4 MiB.
    #[must_use]
    pub fn max_outbound_bytes(self, bytes: usize) -> Self {
        Self { max_outbound_bytes: bytes.max(1), ..self }
    }

    /// How many bytes of events may wait for their consumers before the transport is not read any more, whatever awaits the hub.
    /// Default 16 MiB.
    #[must_use]
    pub fn max_pending_bytes(self, bytes: usize) -> Self {
        Self { max_pending_bytes: bytes.max(1), ..self }
    }

    /// How many durable subscriptions there may be. Default 16,384.
    #[must_use]
    pub fn max_subscriptions(self, subscriptions: usize) -> Self {
        Self { max_subscriptions: subscriptions, ..self }
    }

    /// Opens the WebSocket at once, without asking the hub which transports it has. The hub then never tells its connection id.
    /// Default: negotiates.
    #[must_use]
    pub fn skip_negotiation(self, skip: bool) -> Self {
        Self { skip_negotiation: skip, ..self }
    }

    /// Where the token goes when the WebSocket is opened. Default: the header.
    #[must_use]
    pub fn token_placement(self, placement: TokenPlacement) -> Self {
        Self { token_placement: placement, ..self }
    }

    /// Whether there is an access token provider: then each attempt begins with an [`Action::ProvideToken`](crate::Action::ProvideToken).
    #[must_use]
    pub fn token_provider(self, has_token_provider: bool) -> Self {
        Self { has_token_provider, ..self }
    }

    /// Lets a token cross the network in the clear to a host that is not this machine. Default: a [`ConfigError`].
    #[must_use]
    pub fn allow_insecure_token(self, allow: bool) -> Self {
        Self { allow_insecure_token: allow, ..self }
    }

    /// A header for every HTTP request and upgrade to the configured origin. `Authorization`, `Cookie` and `Proxy-Authorization` go to no
    /// other origin, whatever a redirect says.
    pub fn header(mut self, name: &str, value: &str) -> Result<Self, ConfigError> {
        let invalid = || ConfigError::Header { name: crate::error::printable(name, 64) };
        let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| invalid())?;
        let mut value = HeaderValue::from_str(value).map_err(|_| invalid())?;
        value.set_sensitive(true);
        self.headers.append(header, value);
        Ok(self)
    }

    /// What comes after a lost connection. Default: nothing.
    #[must_use]
    pub fn automatic_reconnect(self, policy: RetryPolicy) -> Self {
        Self { retry: policy, ..self }
    }

    /// Lets the policy stand behind the first attempt of a `start` too. Default: `start` fails at once, as in Microsoft's clients.
    #[must_use]
    pub fn retry_initial_connect(self, retry: bool) -> Self {
        Self { retry_initial_connect: retry, ..self }
    }

    /// What random delays are drawn from: the return after an announced end of the hub is spread over 2 s, that after a `Retry-After` over
    /// 10 % of it. Clients of one hub should differ. Default 0; the adapters draw one.
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// Asks the hub to keep the connection when its transport is lost, so that another one can take its place and nothing is missed. Takes
    /// effect where the hub allows it (ASP.NET Core 8: `AllowStatefulReconnects`) and is negotiated with; else everything is as without.
    /// Default: off, as in Microsoft's clients.
    #[must_use]
    pub fn stateful_reconnect(self, enabled: bool) -> Self {
        Self { stateful_reconnect: enabled, ..self }
    }

    /// With stateful reconnect: how many bytes of messages that the hub has not acknowledged are kept. At the limit calls wait for room
    /// within their deadlines and end as not sent. What was received is acknowledged at a quarter of it. Default 100,000, as ASP.NET Core's
    /// own buffer.
    #[must_use]
    pub fn stateful_buffer_bytes(self, bytes: usize) -> Self {
        Self { stateful_buffer_bytes: bytes.max(4), ..self }
    }

    /// With stateful reconnect: how long a lost transport is tried to be replaced, by dials with the delays of the policy, before the
    /// connection counts as lost. Should be the hub's own patience. Default 15 s.
    #[must_use]
    pub fn resume_window(self, window: Duration) -> Self {
        Self { resume_window: window, ..self }
    }

    /// The longest WebSocket message to accept: it may hold several records.
    pub(crate) fn max_message_bytes(&self) -> usize {
        self.max_record_bytes.saturating_mul(2).max(4 << 20)
    }

    pub(crate) fn check(&self, url: &HubUrl) -> Result<(), ConfigError> {
        let carries_secret = self.has_token_provider
            || [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION].iter().any(|name| self.headers.contains_key(name));
        if carries_secret && !self.may_carry_token(url) {
            return Err(ConfigError::InsecureToken { host: url.origin().host().to_owned() });
        }
        for (option, timeout) in [
            ("handshake_timeout", self.handshake_timeout),
            ("connect_timeout", self.connect_timeout),
            ("stop_timeout", self.stop_timeout),
        ] {
            if timeout.is_zero() {
                return Err(ConfigError::Option { option, problem: "must be longer than zero".to_owned() });
            }
        }
        if self.max_record_bytes == 0 {
            return Err(ConfigError::Option {
                option: "max_record_bytes",
                problem: "must be more than zero".to_owned(),
            });
        }
        self.retry.check()
    }

    /// Whether a token may be sent there: over TLS, to this machine, or by the user's own will.
    pub(crate) fn may_carry_token(&self, url: &HubUrl) -> bool {
        url.origin().is_secure() || url.origin().is_loopback() || self.allow_insecure_token
    }
}
