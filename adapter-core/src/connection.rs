//! The handle of a connection.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::{Arc, Weak};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use signalr_proto::error::Rejection;
use signalr_proto::retry::RetryMetrics;
use signalr_proto::sink::{Budget, InvocationSink};
use signalr_proto::{Command, ConnectionId, Counters, Event, Reply, Role, StartError, State, SubscribeError};

use crate::builder::HubConnectionBuilder;
use crate::call::{Call, CallError};
use crate::events::Events;
use crate::handler::{HandlerSink, Registration};
use crate::hub_stream::HubStream;
use crate::on::{EventSink, On};
use crate::queue::{QueueRule, queue};
use crate::runtime::Runtime;
use crate::shared::{Lifeline, Shared};
use crate::subscription::{Subscription, SubscriptionMethods};

/// A connection to a hub. Clones are handles of the same connection; with the last handle and stream it stops, in the background.
///
/// Made by [`HubConnection::builder`]; `R` is the runtime, which each adapter's alias names. All methods may be called from anywhere, also
/// from a handler of the same connection.
pub struct HubConnection<R> {
    lifeline: Arc<Lifeline>,
    runtime: PhantomData<fn() -> R>,
}

/// How the bytes travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Transport {
    /// A WebSocket.
    WebSockets,
}

impl<R: Runtime> HubConnection<R> {
    /// Begins to build a connection to the hub at `url`: http, https, ws or wss.
    pub fn builder(url: impl Into<String>) -> HubConnectionBuilder<R> {
        HubConnectionBuilder::new(url.into())
    }
}

