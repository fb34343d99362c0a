//! The machine alone, with a clock that the tests turn.

use std::time::Duration;

use super::*;

const SECOND: u64 = 1_000_000_000;
const HANDSHAKE: &str = "{\"protocol\":\"json\",\"version\":1}\u{1e}";
const STATEFUL_HANDSHAKE: &str = "{\"protocol\":\"json\",\"version\":2}\u{1e}";
const PING: &str = "{\"type\":6}\u{1e}";
const FAILED: &str = "{\"type\":7,\"error\":\"Connection closed with an error.\",\"allowReconnect\":true}\u{1e}";

fn rules() -> Rules {
    Rules {
        handshake_timeout: Duration::from_secs(15),
        keep_alive: Duration::from_secs(15),
        client_timeout: Duration::from_secs(30),
        max_record_bytes: 32 * 1024,
        parallel_invocations: 1,
        upload_capacity: 10,
        detailed_errors: false,
        stateful: None,
        expires: None,
        is_unwelcome: false,
    }
}

fn stateful() -> Rules {
    let stateful = Stateful { buffer_bytes: 100, window: Duration::from_secs(15) };
    Rules { stateful: Some(stateful), ..rules() }
}

/// A connection, the clock, and what came out of it.
struct World {
    connection: Connection,
    now: u64,
    calls: Vec<CallId>,
    log: Vec<String>,
}

impl World {
    fn new(rules: Rules) -> Self {
        let connection = Connection::new(Instant::from_nanos(0), Hub::Conformance, rules);
        Self { connection, now: 0, calls: Vec::new(), log: Vec::new() }
    }

    fn open(rules: Rules) -> Self {
        let request = if rules.stateful.is_some() { STATEFUL_HANDSHAKE } else { HANDSHAKE };
        let mut world = Self::new(rules);
        assert_eq!(world.says(request), "{}\u{1e}");
        world.log.clear();
        world
    }

    fn now(&self) -> Instant {
        Instant::from_nanos(self.now)
    }

    /// The client says something; what leaves at once comes back.
    fn says(&mut self, text: &str) -> String {
        let now = self.now();
        self.connection.handle_bytes(now, text.as_bytes());
        self.drain()
    }

    fn calls(&mut self, id: &str, target: &str, arguments: &str) -> String {
        let head = format!("{{\"type\":1,\"invocationId\":\"{id}\",\"target\":\"{target}\"");
        self.says(&format!("{head},\"arguments\":{arguments}}}\u{1e}"))
    }

    /// The time passes up to the next deadline, which must be this.
    fn waits_until(&mut self, nanos: u64) -> String {
        assert_eq!(self.connection.poll_timeout(), Some(Instant::from_nanos(nanos)));
        self.now = nanos - 1;
        let now = self.now();
        self.connection.handle_timeout(now);
        assert_eq!(self.drain(), "", "a nanosecond too early");
        self.now = nanos;
        let now = self.now();
        self.connection.handle_timeout(now);
        self.drain()
    }

    fn ends(&mut self, call: usize, outcome: &str) -> String {
        let now = self.now();
        self.connection.handle_outcome(now, self.calls[call], Ok(outcome.to_owned()));
        self.drain()
    }

    fn sends(&mut self, record: &str) -> String {
        assert!(self.connection.send(Bytes::from(record.to_owned())));
        self.drain()
    }

    /// What is written; events go to the log.
    fn drain(&mut self) -> String {
        while let Some(event) = self.connection.poll_event() {
            let told = match event {
                Event::Connected => "connected".to_owned(),
                Event::Called(_) | Event::Refused => continue,
                Event::Call(call) => {
                    self.calls.push(call.id);
                    format!("call {}", call.method.name)
                }
                Event::Cancel(_) => "cancel".to_owned(),
                Event::Item { item, .. } => format!("item {}", item.get()),
                Event::UploadOver { error, .. } => format!("over {error:?}"),
                Event::Answer { id, .. } => {
                    let now = self.now();
                    self.connection.handle_answer(now, false);
                    format!("answer {id}")
                }
                Event::CloseSocket => "close socket".to_owned(),
                Event::Over(goodbye) => format!("over: {}", goodbye.reason()),
            };
            self.log.push(told);
        }
        let mut written = String::new();
        loop {
            match self.connection.poll_transmit() {
                Some(Outgoing::Records(records)) => written.push_str(std::str::from_utf8(&records).unwrap()),
                Some(Outgoing::Close(code)) => {
                    written.push_str(&code.to_string());
                    break;
                }
                Some(Outgoing::Discarded) => {
                    written.push_str("discarded");
                    break;
                }
                Some(Outgoing::Frame(_)) => {}
                None => break,
            }
        }
        written
    }
}

