//! One scenario, both runtimes, a venue to run it against, and what a stream yields until something comes.

#[path = "../common/runtimes.rs"]
mod runtimes;

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use adapter_core::Runtime;
use futures_util::future::{Either, select};
use futures_util::{Stream, StreamExt};
use mock_hub::{MockHub, Options};
use topstep_model::AccountId;
use topstep_session::gateway::GatewayBuilder;
use topstep_session::user::UserConfig;
use topstep_session::{GapNotice, Gateway, Update};

pub(crate) use runtimes::*;

pub(crate) const CONTRACT: &str = "CON.F.US.EP.Z26";
pub(crate) const MILLI: Duration = Duration::from_millis(1);
pub(crate) const SECOND: Duration = Duration::from_secs(1);
/// Nothing that is waited for takes longer, however busy the machine is.
const LIMIT: Duration = Duration::from_secs(60);
/// No scenario takes longer than this.
pub(crate) const LONGEST: Duration = Duration::from_secs(120);

/// A venue that asks for tokens, as the real one does, and whose market stands still unless a test moves it.
pub(crate) fn venue() -> MockHub {
    venue_with(Options::default())
}

pub(crate) fn venue_with(options: Options) -> MockHub {
    MockHub::start(Options { quotes_per_second: 0.0, require_token: Some(Vec::new()), ..options }).unwrap()
}

/// Builds for a venue, as its only user; it may log in and look after its gaps as often as it likes.
pub(crate) fn builder(hub: &MockHub) -> GatewayBuilder {
    let mut user = UserConfig::default();
    user.reconcile_spacing = 100 * MILLI;
    Gateway::builder().user_config(user).url(hub.url()).api_key("user", "mock-key").login_spacing(100 * MILLI)
}

pub(crate) async fn connected<R: Runtime>(hub: &MockHub) -> Gateway<R> {
    builder(hub).connect::<R>().await.unwrap()
}

pub(crate) fn first_account(hub: &MockHub) -> AccountId {
    AccountId::new(hub.accounts(None)[0].id.into())
}

/// Waits until a condition holds; it is asked again every few milliseconds.
pub(crate) async fn until<R: Runtime>(what: &str, mut condition: impl FnMut() -> bool) {
    let waits = async {
        while !condition() {
            R::sleep(5 * MILLI).await;
        }
    };
    within::<R, _>(what, waits).await;
}

pub(crate) async fn within<R: Runtime, F: Future>(what: &str, future: F) -> F::Output {
    match select(pin!(future), pin!(R::sleep(LIMIT))).await {
        Either::Left((output, _)) => output,
        Either::Right(_) => panic!("in vain: {what}"),
    }
}

pub(crate) async fn next<R: Runtime, S: Stream + Unpin>(stream: &mut S) -> S::Item {
    within::<R, _>("the next item", stream.next()).await.expect("the stream goes on")
}

/// The stream's next value; notices before it are passed over.
pub(crate) async fn value<R: Runtime, T>(stream: &mut (impl Stream<Item = Update<T>> + Unpin)) -> T {
    loop {
        if let Some(value) = next::<R, _>(stream).await.into_value() {
            return value;
        }
    }
}

/// What the stream yields up to and with this word, repeated values once.
pub(crate) async fn up_to<R: Runtime, T>(
    stream: &mut (impl Stream<Item = Update<T>> + Unpin),
    last: &str,
) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    while words.last().is_none_or(|word| word != last) {
        let update = within::<R, _>(&format!("{last} after {words:?}"), stream.next()).await;
        let word = match update.expect("the stream goes on") {
            Update::Value(_) => "value".to_owned(),
            Update::Gap(GapNotice::Opened(gap)) => format!("opened {}", gap.causes[0]),
            Update::Gap(GapNotice::Closed(_, verdict)) => format!("closed {}", verdict.as_str()),
            _ => "malformed".to_owned(),
        };
        if words.last() != Some(&word) {
            words.push(word);
        }
    }
    words
}

/// How often a method of the hubs was called.
pub(crate) fn calls(hub: &MockHub, method: &str) -> usize {
    hub.calls().iter().filter(|call| call.target == method).count()
}
