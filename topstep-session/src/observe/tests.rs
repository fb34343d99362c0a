//! What is told of sessions without a network, in virtual time.

mod documents;
mod health;
mod recorded;

use std::time::Duration;

use futures_util::FutureExt;
use topstep_model::AccountId;

use crate::Offline;

const CONTRACT: &str = "CON.F.US.EP.Z26";
const SECOND: Duration = Duration::from_secs(1);
const MILLI: Duration = Duration::from_millis(1);

/// A world at 14:30:00 in which every account is flat.
fn world() -> Offline {
    let world = Offline::new("2026-08-19T14:30:00Z".parse().unwrap());
    world.rest(|path, _| match path {
        "/api/Account/search" => (
            200,
            r#"{"success":true,"errorCode":0,"accounts":[{"id":7,"name":"PRAC","balance":50000,"canTrade":true}]}"#
                .into(),
        ),
        "/api/Position/searchOpen" => (200, r#"{"success":true,"errorCode":0,"positions":[]}"#.into()),
        _ => (200, r#"{"success":true,"errorCode":0,"orders":[],"trades":[],"totalCount":0}"#.into()),
    });
    world
}

fn account() -> AccountId {
    AccountId::new(7)
}

/// A full quote whose time is so many milliseconds ago.
fn quote(world: &Offline, ago: Duration) {
    let at = world.now().wall.utc() - ago;
    let at = topstep_model::Timestamp::try_from(at).unwrap();
    let row = format!(
        r#"["{CONTRACT}",{{"symbol":"F.US.EP","lastPrice":6000.25,"bestBid":6000,"bestAsk":6000.5,"lastUpdated":"{at}"}}]"#
    );
    world.receive("GatewayQuote", &row);
}

/// Quotes come every ten seconds, so that none is missed in an open market.
fn go_on(world: &Offline, times: u32) {
    for _ in 0..times {
        world.advance(SECOND * 10);
        quote(world, MILLI);
    }
}

/// Quotes are followed, and the first has come.
fn quotes(world: &Offline) -> crate::Updates<crate::market::MergedQuote> {
    let mut quotes = world.drive(world.market().quotes(CONTRACT)).unwrap();
    // A snapshot, an hour old.
    quote(world, SECOND * 3_600);
    while quotes.next_now().is_some() {}
    quotes
}

trait NextNow {
    fn next_now(&mut self) -> Option<()>;
}

impl<S: futures_util::Stream + Unpin> NextNow for S {
    fn next_now(&mut self) -> Option<()> {
        futures_util::StreamExt::next(self).now_or_never().flatten().map(|_| ())
    }
}