fn completion(id: &str, result: &str) -> String {
    format!("{{\"type\":3,\"invocationId\":\"{id}\",\"result\":{result}}}\u{1e}")
}

#[test]
fn a_handshake_has_15_seconds_to_the_nanosecond() {
    let mut world = World::new(rules());
    assert_eq!(world.says("{\"protocol\""), "");
    assert_eq!(world.waits_until(15 * SECOND), "{\"error\":\"Handshake was canceled.\"}\u{1e}1000");
    assert_eq!(world.log, ["over: handshake-refused"]);
    assert_eq!(world.connection.poll_timeout(), None);
}

#[test]
fn pings_come_at_every_interval_and_one_that_waits_is_not_doubled() {
    let mut world = World::open(rules());
    assert_eq!(world.waits_until(15 * SECOND), PING);
    assert_eq!(world.sends("{\"type\":1,\"target\":\"m\",\"arguments\":[]}\u{1e}").len(), 39);
    world.now = 30 * SECOND;
    let now = world.now();
    world.connection.handle_timeout(now);
    world.now = 45 * SECOND;
    let now = world.now();
    world.connection.handle_timeout(now);
    assert_eq!(world.drain(), PING);
}

#[test]
fn only_a_client_that_pinged_is_timed_out_and_only_while_the_hub_reads() {
    let mut world = World::open(Rules { keep_alive: Duration::ZERO, ..rules() });
    assert_eq!(world.connection.poll_timeout(), None);
    world.now = 5 * SECOND;
    world.says(PING);
    world.now = 6 * SECOND;
    world.calls("1", "Delay", "[1]");
    world.calls("2", "Delay", "[1]");
    assert_eq!(world.connection.poll_timeout(), None, "the second call waits, and with it the reading");
    world.now = 100 * SECOND;
    world.ends(0, "1");
    assert_eq!(world.waits_until(130 * SECOND), format!("{FAILED}1000"));
}

#[test]
fn half_a_record_is_no_sign_of_life() {
    let mut world = World::open(Rules { keep_alive: Duration::ZERO, ..rules() });
    world.says(PING);
    world.now = 20 * SECOND;
    world.says("{\"type\"");
    assert_eq!(world.waits_until(30 * SECOND), format!("{FAILED}1000"));
}

#[test]
fn a_connection_ends_with_its_token() {
    let mut world = World::open(Rules { expires: Some(Instant::from_nanos(7)), ..rules() });
    assert_eq!(world.waits_until(7), "{\"type\":7,\"allowReconnect\":true}\u{1e}1000");
}

#[test]
fn plain_calls_wait_for_a_place_and_everything_behind_them_waits_too() {
    let mut world = World::open(rules());
    world.calls("1", "Delay", "[1]");
    world.calls("2", "Add", "[1,2]");
    world.says("{\"type\":4,\"invocationId\":\"3\",\"target\":\"Counter\",\"arguments\":[1,0]}\u{1e}");
    assert_eq!(world.log, ["call Delay"]);
    assert_eq!(world.ends(0, "1"), completion("1", "1"));
    assert_eq!(world.log, ["call Delay", "call Add", "call Counter"]);
}

#[test]
fn a_call_that_asks_the_client_gives_up_its_place() {
    let mut world = World::open(rules());
    world.calls("1", "AskMe", "[\"ask\",1]");
    world.calls("2", "Add", "[1,2]");
    assert_eq!(world.log, ["call AskMe"]);
    let (now, call) = (world.now(), world.calls[0]);
    world.connection.handle_place_released(now, call);
    world.drain();
    assert_eq!(world.log, ["call AskMe", "call Add"]);
    // Its end gives back no second place.
    world.ends(0, "1");
    world.calls("3", "Add", "[1,2]");
    assert_eq!(world.log, ["call AskMe", "call Add"]);
    world.ends(1, "3");
    assert_eq!(world.log, ["call AskMe", "call Add", "call Add"]);
}

#[test]
fn an_upload_holds_ten_items_and_the_eleventh_stops_the_reading() {
    let mut world = World::open(rules());
    world
        .says("{\"type\":1,\"invocationId\":\"1\",\"target\":\"Upload\",\"arguments\":[],\"streamIds\":[\"a\"]}\u{1e}");
    for item in 0..12 {
        world.says(&format!("{{\"type\":2,\"invocationId\":\"a\",\"item\":{item}}}\u{1e}"));
    }
    assert_eq!(world.log.len(), 11, "{:?}", world.log);
    let upload = UploadKey::first_of(&world.connection.calls);
    let now = world.now();
    world.connection.handle_item_taken(now, upload);
    world.drain();
    assert_eq!(world.log.last().map(String::as_str), Some("item 10"));
    // The method ends without the rest.
    world.ends(0, "7");
    assert!(world.connection.wants_read());
    assert_eq!(world.log.last().map(String::as_str), Some("over None"));
}

