//! Drives one machine by hand, on a virtual clock.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use signalr_proto::error::DisconnectReason;
use signalr_proto::io::{
    Action, AttemptId, CloseHow, HttpResponse, IoFailure, IoFailureKind, Payload, Token, TransportEnd,
};
use signalr_proto::retry::{BreakerState, FailureClass, RetryMetrics, WaitReason};
use signalr_proto::secret::Secret;
use signalr_proto::subscription::{MethodCall, SubscriptionKey, SubscriptionRequest};
use signalr_proto::time::Instant;
use signalr_proto::{
    CallKind, CallRequest, CallTimeout, Command, Event, HubConnection, HubConnectionConfig, Input, Machine, Reply,
    Role, StartError, SubscribeError, UnsubscribeError,
};

use super::sinks::{Caller, Channel, Handle, Listener, Log, Shape, not_sent, outcome_unknown};

/// An answer to a negotiation as ASP.NET Core gives it.
pub(crate) fn negotiated(serial: u64) -> String {
    format!(
        r#"{{"negotiateVersion":1,"connectionId":"id{serial}","connectionToken":"token{serial}","availableTransports":[{{"transport":"WebSockets","transferFormats":["Text","Binary"]}}]}}"#
    )
}

/// The machine, its clock, and everything that came out of it.
pub(crate) struct Sim {
    pub(crate) machine: HubConnection,
    pub(crate) now: Instant,
    pub(crate) log: Log,
    /// What the machine wants done and nobody has done yet.
    pub(crate) actions: VecDeque<Action>,
    /// Messages that the machine handed to the transport, as they were.
    pub(crate) messages: Vec<String>,
    /// Whether the transport takes messages.
    pub(crate) is_ready: bool,
    /// Whether what was delivered is made visible at once.
    pub(crate) flushes: bool,
    /// The attempt whose WebSocket was opened last.
    pub(crate) attempt: Option<AttemptId>,
    /// Every wait that was told, since they were last taken.
    waits: Vec<Wait>,
    negotiations: u64,
    last_token: u64,
}

impl Sim {
    pub(crate) fn new(config: HubConnectionConfig) -> Self {
        Self::at("http://hub.test/chat", config)
    }

    pub(crate) fn at(url: &str, config: HubConnectionConfig) -> Self {
        Self {
            machine: HubConnection::new(url, config).expect("the configuration is valid"),
            now: Instant::from_nanos(1_000_000_000),
            log: Log::default(),
            actions: VecDeque::new(),
            messages: Vec::new(),
            is_ready: true,
            flushes: true,
            attempt: None,
            waits: Vec::new(),
            negotiations: 0,
            last_token: 0,
        }
    }

    /// A machine with default options, connected.
    pub(crate) fn connected() -> Self {
        Self::new(HubConnectionConfig::default()).connect()
    }

    /// Starts it and does everything up to the first ping; the log is empty afterwards.
    pub(crate) fn connect(mut self) -> Self {
        self.start();
        self.link();
        assert_eq!(self.machine.state(), signalr_proto::State::Connected);
        self.wire();
        self.log.take();
        self
    }

    // Time.

    /// Lets time pass, with a timeout at each deadline on the way.
    pub(crate) fn advance(&mut self, by: Duration) {
        let until = self.now + by;
        while let Some(at) = self.machine.poll_timeout().filter(|at| *at <= until) {
            self.now = self.now.max(at);
            self.machine.handle_timeout(self.now);
            self.settle();
            assert!(self.machine.poll_timeout().is_none_or(|at| at > self.now), "what was due was done");
        }
        self.now = until;
    }

    pub(crate) fn seconds(&mut self, seconds: u64) {
        self.advance(Duration::from_secs(seconds));
    }

    /// How long until the machine wants to be woken.
    pub(crate) fn idle(&self) -> Option<Duration> {
        self.machine.poll_timeout().map(|at| at.saturating_since(self.now))
    }

    // What goes in.

    pub(crate) fn command(&mut self, command: Command) -> Token {
        let token = self.next_token();
        self.issue(token, command);
        token
    }

    /// The token of the next command: a call's sink must know it first.
    pub(crate) fn next_token(&mut self) -> Token {
        self.last_token += 1;
        Token(self.last_token)
    }

