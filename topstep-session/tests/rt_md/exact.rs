//! The same scenarios in virtual time: the bounds to the nanosecond.

use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use topstep_model::{Hub, Timestamp};
use topstep_session::market::MergedQuote;
use topstep_session::{GapNotice, Offline, Told, Update, Updates};

use crate::support::{CONTRACT, MILLI, OTHER, SECOND, price};

fn world() -> Offline {
    Offline::new("2026-08-19T14:30:00Z".parse().unwrap())
}

fn quote(world: &Offline, contract: &str, last: &str, way: Duration) {
    let at = Timestamp::try_from(world.now().wall.utc() - way).unwrap();
    let row = format!(
        r#"["{contract}",{{"symbol":"F.US.EP","lastPrice":{last},"bestBid":{last},"bestAsk":{last},"lastUpdated":"{at}"}}]"#
    );
    world.receive("GatewayQuote", &row);
}

fn next(quotes: &mut Updates<MergedQuote>) -> Option<Update<MergedQuote>> {
    quotes.next().now_or_never().flatten()
}

/// What is there now, values only.
fn values(quotes: &mut Updates<MergedQuote>) -> Vec<Told<MergedQuote>> {
    let all = std::iter::from_fn(|| next(quotes));
    all.filter_map(|update| if let Update::Value(told) = update { Some(told) } else { None }).collect()
}

fn followed(world: &Offline, contract: &str) -> Updates<MergedQuote> {
    let mut quotes = world.drive(world.market().every_quote(contract)).unwrap();
    quote(world, contract, "6000", MILLI);
    values(&mut quotes);
    quotes
}

#[test]
fn rt_md_price_streaming_takes_no_time_of_its_own() {
    let world = world();
    let mut quotes = followed(&world, CONTRACT);
    world.advance(SECOND);
    let sent = world.now();
    // The venue's own way here is 99 ms: nothing is added to it.
    quote(&world, CONTRACT, "6123.25", 99 * MILLI);
    let told = values(&mut quotes);
    assert_eq!(world.now(), sent);
    assert_eq!((told.len(), told[0].value.last()), (1, Some(price("6123.25"))));
    assert_eq!(world.health().market.latency.max, 99 * MILLI);
    assert_eq!(world.health().alerts, [], "99 ms are less than 100");
}

#[test]
fn rt_md_connection_drop_is_over_when_the_hub_is_back_within_2_s() {
    let world = world();
    let mut streams = [CONTRACT, OTHER].map(|contract| followed(&world, contract));
    world.lose(Hub::Market);
    for quotes in &mut streams {
        assert!(matches!(next(quotes), Some(Update::Gap(GapNotice::Opened(gap))) if gap.to.is_none()));
    }
    world.advance(2 * SECOND - Duration::from_nanos(1));
    world.restore(Hub::Market);
    let health = world.health().market;
    assert_eq!((health.subscriptions.intended, health.subscriptions.acked), (2, 2), "at the same moment");
    for (quotes, contract) in streams.iter_mut().zip([CONTRACT, OTHER]) {
        quote(&world, contract, "6100.25", MILLI);
        let seen: Vec<_> = std::iter::from_fn(|| next(quotes)).collect();
        let [Update::Gap(GapNotice::Closed(gap, _)), Update::Value(told)] = &seen[..] else { panic!("{seen:?}") };
        let lasted = gap.to.unwrap().at.mono.saturating_since(gap.from.at.mono);
        assert!(lasted < 2 * SECOND && told.value.last() == Some(price("6100.25")), "{lasted:?}");
    }
}

#[test]
fn rt_md_idempotent_subscribe_tells_each_listener_once() {
    let world = world();
    let mut listeners = [(); 5].map(|()| world.drive(world.market().every_quote(CONTRACT)).unwrap());
    assert_eq!(world.calls(Hub::Market), [format!("subscribe market/quotes/{CONTRACT}")]);
    quote(&world, CONTRACT, "6000", MILLI);
    listeners.iter_mut().for_each(|quotes| drop(values(quotes)));
    quote(&world, CONTRACT, "2750", MILLI);
    world.advance(SECOND);
    for quotes in &mut listeners {
        assert_eq!(values(quotes).len(), 1);
    }
}

#[test]
fn rt_md_high_frequency_adds_nothing_to_the_latency() {
    let world = world();
    let mut quotes = followed(&world, CONTRACT);
    world.advance(SECOND);
    for update in 1..=100 {
        world.advance(10 * MILLI);
        quote(&world, CONTRACT, &format!("450.{update:03}"), 24 * MILLI);
    }
    let lasts: Vec<_> = values(&mut quotes).into_iter().filter_map(|told| told.value.last()).collect();
    let sent: Vec<_> = (1..=100).map(|update| price(&format!("450.{update:03}"))).collect();
    assert_eq!(lasts, sent, "each, in order");
    let health = world.health().market;
    assert_eq!(health.latency.max, 24 * MILLI, "what it was on its way, and no more");
    assert!(health.latency.p95 < 50 * MILLI && health.messages == 101);
}
