//! Both hubs followed through a storm of faults, and the follower held against the hub's own log: every event that the
//! hub sent was delivered once and in order, and every other one lies in a gap that the follower was told of.
//!
//! An event that is lost inside of a living connection is one that no client can know of; those are counted apart.
//! `STORM_SEED=N STORM_RUNS=M` takes other seeds than the usual ones.

mod ledger;
mod rules;

use std::sync::Arc;
use std::time::{Duration, Instant};

use adapter_core::{Event, Events, HubConnection, On, RetryPolicy, Runtime, Subscription};
use futures_util::{FutureExt, StreamExt};
use mock_hub::exchange::{OrderType, PlaceOrder, Side};
use mock_hub::{Login, MockHub, Options};
use serde_json::{Value, json};
use tests::http;
use tests::scenarios;
use tests::wait::{DEADLINE, within};

use ledger::{Ledger, Told};

scenarios! {
    nothing_is_lost_in_silence_whatever_goes_wrong,
    what_comes_late_comes_once,
}

const CONTRACTS: [&str; 2] = ["CON.F.US.EP.Z26", "CON.F.US.MNQ.Z26"];
const STORM: Duration = Duration::from_secs(4);
const ROUND: Duration = Duration::from_millis(5);
/// A trade on another platform every so many rounds.
const ROUNDS_A_TRADE: usize = 20;

/// One connection, its subscriptions, and everything that it told so far.
struct Follower<R> {
    connection: HubConnection<R>,
    events: Events,
    /// Without them the targets would be unhandled.
    listeners: Vec<On<Vec<Value>>>,
    subscriptions: Vec<(String, Subscription)>,
    told: Vec<Told>,
    end: Option<String>,
}

impl<R: Runtime> Follower<R> {
    /// A connection that logs in anew for every attempt, as the hub's user of that name.
    async fn start(hub: &MockHub, name: &'static str, targets: &[&str]) -> Self {
        let second = Duration::from_secs(1);
        let url = hub.url();
        let connection = HubConnection::builder(hub.hub_url(name))
            .access_token_provider(move || std::future::ready(log_in(&url, name)))
            .automatic_reconnect(RetryPolicy::custom(|_| Some(Duration::from_millis(20))))
            .connect_timeout(second)
            .handshake_timeout(second)
            .server_timeout(second)
            .call_timeout(2 * second)
            .keep_alive_interval(second / 5)
            .build()
            .unwrap();
        let events = connection.events();
        let listeners = targets.iter().map(|target| connection.on(target)).collect();
        within::<R, _>("the start", connection.start()).await.unwrap();
        Self { connection, events, listeners, subscriptions: Vec::new(), told: Vec::new(), end: None }
    }

    async fn subscribe(&mut self, group: String, methods: (&str, &str), arguments: Value) {
        let subscription =
            within::<R, _>("the subscription", self.connection.subscribe(methods, arguments)).await.unwrap();
        self.subscriptions.push((group, subscription));
    }

    /// Takes what has come.
    fn read(&mut self) {
        for listener in &mut self.listeners {
            while let Some(Some(_)) = listener.next().now_or_never() {}
        }
        while let Some(Some(event)) = self.events.next().now_or_never() {
            match event {
                Event::Connected(id) | Event::Reconnected(id) => {
                    self.told.push(Told::Link(id.server_assigned().unwrap_or_default().to_owned()));
                }
                Event::GapOpened { key, .. } => self.told.push(Told::Gap(key)),
                Event::Invocation { target, arguments, .. } => self.told.push(Told::Event { target, arguments }),
                Event::Disconnected(reason) => self.end = Some(reason.to_string()),
                _ => {}
            }
        }
    }
}

/// Two followers of one hub.
struct Watch<R> {
    hub: Arc<MockHub>,
    market: Follower<R>,
    user: Follower<R>,
    account: i32,
}

impl<R: Runtime> Watch<R> {
    async fn start(seed: u64) -> Self {
        let options = Options {
            seed,
            require_token: Some(Vec::new()),
            users: ["user", "market"].map(|name| Login::new(name, "key")).into(),
            keep_alive: Duration::from_millis(200),
            quotes_per_second: 100.0,
            null_padding: true,
            ..Options::default()
        };
        let hub = Arc::new(MockHub::start(options).unwrap());
        let mut market = Follower::<R>::start(&hub, "market", &["GatewayQuote", "GatewayTrade", "GatewayDepth"]).await;
        for contract in CONTRACTS {
            for (topic, name) in [("quotes", "Quotes"), ("trades", "Trades"), ("depth", "MarketDepth")] {
                let methods = [format!("SubscribeContract{name}"), format!("UnsubscribeContract{name}")];
                market.subscribe(format!("{topic}/{contract}"), (&methods[0], &methods[1]), json!([contract])).await;
            }
        }
        let account = hub.accounts(None)[0].id;
        let targets = ["GatewayUserAccount", "GatewayUserOrder", "GatewayUserPosition", "GatewayUserTrade"];
        let mut user = Follower::<R>::start(&hub, "user", &targets).await;
        user.subscribe("accounts".to_owned(), ("SubscribeAccounts", "UnsubscribeAccounts"), json!([])).await;
        for (topic, name) in [("orders", "Orders"), ("positions", "Positions"), ("trades", "Trades")] {
            let methods = [format!("Subscribe{name}"), format!("Unsubscribe{name}")];
            user.subscribe(format!("{topic}/{account}"), (&methods[0], &methods[1]), json!([account])).await;
        }
        Self { hub, market, user, account }
    }

