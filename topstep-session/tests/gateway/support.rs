//! One scenario, both runtimes, and a venue to run it against.

#[path = "../common/runtimes.rs"]
mod runtimes;

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use adapter_core::{HttpCall, HttpClient, Runtime};
use futures_util::future::{Either, select};
use http::Method;
use mock_hub::{MockHub, Options};
use topstep_model::{AccountId, Order, OrderId, OrderStatus, Price};
use topstep_session::Gateway;
use topstep_session::gateway::GatewayBuilder;

pub(crate) use runtimes::*;

pub(crate) const CONTRACT: &str = "CON.F.US.EP.Z26";
pub(crate) const MILLI: Duration = Duration::from_millis(1);
pub(crate) const SECOND: Duration = Duration::from_secs(1);
/// A short life of a token. The end that is written in it may be a second later, and four fifths of that are still before its true end.
pub(crate) const LIFE: Duration = Duration::from_secs(5);
/// No scenario takes longer, however busy the machine is.
pub(crate) const LONGEST: Duration = Duration::from_secs(90);

/// A venue whose market stands still unless a test moves it.
pub(crate) fn venue() -> MockHub {
    venue_with(Options::default())
}

pub(crate) fn venue_with(options: Options) -> MockHub {
    MockHub::start(Options { quotes_per_second: 0.0, ..options }).unwrap()
}

/// Builds for a venue, as its only user.
pub(crate) fn builder(hub: &MockHub) -> GatewayBuilder {
    Gateway::builder().url(hub.url()).api_key("user", "mock-key")
}

pub(crate) async fn connected<R: Runtime>(hub: &MockHub) -> Gateway<R> {
    builder(hub).connect::<R>().await.unwrap()
}

pub(crate) fn first_account(hub: &MockHub) -> AccountId {
    AccountId::new(hub.accounts(None)[0].id.into())
}

pub(crate) fn price(text: &str) -> Price {
    text.parse().unwrap()
}

/// A price far below the market, where a limit order to buy rests.
pub(crate) fn far_below() -> Price {
    price("1000")
}

/// The orders that stand at the venue with a tag.
pub(crate) fn orders_at(hub: &MockHub) -> Vec<serde_json::Value> {
    hub.truth(None)["orders"].as_array().unwrap().clone()
}

/// How many REST calls of a path were answered with a status, and how many logins there were, as the venue counts them.
pub(crate) async fn scraped<R: Runtime>(hub: &MockHub) -> Scrape {
    let client = HttpClient::<R>::builder(hub.url()).build().unwrap();
    let answer = client.request(HttpCall::new(Method::GET, "/metrics")).await.unwrap();
    Scrape(String::from_utf8(answer.body.to_vec()).unwrap())
}

pub(crate) struct Scrape(String);

impl Scrape {
    pub(crate) fn calls(&self, path: &str, status: u16) -> u64 {
        let labels = [format!("path=\"{path}\""), format!("status=\"{status}\"")];
        self.sum(|line| line.contains("http_request_seconds_count") && labels.iter().all(|label| line.contains(label)))
    }

    pub(crate) fn logins(&self) -> u64 {
        self.sum(|line| line.starts_with("mock_hub_logins_total{"))
    }

    fn sum(&self, is_it: impl Fn(&str) -> bool) -> u64 {
        let lines = self.0.lines().filter(|line| !line.starts_with('#') && is_it(line));
        lines.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap() as u64).sum()
    }
}

/// Waits until a condition holds; it is asked again every few milliseconds.
pub(crate) async fn until<R: Runtime, F: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> F) {
    let waits = async {
        while !condition().await {
            R::sleep(5 * MILLI).await;
        }
    };
    if let Either::Right(_) = select(pin!(waits), pin!(R::sleep(20 * SECOND))).await {
        panic!("in vain: {what}");
    }
}

/// Waits until an order has this status, and returns it.
pub(crate) async fn order_becomes<R: Runtime>(
    gateway: &Gateway<R>,
    account: AccountId,
    id: OrderId,
    status: OrderStatus,
) -> Order {
    until::<R, _>("the order has its status", async || gateway.order(account, id).await.unwrap().status == status)
        .await;
    gateway.order(account, id).await.unwrap()
}