    pub(crate) fn issue(&mut self, token: Token, command: Command) {
        self.machine.handle_command(self.now, token, command);
        self.settle();
    }

    pub(crate) fn input(&mut self, input: Input<'_>) {
        self.machine.handle_input(self.now, input);
        self.settle();
    }

    pub(crate) fn start(&mut self) -> Token {
        self.command(Command::Start)
    }

    pub(crate) fn stop(&mut self) -> Token {
        self.command(Command::Stop)
    }

    pub(crate) fn call(&mut self, call: Call) -> Token {
        let token = self.next_token();
        let sink = Caller::new(name(token), call.shape, self.log.clone()).with_room(call.room);
        let request = CallRequest {
            kind: call.kind,
            target: call.target,
            arguments: call.arguments,
            headers: call.headers,
            uploads: call.uploads,
            timeout: call.timeout,
            sink: Box::new(sink),
        };
        self.issue(token, Command::Call(request));
        token
    }

    pub(crate) fn invoke(&mut self, target: &str) -> Token {
        self.call(Call::invoke(target))
    }

    pub(crate) fn cancel(&mut self, call: Token) -> Token {
        self.command(Command::Cancel { call })
    }

    pub(crate) fn on(&mut self, target: &str, name: &str, shape: Shape) -> Handle {
        self.register(target, name, shape, Role::Listener, Handle::default()).0
    }

    pub(crate) fn register(
        &mut self,
        target: &str,
        name: &str,
        shape: Shape,
        role: Role,
        handle: Handle,
    ) -> (Handle, Token) {
        let sink = Listener::new(name, shape, self.log.clone(), handle.clone());
        let token = self.command(Command::Register { target: target.to_owned(), role, sink: Box::new(sink) });
        (handle, token)
    }

    pub(crate) fn subscribe(&mut self, request: &SubscriptionRequest) -> Token {
        self.command(Command::Subscribe(request.clone()))
    }

    pub(crate) fn unsubscribe(&mut self, request: &SubscriptionRequest, subscriber: Option<Token>) -> Token {
        self.command(Command::Unsubscribe { key: request.key(), subscriber })
    }

    // What the world does.

    /// Whether a dial awaits its end.
    pub(crate) fn is_dialling(&self) -> bool {
        self.actions.iter().any(|action| matches!(action, Action::Open { .. }))
    }

    /// Pops the next action.
    pub(crate) fn action(&mut self) -> Action {
        self.actions.pop_front().expect("the machine wants something done")
    }

    /// Pops the next action that wants an answer: there is nothing to do for the end of an attempt.
    fn request(&mut self) -> Action {
        while matches!(self.actions.front(), Some(Action::Close { .. })) {
            self.actions.pop_front();
        }
        self.action()
    }

    /// Provides the token that is asked for.
    pub(crate) fn provide(&mut self, token: Option<&str>) {
        let Action::ProvideToken { attempt } = self.request() else { panic!("no token is asked for") };
        self.input(Input::TokenProvided { attempt, token: Ok(token.map(Secret::from)) });
    }

    /// Answers a negotiate request; gives back its URL and headers.
    pub(crate) fn answer(&mut self, status: u16, body: &str) -> (String, HeaderMap) {
        self.answer_with(status, body, HeaderMap::new(), None)
    }

    pub(crate) fn answer_with(
        &mut self,
        status: u16,
        body: &str,
        headers: HeaderMap,
        retry_after: Option<Duration>,
    ) -> (String, HeaderMap) {
        let Action::Http { attempt, request } = self.request() else { panic!("nobody negotiates") };
        let response = HttpResponse { status, headers, body: Bytes::copy_from_slice(body.as_bytes()), retry_after };
        self.input(Input::Answered { attempt, response: Ok(response) });
        (format!("{}{}", request.url.origin(), request.url.path_and_query()), request.headers)
    }

    /// Ends a dial; gives back its URL and headers.
    pub(crate) fn open(&mut self, result: Result<(), IoFailure>) -> (String, HeaderMap) {
        let Action::Open { attempt, request } = self.request() else { panic!("nobody dials") };
        if result.is_ok() {
            self.attempt = Some(attempt);
        }
        self.input(Input::Opened { attempt, result });
        (format!("{}{}", request.url.origin(), request.url.path_and_query()), request.headers)
    }

