//! What a hub can be told when it starts.

mod login;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

pub use login::Login;

/// The settings of a [`MockHub`](crate::MockHub); the defaults are ASP.NET Core's own where it has one.
///
/// Its `Debug` tells no token and no key.
#[derive(Clone)]
pub struct Options {
    /// The port; 0 (the default) takes any free one.
    pub port: u16,
    /// Whether to listen on every address and to answer to every name; default `false`: 127.0.0.1 only, and a request
    /// whose `Host` names no loopback address is refused with 400 (a page that rebinds its name must not get in).
    pub public: bool,
    /// The seed of prices, order ids and delays; default 0. With [`Clock::Virtual`] two hubs of one seed say the same.
    pub seed: u64,
    /// What the market and the exchange take for the time; default [`Clock::Real`].
    pub clock: Clock,

    /// The tokens that `/hubs/market` and `/hubs/user` ask for; `None` (the default) asks for none.
    ///
    /// With a list, tokens that the hub itself issued (`/api/Auth/loginKey`, [`MockHub::issue_token`]) are good too;
    /// a listed one names the first of [`Options::users`]. `/hubs/secure` and `/api` ask for a token in any case.
    ///
    /// [`MockHub::issue_token`]: crate::MockHub::issue_token
    pub require_token: Option<Vec<String>>,
    /// What a client with a bad token meets at `/hubs/market` and `/hubs/user`; default: a 401.
    pub bad_token: BadToken,
    /// Who can log in with which key; default one user, [`Login::default`]. Each has two accounts.
    pub users: Vec<Login>,
    /// Whether `/api/Auth/loginKey` takes any name with any key; default `false`. The reference server's does.
    pub any_login: bool,
    /// The life of the tokens that the hub issues; default 24 h, as TopstepX documents.
    pub token_lifetime: Duration,
    /// Whether a connection to `/hubs/market` or `/hubs/user` ends, with reconnecting allowed, when its token does
    /// (ASP.NET Core, `CloseOnAuthenticationExpiration`); default `false`: a token is looked at on connecting only.
    /// Connections to the other hubs always end so.
    pub close_on_token_expiration: bool,
    /// The time between `GatewayLogout` and the Close record (without `allowReconnect`) that follows it; default
    /// 100 ms. With `None` the connection stays.
    pub logout_close: Option<Duration>,
    /// The limits of `/api` per user, 200 calls in 60 s and 50 of them for bars in 30 s, both rolling; default `true`.
    pub rate_limits: bool,
    /// Whether a 429 says when to come again (`Retry-After`); default `false`: TopstepX documents none.
    pub retry_after: bool,
    /// Whether the login is entitled to the live data tier; default `false`: requests with `live:true` get empty lists.
    pub live_data: bool,

    /// The time between two pings of the server; default 15 s, 0: none. Other traffic does not postpone them.
    pub keep_alive: Duration,
    /// The silence of a client, once it has pinged, that ends its connection; default 30 s, 0: none does.
    pub client_timeout: Duration,
    /// The time a client has for its handshake request; default 15 s.
    pub handshake_timeout: Duration,
    /// The life of a negotiated connection that nobody opens; default 15 s, then its id is unknown (404).
    pub negotiation_lifetime: Duration,
    /// The largest record taken, separator included; default 32 KiB, 0: no limit.
    pub max_receive_bytes: usize,
    /// The plain invocations of one client that run at once; default 1, and the next waits unread.
    pub parallel_invocations: usize,
    /// The items of one client-to-server stream that wait for their method; default 10, then the connection waits.
    pub stream_buffer: usize,
    /// Whether a negotiated connection survives the loss of its socket where the client asks for it; default `false`.
    pub stateful_reconnect: bool,
    /// The unacknowledged bytes beyond which the hub writes nothing more on such a connection; default 100,000.
    pub stateful_buffer_bytes: usize,
    /// How long such a connection is kept without a socket; default 15 s, then its id is unknown (404).
    pub stateful_reconnect_window: Duration,
    /// Whether errors tell the text of every exception; default `false`.
    pub detailed_errors: bool,
    /// The WebSockets that may be open at once; default 20,000, more are refused with 503.
    pub max_connections: usize,

