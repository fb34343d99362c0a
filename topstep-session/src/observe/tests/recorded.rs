//! The metrics as an exporter gets them.

use std::cell::RefCell;
use std::collections::BTreeMap;

use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use topstep_model::Hub;

use super::super::{Audits, Kind, METRICS, MetricKind, Seen, Subscriptions, Tally, describe_metrics};
use super::*;

/// Plays a script, and returns what was recorded: values by name and labels, histograms by their number.
fn recorded(script: impl FnOnce(&Offline)) -> BTreeMap<String, f64> {
    let recorder = DebuggingRecorder::new();
    metrics::with_local_recorder(&recorder, || script(&world()));
    let snapshot = recorder.snapshotter().snapshot().into_vec();
    let line = |(key, _, _, value): (metrics_util::CompositeKey, _, _, DebugValue)| {
        let labels: Vec<_> = key.key().labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        let value = match value {
            DebugValue::Counter(count) => count as f64,
            DebugValue::Gauge(level) => level.into_inner(),
            DebugValue::Histogram(values) => values.len() as f64,
        };
        (format!("{}{{{}}}", key.key().name(), labels.join(",")), value)
    };
    snapshot.into_iter().map(line).collect()
}

/// The levels of the gauges: a snapshot sets this recorder's back, so what it held is added up.
fn sum_gauges(snapshotter: &Snapshotter, levels: &RefCell<BTreeMap<String, f64>>) -> BTreeMap<String, f64> {
    for (key, _, _, value) in snapshotter.snapshot().into_vec() {
        let DebugValue::Gauge(change) = value else { continue };
        let labels: Vec<_> = key.key().labels().map(|label| label.value().to_owned()).collect();
        let name = format!("{} {}", key.key().name(), labels.join(" "));
        *levels.borrow_mut().entry(name).or_insert(0.0) += change.into_inner();
    }
    levels.borrow().clone()
}

fn assert_told(told: &BTreeMap<String, f64>, expected: &[(&str, f64)]) {
    for (key, value) in expected {
        assert_eq!(told.get(*key), Some(value), "{key} in {told:#?}");
    }
}

#[test]
fn a_drop_and_what_comes_of_it() {
    let told = recorded(|world| {
        let (following, quotes) = (world.user().follow([account()]), quotes(world));
        go_on(world, 4);
        world.advance(SECOND * 6);
        world.lose(Hub::User);
        world.lose(Hub::Market);
        world.advance(SECOND * 3);
        world.restore(Hub::User);
        world.restore(Hub::Market);
        world.advance(SECOND * 2);
        quote(world, 5 * MILLI);
        world.advance(SECOND);
        quote(world, 7 * MILLI);
        go_on(world, 2);
        drop((following, quotes));
    });
    assert_told(
        &told,
        &[
            ("topstep_messages_total{hub=market,kind=quotes}", 9.0),
            ("topstep_gap_total{hub=market,kind=quotes,cause=cold_start}", 1.0),
            ("topstep_gap_total{hub=market,kind=quotes,cause=transport_lost}", 1.0),
            ("topstep_gap_total{hub=user,kind=orders,cause=transport_lost}", 1.0),
            ("topstep_gap_seconds{hub=market,kind=quotes,verdict=ticks_lost}", 2.0),
            ("topstep_gap_seconds{hub=user,kind=orders,verdict=nothing_missed}", 2.0),
            ("topstep_reconnects_total{hub=user,cause=lost}", 1.0),
            ("topstep_reconnects_total{hub=market,cause=lost}", 1.0),
            ("topstep_time_to_ready_seconds{hub=user}", 1.0),
            ("topstep_time_to_verified_seconds{hub=user}", 1.0),
            // Neither the snapshot nor what ended the gap.
            ("topstep_latency_seconds{hub=market,kind=quotes}", 7.0),
        ],
    );
    assert!(told["topstep_audits_total{outcome=clean}"] >= 4.0);
}

