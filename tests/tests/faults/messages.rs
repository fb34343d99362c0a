//! What one message may hold, and what a client makes of it.

use adapter_core::{CallError, Cause, Delivery, Event, HubConnection, QueueRule, Runtime, StartError, State};
use mock_hub::script::{ScriptHub, Session};
use serde_json::{Value, json};
use tests::events::{find, up_to};
use tests::records::{ACCEPTED, completion, event, failure, id_of, result};
use tests::scenarios;
use tests::wait::{next, within};

scenarios! {
    a_refused_handshake_fails_the_start_and_says_why,
    a_handshake_and_the_first_event_may_share_a_frame,
    an_event_of_the_wrong_type_does_not_harm_the_next_one,
    an_unknown_target_does_not_harm_its_neighbour,
    an_unknown_kind_of_message_does_not_harm_its_neighbour,
    a_record_may_be_cut_over_two_messages,
    a_binary_frame_is_read_as_bytes,
    a_void_method_can_be_invoked,
    an_error_of_a_method_is_its_caller_s,
}

fn connection<R: Runtime>(hub: &ScriptHub) -> HubConnection<R> {
    HubConnection::builder(hub.hub_url("/hub")).skip_negotiation(true).build().unwrap()
}

/// A hub that says these messages after the handshake, then listens.
fn saying(messages: Vec<String>) -> ScriptHub {
    ScriptHub::start(move |mut session: Session| {
        let messages = messages.clone();
        async move {
            session.handshake().await;
            for message in &messages {
                session.send_text(message).await;
            }
            session.ignore_until_close().await;
        }
    })
    .unwrap()
}

async fn a_refused_handshake_fails_the_start_and_says_why<R: Runtime>() {
    let hub = ScriptHub::start(|mut session: Session| async move {
        session.recv_record().await;
        let refusal = "{\"error\":\"Requested protocol 'json' is not available.\"}\u{1e}";
        let answer = if session.serial() == 0 { refusal } else { ACCEPTED };
        session.send_text(answer).await;
        session.ignore_until_close().await;
    })
    .unwrap();
    let connection = connection::<R>(&hub);
    let mut events = connection.events();

    let error = within::<R, _>("the start fails", connection.start()).await.unwrap_err();
    let StartError::Failed(reason) = &error else { panic!("{error:?}") };
    assert_eq!(reason.cause(), Cause::HandshakeRejected);
    assert!(reason.explain().contains("Requested protocol 'json' is not available."), "{reason}");
    assert_eq!(connection.state(), State::Disconnected);

    within::<R, _>("a later start succeeds", connection.start()).await.unwrap();
    // The failed start told nothing: it was never connected.
    assert_eq!(up_to::<R>(&mut events, "connected").await, ["connected"]);
}

async fn a_handshake_and_the_first_event_may_share_a_frame<R: Runtime>() {
    let hub = ScriptHub::start(|mut session: Session| async move {
        session.recv_record().await;
        let events = [1, 2].map(|serial| event("Hello", &json!([serial]))).concat();
        session.send_text(&format!("{ACCEPTED}{events}")).await;
        session.ignore_until_close().await;
    })
    .unwrap();
    let connection = connection::<R>(&hub);
    let mut hellos = connection.on::<(i64,)>("Hello");
    let mut events = connection.events();
    within::<R, _>("the start succeeds", connection.start()).await.unwrap();
    for serial in [1, 2] {
        assert_eq!(next::<R, _>("an event", &mut hellos).await, Delivery::Value((serial,)));
    }
    let names = up_to::<R>(&mut events, "invocation:Hello").await;
    assert_eq!(names, ["connected", "invocation:Hello"], "connected is told first");
}

async fn an_event_of_the_wrong_type_does_not_harm_the_next_one<R: Runtime>() {
    let wrong =
        [json!(["x"]), json!([1.5]), json!([]), json!([1, 2]), json!([null])].map(|arguments| event("N", &arguments));
    let hub = saying(vec![format!("{}{}", wrong.concat(), event("N", &json!([2])))]);
    let connection = connection::<R>(&hub);
    let mut numbers = connection.on_with::<(i64,)>("N", QueueRule::wait(100));
    let mut events = connection.events();
    connection.start().await.unwrap();
    for _ in &wrong {
        let delivery = next::<R, _>("what does not fit is told", &mut numbers).await;
        assert!(matches!(delivery, Delivery::Malformed(_)), "{delivery:?}");
    }
    assert_eq!(next::<R, _>("the good one", &mut numbers).await, Delivery::Value((2,)));
    let names = up_to::<R>(&mut events, "invocation:N").await;
    assert_eq!(names.iter().filter(|name| *name == "malformed:N").count(), wrong.len());
    assert_eq!(connection.state(), State::Connected);
    assert_eq!((connection.counters().malformed, connection.counters().delivered), (wrong.len() as u64, 1));
}

async fn an_unknown_target_does_not_harm_its_neighbour<R: Runtime>() {
    let hub = saying(vec![format!("{}{}", event("Nobody", &json!([1])), event("N", &json!([2])))]);
    let connection = connection::<R>(&hub);
    let mut numbers = connection.on::<(i64,)>("N");
    let mut events = connection.events();
    connection.start().await.unwrap();
    assert_eq!(next::<R, _>("the good one", &mut numbers).await, Delivery::Value((2,)));
    assert_eq!(up_to::<R>(&mut events, "invocation:N").await, ["connected", "unhandled:Nobody", "invocation:N"]);
}