    /// Quotes a second of each contract that somebody follows, trades and depth in proportion (20 and 62 for 42);
    /// default 42, as measured on TopstepX in regular hours. 0: the market stands still.
    pub quotes_per_second: f64,
    /// Whether the quotes and trades of `/hubs/market` are plain counters in place of a market; default `false`.
    ///
    /// Then every contract has them, whatever its id, and the `volume` of a quote is its number in the contract's
    /// stream, so that a hole shows, as on the reference server.
    pub counted_quotes: bool,
    /// Whether arrays of trades and of depth rows have null entries now and then; default `false`.
    pub null_padding: bool,
    /// Whether user events come bare, as documented, and not as `{action,data}`, as seen live; default `false`.
    pub bare_user_events: bool,
    /// Whether a subscription of somebody else's account fails; default `false`: it succeeds and stays silent.
    pub refuse_foreign_accounts: bool,
    /// A file of steps to play once the hub has started; default none.
    pub scenario: Option<PathBuf>,
    /// A folder in which a new file takes what connections say and hear, from the start; default none.
    ///
    /// It is [`MockHub::record`](crate::MockHub::record), begun before the first connection.
    pub record: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 0,
            public: false,
            seed: 0,
            clock: Clock::Real,
            require_token: None,
            bad_token: BadToken::Unauthorized,
            users: vec![Login::default()],
            any_login: false,
            token_lifetime: Duration::from_secs(24 * 60 * 60),
            close_on_token_expiration: false,
            logout_close: Some(Duration::from_millis(100)),
            rate_limits: true,
            retry_after: false,
            live_data: false,
            keep_alive: Duration::from_secs(15),
            client_timeout: Duration::from_secs(30),
            handshake_timeout: Duration::from_secs(15),
            negotiation_lifetime: Duration::from_secs(15),
            max_receive_bytes: 32 * 1024,
            parallel_invocations: 1,
            stream_buffer: 10,
            stateful_reconnect: false,
            stateful_buffer_bytes: 100_000,
            stateful_reconnect_window: Duration::from_secs(15),
            detailed_errors: false,
            max_connections: 20_000,
            quotes_per_second: 42.0,
            counted_quotes: false,
            null_padding: false,
            bare_user_events: false,
            refuse_foreign_accounts: false,
            scenario: None,
            record: None,
        }
    }
}

impl Options {
    /// Whose tokens a test lists, and whom a client without any token is taken for.
    pub(crate) fn first_user(&self) -> &str {
        self.users.first().map_or("user", |login| login.user.as_str())
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Options")
            .field("port", &self.port)
            .field("public", &self.public)
            .field("seed", &self.seed)
            .field("clock", &self.clock)
            .field("listed_tokens", &self.require_token.as_ref().map(Vec::len))
            .field("users", &self.users)
            .field("quotes_per_second", &self.quotes_per_second)
            .finish_non_exhaustive()
    }
}

/// What happens to a client whose token is missing or not good; both were seen at the real gateway.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum BadToken {
    /// 401 with an empty body, for negotiate and upgrade.
    #[default]
    Unauthorized,
    /// The upgrade and the handshake succeed, then comes a Close record without `allowReconnect`.
    AcceptThenClose,
}

/// What the market and the exchange of a hub take for the time. Sockets, tokens and limits always use the real one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Clock {
    /// The time of the system.
    #[default]
    Real,
    /// A time that begins at 2026-11-20T14:30:00Z, ends with 2042, and stands still but for [`MockHub::advance`].
    ///
    /// [`MockHub::advance`]: crate::MockHub::advance
    Virtual,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_printed_holds_a_secret() {
        let options = Options {
            require_token: Some(vec!["a-token".to_owned()]),
            users: vec![Login::new("ann", "a-key")],
            ..Options::default()
        };
        let printed = format!("{options:?}");
        assert!(!printed.contains("a-token") && !printed.contains("a-key"), "{printed}");
        assert!(printed.contains("ann"), "{printed}");
    }
}
