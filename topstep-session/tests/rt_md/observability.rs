//! What is told of a session over a drop: metrics, log events, the health report.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Mutex, OnceLock};

use adapter_core::Runtime;
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use mock_hub::How;
use topstep_model::AccountId;
use topstep_session::{LatestSource, describe_metrics};

use crate::support::*;

scenarios! {
    rt_md_observability,
}

async fn rt_md_observability<R: Runtime>() {
    collect();
    let hub = venue();
    let account = hub.accounts(None)[0].clone();
    let gateway = connected::<R>(&hub).await;
    let known = gateway.latest(CONTRACT, 10 * SECOND).await.unwrap();
    assert_eq!(known.source, LatestSource::Rest);
    let _following = gateway.user_session().follow([AccountId::new(account.id.into())]);
    let mut quotes = gateway.market().quotes(CONTRACT).await.unwrap();
    within::<R, _>("the cold start is over", 10 * SECOND, up_to_closed(&mut quotes)).await;
    let verified = || gateway.health().user.gaps_open == 0 && gateway.health().user.subscriptions.acked == 4;
    until::<R>("the user hub is verified", 30 * SECOND, verified).await;
    set(&hub, CONTRACT, "6133");
    within::<R, _>("a price", 10 * SECOND, up_to(&mut quotes, price("6133"))).await;
    hub.drop_all(How::Reset);
    within::<R, _>("the gap is over", 20 * SECOND, up_to_closed(&mut quotes)).await;
    until::<R>("the user hub is verified again", 40 * SECOND, verified).await;
    set(&hub, CONTRACT, "6134");
    within::<R, _>("a price", 10 * SECOND, up_to(&mut quotes, price("6134"))).await;

    let are_agreed = || {
        let subscriptions = gateway.health().market.subscriptions;
        subscriptions.intended == 1 && subscriptions.acked == 1
    };
    until::<R>("the market hub agrees", 10 * SECOND, are_agreed).await;
    let report = gateway.health();
    println!("{report}");
    for health in [&report.user, &report.market] {
        assert!(health.is_connected && health.reconnects == 1 && health.connections == 2, "{report}");
        assert_eq!(health.subscriptions.intended, health.subscriptions.acked, "{report}");
    }
    assert!(report.market.messages >= 3 && report.market.messages_per_second > 0.0, "{report}");
    assert!(report.rest.is_some_and(|rest| rest.calls > 0 && rest.failures == 0), "{report}");
    assert!(report.budget.is_some_and(|budget| budget.general.0 > 0), "{report}");

    let wanted = [
        "topstep_connections_active{hub=user}",
        "topstep_connections_active{hub=market}",
        "topstep_messages_total{hub=market,kind=quotes}",
        "topstep_latency_seconds{hub=market,kind=quotes}",
        "topstep_subscriptions{hub=user,state=acked}",
        "topstep_reconnects_total{hub=market,cause=lost}",
        "topstep_time_to_ready_seconds{hub=market}",
        "topstep_time_to_verified_seconds{hub=user}",
        "topstep_gap_total{hub=user,kind=orders,cause=transport_lost}",
        "topstep_gap_seconds{hub=market,kind=quotes,verdict=ticks_lost}",
        "topstep_rest_response_seconds{path=/api/History/retrieveBars}",
        "topstep_failovers_total{to=rest}",
    ];
    let are_there = || {
        let told = recorded();
        wanted.iter().all(|name| told.get(*name).is_some_and(|value| *value > 0.0))
    };
    until::<R>("every metric is recorded", 10 * SECOND, are_there).await;
    let told = recorded();
    assert!(told.keys().all(|key| is_harmless(key, &account.name)), "{told:?}");

    let log = logged();
    for (message, members) in [
        ("websocket connection established", &["hub=\"market\"", "connection="][..]),
        ("websocket connection lost", &["hub=\"market\"", "cause=\"lost\""]),
        ("subscription processed", &["hub=\"market\"", "intended=1", "acked=1"]),
        ("subscription processed", &["hub=\"user\"", "intended=4", "acked=4"]),
        ("gap opened", &["kind=\"quotes\"", "cause=\"transport_lost\""]),
        ("gap closed", &["kind=\"orders\"", "verdict=", "lasted_ms="]),
        ("reconcile finished", &["hub=\"user\"", "took_ms="]),
    ] {
        let is_it = |line: &&str| line.contains(message) && members.iter().all(|member| line.contains(member));
        assert!(log.lines().any(|line| is_it(&line)), "no {message} with {members:?} in {log}");
    }
    assert!(log.lines().all(|line| is_harmless(line, &account.name)), "{log}");
    gateway.close().await;
    assert!(gateway.health().alerts.is_empty(), "who has hung up is not alarmed: {}", gateway.health());
}

/// Nothing says whose it is, or what was followed.
fn is_harmless(text: &str, account: &str) -> bool {
    [account, "mock-key", CONTRACT, "eyJ"].iter().all(|secret| !text.contains(secret))
}

static SNAPSHOTTER: OnceLock<Snapshotter> = OnceLock::new();
static RECORDED: Mutex<BTreeMap<String, f64>> = Mutex::new(BTreeMap::new());
static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Whoever collects, collects of the whole process, and of the other scenarios as well.
fn collect() {
    static ONCE: OnceLock<()> = OnceLock::new();
    ONCE.get_or_init(|| {
        let recorder = DebuggingRecorder::new();
        assert!(SNAPSHOTTER.set(recorder.snapshotter()).is_ok());
        recorder.install().unwrap();
        describe_metrics();
        let filter = tracing_subscriber::filter::LevelFilter::DEBUG;
        tracing_subscriber::fmt().with_max_level(filter).with_ansi(false).with_writer(|| Log).init();
    });
}

/// What was recorded so far: this recorder forgets what a snapshot has told. Of histograms, how many values.
fn recorded() -> BTreeMap<String, f64> {
    let mut all = RECORDED.lock().unwrap();
    for (key, _, _, value) in SNAPSHOTTER.get().unwrap().snapshot().into_vec() {
        let labels: Vec<_> = key.key().labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        let value = match value {
            DebugValue::Counter(count) => count as f64,
            DebugValue::Gauge(change) => change.into_inner(),
            DebugValue::Histogram(values) => values.len() as f64,
        };
        *all.entry(format!("{}{{{}}}", key.key().name(), labels.join(","))).or_default() += value;
    }
    all.clone()
}

/// The lines of this library's log.
fn logged() -> String {
    let log = String::from_utf8(LOG.lock().unwrap().clone()).unwrap();
    let ours = log.lines().filter(|line| line.contains("topstep_session"));
    ours.map(|line| format!("{line}\n")).collect()
}

struct Log;

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOG.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