#[test]
fn reading_stops_when_much_waits_behind_what_blocks_it() {
    let mut world = World::open(rules());
    world.calls("1", "Delay", "[1]");
    world.calls("2", "Delay", "[1]");
    assert!(world.connection.wants_read(), "a little is read ahead, so that a close is seen");
    for _ in 0..10_000 {
        if !world.connection.wants_read() {
            break;
        }
        world.says(PING);
    }
    assert!(!world.connection.wants_read());
    world.connection.handle_close(Instant::from_nanos(1));
    world.drain();
    assert_eq!(world.log.last().map(String::as_str), Some("over: client-left"));
}

#[test]
fn splitting_the_input_anywhere_changes_nothing() {
    let input = format!(
        "{HANDSHAKE}{PING}{}{}{}{}",
        "{\"type\":1,\"invocationId\":\"1\",\"target\":\"Add\",\"arguments\":[1,\"x\"]}\u{1e}",
        "{\"type\":1,\"invocationId\":\"é\",\"target\":\"Nope\",\"arguments\":[]}\u{1e}",
        "{\"type\":1,\"invocationId\":\"2\",\"target\":\"Add\",\"arguments\":[1,2]}\u{1e}",
        "{\"type\":7}\u{1e}{\"type\":6}\u{1e}",
    );
    let mut whole = World::new(rules());
    let expected = whole.says(&input);
    assert!(expected.ends_with("{\"type\":7}\u{1e}1000"), "{expected}");
    for cut in 0..=input.len() {
        let mut world = World::new(rules());
        let mut written = String::new();
        for part in [&input.as_bytes()[..cut], &input.as_bytes()[cut..]] {
            world.connection.handle_bytes(Instant::from_nanos(0), part);
            let said = world.drain();
            // What is said after the end is only the close again.
            if !written.ends_with("1000") {
                written.push_str(&said);
            }
        }
        assert_eq!((&written, &world.log), (&expected, &whole.log), "cut at {cut}");
    }
}

#[test]
fn nothing_is_read_behind_a_record_of_unknown_kind_and_32_kib_behind_it_are_too_much() {
    let mut world = World::open(rules());
    assert_eq!(world.says("{\"type\":99}\u{1e}"), "");
    assert_eq!(world.calls("1", "Nope", "[]"), "");
    let rest = "x".repeat(32 * 1024 - world.connection.inbound.len() - "{\"type\":99}\u{1e}".len());
    assert_eq!(world.says(&rest), "");
    assert_eq!(world.says("x"), format!("{FAILED}1000"));
}

#[test]
fn whoever_reads_too_slowly_is_refused_at_the_hard_limit() {
    let mut connection = Connection::new(Instant::from_nanos(0), Hub::Conformance, rules());
    let record = Bytes::from(vec![b'x'; 1024 * 1024]);
    let taken = (0..100).take_while(|_| connection.send(record.clone())).count();
    assert_eq!(taken, 64);
    assert!(!connection.has_room());
}

#[test]
fn a_new_socket_begins_with_the_sequence_and_what_was_not_acknowledged() {
    let mut world = World::open(stateful());
    world.sends("{\"type\":1,\"target\":\"a\",\"arguments\":[]}\u{1e}");
    world.sends("{\"type\":1,\"target\":\"b\",\"arguments\":[]}\u{1e}");
    world.says("{\"type\":8,\"sequenceId\":1}\u{1e}");
    let now = world.now();
    world.connection.handle_loss(now);
    // What is said meanwhile waits.
    assert_eq!(world.sends("{\"type\":1,\"target\":\"c\",\"arguments\":[]}\u{1e}"), "");
    assert!(world.connection.handle_return(now));
    assert_eq!(
        world.drain(),
        "{\"type\":9,\"sequenceId\":2}\u{1e}{\"type\":1,\"target\":\"b\",\"arguments\":[]}\u{1e}\
         {\"type\":1,\"target\":\"c\",\"arguments\":[]}\u{1e}"
    );
    assert!(world.log.is_empty(), "{:?}", world.log);
}

