//! The order in which things are told.

use adapter_core::{Delivery, Event, Runtime};
use mock_hub::script::{ScriptHub, Session};
use serde_json::json;
use tests::events::{find, name, up_to, waiting};
use tests::records::{event, failure, id_of, result};
use tests::scenarios;
use tests::wait::{eventually, next, poll_once, within};

use super::{builder, soon};

scenarios! {
    gaps_stand_where_events_may_be_missing,
    disconnected_is_told_before_the_stop_returns,
    a_refused_restore_is_told_and_the_rest_goes_on,
    subscriptions_come_before_calls_on_the_wire,
    a_gap_goes_to_the_listeners_that_it_concerns,
    a_refused_subscribe_is_no_wish,
}

/// Accepts subscriptions, and feeds each with one event right before its answer; dies of `Die`.
async fn feed(mut session: Session) {
    session.handshake().await;
    while let Some(call) = session.recv_json().await {
        let Some(target) = call["target"].as_str() else { continue };
        if target == "Die" {
            return session.abort();
        }
        let refused = call["arguments"][0] == "picky" && session.serial() == 1 || call["arguments"][0] == "never";
        if id_of(&call).is_empty() {
            continue;
        }
        let answer = match (target, refused) {
            ("Subscribe", true) => failure(id_of(&call), "full"),
            ("Subscribe", false) => {
                format!("{}{}", event("Fed", &json!([call["arguments"][0]])), result(id_of(&call), "null"))
            }
            _ => result(id_of(&call), 7),
        };
        session.send_text(&answer).await;
    }
}

async fn gaps_stand_where_events_may_be_missing<R: Runtime>() {
    let hub = ScriptHub::start(feed).unwrap();
    let connection = builder::<R>(&hub).automatic_reconnect(soon()).build().unwrap();
    let mut fed = connection.on::<(String,)>("Fed");
    let mut events = connection.events();
    within::<R, _>("the start", connection.start()).await.unwrap();
    for key in ["a", "b"] {
        within::<R, _>("the subscribe", connection.subscribe(("Subscribe", "Unsubscribe"), (key,))).await.unwrap();
    }
    connection.send("Die", ()).await.unwrap();
    let names = up_to::<R>(&mut events, "restored").await;
    let expected = [
        "connected",
        "invocation:Fed",
        "subscribed",
        "invocation:Fed",
        "subscribed",
        "reconnecting:lost",
        "gap_opened",
        "gap_opened",
        "waiting:lost",
        "reconnected",
        "invocation:Fed",
        "gap_closed",
        "invocation:Fed",
        "gap_closed",
        "restored",
    ];
    assert_eq!(names, expected);
    let mut heard = Vec::new();
    while heard.len() < 5 {
        heard.push(match next::<R, _>("events and the gap", &mut fed).await {
            Delivery::Value((key,)) => key,
            Delivery::Gap(gap) => format!("gap {} of {}", gap.serial, gap.keys.len()),
            other => panic!("{other:?}"),
        });
    }
    assert_eq!(heard, ["a", "b", "gap 1 of 2", "a", "b"], "the gap before the first later event");
}

async fn disconnected_is_told_before_the_stop_returns<R: Runtime>() {
    let hub = ScriptHub::start(feed).unwrap();
    for _ in 0..20 {
        let connection = builder::<R>(&hub).build().unwrap();
        let mut events = connection.events();
        let mut life = connection.lifecycle();
        within::<R, _>("the start", connection.start()).await.unwrap();
        within::<R, _>("the stop", connection.stop()).await;
        for stream in [&mut events, &mut life] {
            assert_eq!(waiting(stream), ["connected", "disconnected:stopped"]);
        }
    }
}

async fn a_refused_restore_is_told_and_the_rest_goes_on<R: Runtime>() {
    let hub = ScriptHub::start(feed).unwrap();
    let connection = builder::<R>(&hub).automatic_reconnect(soon()).build().unwrap();
    within::<R, _>("the start", connection.start()).await.unwrap();
    for key in ["picky", "b"] {
        within::<R, _>("the subscribe", connection.subscribe("Subscribe", (key,))).await.unwrap();
    }
    let mut life = connection.lifecycle();
    connection.send("Die", ()).await.unwrap();
    let names = up_to::<R>(&mut life, "restored").await;
    let expected = [
        "reconnecting:lost",
        "gap_opened",
        "gap_opened",
        "waiting:lost",
        "reconnected",
        "subscription_failed",
        "gap_closed",
        "restored",
    ];
    assert_eq!(names, expected);
    // It is tried again after a second, and again; this hub still refuses.
    let key = find::<R, _>("it fails again", &mut life, |event| match event {
        Event::SubscriptionFailed { key, error } => Some((key.to_string(), error.message.clone())),
        _ => None,
    })
    .await;
    assert_eq!(key, ("Subscribe[\"picky\"]".to_owned(), "full".to_owned()));
    // Another connection, a better mood.
    connection.send("Die", ()).await.unwrap();
    let names = up_to::<R>(&mut life, "restored").await;
    assert!(names.ends_with(&["gap_closed", "gap_closed", "restored"].map(str::to_owned)), "{names:?}");
}

