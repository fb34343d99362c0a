//! Input that breaks a rule and is survived without a reconnect.

use adapter_core::{Delivery, Event, HubConnection, Runtime, State};
use mock_hub::script::{ScriptHub, Session};
use serde_json::{Value, json};
use tests::events::{find, name};
use tests::records::{completion, event, id_of, item, question, result};
use tests::scenarios;
use tests::wait::{next, within};

scenarios! {
    what_refers_to_nothing_is_counted_and_no_more,
    odd_but_legal_records_are_read,
    control_characters_of_the_hub_do_not_reach_a_log,
    a_late_or_second_answer_meets_no_other_call,
}

/// Says these records in one message, between two good events.
fn saying(records: String) -> ScriptHub {
    ScriptHub::start(move |mut session: Session| {
        let text = format!("{}{records}{}", event("Good", &json!([1])), event("Good", &json!([2])));
        async move {
            session.handshake().await;
            session.send_text(&text).await;
            while let Some(call) = session.recv_json().await {
                session.send_text(&result(id_of(&call), 7)).await;
            }
        }
    })
    .unwrap()
}

async fn both_neighbours<R: Runtime>(records: String) -> HubConnection<R> {
    let what: String = records.chars().take(100).collect();
    let hub = saying(records);
    let connection = HubConnection::<R>::builder(hub.hub_url("/hub")).build().unwrap();
    let mut good = connection.on::<(i64,)>("Good");
    within::<R, _>(&what, connection.start()).await.unwrap();
    for serial in [1, 2] {
        assert_eq!(next::<R, _>(&what, &mut good).await.into_value(), Some((serial,)), "{what}");
    }
    assert_eq!(within::<R, _>(&what, connection.invoke::<i64>("Seven", ())).await, Ok(7), "{what}");
    assert_eq!(connection.state(), State::Connected);
    connection
}

async fn what_refers_to_nothing_is_counted_and_no_more<R: Runtime>() {
    for record in [
        completion("1"),
        completion("0"),
        completion("01"),
        completion("-1"),
        completion("99999999999999999999999999"),
        completion("s1"),
        completion("\u{1}é").replace('\u{1}', "\\u0001"),
        result("7", 1),
        item("7", 1),
        "{\"type\":4,\"invocationId\":\"1\",\"target\":\"Good\",\"arguments\":[]}\u{1e}".to_owned(),
        "{\"type\":5,\"invocationId\":\"1\"}\u{1e}".to_owned(),
        "{\"type\":8,\"sequenceId\":1}\u{1e}".to_owned(),
        "{\"type\":9,\"sequenceId\":1}\u{1e}".to_owned(),
        "{\"type\":0}\u{1e}".to_owned(),
        "{\"type\":-5}\u{1e}".to_owned(),
        "{\"type\":2147483648}\u{1e}".to_owned(),
    ] {
        let connection = both_neighbours::<R>(record.clone()).await;
        let counters = connection.counters();
        assert_eq!((counters.violations, counters.delivered), (1, 2), "{record}");
    }
}

async fn odd_but_legal_records_are_read<R: Runtime>() {
    let deep = "[".repeat(62) + &"]".repeat(62);
    for record in [
        " {\"type\":6} \u{1e}".to_owned(),
        "{\"type\":6,\"more\":{\"of\":[{}]}}\u{1e}".to_owned(),
        "{\"typ\\u0065\":6}\u{1e}".to_owned(),
        "{\"type\":99,\"type\":6}\u{1e}".to_owned(),
        format!("{{\"x\":{deep},\"type\":6}}\u{1e}"),
        "{\"type\":6}\u{1e}".repeat(10_000),
    ] {
        let connection = both_neighbours::<R>(record.clone()).await;
        assert_eq!(connection.counters().violations, 0, "{:?}", record.get(..100).unwrap_or(&record));
    }
}

async fn control_characters_of_the_hub_do_not_reach_a_log<R: Runtime>() {
    let evil = "\\u001b[31mred\\r\\nnext line\\u0000\\u202e";
    let connection = {
        let records = format!(
            "{{\"type\":1,\"target\":\"{evil}\",\"arguments\":[]}}\u{1e}{{\"type\":7,\"error\":\"{evil}\"}}\u{1e}"
        );
        let hub = ScriptHub::start(move |mut session: Session| {
            let records = records.clone();
            async move {
                session.handshake().await;
                session.recv_json().await;
                session.send_text(&records).await;
                session.ignore_until_close().await;
            }
        })
        .unwrap();
        let connection = HubConnection::<R>::builder(hub.hub_url("/hub")).build().unwrap();
        let mut events = connection.events();
        connection.start().await.unwrap();
        let error = within::<R, _>("the end", connection.invoke::<Value>("Go", ())).await.unwrap_err();
        let mut texts = vec![error.to_string()];
        find::<R, _>("the end", &mut events, |event| {
            texts.push(name(event));
            match event {
                Event::Disconnected(reason) => {
                    texts.push(reason.to_string());
                    Some(())
                }
                _ => None,
            }
        })
        .await;
        assert!(texts.iter().any(|text| text.contains("red")), "{texts:?}");
        for text in texts {
            assert!(!text.contains(|character: char| character.is_control() || character == '\u{202e}'), "{text:?}");
        }
        connection
    };
    assert_eq!(connection.counters().unhandled, 1);
}

async fn a_late_or_second_answer_meets_no_other_call<R: Runtime>() {
    let hub = ScriptHub::start(|mut session: Session| async move {
        session.handshake().await;
        if session.serial() == 0 {
            let call = session.recv_json().await.unwrap();
            let id = id_of(&call);
            session.send_text(&[result(id, 1), result(id, 2), result(id, 3)].concat()).await;
            session.recv_json().await;
            return session.abort();
        }
        // The ids of the connection before mean nothing here.
        let call = session.recv_json().await.unwrap();
        let id: u64 = id_of(&call).parse().unwrap();
        for other in (0..id + 5).filter(|other| *other != id) {
            session.send_text(&result(&other.to_string(), 666)).await;
        }
        session.send_text(&result(id_of(&call), 4)).await;
        // A question twice under one id: each is answered.
        session.send_text(&[question("q", "Ask", &json!([])), question("q", "Ask", &json!([]))].concat()).await;
        for _ in 0..2 {
            let answer = session.recv_json().await.unwrap();
            assert_eq!((&answer["invocationId"], &answer["result"]), (&json!("q"), &json!(5)));
        }
        session.send_text(&event("Done", &json!([]))).await;
        session.ignore_until_close().await;
    })
    .unwrap();
    let connection =
        HubConnection::<R>::builder(hub.hub_url("/hub")).automatic_reconnect(super::soon()).build().unwrap();
    connection.handle("Ask", |()| async { Ok::<_, String>(5) }).unwrap();
    let mut done = connection.on::<()>("Done");
    let mut events = connection.events();
    connection.start().await.unwrap();
    assert_eq!(within::<R, _>("the first answer", connection.invoke::<i64>("A", ())).await, Ok(1));
    assert!(within::<R, _>("the loss", connection.invoke::<i64>("B", ())).await.is_err());
    tests::events::up_to::<R>(&mut events, "restored").await;
    assert_eq!(within::<R, _>("its own answer", connection.invoke::<i64>("C", ())).await, Ok(4));
    assert!(matches!(next::<R, _>("a gap", &mut done).await, Delivery::Gap(_)));
    assert_eq!(next::<R, _>("the hub is content", &mut done).await, Delivery::Value(()));
}
