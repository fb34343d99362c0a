//! Gaps, reads and audits.

use std::time::Duration;

use topstep_model::Target;
use topstep_session::user::{Action, Query, QueryFailure};
use topstep_session::{GapCause, Known, Subject};

use super::rig::{ACCOUNT, Rig, held, order, rows};

const POSITIONS: Subject = Subject::Positions(ACCOUNT);

#[test]
fn a_beginning_is_a_gap_and_nothing_is_asked_before_the_acknowledgement() {
    let mut rig = Rig::following(&[POSITIONS]);
    assert_eq!(rig.told(), ["opened cold_start"]);
    rig.position(&held(2));
    assert_eq!(rig.told(), ["position 2 stream provisional"]);
    assert_eq!(rig.asked(), []);
    rig.machine.handle_subscribed(rig.now, &POSITIONS);
    assert_eq!(rig.asked(), [Query::Positions(ACCOUNT)]);
    assert_eq!(rig.machine.positions(ACCOUNT).known, Known::Provisional);
    rig.answer_all(&[&held(2)]);
    assert_eq!(rig.told(), ["closed cold_start NothingMissed"]);
    assert_eq!(rig.machine.positions(ACCOUNT).known, Known::Verified);
    rig.position(&held(3));
    assert_eq!(rig.told(), ["position 3 stream live"]);
}

#[test]
fn a_loss_voids_what_is_being_read_and_widens_the_gap() {
    let mut rig = Rig::following(&[POSITIONS]);
    rig.machine.handle_subscribed(rig.now, &POSITIONS);
    rig.asked();
    let from = rig.machine.gaps_open()[0].from;
    rig.machine.handle_lost(rig.now, GapCause::ClosedByHub);
    rig.answer_all(&[&held(2)]);
    assert_eq!(rig.told(), ["opened cold_start"]);
    assert_eq!(rig.machine.counters().late_answers, 1);
    assert_eq!(rig.machine.gaps_open()[0].from, from);
    assert_eq!(rig.machine.positions(ACCOUNT).known, Known::Stale);
    assert_eq!(rig.machine.poll_timeout(), None, "nothing is to be done until the hub is back");

    // The next reconcile begins 15 s after the first, and not before.
    rig.machine.handle_connected(rig.now);
    rig.machine.handle_subscribed(rig.now, &POSITIONS);
    rig.pass(14_999);
    assert_eq!(rig.asked(), []);
    rig.pass(1);
    rig.answer_all(&[&held(2)]);
    let expected = ["position 2 rest provisional", "closed cold_start+closed_by_hub StateRepaired { changes: 1 }"];
    assert_eq!(rig.told(), expected);
}

#[test]
fn a_second_reconcile_with_the_same_answer_is_silent() {
    let mut rig = Rig::settled(&POSITIONS, &[&held(2)]);
    rig.lose_and_return(&POSITIONS);
    rig.answer_all(&[&held(2)]);
    assert_eq!(rig.told(), ["opened transport_lost", "closed transport_lost NothingMissed"]);
}

#[test]
fn what_fails_is_tried_again_after_15_s_and_what_is_throttled_when_it_may() {
    let mut rig = Rig::following(&[POSITIONS]);
    rig.machine.handle_subscribed(rig.now, &POSITIONS);
    rig.fail(QueryFailure::Failed);
    rig.pass(14_999);
    assert_eq!(rig.asked(), []);
    rig.pass(1);
    rig.fail(QueryFailure::Throttled(Duration::from_secs(40)));
    rig.pass(39_999);
    assert_eq!(rig.asked(), []);
    rig.pass(1);
    assert_eq!(rig.asked(), [Query::Positions(ACCOUNT)]);
    // A glue that forgets to answer stops nothing.
    rig.pass(30_000 + 15_000);
    assert_eq!(rig.asked().len(), 2);
    assert_eq!(rig.machine.counters().failed_reads, 3);
}

