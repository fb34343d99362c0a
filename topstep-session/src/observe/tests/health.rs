//! The health report, and each alert at its limit.

use topstep_model::Hub;

use super::super::alert::{Alert, AlertKind, AlertLimits, Measure};
use super::super::health::{CacheHealth, HealthReport, LatencyHealth, RestHealth};
use super::*;

fn kinds(report: &HealthReport) -> Vec<AlertKind> {
    report.alerts.iter().map(|alert| alert.kind).collect()
}

fn found(report: &HealthReport, kind: AlertKind) -> &Alert {
    let mut fitting = report.alerts.iter().filter(|alert| alert.kind == kind);
    let found = fitting.next().unwrap_or_else(|| panic!("no {kind} in {report}"));
    assert_eq!(fitting.next(), None);
    found
}

#[test]
fn nothing_is_wrong_with_a_world_at_rest() {
    let world = world();
    assert_eq!(world.health().alerts, []);
    let _following = world.user().follow([account()]);
    let _quotes = quotes(&world);
    world.advance(SECOND * 60);
    let report = world.health();
    assert_eq!(report.alerts, [], "{report}");
    let user = &report.user;
    assert_eq!((user.subscriptions.intended, user.subscriptions.acked, user.subscriptions.refused), (4, 4, 0));
    assert_eq!((user.gaps_open, user.oldest_gap, user.connections, user.reconnects), (0, None, 1, 0));
    assert_eq!((report.market.subscriptions.acked, report.market.messages), (1, 1));
    assert!(report.to_string().ends_with("no alerts\n"));
}

#[test]
fn the_rate_is_over_ten_seconds() {
    let world = world();
    let _quotes = quotes(&world);
    world.advance(SECOND * 20);
    for _ in 0..100 {
        world.advance(100 * MILLI);
        quote(&world, MILLI);
    }
    let rate = world.health().market.messages_per_second;
    assert!((rate - 10.0).abs() < 1.1, "{rate}");
    world.advance(SECOND * 20);
    assert_eq!(world.health().market.messages_per_second, 0.0);
}

