//! Each rule, and what every queue keeps: order, the budget, one wake-up for a burst.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use signalr_proto::error::DisconnectReason;
use signalr_proto::io::{Action, Input, IoFailure, IoFailureKind, Token, TransportEnd};
use signalr_proto::json::Cursor;
use signalr_proto::subscription::{MethodCall, SubscriptionKey, SubscriptionRequest};
use signalr_proto::time::Instant;
use signalr_proto::{Command, Event, HubConnection, HubConnectionConfig, Machine, Payload};

use super::*;

/// A key and a serial number.
type Entry = (char, u32);

/// Counts how often it is woken.
#[derive(Default)]
struct Bell(AtomicUsize);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A queue with both its ends and its budget.
struct Bench {
    producer: Option<Producer<Entry>>,
    consumer: Consumer<Entry>,
    budget: Budget,
    bell: Arc<Bell>,
    /// How often the consumer said that it made room.
    credits: usize,
}

/// What every value costs here.
const COST: usize = 10;

impl Bench {
    fn new(rule: QueueRule<Entry>) -> Self {
        let budget = Budget::default();
        let (producer, consumer) = queue(rule, 8, budget.clone());
        Self { producer: Some(producer), consumer, budget, bell: Arc::default(), credits: 0 }
    }

    fn producer(&mut self) -> &mut Producer<Entry> {
        self.producer.as_mut().unwrap()
    }

    /// Delivers values as a sink does: staged, then committed.
    fn push(&mut self, values: impl IntoIterator<Item = Entry>) {
        for value in values {
            self.producer().stage(value);
            self.producer().commit(COST);
        }
    }

    /// The same, visible at once.
    fn send(&mut self, values: impl IntoIterator<Item = Entry>) {
        self.push(values);
        self.producer().flush();
    }

    fn poll(&mut self) -> Poll<Option<Delivery<Entry>>> {
        let waker = Waker::from(self.bell.clone());
        let credits = &mut self.credits;
        self.consumer.poll_next(&mut Context::from_waker(&waker), || *credits += 1)
    }

    /// All that can be read now.
    fn read(&mut self) -> Vec<Delivery<Entry>> {
        let mut all = Vec::new();
        while let Poll::Ready(Some(delivery)) = self.poll() {
            all.push(delivery);
        }
        all
    }

    fn rings(&self) -> usize {
        self.bell.0.load(Ordering::SeqCst)
    }
}

fn values(entries: impl IntoIterator<Item = Entry>) -> Vec<Delivery<Entry>> {
    entries.into_iter().map(Delivery::Value).collect()
}

fn serials(key: char, range: std::ops::Range<u32>) -> impl Iterator<Item = Entry> {
    range.map(move |serial| (key, serial))
}

fn malformed() -> Delivery<Entry> {
    Delivery::Malformed(Cursor::new("[]").decode::<Entry>().unwrap_err())
}

fn gap(serial: u64, keys: &[&str]) -> Gap {
    Gap { serial, reason: reason(), keys: keys.iter().map(|key| subscription(key)).collect() }
}

fn subscription(method: &str) -> SubscriptionKey {
    let subscribe = MethodCall { target: method.into(), arguments: "[]".into() };
    SubscriptionRequest { subscribe, unsubscribe: None, targets: Vec::new() }.key()
}

/// Why a connection was lost: only a machine can say so.
fn reason() -> DisconnectReason {
    let mut machine = HubConnection::new("http://h/", HubConnectionConfig::default().skip_negotiation(true)).unwrap();
    let now = Instant::from_nanos(0);
    machine.handle_command(now, Token(1), Command::Start);
    let Some(Action::Open { attempt, .. }) = machine.poll_action() else { panic!("a start opens a WebSocket") };
    machine.handle_input(now, Input::Opened { attempt, result: Ok(()) });
    machine.handle_input(now, Input::Received { attempt, payload: Payload::Text("{}\u{1e}") });
    let reason = TransportEnd::Failed(IoFailure::new(IoFailureKind::Lost, "cut"));
    machine.handle_input(now, Input::Closed { attempt, reason });
    std::iter::from_fn(|| machine.poll_event())
        .find_map(|event| if let Event::Disconnected(reason) = event { Some(reason) } else { None })
        .unwrap()
}