#[test]
fn a_row_that_cannot_be_read_is_a_gap_in_its_place() {
    let mut rig = Rig::settled(&POSITIONS, &[&held(2)]);
    rig.pass(20_000);
    let bad = format!(r#"{},{{"accountId":1,"contractId":7,"size":"secret"}},{}"#, held(3), held(4));
    rig.machine.handle_positions(rig.now, rows(&bad));
    let events: Vec<_> = std::iter::from_fn(|| rig.machine.poll_event()).collect();
    assert!(!format!("{events:?}").contains("secret"));
    assert_eq!(events.len(), 4);
    assert_eq!(rig.machine.gaps_open()[0].causes, [GapCause::Malformed]);
    assert_eq!(rig.machine.positions(ACCOUNT).known, Known::Provisional);
    rig.answer_all(&[&held(4)]);
    assert_eq!(rig.told(), ["closed malformed NothingMissed"]);

    // Of a whole event that cannot be read nobody knows whose it was.
    rig.machine.handle_malformed(rig.now, Target::UserPosition, "no JSON".into());
    rig.machine.handle_malformed(rig.now, Target::UserOrder, "no JSON".into());
    assert_eq!(rig.told(), ["malformed GatewayUserPosition", "opened malformed", "malformed GatewayUserOrder"]);
}

#[test]
fn an_audit_believes_a_difference_that_is_there_twice() {
    let mut rig = Rig::settled(&POSITIONS, &[&held(2)]);
    rig.pass(44_999);
    assert_eq!(rig.asked(), []);
    let clean = rig.machine.counters().clean_audits;
    rig.pass(1);
    rig.answer_all(&[&held(2)]);
    assert_eq!(rig.machine.counters().clean_audits, clean + 1);
    let audited = rig.now;

    rig.pass(45_000);
    rig.answer_all(&[&held(5)]);
    assert_eq!(rig.told(), [""; 0], "it may be on its way");
    rig.pass(249);
    assert_eq!(rig.asked(), []);
    rig.pass(1);
    rig.answer_all(&[&held(5)]);
    let expected = ["position 5 rest provisional", "closed audit_mismatch StateRepaired { changes: 1 }"];
    assert_eq!(rig.told(), [&["opened audit_mismatch"], &expected[..]].concat());
    assert_eq!(rig.machine.positions(ACCOUNT).known, Known::Verified);

    // Its gap reaches back to the last audit that was clean; twice in a row, the subscription is not trusted.
    rig.pass(45_000);
    rig.answer_all(&[&held(6)]);
    rig.pass(250);
    rig.answer_all(&[&held(6)]);
    assert_eq!(rig.machine.poll_action(), Some(Action::Resubscribe(POSITIONS)));
    assert!(rig.machine.gaps_open()[0].from.at.mono > audited.mono);
    assert_eq!(rig.machine.gaps_open()[0].causes, [GapCause::AuditMismatch, GapCause::Resubscribed]);
    rig.pass(60_000);
    assert_eq!(rig.asked(), [], "without its acknowledgement nothing counts");
    rig.machine.handle_subscribed(rig.now, &POSITIONS);
    rig.answer_all(&[&held(6)]);
    assert_eq!(rig.machine.gaps_open(), []);
}

#[test]
fn an_audit_that_the_stream_overtakes_finds_nothing() {
    let mut rig = Rig::settled(&POSITIONS, &[&held(2)]);
    rig.pass(45_000);
    rig.answer_all(&[&held(5)]);
    rig.position(&held(5));
    rig.pass(250);
    rig.answer_all(&[&held(5)]);
    assert_eq!(rig.told(), ["position 5 stream live"]);
    assert_eq!(rig.machine.positions(ACCOUNT).known, Known::Verified);
}

#[test]
fn what_the_hub_refuses_stays_a_gap() {
    let mut rig = Rig::settled(&POSITIONS, &[&held(2)]);
    rig.machine.handle_refused(rig.now, &POSITIONS, "no".into());
    rig.pass(100_000);
    assert_eq!(rig.asked(), []);
    assert_eq!(rig.machine.refusals(), [(POSITIONS, "no".to_owned())]);
    assert_eq!(rig.machine.positions(ACCOUNT).known, Known::Provisional);
    rig.machine.handle_subscribed(rig.now, &POSITIONS);
    rig.answer_all(&[&held(2)]);
    assert_eq!((rig.machine.refusals(), rig.machine.gaps_open()), (vec![], vec![]));
}

#[test]
fn a_resubscription_needs_its_acknowledgement_and_other_causes_do_not() {
    let mut rig = Rig::settled(&POSITIONS, &[&held(2)]);
    rig.pass(20_000);
    rig.machine.handle_gap(rig.now, &POSITIONS, GapCause::ConsumerOverflow);
    assert_eq!(rig.asked(), [Query::Positions(ACCOUNT)]);
    rig.machine.handle_gap(rig.now, &POSITIONS, GapCause::Resubscribed);
    rig.answer_all(&[&held(2)]);
    assert_eq!(rig.machine.gaps_open()[0].causes, [GapCause::ConsumerOverflow, GapCause::Resubscribed]);
    rig.pass(20_000);
    assert_eq!(rig.asked(), []);
    rig.machine.handle_subscribed(rig.now, &POSITIONS);
    rig.answer_all(&[&held(2)]);
    assert_eq!(rig.machine.gaps_open(), []);
}

#[test]
fn wishes_are_counted_and_the_last_one_ends_everything() {
    let mut rig = Rig::settled(&POSITIONS, &[&held(2)]);
    rig.machine.want(rig.now, POSITIONS);
    rig.machine.unwant(rig.now, &POSITIONS);
    assert_eq!(rig.machine.poll_action(), None);
    assert_eq!(rig.machine.positions(ACCOUNT).known, Known::Verified);

    rig.pass(45_000);
    assert_eq!(rig.asked().len(), 1);
    rig.machine.unwant(rig.now, &POSITIONS);
    assert_eq!(rig.machine.poll_action(), Some(Action::Unsubscribe(POSITIONS)));
    assert_eq!(rig.machine.poll_timeout(), None);
    assert_eq!(rig.machine.positions(ACCOUNT).known, Known::Stale);
    rig.answer_all(&[""]);
    assert_eq!(rig.machine.positions(ACCOUNT).entries.len(), 1, "the answer came too late");
    rig.machine.unwant(rig.now, &POSITIONS);
    assert_eq!(rig.machine.poll_action(), None);

    rig.machine.want(rig.now, POSITIONS);
    assert_eq!(rig.told(), ["opened resubscribed"]);
    rig.machine.unwant(rig.now, &POSITIONS);
    assert_eq!(rig.told(), ["closed resubscribed Abandoned { reason: \"nobody follows it any more\" }"]);
}

#[test]
fn what_nobody_wants_is_counted_and_not_told() {
    let mut rig = Rig::settled(&Subject::Orders(ACCOUNT), &["", ""]);
    rig.position(&held(2));
    rig.machine.handle_orders(rig.now, rows(&order(7, 1, 1).replace(r#""accountId":1"#, r#""accountId":2"#)));
    rig.machine.want(rig.now, Subject::Quotes("CON.F.US.EP.Z26".into()));
    assert_eq!(rig.told(), [""; 0]);
    assert_eq!(rig.machine.counters().foreign_rows, 2);
    assert!(!rig.machine.is_exposed());
    assert_eq!(rig.machine.state().orders.entries, []);
    assert_eq!(rig.machine.position(ACCOUNT, &"CON.F.US.EP.Z26".into()).known, Known::Provisional);
}
