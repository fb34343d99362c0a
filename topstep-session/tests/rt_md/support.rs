//! One scenario, both runtimes, and a venue to run it against.

#[path = "../common/runtimes.rs"]
mod runtimes;

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use adapter_core::{HttpCall, HttpClient, Runtime};
use futures_util::StreamExt;
use futures_util::future::{Either, select};
use http::Method;
use mock_hub::{MockHub, Options};
use topstep_model::Price;
use topstep_session::market::{MarketConfig, MergedQuote, TradingHours};
use topstep_session::{GapNotice, Gateway, Update, Updates};

pub(crate) use runtimes::*;

pub(crate) const CONTRACT: &str = "CON.F.US.EP.Z26";
pub(crate) const OTHER: &str = "CON.F.US.MNQ.Z26";
pub(crate) const BARS: &str = "/api/History/retrieveBars";
pub(crate) const MILLI: Duration = Duration::from_millis(1);
pub(crate) const SECOND: Duration = Duration::from_secs(1);
/// No scenario takes longer, however busy the machine is.
pub(crate) const LONGEST: Duration = Duration::from_secs(90);

/// A venue whose market stands still unless a test moves it.
pub(crate) fn venue() -> MockHub {
    MockHub::start(Options { quotes_per_second: 0.0, ..Options::default() }).unwrap()
}

pub(crate) async fn connected<R: Runtime>(hub: &MockHub) -> Gateway<R> {
    // The same on every day of the week.
    let market = MarketConfig::default().hours(TradingHours::always_open());
    let builder = Gateway::builder().url(hub.url()).api_key("user", "mock-key").market_config(market);
    builder.connect::<R>().await.unwrap()
}

pub(crate) fn price(text: &str) -> Price {
    text.parse().unwrap()
}

/// The market moves to this price now.
pub(crate) fn set(hub: &MockHub, contract: &str, text: &str) {
    assert!(hub.set_price(contract, text.parse().unwrap()));
}

/// Within a deadline.
pub(crate) async fn within<R: Runtime, T>(what: &str, limit: Duration, future: impl Future<Output = T>) -> T {
    match select(pin!(future), pin!(R::sleep(limit))).await {
        Either::Left((output, _)) => output,
        Either::Right(_) => panic!("in vain, for {limit:?}: {what}"),
    }
}

/// Waits until a condition holds; it is asked again every few milliseconds.
pub(crate) async fn until<R: Runtime>(what: &str, limit: Duration, mut condition: impl FnMut() -> bool) {
    let holds = async {
        while !condition() {
            R::sleep(5 * MILLI).await;
        }
    };
    within::<R, _>(what, limit, holds).await;
}

/// The next value that has this last price, and what came before it.
pub(crate) async fn up_to(quotes: &mut Updates<MergedQuote>, last: Price) -> (MergedQuote, Vec<Update<MergedQuote>>) {
    let mut before = Vec::new();
    loop {
        match quotes.next().await.expect("the stream goes on") {
            Update::Value(told) if told.value.last() == Some(last) => return (told.value, before),
            update => before.push(update),
        }
    }
}

/// Up to the end of the gap that is open.
pub(crate) async fn up_to_closed(quotes: &mut Updates<MergedQuote>) -> Vec<Update<MergedQuote>> {
    let mut seen = Vec::new();
    loop {
        let update = quotes.next().await.expect("the stream goes on");
        let is_closed = matches!(update, Update::Gap(GapNotice::Closed(..)));
        seen.push(update);
        if is_closed {
            return seen;
        }
    }
}

/// How many REST calls of a path were answered with a status, as the venue counts them.
pub(crate) async fn answered<R: Runtime>(hub: &MockHub, path: &str, status: u16) -> u64 {
    let client = HttpClient::<R>::builder(hub.url()).build().unwrap();
    let answer = client.request(HttpCall::new(Method::GET, "/metrics")).await.unwrap();
    let text = String::from_utf8(answer.body.to_vec()).unwrap();
    let labels = [format!("path=\"{path}\""), format!("status=\"{status}\"")];
    let lines = text.lines().filter(|line| line.contains("http_request_seconds_count"));
    let fitting = lines.filter(|line| labels.iter().all(|label| line.contains(label)));
    fitting.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap() as u64).sum()
}

/// How often a method of a hub was called for a contract.
pub(crate) fn called(hub: &MockHub, method: &str, contract: &str) -> usize {
    let calls = hub.calls();
    calls.iter().filter(|call| call.target == method && call.arguments.first().is_some_and(|id| id == contract)).count()
}