async fn subscriptions_come_before_calls_on_the_wire<R: Runtime>() {
    let heard = std::sync::Arc::<std::sync::Mutex<Vec<Vec<String>>>>::default();
    let log = heard.clone();
    let hub = ScriptHub::start(move |mut session: Session| {
        let log = log.clone();
        async move {
            session.handshake().await;
            log.lock().unwrap().push(Vec::new());
            while let Some(call) = session.recv_json().await {
                let what = format!("{}{}", call["target"].as_str().unwrap_or_default(), call["arguments"]);
                log.lock().unwrap().last_mut().unwrap().push(what);
                if call["target"] == "Die" {
                    return session.abort();
                }
                if !id_of(&call).is_empty() {
                    session.send_text(&result(id_of(&call), "null")).await;
                }
            }
        }
    })
    .unwrap();
    let connection = builder::<R>(&hub).automatic_reconnect(soon()).build().unwrap();
    let subscriptions: Vec<_> = (0..3).map(|serial| connection.subscription("Subscribe", (serial,)).unwrap()).collect();
    let mut subscribes: Vec<_> = subscriptions.iter().map(|subscription| Box::pin(subscription.subscribe())).collect();
    for subscribe in &mut subscribes {
        assert_eq!(poll_once(subscribe), None);
    }
    let mut events = connection.events();
    within::<R, _>("the start", connection.start()).await.unwrap();
    connection.send("Early", ()).await.unwrap();
    for subscribe in subscribes {
        within::<R, _>("each subscribe", subscribe).await.unwrap();
    }
    connection.send("Die", ()).await.unwrap();
    find::<R, _>("reconnected", &mut events, |event| (name(event) == "reconnected").then_some(())).await;
    connection.send("Early", ()).await.unwrap();
    let all = ["Subscribe[0]", "Subscribe[1]", "Subscribe[2]", "Early[]"];
    eventually::<R>("the hub has heard it", || heard.lock().unwrap().get(1).is_some_and(|heard| heard.len() == 4))
        .await;
    let heard = heard.lock().unwrap().clone();
    assert_eq!(heard[0][..4], all);
    assert_eq!(heard[1], all);
}

async fn a_gap_goes_to_the_listeners_that_it_concerns<R: Runtime>() {
    let hub = ScriptHub::start(feed).unwrap();
    let connection = builder::<R>(&hub).automatic_reconnect(soon()).build().unwrap();
    let mut fed = connection.on::<(String,)>("Fed");
    let mut other = connection.on::<(String,)>("Other");
    let mut life = connection.lifecycle();
    within::<R, _>("the start", connection.start()).await.unwrap();
    let narrow = connection.subscription("Subscribe", ("narrow",)).unwrap().feeding("Fed");
    let wide = connection.subscription("Subscribe", ("wide",)).unwrap();
    for subscription in [&narrow, &wide] {
        within::<R, _>("the subscribe", subscription.subscribe()).await.unwrap();
    }
    connection.send("Die", ()).await.unwrap();
    up_to::<R>(&mut life, "restored").await;
    let Delivery::Gap(gap) = next::<R, _>("a gap", &mut other).await else { panic!("no gap") };
    assert_eq!(gap.keys, [wide.key()]);
    loop {
        match next::<R, _>("a gap", &mut fed).await {
            Delivery::Gap(gap) => break assert_eq!(gap.keys, [narrow.key(), wide.key()]),
            Delivery::Value(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

async fn a_refused_subscribe_is_no_wish<R: Runtime>() {
    let hub = ScriptHub::start(feed).unwrap();
    let connection = builder::<R>(&hub).automatic_reconnect(soon()).build().unwrap();
    let mut life = connection.lifecycle();
    within::<R, _>("the start", connection.start()).await.unwrap();
    let outcome = within::<R, _>("the refusal", connection.subscribe("Subscribe", ("never",))).await.map(drop);
    assert!(
        matches!(&outcome, Err(adapter_core::SubscribeError::Hub(error)) if error.message == "full"),
        "{outcome:?}"
    );
    connection.send("Die", ()).await.unwrap();
    let names = up_to::<R>(&mut life, "restored").await;
    assert_eq!(names, ["connected", "reconnecting:lost", "waiting:lost", "reconnected", "restored"]);
}
