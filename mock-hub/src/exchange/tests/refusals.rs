//! What a place is refused for, and what it leaves behind.

use super::super::{Bracket, OrderStatus};
use super::*;

#[test]
fn a_refusal_is_told_as_captured() {
    let mut desk = Desk::new();
    let mut order = desk.order(OrderType::Market, Side::Buy, 1);
    order.stop_loss = Some(Bracket { ticks: 400, order_type: 4 });
    let answer = desk.place(order);
    assert_eq!(answer.code, 2);
    let message = "Invalid stop loss ticks (400). Ticks should be less than zero when longing.";
    assert_eq!(answer.message.as_deref(), Some(message));
    desk.later();
    let events = desk.events();
    assert_eq!(events.iter().map(words).collect::<Vec<_>>(), ["order 6 0/1", "order 5 0/1"]);
    assert!(!events[1].envelope().contains("longing"), "the stream gives no reason");
    assert_eq!(desk.find(answer.order_id.unwrap()).status, OrderStatus::Rejected);
}

/// What a refused place answers: its code, its message, and whether an order is left behind.
fn refused(change: impl FnOnce(&mut Desk, &mut PlaceOrder)) -> (i32, Option<String>, bool) {
    let mut desk = Desk::new();
    let mut order = desk.order(OrderType::Limit, Side::Buy, 1);
    order.limit_price = Some(at("19990"));
    change(&mut desk, &mut order);
    let answer = desk.place(order);
    assert_ne!(answer.code, 0);
    desk.later();
    let left = answer.order_id.map(|order_id| desk.status(order_id));
    assert!(left.is_none_or(|status| status == 5), "{left:?}");
    assert_eq!(desk.events().len(), if left.is_some() { 2 } else { 0 });
    (answer.code, answer.message, left.is_some())
}

#[test]
fn unknown_things_have_codes_and_no_words() {
    assert_eq!(refused(|_, order| order.account_id = 1), (1, None, false));
    assert_eq!(refused(|_, order| order.contract_id = "CON.F.US.NOPE.U26".into()), (8, None, false));
    assert_eq!(refused(|_, order| order.contract_id = "CON.F.US.MNQ.U26".into()), (9, None, false));
    let locked = |desk: &mut Desk, _: &mut PlaceOrder| {
        assert!(desk.exchange.set_can_trade(desk.now, desk.account, false));
        desk.events();
    };
    assert_eq!(refused(locked), (10, None, false));
}

#[test]
fn type_side_size_and_tag_leave_nothing_behind() {
    let message = |text: &str| (2, Some(text.to_owned()), false);
    for order_type in [0, 3, 8, -1] {
        assert_eq!(refused(|_, order| order.order_type = order_type), message("Invalid order type specified"));
    }
    for size in [0, -1, i32::MAX] {
        assert_eq!(refused(|_, order| order.size = size), message("Invalid order size specified"));
    }
    assert_eq!(refused(|_, order| order.side = 2), message("Invalid order side specified"));
    let long = message("Invalid custom tag specified. It may have 256 characters.");
    assert_eq!(refused(|_, order| order.custom_tag = Some("é".repeat(257))), long);
}

#[test]
fn a_tag_is_used_once_for_ever() {
    let tagged = |desk: &Desk, tag: &str| {
        let mut order = desk.order(OrderType::Market, Side::Buy, 1);
        order.custom_tag = Some(tag.to_owned());
        order
    };
    let mut desk = Desk::new();
    let order = desk.placed(tagged(&desk, "one"));
    assert_eq!(desk.find(order).custom_tag.as_deref(), Some("one"));
    let again = desk.place(tagged(&desk, "one"));
    assert_eq!((again.code, again.order_id), (2, None));
    assert_eq!(again.message.as_deref(), Some("Invalid custom tag specified. 'one' is already in use."));
    let other = desk.exchange.add_account(USER, NewAccount::evaluation());
    assert!(desk.place(PlaceOrder { account_id: other, ..tagged(&desk, "one") }).is_success());
    for _ in 0..2 {
        let order = desk.placed(tagged(&desk, ""));
        assert_eq!(desk.find(order).custom_tag, None, "an empty tag is none");
    }
}

