//! Our own clients, written once for both runtimes.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use adapter_core::{Delivery, Driver, HubConnection, On, Runtime};
use futures_util::{Stream, StreamExt};
use topstep_model::{ContractId, Price, Quote};
use topstep_session::market::{MarketConfig, TradingHours};
use topstep_session::{GapCause, MarketSession, Update};

use crate::args::{Args, Mode, Task};
use crate::flood::Tally;
use crate::measure::Stopwatch;
use crate::{Failed, idle, report};

pub(crate) async fn tokio(args: Args) -> Result<(), Failed> {
    run::<adapter_tokio::Tokio>(args, "adapter-tokio").await
}

pub(crate) async fn async_std(args: Args) -> Result<(), Failed> {
    run::<adapter_async_std::AsyncStd>(args, "adapter-async-std").await
}

async fn run<R: Runtime>(args: Args, adapter: &str) -> Result<(), Failed> {
    match (args.task, args.mode) {
        (Task::Flood, Mode::Typed) => typed_flood::<R>(args, adapter).await,
        (Task::Flood, Mode::Inline) => inline_flood::<R>(args, adapter).await,
        (Task::Flood, _) => flood::<R>(args, adapter).await,
        (Task::Echo, _) => echo::<R>(args, adapter).await,
        (Task::Idle, _) => {
            raise_file_limit()?;
            idle::run(&args, &format!("{adapter} idle"), || connect::<R>(args.clone())).await
        }
    }
}

async fn connect<R: Runtime>(args: Args) -> Result<HubConnection<R>, Failed> {
    let connection = HubConnection::<R>::builder(&args.url).skip_negotiation(args.skip_negotiation).build()?;
    connection.start().await?;
    Ok(connection)
}

/// What the hub of a flood sends.
struct Listeners {
    quotes: On<(ContractId, Quote)>,
    done: On<[u8; 0]>,
}

impl Listeners {
    fn new<R: Runtime>(connection: &HubConnection<R>) -> Self {
        Self { quotes: connection.on("GatewayQuote"), done: connection.on("Done") }
    }
}

#[inline]
fn take(tally: &mut Tally, delivery: &Delivery<(ContractId, Quote)>) -> Result<(), Failed> {
    let Delivery::Value((_, quote)) = delivery else { return Err(format!("in place of a quote: {delivery:?}").into()) };
    tally.quote(quote.volume.unwrap_or(-2), as_f64(quote.best_bid) + as_f64(quote.best_ask));
    Ok(())
}

/// Near enough for a checksum.
#[inline]
fn as_f64(price: Option<Price>) -> f64 {
    const POWERS: [f64; 6] = [1.0, 10.0, 100.0, 1e3, 1e4, 1e5];
    let Some(decimal) = price.map(Price::decimal) else { return f64::NAN };
    let power = POWERS.get(decimal.scale() as usize).copied().unwrap_or_else(|| 10_f64.powi(decimal.scale() as i32));
    decimal.mantissa() as f64 / power
}

async fn flood<R: Runtime>(args: Args, adapter: &str) -> Result<(), Failed> {
    let connection = connect::<R>(args.clone()).await?;
    let mut listeners = Listeners::new(&connection);
    for repetition in args.repetitions() {
        let mut tally = Tally::new();
        let watch = Stopwatch::start()?;
        connection.send("StartFlood", (repetition.count, args.records_per_frame)).await?;
        while tally.events < repetition.count {
            let Some(delivery) = listeners.quotes.next().await else { return Err("the connection is gone".into()) };
            take(&mut tally, &delivery)?;
        }
        listeners.done.next().await.ok_or("the connection is gone")?;
        let spent = watch.stop()?;
        if !repetition.is_warm_up {
            report::flood(&format!("{adapter} on"), args.records_per_frame, &tally, spent);
        }
    }
    connection.stop().await;
    Ok(())
}

/// The session's own quote stream: merged quotes, every one of them.
async fn typed_flood<R: Runtime>(args: Args, adapter: &str) -> Result<(), Failed> {
    let connection = HubConnection::<R>::builder(&args.url).skip_negotiation(args.skip_negotiation).build()?;
    let config = MarketConfig::default().hours(TradingHours::always_open());
    let session = MarketSession::over_feed(connection.clone(), config)?;
    let mut done = connection.on::<[u8; 0]>("Done");
    connection.start().await?;
    let contract = flooded_contract(&connection, &mut done).await?;
    let mut quotes = session.every_quote(contract).await?;
    for repetition in args.repetitions() {
        let mut tally = Tally::new();
        let watch = Stopwatch::start()?;
        connection.send("StartFlood", (repetition.count, args.records_per_frame)).await?;
        while tally.events < repetition.count {
            match quotes.next().await {
                Some(Update::Value(told)) => {
                    let quote = told.value;
                    tally.quote(quote.volume.unwrap_or(-2), as_f64(quote.bid()) + as_f64(quote.ask()));
                }
                // The first of its kind: the session begins here.
                Some(Update::Gap(notice)) if notice.gap().causes == [GapCause::ColdStart] => {}
                other => return Err(format!("in place of a quote: {other:?}").into()),
            }
        }
        done.next().await.ok_or("the connection is gone")?;
        let spent = watch.stop()?;
        if !repetition.is_warm_up {
            report::flood(&format!("{adapter} typed"), args.records_per_frame, &tally, spent);
        }
    }
    connection.stop().await;
    Ok(())
}