#[test]
fn what_is_committed_comes_in_order_and_what_is_discarded_never() {
    let mut bench = Bench::new(QueueRule::default());
    bench.push(serials('a', 0..2));
    bench.producer().stage(('x', 0));
    bench.producer().discard();
    bench.producer().push(malformed(), COST);
    bench.producer().stage(('x', 1));
    bench.producer().stage(('a', 2));
    bench.producer().commit(COST);
    bench.producer().commit(COST);
    bench.producer().stage(('x', 2));
    bench.producer().flush();
    let mut expected = values(serials('a', 0..2));
    expected.push(malformed());
    expected.push(Delivery::Value(('a', 2)));
    assert_eq!(bench.budget.bytes(), 4 * COST);
    assert_eq!(bench.read(), expected);
    assert_eq!(bench.budget.bytes(), 0);
}

#[test]
fn nothing_is_visible_before_the_flush_and_a_burst_rings_once() {
    let mut bench = Bench::new(QueueRule::default());
    assert_eq!(bench.poll(), Poll::Pending);
    bench.push(serials('a', 0..5));
    assert_eq!((bench.poll(), bench.rings()), (Poll::Pending, 0));
    bench.producer().flush();
    assert_eq!(bench.rings(), 1);
    bench.send(serials('a', 5..6));
    assert_eq!(bench.rings(), 1, "nobody has asked since");
    assert_eq!(bench.read(), values(serials('a', 0..6)));
    bench.producer().flush();
    assert_eq!(bench.rings(), 1, "there was nothing to flush");
}

#[test]
fn a_queue_that_waits_is_full_at_its_capacity() {
    let mut bench = Bench::new(QueueRule::wait(4));
    bench.push(serials('a', 0..3));
    assert!(!bench.producer().is_full());
    bench.push(serials('a', 3..4));
    assert!(bench.producer().is_full(), "before the flush");
    bench.producer().flush();
    assert!(bench.producer().is_full(), "and after it");
    // What comes all the same is kept.
    bench.send(serials('a', 4..6));
    assert_eq!(bench.read(), values(serials('a', 0..6)));
    assert!(!bench.producer().is_full());
    assert_eq!(Bench::new(QueueRule::wait(0)).producer().capacity(), 1);
    assert_eq!(Bench::new(QueueRule::default()).producer().capacity(), 8);
}

#[test]
fn credit_is_given_back_on_the_way_and_with_the_last_event() {
    let mut bench = Bench::new(QueueRule::wait(64));
    bench.send(serials('a', 0..10));
    for taken in 1..=10 {
        assert!(bench.poll().is_ready());
        // A chunk is a sixteenth of the capacity.
        let given_back = if taken < 10 { taken / 4 * 4 } else { taken };
        assert_eq!(bench.budget.bytes(), (10 - given_back) * COST, "after {taken}");
    }
    // It has all it wanted, and does not ask again.
    assert!(!bench.producer().fullness().is_full(1));
    assert_eq!(bench.credits, 3);
}

#[test]
fn the_oldest_give_way_to_their_count() {
    let mut bench = Bench::new(QueueRule::drop_oldest(5));
    bench.send(serials('a', 0..5));
    assert!(!bench.producer().is_full());
    assert_eq!(bench.read(), values(serials('a', 0..5)), "none too many");

    bench.send(serials('a', 0..10));
    bench.send(serials('a', 10..12));
    bench.send(serials('a', 12..13));
    let all = bench.read();
    let [Delivery::Lagged(dropped), rest @ ..] = &all[..] else { panic!("{all:?}") };
    assert!(rest.len() >= 3 && all.len() <= 5, "{all:?}");
    assert_eq!(rest, values(serials('a', u32::try_from(*dropped).unwrap()..13)));
    assert_eq!(bench.budget.bytes(), 0);
    bench.send(serials('a', 13..14));
    assert_eq!(bench.read(), values([('a', 13)]), "the count stands once");
}