    /// Negotiates and dials, up to the handshake request.
    pub(crate) fn dial(&mut self) {
        while !matches!(self.actions.front(), Some(Action::Http { .. } | Action::Open { .. })) {
            match self.action() {
                Action::ProvideToken { attempt } => {
                    self.input(Input::TokenProvided { attempt, token: Ok(Some(Secret::from("token"))) })
                }
                Action::Close { .. } => {}
                other => panic!("unexpected: {other:?}"),
            }
        }
        if matches!(self.actions.front(), Some(Action::Http { .. })) {
            self.negotiations += 1;
            self.answer(200, &negotiated(self.negotiations));
        }
        self.open(Ok(()));
    }

    /// Everything from the first action of an attempt to the end of the handshake.
    pub(crate) fn link(&mut self) {
        self.dial();
        self.hub("{}");
    }

    /// One record from the hub, in a message of its own.
    pub(crate) fn hub(&mut self, record: &str) {
        self.text(&format!("{record}\u{1e}"));
    }

    pub(crate) fn text(&mut self, text: &str) {
        let attempt = self.attempt.expect("a WebSocket is open");
        self.input(Input::Received { attempt, payload: Payload::Text(text) });
    }

    pub(crate) fn binary(&mut self, bytes: &[u8]) {
        let attempt = self.attempt.expect("a WebSocket is open");
        self.input(Input::Received { attempt, payload: Payload::Binary(bytes) });
    }

    /// The socket breaks.
    pub(crate) fn lose(&mut self) {
        self.lose_by(TransportEnd::Failed(IoFailure::new(IoFailureKind::Lost, "reset by peer")));
    }

    pub(crate) fn lose_by(&mut self, reason: TransportEnd) {
        let attempt = self.attempt.expect("a WebSocket is open");
        self.input(Input::Closed { attempt, reason });
    }

