//! The options of the program.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use mock_hub::market::Market;
use mock_hub::{BadToken, Clock, Login, Options};

use crate::logging::Log;

/// What the gateway is told.
#[derive(Debug, Parser)]
pub(crate) struct Arguments {
    /// The port; 0: any free one
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// The seed of prices, ids and delays
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Quotes a second and contract, 50000 at most, trades and depth in proportion; 0: the market stands still
    #[arg(long, alias = "quotes-per-second", default_value_t = 42.0, value_parser = rate)]
    rate: f64,
    /// A scenario to play: rules and steps with times
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
    /// Write what connections say and hear to a new file in this folder, as JSON lines
    #[arg(long, value_name = "DIR")]
    record: Option<PathBuf>,
    /// Stop when standard input ends, so that no test leaves a hub behind
    #[arg(long)]
    pub(crate) exit_with_stdin: bool,
    /// What happens, on standard error: json, text or off
    #[arg(long, value_name = "FORM", default_value = "text")]
    pub(crate) log: Log,
    /// Let clients resume a lost connection (SignalR's stateful reconnect)
    #[arg(long)]
    stateful_reconnect: bool,
    /// Unacknowledged bytes beyond which nothing more is written to such a connection
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    stateful_buffer_bytes: usize,
    /// Listen on every address and answer to every name; else on loopback only
    #[arg(long)]
    public: bool,
    /// The market and the exchange stand still but for POST /control/advance
    #[arg(long)]
    virtual_clock: bool,

    /// Who can log in with which key; may be repeated [default: user:mock-key]
    #[arg(long = "user", value_name = "NAME:KEY", value_parser = login)]
    users: Vec<Login>,
    /// Take any name with any key at /api/Auth/loginKey
    #[arg(long)]
    any_login: bool,
    /// Ask for no token at /hubs/market and /hubs/user
    #[arg(long, conflicts_with_all = ["tokens", "require_token"])]
    open: bool,
    /// A token that is good there besides those issued; may be repeated
    #[arg(long = "token", value_name = "T")]
    tokens: Vec<String>,
    /// Ask for a token there, which is the default
    #[arg(long, hide = true)]
    require_token: bool,
    /// Let clients with a bad token in and close them after the handshake, in place of a 401
    #[arg(long)]
    accept_then_close: bool,
    /// The life of the tokens issued
    #[arg(long, value_name = "N", default_value_t = 86_400)]
    token_lifetime_s: u64,
    /// End connections, with reconnecting allowed, when their token does
    #[arg(long)]
    close_on_token_expiration: bool,
    /// Set no limits to the rate of REST calls
    #[arg(long)]
    no_rate_limits: bool,
    /// Say in a 429 when to come again
    #[arg(long)]
    retry_after: bool,
    /// Give the logins the live data tier
    #[arg(long)]
    live_data: bool,

    /// Between two pings; 0: none
    #[arg(long, value_name = "N", default_value_t = 15_000)]
    keep_alive_ms: u64,
    /// A client silent for longer, once it has pinged, is dropped; 0: never
    #[arg(long, value_name = "N", default_value_t = 30_000)]
    client_timeout_ms: u64,
    /// For the handshake request
    #[arg(long, value_name = "N", default_value_t = 15_000)]
    handshake_timeout_ms: u64,
    /// The largest record accepted; 0: no limit
    #[arg(long, value_name = "N", default_value_t = 32 * 1024)]
    max_receive_bytes: usize,
    /// Invocations of one client that run at once
    #[arg(long, value_name = "N", default_value_t = 1)]
    parallel: usize,
    /// Items of a client-to-server stream that wait for their method
    #[arg(long, value_name = "N", default_value_t = 10)]
    stream_buffer: usize,
    /// Exception texts reach the client
    #[arg(long)]
    detailed_errors: bool,

    /// Quotes and trades only count, for any contract: the volume is the quote's number
    #[arg(long)]
    counted_quotes: bool,
    /// Null entries in arrays of trades and depth rows now and then
    #[arg(long)]
    null_padding: bool,
    /// User events without their {action,data} envelope
    #[arg(long)]
    bare_user_events: bool,
    /// Subscribing somebody else's account fails
    #[arg(long)]
    refuse_foreign_accounts: bool,
}