    fn read(&mut self) {
        self.market.read();
        self.user.read();
    }

    /// Trades while the rules have their time.
    async fn weather(&mut self) {
        let ends = Instant::now() + STORM;
        for round in 0.. {
            if Instant::now() >= ends {
                return;
            }
            if round % ROUNDS_A_TRADE == 0 {
                let side = if (round / ROUNDS_A_TRADE).is_multiple_of(2) { Side::Buy } else { Side::Sell };
                self.hub.place(PlaceOrder::new(self.account, CONTRACTS[1], OrderType::Market, side, 1));
            }
            self.read();
            R::sleep(ROUND).await;
        }
    }

    /// Waits until both are connected and have everything that the hub sent; the error says what is amiss.
    async fn settle(&mut self, has_delays: bool) -> Result<Ledger, String> {
        self.hub.heal_all();
        self.hub.set_market_rate(0.0);
        let deadline = Instant::now() + DEADLINE;
        let (mut last, mut outcome) = (0, Err("nothing was looked at".to_owned()));
        while Instant::now() < deadline {
            self.read();
            let latest = self.hub.log(0, None, usize::MAX).last().map_or(0, |event| event.serial);
            let is_still = std::mem::replace(&mut last, latest) == latest;
            outcome = self.account(has_delays);
            if is_still && outcome.is_ok() {
                return outcome;
            }
            R::sleep(20 * ROUND).await;
        }
        outcome
    }

    fn account(&self, has_delays: bool) -> Result<Ledger, String> {
        let mut ledger = Ledger { has_delays, ..Ledger::default() };
        for follower in [&self.market, &self.user] {
            if let Some(end) = &follower.end {
                return Err(format!("it gave up: {end}"));
            }
            ledger.add(&self.hub, &follower.subscriptions, &follower.told)?;
        }
        Ok(ledger)
    }
}

fn log_in(url: &str, user: &str) -> Result<String, String> {
    let body = json!({ "userName": user, "apiKey": "key" });
    // The port may be closed just now.
    let answer = http::try_request("POST", &format!("{url}/api/Auth/loginKey"), &[], &body.to_string());
    let (_, answer) = answer.map_err(|error| error.to_string())?;
    let answer: Value = serde_json::from_str(&answer).map_err(|error| error.to_string())?;
    answer["token"].as_str().map(str::to_owned).ok_or_else(|| "refused".to_owned())
}

fn seeds(usual: &[u64]) -> Vec<u64> {
    let number = |name| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    match number("STORM_SEED") {
        Some(first) => (first..first + number("STORM_RUNS").unwrap_or(1)).collect(),
        None => usual.to_vec(),
    }
}

async fn nothing_is_lost_in_silence_whatever_goes_wrong<R: Runtime>() {
    for seed in seeds(&[1, 2]) {
        let mut watch = Watch::<R>::start(seed).await;
        for rule in rules::storm(seed) {
            watch.hub.inject(rule).unwrap();
        }
        watch.weather().await;
        let ledger = watch.settle(false).await.unwrap_or_else(|error| panic!("STORM_SEED={seed}: {error}"));
        let acted: u64 = watch.hub.faults().iter().map(|report| report.acted).sum();
        assert!(acted > 0 && ledger.delivered > 200, "STORM_SEED={seed}: {acted} {ledger:?}");
        assert_eq!(ledger.late, 0, "STORM_SEED={seed}: {ledger:?}");
        println!("seed {seed}: {acted} faults acted, {ledger:?}");
    }
}

async fn what_comes_late_comes_once<R: Runtime>() {
    for seed in seeds(&[3]) {
        let mut watch = Watch::<R>::start(seed).await;
        for rule in rules::delays(seed) {
            watch.hub.inject(rule).unwrap();
        }
        watch.weather().await;
        let ledger = watch.settle(true).await.unwrap_or_else(|error| panic!("STORM_SEED={seed}: {error}"));
        assert!(ledger.late > 0 && ledger.delivered > 200, "STORM_SEED={seed}: {ledger:?}");
        println!("seed {seed}: {ledger:?}");
    }
}
