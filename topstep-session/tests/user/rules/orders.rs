//! Orders: merged by their stamps, never assumed gone.

use topstep_session::user::{Query, QueryFailure, UserConfig, UserMachine};
use topstep_session::{Known, Moment, Subject};

use super::rig::{ACCOUNT, Rig, order};

const ORDERS: Subject = Subject::Orders(ACCOUNT);

fn known(rig: &Rig, id: i64) -> (String, Known) {
    let entry = rig.machine.order(ACCOUNT, id.into()).expect("it is known");
    (entry.value.status.to_string(), entry.known)
}

#[test]
fn an_order_that_no_list_has_is_asked_for_and_never_assumed_gone() {
    let mut rig = Rig::settled(&ORDERS, &[&order(7, 1, 1), &order(7, 1, 1)]);
    assert_eq!(known(&rig, 7), ("open".into(), Known::Verified));
    rig.lose_and_return(&ORDERS);
    assert_eq!(known(&rig, 7), ("open".into(), Known::Provisional));
    let asked = rig.asked();
    assert!(matches!(asked[..], [Query::WorkingOrders { page: 0, .. }, Query::OrdersSince { .. }]), "{asked:?}");
    // Both lists are empty.
    rig.told();
    rig.answer_some(&["", ""]);
    assert_eq!(rig.asked(), [Query::Order { account: ACCOUNT, order: 7.into() }]);
    rig.fail(QueryFailure::NotFound);
    assert_eq!(rig.told(), ["closed transport_lost NothingMissed"]);
    assert_eq!(known(&rig, 7), ("open".into(), Known::Provisional), "nothing answers for it");
    assert!(rig.machine.is_exposed());

    // It is asked again soon.
    rig.pass(15_000);
    rig.answer_some(&["", ""]);
    rig.answer_all(&[&order(7, 2, 9)]);
    rig.pass(250);
    rig.answer_some(&["", ""]);
    rig.answer_all(&[&order(7, 2, 9)]);
    assert_eq!(known(&rig, 7), ("filled".into(), Known::Verified));
    assert_eq!(rig.told()[1], "order 7 filled rest verified");
}

#[test]
fn where_the_paged_query_is_missing_or_refused_the_open_orders_serve() {
    for failure in [QueryFailure::Unsupported, QueryFailure::NotFound] {
        the_open_orders_serve_after(failure);
    }
}

fn the_open_orders_serve_after(failure: QueryFailure) {
    let mut rig = Rig::following(&[ORDERS]);
    rig.machine.handle_subscribed(rig.now, &ORDERS);
    rig.fail(failure);
    let asked = rig.asked();
    assert!(matches!(asked[..], [Query::OrdersSince { .. }, Query::OpenOrders(_)]), "{asked:?}");
    rig.answer_all(&["", &order(7, 1, 1)]);
    assert_eq!(known(&rig, 7), ("open".into(), Known::Verified));
    assert_eq!(rig.machine.working_orders(ACCOUNT).known, Known::Provisional, "suspended ones may be missing");
}

#[test]
fn what_is_over_is_final_whatever_happens() {
    let mut rig = Rig::settled(&ORDERS, &["", ""]);
    rig.machine.handle_lost(rig.now, topstep_session::GapCause::TransportLost);
    rig.machine.handle_connected(rig.now);
    rig.order(&format!("{},{}", order(7, 2, 5), order(8, 1, 5)));
    assert_eq!(rig.told()[1..], ["order 7 filled stream live", "order 8 open stream provisional"]);
    rig.order(&order(7, 1, 5));
    assert_eq!(rig.told(), ["order 7 open stream provisional"], "it is told, and not believed");
    rig.machine.handle_lost(rig.now, topstep_session::GapCause::TransportLost);
    assert_eq!(known(&rig, 7), ("filled".into(), Known::Live));
    assert_eq!(known(&rig, 8), ("open".into(), Known::Stale));
    assert_eq!(rig.machine.counters().stale_rows, 1);
}