#[test]
fn a_gap_among_the_dropped_is_told_first() {
    let mut bench = Bench::new(QueueRule::drop_oldest(4));
    bench.send(serials('a', 0..1));
    bench.producer().push_gap(&gap(1, &["A"]));
    bench.send(serials('a', 1..3));
    bench.producer().push_gap(&gap(2, &["A", "B"]));
    bench.send(serials('a', 3..8));
    let expected = [vec![Delivery::Gap(gap(2, &["A", "B"])), Delivery::Lagged(6)], values(serials('a', 6..8))].concat();
    assert_eq!(bench.read(), expected);
    assert_eq!(bench.budget.bytes(), 0);
}

#[test]
fn a_queue_that_drops_stays_small_however_late_the_flush() {
    let mut bench = Bench::new(QueueRule::drop_oldest(16));
    bench.push(serials('a', 0..1_000));
    assert!(bench.budget.bytes() <= 40 * COST, "{}", bench.budget.bytes());
    bench.producer().flush();
    let all = bench.read();
    assert!(all.len() <= 16);
    assert_eq!(all.last(), Some(&Delivery::Value(('a', 999))));
    assert_eq!(bench.budget.bytes(), 0);
}

#[test]
fn of_each_key_only_the_latest_waits_in_the_place_of_the_first() {
    let mut bench = Bench::new(QueueRule::latest_by(|entry: &Entry| entry.0));
    bench.send([('a', 0), ('b', 0), ('a', 1)]);
    bench.send([('c', 0), ('b', 1), ('a', 2)]);
    assert_eq!(bench.consumer.conflated(), 3);
    assert_eq!(bench.budget.bytes(), 3 * COST);
    assert!(!bench.producer().is_full());
    assert_eq!(bench.read(), values([('a', 2), ('b', 1), ('c', 0)]));
    assert_eq!(bench.budget.bytes(), 0);
}

#[test]
fn what_was_taken_is_not_replaced() {
    let mut bench = Bench::new(QueueRule::latest_by(|entry: &Entry| entry.0));
    bench.send([('a', 0), ('b', 0)]);
    assert_eq!(bench.poll(), Poll::Ready(Some(Delivery::Value(('a', 0)))));
    bench.send([('c', 0), ('b', 1)]);
    // The place of `b` is old, that of `c` is not.
    bench.send([('c', 1), ('b', 2), ('a', 1)]);
    assert_eq!(bench.consumer.conflated(), 2);
    assert_eq!(bench.read(), values([('b', 0), ('c', 1), ('b', 2), ('a', 1)]));
    assert_eq!(bench.budget.bytes(), 0);
}

#[test]
fn nothing_behind_a_gap_replaces_what_stands_before_it() {
    let mut bench = Bench::new(QueueRule::latest_by(|entry: &Entry| entry.0));
    bench.push([('a', 0), ('b', 0)]);
    bench.producer().push_gap(&gap(1, &[]));
    bench.send([('a', 1), ('a', 2)]);
    let expected = [values([('a', 0), ('b', 0)]), vec![Delivery::Gap(gap(1, &[]))], values([('a', 2)])].concat();
    assert_eq!(bench.read(), expected);
    assert_eq!(bench.consumer.conflated(), 1);
}

#[test]
fn too_many_keys_drop_the_oldest() {
    let budget = Budget::default();
    let (mut producer, mut consumer) = queue(QueueRule::latest_by(|key: &u32| *key), 8, budget.clone());
    let mut context = Context::from_waker(Waker::noop());
    let count = 3 * u32::try_from(MAX_KEYS).unwrap();
    for _ in 0..2 {
        for key in 0..count {
            producer.stage(key);
            producer.commit(COST);
        }
        producer.flush();
        let mut all = Vec::new();
        while let Poll::Ready(Some(delivery)) = consumer.poll_next(&mut context, || {}) {
            all.push(delivery);
        }
        let Some(Delivery::Lagged(dropped)) = all.first() else { panic!("{:?}", all.first()) };
        assert!(all.len() <= MAX_KEYS && all.len() - 1 + usize::try_from(*dropped).unwrap() == count as usize);
        assert_eq!(all.last(), Some(&Delivery::Value(count - 1)));
        assert_eq!((consumer.conflated(), budget.bytes()), (0, 0));
    }
}

