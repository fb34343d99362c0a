//! Both adapters over loopback sockets, beside bare WebSockets of the same runtime: a call and its answer, and typed events.
//!
//! The server is on another thread of this process. What is measured is time, not CPU: the server's share is in it, for the
//! client and for the floor alike.

use std::hint::black_box;
use std::time::Duration;

use adapter_core::{Delivery, HubConnection, Runtime};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use topstep_model::{ContractId, Quote};
use tungstenite::protocol::WebSocketConfig;
use tungstenite::{Error, Message};

#[path = "support/data.rs"]
mod data;
#[path = "support/floor.rs"]
mod floor;
#[path = "support/server.rs"]
mod server;

/// Events of one flood: fewer than a queue holds, so that nothing waits for the consumer.
const EVENTS: usize = 1_000;

/// A bare WebSocket of either runtime.
trait Bare: Stream<Item = Result<Message, Error>> + Sink<Message, Error = Error> + Unpin {}

impl<S: Stream<Item = Result<Message, Error>> + Sink<Message, Error = Error> + Unpin> Bare for S {}

/// A runtime, and what a program on it does outside of the client.
trait Home {
    type Runtime: Runtime;

    const NAME: &'static str;

    fn block_on<F: Future>(&self, future: F) -> F::Output;

    async fn bare(&self, port: u16) -> impl Bare;
}

struct Tokio(tokio::runtime::Runtime);

impl Home for Tokio {
    type Runtime = adapter_tokio::Tokio;

    const NAME: &'static str = "tokio";

    fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.0.block_on(future)
    }

    async fn bare(&self, port: u16) -> impl Bare {
        let stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.expect("the server listens");
        stream.set_nodelay(true).expect("it is a TCP stream");
        let url = format!("ws://127.0.0.1:{port}/");
        tokio_tungstenite::client_async_with_config(url, stream, Some(config())).await.expect("the server upgrades").0
    }
}

struct AsyncStd;

impl Home for AsyncStd {
    type Runtime = adapter_async_std::AsyncStd;

    const NAME: &'static str = "async-std";

    fn block_on<F: Future>(&self, future: F) -> F::Output {
        async_std::task::block_on(future)
    }

    async fn bare(&self, port: u16) -> impl Bare {
        let stream = async_std::net::TcpStream::connect(("127.0.0.1", port)).await.expect("the server listens");
        stream.set_nodelay(true).expect("it is a TCP stream");
        let url = format!("ws://127.0.0.1:{port}/");
        async_tungstenite::client_async_with_config(url, stream, Some(config())).await.expect("the server upgrades").0
    }
}

/// The clients' own read buffer.
fn config() -> WebSocketConfig {
    WebSocketConfig::default().read_buffer_size(16 << 10)
}

fn loopback(criterion: &mut Criterion) {
    let port = server::start();
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime needs little");
    let tokio = Tokio(tokio);
    calls(criterion, &tokio, port);
    calls(criterion, &AsyncStd, port);
    events(criterion, &tokio, port);
    events(criterion, &AsyncStd, port);
}

fn calls<H: Home>(criterion: &mut Criterion, home: &H, port: u16) {
    let mut group = criterion.benchmark_group("loopback/call");
    let mut bare = home.block_on(home.bare(port));
    group.bench_function(BenchmarkId::new("bare echo", H::NAME), |bencher| {
        bencher.iter(|| {
            home.block_on(async {
                let call = r#"{"type":1,"invocationId":"17","target":"Echo","arguments":[17]}"#.to_owned() + "\u{1e}";
                bare.send(Message::text(call)).await.expect("the server reads");
                black_box(bare.next().await.expect("the server answers"))
            })
        });
    });
    let connection = home.block_on(connect::<H>(port));
    group.bench_function(BenchmarkId::new("invoke", H::NAME), |bencher| {
        bencher.iter(|| {
            let answer: u64 = home.block_on(async { connection.invoke("Echo", (17,)).await }).expect("the hub answers");
            assert_eq!(answer, 17);
        });
    });
    home.block_on(connection.stop());
    group.finish();
}

fn events<H: Home>(criterion: &mut Criterion, home: &H, port: u16) {
    let mut group = criterion.benchmark_group("loopback/events");
    group.throughput(Throughput::Elements(EVENTS as u64));
    let mut bare = home.block_on(home.bare(port));
    home.block_on(async {
        bare.send(Message::text("{\"protocol\":\"json\",\"version\":1}\u{1e}")).await.expect("the server reads");
        bare.next().await.expect("the server shakes hands").expect("and that is a message");
    });
    let connection = home.block_on(connect::<H>(port));
    let mut quotes = connection.on::<(ContractId, Quote)>("GatewayQuote");
    for records in data::SIZES {
        let start = format!(r#"{{"type":1,"target":"StartFlood","arguments":[{EVENTS},{records}]}}"#) + "\u{1e}";
        group.bench_function(BenchmarkId::new(format!("floor {}", H::NAME), records), |bencher| {
            bencher.iter(|| {
                home.block_on(async {
                    bare.send(Message::text(start.as_str())).await.expect("the server reads");
                    let mut events = 0;
                    while events < EVENTS as u64 {
                        let message = bare.next().await.expect("the server sends").expect("messages");
                        events += floor::parse(message.to_text().expect("the server sends text"));
                    }
                });
            });
        });
        group.bench_function(BenchmarkId::new(format!("on {}", H::NAME), records), |bencher| {
            bencher.iter(|| {
                home.block_on(async {
                    connection.send("StartFlood", (EVENTS, records)).await.expect("the connection is up");
                    for _ in 0..EVENTS {
                        let delivery = quotes.next().await.expect("the connection is up");
                        assert!(matches!(black_box(&delivery), Delivery::Value(_)));
                    }
                });
            });
        });
    }
    home.block_on(connection.stop());
    group.finish();
}

async fn connect<H: Home>(port: u16) -> HubConnection<H::Runtime> {
    let builder = HubConnection::<H::Runtime>::builder(format!("http://127.0.0.1:{port}/"));
    // The server never pings.
    let builder = builder.skip_negotiation(true).server_timeout(Duration::ZERO);
    let connection = builder.build().expect("the options are valid");
    connection.start().await.expect("the server shakes hands");
    connection
}

criterion_group!(benches, loopback);
criterion_main!(benches);
