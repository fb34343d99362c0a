//! Fills: the order of their events, positions, profit and balance.

use super::super::{ACTION_CREATE, ACTION_DELETE, ACTION_UPDATE, Kind};
use super::*;

#[test]
fn a_market_order_is_told_as_captured() {
    let mut desk = Desk::new();
    desk.market(Side::Buy, 2);
    let told: Vec<String> = desk.events().iter().map(words).collect();
    assert_eq!(
        told,
        [
            "order 6 0/2",
            "trade 20000 x2",
            "order 2 2/2",
            "position 1: 1 x2 @20000",
            "account 149998.78",
            "account 149998.78",
        ]
    );
}

#[test]
fn a_fill_comes_8_to_25_ms_after_its_order() {
    let mut desk = Desk::new();
    for _ in 0..50 {
        desk.market(Side::Buy, 1);
        let events = desk.events();
        let (pending, filled) = (events[0].at, events[2].at);
        let delay = filled - pending;
        assert!(delay >= Duration::milliseconds(8) && delay <= Duration::milliseconds(25), "{delay}");
        let Value::Order(order) = &events[2].value else { panic!("{events:?}") };
        assert!(order.update > order.creation);
    }
}

#[test]
fn a_close_is_told_as_captured() {
    let mut desk = Desk::new();
    desk.market(Side::Buy, 1);
    let opened = desk.events();
    desk.price("19975.75");
    assert!(desk.close().is_success());
    desk.later();
    let events = desk.events();
    let told: Vec<String> = events.iter().map(words).collect();
    let accounts = told.iter().filter(|words| words.starts_with("account")).count();
    assert!((2..=4).contains(&accounts), "{told:?}");
    assert_eq!(
        told[..6],
        [
            "order 6 0/1",
            "order 2 1/1",
            "trade 19975.5 x1 -49",
            "trade 20000 x1",
            "position 2: 0 x0 @20000",
            "account 149949.78",
        ]
    );
    assert_eq!(events[3].value, opened[1].value, "the opening trade is the same");
}

#[test]
fn each_kind_has_its_action() {
    let mut desk = Desk::new();
    desk.market(Side::Buy, 1);
    desk.market(Side::Sell, 1);
    let actions = |events: &[UserEvent], kind| -> Vec<i32> {
        events.iter().filter(|event| event.kind == kind).map(|event| event.action).collect()
    };
    let events = desk.events();
    assert!(actions(&events, Kind::Account).iter().all(|action| *action == ACTION_UPDATE));
    assert_eq!(actions(&events, Kind::Order), [ACTION_UPDATE; 4]);
    assert_eq!(actions(&events, Kind::Trade), [ACTION_CREATE; 3]);
    assert_eq!(actions(&events, Kind::Position), [ACTION_UPDATE, ACTION_DELETE]);
    assert!(events.iter().all(|event| &*event.user == USER && event.account_id == desk.account));
    assert!(events.is_sorted_by_key(|event| event.at));
}

#[test]
fn scaling_in_averages_finer_than_a_tick() {
    let mut desk = Desk::new();
    desk.price("28446.25");
    desk.market(Side::Buy, 1);
    desk.price("28446.5");
    desk.market(Side::Buy, 1);
    let positions = desk.exchange.positions(desk.account).unwrap();
    assert_eq!(positions.len(), 1);
    assert_eq!((positions[0].size, positions[0].average_price), (2, at("28446.375")));
    let told = desk.told();
    assert!(told.contains(&"position 1: 1 x2 @28446.375".to_owned()), "{told:?}");
}