impl Arguments {
    /// The user whom the first line names.
    pub(crate) fn first_login(&self) -> Login {
        self.users.first().cloned().unwrap_or_default()
    }

    pub(crate) fn into_options(self) -> Options {
        let milliseconds = Duration::from_millis;
        let defaults = Options::default();
        Options {
            port: self.port,
            public: self.public,
            seed: self.seed,
            clock: if self.virtual_clock { Clock::Virtual } else { Clock::Real },
            require_token: (!self.open).then_some(self.tokens),
            bad_token: if self.accept_then_close { BadToken::AcceptThenClose } else { BadToken::Unauthorized },
            users: if self.users.is_empty() { defaults.users } else { self.users },
            any_login: self.any_login,
            token_lifetime: Duration::from_secs(self.token_lifetime_s),
            close_on_token_expiration: self.close_on_token_expiration,
            rate_limits: !self.no_rate_limits,
            retry_after: self.retry_after,
            live_data: self.live_data,
            keep_alive: milliseconds(self.keep_alive_ms),
            client_timeout: milliseconds(self.client_timeout_ms),
            handshake_timeout: milliseconds(self.handshake_timeout_ms),
            max_receive_bytes: self.max_receive_bytes,
            parallel_invocations: self.parallel,
            detailed_errors: self.detailed_errors,
            stateful_reconnect: self.stateful_reconnect,
            stateful_buffer_bytes: self.stateful_buffer_bytes,
            stream_buffer: self.stream_buffer,
            quotes_per_second: self.rate,
            counted_quotes: self.counted_quotes,
            null_padding: self.null_padding,
            bare_user_events: self.bare_user_events,
            refuse_foreign_accounts: self.refuse_foreign_accounts,
            scenario: self.scenario,
            record: self.record,
            ..Options::default()
        }
    }
}

fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate| (0.0..=Market::HIGHEST_RATE).contains(rate));
    rate.ok_or_else(|| format!("a rate is a number from 0 to {}", Market::HIGHEST_RATE))
}

fn login(text: &str) -> Result<Login, String> {
    match text.split_once(':') {
        Some((user, key)) if !user.is_empty() && !key.is_empty() => Ok(Login::new(user, key)),
        _ => Err("NAME:KEY is wanted".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(arguments: &[&str]) -> Options {
        Arguments::try_parse_from([&["mock-hub"], arguments].concat()).unwrap().into_options()
    }

    #[test]
    fn without_options_it_is_the_gateway_and_asks_for_tokens() {
        let options = options(&[]);
        assert_eq!((options.require_token, options.users.len(), options.public), (Some(Vec::new()), 1, false));
        assert_eq!(options.quotes_per_second, 42.0);
    }

    #[test]
    fn options_reach_the_hub() {
        let options = options(&[
            "--port",
            "5",
            "--seed",
            "7",
            "--rate",
            "100",
            "--scenario",
            "a.toml",
            "--stateful-reconnect",
            "--public",
            "--user",
            "ann:k:e",
            "--user",
            "bob:b",
            "--token",
            "T",
            "--virtual-clock",
        ]);
        assert_eq!((options.port, options.seed, options.quotes_per_second), (5, 7, 100.0));
        assert!(options.stateful_reconnect && options.public && options.clock == Clock::Virtual);
        assert_eq!(options.users, [Login::new("ann", "k:e"), Login::new("bob", "b")]);
        assert_eq!(options.require_token, Some(vec!["T".to_owned()]));
        assert_eq!(options.scenario, Some(PathBuf::from("a.toml")));
    }

    #[test]
    fn an_open_hub_asks_for_no_token() {
        assert_eq!(options(&["--open", "--quotes-per-second", "0"]).require_token, None);
        assert!(Arguments::try_parse_from(["mock-hub", "--open", "--token", "T"]).is_err());
        assert!(Arguments::try_parse_from(["mock-hub", "--user", "nobody"]).is_err());
        for rate in ["nan", "inf", "-1", "50001", "x"] {
            assert!(Arguments::try_parse_from(["mock-hub".to_owned(), format!("--rate={rate}")]).is_err(), "{rate}");
        }
    }
}
