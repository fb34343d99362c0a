//! What tests make happen.

use super::super::{ACTION_UPDATE, OrderStatus};
use super::*;

#[test]
fn the_next_place_is_refused_and_the_one_after_is_not() {
    let mut desk = Desk::new();
    assert!(desk.exchange.reject_next(desk.account, "Outside of trading hours."));
    let answer = desk.place(desk.order(OrderType::Market, Side::Buy, 1));
    assert_eq!((answer.code, answer.message.as_deref()), (2, Some("Outside of trading hours.")));
    desk.later();
    assert_eq!(desk.find(answer.order_id.unwrap()).status, OrderStatus::Rejected);
    desk.market(Side::Buy, 1);
    assert!(!desk.exchange.reject_next(1, ""));
}

#[test]
fn an_order_fills_in_parts() {
    let mut desk = Desk::new();
    let order = desk.limit(Side::Buy, 3, "19990");
    desk.told();
    assert!(desk.exchange.fill_partially(desk.now, desk.account, order, 1));
    assert_eq!(desk.told(), ["trade 19990 x1", "order 1 1/3", "position 1: 1 x1 @19990", "account 149999.39"]);
    desk.price("19990");
    assert_eq!((desk.status(order), desk.find(order).fill_volume), (2, 3));
    assert_eq!(desk.exchange.positions(desk.account).unwrap()[0].size, 3);
    for (order, size) in [(order, 1), (1, 1), (order, 0)] {
        assert!(!desk.exchange.fill_partially(desk.now, desk.account, order, size));
    }
}

#[test]
fn a_market_order_in_parts_has_an_average_and_fills_in_the_end() {
    let mut desk = Desk::new();
    let order = desk.place(desk.order(OrderType::Market, Side::Buy, 3)).order_id.unwrap();
    assert!(desk.exchange.fill_partially(desk.now, desk.account, order, 1));
    assert_eq!(desk.status(order), 1);
    desk.best = best(at("20001"));
    desk.exchange.on_price(desk.now, MNQ, &best(at("20001")));
    let order = desk.find(order);
    assert_eq!((order.status, order.filled_price), (OrderStatus::Filled, Some(at("20000.666666667"))));
    desk.later();
    assert_eq!(desk.exchange.trades(desk.account, None, None).unwrap().len(), 2);
}

#[test]
fn a_part_names_the_price_of_a_joining_order() {
    let mut desk = Desk::new();
    let order = desk.place(desk.order(OrderType::JoinBid, Side::Buy, 2)).order_id.unwrap();
    assert!(desk.exchange.fill_partially(desk.now, desk.account, order, 1));
    assert_eq!(desk.find(order).limit_price, Some(at("19999.75")));
    desk.price("19999.75");
    assert_eq!(desk.status(order), 2);
}

#[test]
fn an_order_expires_once() {
    let mut desk = Desk::new();
    let order = desk.limit(Side::Buy, 1, "19990");
    desk.told();
    assert!(desk.exchange.expire(desk.now, desk.account, order));
    assert_eq!(desk.told(), ["order 4 0/1"]);
    assert!(!desk.exchange.expire(desk.now, desk.account, order));
    assert!(desk.told().is_empty());
}

#[test]
fn an_account_is_told_when_it_is_changed() {
    let mut desk = Desk::new();
    assert!(desk.exchange.set_balance(desk.now, desk.account, at("1234.50")));
    assert!(desk.exchange.set_can_trade(desk.now, desk.account, false));
    let events = desk.events();
    assert!(events[0].envelope().contains("\"balance\":1234.5,\"canTrade\":true"), "{}", events[0].envelope());
    assert!(events[1].envelope().contains("\"canTrade\":false"));
    assert!(desk.exchange.set_balance(desk.now, desk.account, Decimal::MAX));
    assert_eq!(desk.balance(), at("1000000000000"));
    assert!(!desk.exchange.set_balance(desk.now, 1, at("1")));
}

#[test]
fn an_account_that_may_not_trade_may_close() {
    let mut desk = Desk::new();
    desk.market(Side::Buy, 1);
    desk.exchange.set_can_trade(desk.now, desk.account, false);
    assert!(desk.close().is_success());
    desk.later();
    assert!(desk.exchange.positions(desk.account).unwrap().is_empty());
}

#[test]
fn a_voided_trade_gives_the_balance_back() {
    let mut desk = Desk::new();
    desk.market(Side::Buy, 1);
    let trade = desk.exchange.trades(desk.account, None, None).unwrap().remove(0);
    desk.events();
    assert!(desk.exchange.void_trade(desk.now, desk.account, trade.id));
    let events = desk.events();
    assert!(events[0].envelope().contains("\"voided\":true"));
    assert_eq!((events[0].action, events.len()), (ACTION_UPDATE, 2));
    assert_eq!(desk.balance(), at("150000"));
    assert!(!desk.exchange.void_trade(desk.now, desk.account, trade.id), "once");
    assert!(desk.exchange.truth(USER).trades[0].voided);
}
