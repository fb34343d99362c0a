//! The program itself: lines in, calls of the library, lines out.

use std::any::Any;
use std::collections::HashMap;
use std::future::{poll_fn, ready};
use std::ops::ControlFlow;
use std::task::{Context, Poll};
use std::time::Duration;

use adapter_core::{Event, Events, HubConnection, QueueRule, Registration, Runtime, State};
use futures_channel::mpsc::{UnboundedReceiver, unbounded};
use futures_util::future::LocalBoxFuture;
use futures_util::stream::once;
use futures_util::{FutureExt, StreamExt};
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::calls::{Calls, Told};
use crate::command::{Answer, CallKind, Command, Request, ResultKind, Shape};
use crate::fields::Fields;
use crate::keys::Keys;
use crate::options;
use crate::outcome::Outcome;
use crate::output::{Line, Output};
use crate::told;

/// Carries lines out until `exit` or their end, then stops the connection and tells the rest.
pub(crate) async fn run<R: Runtime>(output: &Output, lines: UnboundedReceiver<Vec<u8>>) {
    let mut session: Session<'_, R> = Session { output, lines, link: None, leaving: None };
    while poll_fn(|context| session.turn(context)).await.is_continue() {}
}

struct Session<'o, R> {
    output: &'o Output,
    lines: UnboundedReceiver<Vec<u8>>,
    link: Option<Link<R>>,
    /// The last stop.
    leaving: Option<LocalBoxFuture<'static, ()>>,
}

/// The one connection.
struct Link<R> {
    connection: HubConnection<R>,
    /// Everything that happens to it, in its order.
    events: Events,
    /// Invocations and unhandled ones among the events told.
    told: u64,
    /// The `connected` of the last start was told.
    told_connected: bool,
    /// The calls that start.
    starts: Vec<String>,
    calls: Calls,
    keys: Keys,
    /// The handlers of a target. What they receive is told from the events, which have the arguments as the hub wrote them.
    listeners: HashMap<String, Vec<Box<dyn Any>>>,
    responders: HashMap<String, Registration>,
}

/// Events, or what calls have to tell, before the other has its turn.
const BATCH: usize = 64;

impl<R: Runtime> Session<'_, R> {
    fn turn(&mut self, context: &mut Context<'_>) -> Poll<ControlFlow<()>> {
        let mut moved = false;
        if let Some(link) = &mut self.link {
            moved |= link.tell_some(self.output, context);
        }
        if self.leaving.is_none() {
            moved |= self.take_line(context);
        }
        if self.leaving.as_mut().is_some_and(|leaving| leaving.poll_unpin(context).is_ready()) {
            if let Some(link) = &mut self.link {
                link.tell_rest(self.output, context);
            }
            return Poll::Ready(ControlFlow::Break(()));
        }
        if moved { Poll::Ready(ControlFlow::Continue(())) } else { Poll::Pending }
    }

    fn take_line(&mut self, context: &mut Context<'_>) -> bool {
        let line = match self.lines.poll_next_unpin(context) {
            Poll::Pending => return false,
            Poll::Ready(line) => line,
        };
        let command = line.map_or(Ok(Command::Exit), |line| Command::parse(&line));
        let done = command.and_then(|command| match command {
            Command::Exit => {
                self.leave();
                Ok(())
            }
            Command::Build { url, options } => self.build(url, options),
            command => match &mut self.link {
                Some(link) => link.carry_out(self.output, context, command),
                None => Err("there is no connection yet: `build` comes first".to_owned()),
            },
        });
        if let Err(message) = done {
            self.output.tell(Line::event("bad_command").with("message", message));
        }
        true
    }

    fn build(&mut self, url: String, options: Fields) -> Result<(), String> {
        if self.link.is_some() {
            return Err("there is a connection already".to_owned());
        }
        let builder = options::apply(HubConnection::<R>::builder(url), options);
        match builder.and_then(|builder| builder.build().map_err(|error| error.to_string())) {
            Ok(connection) => {
                self.link = Some(Link::new(connection));
                self.output.tell(Line::event("built"));
            }
            Err(message) => self.output.tell(Line::event("config_error").with("message", message)),
        }
        Ok(())
    }

    fn leave(&mut self) {
        self.leaving = Some(match &self.link {
            Some(link) => {
                let connection = link.connection.clone();
                async move { connection.stop().await }.boxed_local()
            }
            None => ready(()).boxed_local(),
        });
    }
}

impl<R: Runtime> Link<R> {
    fn new(connection: HubConnection<R>) -> Self {
        let events = connection.events();
        Self {
            connection,
            events,
            told: 0,
            told_connected: false,
            starts: Vec::new(),
            calls: Calls::default(),
            keys: Keys::default(),
            listeners: HashMap::new(),
            responders: HashMap::new(),
        }
    }

