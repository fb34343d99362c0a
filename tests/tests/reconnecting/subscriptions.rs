//! Subscriptions whose restoring is cut short, refused, or never answered.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use adapter_core::{Event, Events, HubConnection, RetryPolicy, Runtime, State};
use mock_hub::script::{ScriptHub, Session};
use serde_json::Value;
use tests::events::find;
use tests::records::{completion, failure, id_of};
use tests::scenarios;
use tests::wait::within;

use super::{builder, connect, ms};

scenarios! {
    cf_35_drop_inside_resubscribe,
    cf_36_resubscribe_rejected,
    cf_37_resubscribe_hangs,
}

/// What a hub does with the subscribe of a key on a connection.
#[derive(Clone, Copy, PartialEq)]
enum Answer {
    Agree,
    Refuse,
    Never,
    /// The connection ends in place of the answer.
    Die,
}

/// Every subscribe that came: connection, key.
type Asked = Arc<Mutex<Vec<(usize, i64)>>>;

fn hub(answer: impl Fn(usize, i64, usize) -> Answer + Send + Sync + 'static) -> (ScriptHub, Asked) {
    let asked = Asked::default();
    let log = asked.clone();
    let answer = Arc::new(answer);
    let hub = ScriptHub::start(move |mut session: Session| {
        let (log, answer) = (log.clone(), answer.clone());
        async move {
            session.handshake().await;
            let mut times = BTreeMap::<i64, usize>::new();
            while let Some(call) = session.recv_json().await {
                let Some(key) = call["arguments"][0].as_i64() else { return };
                log.lock().unwrap().push((session.serial(), key));
                let time = times.entry(key).or_default();
                *time += 1;
                match answer(session.serial(), key, *time) {
                    Answer::Agree => _ = session.send_text(&completion(id_of(&call))).await,
                    Answer::Refuse => _ = session.send_text(&failure(id_of(&call), "not now")).await,
                    Answer::Never => {}
                    Answer::Die => return,
                }
            }
        }
    })
    .unwrap();
    (hub, asked)
}

/// Subscribes to so many keys, then loses the connection.
async fn lose_with<R: Runtime>(connection: &HubConnection<R>, keys: i64) -> Events {
    for key in 0..keys {
        within::<R, _>("the subscription", connection.subscribe("Subscribe", (key,))).await.unwrap();
    }
    let events = connection.lifecycle();
    connection.send("Die", ()).await.unwrap();
    events
}

fn asked_on(asked: &Asked, serial: usize) -> Vec<i64> {
    asked.lock().unwrap().iter().filter(|(on, _)| *on == serial).map(|(_, key)| *key).collect()
}

/// An event that concerns a subscription, with its key: `opened 3`.
fn news(event: &Event) -> Option<String> {
    let of = |key: &adapter_core::SubscriptionKey| {
        serde_json::from_str::<Value>(&key.subscribe().arguments).unwrap()[0].to_string()
    };
    Some(match event {
        Event::GapOpened { key, .. } => format!("opened {}", of(key)),
        Event::GapClosed { key } => format!("closed {}", of(key)),
        Event::SubscriptionFailed { key, .. } => format!("failed {}", of(key)),
        Event::Reconnecting(_) => "reconnecting".to_owned(),
        Event::Reconnected(_) => "reconnected".to_owned(),
        Event::Restored => "restored".to_owned(),
        Event::Disconnected(reason) => panic!("{reason}"),
        _ => return None,
    })
}

/// All of them up to and with this one.
async fn news_up_to<R: Runtime>(events: &mut Events, last: &str) -> Vec<String> {
    let mut told = Vec::new();
    find::<R, _>(last, events, |event| {
        told.extend(news(event));
        (told.last().is_some_and(|news| news == last)).then_some(())
    })
    .await;
    told
}

fn each(what: &str, keys: impl IntoIterator<Item = i64>) -> Vec<String> {
    keys.into_iter().map(|key| format!("{what} {key}")).collect()
}

/// Three of seven are acknowledged when the connection dies: all seven are asked for on the next one.
async fn cf_35_drop_inside_resubscribe<R: Runtime>() {
    let (hub, asked) = hub(|serial, key, _| if (serial, key) == (1, 3) { Answer::Die } else { Answer::Agree });
    let policy = RetryPolicy::delays([ms(10), ms(10)]);
    let connection = connect::<R>(builder(&hub).automatic_reconnect(policy)).await;
    let mut events = lose_with(&connection, 7).await;
    let told = news_up_to::<R>(&mut events, "restored").await;
    let expected = [
        vec!["reconnecting".to_owned()],
        each("opened", 0..7),
        vec!["reconnected".to_owned()],
        each("closed", 0..3),
        vec!["reconnecting".to_owned()],
        each("opened", 0..7),
        vec!["reconnected".to_owned()],
        each("closed", 0..7),
        vec!["restored".to_owned()],
    ];
    assert_eq!(told, expected.concat());
    assert_eq!(asked_on(&asked, 2), (0..7).collect::<Vec<_>>());
    assert_eq!(hub.sessions(), 3);
}

/// One of three is refused: its gap stays open and it alone is asked for again.
async fn cf_36_resubscribe_rejected<R: Runtime>() {
    let (hub, asked) = hub(|serial, key, time| match (serial, key, time) {
        (1, 1, 1) => Answer::Refuse,
        _ => Answer::Agree,
    });
    let connection = connect::<R>(builder(&hub).automatic_reconnect(RetryPolicy::signalr())).await;
    let mut events = lose_with(&connection, 3).await;
    let told = news_up_to::<R>(&mut events, "restored").await;
    let began = Instant::now();
    let (_, told) = told.split_at(5);
    assert_eq!(told, ["closed 0", "failed 1", "closed 2", "restored"]);
    // After a second, on the same connection.
    assert_eq!(news_up_to::<R>(&mut events, "closed 1").await, ["closed 1"]);
    assert!(began.elapsed() >= ms(900), "{:?}", began.elapsed());
    assert_eq!(asked_on(&asked, 1), [0, 1, 2, 1]);
    assert_eq!((connection.state(), hub.sessions()), (State::Connected, 2));
}

/// One of three is never answered: the others live, and what the hub does not answer twice over costs the connection.
async fn cf_37_resubscribe_hangs<R: Runtime>() {
    let (hub, asked) = hub(|serial, key, _| if (serial, key) == (1, 1) { Answer::Never } else { Answer::Agree });
    let builder = builder::<R>(&hub).call_timeout(ms(500));
    let connection = connect::<R>(builder.automatic_reconnect(RetryPolicy::signalr())).await;
    let mut events = lose_with(&connection, 3).await;
    let told = news_up_to::<R>(&mut events, "restored").await;
    assert_eq!(told.split_at(5).1, ["closed 0", "closed 2", "failed 1", "restored"]);
    assert_eq!(asked_on(&asked, 1), [0, 1, 2], "two calls of one key never overlap");
    assert_eq!(connection.state(), State::Connected);
    let told = news_up_to::<R>(&mut events, "restored").await;
    let expected = ["reconnecting", "opened 0", "opened 1", "opened 2", "reconnected"];
    assert_eq!(
        told.split_at(5),
        (&expected.map(str::to_owned)[..], &[each("closed", 0..3), vec!["restored".to_owned()]].concat()[..])
    );
    assert_eq!(hub.sessions(), 3);
}