#[test]
fn gauges_stand_where_the_sessions_are_and_fall_back_with_them() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let levels = RefCell::new(BTreeMap::new());
    let gauges = || sum_gauges(&snapshotter, &levels);
    metrics::with_local_recorder(&recorder, || {
        let world = world();
        world.refuse(&format!("market/depth/{CONTRACT}"), Some("no entitlement"));
        let quotes = quotes(&world);
        let depth = world.market().follow_subjects([crate::Subject::Depth(CONTRACT.into())]);
        world.advance(SECOND * 2);
        assert_told(
            &gauges(),
            &[
                ("topstep_connections_active market", 1.0),
                ("topstep_subscriptions market intended", 2.0),
                ("topstep_subscriptions market acked", 1.0),
                ("topstep_subscriptions market refused", 1.0),
                ("topstep_gaps_open market quotes", 0.0),
                ("topstep_gaps_open market depth", 1.0),
            ],
        );
        world.lose(Hub::Market);
        world.advance(SECOND * 2);
        assert_told(&gauges(), &[("topstep_connections_active market", 0.0), ("topstep_gaps_open market quotes", 1.0)]);
        world.restore(Hub::Market);
        world.advance(SECOND * 2);
        assert_told(&gauges(), &[("topstep_connections_active market", 1.0)]);
        drop((quotes, depth));
    });
}

#[test]
fn what_a_session_added_to_the_gauges_goes_with_it() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let levels = RefCell::new(BTreeMap::new());
    let gauges = || sum_gauges(&snapshotter, &levels);
    metrics::with_local_recorder(&recorder, || {
        let now = world().now();
        let mut tally = Tally::new(Hub::Market, now);
        tally.subscribe(now, Subscriptions { intended: 3, acked: 2, refused: 1, is_connected: true });
        tally.see(now, &Seen::Value(Kind::Quotes, None));
        assert!(tally.tick(now, Audits::default()).is_none(), "not before a second");
        tally.tick(now + SECOND, Audits::default()).unwrap().publish();
        assert_told(
            &gauges(),
            &[("topstep_subscriptions market intended", 3.0), ("topstep_messages_per_second market", 1.0)],
        );
    });
    let left: Vec<_> = gauges().into_iter().filter(|(_, level)| level.abs() > 1e-9).collect();
    assert_eq!(left, [], "what is gone counts no more");
}

#[test]
fn a_refusal_and_what_cannot_be_read() {
    let told = recorded(|world| {
        world.refuse(&format!("market/depth/{CONTRACT}"), Some("no entitlement"));
        let _depth = world.market().follow_subjects([crate::Subject::Depth(CONTRACT.into())]);
        let _following = world.user().follow([account()]);
        world.run();
        world.receive("GatewayUserOrder", r#"[{"action":1,"data":{"id":"so"}}]"#);
        world.advance(SECOND * 2);
    });
    assert!(told["topstep_refusals_total{hub=market,kind=depth}"] >= 1.0);
    assert_told(
        &told,
        &[
            ("topstep_malformed_total{hub=user,kind=orders}", 1.0),
            ("topstep_gap_total{hub=market,kind=depth,cause=cold_start}", 1.0),
        ],
    );
}

#[test]
fn every_metric_is_described_with_its_unit() {
    let recorder = DebuggingRecorder::new();
    metrics::with_local_recorder(&recorder, || {
        describe_metrics();
        for metric in METRICS {
            match metric.kind {
                MetricKind::Counter => metrics::counter!(metric.name).increment(1),
                MetricKind::Gauge => metrics::gauge!(metric.name).set(1.0),
                MetricKind::Histogram => metrics::histogram!(metric.name).record(1.0),
            }
        }
    });
    let all = recorder.snapshotter().snapshot().into_vec();
    assert_eq!(all.len(), METRICS.len());
    for (key, unit, about, _) in all {
        assert!(unit.is_some() && about.is_some(), "{}", key.key().name());
    }
}

#[test]
fn no_label_holds_anything_of_whose_it_is() {
    let told = recorded(|world| {
        let (_following, _quotes) = (world.user().follow([account()]), quotes(world));
        world.lose(Hub::User);
        world.advance(SECOND * 3);
    });
    let allowed = ["hub", "kind", "cause", "verdict", "state", "outcome", "path", "to"];
    for metric in METRICS {
        assert!(metric.labels.iter().all(|label| allowed.contains(label)), "{}", metric.name);
    }
    for key in told.keys() {
        let (name, labels) = key.split_once('{').unwrap();
        let metric =
            METRICS.iter().find(|metric| metric.name == name).unwrap_or_else(|| panic!("{name} is in no list"));
        let names: Vec<_> =
            labels.trim_end_matches('}').split(',').filter_map(|label| label.split('=').next()).collect();
        let names: Vec<_> = names.into_iter().filter(|name| !name.is_empty()).collect();
        assert_eq!(names, metric.labels, "{name}");
        assert!(!key.contains(CONTRACT) && !key.contains("PRAC"), "{key}");
    }
}
