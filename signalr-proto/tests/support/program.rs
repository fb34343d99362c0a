//! A trace as bytes: commands, inputs and steps in time, with the laws of a machine asserted after each of them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use signalr_proto::io::{Action, AttemptId, HttpResponse, IoFailureKind, Payload, Token, TransportEnd};
use signalr_proto::protocol::HubMessage;
use signalr_proto::retry::{Exponential, RetryPolicy};
use signalr_proto::secret::Secret;
use signalr_proto::subscription::SubscriptionRequest;
use signalr_proto::time::Instant;
use signalr_proto::{CallKind, Command, HubConnectionConfig, Input, Machine, Role, State};

use super::sim::{Call, Sim, delays, failure, subscription};
use super::sinks::{Channel, Gate, Handle, Shape};

const KEYS: [&str; 4] = ["a", "b", "c", "d"];
const TARGETS: [&str; 3] = ["m", "n", "Ask"];

/// Records of a hub that means harm or knows no better. None of them ends something that was asked for.
const HOSTILE: &[&str] = &[
    "",
    "garbage",
    "[]",
    "{}",
    r#"{"type":0}"#,
    r#"{"type":99,"x":[1,2]}"#,
    r#"{"type":6}"#,
    r#"{"type":6,"target":1}"#,
    r#"{"type":1,"target":"m"}"#,
    r#"{"type":1,"target":"m","arguments":[1],"type":6}"#,
    r#"{"type":1,"target":"nobody","arguments":[{"a":[]}]}"#,
    r#"{"type":1,"target":"m","arguments":[1],"target":"n"}"#,
    r#"{"type":2,"invocationId":"1000000","item":1}"#,
    r#"{"type":2,"invocationId":"x","item":1}"#,
    r#"{"type":3,"invocationId":"1000000"}"#,
    r#"{"type":3,"invocationId":"1000000","error":"e","result":1}"#,
    r#"{"type":4,"invocationId":"1","target":"m","arguments":[]}"#,
    r#"{"type":5,"invocationId":"1"}"#,
    r#"{"type":7}"#,
    r#"{"type":7,"error":"bye","allowReconnect":true}"#,
    r#"{"type":7,"allowReconnect":true}"#,
    r#"{"type":8,"sequenceId":1}"#,
    r#"{"type":9,"sequenceId":1}"#,
    "{\"type\":1,\"target\":\"m\",\"arguments\":[\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"]}",
];

/// What the hub was asked and has not answered.
#[derive(Debug, Clone)]
struct Asked {
    id: String,
    kind: AskedKind,
}

#[derive(Debug, Clone, PartialEq)]
enum AskedKind {
    Subscribe(String),
    Unsubscribe(String),
    Invoke,
    Stream,
}

