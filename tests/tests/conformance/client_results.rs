//! Results that the hub asks of this client.

use adapter_core::{CallError, Runtime};
use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::conformance;
use tests::hubs::Server;
use tests::wait::{next, within};

use super::{builder, connect, id};

conformance! {
    a_handler_s_answer_goes_to_the_hub,
    a_handler_may_give_nothing,
    a_handler_s_error_goes_to_the_hub,
    no_handler_is_told_to_the_hub,
    arguments_that_do_not_fit_are_told_to_the_hub,
    questions_are_answered_beside_each_other,
    a_question_from_outside_is_answered,
    a_removed_handler_answers_no_more,
}

async fn a_handler_s_answer_goes_to_the_hub<R: Runtime>(server: Server) {
    let connection = connect::<R>(builder(server.usual())).await;
    connection.handle("Double", |(number,): (i64,)| async move { Ok::<_, String>(number * 2) }).unwrap();
    connection.handle("Echo", |(value,): (Value,)| async move { Ok::<_, String>(value) }).unwrap();
    let double: i64 = within::<R, _>("the answer", connection.invoke("AskMe", ("Double", 21))).await.unwrap();
    assert_eq!(double, 42);
    let value = json!({"a": [1, "é\u{1e}"], "b": null});
    assert_eq!(connection.invoke::<Value>("AskMe", ("Echo", &value)).await, Ok(value));
    // A handler hears what wants no answer too.
    connection.invoke::<()>("SendBack", ("Double", [1])).await.unwrap();
    assert_eq!(connection.counters().unhandled, 0);
    let second = connection.handle("Double", |_: (i64,)| async { Ok::<_, String>(0) });
    assert!(second.is_err(), "one handler answers");
}

async fn a_handler_may_give_nothing<R: Runtime>(server: Server) {
    let connection = connect::<R>(builder(server.usual())).await;
    connection.handle("Nothing", |_: (Value,)| async { Ok::<_, String>(()) }).unwrap();
    connection.handle("None", |_: (Value,)| async { Ok::<_, String>(None::<i64>) }).unwrap();
    for target in ["Nothing", "None"] {
        let answer = within::<R, _>("the answer", connection.invoke::<Value>("AskMe", (target, 1))).await;
        assert_eq!(answer, Ok(Value::Null), "{target}");
    }
}

/// The hub's method fails, because its question did.
async fn failed_question<R: Runtime>(
    connection: &adapter_core::HubConnection<R>,
    target: &str,
    argument: Value,
) -> String {
    let outcome = within::<R, _>("the error", connection.invoke::<Value>("AskMe", (target, argument))).await;
    let Err(CallError::Hub(error)) = outcome else { panic!("{outcome:?}") };
    error.message
}

async fn a_handler_s_error_goes_to_the_hub<R: Runtime>(server: Server) {
    let hub = server.usual();
    let connection = connect::<R>(builder(hub)).await;
    connection.handle("Fail", |_: (Value,)| async { Err::<i64, _>("no \"idea\"\n") }).unwrap();
    let error = failed_question(&connection, "Fail", json!(1)).await;
    assert!(error.contains("no \"idea\""), "{error}");
    let (status, _) = hub.ask(&id(&connection), "Fail", &json!(1));
    assert_eq!(status, 500);
}

async fn no_handler_is_told_to_the_hub<R: Runtime>(server: Server) {
    let connection = connect::<R>(builder(server.usual())).await;
    let error = failed_question(&connection, "Nobody", json!(1)).await;
    assert!(error.contains("Client didn't provide a result."), "{error}");
    let mut heard = connection.on::<(i64,)>("Listener");
    let error = failed_question(&connection, "Listener", json!(7)).await;
    assert!(error.contains("Client didn't provide a result."), "{error}");
    assert_eq!(next::<R, _>("the listener", &mut heard).await.into_value(), Some((7,)));
}

async fn arguments_that_do_not_fit_are_told_to_the_hub<R: Runtime>(server: Server) {
    let connection = connect::<R>(builder(server.usual())).await;
    connection.handle("Double", |(number,): (i64,)| async move { Ok::<_, String>(number * 2) }).unwrap();
    let error = failed_question(&connection, "Double", json!("word")).await;
    assert!(error.contains("Client failed to parse argument(s)."), "{error}");
    assert_eq!(connection.invoke::<i64>("AskMe", ("Double", 4)).await, Ok(8));
}

async fn questions_are_answered_beside_each_other<R: Runtime>(server: Server) {
    let connection = connect::<R>(builder(server.usual())).await;
    let caller = connection.downgrade();
    // The handler waits for the hub while the hub waits for it.
    let answer = move |(number,): (i64,)| {
        let connection = caller.upgrade();
        async move {
            let connection = connection.ok_or_else(|| "gone".to_owned())?;
            connection.invoke::<i64>("Add", (number, 1)).await.map_err(|error| error.to_string())
        }
    };
    connection.handle("Next", answer).unwrap();
    let questions = (0..3_i64).map(|number| {
        let connection = connection.clone();
        async move { assert_eq!(connection.invoke::<i64>("AskMe", ("Next", number)).await, Ok(number + 1)) }
    });
    within::<R, _>("all answers", join_all(questions)).await;
}

async fn a_question_from_outside_is_answered<R: Runtime>(server: Server) {
    let hub = server.usual();
    let connection = connect::<R>(builder(hub)).await;
    connection.handle("Double", |(number,): (i64,)| async move { Ok::<_, String>(number * 2) }).unwrap();
    let (status, answer) = hub.ask(&id(&connection), "Double", &json!(21));
    assert_eq!((status, answer.trim()), (200, "42"));
}

async fn a_removed_handler_answers_no_more<R: Runtime>(server: Server) {
    let connection = connect::<R>(builder(server.usual())).await;
    let registration =
        connection.handle("Double", |(number,): (i64,)| async move { Ok::<_, String>(number * 2) }).unwrap();
    assert_eq!(connection.invoke::<i64>("AskMe", ("Double", 4)).await, Ok(8));
    registration.remove();
    let error = failed_question(&connection, "Double", json!(4)).await;
    assert!(error.contains("Client didn't provide a result."), "{error}");
    connection.handle("Double", |(number,): (i64,)| async move { Ok::<_, String>(number * 20) }).unwrap();
    assert_eq!(connection.invoke::<i64>("AskMe", ("Double", 4)).await, Ok(80));
}
