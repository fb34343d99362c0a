//! Positions and accounts: lists without stamps.

use rust_decimal::Decimal;
use topstep_model::{Price, Tick};
use topstep_session::user::{Entry, Market, Query, UserConfig, equity, unrealised};
use topstep_session::{Known, Subject};

use super::rig::{ACCOUNT, ES, Rig, held, rows};

const POSITIONS: Subject = Subject::Positions(ACCOUNT);

#[test]
fn a_list_that_events_overtake_is_read_again_and_then_later() {
    let mut rig = Rig::following(&[POSITIONS]);
    rig.machine.handle_subscribed(rig.now, &POSITIONS);
    for size in [3, 4] {
        rig.asked();
        rig.position(&held(size));
        rig.answer_all(&[&held(2)]);
        rig.pass(249);
        assert_eq!(rig.asked(), []);
        rig.pass(1);
    }
    rig.asked();
    rig.position(&held(5));
    rig.answer_all(&[&held(2)]);
    let entry = rig.machine.position(ACCOUNT, &ES.into());
    assert_eq!((entry.value.map(|position| position.size), entry.known), (Some(5), Known::Provisional));
    rig.pass(14_999);
    assert_eq!(rig.asked(), []);
    rig.pass(1);
    rig.answer_all(&[&held(5)]);
    assert_eq!(rig.machine.position(ACCOUNT, &ES.into()).known, Known::Verified);
}

#[test]
fn what_a_complete_list_leaves_out_is_flat() {
    let mut rig = Rig::settled(&POSITIONS, &[&held(2)]);
    assert!(rig.machine.is_exposed());
    rig.lose_and_return(&POSITIONS);
    rig.told();
    rig.answer_all(&[""]);
    let expected = ["position 0 rest provisional", "closed transport_lost StateRepaired { changes: 1 }"];
    assert_eq!(rig.told(), expected);
    assert_eq!(rig.machine.position(ACCOUNT, &ES.into()), Entry::new(None, Known::Verified));
    assert_eq!(rig.machine.position(ACCOUNT, &"never heard of".into()), Entry::new(None, Known::Verified));
    assert!(!rig.machine.is_exposed());
}