/// The contract whose quotes a flood is made of, by a flood of one.
async fn flooded_contract<R: Runtime>(
    connection: &HubConnection<R>,
    done: &mut On<[u8; 0]>,
) -> Result<ContractId, Failed> {
    let mut quotes = connection.on::<(ContractId, Quote)>("GatewayQuote");
    connection.send("StartFlood", (1, 1)).await?;
    let first = quotes.next().await.and_then(Delivery::into_value);
    done.next().await.ok_or("the connection is gone")?;
    Ok(first.ok_or("the flood has no quote")?.0)
}

/// The application's own task polls the driver, and takes what it finds: no task between the socket and the value.
async fn inline_flood<R: Runtime>(args: Args, adapter: &str) -> Result<(), Failed> {
    let (connection, mut driver) =
        HubConnection::<R>::builder(&args.url).skip_negotiation(args.skip_negotiation).build_with_driver()?;
    let mut listeners = Listeners::new(&connection);
    beside(&mut driver, connection.start()).await??;
    for repetition in args.repetitions() {
        let mut tally = Tally::new();
        let watch = Stopwatch::start()?;
        beside(&mut driver, connection.send("StartFlood", (repetition.count, args.records_per_frame))).await??;
        let mut is_done = false;
        while tally.events < repetition.count || !is_done {
            is_done |= poll_fn(|context| {
                loop {
                    let driven = Pin::new(&mut driver).poll_next(context);
                    let mut moved = driven.is_ready();
                    while let Poll::Ready(Some(delivery)) = Pin::new(&mut listeners.quotes).poll_next(context) {
                        moved = true;
                        if let Err(error) = take(&mut tally, &delivery) {
                            return Poll::Ready(Err(error));
                        }
                    }
                    match Pin::new(&mut listeners.done).poll_next(context) {
                        Poll::Ready(_) => return Poll::Ready(Ok(true)),
                        Poll::Pending if moved => {}
                        Poll::Pending => return Poll::<Result<bool, Failed>>::Pending,
                    }
                }
            })
            .await?;
        }
        let spent = watch.stop()?;
        if !repetition.is_warm_up {
            report::flood(&format!("{adapter} inline"), args.records_per_frame, &tally, spent);
        }
    }
    Ok(())
}

/// Drives the connection until a future of its handle is done.
async fn beside<R: Runtime, F: Future>(driver: &mut Driver<R>, future: F) -> Result<F::Output, Failed> {
    let mut future = Box::pin(future);
    poll_fn(|context| {
        loop {
            let driven = Pin::new(&mut *driver).poll_next(context);
            if let Poll::Ready(output) = future.as_mut().poll(context) {
                return Poll::Ready(Ok(output));
            }
            match driven {
                Poll::Ready(Some(_)) => {}
                Poll::Ready(None) => return Poll::Ready(Err("the connection is gone".into())),
                Poll::Pending => return Poll::Pending,
            }
        }
    })
    .await
}

async fn echo<R: Runtime>(args: Args, adapter: &str) -> Result<(), Failed> {
    let connection = connect::<R>(args.clone()).await?;
    for repetition in args.repetitions() {
        let mut times = Vec::<Duration>::with_capacity(usize::try_from(repetition.count)?);
        let watch = Stopwatch::start()?;
        for number in 0..repetition.count {
            let begin = Instant::now();
            let answer: u64 = connection.invoke("Echo", (number,)).await?;
            times.push(begin.elapsed());
            if answer != number {
                return Err(format!("the echo of {number} is {answer}").into());
            }
        }
        let spent = watch.stop()?;
        if !repetition.is_warm_up {
            report::echo(&format!("{adapter} echo"), &mut times, spent)?;
        }
    }
    connection.stop().await;
    Ok(())
}

/// Each connection is an open file.
fn raise_file_limit() -> Result<(), Failed> {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
    Ok(())
}
