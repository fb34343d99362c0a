//! Calls of hub methods: what is written, how each ends, and that it ends once.

use std::time::Duration;

use signalr_proto::{HubConnectionConfig, State};

use crate::support::sim::{Call, Sim, reconnecting};

#[test]
fn an_invocation_is_written_with_an_id_and_a_send_without() {
    let mut sim = Sim::connected();
    sim.call(Call::invoke("Add").arguments("[1,2]"));
    sim.call(Call::send("Log").arguments(r#"["x"]"#).header("traceparent", "00"));
    sim.call(Call::stream("Count"));
    assert_eq!(
        sim.wire(),
        [
            r#"{"type":1,"invocationId":"1","target":"Add","arguments":[1,2]}"#,
            r#"{"type":1,"headers":{"traceparent":"00"},"target":"Log","arguments":["x"]}"#,
            r#"{"type":4,"invocationId":"3","target":"Count","arguments":[]}"#,
        ]
    );
    assert_eq!(sim.replies(), ["#3 completed"], "a send is done when it was handed over");
}

#[test]
fn a_completion_ends_an_invocation() {
    for (call, completion, expected) in [
        (Call::invoke("M"), r#"{"type":3,"invocationId":"1","result":{"a":[1]}}"#, r#"value {"a":[1]}"#),
        (Call::invoke("M"), r#"{"type":3,"invocationId":"1","result":null}"#, "value null"),
        (Call::invoke("M"), r#"{"type":3,"invocationId":"1"}"#, "completed"),
        (Call::invoke("M"), r#"{"type":3,"invocationId":"1","error":"no"}"#, "hub_error no"),
        (Call::invoke("M"), r#"{"type":3,"invocationId":"1","error":"no","result":null}"#, "hub_error no"),
        (Call::invoke("M"), r#"{"type":3,"invocationId":"1","result":null,"error":"no"}"#, "hub_error no"),
        (Call::invoke("M"), r#"{"type":3,"invocationId":"1","error":""}"#, "completed"),
        (Call::invoke("M"), r#"{"type":3,"invocationId":"1","error":"a\nb"}"#, "hub_error a\\u{a}b"),
        (Call::invoke("M").integer(), r#"{"type":3,"invocationId":"1","result":7}"#, "value 7"),
        (Call::invoke("M").integer(), r#"{"result":7,"invocationId":"1","type":3}"#, "value 7"),
        (Call::invoke("M").integer(), r#"{"type":3,"invocationId":"1","result":1,"result":2}"#, "value 2"),
        (Call::invoke("M").integer(), r#"{"type":3,"invocationId":"9","result":1,"invocationId":"1"}"#, "value 1"),
        (Call::invoke("M").integer(), r#"{"type":3,"invocationId":"1","result":"x"}"#, "malformed"),
        (Call::invoke("M").integer(), r#"{"result":"x","type":3,"invocationId":"1"}"#, "malformed"),
        (Call::invoke("M").integer(), r#"{"type":3,"invocationId":"1","result":null}"#, "malformed"),
    ] {
        let mut sim = Sim::connected();
        sim.call(call);
        sim.hub(completion);
        assert_eq!(sim.replies(), [format!("#2 {expected}")], "{completion}");
        assert_eq!(sim.machine.state(), State::Connected);
        // The next call goes as if nothing had been.
        sim.wire();
        sim.call(Call::invoke("M").integer());
        sim.hub(r#"{"type":3,"invocationId":"2","result":5}"#);
        assert_eq!(sim.replies(), ["#3 value 5"], "{completion}");
        assert!(sim.events().is_empty(), "{completion}");
    }
}

#[test]
fn a_hubs_error_text_is_cut() {
    let mut sim = Sim::connected();
    sim.invoke("M");
    sim.refuse("1", &"x".repeat(100_000));
    assert!(sim.replies()[0].len() < 1_100);
}

#[test]
fn answers_to_nothing_are_violations_that_the_connection_survives() {
    let unknown = [
        r#"{"type":3,"invocationId":"2","result":1}"#,
        r#"{"type":3,"invocationId":"0"}"#,
        r#"{"type":3,"invocationId":"01"}"#,
        r#"{"type":3,"invocationId":"+1"}"#,
        r#"{"type":3,"invocationId":" 1"}"#,
        r#"{"type":3,"invocationId":"١"}"#,
        r#"{"type":3,"invocationId":"99999999999999999999999"}"#,
        r#"{"type":3,"invocationId":"s1"}"#,
        r#"{"type":2,"invocationId":"1","item":1}"#,
        r#"{"type":2,"invocationId":"9","item":1}"#,
        r#"{"type":4,"invocationId":"1","target":"m","arguments":[]}"#,
        r#"{"type":5,"invocationId":"1"}"#,
        r#"{"type":8,"sequenceId":1}"#,
        r#"{"type":9,"sequenceId":-1}"#,
        r#"{"type":10}"#,
    ];
    let mut sim = Sim::connected();
    sim.invoke("M");
    for record in unknown {
        sim.hub(record);
        assert_eq!(sim.events().len(), 1, "{record}");
        assert!(sim.replies().is_empty(), "{record}");
    }
    assert_eq!(sim.machine.counters().violations, unknown.len() as u64);
    sim.complete("1");
    assert_eq!(sim.replies(), ["#2 value null"]);
    // A second completion completes nothing else.
    sim.invoke("M");
    sim.complete("1");
    assert!(sim.replies().is_empty());
    assert!(sim.events()[0].starts_with("violation "));
}

#[test]
fn a_completion_before_the_record_was_sent_is_no_answer() {
    let mut sim = Sim::connected();
    sim.is_ready = false;
    sim.invoke("M");
    sim.complete("1");
    assert!(sim.replies().is_empty());
    assert_eq!(sim.machine.counters().violations, 1);
}

#[test]
fn the_deadline_is_thirty_seconds_for_a_plain_invocation_alone() {
    let mut sim = Sim::connected();
    sim.invoke("M");
    sim.call(Call::stream("S"));
    sim.call(Call::invoke("U").uploads(1));
    for _ in 0..4 {
        sim.seconds(29);
        sim.hub(r#"{"type":6}"#);
    }
    assert_eq!(sim.replies(), ["#2 unknown deadline"]);
    // What comes too late is counted, and no violation.
    sim.complete("1");
    assert_eq!(sim.machine.counters().abandoned, 1);
    assert!(sim.events().is_empty());
    sim.complete("1");
    assert_eq!(sim.machine.counters().violations, 1, "one answer was owed");
}

#[test]
fn a_deadline_goes_off_to_the_nanosecond() {
    let mut sim = Sim::connected();
    sim.call(Call::invoke("M").within(Duration::from_nanos(1_234_567)));
    sim.advance(Duration::from_nanos(1_234_566));
    assert!(sim.replies().is_empty());
    sim.advance(Duration::from_nanos(1));
    assert_eq!(sim.replies(), ["#2 unknown deadline"]);
}

#[test]
fn what_the_deadline_means_depends_on_how_far_the_record_got() {
    let config = HubConnectionConfig::default().max_pending_calls(1).automatic_reconnect(Default::default());
    let mut sim = Sim::new(config).connect();
    sim.is_ready = false;
    sim.call(Call::invoke("Queued").within(Duration::from_secs(1)));
    sim.call(Call::invoke("Waiting").within(Duration::from_secs(1)));
    sim.call(Call::send("Waiting").within(Duration::from_secs(1)));
    sim.seconds(1);
    assert_eq!(sim.replies(), ["#2 not_sent deadline", "#3 not_sent deadline", "#4 not_sent deadline"]);
    sim.is_ready = true;
    sim.settle();
    assert!(sim.wire().is_empty(), "not one byte of them leaves");
    sim.call(Call::invoke("Sent").within(Duration::from_secs(1)));
    sim.seconds(1);
    assert_eq!(sim.replies(), ["#5 unknown deadline"]);
}

#[test]
fn a_call_is_given_up_at_every_stage() {
    let mut sim = Sim::new(HubConnectionConfig::default().max_pending_calls(2)).connect();
    let sent = sim.invoke("Sent");
    sim.is_ready = false;
    let queued = sim.invoke("Queued");
    let waiting = sim.invoke("Waiting");
    sim.cancel(waiting);
    sim.cancel(queued);
    sim.cancel(sent);
    assert_eq!(sim.replies(), ["#4 cancelled", "#5 done", "#3 cancelled", "#6 done", "#2 cancelled", "#7 done"]);
    sim.is_ready = true;
    sim.settle();
    assert_eq!(
        sim.wire(),
        [r#"{"type":1,"invocationId":"1","target":"Sent","arguments":[]}"#],
        "a plain call has no cancel on the wire"
    );
    // A second time, and of what never was: nothing but the answer to the command.
    sim.cancel(sent);
    sim.cancel(signalr_proto::Token(999));
    assert_eq!(sim.replies(), ["#8 done", "#9 done"]);
    sim.complete("1");
    assert_eq!(sim.machine.counters().abandoned, 1);
}

#[test]
fn at_the_limit_of_pending_calls_a_call_waits_for_room() {
    let mut sim = Sim::new(HubConnectionConfig::default().max_pending_calls(2)).connect();
    for target in ["A", "B", "C", "D"] {
        sim.invoke(target);
    }
    assert_eq!(sim.wire().len(), 2);
    sim.complete("1");
    assert_eq!(sim.wire(), [r#"{"type":1,"invocationId":"3","target":"C","arguments":[]}"#]);
    sim.cancel(signalr_proto::Token(3));
    assert_eq!(sim.wire(), [r#"{"type":1,"invocationId":"4","target":"D","arguments":[]}"#]);
}

#[test]
fn at_the_limit_of_bytes_a_call_waits_in_its_place() {
    let mut sim = Sim::new(HubConnectionConfig::default().max_outbound_bytes(200)).connect();
    sim.is_ready = false;
    sim.call(Call::send("A").arguments(format!("[\"{}\"]", "a".repeat(100))));
    sim.call(Call::send("B").arguments(format!("[\"{}\"]", "b".repeat(100))));
    sim.call(Call::send("C"));
    sim.pull();
    sim.settle();
    let targets: Vec<_> = sim.wire().iter().map(|record| record[20..21].to_owned()).collect();
    assert_eq!(targets, ["A", "B", "C"], "a small one does not overtake");
}

#[test]
fn a_record_over_the_limit_goes_alone() {
    let mut sim = Sim::new(HubConnectionConfig::default().max_outbound_bytes(10)).connect();
    sim.call(Call::send("A").arguments(format!("[\"{}\"]", "a".repeat(1_000))));
    assert_eq!(sim.wire().len(), 1);
}

#[test]
fn the_room_of_a_call_given_up_in_the_queue_is_given_to_the_next() {
    let mut sim = Sim::new(HubConnectionConfig::default().max_outbound_bytes(100)).connect();
    sim.is_ready = false;
    let first = sim.call(Call::invoke("A").arguments(format!("[\"{}\"]", "a".repeat(100))));
    sim.invoke("B");
    sim.cancel(first);
    sim.is_ready = true;
    sim.settle();
    assert_eq!(sim.wire(), [r#"{"type":1,"invocationId":"2","target":"B","arguments":[]}"#]);
}

#[test]
fn a_loss_tells_apart_what_was_sent_and_what_was_not() {
    let mut sim = Sim::new(reconnecting([0]).max_pending_calls(3)).connect();
    sim.invoke("Sent");
    sim.call(Call::stream("Sent"));
    sim.is_ready = false;
    sim.call(Call::send("Queued"));
    sim.invoke("Waiting");
    sim.wire();
    sim.lose();
    assert_eq!(sim.replies(), ["#2 unknown lost", "#3 unknown lost", "#4 not_sent lost", "#5 not_sent lost"]);
    sim.is_ready = true;
    sim.seconds(0);
    sim.link();
    assert_eq!(sim.wire(), [r#"{"protocol":"json","version":1}"#, r#"{"type":6}"#], "nothing is sent twice");
    // An id is never used again: a late answer of the old connection fits nothing.
    sim.log.take();
    sim.invoke("M");
    assert_eq!(sim.wire(), [r#"{"type":1,"invocationId":"5","target":"M","arguments":[]}"#]);
    sim.complete("1");
    assert!(sim.replies().is_empty());
}

#[test]
fn a_call_in_each_state() {
    let call = |sim: &mut Sim| {
        sim.replies();
        sim.invoke("M");
        sim.replies().pop().unwrap().split_once(' ').unwrap().1.to_owned()
    };
    let mut sim = Sim::new(reconnecting([1_000]));
    assert_eq!(call(&mut sim), "rejected the connection is not active");
    sim.start();
    assert_eq!(call(&mut sim), "not_sent connecting");
    sim.dial();
    assert_eq!(call(&mut sim), "not_sent connecting");
    sim.hub("{}");
    sim.lose();
    assert_eq!(call(&mut sim), "not_sent reconnecting");
    sim.seconds(1);
    assert_eq!(call(&mut sim), "not_sent reconnecting");
    sim.link();
    sim.stop();
    assert_eq!(call(&mut sim), "rejected the connection is not active");
    sim.lose();
    assert_eq!(call(&mut sim), "rejected the connection is not active");
}

#[test]
fn arguments_that_hold_a_separator_are_refused() {
    let mut sim = Sim::connected();
    sim.call(Call::invoke("M").arguments("[\"\u{1e}\"]"));
    assert!(sim.replies()[0].starts_with("#2 rejected "));
    assert!(sim.wire().is_empty());
    // A target is a text of ours: it is escaped.
    sim.invoke("a\u{1e}\"");
    assert_eq!(sim.wire(), [r#"{"type":1,"invocationId":"1","target":"a\u001E\"","arguments":[]}"#]);
}

#[test]
fn many_small_records_share_a_message() {
    let mut sim = Sim::connected();
    sim.is_ready = false;
    for _ in 0..1_000 {
        sim.call(Call::send("M").arguments("[\"0123456789\"]"));
    }
    sim.pull();
    assert!(sim.messages.len() < 10, "{}", sim.messages.len());
    assert!(sim.messages.iter().all(|message| message.len() <= 16 << 10));
    sim.settle();
    assert_eq!((sim.wire().len(), sim.replies().len()), (1_000, 1_000));
}