#[test]
fn a_partial_close_keeps_the_row_and_tells_no_opening_trade() {
    let mut desk = Desk::new();
    desk.market(Side::Sell, 3);
    let id = desk.exchange.positions(desk.account).unwrap()[0].id;
    desk.told();
    let (account, best) = (desk.account, Some(desk.best));
    assert!(desk.exchange.partial_close(desk.now, &desk.contracts, best, account, MNQ, 2).is_success());
    desk.later();
    assert_eq!(
        desk.told(),
        ["order 6 0/2", "order 2 2/2", "trade 20000 x2 -1", "position 1: 2 x1 @19999.75", "account 149995.95",]
    );
    assert_eq!(desk.exchange.positions(account).unwrap()[0].id, id);
}

#[test]
fn a_flip_closes_one_row_and_opens_another() {
    let mut desk = Desk::new();
    desk.market(Side::Buy, 1);
    let id = desk.exchange.positions(desk.account).unwrap()[0].id;
    desk.told();
    desk.price("20010");
    desk.market(Side::Sell, 3);
    assert_eq!(
        desk.told(),
        [
            "order 6 0/3",
            "order 2 3/3",
            "trade 20009.75 x1 19.5",
            "trade 20000 x1",
            "position 2: 0 x0 @20000",
            "trade 20009.75 x2",
            "position 1: 2 x2 @20009.75",
            "account 150017.06",
        ]
    );
    assert_ne!(desk.exchange.positions(desk.account).unwrap()[0].id, id);
}

#[test]
fn fees_and_commissions_are_of_each_side_and_contract() {
    let mut desk = Desk::new();
    desk.market(Side::Buy, 15);
    let trade = desk.exchange.trades(desk.account, None, None).unwrap().remove(0);
    assert_eq!((trade.fees, trade.commissions), (at("5.40"), at("3.75")));
    assert_eq!((trade.profit_and_loss, trade.voided), (None, false));
    assert_eq!(desk.balance(), at("150000") - at("9.15"));
}

#[test]
fn closing_twice_at_once_is_pending_and_flat_is_not_found() {
    let mut desk = Desk::new();
    assert_eq!(desk.close().code, 2);
    desk.market(Side::Buy, 2);
    assert!(desk.close().is_success());
    assert_eq!(desk.close().code, 6);
    let (account, best) = (desk.account, Some(desk.best));
    let partial =
        |desk: &mut Desk, size| desk.exchange.partial_close(desk.now, &desk.contracts, best, account, MNQ, size).code;
    assert_eq!(partial(&mut desk, 1), 7);
    assert_eq!([0, -1, 3].map(|size| partial(&mut desk, size)), [5; 3]);
    desk.later();
    assert_eq!(partial(&mut desk, 1), 2);
    let close = |desk: &mut Desk, account, contract| {
        desk.exchange.close_contract(desk.now, &desk.contracts, best, account, contract).code
    };
    assert_eq!(close(&mut desk, 1, MNQ), 1);
    assert_eq!(close(&mut desk, account, "CON.F.US.NOPE.U26"), 3);
    assert_eq!(close(&mut desk, account, "CON.F.US.MNQ.U26"), 4);
}

#[test]
fn ids_stand_where_the_captures_are() {
    let mut desk = Desk::new();
    let order = desk.market(Side::Buy, 1);
    let next = desk.market(Side::Buy, 1);
    assert_eq!(desk.account, 10_000_001);
    assert!(order > i64::from(i32::MAX) && order / 100_000_000 == 34 && next > order);
    let trades = desk.exchange.trades(desk.account, None, None).unwrap();
    assert!(trades[0].id / 100_000_000 == 30 && trades[0].id > trades[1].id);
    assert_eq!(desk.exchange.positions(desk.account).unwrap()[0].id / 10_000_000, 82);
}

#[test]
fn the_same_seed_tells_the_same_story_however_time_passes() {
    let story = |steps: i32| {
        let mut desk = Desk::new();
        for _ in 0..20 {
            desk.place(desk.order(OrderType::Market, Side::Buy, 1));
            for _ in 0..steps {
                desk.now += Duration::milliseconds(60) / steps;
                desk.exchange.advance(desk.now);
            }
        }
        desk.events()
    };
    assert_eq!(story(1), story(12));
}
