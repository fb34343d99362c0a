//! The streams of what happens to a connection: everything, or only its life.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use signalr_proto::sink::Budget;
use signalr_proto::{Command, Event, EventGate};

use crate::queue::{Consumer, Delivery, Fullness, Producer, QueueRule, queue};
use crate::shared::Lifeline;

/// What happens to a connection, in one order: see [`HubConnection::events`](crate::HubConnection::events) and
/// [`HubConnection::lifecycle`](crate::HubConnection::lifecycle).
#[must_use = "a stream does nothing unless it is polled"]
pub struct Events {
    consumer: Consumer<Event>,
    lifeline: Arc<Lifeline>,
    lagged: u64,
}

impl Events {
    pub(crate) fn new(consumer: Consumer<Event>, lifeline: Arc<Lifeline>) -> Self {
        Self { consumer, lifeline, lagged: 0 }
    }

    /// How many events were dropped because this stream was not read. Always 0 for `events()`.
    pub fn lagged(&self) -> u64 {
        self.lagged
    }
}

impl Stream for Events {
    type Item = Event;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Event>> {
        let this = self.get_mut();
        loop {
            let shared = &this.lifeline.shared;
            match ready!(this.consumer.poll_next(context, || shared.consumed())) {
                Some(Delivery::Value(event)) => return Poll::Ready(Some(event)),
                Some(Delivery::Lagged(count)) => this.lagged += count,
                Some(Delivery::Gap(_) | Delivery::Malformed(_)) => {}
                None => return Poll::Ready(None),
            }
        }
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        self.consumer.abandon();
        let shared = &self.lifeline.shared;
        let gate = shared.lock().taps.prune();
        shared.command(shared.next_token(), Command::Tap(gate));
        shared.consumed();
    }
}

/// Life events that wait for a reader at most: they come at the pace of reconnects.
const LIFECYCLE_CAPACITY: usize = 1_024;
/// What an event without arguments counts.
const EVENT_COST: usize = 64;

/// Those who hear the machine's events.
#[derive(Default)]
pub(crate) struct Taps {
    everything: Vec<Producer<Event>>,
    lifecycle: Vec<Producer<Event>>,
    watchers: Vec<Watcher>,
}

/// Is told of the connection's life on the spot.
pub(crate) type Watcher = Box<dyn FnMut(&Event) + Send>;

impl Taps {
    /// Listens to everything. The gate pauses reading while a listener is full.
    pub(crate) fn tap(&mut self, capacity: usize, budget: Budget) -> (Consumer<Event>, Box<dyn EventGate>) {
        let (producer, consumer) = queue(QueueRule::wait(capacity), capacity, budget);
        self.everything.push(producer);
        (consumer, self.gate())
    }

    fn gate(&self) -> Box<dyn EventGate> {
        Box::new(Gate(self.everything.iter().map(|producer| (producer.fullness(), producer.capacity())).collect()))
    }

    /// Forgets those whose readers are gone. `None`: nobody is left.
    pub(crate) fn prune(&mut self) -> Option<Box<dyn EventGate>> {
        self.everything.retain(|producer| !producer.is_abandoned());
        self.lifecycle.retain(|producer| !producer.is_abandoned());
        (!self.everything.is_empty()).then(|| self.gate())
    }

    pub(crate) fn follow_lifecycle(&mut self, budget: Budget) -> Consumer<Event> {
        let (producer, consumer) = queue(QueueRule::drop_oldest(LIFECYCLE_CAPACITY), LIFECYCLE_CAPACITY, budget);
        self.lifecycle.push(producer);
        consumer
    }

    pub(crate) fn watch(&mut self, watcher: Watcher) {
        self.watchers.push(watcher);
    }

    pub(crate) fn tell(&mut self, event: &Event) {
        let cost = match event {
            Event::Invocation { arguments, .. } => arguments.len() + EVENT_COST,
            _ => EVENT_COST,
        };
        for producer in &mut self.everything {
            producer.push(Delivery::Value(event.clone()), cost);
        }
        if is_lifecycle(event) {
            for producer in &mut self.lifecycle {
                producer.push(Delivery::Value(event.clone()), cost);
            }
            for watcher in &mut self.watchers {
                watcher(event);
            }
        }
    }

    pub(crate) fn flush(&mut self) {
        for producer in self.everything.iter_mut().chain(&mut self.lifecycle) {
            producer.flush();
        }
    }
}

/// Whether it is about the connection, not about what the hub sent.
fn is_lifecycle(event: &Event) -> bool {
    !matches!(event, Event::Invocation { .. } | Event::Malformed { .. } | Event::Unhandled { .. } | Event::Violation(_))
}

struct Gate(Vec<(Arc<dyn Fullness>, usize)>);

impl EventGate for Gate {
    fn is_full(&self) -> bool {
        self.0.iter().any(|(fullness, capacity)| fullness.is_full(*capacity))
    }
}