/// One machine, the world around it, and what a reference model expects of it.
struct World {
    sim: Sim,
    lines: Vec<(Channel, String)>,
    has_timers: bool,
    state: State,
    /// Commands, and whether they were replied to.
    replied: BTreeMap<u64, bool>,
    calls: Vec<Token>,
    /// Calls whose record was on the wire.
    on_wire: BTreeSet<String>,
    /// Subscribers that wait: their key, and whether the hub was asked since.
    subscribers: BTreeMap<u64, (String, bool)>,
    wishes: BTreeMap<String, usize>,
    registrations: Vec<Token>,
    handle: Handle,
    /// Attempts, with the closes that the machine asked for: aborts and flushes.
    attempts: BTreeMap<u64, (usize, usize)>,
    known: Vec<AttemptId>,
    gone: BTreeSet<u64>,
    /// The transport that is open.
    link: Option<AttemptId>,
    /// What this connection's hub thinks.
    asked: Vec<Asked>,
    streams: BTreeSet<String>,
    hubs_set: BTreeSet<String>,
    records: usize,
    /// This hub sent bytes that nobody understands, or kept what it was to give up: its view is not to be trusted.
    is_odd: bool,
    lifecycle: Lifecycle,
    open_gaps: BTreeSet<String>,
    /// Open gaps of keys that somebody gave up since: nobody needs to close them.
    moot_gaps: BTreeSet<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lifecycle {
    Down,
    Up,
    Outage,
}

/// Runs a trace, asserts all laws, and gives back everything that came out.
pub(crate) fn run(bytes: &[u8]) -> Vec<(Channel, String)> {
    let mut input = bytes.iter().copied();
    let mut world = World::new(input.next().unwrap_or(0), input.next().unwrap_or(0));
    while let Some(step) = input.next() {
        world.step(step, &mut input);
        world.observe();
    }
    world.heal();
    world.end();
    world.lines
}

impl World {
    fn new(options: u8, limits: u8) -> Self {
        let policy = match options & 67 {
            64 => RetryPolicy::signalr(),
            65 => RetryPolicy::exponential(Exponential::default().jitter(20, u64::from(limits))).guarded(),
            66 => RetryPolicy::trading(),
            67 => RetryPolicy::trading().max_delay(Duration::from_secs(20)),
            0 => delays([]),
            1 => delays([0, 1_000]),
            2 => delays([0, 0, 0, 0, 0, 0, 0, 0]),
            _ => delays([500, 40_000]),
        };
        let has_timers = options & 16 == 0;
        let mut config = HubConnectionConfig::default()
            .automatic_reconnect(policy)
            .retry_initial_connect(options & 4 != 0)
            .token_provider(options & 8 != 0)
            .skip_negotiation(options & 32 != 0)
            .max_record_bytes(200);
        if !has_timers {
            config = config.keep_alive_interval(None).server_timeout(None);
        }
        if limits & 1 != 0 {
            config = config.max_pending_calls(1 + usize::from(limits >> 1 & 3));
        }
        if limits & 8 != 0 {
            config = config.max_outbound_bytes(100 << (limits >> 4 & 3));
        }
        if limits & 64 != 0 {
            config = config.max_subscriptions(2);
        }
        if limits & 128 != 0 {
            config = config.call_timeout(None);
        }
        Self {
            sim: Sim::at("https://hub.test/chat", config),
            lines: Vec::new(),
            has_timers,
            state: State::Disconnected,
            replied: BTreeMap::new(),
            calls: Vec::new(),
            on_wire: BTreeSet::new(),
            subscribers: BTreeMap::new(),
            wishes: BTreeMap::new(),
            registrations: Vec::new(),
            handle: Handle::default(),
            attempts: BTreeMap::new(),
            known: Vec::new(),
            gone: BTreeSet::new(),
            link: None,
            asked: Vec::new(),
            streams: BTreeSet::new(),
            hubs_set: BTreeSet::new(),
            records: 0,
            is_odd: false,
            lifecycle: Lifecycle::Down,
            open_gaps: BTreeSet::new(),
            moot_gaps: BTreeSet::new(),
        }
    }