#[test]
fn prices_stand_on_the_tick_and_before_the_market() {
    let message = |text: &str| (2, Some(text.to_owned()), true);
    let limit = |price: Option<&str>| refused(|_, order| order.limit_price = price.map(at));
    assert_eq!(limit(Some("19990.1")), message("Invalid limit price. Price is not aligned to tick size."));
    for price in [None, Some("0"), Some("-5"), Some("79228162514264337593543950335")] {
        assert_eq!(limit(price), message("Invalid limit price specified"));
    }
    let stop = |side: i32, price: Option<&str>| {
        refused(|_, order| (order.order_type, order.side, order.stop_price) = (4, side, price.map(at)))
    };
    assert_eq!(stop(0, Some("20000.3")), message("Invalid stop price. Price is not aligned to tick size."));
    assert_eq!(stop(0, Some("20000")), message("Invalid stop price. Price should be above the last price."));
    assert_eq!(stop(1, Some("20000")), message("Invalid stop price. Price should be below the last price."));
    assert_eq!(stop(1, None), message("Invalid stop price specified"));
    let trail = |side: i32, price: &str| {
        refused(|_, order| (order.order_type, order.side, order.trail_price) = (5, side, Some(at(price))))
    };
    assert_eq!(trail(1, "20001"), message("Invalid trail price. Price should be below the last price."));
    assert_eq!(trail(1, "19749.75"), message("Invalid trail price. Distance should be at most 1000 ticks."));
}

#[test]
fn brackets_have_signs_distances_and_types() {
    let bracket = |side: i32, stop: Option<(i32, i32)>, target: Option<(i32, i32)>| {
        let bracket = |(ticks, order_type)| Bracket { ticks, order_type };
        let (code, message, left) = refused(|_, order| {
            order.side = side;
            (order.stop_loss, order.take_profit) = (stop.map(bracket), target.map(bracket));
        });
        assert_eq!((code, left), (2, true));
        message.unwrap()
    };
    let at_least = "Stop loss tick value should be at least 4 ticks.";
    assert_eq!(
        bracket(0, Some((0, 4)), None),
        "Invalid stop loss ticks (0). Ticks should be less than zero when longing."
    );
    assert_eq!(bracket(0, Some((-3, 4)), None), format!("Invalid stop loss ticks (-3). {at_least}"));
    assert_eq!(bracket(1, Some((-50, 4)), None), format!("Invalid stop loss ticks (-50). {at_least}"));
    assert_eq!(
        bracket(1, None, Some((50, 1))),
        "Invalid take profit ticks (50). Ticks should be less than zero when going short."
    );
    assert_eq!(
        bracket(0, None, Some((-50, 1))),
        "Invalid take profit ticks (-50). Ticks should be greater than zero when longing."
    );
    assert_eq!(bracket(0, Some((-50, 1)), None), "Invalid stop loss type (Limit)");
    assert_eq!(bracket(0, None, Some((50, 4))), "Invalid take profit type (Stop)");
    assert_eq!(bracket(0, None, Some((50, 77))), "Invalid take profit type (77)");
    assert!(bracket(0, Some((i32::MIN, 4)), None).contains("at most"));
    assert!(bracket(0, Some((-1_001, 5)), None).contains("at most 1000"));
    let (_, message, _) = refused(|desk, order| {
        assert!(desk.exchange.set_position_brackets(desk.account, true));
        order.stop_loss = Some(Bracket { ticks: -40, order_type: 4 });
    });
    assert_eq!(message.as_deref(), Some("Brackets cannot be used with Position Brackets"));
}

#[test]
fn the_balance_carries_what_is_held() {
    let mut desk = Desk::new();
    assert!(desk.exchange.set_balance(desk.now, desk.account, at("150")));
    let no_margin = |answer: PlaceAnswer| {
        assert_eq!((answer.code, answer.message.as_deref()), (2, Some("Not enough margin.")));
    };
    no_margin(desk.place(desk.order(OrderType::Market, Side::Buy, 4)));
    desk.market(Side::Buy, 2);
    no_margin(desk.place(desk.order(OrderType::Market, Side::Buy, 1)));
    let other = PlaceOrder { contract_id: ES.into(), ..desk.order(OrderType::Market, Side::Buy, 1) };
    no_margin(desk.place(other));
    assert!(desk.exchange.set_balance(desk.now, desk.account, at("-5")));
    desk.market(Side::Sell, 1);
    no_margin(desk.place(desk.order(OrderType::Market, Side::Sell, 3)));
    desk.market(Side::Sell, 1);
}

#[test]
fn without_a_price_nothing_trades() {
    let mut desk = Desk::new();
    let order = PlaceOrder { contract_id: ES.into(), ..desk.order(OrderType::Market, Side::Buy, 1) };
    let answer = desk.exchange.place(desk.now, &desk.contracts, None, order.clone());
    let message = "Trading is currently unavailable. The instrument is not in an active trading status.";
    assert_eq!((answer.code, answer.message.as_deref()), (2, Some(message)));
    desk.exchange.on_price(desk.now, ES, &best(at("7000")));
    assert!(desk.exchange.place(desk.now, &desk.contracts, None, order).is_success());
}