    fn carry_out(&mut self, output: &Output, context: &mut Context<'_>, command: Command) -> Result<(), String> {
        let (name, told) = match command {
            Command::Start { call } => {
                self.check_free(&call)?;
                if self.connection.state() == State::Disconnected {
                    // What is left of an earlier connection stands before this one.
                    self.tell_events(output, context);
                    self.told_connected = false;
                }
                self.starts.push(call.clone());
                let connection = self.connection.clone();
                let start = async move { Outcome::from(connection.start().await).behind_connected() };
                (call.clone(), self.calls.begin(context, call, start))
            }
            Command::Stop { call } => {
                self.check_free(&call)?;
                let connection = self.connection.clone();
                let stop = async move {
                    connection.stop().await;
                    Outcome::ok()
                };
                (call.clone(), self.calls.begin(context, call, stop))
            }
            Command::Call { call, request } => {
                self.check_free(&call)?;
                (call.clone(), self.call(context, call, request))
            }
            Command::Subscribe { call, key, subscribe, unsubscribe } => {
                self.check_free(&call)?;
                let subscription = match &unsubscribe {
                    Some((method, _)) => {
                        self.connection.subscription((subscribe.0.as_str(), method.as_str()), &subscribe.1)
                    }
                    None => self.connection.subscription(subscribe.0.as_str(), &subscribe.1),
                };
                let subscription = subscription.and_then(|subscription| match &unsubscribe {
                    Some((method, arguments)) => subscription.unsubscribed_by(method, arguments),
                    None => Ok(subscription),
                });
                let subscribing =
                    self.keys.subscribe(&key, subscription.map_err(|rejection| rejection.to_string())?)?;
                (call.clone(), self.calls.begin(context, call, subscribing))
            }
            Command::Unsubscribe { call, key } => {
                self.check_free(&call)?;
                let unsubscribing = self.keys.unsubscribe(&key)?;
                (call.clone(), self.calls.begin(context, call, unsubscribing))
            }
            Command::Cancel { call } => {
                if !self.calls.cancel(&call) {
                    return Err(format!("there is no call `{call}` under way"));
                }
                (call, Some(Told::Outcome(Outcome::cancelled())))
            }
            Command::Item { call, stream, value } => return self.calls.upload(&call, stream, Ok(value)),
            Command::Finish { call, stream, error } => return self.calls.end_upload(&call, stream, error),
            Command::On { target, shape } => {
                self.listen(target, shape);
                return Ok(());
            }
            Command::Answer { target, with, delay } => return self.answer(target, with, delay),
            Command::Off { target } => {
                self.listeners.remove(&target);
                if let Some(registration) = self.responders.remove(&target) {
                    registration.remove();
                }
                return Ok(());
            }
            Command::State => {
                self.tell_state(output, context);
                return Ok(());
            }
            Command::Build { .. } | Command::Exit => return Ok(()),
        };
        if let Some(told) = told {
            self.tell(output, context, &name, told);
        }
        Ok(())
    }

    fn check_free(&self, call: &str) -> Result<(), String> {
        if self.calls.is_running(call) { Err(format!("a call `{call}` is under way")) } else { Ok(()) }
    }

    fn call(&mut self, context: &mut Context<'_>, name: String, request: Request) -> Option<Told> {
        let Request { kind, target, arguments, result, streams, timeout } = request;
        let mut call = self.connection.call(&target).arguments(arguments);
        if let Some(timeout) = timeout {
            call = call.timeout(timeout);
        }
        let mut uploads = Vec::new();
        for _ in 0..streams {
            let (sender, items) = unbounded();
            call = call.upload(items);
            uploads.push(sender);
        }
        let calls = &mut self.calls;
        match kind {
            CallKind::Send => {
                calls.begin_stream(context, name, once(async { Told::Outcome(call.send().await.into()) }), uploads)
            }
            CallKind::Invoke => calls.begin_stream(
                context,
                name,
                once(async move { Told::Outcome(invoke(call, result).await) }),
                uploads,
            ),
            CallKind::Stream => {
                let items = call.stream::<Box<RawValue>>().map(|item| match item {
                    Ok(item) => Told::Item(item),
                    Err(error) => Told::Outcome(Outcome::from(&error)),
                });
                // What ends with an error is not asked for its end any more.
                calls.begin_stream(context, name, items.chain(once(ready(Told::Outcome(Outcome::end())))), uploads)
            }
        }
    }