#[test]
fn what_came_before_is_dropped_after_a_sequence_and_what_never_came_is_fatal() {
    let mut world = World::open(stateful());
    world.calls("1", "Add", "[1,2]");
    world.ends(0, "3");
    world.says("{\"type\":9,\"sequenceId\":1}\u{1e}");
    world.calls("1", "Add", "[1,2]");
    assert_eq!(world.log, ["call Add"]);
    world.calls("2", "Add", "[1,2]");
    assert_eq!(world.log, ["call Add", "call Add"]);
    assert_eq!(world.says("{\"type\":9,\"sequenceId\":4}\u{1e}"), format!("{FAILED}1000"));
}

#[test]
fn acks_leave_at_whole_seconds_and_only_on_a_socket() {
    let mut world = World::open(stateful());
    world.now = SECOND / 2;
    world.says("{\"type\":5,\"invocationId\":\"x\"}\u{1e}");
    assert_eq!(world.waits_until(SECOND), "{\"type\":8,\"sequenceId\":1}\u{1e}");
    world.says("{\"type\":5,\"invocationId\":\"x\"}\u{1e}");
    let now = world.now();
    world.connection.handle_loss(now);
    world.now = 3 * SECOND + 1;
    let now = world.now();
    world.connection.handle_timeout(now);
    assert!(world.connection.handle_return(now));
    assert_eq!(world.drain(), "{\"type\":9,\"sequenceId\":1}\u{1e}");
    assert_eq!(world.waits_until(4 * SECOND), "{\"type\":8,\"sequenceId\":2}\u{1e}");
}

#[test]
fn a_connection_without_a_socket_is_kept_for_15_seconds() {
    let mut world = World::open(Rules { keep_alive: Duration::ZERO, ..stateful() });
    world.now = SECOND;
    let now = world.now();
    world.connection.handle_loss(now);
    assert_eq!(world.waits_until(16 * SECOND), "discarded");
    assert_eq!(world.log, ["over: client-left"]);
    let now = world.now();
    assert!(!world.connection.handle_return(now));
}

#[test]
fn a_socket_that_took_the_place_of_a_living_one_is_closed_when_it_speaks() {
    let mut world = World::open(stateful());
    let now = world.now();
    assert!(world.connection.handle_return(now));
    assert_eq!(world.drain(), "{\"type\":9,\"sequenceId\":1}\u{1e}");
    assert_eq!(world.calls("1", "Add", "[1,2]"), "");
    assert_eq!(world.log, ["close socket"]);
    let now = world.now();
    assert!(world.connection.handle_return(now));
    world.calls("1", "Add", "[1,2]");
    assert_eq!(world.log, ["close socket", "call Add"]);
}

#[test]
fn a_version_1_handshake_does_without_stateful_reconnect() {
    let mut world = World::new(stateful());
    assert_eq!(world.says(HANDSHAKE), "{}\u{1e}");
    let now = world.now();
    world.connection.handle_loss(now);
    assert_eq!(world.drain(), "discarded");
}

#[test]
fn a_careless_client_deadlocks_and_the_hub_gives_up() {
    let mut world = World::open(Rules { keep_alive: Duration::ZERO, ..stateful() });
    world.calls("1", "Payload", "[200]");
    let large = format!("\"{}\"", "x".repeat(200));
    assert_eq!(world.ends(0, &large), completion("1", &large));
    // The buffer is full: the next result waits, and its call keeps the only place.
    world.calls("2", "Add", "[1,2]");
    assert_eq!(world.ends(1, "3"), "");
    world.calls("3", "Add", "[1,2]");
    // Behind a call that waits for a place, the acknowledgement is not read.
    assert_eq!(world.says("{\"type\":8,\"sequenceId\":1}\u{1e}"), "");
    assert_eq!(world.log, ["call Payload", "call Add"]);
    assert_eq!(world.waits_until(SECOND), "{\"type\":8,\"sequenceId\":3}\u{1e}");
    assert_eq!(world.waits_until(5 * SECOND), format!("{FAILED}1000"));
}

#[test]
fn an_acknowledgement_in_time_lets_everything_go_on() {
    let mut world = World::open(stateful());
    world.calls("1", "Payload", "[200]");
    world.ends(0, &format!("\"{}\"", "x".repeat(200)));
    world.calls("2", "Add", "[1,2]");
    assert_eq!(world.ends(1, "3"), "");
    assert_eq!(world.says("{\"type\":8,\"sequenceId\":1}\u{1e}"), completion("2", "3"));
    world.calls("3", "Add", "[1,2]");
    assert_eq!(world.log, ["call Payload", "call Add", "call Add"]);
}
