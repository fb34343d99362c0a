//! What a hub can be told when it starts.

use std::time::Duration;

/// The settings of a [`MockHub`](crate::MockHub); the defaults are ASP.NET Core's own where it has one.
#[derive(Clone, Debug)]
pub struct Options {
    /// The port on 127.0.0.1; 0 (the default) takes any free one.
    pub port: u16,
    /// The tokens that `/hubs/market` and `/hubs/user` ask for; `None` (the default) asks for none.
    ///
    /// With a list, tokens that the hub itself issued (`/api/Auth/loginKey`, [`MockHub::issue_token`]) are good too.
    /// `/hubs/secure` asks for a token in any case.
    ///
    /// [`MockHub::issue_token`]: crate::MockHub::issue_token
    pub require_token: Option<Vec<String>>,
    /// What a client with a bad token meets at `/hubs/market` and `/hubs/user`; default: a 401.
    pub bad_token: BadToken,
    /// The time between two pings of the server; default 15 s. Other traffic does not postpone them.
    pub keep_alive: Duration,
    /// The silence of a client, once it has pinged, that ends its connection; default 30 s.
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
    /// Whether errors tell the text of every exception; default `false`.
    pub detailed_errors: bool,
    /// The WebSockets that may be open at once; default 20,000, more are refused with 503.
    pub max_connections: usize,
    /// Generated quotes a second for each contract; default 4, 0: only the first, full one.
    pub quotes_per_second: f64,
    /// Recorded events a second for each subscription of trades or depth on `/hubs/market`; default 1, 0: none.
    pub market_samples_per_second: f64,
    /// Recorded events a second for each subscription on `/hubs/user`; default 0: a flat account is silent.
    pub user_samples_per_second: f64,
    /// The kinds of recorded events that are replayed; default those seen live, `LIVE` and `LIVE-PARTIAL`.
    pub sample_kinds: Vec<String>,
    /// The life of the tokens that the hub issues; default 24 h.
    pub token_lifetime: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 0,
            require_token: None,
            bad_token: BadToken::Unauthorized,
            keep_alive: Duration::from_secs(15),
            client_timeout: Duration::from_secs(30),
            handshake_timeout: Duration::from_secs(15),
            negotiation_lifetime: Duration::from_secs(15),
            max_receive_bytes: 32 * 1024,
            parallel_invocations: 1,
            stream_buffer: 10,
            detailed_errors: false,
            max_connections: 20_000,
            quotes_per_second: 4.0,
            market_samples_per_second: 1.0,
            user_samples_per_second: 0.0,
            sample_kinds: vec!["LIVE".to_owned(), "LIVE-PARTIAL".to_owned()],
            token_lifetime: Duration::from_secs(24 * 60 * 60),
        }
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
