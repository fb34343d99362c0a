//! A world, its venue, and what a stream yields as words.

use std::time::Duration;

use futures_util::{FutureExt, Stream, StreamExt};
use topstep_model::{AccountId, ContractId};
use topstep_session::{GapNotice, Known, Offline, SessionEvent, SubscribeError, Update, Updates};

pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const CONTRACT: &str = "CON.F.US.EP.Z26";
pub(crate) const QUOTES: &str = "market/quotes/CON.F.US.EP.Z26";
pub(crate) const TRADES: &str = "market/market_trades/CON.F.US.EP.Z26";
pub(crate) const DEPTH: &str = "market/depth/CON.F.US.EP.Z26";
pub(crate) const ACCOUNT: AccountId = AccountId::new(7);

/// A venue with one flat account.
pub(crate) fn world() -> Offline {
    let world = Offline::new("2026-08-19T14:30:00Z".parse().unwrap());
    world.rest(|path, body| match path {
        "/api/Account/search" => (
            200,
            r#"{"success":true,"errorCode":0,"accounts":[{"id":7,"name":"PRAC","balance":50000,"canTrade":true}]}"#
                .to_owned(),
        ),
        "/api/Order/searchById" => (200, found(body)),
        "/api/Position/searchOpen" => (200, r#"{"success":true,"errorCode":0,"positions":[]}"#.to_owned()),
        _ => (200, r#"{"success":true,"errorCode":0,"orders":[],"trades":[],"totalCount":0}"#.to_owned()),
    });
    world
}

/// The order that a question is about: it works.
fn found(body: &str) -> String {
    let question: serde_json::Value = serde_json::from_str(body).unwrap();
    format!(
        r#"{{"success":true,"errorCode":0,"order":{{"id":{},"accountId":7,"contractId":"{CONTRACT}","status":1}}}}"#,
        question["orderId"]
    )
}

pub(crate) fn contract() -> ContractId {
    ContractId::new(CONTRACT)
}

/// The hub quotes both sides.
pub(crate) fn quote(world: &Offline, bid: u32) {
    let ask = bid + 1;
    world.receive("GatewayQuote", &format!(r#"["{CONTRACT}",{{"bestBid":{bid},"bestAsk":{ask},"lastPrice":{bid}}}]"#));
}

/// The hub tells a trade at this price.
pub(crate) fn trade(world: &Offline, price: u32) {
    world.receive("GatewayTrade", &format!(r#"["{CONTRACT}",[{{"price":{price},"volume":1,"type":0}}]]"#));
}

/// The hub tells the whole book: one level on each side.
pub(crate) fn snapshot(world: &Offline, bid: u32) {
    let rows = [(6, 0, 0), (4, bid, 3), (3, bid + 1, 3)].map(|(kind, price, volume)| {
        format!(r#"{{"type":{kind},"price":{price},"volume":{volume},"timestamp":"0001-01-01T00:00:00+00:00"}}"#)
    });
    world.receive("GatewayDepth", &format!(r#"["{CONTRACT}",[{}]]"#, rows.join(",")));
}

/// The hub tells a level of the book.
pub(crate) fn level(world: &Offline, bid: u32, volume: u32) {
    world.receive(
        "GatewayDepth",
        &format!(r#"["{CONTRACT}",[{{"type":4,"price":{bid},"volume":{volume},"timestamp":"2026-08-19T14:30:00Z"}}]]"#),
    );
}

/// The hub tells an order of the account.
pub(crate) fn order(world: &Offline, id: u32) {
    world.receive(
        "GatewayUserOrder",
        &format!(r#"[{{"action":1,"data":{{"id":{id},"accountId":7,"contractId":"{CONTRACT}","status":1}}}}]"#),
    );
}

/// A stream's update as a word: how a value is known, what became of a gap.
pub(crate) fn word<T>(update: &Update<T>) -> String {
    match update {
        Update::Value(told) => told.known.as_str().to_owned(),
        Update::Gap(GapNotice::Opened(gap)) => {
            let causes: Vec<_> = gap.causes.iter().map(|cause| cause.as_str()).collect();
            format!("opened {}", causes.join("+"))
        }
        Update::Gap(GapNotice::Closed(_, verdict)) => format!("closed {}", verdict.as_str()),
        Update::Malformed(_) => "malformed".to_owned(),
        other => panic!("{:?}", std::mem::discriminant(other)),
    }
}

/// What a stream yields without waiting.
pub(crate) fn ready<S: Stream + Unpin>(stream: &mut S) -> Vec<S::Item> {
    std::iter::from_fn(|| stream.next().now_or_never().flatten()).collect()
}

/// The same as words.
pub(crate) fn words<T>(stream: &mut Updates<T>) -> Vec<String> {
    ready(stream).iter().map(word).collect()
}

/// The values that a stream yields without waiting.
pub(crate) fn values<T>(stream: &mut Updates<T>) -> Vec<T> {
    ready(stream).into_iter().filter_map(Update::into_value).collect()
}

/// The kinds of the events that wait.
pub(crate) fn kinds(events: &mut (impl Stream<Item = SessionEvent> + Unpin)) -> Vec<&'static str> {
    ready(events).iter().map(|event| event.kind.as_str()).collect()
}

/// A stream that is asked for, and cannot be had yet.
pub(crate) fn pending<F: Future>(world: &Offline, future: F) -> std::pin::Pin<Box<F>> {
    let mut future = Box::pin(future);
    assert!(now(&mut future).is_none(), "it waits");
    world.run();
    assert!(now(&mut future).is_none(), "it waits");
    future
}

/// What a future has come to.
pub(crate) fn now<F: Future>(future: &mut std::pin::Pin<Box<F>>) -> Option<F::Output> {
    future.as_mut().now_or_never()
}

pub(crate) fn refusal<T: std::fmt::Debug>(result: Result<T, SubscribeError>) -> String {
    match result.unwrap_err() {
        SubscribeError::Refused { error, .. } => error,
        other => panic!("{other}"),
    }
}

/// Whether everything that is believed of the account is known like this.
pub(crate) fn account_known(world: &Offline) -> Option<Known> {
    world.user().account(ACCOUNT).get().map(|entry| entry.known)
}
