//! What a typed event costs from the WebSocket's message to the application's hands, without a socket: the whole driver, its
//! queue and the stream that reads it, polled in one thread, beside the floor on the same frames.

use std::hint::black_box;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use adapter_core::{Delivery, Driver, HubConnection, On, QueueRule};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use futures_util::future::{Either, select};
use futures_util::{Stream, StreamExt};
use topstep_model::{ContractId, Quote};
use tungstenite::Message;

#[path = "support/data.rs"]
mod data;
#[path = "support/floor.rs"]
mod floor;
#[path = "support/memory.rs"]
mod memory;

use memory::{Feed, Memory};

type Event = (ContractId, Quote);

/// Frames that one poll of the driver finds.
const FRAMES: usize = 20;

/// A connection in memory, its driver and its quotes.
struct Client {
    driver: Driver<Memory>,
    quotes: On<Event>,
    feed: Feed,
    /// Keeps the connection up.
    _connection: HubConnection<Memory>,
}

impl Client {
    async fn connect(rule: QueueRule<Event>) -> Self {
        let builder = HubConnection::<Memory>::builder("http://127.0.0.1/").skip_negotiation(true);
        let (connection, mut driver) = builder.build_with_driver().expect("the options are valid");
        let quotes = connection.on_with("GatewayQuote", rule);
        let start = Box::pin(async { connection.start().await.expect("the connection in memory opens") });
        let drive = Box::pin(async { while driver.next().await.is_some() {} });
        if let Either::Right(_) = select(start, drive).await {
            panic!("the driver ended");
        }
        Self { driver, quotes, feed: Feed::last(), _connection: connection }
    }

    /// Sends frames and reads events until there are no more; says how many there were.
    #[inline]
    fn deliver(&mut self, frame: &Message) -> usize {
        (0..FRAMES).for_each(|_| self.feed.send(frame.clone()));
        let mut context = Context::from_waker(Waker::noop());
        let mut events = 0;
        loop {
            let driven = Pin::new(&mut self.driver).poll_next(&mut context);
            let before = events;
            while let Poll::Ready(Some(delivery)) = Pin::new(&mut self.quotes).poll_next(&mut context) {
                assert!(matches!(black_box(&delivery), Delivery::Value(_)));
                events += 1;
            }
            if events == before && driven.is_pending() {
                return events;
            }
        }
    }
}

fn delivery(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime needs little");
    let mut group = criterion.benchmark_group("delivery");
    for records in data::SIZES {
        let frame = data::frame(&data::record(), records);
        let events = FRAMES * records;
        group.throughput(Throughput::Elements(events as u64));
        group.bench_with_input(BenchmarkId::new("floor", records), &frame, |bencher, frame| {
            let (message, feed) = (Message::text(frame.as_str()), Feed::default());
            bencher.iter(|| {
                (0..FRAMES).for_each(|_| feed.send(message.clone()));
                let mut quotes = 0;
                while let Some(message) = feed.take() {
                    quotes += floor::parse(message.to_text().expect("it is text"));
                }
                quotes
            });
        });
        let rules = [
            ("on", QueueRule::wait(4_096)),
            ("on, drop_oldest", QueueRule::drop_oldest(4_096)),
            ("on, latest_by", QueueRule::latest_by(|(_, quote): &Event| quote.volume)),
        ];
        for (name, rule) in rules {
            let _inside = runtime.enter();
            let message = Message::text(frame.clone());
            let mut client = runtime.block_on(Client::connect(rule));
            let expected = if name == "on, latest_by" { 1 } else { events };
            assert_eq!(client.deliver(&message), expected, "{name}");
            group.bench_function(BenchmarkId::new(name, records), |bencher| bencher.iter(|| client.deliver(&message)));
        }
    }
    group.finish();
}

criterion_group!(benches, delivery);
criterion_main!(benches);