#[test]
fn a_latency_is_from_the_events_own_time_and_a_snapshot_has_none() {
    let world = world();
    let _quotes = quotes(&world);
    assert_eq!(world.health().market.latency, LatencyHealth::default(), "the snapshot is an hour old");
    for ago in 1..=40 {
        world.advance(10 * MILLI);
        quote(&world, ago * MILLI);
    }
    // The venue's clock is ahead.
    world
        .receive("GatewayQuote", &format!(r#"["{CONTRACT}",{{"bestBid":6000,"lastUpdated":"2026-08-19T15:30:00Z"}}]"#));
    let latency = world.health().market.latency;
    assert_eq!((latency.count, latency.max), (41, 40 * MILLI));
    assert!((20 * MILLI..=23 * MILLI).contains(&latency.p50), "{latency}");
    assert!((38 * MILLI..=40 * MILLI).contains(&latency.p95), "{latency}");
    assert_eq!(world.health().alerts, []);
}

#[test]
fn a_latency_of_more_than_100_ms_is_an_alert_and_passes() {
    let world = world();
    let _quotes = quotes(&world);
    world.advance(SECOND);
    quote(&world, 100 * MILLI);
    assert_eq!(world.health().alerts, []);
    go_on(&world, 2);
    quote(&world, 101 * MILLI);
    let report = world.health();
    let alert = found(&report, AlertKind::HighLatency);
    assert_eq!((alert.hub, alert.measured), (Some(Hub::Market), Measure::Time(101 * MILLI)));
    assert_eq!(alert.to_string(), "high_latency (market hub): 0.101 s, limit 0.100 s");
    go_on(&world, 2);
    assert_eq!(world.health().alerts, []);
}

#[test]
fn a_drop_is_an_alert_at_once_and_ends_with_the_connection() {
    let world = world();
    let _quotes = quotes(&world);
    world.lose(Hub::Market);
    assert_eq!(kinds(&world.health()), [AlertKind::ConnectionDrop]);
    world.advance(SECOND * 10);
    let report = world.health();
    assert_eq!(kinds(&report), [AlertKind::ConnectionDrop]);
    assert_eq!(found(&report, AlertKind::ConnectionDrop).measured, Measure::Time(SECOND * 10));
    world.advance(MILLI);
    assert_eq!(kinds(&world.health()), [AlertKind::ConnectionDrop, AlertKind::Unsubscribed]);
    assert_eq!(world.health().market.gaps_open, 1);
    world.restore(Hub::Market);
    let report = world.health();
    assert_eq!(report.alerts, [], "{report}");
    assert_eq!((report.market.reconnects, report.market.connections), (1, 2));
}

#[test]
fn a_gap_of_the_user_hub_is_an_alert_after_15_s() {
    let world = world();
    world.rest(|_, _| (500, String::new()));
    let _following = world.user().follow([account()]);
    world.advance(SECOND * 15);
    assert_eq!(world.health().alerts, []);
    world.advance(MILLI);
    let report = world.health();
    let alert = found(&report, AlertKind::UserGapOpen);
    assert_eq!(alert.measured, Measure::Time(SECOND * 15 + MILLI));
    assert_eq!((report.user.gaps_open, report.user.unanswered), (4, None));
}

#[test]
fn a_refused_subscription_is_an_alert_after_10_s() {
    let world = world();
    world.refuse(&format!("market/depth/{CONTRACT}"), Some("no entitlement"));
    let _following = world.market().follow_subjects([crate::Subject::Depth(CONTRACT.into())]);
    world.advance(SECOND * 10);
    let report = world.health();
    assert_eq!((report.market.subscriptions.intended, report.market.subscriptions.refused), (1, 1));
    assert_eq!(report.alerts, []);
    world.advance(MILLI);
    let report = world.health();
    assert_eq!(found(&report, AlertKind::Unsubscribed).measured, Measure::Time(SECOND * 10 + MILLI));
    world.refuse(&format!("market/depth/{CONTRACT}"), None);
    world.advance(SECOND * 60);
    let report = world.health();
    assert_eq!(report.market.unanswered, None, "{report}");
}

#[test]
fn what_cannot_be_read_of_the_user_hub_is_an_alert_and_of_the_market_none() {
    let world = world();
    let (_following, _quotes) = (world.user().follow([account()]), quotes(&world));
    world.receive("GatewayQuote", r#"["CON.F.US.EP.Z26",{"bestBid":"so"}]"#);
    assert_eq!((world.health().market.malformed, world.health().alerts.len()), (1, 0));
    world.receive("GatewayUserOrder", r#"[{"action":1,"data":{"id":"so"}}]"#);
    let report = world.health();
    assert_eq!(found(&report, AlertKind::UserRejects).measured, Measure::Count(1));
}

#[test]
fn whoever_has_hung_up_is_not_alarmed() {
    let world = world();
    let _quotes = quotes(&world);
    world.lose(Hub::Market);
    let mut report = world.health();
    report.halted = Some(crate::Halt::Closed);
    assert_eq!(report.judge(&AlertLimits::default()), []);
    report.halted = Some(crate::Halt::LoggedOut);
    assert_eq!(report.judge(&AlertLimits::default()).len(), 1);
}

#[test]
fn rest_the_cache_and_the_breaker_have_their_limits() {
    let mut report = world().health();
    let rest = |max, outcome_unknown| RestHealth {
        calls: 1,
        outcome_unknown,
        response: LatencyHealth { count: 1, p50: max, p95: max, max },
        ..RestHealth::default()
    };
    let judged = |report: &HealthReport| {
        report.judge(&AlertLimits::default()).into_iter().map(|alert| alert.kind).collect::<Vec<_>>()
    };
    report.rest = Some(rest(SECOND * 5, 0));
    report.cache = CacheHealth { hits: 4, misses: 1 };
    report.market.breaker_open = SECOND * 60;
    assert_eq!(judged(&report), []);
    report.rest = Some(rest(SECOND * 5 + MILLI, 0));
    assert_eq!(judged(&report), [AlertKind::SlowRest]);
    report.rest = Some(rest(SECOND, 1));
    assert_eq!(judged(&report), [AlertKind::OutcomeUnknown]);
    report.rest = None;
    report.cache = CacheHealth { hits: 3, misses: 1 };
    let alerts = report.judge(&AlertLimits::default());
    assert_eq!(alerts[0].to_string(), "low_cache_ratio: 0.75, limit 0.80");
    report.cache = CacheHealth::default();
    report.market.breaker_open = SECOND * 60 + MILLI;
    assert_eq!(judged(&report), [AlertKind::BreakerOpen]);
}

#[test]
fn a_report_holds_nothing_of_whose_it_is() {
    let world = world();
    let (_following, _quotes) = (world.user().follow([account()]), quotes(&world));
    world.lose(Hub::User);
    for text in [format!("{:?}", world.health()), world.health().to_string()] {
        assert!(!text.contains(CONTRACT) && !text.contains("PRAC") && !text.contains("50000"), "{text}");
    }
}