#[test]
fn the_places_of_what_was_taken_are_forgotten_in_time() {
    let mut keys = QueueRule::latest_by(|key: &u64| *key);
    let Rule::Latest(places) = &mut keys.0 else { panic!("the rule of the latest") };
    let distinct = 5 * MAX_KEYS as u64;
    for key in 0..distinct {
        assert_eq!(places.place(&key, key, key), None);
    }
    // The last one waits still.
    assert_eq!(places.place(&(distinct - 1), distinct - 1, distinct), Some(distinct - 1));
    assert!(places.known() <= 2 * MAX_KEYS, "{}", places.known());
}

#[test]
fn a_gap_stands_between_what_came_before_it_and_after() {
    for rule in [QueueRule::default(), QueueRule::drop_oldest(9), QueueRule::latest_by(|entry: &Entry| entry.1)] {
        let mut bench = Bench::new(rule);
        bench.push(serials('a', 0..2));
        bench.producer().push_gap(&gap(1, &["A"]));
        bench.send(serials('a', 2..4));
        let expected =
            [values(serials('a', 0..2)), vec![Delivery::Gap(gap(1, &["A"]))], values(serials('a', 2..4))].concat();
        assert_eq!(bench.read(), expected);
    }
}

#[test]
fn gaps_with_nothing_between_are_one() {
    let mut bench = Bench::new(QueueRule::default());
    assert_eq!(bench.poll(), Poll::Pending);
    bench.producer().push_gap(&gap(1, &["A", "B"]));
    assert_eq!(bench.rings(), 1);
    bench.producer().push_gap(&gap(2, &["B", "C"]));
    assert_eq!(bench.read(), [Delivery::Gap(gap(2, &["A", "B", "C"]))]);
    bench.producer().push_gap(&gap(3, &["A"]));
    assert_eq!(bench.read(), [Delivery::Gap(gap(3, &["A"]))], "that one was read");
}

#[test]
fn the_last_events_are_read_and_then_the_end() {
    let mut bench = Bench::new(QueueRule::default());
    assert_eq!(bench.poll(), Poll::Pending);
    bench.push(serials('a', 0..2));
    bench.producer().stage(('x', 0));
    bench.producer = None;
    assert_eq!(bench.rings(), 1);
    assert_eq!(bench.read(), values(serials('a', 0..2)));
    assert_eq!(bench.poll(), Poll::Ready(None));
    assert_eq!(bench.poll(), Poll::Ready(None), "it stays so");
    assert_eq!(bench.budget.bytes(), 0);

    let mut bench = Bench::new(QueueRule::default());
    assert_eq!(bench.poll(), Poll::Pending);
    bench.producer = None;
    assert_eq!((bench.rings(), bench.poll()), (1, Poll::Ready(None)));
}

#[test]
fn a_consumer_that_leaves_gives_everything_back() {
    for rule in [QueueRule::wait(4), QueueRule::drop_oldest(6), QueueRule::latest_by(|entry: &Entry| entry.0)] {
        let mut bench = Bench::new(rule);
        bench.send(serials('a', 0..3));
        assert!(bench.poll().is_ready());
        bench.send(serials('b', 0..3));
        bench.push(serials('c', 0..3));
        assert!(!bench.producer().is_abandoned());
        bench.consumer.abandon();
        assert!(bench.producer().is_abandoned());
        bench.producer().flush();
        assert_eq!(bench.budget.bytes(), 0);
        bench.send(serials('d', 0..9));
        bench.producer().push_gap(&gap(1, &[]));
        assert_eq!(bench.budget.bytes(), 0, "what comes later is dropped");
        assert!(!bench.producer().is_full());
    }
}