async fn an_unknown_kind_of_message_does_not_harm_its_neighbour<R: Runtime>() {
    let hub = saying(vec![format!("{{\"type\":99,\"x\":[{{}}]}}\u{1e}{}", event("N", &json!([2])))]);
    let connection = connection::<R>(&hub);
    let mut numbers = connection.on::<(i64,)>("N");
    let mut events = connection.events();
    connection.start().await.unwrap();
    assert_eq!(next::<R, _>("the good one", &mut numbers).await, Delivery::Value((2,)));
    assert_eq!(up_to::<R>(&mut events, "invocation:N").await, ["connected", "violation", "invocation:N"]);
    assert_eq!(connection.state(), State::Connected);
}

async fn a_record_may_be_cut_over_two_messages<R: Runtime>() {
    let hub = ScriptHub::start(|mut session: Session| async move {
        session.handshake().await;
        let record = event("N", &json!([2]));
        for cut in 0..=record.len() {
            session.send_text(&record[..cut]).await;
            session.send_text(&record[cut..]).await;
        }
        session.send_text(&event("Done", &json!([]))).await;
        session.ignore_until_close().await;
    })
    .unwrap();
    let connection = connection::<R>(&hub);
    let mut numbers = connection.on::<(i64,)>("N");
    let mut done = connection.on::<()>("Done");
    connection.start().await.unwrap();
    for _ in 0..=event("N", &json!([2])).len() {
        assert_eq!(next::<R, _>("each of them", &mut numbers).await, Delivery::Value((2,)));
    }
    assert_eq!(next::<R, _>("the end", &mut done).await, Delivery::Value(()));
    assert_eq!(connection.counters().violations, 0);
}

async fn a_binary_frame_is_read_as_bytes<R: Runtime>() {
    let hub = ScriptHub::start(|mut session: Session| async move {
        session.handshake().await;
        let record = event("Word", &json!(["é"]));
        // The cut stands inside of a character, which only bytes allow.
        let cut = record.find('é').unwrap() + 1;
        session.send_binary(&record.as_bytes()[..cut]).await;
        session.send_binary(&record.as_bytes()[cut..]).await;
        session.send_text(&event("Word", &json!(["text"]))).await;
        session.ignore_until_close().await;
    })
    .unwrap();
    let connection = connection::<R>(&hub);
    let mut words = connection.on::<(String,)>("Word");
    connection.start().await.unwrap();
    for word in ["é", "text"] {
        assert_eq!(next::<R, _>("a word", &mut words).await, Delivery::Value((word.to_owned(),)));
    }
    assert_eq!(connection.state(), State::Connected);
}

/// Answers each call by what its target says.
fn answering() -> ScriptHub {
    ScriptHub::start(|mut session: Session| async move {
        session.handshake().await;
        while let Some(call) = session.recv_json().await {
            let id = id_of(&call);
            let answer = match call["target"].as_str().unwrap_or_default() {
                "Void" => completion(id),
                "Null" => result(id, "null"),
                "Five" => result(id, 5),
                "Fail" => {
                    failure(id, "An unexpected error occurred invoking 'Fail' on the server. HubException: no\\nway")
                }
                _ => continue,
            };
            session.send_text(&answer).await;
        }
    })
    .unwrap()
}

async fn a_void_method_can_be_invoked<R: Runtime>() {
    let hub = answering();
    let connection = connection::<R>(&hub);
    connection.start().await.unwrap();
    for target in ["Void", "Null"] {
        within::<R, _>("nothing", connection.invoke::<()>(target, ())).await.unwrap();
        assert_eq!(connection.invoke::<Option<i64>>(target, ()).await, Ok(None));
        let misfit = connection.invoke::<i64>(target, ()).await;
        assert!(matches!(misfit, Err(CallError::Decode(_))), "{misfit:?}");
    }
    assert_eq!(connection.call("Void").invoke_optional::<Value>().await, Ok(None));
    assert_eq!(connection.call("Null").invoke_optional::<Value>().await, Ok(Some(Value::Null)));
    assert_eq!(connection.invoke::<i64>("Five", ()).await, Ok(5));
}

async fn an_error_of_a_method_is_its_caller_s<R: Runtime>() {
    let hub = answering();
    let connection = connection::<R>(&hub);
    let mut events = connection.events();
    connection.start().await.unwrap();
    let error = within::<R, _>("the error", connection.invoke::<i64>("Fail", ())).await.unwrap_err();
    let CallError::Hub(hub_error) = &error else { panic!("{error:?}") };
    assert!(hub_error.message.contains("HubException: no"), "{hub_error}");
    assert!(!hub_error.message.contains('\n'), "a log line stays one: {hub_error}");
    assert_eq!(connection.invoke::<i64>("Five", ()).await, Ok(5));
    connection.stop().await;
    find::<R, _>("the end", &mut events, |event| match event {
        Event::Violation(violation) => panic!("{violation}"),
        event => matches!(event, Event::Disconnected(_)).then_some(()),
    })
    .await;
}