    fn step(&mut self, step: u8, input: &mut impl Iterator<Item = u8>) {
        let mut byte = || input.next().unwrap_or(0);
        match step % 32 {
            0 | 1 => drop(self.command(Command::Start)),
            2 if step > 128 => drop(self.command(Command::Stop)),
            2..=5 => self.call(byte()),
            6 => {
                let call = self.some_call(byte());
                self.command(Command::Cancel { call });
            }
            7 => self.upload(byte()),
            8 => self.register(byte()),
            9 => {
                let index = usize::from(byte());
                if let Some(registration) = self.registrations.get(index % self.registrations.len().max(1)).copied() {
                    self.command(Command::Unregister { registration });
                }
            }
            10 | 11 => self.subscribe(byte()),
            12 => self.unsubscribe(byte()),
            13 => self.complete(byte()),
            14 if step > 192 => drop(self.command(match byte() % 4 {
                0 => Command::ReconnectNow,
                1 => Command::NetworkUp,
                2 => Command::SetMaxDelay(Some(Duration::from_secs(u64::from(byte())))),
                _ => Command::SetMaxDelay(None),
            })),
            14 => {
                let gate = (byte() % 2 == 0).then(|| Box::new(Gate::default()) as Box<dyn signalr_proto::EventGate>);
                self.command(Command::Tap(gate));
            }
            15..=19 => self.help(),
            20 => self.hinder(byte()),
            21 => self.shout(byte(), byte()),
            22 | 23 => self.answer(byte(), true),
            24 => self.answer(byte(), false),
            25 => {
                let choice = byte();
                let id = if choice & 4 != 0 { r#""invocationId":"s1","# } else { "" };
                let arguments = ["[1]", "[]", "[\"x\"]", "[1,\"x\"]"][usize::from(choice >> 3 & 3)];
                let target = TARGETS[usize::from(choice & 3) % TARGETS.len()];
                self.say(&format!(r#"{{"type":1,{id}"target":"{target}","arguments":{arguments}}}"#));
            }
            26 => self.say(HOSTILE[usize::from(byte()) % HOSTILE.len()]),
            27 => {
                let length = byte() % 64;
                let bytes: Vec<u8> = (0..length).map(|_| byte()).collect();
                self.is_odd = true;
                if let Some(attempt) = self.link {
                    self.sim.input(Input::Received { attempt, payload: Payload::Binary(&bytes) });
                }
            }
            28 => self.lose(byte()),
            29 => {
                let millis = [0, 1, 500, 1_000, 5_000, 15_000, 31_000, 100_000][usize::from(byte() % 8)];
                self.sim.advance(Duration::from_millis(millis));
            }
            30 => {
                let idle = self.sim.idle().unwrap_or_default();
                self.sim.advance(idle);
            }
            _ => match byte() % 6 {
                0 => self.sim.input(Input::Suspended),
                1 => self.sim.input(Input::ConsumerReady),
                2 => self.sim.is_ready = false,
                3 => {
                    self.sim.is_ready = true;
                    self.sim.settle();
                }
                4 => {
                    let is_full = self.handle.is_full.load(std::sync::atomic::Ordering::Relaxed);
                    self.handle.set_full(!is_full);
                    if is_full {
                        self.sim.input(Input::ConsumerReady);
                    }
                }
                _ => {
                    if let Some(attempt) = self.link {
                        self.sim.input(Input::Alive { attempt });
                    }
                }
            },
        }
    }

    // What the application does.

    fn command(&mut self, command: Command) -> Token {
        let token = self.sim.next_token();
        self.replied.insert(token.0, false);
        self.sim.issue(token, command);
        token
    }

    fn call(&mut self, choice: u8) {
        // The sink's name and the target are those of the token to come.
        let kind = [CallKind::Invoke, CallKind::Send, CallKind::Stream][usize::from(choice % 3)];
        let token = self.replied.keys().next_back().map_or(1, |last| last + 1);
        let call = Call::new(kind, &format!("M{token}")).uploads(usize::from(choice >> 2 & 1)).room(300);
        let call = match choice >> 3 & 3 {
            0 => call.within(Duration::from_secs(1)),
            1 => call.within(Duration::ZERO),
            _ => call,
        };
        let call = if choice & 32 != 0 { call.integer() } else { call };
        self.replied.insert(token, false);
        let issued = self.sim.call(call);
        assert_eq!(issued.0, token);
        self.calls.push(issued);
    }

    fn some_call(&self, choice: u8) -> Token {
        let index = usize::from(choice) % self.calls.len().max(1);
        self.calls.iter().rev().nth(index).copied().unwrap_or(Token(u64::MAX))
    }

    fn upload(&mut self, choice: u8) {
        let call = self.some_call(choice >> 2);
        match choice % 3 {
            // Items have to wait for room; an end need not.
            0 | 1 if self.sim.machine.upload_room(call, 0) != signalr_proto::UploadRoom::Open => {}
            0 | 1 => drop(self.command(Command::UploadItem { call, stream: 0, item: "1".to_owned() })),
            _ => drop(self.command(Command::UploadEnd { call, stream: 0, error: None })),
        }
    }

    fn register(&mut self, choice: u8) {
        let target = TARGETS[usize::from(choice & 3) % TARGETS.len()];
        let role = if choice & 4 != 0 { Role::Responder } else { Role::Listener };
        let shape = if choice & 8 != 0 { Shape::Integer } else { Shape::Any };
        let handle = self.handle.clone();
        let token = self.replied.keys().next_back().map_or(1, |last| last + 1);
        self.replied.insert(token, false);
        let (_, registration) = self.sim.register(target, &format!("{target}{token}"), shape, role, handle);
        self.registrations.push(registration);
    }

    /// The key, and a request; one of them has no way to unsubscribe.
    fn wish(choice: u8) -> (String, SubscriptionRequest) {
        let key = KEYS[usize::from(choice) % KEYS.len()];
        let request = subscription(key);
        (key.to_owned(), if key == "d" { SubscriptionRequest { unsubscribe: None, ..request } } else { request })
    }

    fn subscribe(&mut self, choice: u8) {
        let (key, request) = Self::wish(choice);
        let token = self.sim.next_token();
        self.replied.insert(token.0, false);
        self.subscribers.insert(token.0, (key.clone(), false));
        *self.wishes.entry(key).or_default() += 1;
        self.sim.issue(token, Command::Subscribe(request));
    }

    fn unsubscribe(&mut self, choice: u8) {
        let (key, request) = Self::wish(choice);
        let own = |(token, (wanted, _)): (&u64, &(String, bool))| (*wanted == key).then_some(Token(*token));
        let subscriber = if choice & 4 != 0 { self.subscribers.iter().find_map(own) } else { None };
        let wishes = self.wishes.entry(key.clone()).or_default();
        let had_any = *wishes > 0;
        *wishes = wishes.saturating_sub(1);
        if *wishes == 0 {
            self.moot_gaps.insert(key.clone());
        }
        let token = self.command(Command::Unsubscribe { key: request.key(), subscriber });
        self.observe();
        let refused = format!("#{} unsubscribe rejected", token.0);
        assert_eq!(
            self.lines.iter().any(|(_, line)| line.starts_with(&refused)),
            !had_any,
            "who may leave is who was there"
        );
    }

    fn complete(&mut self, choice: u8) {
        let Some(ticket) = self.handle.take_ticket() else { return };
        let result = if choice & 1 == 0 { Ok("1".to_owned()) } else { Err("no".to_owned()) };
        self.command(Command::Complete { ticket, result });
    }

    // What the world does.

    /// The next thing that leads to a connection.
    fn help(&mut self) {
        let Some(action) = self.next_request() else {
            if let (Some(_), State::Connecting | State::Reconnecting) = (self.link, self.sim.machine.state()) {
                self.say("{}");
            }
            return;
        };
        match action {
            Action::ProvideToken { attempt } => {
                self.sim.input(Input::TokenProvided { attempt, token: Ok(Some(Secret::from("token"))) })
            }
            Action::Http { attempt, .. } => self.negotiated(attempt, 200, &super::sim::negotiated(1)),
            Action::Open { attempt, .. } => {
                self.begin_link(attempt);
                self.sim.input(Input::Opened { attempt, result: Ok(()) });
            }
            _ => {}
        }
    }

    fn hinder(&mut self, choice: u8) {
        let Some(action) = self.next_request() else { return };
        match action {
            Action::ProvideToken { attempt } => {
                let token =
                    [Ok(None), Ok(Some(Secret::from("a b"))), Err("no".to_owned())][usize::from(choice % 3)].clone();
                self.sim.input(Input::TokenProvided { attempt, token });
            }
            Action::Http { attempt, .. } => match choice % 8 {
                0 => self.sim.input(Input::Answered { attempt, response: Err(failure(IoFailureKind::Refused)) }),
                1 => self.negotiated(attempt, 200, r#"{"url":"https://other.test/","accessToken":"t"}"#),
                2 => self.negotiated(attempt, 200, r#"{"url":"http://other.test/"}"#),
                3 => self.negotiated(attempt, 200, "<html>"),
                4 => self.negotiated(attempt, 403, ""),
                5 | 6 => self.negotiated(attempt, 401, ""),
                _ => self.negotiated(attempt, 503, ""),
            },
            Action::Open { attempt, .. } => {
                let kinds = [
                    IoFailureKind::Status(401),
                    IoFailureKind::Status(503),
                    IoFailureKind::Tls,
                    IoFailureKind::TimedOut,
                ];
                self.sim.input(Input::Opened { attempt, result: Err(failure(kinds[usize::from(choice % 4)])) });
            }
            _ => {}
        }
    }

    fn negotiated(&mut self, attempt: AttemptId, status: u16, body: &str) {
        let body = Bytes::copy_from_slice(body.as_bytes());
        let response = HttpResponse { status, headers: HeaderMap::new(), body, retry_after: None };
        self.sim.input(Input::Answered { attempt, response: Ok(response) });
    }

    /// The next request of the attempt under way.
    fn next_request(&mut self) -> Option<Action> {
        while let Some(action) = self.sim.actions.pop_front() {
            let is_request = matches!(action, Action::ProvideToken { .. } | Action::Http { .. } | Action::Open { .. });
            if is_request && self.attempts.get(&number(attempt_of(&action))).is_none_or(|closes| *closes == (0, 0)) {
                return Some(action);
            }
        }
        None
    }

    fn begin_link(&mut self, attempt: AttemptId) {
        self.link = Some(attempt);
        self.asked.clear();
        self.streams.clear();
        self.hubs_set.clear();
        self.records = 0;
        self.is_odd = false;
    }

    /// The hub sends one record.
    fn say(&mut self, record: &str) {
        let Some(attempt) = self.link else { return };
        self.sim.input(Input::Received { attempt, payload: Payload::Text(&format!("{record}\u{1e}")) });
    }

    /// The hub answers something that it was asked.
    fn answer(&mut self, choice: u8, is_good: bool) {
        if self.asked.is_empty() || !matches!(self.sim.machine.state(), State::Connected | State::Disconnecting) {
            return;
        }
        let index = usize::from(choice) % self.asked.len();
        let asked = self.asked[index].clone();
        if asked.kind == AskedKind::Stream && choice & 64 == 0 {
            return self.say(&format!(r#"{{"type":2,"invocationId":"{}","item":{}}}"#, asked.id, choice));
        }
        self.asked.remove(index);
        let id = asked.id;
        match (asked.kind, is_good) {
            (AskedKind::Subscribe(key), true) => _ = self.hubs_set.insert(key),
            (AskedKind::Unsubscribe(key), true) => _ = self.hubs_set.remove(&key),
            (AskedKind::Unsubscribe(_), false) => self.is_odd = true,
            _ => {}
        }
        let outcome = match (is_good, choice >> 6) {
            (true, 0) => "",
            (true, 1) => r#","result":null"#,
            (true, _) => r#","result":1"#,
            (false, _) => r#","error":"no""#,
        };
        self.say(&format!(r#"{{"type":3,"invocationId":"{id}"{outcome}}}"#));
    }

    fn lose(&mut self, choice: u8) {
        let Some(attempt) = self.link.take() else { return };
        self.gone.insert(number(attempt));
        let reason = match choice % 3 {
            0 => TransportEnd::Close { code: Some(1001), reason: "away".to_owned() },
            1 => TransportEnd::Failed(failure(IoFailureKind::Lost)),
            _ => TransportEnd::Failed(failure(IoFailureKind::Oversize)),
        };
        self.sim.input(Input::Closed { attempt, reason });
    }

    /// An old attempt says something: nobody listens.
    fn shout(&mut self, who: u8, what: u8) {
        self.observe();
        let is_old = |attempt: &&AttemptId| {
            let closes = self.attempts.get(&number(**attempt)).copied().unwrap_or_default();
            closes.0 > 0 || self.gone.contains(&number(**attempt))
        };
        let old: Vec<AttemptId> = self.known.iter().filter(is_old).copied().collect();
        let Some(attempt) = old.get(usize::from(who) % old.len().max(1)).copied() else { return };
        let before = self.silence();
        let body = Bytes::from(super::sim::negotiated(1));
        let input = match what % 8 {
            0 => Input::TokenProvided { attempt, token: Ok(None) },
            1 => Input::Answered {
                attempt,
                response: Ok(HttpResponse { status: 200, headers: HeaderMap::new(), body, retry_after: None }),
            },
            2 => Input::Opened { attempt, result: Ok(()) },
            3 => Input::Opened { attempt, result: Err(failure(IoFailureKind::Lost)) },
            4 => Input::Received { attempt, payload: Payload::Text("{}\u{1e}{\"type\":7}\u{1e}") },
            5 => Input::Received { attempt, payload: Payload::Binary(b"\xff\x1e") },
            6 => Input::Alive { attempt },
            _ => Input::Closed { attempt, reason: TransportEnd::Failed(failure(IoFailureKind::Lost)) },
        };
        self.sim.input(input);
        assert_eq!(self.silence(), before, "stale is silent");
    }

    /// What may not change when nothing happens.
    fn silence(&self) -> (usize, usize, State, Option<Instant>, signalr_proto::Counters) {
        let machine = &self.sim.machine;
        (self.sim.log.len(), self.sim.messages.len(), machine.state(), machine.poll_timeout(), machine.counters())
    }

    // What must hold.

    fn observe(&mut self) {
        let lines = self.sim.log.take();
        for (channel, line) in &lines {
            match channel {
                Channel::Action => self.observe_action(line),
                Channel::Reply => self.observe_reply(line),
                Channel::Event => self.observe_event(line),
                Channel::Sink => {}
            }
        }
        self.explained(&lines);
        self.lines.extend(lines);
        for record in self.sim.wire() {
            self.observe_record(&record);
        }
        let machine = &self.sim.machine;
        let counters = machine.counters();
        let sum = counters.delivered
            + counters.malformed
            + counters.unhandled
            + counters.items
            + counters.completions
            + counters.abandoned
            + counters.control
            + counters.violations;
        assert_eq!(sum, counters.records, "every record is accounted for");
        let state = machine.state();
        let is_free = state == State::Disconnected || (state == State::Connected && !self.has_timers);
        assert!(is_free || machine.poll_timeout().is_some(), "whoever waits for the world has a deadline: {state}");
        self.moved(state);
        self.all_closed();
        self.time_is_a_hint();
    }

    fn observe_action(&mut self, line: &str) {
        let attempt =
            line.split(['#', ' ']).nth(2).and_then(|number| number.parse().ok()).expect("an action names its attempt");
        let closes = self.attempts.entry(attempt).or_default();
        if line.starts_with("abort") {
            closes.0 += 1;
        } else if line.starts_with("flush") {
            assert_eq!(closes.0, 0, "nothing is flushed after an abort");
            closes.1 += 1;
        } else {
            assert_eq!(*closes, (0, 0), "nothing is asked of an attempt that was closed: {line}");
        }
        assert!(closes.0 <= 1 && closes.1 <= 1, "what is open is closed once: {line}");
        assert!(
            !(line.starts_with("abort") || line.starts_with("flush")) || !self.gone.contains(&attempt),
            "what is gone needs no close"
        );
        let is_link = self.link.is_some_and(|link| number(link) == attempt);
        if is_link
            && (line.starts_with("abort")
                || (line.starts_with("flush") && self.sim.machine.state() != State::Disconnecting))
        {
            self.link = None;
        }
        for action in &self.sim.actions {
            let attempt = attempt_of(action);
            if !self.known.contains(&attempt) {
                self.known.push(attempt);
            }
        }
    }

    fn observe_reply(&mut self, line: &str) {
        let (name, outcome) = line.split_once(' ').expect("a reply has a name and an outcome");
        let token: u64 = name.trim_start_matches('#').parse().expect("a reply names its token");
        let replied = self.replied.get_mut(&token).expect("only what was asked is answered");
        assert!(!std::mem::replace(replied, true), "one reply a token: {line}");
        let is_on_wire = self.on_wire.contains(&format!("M{token}"));
        assert!(!(outcome.starts_with("not_sent") && is_on_wire), "not sent means not one byte: {line}");
        assert!(
            !outcome.starts_with("unknown") || is_on_wire || self.is_in_wire(token),
            "what was never sent is no mystery: {line}"
        );
        let Some((key, was_asked)) = self.subscribers.remove(&token) else { return };
        assert!(!(outcome.starts_with("subscribe not_sent") && was_asked), "not sent means not one byte: {line}");
        if outcome.starts_with("subscribe hub_error") || outcome.starts_with("subscribe rejected") {
            let wishes = self.wishes.entry(key.clone()).or_default();
            *wishes = wishes.saturating_sub(1);
            if *wishes == 0 {
                self.moot_gaps.insert(key);
            }
        }
    }

    /// Whether the call's record was sent, and not looked at yet.
    fn is_in_wire(&self, token: u64) -> bool {
        let target = format!("\"M{token}\"");
        self.sim.messages.iter().any(|message| message.contains(&target))
    }

    fn observe_event(&mut self, line: &str) {
        let mut words = line.split(' ');
        let (what, key) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let lifecycle = self.lifecycle;
        match what {
            "connected" => {
                assert_eq!(lifecycle, Lifecycle::Down, "{line}");
                self.lifecycle = Lifecycle::Up;
            }
            "reconnecting" => {
                assert_eq!(lifecycle, Lifecycle::Up, "{line}");
                self.lifecycle = Lifecycle::Outage;
            }
            "reconnected" => {
                assert_eq!(lifecycle, Lifecycle::Outage, "{line}");
                self.lifecycle = Lifecycle::Up;
            }
            "disconnected" => {
                assert_ne!(lifecycle, Lifecycle::Down, "{line}");
                self.lifecycle = Lifecycle::Down;
            }
            "waiting" => assert_ne!(lifecycle, Lifecycle::Up, "{line}"),
            "restored" | "subscription_failed" => assert_eq!(lifecycle, Lifecycle::Up, "{line}"),
            "gap_opened" => {
                self.open_gaps.insert(key.to_owned());
                self.moot_gaps.remove(key);
            }
            "gap_closed" => assert!(self.open_gaps.remove(key), "only an open gap closes: {line}"),
            _ => {}
        }
    }

    /// Every close that the machine starts comes with a reason.
    fn explained(&self, lines: &[(Channel, String)]) {
        let closes = lines.iter().any(|(channel, line)| {
            *channel == Channel::Action && (line.starts_with("abort") || line.starts_with("flush"))
        });
        let reasons = ["reconnecting", "waiting", "disconnected"];
        let is_reason = |(channel, line): &(Channel, String)| match channel {
            Channel::Event => reasons.iter().any(|reason| line.starts_with(reason)),
            Channel::Reply => line.contains(" start_failed ") || line.ends_with(" stopped"),
            _ => false,
        };
        assert!(
            !closes || self.sim.machine.state() == State::Disconnecting || lines.iter().any(is_reason),
            "a close without a cause: {lines:?}"
        );
    }

    fn observe_record(&mut self, record: &str) {
        self.records += 1;
        if self.records == 1 {
            return assert_eq!(record, r#"{"protocol":"json","version":1}"#, "the handshake goes first");
        }
        let message = HubMessage::read(record).expect("what the machine writes is right");
        if self.records == 2 && self.has_timers {
            return assert_eq!(message, HubMessage::Ping, "the ping goes second");
        }
        let (invocation, is_stream) = match message {
            HubMessage::Invocation(invocation) => (invocation, false),
            HubMessage::StreamInvocation(invocation) => (invocation, true),
            HubMessage::CancelInvocation { invocation_id } => {
                return assert!(
                    self.streams.contains(&*invocation_id),
                    "only a stream that was asked for is cancelled: {record}"
                );
            }
            _ => return,
        };
        let key = invocation.arguments.trim_matches(['[', ']', '"']).to_owned();
        let kind = match &*invocation.target {
            "Sub" => AskedKind::Subscribe(key.clone()),
            "Unsub" => AskedKind::Unsubscribe(key.clone()),
            target => {
                assert!(self.on_wire.insert(target.to_owned()), "nothing is sent twice: {record}");
                if is_stream { AskedKind::Stream } else { AskedKind::Invoke }
            }
        };
        if matches!(kind, AskedKind::Subscribe(_) | AskedKind::Unsubscribe(_)) {
            let is_of_key = |asked: &Asked| matches!(&asked.kind, AskedKind::Subscribe(other) | AskedKind::Unsubscribe(other) if *other == key);
            assert!(self.is_odd || !self.asked.iter().any(is_of_key), "two calls of a key never overlap: {record}");
        }
        if let AskedKind::Subscribe(_) = kind {
            for (wanted, was_asked) in self.subscribers.values_mut() {
                *was_asked |= *wanted == key;
            }
        }
        if let Some(id) = invocation.invocation_id {
            if is_stream {
                self.streams.insert(id.to_string());
            }
            self.asked.push(Asked { id: id.into_owned(), kind });
        }
    }

    fn moved(&mut self, to: State) {
        use State::{Connected, Connecting, Disconnected, Disconnecting, Reconnecting};
        let from = std::mem::replace(&mut self.state, to);
        let is_legal = match from {
            Disconnected => matches!(to, Disconnected | Connecting),
            Connecting => to != Disconnecting,
            Connected => to != Connecting,
            Reconnecting => matches!(to, Reconnecting | Connected | Disconnected),
            Disconnecting => matches!(to, Disconnecting | Disconnected),
        };
        assert!(is_legal, "{from} to {to}");
    }

    /// An attempt that is over was closed, by one side or the other.
    fn all_closed(&self) {
        let last = self.attempts.keys().next_back().copied();
        for (attempt, closes) in &self.attempts {
            let is_over = Some(*attempt) != last || self.state == State::Disconnected;
            assert!(!is_over || *closes != (0, 0) || self.gone.contains(attempt), "attempt {attempt} was left open");
        }
    }

    /// A timeout that is too early, or comes twice, or from the past, changes nothing.
    fn time_is_a_hint(&mut self) {
        let now = self.sim.now;
        if self.sim.machine.poll_timeout().is_some_and(|at| at <= now) {
            return;
        }
        let before = self.silence();
        for early in [now, now, now - Duration::from_secs(1)] {
            self.sim.machine.handle_timeout(early);
            self.sim.settle();
            assert_eq!(self.silence(), before, "time is a hint");
        }
    }

    // The end.

    /// A good hub for a while: what it has is what is wished.
    fn heal(&mut self) {
        self.sim.is_ready = true;
        self.sim.settle();
        self.handle.set_full(false);
        self.sim.input(Input::ConsumerReady);
        self.observe();
        // Once as it stands, once over a new connection.
        let is_trusted = !self.is_odd;
        self.settle_down();
        if is_trusted && !self.is_odd {
            self.agreed();
        }
        self.lose(0);
        self.observe();
        self.settle_down();
        self.agreed();
    }

    fn agreed(&self) {
        let wished: BTreeSet<String> =
            self.wishes.iter().filter(|(_, wishes)| **wishes > 0).map(|(key, _)| key.clone()).collect();
        let had: BTreeSet<String> =
            self.hubs_set.iter().filter(|key| *key != "d" || wished.contains("d")).cloned().collect();
        assert_eq!(had, wished, "the hub has what is wished");
        let open: Vec<_> = self.open_gaps.difference(&self.moot_gaps).filter(|key| wished.contains(*key)).collect();
        assert!(open.is_empty(), "gaps that nobody closed: {open:?}");
    }

    fn settle_down(&mut self) {
        let mut quiet = 0;
        for _ in 0..1_000 {
            match self.sim.machine.state() {
                State::Disconnected => drop(self.command(Command::Start)),
                State::Disconnecting => self.lose(0),
                State::Connected if !self.asked.is_empty() => {
                    self.answer(255, true);
                    quiet = 0;
                }
                State::Connected => {
                    // Long enough for every refused restore.
                    quiet += 1;
                    if quiet > 8 {
                        return;
                    }
                    self.say(r#"{"type":6}"#);
                    self.sim.advance(Duration::from_secs(10));
                }
                State::Connecting | State::Reconnecting => {
                    self.help();
                    if self.link.is_none() && self.sim.actions.is_empty() {
                        self.sim.advance(Duration::from_millis(100));
                    }
                }
                #[expect(unreachable_patterns, reason = "in case there are more states one day")]
                _ => {}
            }
            self.observe();
        }
        panic!("it never came to rest: {}", self.sim.machine.state());
    }

    /// Stops it: everything that was asked has its answer, and nothing will ever come again.
    fn end(&mut self) {
        self.command(Command::Stop);
        self.observe();
        self.lose(0);
        self.observe();
        let waiting: Vec<_> = self.replied.iter().filter(|(_, replied)| !**replied).map(|(token, _)| token).collect();
        assert!(waiting.is_empty(), "commands without a reply: {waiting:?}");
        assert!(self.sim.machine.is_drained());
        assert_eq!(self.sim.machine.poll_timeout(), None);
        self.sim.advance(Duration::from_secs(1_000));
        assert!(self.sim.log.take().is_empty(), "nothing comes after the end");
    }
}

fn attempt_of(action: &Action) -> AttemptId {
    match action {
        Action::ProvideToken { attempt }
        | Action::Http { attempt, .. }
        | Action::Open { attempt, .. }
        | Action::Probe { attempt }
        | Action::Close { attempt, .. } => *attempt,
        other => panic!("an action of another kind: {other:?}"),
    }
}

fn number(attempt: AttemptId) -> u64 {
    attempt.to_string().trim_start_matches('#').parse().expect("an attempt's name is its number")
}
