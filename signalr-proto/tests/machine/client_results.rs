//! Invocations that the hub wants an answer to.

use signalr_proto::{Command, Role};

use crate::support::sim::{Sim, reconnecting};
use crate::support::sinks::{Handle, Shape};

const ASK: &str = r#"{"type":1,"invocationId":"s1","target":"Ask","arguments":[1]}"#;

fn with_responder(shape: Shape) -> (Sim, Handle) {
    let mut sim = Sim::new(reconnecting([0])).connect();
    let (handle, _) = sim.register("Ask", "answer", shape, Role::Responder, Handle::default());
    sim.log.take();
    (sim, handle)
}

#[test]
fn a_result_or_an_error_goes_back_under_the_hubs_id() {
    for (result, expected) in [
        (Ok("false"), r#"{"type":3,"invocationId":"s1","result":false}"#),
        (Ok("null"), r#"{"type":3,"invocationId":"s1","result":null}"#),
        (Err("it \"broke\""), r#"{"type":3,"invocationId":"s1","error":"it \"broke\""}"#),
    ] {
        let (mut sim, handle) = with_responder(Shape::Integer);
        sim.hub(ASK);
        assert_eq!(sim.sinks(), ["answer [1] ticket"]);
        assert!(sim.wire().is_empty(), "nothing before the application has answered");
        let ticket = handle.take_ticket().unwrap();
        sim.command(Command::Complete { ticket, result: result.map(str::to_owned).map_err(str::to_owned) });
        assert_eq!(sim.wire(), [expected]);
        assert_eq!(sim.machine.counters().delivered, 1);
    }
}

#[test]
fn nobody_who_answers_is_an_error_for_the_hub_and_never_the_end() {
    // Nobody at all.
    let mut sim = Sim::connected();
    sim.hub(ASK);
    assert_eq!(sim.wire(), [r#"{"type":3,"invocationId":"s1","error":"Client didn't provide a result."}"#]);
    assert_eq!(sim.events(), ["unhandled Ask"]);
    // Only a listener.
    sim.on("Ask", "on", Shape::Any);
    sim.hub(ASK);
    assert_eq!(sim.wire(), [r#"{"type":3,"invocationId":"s1","error":"Client didn't provide a result."}"#]);
    assert_eq!(sim.sinks(), ["on [1]"], "it hears it all the same");
}

#[test]
fn a_responder_and_a_listener_both_hear_and_one_answers() {
    let (mut sim, handle) = with_responder(Shape::Any);
    sim.on("Ask", "on", Shape::Any);
    sim.hub(ASK);
    assert_eq!(sim.sinks(), ["answer [1] ticket", "on [1]"]);
    sim.hub(r#"{"type":1,"target":"Ask","arguments":[2]}"#);
    assert_eq!(sim.sinks(), ["answer [2]", "on [2]"], "no ticket where no answer is wanted");
    assert!(handle.take_ticket().is_some() && handle.take_ticket().is_none());
}

#[test]
fn arguments_that_do_not_fit_the_responder_are_answered_for_him() {
    let (mut sim, handle) = with_responder(Shape::Integer);
    sim.on("Ask", "on", Shape::Any);
    sim.log.take();
    sim.hub(r#"{"type":1,"invocationId":"s1","target":"Ask","arguments":["x"]}"#);
    assert_eq!(sim.wire(), [r#"{"type":3,"invocationId":"s1","error":"Client failed to parse argument(s)."}"#]);
    assert_eq!(sim.sinks(), ["answer malformed [0]", "on [\"x\"]"]);
    assert_eq!(sim.events(), ["malformed Ask [0]"]);
    assert!(handle.take_ticket().is_none());
}

#[test]
fn there_is_one_responder_for_a_target() {
    let (mut sim, _) = with_responder(Shape::Any);
    let (_, second) = sim.register("Ask", "second", Shape::Any, Role::Responder, Handle::default());
    assert!(sim.replies()[0].starts_with("#3 rejected "));
    sim.command(Command::Unregister { registration: second });
    sim.hub(ASK);
    assert_eq!(sim.sinks(), ["answer [1] ticket"], "the first one is still there");
    sim.command(Command::Unregister { registration: signalr_proto::Token(2) });
    sim.register("Ask", "third", Shape::Any, Role::Responder, Handle::default());
    sim.hub(ASK);
    assert_eq!(sim.sinks(), ["third [1] ticket"]);
}

#[test]
fn an_answer_for_a_connection_that_is_gone_goes_nowhere() {
    let (mut sim, handle) = with_responder(Shape::Any);
    sim.hub(ASK);
    let ticket = handle.take_ticket().unwrap();
    sim.lose();
    sim.seconds(0);
    sim.link();
    sim.wire();
    sim.log.take();
    sim.command(Command::Complete { ticket, result: Ok("1".to_owned()) });
    assert!(sim.wire().is_empty());
    assert_eq!(sim.replies(), ["#3 done"]);
}

#[test]
fn a_result_that_holds_a_separator_is_an_error() {
    let (mut sim, handle) = with_responder(Shape::Any);
    sim.hub(ASK);
    let ticket = handle.take_ticket().unwrap();
    sim.command(Command::Complete { ticket, result: Ok("\"\u{1e}\"".to_owned()) });
    assert_eq!(sim.wire(), [r#"{"type":3,"invocationId":"s1","error":"The result is not JSON."}"#]);
}

#[test]
fn an_id_is_opaque() {
    let (mut sim, handle) = with_responder(Shape::Any);
    sim.hub(r#"{"type":1,"invocationId":"\u001e\" é","target":"Ask","arguments":[]}"#);
    let ticket = handle.take_ticket().unwrap();
    sim.command(Command::Complete { ticket, result: Ok("1".to_owned()) });
    assert_eq!(sim.wire(), [r#"{"type":3,"invocationId":"\u001E\" é","result":1}"#]);
}

#[test]
fn only_so_many_answers_may_be_owed() {
    let (mut sim, handle) = with_responder(Shape::Any);
    for _ in 0..4_096 {
        sim.hub(ASK);
    }
    assert!(sim.wire().is_empty());
    sim.hub(ASK);
    assert_eq!(sim.wire(), [r#"{"type":3,"invocationId":"s1","error":"Client has too many results to give."}"#]);
    // Refusals take nobody's place and give none back.
    for _ in 0..10 {
        sim.hub(r#"{"type":1,"invocationId":"s2","target":"nobody","arguments":[]}"#);
    }
    sim.wire();
    sim.hub(ASK);
    assert_eq!(sim.wire().len(), 1);
    let ticket = handle.take_ticket().unwrap();
    sim.command(Command::Complete { ticket, result: Ok("1".to_owned()) });
    sim.wire();
    sim.hub(ASK);
    assert!(sim.wire().is_empty(), "there is room for one again");
    assert_eq!(handle.tickets.lock().unwrap().len(), 4_096);
}