#[test]
fn a_list_that_is_absent_or_damaged_proves_no_absence() {
    let mut rig = Rig::settled(&POSITIONS, &[&held(2)]);
    rig.lose_and_return(&POSITIONS);
    rig.told();
    rig.answer_all(&["-"]);
    assert_eq!(rig.machine.position(ACCOUNT, &ES.into()).known, Known::Provisional);
    rig.pass(15_000);
    // The other contract is repaired all the same.
    rig.answer_all(&[&format!(r#"{},{{"size":"?"}}"#, held(7).replace("EP", "MNQ"))]);
    assert_eq!(rig.told(), ["position 7 rest provisional"]);
    assert_eq!(rig.machine.position(ACCOUNT, &ES.into()).value.map(|position| position.size), Some(2));
    assert_eq!(rig.machine.gaps_open().len(), 1);
    rig.pass(15_000);
    rig.answer_all(&[""]);
    assert_eq!(rig.machine.positions(ACCOUNT).entries, []);
    let expected = "closed transport_lost StateRepaired { changes: 3 }";
    assert_eq!(rig.told().last().map(String::as_str), Some(expected));
}

#[test]
fn rest_that_lags_behind_the_stream_is_not_believed_at_once() {
    let mut rig = Rig::following(&[POSITIONS]);
    rig.machine.handle_subscribed(rig.now, &POSITIONS);
    rig.answer_all(&["-"]);
    rig.position(&held(3));
    rig.pass(15_000);
    rig.told();
    // The event came before the question, and the answer does not know it yet.
    rig.answer_all(&[&held(2)]);
    rig.pass(250);
    assert_eq!(rig.asked(), [Query::Positions(ACCOUNT)]);
    rig.answer_all(&[&held(3)]);
    assert_eq!(rig.told(), ["closed cold_start NothingMissed"]);
}

#[test]
fn accounts_are_read_as_positions_are() {
    let subject = Subject::Accounts;
    let account = |balance: i64| format!(r#"{{"id":1,"name":"A","balance":{balance},"canTrade":true}}"#);
    let mut rig = Rig::settled(&subject, &[&account(50_000)]);
    rig.machine.handle_accounts(rig.now, rows(&format!(r#"{{"id":1,"balance":49000}},{}"#, account(49_000))));
    assert_eq!(rig.told(), ["account 49000 stream live"; 2]);
    let entry = rig.machine.account(ACCOUNT).expect("it is known");
    assert_eq!((entry.value.can_trade, entry.value.name.is_some(), entry.known), (Some(true), true, Known::Live));
    rig.lose_and_return(&subject);
    assert_eq!(rig.machine.account(ACCOUNT).map(|entry| entry.known), Some(Known::Provisional));
    rig.answer_all(&[&account(48_000)]);
    let expected = ["opened transport_lost", "account 48000 rest provisional"];
    assert_eq!(rig.told()[..2], expected);
    rig.lose_and_return(&subject);
    rig.answer_all(&[""]);
    assert_eq!(rig.machine.account(ACCOUNT), None, "the list no longer has it");
}

#[test]
fn a_row_that_contradicts_itself_is_looked_into() {
    let mut rig = Rig::settled(&POSITIONS, &[&held(2)]);
    rig.pass(20_000);
    rig.position(&format!(r#"{{"action":2,"data":{}}}"#, held(2)));
    assert_eq!(rig.told(), ["position 2 stream provisional"]);
    rig.pass(250);
    rig.answer_all(&[&held(2)]);
    assert_eq!(rig.machine.position(ACCOUNT, &ES.into()).known, Known::Verified);
}

#[test]
fn what_is_open_is_valued_at_what_closing_gets() {
    let price = |text: &str| text.parse::<Price>().expect("a price");
    let tick = Tick::new(price("0.25"), price("12.5")).expect("a tick");
    let market = Market { bid: Some(price("5010")), ask: Some(price("5010.25")), last: None, known: Known::Live };
    let mut rig = Rig::settled(&POSITIONS, &[&held(2)]);
    let position = |rig: &Rig| rig.machine.positions(ACCOUNT).entries[0].clone();
    let long = unrealised(&position(&rig), &market, &tick).expect("it has a value");
    assert_eq!((long.value, long.known), (Decimal::from(1000), Known::Live));
    rig.position(&held(-2));
    let short = unrealised(&position(&rig), &Market { known: Known::Stale, ..market }, &tick).expect("it has a value");
    assert_eq!((short.value, short.known), (Decimal::from(-1025), Known::Stale));
    assert_eq!(unrealised(&position(&rig), &Market { ask: None, ..market }, &tick), None);

    let mut account = topstep_model::Account::new(ACCOUNT);
    let account = |balance: Option<Price>| {
        account.balance = balance;
        Entry::new(account.clone(), Known::Verified)
    };
    let mut account = account;
    assert_eq!(equity(&account(None), [long.clone()]), None);
    let equity = equity(&account(Some(price("50000"))), [long, short]).expect("it has a value");
    assert_eq!((equity.value, equity.known), (Decimal::from(49_975), Known::Stale));
}

#[test]
fn what_is_closed_makes_room_for_what_is_open() {
    let mut rig = Rig::configured(UserConfig::default().rows_kept(1), &[POSITIONS]);
    rig.machine.handle_subscribed(rig.now, &POSITIONS);
    rig.answer_all(&[&held(2)]);
    rig.position(&held(0));
    rig.lose_and_return(&POSITIONS);
    rig.answer_all(&[&held(7).replace("EP", "MNQ")]);
    let list = rig.machine.positions(ACCOUNT);
    assert_eq!(list.values().map(|position| position.size).collect::<Vec<_>>(), [7]);
    assert_eq!(list.known, Known::Verified);
    // Two are too many, and the list says so.
    rig.lose_and_return(&POSITIONS);
    rig.answer_all(&[&format!("{},{}", held(7).replace("EP", "MNQ"), held(1))]);
    assert_eq!(rig.machine.positions(ACCOUNT).known, Known::Provisional);
}