    /// The hub completes the invocation of that id without a result.
    pub(crate) fn complete(&mut self, id: &str) {
        self.hub(&format!(r#"{{"type":3,"invocationId":"{id}","result":null}}"#));
    }

    pub(crate) fn refuse(&mut self, id: &str, error: &str) {
        self.hub(&format!(r#"{{"type":3,"invocationId":"{id}","error":"{error}"}}"#));
    }

    // What came out.

    /// Takes over what the machine has to say.
    pub(crate) fn settle(&mut self) {
        loop {
            let before = (self.log.len(), self.actions.len(), self.messages.len());
            if self.flushes {
                self.machine.flush();
            }
            while let Some(action) = self.machine.poll_action() {
                self.log.push(Channel::Action, describe_action(&action));
                self.actions.push_back(action);
            }
            while let Some(event) = self.machine.poll_event() {
                if let Event::Waiting { attempt, delay, until, why, breaker, reason } = &event {
                    assert_eq!(*until, self.now + *delay, "both say the same");
                    let (class, breaker) = (reason.class(), *breaker);
                    self.waits.push(Wait { attempt: *attempt, delay: *delay, why: *why, breaker, class });
                }
                self.log.push(Channel::Event, describe_event(&event));
            }
            while let Some((token, reply)) = self.machine.poll_reply() {
                match reply {
                    Reply::Call(sink, outcome) => sink.finish(outcome),
                    other => self.log.push(Channel::Reply, describe_reply(token, &other)),
                }
            }
            if self.is_ready {
                self.pull();
            }
            if before == (self.log.len(), self.actions.len(), self.messages.len()) {
                return;
            }
        }
    }

    /// The transport takes what there is.
    pub(crate) fn pull(&mut self) {
        while let Some(message) = self.machine.poll_transmit() {
            self.messages.push(message);
        }
    }

    /// Takes the records that were sent since the last time, without their separators.
    pub(crate) fn wire(&mut self) -> Vec<String> {
        let messages = std::mem::take(&mut self.messages);
        messages
            .iter()
            .flat_map(|message| message.strip_suffix('\u{1e}').expect("whole records are sent").split('\u{1e}'))
            .map(str::to_owned)
            .collect()
    }

    pub(crate) fn events(&mut self) -> Vec<String> {
        self.log.take_of(&[Channel::Event])
    }

    pub(crate) fn retry_metrics(&mut self) -> RetryMetrics {
        self.machine.retry_metrics(self.now)
    }

    /// Takes the waits that were told since the last time.
    pub(crate) fn waits(&mut self) -> Vec<Wait> {
        std::mem::take(&mut self.waits)
    }

    pub(crate) fn replies(&mut self) -> Vec<String> {
        self.log.take_of(&[Channel::Reply])
    }

    pub(crate) fn sinks(&mut self) -> Vec<String> {
        self.log.take_of(&[Channel::Sink])
    }

    /// Takes the lines about actions, and forgets the actions.
    pub(crate) fn wants(&mut self) -> Vec<String> {
        self.actions.clear();
        self.log.take_of(&[Channel::Action])
    }
}

/// A wait as the machine told it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Wait {
    pub(crate) attempt: u32,
    pub(crate) delay: Duration,
    pub(crate) why: WaitReason,
    pub(crate) breaker: Option<BreakerState>,
    pub(crate) class: FailureClass,
}

/// A call to be made.
pub(crate) struct Call {
    kind: CallKind,
    target: String,
    arguments: String,
    headers: Vec<(String, String)>,
    uploads: usize,
    timeout: CallTimeout,
    shape: Shape,
    room: usize,
}

impl Call {
    pub(crate) fn new(kind: CallKind, target: &str) -> Self {
        Self {
            kind,
            target: target.to_owned(),
            arguments: "[]".to_owned(),
            headers: Vec::new(),
            uploads: 0,
            timeout: CallTimeout::Configured,
            shape: Shape::Any,
            room: usize::MAX,
        }
    }

    pub(crate) fn invoke(target: &str) -> Self {
        Self::new(CallKind::Invoke, target)
    }

    pub(crate) fn send(target: &str) -> Self {
        Self::new(CallKind::Send, target)
    }

    pub(crate) fn stream(target: &str) -> Self {
        Self::new(CallKind::Stream, target)
    }

    pub(crate) fn arguments(self, arguments: impl Into<String>) -> Self {
        Self { arguments: arguments.into(), ..self }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn uploads(self, uploads: usize) -> Self {
        Self { uploads, ..self }
    }

    pub(crate) fn within(self, timeout: Duration) -> Self {
        Self { timeout: CallTimeout::After(timeout), ..self }
    }

    pub(crate) fn integer(self) -> Self {
        Self { shape: Shape::Integer, ..self }
    }

    pub(crate) fn room(self, room: usize) -> Self {
        Self { room, ..self }
    }
}

/// A subscription to `Sub[key]` that ends by `Unsub[key]`.
pub(crate) fn subscription(key: &str) -> SubscriptionRequest {
    SubscriptionRequest {
        subscribe: MethodCall { target: "Sub".to_owned(), arguments: format!("[\"{key}\"]") },
        unsubscribe: Some(MethodCall { target: "Unsub".to_owned(), arguments: format!("[\"{key}\"]") }),
        targets: Vec::new(),
    }
}

pub(crate) fn name(token: Token) -> String {
    format!("#{}", token.0)
}

fn key(key: &SubscriptionKey) -> String {
    key.subscribe().arguments.trim_matches(['[', ']', '"']).to_owned()
}

fn reason(reason: &DisconnectReason) -> String {
    assert!(!reason.explain().is_empty(), "every end says why");
    reason.cause().to_string()
}

fn describe_action(action: &Action) -> String {
    match action {
        Action::ProvideToken { attempt } => format!("token {attempt}"),
        Action::Http { attempt, .. } => format!("http {attempt}"),
        Action::Open { attempt, .. } => format!("open {attempt}"),
        Action::Probe { attempt } => format!("probe {attempt}"),
        Action::Close { attempt, how: CloseHow::Abort, .. } => format!("abort {attempt}"),
        Action::Close { attempt, how: CloseHow::Flush { last, timeout }, .. } => {
            format!("flush {attempt} {} {timeout:?}", String::from_utf8_lossy(last).trim_end_matches('\u{1e}'))
        }
        other => format!("{other:?}"),
    }
}

fn describe_event(event: &Event) -> String {
    match event {
        Event::Connected(id) => format!("connected {} {}", id.local(), id.server_assigned().unwrap_or("-")),
        Event::Reconnecting(why) => format!("reconnecting {}", reason(why)),
        Event::Waiting { attempt, delay, reason: why, .. } => format!("waiting {attempt} {delay:?} {}", reason(why)),
        Event::Reconnected(id) => format!("reconnected {} {}", id.local(), id.server_assigned().unwrap_or("-")),
        Event::Restored => "restored".to_owned(),
        Event::Interrupted(why) => format!("interrupted {}", reason(why)),
        Event::Resumed => "resumed".to_owned(),
        Event::Disconnected(why) => format!("disconnected {}", reason(why)),
        Event::GapOpened { key: opened, reason: why } => format!("gap_opened {} {}", key(opened), reason(why)),
        Event::Subscribed { key: subscribed } => format!("subscribed {}", key(subscribed)),
        Event::GapClosed { key: closed } => format!("gap_closed {}", key(closed)),
        Event::SubscriptionFailed { key: failed, error } => format!("subscription_failed {} {error}", key(failed)),
        Event::Invocation { target, arguments, accepted } => format!("invocation {target} {arguments} {accepted}"),
        Event::Malformed { target, error } => format!("malformed {target} {}", error.place()),
        Event::FeedDegraded { target } => format!("feed_degraded {target}"),
        Event::FeedRecovered { target } => format!("feed_recovered {target}"),
        Event::Unhandled { target } => format!("unhandled {target}"),
        Event::Violation(violation) => format!("violation {violation}"),
        Event::SlowConsumer => "slow_consumer".to_owned(),
        other => format!("{other:?}"),
    }
}

fn describe_reply(token: Token, reply: &Reply) -> String {
    let outcome = match reply {
        Reply::Done => "done".to_owned(),
        Reply::Started(Ok(())) => "started".to_owned(),
        Reply::Started(Err(StartError::Failed(why))) => format!("start_failed {}", reason(why)),
        Reply::Started(Err(error)) => format!("start_rejected {error}"),
        Reply::Stopped => "stopped".to_owned(),
        Reply::Subscribed(Ok(epoch)) => format!("subscribed {epoch}"),
        Reply::Subscribed(Err(SubscribeError::Hub(error))) => format!("subscribe hub_error {error}"),
        Reply::Subscribed(Err(SubscribeError::NotSent(why))) => format!("subscribe {}", not_sent(why)),
        Reply::Subscribed(Err(SubscribeError::OutcomeUnknown(why))) => format!("subscribe {}", outcome_unknown(why)),
        Reply::Subscribed(Err(SubscribeError::Cancelled)) => "subscribe cancelled".to_owned(),
        Reply::Subscribed(Err(error)) => format!("subscribe rejected {error}"),
        Reply::Unsubscribed(Ok(())) => "unsubscribed".to_owned(),
        Reply::Unsubscribed(Err(UnsubscribeError::Hub(error))) => format!("unsubscribe hub_error {error}"),
        Reply::Unsubscribed(Err(error)) => format!("unsubscribe rejected {error}"),
        Reply::Rejected(rejection) => format!("rejected {rejection}"),
        other => format!("{other:?}"),
    };
    format!("{} {outcome}", name(token))
}

/// The delays of a policy, in milliseconds.
pub(crate) fn delays(millis: impl IntoIterator<Item = u64>) -> signalr_proto::retry::RetryPolicy {
    signalr_proto::retry::RetryPolicy::delays(millis.into_iter().map(Duration::from_millis))
}

/// Default options with a policy of these delays, in milliseconds.
pub(crate) fn reconnecting(millis: impl IntoIterator<Item = u64>) -> HubConnectionConfig {
    HubConnectionConfig::default().automatic_reconnect(delays(millis))
}

/// A failure of the given kind.
pub(crate) fn failure(kind: IoFailureKind) -> IoFailure {
    IoFailure::new(kind, "it failed")
}
