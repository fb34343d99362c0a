//! Which price fills which order.

use super::*;

#[test]
fn a_resting_limit_fills_at_its_price_when_the_other_side_reaches_it() {
    let mut desk = Desk::new();
    let (buy, sell) = (desk.limit(Side::Buy, 1, "19990"), desk.limit(Side::Sell, 1, "20010"));
    desk.price("19990.25");
    assert_eq!((desk.status(buy), desk.status(sell)), (1, 1));
    desk.price("19980");
    assert_eq!((desk.status(buy), desk.find(buy).filled_price), (2, Some(at("19990"))));
    desk.price("20010");
    assert_eq!(desk.status(sell), 1, "the bid is a tick short of it");
    desk.price("20010.25");
    assert_eq!((desk.status(sell), desk.find(sell).filled_price), (2, Some(at("20010"))));
}

#[test]
fn a_limit_in_the_market_fills_there() {
    let mut desk = Desk::new();
    let order = desk.limit(Side::Buy, 1, "20005");
    assert_eq!((desk.status(order), desk.find(order).filled_price), (2, Some(at("20000"))));
}

#[test]
fn a_stop_fills_at_the_market_when_the_last_price_reaches_it() {
    let mut desk = Desk::new();
    let stop = |desk: &mut Desk, side, price| {
        let mut order = desk.order(OrderType::Stop, side, 1);
        order.stop_price = Some(at(price));
        desk.placed(order)
    };
    let (buy, sell) = (stop(&mut desk, Side::Buy, "20005"), stop(&mut desk, Side::Sell, "19995"));
    desk.price("20004.75");
    assert_eq!((desk.status(buy), desk.status(sell)), (1, 1));
    desk.price("20007");
    assert_eq!((desk.status(buy), desk.find(buy).filled_price), (2, Some(at("20007"))));
    desk.price("19995");
    assert_eq!((desk.status(sell), desk.find(sell).filled_price), (2, Some(at("19994.75"))));
}

#[test]
fn a_trailing_stop_follows_only_forwards_and_tells_each_step() {
    let mut desk = Desk::new();
    let mut order = desk.order(OrderType::TrailingStop, Side::Sell, 1);
    order.trail_price = Some(at("19990"));
    let order = desk.placed(order);
    assert_eq!((desk.find(order).trail_distance, desk.find(order).trail_price), (Some(-40), Some(at("-10"))));
    desk.told();
    desk.price("20004");
    desk.price("19996");
    assert_eq!((desk.find(order).stop_price, desk.told()), (Some(at("19994")), vec!["order 1 0/1".to_owned()]));
    desk.price("19994");
    assert_eq!((desk.status(order), desk.find(order).filled_price), (2, Some(at("19993.75"))));
}

#[test]
fn a_buys_trailing_stop_follows_down() {
    let mut desk = Desk::new();
    let mut order = desk.order(OrderType::TrailingStop, Side::Buy, 1);
    order.trail_price = Some(at("20010"));
    let order = desk.placed(order);
    desk.price("19996");
    desk.price("20004");
    let trailing = desk.find(order);
    assert_eq!((trailing.stop_price, trailing.status.code()), (Some(at("20006")), 1));
    assert!(trailing.rest_json().ends_with("\"trailDistance\":40,\"trailPrice\":10}"), "{}", trailing.rest_json());
    desk.price("20006");
    assert_eq!(desk.status(order), 2);
}

#[test]
fn joins_rest_at_the_side_that_stands_when_they_arrive() {
    let mut desk = Desk::new();
    let bid = desk.placed(desk.order(OrderType::JoinBid, Side::Buy, 1));
    let ask = desk.placed(desk.order(OrderType::JoinAsk, Side::Sell, 1));
    assert_eq!((desk.status(bid), desk.find(bid).limit_price), (1, Some(at("19999.75"))));
    assert_eq!((desk.status(ask), desk.find(ask).limit_price), (1, Some(at("20000"))));
    desk.price("19999.75");
    assert_eq!((desk.status(bid), desk.status(ask)), (2, 1));
}

#[test]
fn an_order_meets_the_price_that_stands_when_it_arrives() {
    let mut desk = Desk::new();
    let answer = desk.place(desk.order(OrderType::Market, Side::Buy, 1));
    desk.exchange.on_price(desk.now + Duration::milliseconds(1), MNQ, &best(at("20050")));
    desk.later();
    assert_eq!(desk.find(answer.order_id.unwrap()).filled_price, Some(at("20050")));
}

#[test]
fn other_contracts_prices_move_nothing() {
    let mut desk = Desk::new();
    let order = desk.limit(Side::Buy, 1, "19990");
    desk.exchange.on_price(desk.now, ES, &best(at("7000")));
    assert_eq!(desk.status(order), 1);
}

#[test]
fn time_that_goes_back_changes_nothing() {
    let mut desk = Desk::new();
    let order = desk.limit(Side::Buy, 1, "19990");
    let opened = desk.find(order).update;
    desk.exchange.on_price(OffsetDateTime::UNIX_EPOCH, MNQ, &best(at("19990")));
    assert!(desk.find(order).update > opened);
    assert_eq!(desk.exchange.next_due(), None);
}
