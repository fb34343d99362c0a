//! Follows everything that an account holder can follow, and says what it believes: one JSON object a line.
//!
//! ```text
//! cargo run --release -p topstep-session --example follow -- --runtime tokio --url http://127.0.0.1:40123 \
//!     --user-name U --api-key K --contracts CON.F.US.EP.Z26,CON.F.US.MNQ.Z26
//! ```
//!
//! On standard input `state` asks for the state, and `exit` ends it. `cargo run -p mock-hub` has something to follow.

#[path = "follow/believed.rs"]
mod believed;
#[path = "follow/told.rs"]
mod told;

use std::error::Error;
use std::io::{BufRead as _, Write as _};
use std::pin::pin;
use std::time::{Duration, Instant};

use adapter_async_std::AsyncStd;
use adapter_core::Runtime;
use adapter_tokio::Tokio;
use clap::{Parser, ValueEnum};
use futures_channel::mpsc;
use futures_util::StreamExt as _;
use futures_util::future::{Fuse, FutureExt as _};
use serde_json::{Map, Value, json};
use topstep_model::{AccountId, ContractId};
use topstep_session::market::{MarketConfig, TradingHours};
use topstep_session::{ConnectError, EventKind, Filter, Gateway, LoginError, LoginState, Subject};

#[derive(Parser)]
struct Options {
    /// The runtime to follow on.
    #[arg(long, value_enum, default_value = "tokio")]
    runtime: Which,
    /// The root of REST (`/api/...`) and of the hubs (`/hubs/user`, `/hubs/market`).
    #[arg(long)]
    url: String,
    /// Who logs in.
    #[arg(long)]
    user_name: String,
    /// The key of the user's API subscription.
    #[arg(long)]
    api_key: String,
    /// The contracts to follow, with commas between them.
    #[arg(long, value_delimiter = ',')]
    contracts: Vec<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Which {
    Tokio,
    AsyncStd,
}

/// What is said on standard input.
enum Said {
    State,
    Exit,
}

/// How long to rest after too many logins: a program that nobody watches would stop for good.
const REST: Duration = Duration::from_secs(60);
/// How long to wait before the venue is asked again for what there is to follow.
const PAUSE: Duration = Duration::from_secs(1);

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    match options.runtime {
        Which::Tokio => {
            tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(run::<Tokio>(options))
        }
        Which::AsyncStd => async_std::task::block_on(run::<AsyncStd>(options)),
    }
}

async fn run<R: Runtime>(options: Options) -> Result<(), Box<dyn Error>> {
    let out = Out { began: Instant::now() };
    let mut said = listen();
    let gateway = Gateway::builder()
        .url(&options.url)
        .api_key(&options.user_name, options.api_key.as_str())
        .market_config(MarketConfig::default().hours(TradingHours::always_open()))
        .build::<R>()?;
    let began = gateway.now();
    let events = gateway.events(Filter::all());

    let contracts: Vec<_> = options.contracts.iter().map(|contract| ContractId::new(contract)).collect();
    let subjects = contracts.iter().cloned().flat_map(|contract| {
        [Subject::Quotes(contract.clone()), Subject::MarketTrades(contract.clone()), Subject::Depth(contract)]
    });
    let _market = gateway.market().follow_subjects(subjects);
    let mut accounts = pin!(find_accounts(&gateway).fuse());
    let mut user = None;
    let mut rest = Fuse::terminated();

    let mut events = events.fuse();
    loop {
        futures_util::select! {
            found = accounts => user = Some(gateway.user_session().follow(found?)),
            () = rest => gateway.resume(),
            event = events.select_next_some() => {
                let is_halted = matches!(event.kind, EventKind::Halted(_));
                if is_halted && matches!(gateway.login().state(), LoginState::Ended(LoginError::TooManyLogins)) {
                    rest = R::sleep(REST).boxed().fuse();
                }
                if let Some(line) = told::line(&event.kind) {
                    out.write(line)?;
                }
            }
            said = said.select_next_some() => match said {
                Said::State => out.write(believed::state(&gateway, began))?,
                Said::Exit => break,
            },
        }
    }
    drop(user);
    gateway.close().await;
    Ok(())
}

/// The user's accounts, asked for until the venue tells. A login that is refused ends it.
async fn find_accounts<R: Runtime>(gateway: &Gateway<R>) -> Result<Vec<AccountId>, ConnectError> {
    loop {
        match gateway.log_in().await {
            Err(error @ (LoginError::Refused { .. } | LoginError::TooManyLogins)) => return Err(error.into()),
            Err(error) => eprintln!("logging in: {error}"),
            Ok(()) => match gateway.accounts().await {
                Ok(accounts) => return Ok(accounts.values().map(|account| account.id).collect()),
                Err(error) => eprintln!("asking for the accounts: {error}"),
            },
        }
        R::sleep(PAUSE).await;
    }
}

/// Reads standard input on a thread of its own: it cannot be waited for in the same way everywhere.
fn listen() -> mpsc::UnboundedReceiver<Said> {
    let (sender, receiver) = mpsc::unbounded();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let said = match line.as_deref().map(str::trim) {
                Ok("state") => Said::State,
                Ok("exit") | Err(_) => break,
                Ok(_) => continue,
            };
            if sender.unbounded_send(said).is_err() {
                return;
            }
        }
        let _ = sender.unbounded_send(Said::Exit);
    });
    receiver
}

struct Out {
    began: Instant,
}

impl Out {
    fn write(&self, mut line: Map<String, Value>) -> std::io::Result<()> {
        line.insert("t".to_owned(), json!(u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)));
        let mut out = std::io::stdout().lock();
        serde_json::to_writer(&mut out, &line)?;
        out.write_all(b"\n")?;
        out.flush()
    }
}
