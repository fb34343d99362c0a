//! The reconnecting part of the integration suite: IT-SIG-010, 011, 012.

use std::time::{Duration, Instant};

use adapter_core::{BreakerState, Delivery, Event, HubConnection, RetryPolicy, Runtime, State};
use mock_hub::script::{Reply, ScriptHub, Session};
use serde_json::json;
use tests::events::{find, up_to};
use tests::records::{completion, event, id_of};
use tests::scenarios;
use tests::wait::{next, within};

use super::{builder, connect, echo, unwell};

scenarios! {
    it_sig_010_a_dropped_connection_is_back_with_a_new_id_within_five_seconds,
    it_sig_011_the_delays_are_0_2_5_and_10_s,
    it_sig_012_every_subscription_is_restored_once_and_nothing_is_missed_in_silence,
}

/// The first attempt fails too: it is the one after two seconds that succeeds.
async fn it_sig_010_a_dropped_connection_is_back_with_a_new_id_within_five_seconds<R: Runtime>() {
    let hub = ScriptHub::builder()
        .on_upgrade(|request| if request.serial == 1 { unwell() } else { Reply::Accept })
        .start(echo)
        .unwrap();
    // With a negotiation, for the hub's own id.
    let builder = HubConnection::<R>::builder(hub.hub_url("/hub")).automatic_reconnect(RetryPolicy::signalr());
    let connection = connect(builder).await;
    let before = connection.connection_id().unwrap();
    assert!(before.server_assigned().is_some());
    let mut events = connection.lifecycle();
    let began = Instant::now();
    connection.send("Die", ()).await.unwrap();
    let names = up_to::<R>(&mut events, "restored").await;
    assert_eq!(names, ["reconnecting:lost", "waiting:lost", "waiting:http_status", "reconnected", "restored"]);
    assert!((2..50).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
    let after = connection.connection_id().unwrap();
    assert_eq!((before.local(), after.local()), (1, 2));
    assert_ne!(before.server_assigned(), after.server_assigned());
    assert_eq!(connection.state(), State::Connected);
}

/// In real time, to a fifth of a second; nobody listens from the loss on.
async fn it_sig_011_the_delays_are_0_2_5_and_10_s<R: Runtime>() {
    let hub = ScriptHub::start(echo).unwrap();
    let connection = connect::<R>(builder(&hub).automatic_reconnect(RetryPolicy::signalr())).await;
    let mut events = connection.lifecycle();
    hub.stop();
    let mut told = Vec::new();
    find::<R, _>("the end", &mut events, |event| match event {
        Event::Reconnecting(_) => {
            told.push((Duration::ZERO, Instant::now()));
            None
        }
        Event::Waiting { delay, breaker, .. } => {
            assert_eq!(*breaker, Some(BreakerState::Closed));
            told.push((*delay, Instant::now()));
            None
        }
        Event::Disconnected(_) => {
            told.push((Duration::ZERO, Instant::now()));
            Some(())
        }
        _ => None,
    })
    .await;
    let (first, waits) = told.split_first().unwrap();
    let (last, waits) = waits.split_last().unwrap();
    let delays: Vec<u64> = waits.iter().map(|(delay, _)| delay.as_secs()).collect();
    assert_eq!(delays, [0, 2, 5, 10]);
    // A refusal takes no time: from one wait told to the next passes what was waited.
    let ends = waits.iter().skip(1).chain([last]).map(|(_, at)| *at);
    for ((delay, from), to) in waits.iter().zip(ends) {
        let passed = to - *from;
        assert!(passed >= *delay && passed - *delay < Duration::from_millis(200), "{delay:?} took {passed:?}");
    }
    assert!(last.1 - first.1 >= Duration::from_secs(17));
    assert_eq!(connection.state(), State::Disconnected);
    let metrics = connection.retry_metrics();
    assert_eq!((metrics.attempts, metrics.exhausted), (5, 1));
}

/// Three feeds that count; the hub goes on counting while nobody listens.
async fn it_sig_012_every_subscription_is_restored_once_and_nothing_is_missed_in_silence<R: Runtime>() {
    let (told, heard) = std::sync::mpsc::channel();
    let hub = ScriptHub::start(move |mut session: Session| {
        let told = told.clone();
        async move {
            session.handshake().await;
            let first = 100 * session.serial();
            for _ in 0..3 {
                let call = session.recv_json().await.unwrap_or_default();
                let feed = call["arguments"][0].as_str().unwrap_or_default().to_owned();
                told.send((session.serial(), feed.clone())).unwrap();
                session.send_text(&completion(id_of(&call))).await;
                for number in first..first + 20 {
                    session.send_text(&event(&feed, &json!([number]))).await;
                }
            }
            if session.serial() > 0 {
                session.ignore_until_close().await;
            }
        }
    })
    .unwrap();
    let builder = HubConnection::<R>::builder(hub.hub_url("/hub")).skip_negotiation(true);
    let connection = builder.automatic_reconnect(RetryPolicy::signalr()).build().unwrap();
    let mut events = connection.lifecycle();
    let feeds = ["Quotes", "Trades", "Depth"];
    let mut streams = feeds.map(|feed| connection.on::<(usize,)>(feed));
    // Wishes of before the start: asked for in their order.
    let wishes = feeds.map(|feed| connection.subscription("Subscribe", (feed,)).unwrap().feeding(feed));
    let asked = futures_util::future::join_all(wishes.iter().map(|wish| wish.subscribe()));
    let (started, asked) = within::<R, _>("the start", futures_util::future::join(connection.start(), asked)).await;
    started.unwrap();
    assert!(asked.iter().all(Result::is_ok), "{asked:?}");

    let names = up_to::<R>(&mut events, "restored").await;
    let names =
        if names.contains(&"reconnected".to_owned()) { names } else { up_to::<R>(&mut events, "restored").await };
    let of = |name: &str| names.iter().filter(|told| *told == name).count();
    assert_eq!((of("gap_opened"), of("gap_closed"), of("reconnected")), (3, 3, 1), "{names:?}");
    let restored: Vec<_> = heard.try_iter().filter(|(serial, _)| *serial == 1).map(|(_, feed)| feed).collect();
    assert_eq!(restored, feeds, "each once, in the order of the wishes");
    for stream in &mut streams {
        let mut got = Vec::new();
        let mut gaps = Vec::new();
        while got.len() < 40 {
            match next::<R, _>("a number", stream).await {
                Delivery::Value((number,)) => got.push(number),
                Delivery::Gap(gap) => {
                    gaps.push(got.len());
                    assert_eq!(gap.keys.len(), 1, "only what feeds this target: {gap:?}");
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(got, (0..20).chain(100..120).collect::<Vec<_>>());
        assert_eq!(gaps, [20], "one gap, exactly where numbers are missing");
    }
}