#[test]
fn rest_that_is_older_than_the_stream_changes_nothing() {
    let mut rig = Rig::following(&[ORDERS]);
    rig.machine.handle_subscribed(rig.now, &ORDERS);
    rig.asked();
    rig.order(&order(7, 2, 5));
    rig.told();
    rig.answer_some(&[&order(7, 1, 4), &order(7, 1, 4)]);
    assert_eq!(rig.told(), ["closed cold_start NothingMissed"]);
    assert_eq!(known(&rig, 7), ("filled".into(), Known::Live));
}

#[test]
fn an_event_without_a_time_that_contradicts_is_looked_into() {
    let mut rig = Rig::settled(&ORDERS, &[&order(7, 1, 1), ""]);
    rig.pass(20_000);
    let undated = order(7, 2, 1).replace(r#","updateTimestamp":"2026-11-18T20:00:01Z""#, "");
    rig.order(&undated);
    assert_eq!(rig.told(), ["order 7 filled stream provisional"]);
    assert_eq!(known(&rig, 7), ("open".into(), Known::Provisional));
    rig.pass(250);
    for _ in 0..2 {
        rig.answer_some(&["", ""]);
        rig.answer_all(&[&order(7, 2, 6)]);
        rig.pass(250);
    }
    assert_eq!(known(&rig, 7), ("filled".into(), Known::Verified));
}

#[test]
fn orders_that_were_over_before_are_no_news() {
    let mut rig = Rig::following(&[ORDERS]);
    rig.machine.handle_subscribed(rig.now, &ORDERS);
    rig.told();
    let before = order(6, 2, 0).replace("20:00:00", "19:59:59");
    rig.answer_some(&[&order(7, 8, 0), &format!("{before},{}", order(8, 3, 1))]);
    let expected = ["order 7 suspended rest provisional", "order 8 cancelled rest verified"];
    assert_eq!(rig.told()[..2], expected);
    assert_eq!(rig.machine.order(ACCOUNT, 6.into()), None);
    assert_eq!(rig.machine.working_orders(ACCOUNT).entries.len(), 1);
}

#[test]
fn pages_that_do_not_fit_together_are_read_again() {
    let mut rig = Rig::following(&[ORDERS]);
    rig.machine.handle_subscribed(rig.now, &ORDERS);
    let page = |ids: std::ops::Range<i64>| ids.map(|id| order(id, 1, 1)).collect::<Vec<_>>().join(",");
    rig.answer_some(&[&page(0..100), ""]);
    assert_eq!(rig.asked(), [Query::WorkingOrders { account: ACCOUNT, page: 1 }]);
    // Order 50 is over meanwhile: the second page begins one later than it should.
    rig.answer_all(&[&page(100..150)]);
    assert_eq!(rig.machine.gaps_open().len(), 1);
    rig.pass(250);
    rig.answer_some(&[&page(0..100), ""]);
    rig.answer_all(&[&page(99..150)]);
    assert_eq!(rig.machine.working_orders(ACCOUNT).entries.len(), 150);
    assert_eq!(rig.machine.working_orders(ACCOUNT).known, Known::Verified);
}

#[test]
fn a_clock_that_was_ahead_hides_nothing() {
    let ahead = "2026-11-21T20:00:00Z".parse().expect("a time");
    let mut rig = Rig::following(&[]);
    let right = rig.now;
    rig.machine = UserMachine::new(UserConfig::default(), Moment::new(right.mono, ahead));
    rig.machine.want(Moment::new(right.mono, ahead), ORDERS);
    rig.now = right;
    rig.machine.handle_connected(rig.now);
    rig.pass(1_000);
    rig.machine.handle_subscribed(rig.now, &ORDERS);
    let asked = rig.asked();
    let start = asked.iter().find_map(|query| match query {
        Query::OrdersSince { start, .. } => Some(*start),
        _ => None,
    });
    assert!(start.is_some_and(|start| start < right.wall), "{asked:?}");
    // It was filled since the session began, and is no history.
    rig.answer_all(&["", &order(7, 2, 1)]);
    assert_eq!(known(&rig, 7), ("filled".into(), Known::Verified));
}
