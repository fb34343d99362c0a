//! The events that flow by themselves: generated quotes, and recorded events played again.

pub(crate) mod clock;
mod decimal;
mod instrument;
mod quotes;
mod samples;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::time::MissedTickBehavior;

use crate::gateway::Gateway;
use crate::lock::lock;
use crate::options::Options;
use crate::protocol::write;
use quotes::Quotes;
pub(crate) use quotes::{CONTRACT, contract_quote};
use samples::Samples;

/// The state of everything that flows by itself.
#[derive(Debug)]
pub(crate) struct Feed {
    quotes: Mutex<Quotes>,
    samples: Mutex<Samples>,
    replays_quotes: bool,
}

impl Feed {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            quotes: Mutex::default(),
            samples: Mutex::new(Samples::recorded(&options.sample_kinds)),
            // Recorded quotes would break the serial that the generated ones carry.
            replays_quotes: options.quotes_per_second <= 0.0,
        }
    }

    /// Opens a contract's quotes for a subscriber: `join` gets the full quote, and no other comes in between.
    pub(crate) fn open_quotes(&self, contract: &str, join: impl FnOnce(Bytes)) {
        let mut quotes = lock(&self.quotes);
        join(quote_record(contract, &quotes.full(contract)));
    }

    fn publish_quotes(&self, gateway: &Gateway, count: u64) {
        let mut quotes = lock(&self.quotes);
        quotes.for_each(|contract, instrument| {
            let group = format!("quotes/{contract}");
            for _ in 0..count {
                let record = quote_record(contract, &instrument.sparse());
                gateway.peers.send_to_group("market", &group, &record);
            }
        });
    }

    fn publish_sample(&self, gateway: &Gateway, class: &'static str) {
        let mut samples = lock(&self.samples);
        for group in gateway.peers.groups(class) {
            if group.starts_with("quotes/") && !self.replays_quotes {
                continue;
            }
            if let Some((target, arguments)) = samples.next(class, &group) {
                gateway.peers.send_to_group(class, &group, &write::invocation(None, target, &arguments));
            }
        }
    }
}

/// Starts everything that flows by itself.
pub(crate) fn start(gateway: &Arc<Gateway>) {
    let options = &gateway.options;
    spawn_paced(gateway, options.quotes_per_second, |gateway, due| gateway.feed.publish_quotes(gateway, due));
    spawn_paced(gateway, options.market_samples_per_second, |gateway, due| {
        (0..due).for_each(|_| gateway.feed.publish_sample(gateway, "market"));
    });
    spawn_paced(gateway, options.user_samples_per_second, |gateway, due| {
        (0..due).for_each(|_| gateway.feed.publish_sample(gateway, "user"));
    });
}

/// Calls `publish` with the count that is due, so often that `rate` a second come out, above 1,000 in bursts.
fn spawn_paced(gateway: &Arc<Gateway>, rate: f64, publish: impl Fn(&Gateway, u64) + Send + 'static) {
    if !(rate > 0.0 && rate.is_finite()) {
        return;
    }
    let gateway = Arc::clone(gateway);
    let period = Duration::from_secs_f64((1.0 / rate).clamp(0.001, 3600.0));
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let (began, mut published) = (Instant::now(), 0_u64);
        loop {
            gateway.metrics.lagged(ticks.tick().await.elapsed());
            // Truncation is meant: a quote is due when it is due in full.
            let due = (began.elapsed().as_secs_f64() * rate) as u64;
            publish(&gateway, due.saturating_sub(published));
            published = due.max(published);
        }
    });
}

fn quote_record(contract: &str, quote: &str) -> Bytes {
    write::invocation(None, "GatewayQuote", &format!("[{},{quote}]", crate::protocol::json::string(contract)))
}
