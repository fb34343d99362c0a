//! Brackets: a family's events, prices and how its children end.

use super::super::{Bracket, OrderStatus};
use super::*;

/// A short entry with the distances of the capture: a stop 101 ticks above, a target 99 below.
fn short(desk: &Desk, size: i32) -> PlaceOrder {
    let mut order = desk.order(OrderType::Market, Side::Sell, size);
    order.custom_tag = Some("glt".into());
    order.stop_loss = Some(Bracket { ticks: 101, order_type: 4 });
    order.take_profit = Some(Bracket { ticks: -99, order_type: 1 });
    order
}

#[test]
fn a_family_is_told_as_captured() {
    let mut desk = Desk::new();
    desk.price("28418");
    let entry = desk.placed(short(&desk, 1));
    assert_eq!(
        desk.told(),
        [
            "order 8 SL 0/1",
            "order 6 0/1",
            "order 8 TP 0/1",
            "trade 28417.75 x1",
            "order 2 1/1",
            "position 1: 2 x1 @28417.75",
            "account 149999.39",
            "order 1 TP 0/1",
            "order 1 SL 0/1",
        ]
    );
    let (stop, target) = (desk.find(entry + 1), desk.find(entry + 2));
    assert_eq!((stop.stop_price, stop.limit_price), (Some(at("28443")), None));
    assert_eq!((target.stop_price, target.limit_price), (None, Some(at("28393"))));
    assert_eq!((stop.custom_tag.as_deref(), target.custom_tag.as_deref()), (Some("glt-SL"), Some("glt-TP")));
    assert_eq!((stop.parent_order_id, target.parent_order_id), (Some(entry), Some(entry)));
    assert_eq!((stop.linked_order_id, target.linked_order_id), (None, Some(stop.id)));
    assert_eq!((stop.trail_distance, stop.trail_price), (Some(101), Some(at("25.25"))));
    assert_eq!((target.trail_distance, target.trail_price), (Some(-99), Some(at("-24.75"))));
}

#[test]
fn the_target_fills_and_the_stop_is_cancelled() {
    let mut desk = Desk::new();
    desk.price("28418");
    desk.placed(short(&desk, 1));
    desk.told();
    desk.price("28393.25");
    assert!(desk.told().is_empty(), "the ask is a tick short of it");
    desk.price("28393");
    assert_eq!(
        desk.told(),
        [
            "order 2 TP 1/1",
            "trade 28393 x1 49.5",
            "trade 28417.75 x1",
            "position 2: 0 x0 @28417.75",
            "account 150048.28",
            "order 3 SL 0/1",
        ]
    );
}

#[test]
fn the_stop_fills_at_the_market_and_the_target_is_cancelled() {
    let mut desk = Desk::new();
    desk.price("28418");
    let entry = desk.placed(short(&desk, 1));
    desk.price("28450");
    assert_eq!((desk.status(entry + 1), desk.status(entry + 2)), (2, 3));
    assert_eq!(desk.find(entry + 1).filled_price, Some(at("28450")));
}

#[test]
fn children_wait_for_a_resting_entry() {
    let mut desk = Desk::new();
    let mut order = desk.order(OrderType::Limit, Side::Buy, 2);
    order.limit_price = Some(at("19990"));
    order.stop_loss = Some(Bracket { ticks: -40, order_type: 4 });
    let entry = desk.placed(order);
    assert_eq!((desk.status(entry), desk.status(entry + 1)), (1, 8));
    desk.price("19990");
    assert_eq!((desk.status(entry), desk.status(entry + 1)), (2, 8), "it wakes a little later");
    desk.later();
    let stop = desk.find(entry + 1);
    assert_eq!((stop.status, stop.stop_price, stop.size), (OrderStatus::Open, Some(at("19980")), 2));
    assert_eq!(stop.custom_tag, None);
}

#[test]
fn an_entry_that_ends_unfilled_takes_its_children_along() {
    let mut desk = Desk::new();
    let resting = |desk: &mut Desk| {
        let mut order = short(desk, 3);
        (order.order_type, order.limit_price, order.custom_tag) = (1, Some(at("20010")), None);
        desk.placed(order)
    };
    let entry = resting(&mut desk);
    assert!(desk.exchange.cancel(desk.now, desk.account, entry).is_success());
    assert_eq!([0, 1, 2].map(|member| desk.status(entry + member)), [3, 3, 3]);
    let entry = resting(&mut desk);
    assert!(desk.exchange.expire(desk.now, desk.account, entry));
    assert_eq!([0, 1, 2].map(|member| desk.status(entry + member)), [4, 3, 3]);
}

#[test]
fn what_filled_of_a_cancelled_entry_is_protected() {
    let mut desk = Desk::new();
    let mut order = short(&desk, 3);
    (order.order_type, order.limit_price) = (1, Some(at("20010")));
    let entry = desk.placed(order);
    assert!(desk.exchange.fill_partially(desk.now, desk.account, entry, 2));
    desk.later();
    assert_eq!([0, 1, 2].map(|member| desk.status(entry + member)), [1, 8, 8]);
    assert!(desk.exchange.cancel(desk.now, desk.account, entry).is_success());
    desk.later();
    assert_eq!([0, 1, 2].map(|member| desk.status(entry + member)), [3, 1, 1]);
    assert_eq!([1, 2].map(|member| desk.find(entry + member).size), [2, 2]);
}

#[test]
fn what_one_child_closes_the_other_does_not_close_again() {
    let mut desk = Desk::new();
    let entry = desk.placed(short(&desk, 3));
    desk.told();
    assert!(desk.exchange.fill_partially(desk.now, desk.account, entry + 2, 1));
    let (stop, target) = (desk.find(entry + 1), desk.find(entry + 2));
    assert_eq!((stop.size, stop.status), (2, OrderStatus::Open));
    assert_eq!((target.size, target.fill_volume, target.status), (3, 1, OrderStatus::Open));
    desk.price("20100");
    assert_eq!((desk.status(entry + 1), desk.status(entry + 2)), (2, 3));
    assert!(desk.exchange.positions(desk.account).unwrap().is_empty());
}

#[test]
fn closing_the_position_leaves_the_children_at_work() {
    let mut desk = Desk::new();
    let entry = desk.placed(short(&desk, 1));
    assert!(desk.close().is_success());
    desk.later();
    assert_eq!([1, 2].map(|member| desk.status(entry + member)), [1, 1]);
}

#[test]
fn a_child_may_be_cancelled_asleep_or_alone() {
    let mut desk = Desk::new();
    let mut order = short(&desk, 1);
    (order.order_type, order.limit_price) = (1, Some(at("20010")));
    let entry = desk.placed(order);
    assert!(desk.exchange.cancel(desk.now, desk.account, entry + 1).is_success());
    desk.price("20010.25");
    desk.later();
    assert_eq!([0, 1, 2].map(|member| desk.status(entry + member)), [2, 3, 1]);
}

#[test]
fn a_trailing_child_follows_the_price() {
    let mut desk = Desk::new();
    let mut order = desk.order(OrderType::Market, Side::Buy, 1);
    order.stop_loss = Some(Bracket { ticks: -20, order_type: 5 });
    let entry = desk.placed(order);
    assert_eq!(desk.find(entry + 1).stop_price, Some(at("19995")));
    desk.price("20002");
    desk.price("20001");
    assert_eq!(desk.find(entry + 1).stop_price, Some(at("19997")));
    desk.price("19997");
    assert_eq!(desk.status(entry + 1), 2);
}