    fn listen(&mut self, target: String, shape: Shape) {
        // Nobody reads these: the library types the arguments, and the events tell the rest.
        let listener: Box<dyn Any> = match shape {
            Shape::Any => Box::new(self.connection.on_with::<Vec<IgnoredAny>>(&target, QueueRule::drop_oldest(1))),
            Shape::Integer => Box::new(self.connection.on_with::<(i64,)>(&target, QueueRule::drop_oldest(1))),
            Shape::IntegerAndString => {
                Box::new(self.connection.on_with::<(i64, String)>(&target, QueueRule::drop_oldest(1)))
            }
        };
        self.listeners.entry(target).or_default().push(listener);
    }

    fn answer(&mut self, target: String, with: Answer, delay: Duration) -> Result<(), String> {
        let handler = move |arguments: Vec<Box<RawValue>>| {
            let answer = match &with {
                Answer::Result(result) => Ok(result.clone()),
                Answer::Error(error) => Err(error.clone()),
                Answer::Echo => arguments.into_iter().next().ok_or_else(|| "there is no argument to echo".to_owned()),
            };
            async move {
                if !delay.is_zero() {
                    R::sleep(delay).await;
                }
                answer
            }
        };
        let registration = self.connection.handle(&target, handler).map_err(|rejection| rejection.to_string())?;
        self.responders.insert(target, registration);
        Ok(())
    }

    fn tell_state(&mut self, output: &Output, context: &mut Context<'_>) {
        let (state, id) = (self.connection.state(), self.connection.connection_id());
        // What led to this state stands before it.
        self.tell_events(output, context);
        let id = id.as_ref().and_then(|id| id.server_assigned());
        output.tell(Line::event("state").with("state", state.as_str()).with("serverConnectionId", id));
    }

    fn tell(&mut self, output: &Output, context: &mut Context<'_>, name: &str, told: Told) {
        match told {
            Told::Item(item) => output.tell(Line::call(name).with_json("item", item.get())),
            Told::Outcome(outcome) => {
                self.tell_events_before(&outcome, output, context);
                output.tell(outcome.line(name));
            }
        }
    }

    /// What happened before an outcome stands before it. The start's `ok` comes right behind its `connected`, whatever followed.
    fn tell_events_before(&mut self, outcome: &Outcome, output: &Output, context: &mut Context<'_>) {
        if outcome.is_behind_connected() {
            while !self.told_connected && self.tell_event(output, context) {}
        } else {
            self.tell_events(output, context);
        }
    }

    /// `connected` was told, and the outcome of its start, which the library gives in the same breath, was not.
    fn is_turn_of_start(&mut self) -> bool {
        self.starts.retain(|call| self.calls.is_running(call));
        self.told_connected && !self.starts.is_empty()
    }

    /// Tells the events that have happened by now, and not the flood that may follow them.
    fn tell_events(&mut self, output: &Output, context: &mut Context<'_>) {
        let counters = self.connection.counters();
        let happened = counters.delivered + counters.unhandled;
        while self.told <= happened && self.tell_event(output, context) {}
    }

    fn tell_event(&mut self, output: &Output, context: &mut Context<'_>) -> bool {
        let Poll::Ready(Some(event)) = self.events.poll_next_unpin(context) else { return false };
        if matches!(event, Event::Invocation { .. } | Event::Unhandled { .. }) {
            self.told += 1;
        }
        self.told_connected |= matches!(event, Event::Connected(_));
        told::tell(output, &self.keys, &event);
        true
    }

    /// Tells some of what there is, as long as somebody reads it. Whether there was any.
    fn tell_some(&mut self, output: &Output, context: &mut Context<'_>) -> bool {
        let mut moved = false;
        for _ in 0..BATCH {
            if self.is_turn_of_start() || !output.has_room(context) || !self.tell_event(output, context) {
                break;
            }
            moved = true;
        }
        for _ in 0..BATCH {
            if !output.has_room(context) {
                break;
            }
            let Poll::Ready((name, told)) = self.calls.poll_told(context) else { break };
            self.tell(output, context, &name, told);
            moved = true;
        }
        moved
    }

    /// Tells everything that there is.
    fn tell_rest(&mut self, output: &Output, context: &mut Context<'_>) {
        while self.tell_event(output, context) {}
        while let Poll::Ready((name, told)) = self.calls.poll_told(context) {
            self.tell(output, context, &name, told);
        }
    }
}

/// `None` is a method that gave no result at all.
async fn invoke(call: adapter_core::Call, result: ResultKind) -> Outcome {
    let value = match result {
        ResultKind::Any => call.invoke_optional::<Box<RawValue>>().await,
        ResultKind::Integer => call.invoke_optional::<i64>().await.map(|value| value.map(as_json)),
        ResultKind::Nothing => call.invoke_optional::<IgnoredAny>().await.map(|_| None),
    };
    value.map_or_else(|error| Outcome::from(&error), Outcome::value)
}

fn as_json(value: i64) -> Box<RawValue> {
    RawValue::from_string(value.to_string()).expect("a number is JSON")
}
