//! Prices as they come, over drops, over repeated wishes, and a hundred in a second.

use std::time::{Duration, Instant};

use adapter_core::Runtime;
use futures_util::future::join;
use mock_hub::How;
use topstep_session::{GapNotice, Update};

use crate::support::*;

scenarios! {
    rt_md_price_streaming,
    rt_md_connection_drop,
    rt_md_idempotent_subscribe,
    rt_md_high_frequency,
}

/// Ten times the 100 ms, since a busy machine is no fault.
const PROMPT: Duration = Duration::from_secs(1);

async fn rt_md_price_streaming<R: Runtime>() {
    let hub = venue();
    let gateway = connected::<R>(&hub).await;
    let mut quotes = gateway.market().quotes(CONTRACT).await.unwrap();
    let mut other = gateway.market().quotes(OTHER).await.unwrap();
    within::<R, _>("the cold start is over", 10 * SECOND, join(up_to_closed(&mut quotes), up_to_closed(&mut other)))
        .await;
    let begun = Instant::now();
    set(&hub, CONTRACT, "6123.25");
    let (quote, before) = within::<R, _>("the price", PROMPT, up_to(&mut quotes, price("6123.25"))).await;
    println!("latency: {:?}", begun.elapsed());
    assert!(before.iter().all(|update| matches!(update, Update::Value(_))), "{before:?}");
    assert_eq!((quote.contract.as_str(), quote.last()), (CONTRACT, Some(price("6123.25"))));
    assert!(quote.sides().is_some() && quote.volume.is_some(), "merged with what was there: {quote:?}");
    set(&hub, OTHER, "21000.5");
    let (quote, _) = within::<R, _>("the other's price", PROMPT, up_to(&mut other, price("21000.5"))).await;
    assert_eq!(quote.contract.as_str(), OTHER);
}

async fn rt_md_connection_drop<R: Runtime>() {
    let hub = venue();
    let gateway = connected::<R>(&hub).await;
    let contracts = [CONTRACT, OTHER];
    let mut streams = Vec::new();
    for contract in contracts {
        let mut quotes = gateway.market().quotes(contract).await.unwrap();
        within::<R, _>("the cold start is over", 10 * SECOND, up_to_closed(&mut quotes)).await;
        streams.push(quotes);
    }
    hub.clear_calls();
    let begun = Instant::now();
    assert_eq!(hub.drop_all(How::Reset), 1);
    for quotes in &mut streams {
        // Ten times the 2 s.
        let seen = within::<R, _>("the gap is over", 20 * SECOND, up_to_closed(quotes)).await;
        let opened = seen.iter().position(|update| matches!(update, Update::Gap(GapNotice::Opened(_))));
        let opened = opened.expect("it was told where it began");
        let after = &seen[opened..];
        assert!(after.iter().all(|update| !matches!(update, Update::Malformed(_))), "{after:?}");
    }
    println!("restored after {:?}", begun.elapsed());
    for ((contract, quotes), at) in contracts.into_iter().zip(&mut streams).zip(["6111.75", "20999.25"]) {
        set(&hub, contract, at);
        within::<R, _>("an update after the drop", PROMPT, up_to(quotes, price(at))).await;
        assert_eq!(called(&hub, "SubscribeContractQuotes", contract), 1, "asked for once, anew");
    }
    let health = gateway.health().market;
    assert_eq!((health.subscriptions.intended, health.subscriptions.acked, health.gaps_open), (2, 2, 0));
    assert_eq!((health.connections, health.reconnects), (2, 1));
}

async fn rt_md_idempotent_subscribe<R: Runtime>() {
    let hub = venue();
    let gateway = connected::<R>(&hub).await;
    let mut listeners = Vec::new();
    for _ in 0..5 {
        // Every one of them is kept, so that a second copy could not hide.
        listeners.push(gateway.market().every_quote(CONTRACT).await.unwrap());
    }
    assert_eq!(called(&hub, "SubscribeContractQuotes", CONTRACT), 1);
    assert_eq!(gateway.health().market.subscriptions.intended, 1);
    set(&hub, CONTRACT, "6200");
    for listener in &mut listeners {
        within::<R, _>("the market stands", PROMPT, up_to(listener, price("6200"))).await;
    }
    set(&hub, CONTRACT, "6201.5");
    set(&hub, CONTRACT, "6202");
    for listener in &mut listeners {
        let (_, before) = within::<R, _>("the last price", PROMPT, up_to(listener, price("6202"))).await;
        let lasts: Vec<_> =
            before.into_iter().map(|update| update.into_value().and_then(|quote| quote.last())).collect();
        assert_eq!(lasts, [Some(price("6201.5"))], "exactly one update of each change");
    }
    // The subscription ends with the last of them only.
    while listeners.len() > 1 {
        drop(listeners.pop());
    }
    set(&hub, CONTRACT, "6203");
    within::<R, _>("one listens still", PROMPT, up_to(&mut listeners[0], price("6203"))).await;
    assert_eq!(called(&hub, "UnsubscribeContractQuotes", CONTRACT), 0);
    drop(listeners);
    let gone = || called(&hub, "UnsubscribeContractQuotes", CONTRACT) == 1;
    until::<R>("the hub is told that nobody listens", 10 * SECOND, gone).await;
}

async fn rt_md_high_frequency<R: Runtime>() {
    const UPDATES: u32 = 100;
    let hub = venue();
    let gateway = connected::<R>(&hub).await;
    let mut quotes = gateway.market().every_quote(CONTRACT).await.unwrap();
    set(&hub, CONTRACT, "6000");
    within::<R, _>("the market stands", 10 * SECOND, up_to(&mut quotes, price("6000"))).await;
    let at = |update: u32| price(&format!("{}.{:02}", 6_000 + update / 4, update % 4 * 25));
    let begun = Instant::now();
    let sent = async {
        let mut sent = Vec::new();
        for update in 1..=UPDATES {
            // On its own beat: a late one is followed sooner.
            let due = begun + update * 10 * MILLI;
            R::sleep(due.saturating_duration_since(Instant::now())).await;
            sent.push(Instant::now());
            assert!(hub.set_price(CONTRACT, at(update).decimal()));
        }
        sent
    };
    let heard = async {
        let mut heard = Vec::new();
        for update in 1..=UPDATES {
            let (quote, before) = up_to(&mut quotes, at(update)).await;
            assert!(before.is_empty(), "lost, or out of order, before {update}: {before:?}");
            heard.push((Instant::now(), quote));
        }
        heard
    };
    let (sent, heard) = within::<R, _>("a hundred updates", 20 * SECOND, join(sent, heard)).await;
    assert_eq!(heard.last().unwrap().1.last(), Some(price("6025")), "the last price of the sequence");
    let mut took: Vec<_> = heard.iter().zip(&sent).map(|((heard, _), sent)| heard.duration_since(*sent)).collect();
    took.sort_unstable();
    let (mean, p95, max) = (took.iter().sum::<Duration>() / UPDATES, took[94], took[99]);
    println!("latency: mean {mean:?}, p95 {p95:?}, max {max:?}");
    // Ten times the 25, 50 and 100 ms.
    assert!(mean < 250 * MILLI && p95 < 500 * MILLI && max < 1_000 * MILLI, "{mean:?} {p95:?} {max:?}");
    assert!(gateway.health().market.latency.count > 0, "the session has measured it as well");
}
