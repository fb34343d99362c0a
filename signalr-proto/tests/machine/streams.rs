//! Streams of items, from the hub and to the hub.

use std::time::Duration;

use signalr_proto::{Command, HubConnectionConfig, Machine, Token, UploadRoom};

use crate::support::sim::{Call, Sim, reconnecting};

fn item(id: &str, item: &str) -> String {
    format!(r#"{{"type":2,"invocationId":"{id}","item":{item}}}"#)
}

#[test]
fn items_come_in_order_and_then_the_end() {
    for (end, outcome) in [
        (r#"{"type":3,"invocationId":"1"}"#, "#2 completed"),
        (r#"{"type":3,"invocationId":"1","result":null}"#, "#2 completed"),
        (r#"{"type":3,"invocationId":"1","error":"no"}"#, "#2 hub_error no"),
    ] {
        let mut sim = Sim::connected();
        sim.call(Call::stream("Count"));
        sim.text(&format!("{}\u{1e}{}\u{1e}{end}\u{1e}", item("1", "1"), item("1", "null")));
        let lines: Vec<String> =
            sim.log.take().into_iter().map(|(_, line)| line).filter(|line| line.starts_with('#')).collect();
        assert_eq!(lines, ["#2 item 1", "#2 item null", outcome]);
        assert_eq!(sim.machine.counters().items, 2);
        // Nothing comes after the end.
        sim.hub(&item("1", "3"));
        assert!(sim.sinks().is_empty());
        assert_eq!(sim.machine.counters().violations, 1);
    }
}

#[test]
fn a_stream_that_ends_with_a_result_ends_well_and_is_told() {
    let mut sim = Sim::connected();
    sim.call(Call::stream("Count"));
    sim.hub(r#"{"type":3,"invocationId":"1","result":7}"#);
    assert_eq!(sim.replies(), ["#2 completed"]);
}

#[test]
fn an_item_that_does_not_fit_is_told_and_the_stream_goes_on() {
    let mut sim = Sim::connected();
    sim.call(Call::stream("Count").integer());
    sim.hub(&item("1", "\"x\""));
    sim.hub(&item("1", "2"));
    sim.hub(r#"{"item":3,"invocationId":"1","type":2}"#);
    assert_eq!(sim.sinks(), ["#2 item malformed at \"\"", "#2 item 2", "#2 item 3"]);
    assert!(sim.events().is_empty());
}

#[test]
fn items_are_visible_before_the_end_however_it_comes() {
    for end in 0..4 {
        let mut sim = Sim::connected();
        let call = sim.call(Call::stream("Count").within(Duration::from_secs(1)));
        sim.flushes = false;
        sim.hub(&item("1", "1"));
        assert!(sim.sinks().is_empty());
        match end {
            0 => sim.complete("1"),
            1 => sim.lose(),
            2 => sim.seconds(1),
            _ => drop(sim.cancel(call)),
        }
        assert_eq!(sim.sinks(), ["#2 item 1"]);
        assert!(sim.replies()[0].starts_with("#2 "));
    }
}

#[test]
fn two_streams_do_not_mix() {
    let mut sim = Sim::connected();
    sim.call(Call::stream("A"));
    sim.call(Call::stream("B"));
    sim.hub(&item("2", "1"));
    sim.hub(&item("1", "2"));
    sim.complete("2");
    sim.hub(&item("1", "3"));
    assert_eq!(sim.sinks(), ["#3 item 1", "#2 item 2", "#2 item 3"]);
    assert_eq!(sim.replies(), ["#3 completed"]);
}

#[test]
fn a_cancelled_stream_is_cancelled_on_the_hub_once_it_was_sent() {
    let mut sim = Sim::connected();
    sim.is_ready = false;
    let queued = sim.call(Call::stream("Count"));
    sim.cancel(queued);
    sim.is_ready = true;
    sim.settle();
    assert!(sim.wire().is_empty());
    let sent = sim.call(Call::stream("Count"));
    sim.wire();
    sim.log.take();
    sim.cancel(sent);
    assert_eq!(sim.wire(), [r#"{"type":5,"invocationId":"2"}"#]);
    assert_eq!(sim.replies(), ["#4 cancelled", "#5 done"]);
    // What the hub sent before it heard of it goes nowhere, and is no fault.
    sim.hub(&item("2", "1"));
    sim.complete("2");
    assert!(sim.sinks().is_empty() && sim.events().is_empty());
    assert_eq!(sim.machine.counters().abandoned, 2);
}

#[test]
fn a_streams_own_deadline_covers_the_time_to_its_end() {
    let mut sim = Sim::connected();
    sim.call(Call::stream("Count").within(Duration::from_secs(5)));
    sim.wire();
    sim.seconds(4);
    sim.hub(&item("1", "1"));
    sim.seconds(1);
    assert_eq!(sim.replies(), ["#2 unknown deadline"]);
    assert_eq!(sim.wire(), [r#"{"type":5,"invocationId":"1"}"#]);
}

#[test]
fn a_stream_that_nobody_reads_overflows_alone() {
    let mut sim = Sim::connected();
    sim.call(Call::stream("Fast").room(100));
    sim.call(Call::stream("Other"));
    sim.wire();
    for _ in 0..3 {
        sim.hub(&item("1", "\"0123456789\""));
    }
    assert_eq!(sim.replies(), ["#2 overflow"]);
    assert_eq!(sim.sinks().len(), 3, "what it has taken it keeps, the one too many included");
    assert_eq!(sim.wire(), [r#"{"type":5,"invocationId":"1"}"#]);
    sim.hub(&item("2", "1"));
    assert_eq!(sim.sinks(), ["#3 item 1"]);
    assert!(sim.machine.wants_read());
}

fn upload(sim: &mut Sim, call: Token, stream: usize, item: &str) {
    sim.command(Command::UploadItem { call, stream, item: item.to_owned() });
}

fn end(sim: &mut Sim, call: Token, stream: usize, error: Option<&str>) {
    sim.command(Command::UploadEnd { call, stream, error: error.map(str::to_owned) });
}

#[test]
fn uploads_take_their_ids_before_the_call_and_follow_it() {
    for (call, head) in [
        (Call::invoke("Sum"), r#"{"type":1,"invocationId":"3","target":"Sum","arguments":[5],"streamIds":["1","2"]}"#),
        (Call::stream("Sum"), r#"{"type":4,"invocationId":"3","target":"Sum","arguments":[5],"streamIds":["1","2"]}"#),
        (Call::send("Sum"), r#"{"type":1,"target":"Sum","arguments":[5],"streamIds":["1","2"]}"#),
    ] {
        let mut sim = Sim::connected();
        let call = sim.call(call.arguments("[5]").uploads(2));
        upload(&mut sim, call, 1, "true");
        upload(&mut sim, call, 0, "1");
        end(&mut sim, call, 1, None);
        end(&mut sim, call, 0, Some("it broke"));
        assert_eq!(
            sim.wire(),
            [
                head,
                r#"{"type":2,"invocationId":"2","item":true}"#,
                r#"{"type":2,"invocationId":"1","item":1}"#,
                r#"{"type":3,"invocationId":"2"}"#,
                r#"{"type":3,"invocationId":"1","error":"it broke"}"#,
            ]
        );
        // After their end there is nothing more to send.
        upload(&mut sim, call, 0, "2");
        end(&mut sim, call, 0, None);
        upload(&mut sim, call, 7, "2");
        assert!(sim.wire().is_empty());
        assert_eq!(sim.machine.upload_room(call, 0), UploadRoom::Gone);
    }
}

#[test]
fn an_upload_waits_for_its_call_and_for_room() {
    let mut sim = Sim::new(HubConnectionConfig::default().max_outbound_bytes(200)).connect();
    sim.is_ready = false;
    let call = sim.call(Call::invoke("Sum").uploads(1));
    assert_eq!(sim.machine.upload_room(call, 0), UploadRoom::Full);
    sim.pull();
    assert_eq!(sim.machine.upload_room(call, 0), UploadRoom::Open);
    upload(&mut sim, call, 0, &format!("\"{}\"", "x".repeat(200)));
    assert_eq!(sim.machine.upload_room(call, 0), UploadRoom::Full);
    sim.pull();
    assert_eq!(sim.machine.upload_room(call, 0), UploadRoom::Open);
    assert_eq!(sim.machine.upload_room(call, 1), UploadRoom::Gone);
    assert_eq!(sim.machine.upload_room(Token(99), 0), UploadRoom::Gone);
}

#[test]
fn the_end_of_an_upload_never_overtakes_its_call() {
    let mut sim = Sim::new(HubConnectionConfig::default().max_pending_calls(1)).connect();
    let first = sim.invoke("First");
    let second = sim.call(Call::invoke("Second").uploads(1));
    end(&mut sim, second, 0, None);
    sim.wire();
    sim.cancel(first);
    assert_eq!(
        sim.wire(),
        [
            r#"{"type":1,"invocationId":"3","target":"Second","arguments":[],"streamIds":["2"]}"#,
            r#"{"type":3,"invocationId":"2"}"#,
        ]
    );
}

#[test]
fn a_call_that_completes_early_takes_its_uploads_with_it() {
    let mut sim = Sim::connected();
    let call = sim.call(Call::invoke("Sum").uploads(1));
    upload(&mut sim, call, 0, "1");
    sim.hub(r#"{"type":3,"invocationId":"2","result":1}"#);
    sim.wire();
    assert_eq!(sim.machine.upload_room(call, 0), UploadRoom::Gone);
    upload(&mut sim, call, 0, "2");
    end(&mut sim, call, 0, None);
    assert!(sim.wire().is_empty());
}

#[test]
fn the_uploads_of_a_call_given_up_end_on_the_hub_too() {
    let mut sim = Sim::connected();
    let call = sim.call(Call::invoke("Sum").uploads(2));
    end(&mut sim, call, 0, None);
    sim.wire();
    sim.cancel(call);
    assert_eq!(sim.wire(), [r#"{"type":3,"invocationId":"2","error":"Stream canceled by client."}"#]);
}

#[test]
fn uploads_of_a_send_outlive_it_but_not_the_connection() {
    let mut sim = Sim::new(reconnecting([0])).connect();
    let call = sim.call(Call::send("Sum").uploads(1));
    assert_eq!(sim.replies(), ["#2 completed"]);
    upload(&mut sim, call, 0, "1");
    sim.lose();
    assert_eq!(sim.machine.upload_room(call, 0), UploadRoom::Gone);
    sim.seconds(0);
    sim.link();
    sim.wire();
    upload(&mut sim, call, 0, "2");
    end(&mut sim, call, 0, None);
    assert!(sim.wire().is_empty(), "a stale stream id goes nowhere");
}

#[test]
fn a_cancel_keeps_its_place_behind_its_call() {
    let mut sim = Sim::connected();
    let call = sim.call(Call::stream("Count"));
    sim.is_ready = false;
    sim.call(Call::send("Before"));
    sim.cancel(call);
    sim.call(Call::send("After"));
    sim.wire();
    sim.pull();
    let wire = sim.wire();
    assert!(wire[0].contains("Before") && wire[1].contains("\"type\":5") && wire[2].contains("After"), "{wire:?}");
}
