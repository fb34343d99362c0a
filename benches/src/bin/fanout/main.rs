//! Says what it costs a hub to send each quote to many: events per second, CPU per event, and memory per connection.
//!
//! ```text
//! fanout --url http://127.0.0.1:40123 --pid 4711 --connections 10000 --subscribers 1000 --seconds 10 --rate 100
//! ```
//!
//! Opens so many connections to `/hubs/market`, lets some of them subscribe to one contract's quotes, and counts what arrives. The client
//! side is as thin as can be (WebSocket frames are walked, records are counted, nothing is decoded), so that the figures are the hub's. The
//! hub's CPU time and memory are read from `/proc/PID`. Prints one JSON line.

mod args;
mod client;
mod process;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::args::Args;
use crate::client::{Client, Target};
use crate::process::Process;

/// What stops the program: text for a person, nobody tells one kind from another.
type Failed = Box<dyn std::error::Error + Send + Sync>;

/// How many connections are being opened at once.
const OPENING: usize = 64;

fn main() -> ExitCode {
    let args = match Args::parse(std::env::args().skip(1)) {
        Ok(args) => args,
        Err(complaint) => {
            eprintln!("{complaint}\n\n{}", args::USAGE);
            return ExitCode::from(2);
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime.map_err(Failed::from).and_then(|runtime| runtime.block_on(run(args))) {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("fanout: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> Result<String, Failed> {
    let target = Arc::new(Target::parse(&args.url, args.token.as_deref())?);
    let hub = Process::new(args.pid);
    let empty = hub.resident_bytes()?;
    let clients = open(&target, args.connections, args.subscribers, &args.contract).await?;
    let held = hub.resident_bytes()?;

    let records = Arc::new(AtomicU64::new(0));
    let lost = Arc::new(AtomicU64::new(0));
    for client in clients {
        let (records, lost) = (records.clone(), lost.clone());
        tokio::spawn(async move {
            client.count(&records).await;
            lost.fetch_add(1, Ordering::Relaxed);
        });
    }
    // The first events show that everybody is served; measured is what follows.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let (began, cpu, before) = (Instant::now(), hub.cpu()?, records.load(Ordering::Relaxed));
    tokio::time::sleep(Duration::from_secs_f64(args.seconds)).await;
    let (took, cpu, after) = (began.elapsed(), hub.cpu()?.saturating_sub(cpu), records.load(Ordering::Relaxed));

    let events = after - before;
    let expected = args.rate * f64::from(u32::try_from(args.subscribers)?) * took.as_secs_f64();
    Ok(serde_json::json!({
        "connections": args.connections,
        "subscribers": args.subscribers,
        "events": events,
        "eventsPerSecond": (events as f64 / took.as_secs_f64()).round(),
        "shareOfExpected": round(events as f64 / expected, 3),
        "hubCpuNanosPerEvent": round(cpu.as_nanos() as f64 / events.max(1) as f64, 1),
        "hubCpuShareOfOneCore": round(cpu.as_secs_f64() / took.as_secs_f64(), 3),
        "hubBytesPerConnection": held.saturating_sub(empty) / args.connections.max(1) as u64,
        "lostConnections": lost.load(Ordering::Relaxed),
    })
    .to_string())
}

async fn open(
    target: &Arc<Target>,
    connections: usize,
    subscribers: usize,
    contract: &str,
) -> Result<Vec<Client>, Failed> {
    let mut clients = Vec::with_capacity(connections);
    while clients.len() < connections {
        let next = (clients.len()..connections.min(clients.len() + OPENING)).map(|index| {
            let (target, contract) = (target.clone(), (index < subscribers).then(|| contract.to_owned()));
            async move {
                let mut client = Client::connect(&target).await?;
                if let Some(contract) = contract {
                    client.subscribe(&contract).await?;
                }
                Ok::<_, Failed>(client)
            }
        });
        for client in futures_util::future::join_all(next).await {
            clients.push(client?);
        }
    }
    Ok(clients)
}

fn round(value: f64, places: i32) -> f64 {
    let unit = 10_f64.powi(places);
    (value * unit).round() / unit
}
