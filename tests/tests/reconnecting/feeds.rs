//! Feeds that turn to garbage while the connection is well.

use adapter_core::{Delivery, Event, RetryPolicy, Runtime, State};
use mock_hub::script::{ScriptHub, Session};
use serde_json::json;
use tests::events::find;
use tests::records::{completion, event, id_of};
use tests::scenarios;
use tests::wait::{next, within};

use super::{builder, connect};

scenarios! {
    a_feed_of_garbage_is_asked_for_anew_and_its_neighbour_is_left_alone,
}

async fn a_feed_of_garbage_is_asked_for_anew_and_its_neighbour_is_left_alone<R: Runtime>() {
    let (told, heard) = std::sync::mpsc::channel();
    let hub = ScriptHub::start(move |mut session: Session| {
        let told = told.clone();
        async move {
            session.handshake().await;
            let mut depths = 0;
            while let Some(call) = session.recv_json().await {
                let (Some(method), Some(feed)) = (call["target"].as_str(), call["arguments"][0].as_str()) else {
                    return;
                };
                told.send(format!("{method} {feed}")).unwrap();
                session.send_text(&completion(id_of(&call))).await;
                match (method, feed) {
                    ("Subscribe", "Depth") => {
                        depths += 1;
                        session.send_text(&event("Depth", &json!([depths]))).await;
                        for _ in 0..5 * (2 - depths) {
                            session.send_text(&event("Depth", &json!(["garbage"]))).await;
                        }
                    }
                    ("Subscribe", _) => _ = session.send_text(&event("Quote", &json!([1]))).await,
                    _ => {}
                }
            }
        }
    })
    .unwrap();
    let connection = connect::<R>(builder(&hub).automatic_reconnect(RetryPolicy::trading())).await;
    let mut events = connection.lifecycle();
    let mut depth = connection.on::<(i64,)>("Depth");
    let mut quotes = connection.on::<(i64,)>("Quote");
    for (feed, target) in [("Quotes", "Quote"), ("Depth", "Depth")] {
        let wish = connection.subscription(("Subscribe", "Unsubscribe"), (feed,)).unwrap().feeding(target);
        within::<R, _>("the subscription", wish.subscribe()).await.unwrap();
    }
    let mut news = Vec::new();
    find::<R, _>("the gap closes", &mut events, |event| {
        news.push(match event {
            Event::FeedDegraded { target } => format!("degraded {target}"),
            Event::FeedRecovered { target } => format!("recovered {target}"),
            Event::GapOpened { key, .. } => format!("opened {key}"),
            Event::GapClosed { key } => format!("closed {key}"),
            _ => return None,
        });
        matches!(event, Event::FeedRecovered { .. }).then_some(())
    })
    .await;
    // Whether the snapshot comes before or behind the hub's answer is the hub's affair: here it is behind.
    let key = "Subscribe[\"Depth\"]";
    let expected =
        ["degraded Depth".to_owned(), format!("opened {key}"), format!("closed {key}"), "recovered Depth".to_owned()];
    assert_eq!(news, expected);
    let calls: Vec<_> = heard.try_iter().collect();
    assert_eq!(calls, ["Subscribe Quotes", "Subscribe Depth", "Unsubscribe Depth", "Subscribe Depth"]);

    assert_eq!(next::<R, _>("the first depth", &mut depth).await, Delivery::Value((1,)));
    for _ in 0..5 {
        let garbage = next::<R, _>("garbage", &mut depth).await;
        assert!(matches!(garbage, Delivery::Malformed(_)), "{garbage:?}");
    }
    let gap = next::<R, _>("the gap", &mut depth).await;
    assert!(matches!(gap, Delivery::Gap(_)), "{gap:?}");
    assert_eq!(next::<R, _>("the fresh snapshot", &mut depth).await, Delivery::Value((2,)));
    assert_eq!(next::<R, _>("the quote", &mut quotes).await, Delivery::Value((1,)));
    assert_eq!((connection.state(), hub.sessions()), (State::Connected, 1));
    within::<R, _>("the stop", connection.stop()).await;
    assert_eq!(connection.counters().malformed, 5);
}