impl<R> HubConnection<R> {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { lifeline: Arc::new(Lifeline { shared }), runtime: PhantomData }
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.lifeline.shared
    }

    /// Connects. While connecting, a further `start` waits for the first one's outcome; otherwise it is refused unless disconnected.
    ///
    /// Fails at the first failure, as Microsoft's clients do, unless
    /// [`retry_initial_connect`](HubConnectionBuilder::retry_initial_connect) is on. Dropping the future does not stop the connecting.
    pub async fn start(&self) -> Result<(), StartError> {
        match self.shared().ask(self.shared().next_token(), Command::Start).await {
            Ok(Reply::Started(result)) => result,
            Ok(Reply::Rejected(rejection)) => Err(StartError::Rejected(rejection)),
            _ => Err(StartError::Rejected(Rejection::NotActive)),
        }
    }

    /// Says goodbye: what is queued is sent, calls that still wait end, and the connection is disconnected when this returns. Does nothing
    /// when it is disconnected.
    pub async fn stop(&self) {
        // Whatever the answer is, there is no connection any more.
        drop(self.shared().ask(self.shared().next_token(), Command::Stop).await);
    }

    /// The invocations of `target` (compared by exact case), decoded as `T`: a tuple, one element an argument. They come in order, from now
    /// on, over reconnects and restarts, together with the gaps between them.
    ///
    /// Decoded once, where the bytes arrive. The queue is bounded: see [`QueueRule::wait`], and [`on_with`](Self::on_with) for other rules.
    pub fn on<T: DeserializeOwned + Send + 'static>(&self, target: &str) -> On<T> {
        self.on_with(target, QueueRule::default())
    }

    /// As [`on`](Self::on), with a rule of its own for a consumer that is slower than its events.
    pub fn on_with<T: DeserializeOwned + Send + 'static>(&self, target: &str, rule: QueueRule<T>) -> On<T> {
        let shared = self.shared();
        let budget = shared.lock().machine.budget();
        let (producer, consumer) = queue(rule, shared.limits.queue_events, budget);
        let registration = shared.next_token();
        let sink = Box::new(EventSink::new(producer));
        shared.command(registration, Command::Register { target: target.to_owned(), role: Role::Listener, sink });
        On::new(consumer, registration, self.lifeline.clone())
    }

    /// Answers the hub's invocations of `target` that want a result (client results); invocations that want none run the handler too.
    ///
    /// Each runs beside the connection and beside the others; it may use the connection. Its error's text goes to the hub. One handler for a
    /// target. A handler that keeps a `HubConnection` of its own keeps it alive: give it a [`WeakHubConnection`] if it should not.
    pub fn handle<A, T, E, F, Fut>(&self, target: &str, handler: F) -> Result<Registration, Rejection>
    where
        A: DeserializeOwned + Send + 'static,
        T: Serialize + 'static,
        E: fmt::Display + 'static,
        F: Fn(A) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<T, E>> + Send + 'static,
    {
        let shared = self.shared();
        let token = shared.next_token();
        let sink = Box::new(HandlerSink::new(handler, shared));
        let mut answer =
            shared.ask(token, Command::Register { target: target.to_owned(), role: Role::Responder, sink });
        match answer.try_recv() {
            Ok(Some(Reply::Rejected(rejection))) => Err(rejection),
            _ => Ok(Registration { token, shared: Arc::downgrade(shared) }),
        }
    }

    /// Everything that happens to this connection from now on, in one order: its life, gaps, every invocation with its raw arguments,
    /// violations. Nothing is dropped: a reader that stops reading pauses the connection, as with [`QueueRule::wait`].
    pub fn events(&self) -> Events {
        let shared = self.shared();
        let token = shared.next_token();
        let mut core = shared.lock();
        let budget = core.machine.budget();
        let (consumer, gate) = core.taps.tap(shared.limits.queue_events, budget);
        drop(core);
        shared.command(token, Command::Tap(Some(gate)));
        Events::new(consumer, self.lifeline.clone())
    }

    /// The life of this connection from now on: connected, reconnecting, waiting, reconnected, restored, gaps, disconnected. A reader that
    /// stops reading for a thousand events loses the oldest; it never holds the connection up.
    pub fn lifecycle(&self) -> Events {
        let mut core = self.shared().lock();
        let budget = core.machine.budget();
        let consumer = core.taps.follow_lifecycle(budget);
        drop(core);
        Events::new(consumer, self.lifeline.clone())
    }

    /// Has the invocations of `target` decoded by a sink of your own, where the bytes arrive. For layers above, and for those who count
    /// microseconds; everybody else wants [`on`](Self::on).
    ///
    /// The sink is called under the connection's lock: what it does is part of reading, and a call of this connection from inside of it never
    /// returns. The same holds for what [`watch`](Self::watch) is given. It stays until the registration is removed.
    pub fn register(&self, target: &str, sink: Box<dyn InvocationSink>) -> Registration {
        let shared = self.shared();
        let token = shared.next_token();
        shared.command(token, Command::Register { target: target.to_owned(), role: Role::Listener, sink });
        Registration { token, shared: Arc::downgrade(shared) }
    }

    /// Calls `watcher` with everything that [`lifecycle`](Self::lifecycle) tells, on the spot, for as long as the connection lives: see
    /// [`register`](Self::register) for what it must not do. What a sink was given from the same bytes came before.
    pub fn watch(&self, watcher: impl FnMut(&Event) + Send + 'static) {
        self.shared().lock().taps.watch(Box::new(watcher));
    }

    /// Says that a sink that was full has room again. Cheap unless reading is paused.
    pub fn made_room(&self) {
        self.shared().consumed();
    }

    /// Counts the bytes that wait unread in this connection's queues, for a [`queue`](crate::queue::queue) beside them.
    pub fn budget(&self) -> Budget {
        self.shared().lock().machine.budget()
    }

    /// Calls a method and waits for its result: see [`Call::invoke`].
    pub async fn invoke<T: DeserializeOwned + Send + 'static>(
        &self,
        target: &str,
        arguments: impl Serialize,
    ) -> Result<T, CallError> {
        self.call(target).arguments(arguments).invoke().await
    }

    /// Calls a method and wants no answer: see [`Call::send`].
    pub async fn send(&self, target: &str, arguments: impl Serialize) -> Result<(), CallError> {
        self.call(target).arguments(arguments).send().await
    }

    /// Calls a method that answers with a stream: see [`Call::stream`].
    pub fn stream<T: DeserializeOwned + Send + 'static>(
        &self,
        target: &str,
        arguments: impl Serialize,
    ) -> HubStream<T> {
        self.call(target).arguments(arguments).stream()
    }

    /// Begins a call that needs more than a name and arguments: a timeout, headers, streams to the hub.
    pub fn call(&self, target: &str) -> Call {
        Call::new(self.lifeline.clone(), target)
    }

    /// Subscribes for good: restored after every reconnect, before anything else is sent. `methods` names the hub's method, or a pair of
    /// methods to subscribe and unsubscribe, both called with `arguments`.
    ///
    /// Waits for the hub's answer: see [`Subscription::subscribe`].
    pub async fn subscribe(
        &self,
        methods: impl Into<SubscriptionMethods>,
        arguments: impl Serialize,
    ) -> Result<Subscription, SubscribeError> {
        let subscription = self.subscription(methods, arguments)?;
        subscription.subscribe().await?;
        Ok(subscription)
    }

    /// A subscription that nobody has asked for yet, to say more of it first.
    pub fn subscription(
        &self,
        methods: impl Into<SubscriptionMethods>,
        arguments: impl Serialize,
    ) -> Result<Subscription, Rejection> {
        Subscription::new(self.lifeline.clone(), methods.into(), &arguments)
    }

    /// Makes the attempt to reconnect that is waited for now, whatever the wait is for. While not waiting it does nothing; it is followed
    /// once in 5 s.
    pub fn reconnect_now(&self) {
        self.tell(Command::ReconnectNow);
    }

    /// Says that the network is back: like [`reconnect_now`](Self::reconnect_now), but an open circuit breaker is obeyed, unless this
    /// machine itself had been the cause.
    pub fn network_up(&self) {
        self.tell(Command::NetworkUp);
    }

    /// The longest wait between two attempts from now on, the circuit breaker's included, and of the wait under way; `None`: what the
    /// policy says. For times in which a late return costs more than a few dials, such as while a position is open.
    pub fn set_max_delay(&self, longest: Option<Duration>) {
        self.tell(Command::SetMaxDelay(longest));
    }

    /// What was counted about reconnecting: the circuit breaker's state and counters, attempts by class of failure, delays, times from loss to
    /// return, lifetimes, gaps, subscriptions.
    pub fn retry_metrics(&self) -> RetryMetrics {
        let now = self.shared().now();
        self.shared().lock().machine.retry_metrics(now)
    }

    fn tell(&self, command: Command) {
        self.shared().command(self.shared().next_token(), command);
    }

    /// The state now.
    pub fn state(&self) -> State {
        self.shared().lock().machine.state()
    }

    /// The id of the connection, while connected.
    pub fn connection_id(&self) -> Option<ConnectionId> {
        self.shared().lock().machine.connection_id().cloned()
    }

    /// The transport, while connected.
    pub fn transport(&self) -> Option<Transport> {
        self.shared().lock().machine.connection_id().map(|_| Transport::WebSockets)
    }

    /// What became of the records received so far.
    pub fn counters(&self) -> Counters {
        self.shared().lock().machine.counters()
    }

    /// How long ago the hub was last heard: any WebSocket message counts, pings and pongs included. `None` before the first connection.
    pub fn silence(&self) -> Option<Duration> {
        let core = self.shared().lock();
        let heard = core.machine.last_received()?;
        Some(self.shared().now().saturating_since(heard))
    }

    /// A handle that does not keep the connection alive.
    pub fn downgrade(&self) -> WeakHubConnection<R> {
        WeakHubConnection { lifeline: Arc::downgrade(&self.lifeline), runtime: PhantomData }
    }
}

impl<R> Clone for HubConnection<R> {
    fn clone(&self) -> Self {
        Self { lifeline: self.lifeline.clone(), runtime: PhantomData }
    }
}

impl<R> fmt::Debug for HubConnection<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HubConnection").field("state", &self.state()).finish_non_exhaustive()
    }
}

/// A handle that does not keep the connection alive: see [`HubConnection::downgrade`].
pub struct WeakHubConnection<R> {
    lifeline: Weak<Lifeline>,
    runtime: PhantomData<fn() -> R>,
}

impl<R> WeakHubConnection<R> {
    /// The connection, if it is still alive.
    pub fn upgrade(&self) -> Option<HubConnection<R>> {
        Some(HubConnection { lifeline: self.lifeline.upgrade()?, runtime: PhantomData })
    }
}

impl<R> Clone for WeakHubConnection<R> {
    fn clone(&self) -> Self {
        Self { lifeline: self.lifeline.clone(), runtime: PhantomData }
    }
}

impl<R> fmt::Debug for WeakHubConnection<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WeakHubConnection")
    }
}
