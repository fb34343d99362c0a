//! Trades, and what they brought.

use rust_decimal::Decimal;
use topstep_session::user::{Query, UserConfig};
use topstep_session::{Known, Subject};

use super::rig::{ACCOUNT, Rig, trade};

const TRADES: Subject = Subject::Trades(ACCOUNT);

#[test]
fn each_trade_is_told_once_and_once_more_when_it_is_taken_back() {
    let mut rig = Rig::settled(&TRADES, &[""]);
    let (first, voided) =
        (trade(1, "null", "2026-11-18T20:00:01Z", false), trade(1, "null", "2026-11-18T20:00:01Z", true));
    rig.trade(&format!("{first},{first}"));
    rig.lose_and_return(&TRADES);
    assert_eq!(rig.told(), ["trade 1 stream live", "opened transport_lost"]);
    let second = trade(2, "5", "2026-11-18T20:00:05Z", false);
    rig.answer_all(&[&format!("{second},{voided}")]);
    let expected =
        ["trade 1 voided rest verified", "trade 2 rest verified", "closed transport_lost StateRepaired { changes: 2 }"];
    assert_eq!(rig.told(), expected);
    rig.trade(&format!("{first},{voided},{second}"));
    assert_eq!(rig.told(), [""; 0]);
    assert_eq!(rig.machine.trades(ACCOUNT).entries[0].value.voided, Some(true), "what was taken back stays so");
    assert_eq!(rig.machine.counters().repeated_trades, 4);
}

#[test]
fn a_trading_day_begins_at_17_in_chicago_and_its_costs_count_for_every_trade() {
    let mut rig = Rig::following(&[TRADES]);
    rig.machine.handle_subscribed(rig.now, &TRADES);
    let start = "2026-11-17T22:58:00Z".parse().expect("a time");
    assert_eq!(rig.asked(), [Query::Trades { account: ACCOUNT, start }], "the day's start, less two minutes");
    rig.told();
    let history = [
        trade(1, "1000", "2026-11-17T22:59:59Z", false),
        trade(2, "null", "2026-11-17T23:00:00Z", false),
        trade(3, "-20.5", "2026-11-18T15:00:00Z", false),
        trade(4, "300", "2026-11-18T15:00:00Z", true),
    ];
    rig.answer_all(&[&history.join(",")]);
    assert_eq!(rig.told(), ["closed cold_start NothingMissed"], "what was before fills the state only");
    rig.trade(&trade(5, "50.25", "2026-11-18T20:00:01Z", false));
    let profit = rig.machine.profit_and_loss(ACCOUNT, rig.now);
    assert_eq!(profit.day_start.to_string(), "2026-11-17T23:00:00Z");
    assert_eq!((profit.gross, profit.costs), (Decimal::new(2975, 2), Decimal::from(3)));
    assert_eq!((profit.net, profit.trades, profit.known), (Decimal::new(2675, 2), 4, Known::Live));

    rig.machine.handle_lost(rig.now, topstep_session::GapCause::TransportLost);
    assert_eq!(rig.machine.profit_and_loss(ACCOUNT, rig.now).known, Known::Stale);
    assert!(rig.machine.trades(ACCOUNT).entries.iter().all(|entry| entry.known >= Known::Live), "trades are final");
    // Another day.
    rig.now = rig.now + std::time::Duration::from_secs(3 * 3600);
    assert_eq!(rig.machine.profit_and_loss(ACCOUNT, rig.now).trades, 0);
}

#[test]
fn the_oldest_trades_go_first_and_the_sum_says_that_it_is_none() {
    let mut rig = Rig::configured(UserConfig::default().trades_kept(2), &[TRADES]);
    rig.machine.handle_subscribed(rig.now, &TRADES);
    rig.answer_all(&[""]);
    for id in 1..4 {
        rig.trade(&trade(id, "1", "2026-11-18T20:00:01Z", false));
    }
    assert_eq!(rig.machine.trades(ACCOUNT).entries.len(), 2);
    assert_eq!(rig.machine.counters().evicted, 1);
    assert_eq!(rig.machine.profit_and_loss(ACCOUNT, rig.now).known, Known::Provisional);
    rig.told();
    // REST tells it again, and it is no news.
    rig.lose_and_return(&TRADES);
    let all: Vec<String> = (1..4).map(|id| trade(id, "1", "2026-11-18T20:00:01Z", false)).collect();
    rig.answer_all(&[&all.join(",")]);
    assert_eq!(rig.told(), ["opened transport_lost", "closed transport_lost NothingMissed"]);
}

#[test]
fn a_trade_that_was_lost_without_a_sign_is_found() {
    let mut rig = Rig::settled(&TRADES, &[""]);
    let lost = trade(1, "5", "2026-11-18T20:00:05Z", false);
    rig.pass(45_000);
    rig.answer_all(&[&lost]);
    rig.pass(250);
    rig.answer_all(&[&lost]);
    let expected =
        ["opened audit_mismatch", "trade 1 rest verified", "closed audit_mismatch StateRepaired { changes: 1 }"];
    assert_eq!(rig.told(), expected);
}
