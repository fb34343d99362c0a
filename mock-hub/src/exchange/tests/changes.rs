//! Modifying and cancelling.

use super::super::{Bracket, ModifyOrder, OrderStatus};
use super::*;

fn modify(desk: &mut Desk, order_id: i64, change: impl FnOnce(&mut ModifyOrder)) -> Answer {
    let mut request = ModifyOrder::new(desk.account, order_id);
    change(&mut request);
    desk.exchange.modify(desk.now, &request)
}

#[test]
fn a_change_is_told_as_open_again_and_later() {
    let mut desk = Desk::new();
    let order = desk.limit(Side::Buy, 1, "19990");
    let before = desk.find(order).update;
    desk.told();
    assert!(
        modify(&mut desk, order, |request| (request.size, request.limit_price) = (Some(3), Some(at("19991"))))
            .is_success()
    );
    assert_eq!(desk.told(), ["order 1 0/3"]);
    let after = desk.find(order);
    assert_eq!((after.limit_price, after.size), (Some(at("19991")), 3));
    assert!(after.update > before);
    let again = after.update;
    assert!(modify(&mut desk, order, |_| {}).is_success());
    assert!(desk.find(order).update >= again + Duration::microseconds(1), "at the same moment, too");
}

#[test]
fn a_limit_that_reaches_the_market_fills_at_once() {
    let mut desk = Desk::new();
    let order = desk.limit(Side::Buy, 1, "19990");
    desk.told();
    assert!(modify(&mut desk, order, |request| request.limit_price = Some(at("20000"))).is_success());
    assert_eq!(desk.told()[..3], ["order 1 0/1", "trade 20000 x1", "order 2 1/1"]);
}

#[test]
fn stops_and_trails_move() {
    let mut desk = Desk::new();
    let mut stop = desk.order(OrderType::Stop, Side::Sell, 1);
    stop.stop_price = Some(at("19990"));
    let stop = desk.placed(stop);
    assert!(modify(&mut desk, stop, |request| request.stop_price = Some(at("19995"))).is_success());
    assert_eq!(desk.find(stop).stop_price, Some(at("19995")));
    let beyond = modify(&mut desk, stop, |request| request.stop_price = Some(at("20001")));
    assert_eq!((beyond.code, desk.find(stop).stop_price), (3, Some(at("19995"))));
    let mut trail = desk.order(OrderType::TrailingStop, Side::Buy, 1);
    trail.trail_price = Some(at("20010"));
    let trail = desk.placed(trail);
    assert_eq!((desk.find(trail).trail_distance, desk.find(trail).trail_price), (Some(40), Some(at("10"))));
    assert!(modify(&mut desk, trail, |request| request.trail_price = Some(at("20005"))).is_success());
    let trail = desk.find(trail);
    assert_eq!(
        (trail.stop_price, trail.trail_distance, trail.trail_price),
        (Some(at("20005")), Some(20), Some(at("5")))
    );
}

#[test]
fn a_bad_change_changes_nothing() {
    let mut desk = Desk::new();
    let order = desk.limit(Side::Buy, 3, "19990");
    assert!(desk.exchange.fill_partially(desk.now, desk.account, order, 2));
    let before = desk.find(order);
    for size in [0, -1, 2, i32::MAX] {
        assert_eq!(modify(&mut desk, order, |request| request.size = Some(size)).code, 3);
    }
    let unaligned = modify(&mut desk, order, |request| request.limit_price = Some(at("19990.1")));
    assert_eq!(unaligned.message.as_deref(), Some("Invalid limit price. Price is not aligned to tick size."));
    assert_eq!(desk.find(order), before);
}

#[test]
fn the_children_of_a_resting_entry_take_its_new_size() {
    let mut desk = Desk::new();
    let mut order = desk.order(OrderType::Limit, Side::Buy, 1);
    (order.limit_price, order.take_profit) = (Some(at("19990")), Some(Bracket { ticks: 40, order_type: 1 }));
    let entry = desk.placed(order);
    assert!(modify(&mut desk, entry, |request| request.size = Some(4)).is_success());
    assert_eq!((desk.find(entry + 1).size, desk.status(entry + 1)), (4, 8));
}

#[test]
fn codes_of_orders_that_cannot_change() {
    let mut desk = Desk::new();
    let cancel = |desk: &mut Desk, account, order| desk.exchange.cancel(desk.now, account, order);
    let account = desk.account;
    let unknown = Answer { code: 2, message: None };
    assert_eq!((cancel(&mut desk, account, 1), modify(&mut desk, 1, |_| {})), (unknown.clone(), unknown));
    assert_eq!(cancel(&mut desk, 1, 1).code, 1);
    let pending = desk.place(desk.order(OrderType::Market, Side::Buy, 1)).order_id.unwrap();
    assert_eq!((cancel(&mut desk, account, pending).code, modify(&mut desk, pending, |_| {}).code), (4, 4));
    desk.later();
    assert_eq!((cancel(&mut desk, account, pending).code, modify(&mut desk, pending, |_| {}).code), (3, 3));
    assert_eq!(desk.find(pending).status, OrderStatus::Filled);
}

#[test]
fn a_cancel_is_told_once_and_is_final() {
    let mut desk = Desk::new();
    let order = desk.limit(Side::Buy, 1, "19990");
    desk.told();
    assert!(desk.exchange.cancel(desk.now, desk.account, order).is_success());
    assert_eq!(desk.told(), ["order 3 0/1"]);
    desk.price("19000");
    assert!(desk.told().is_empty());
}
