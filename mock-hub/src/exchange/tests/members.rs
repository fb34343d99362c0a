//! The members of what is printed, against what was captured.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::super::{Bracket, Kind};
use super::*;

const SAMPLES: &str = include_str!("../../../data/topstepx-samples.jsonl");

/// The member names of the captured events of a kind that a test picks by their data.
fn captured(kind: Kind, pick: impl Fn(&Json) -> bool) -> BTreeSet<String> {
    let samples = SAMPLES.lines().map(|line| serde_json::from_str::<Json>(line).unwrap());
    let mut live = samples.filter(|sample| {
        let seen = sample["kind"] == "LIVE" || sample["kind"] == "LIVE-PARTIAL";
        seen && sample["event"] == kind.target() && sample["args"][0]["data"].is_object()
    });
    let sample = live.find(|sample| pick(&sample["args"][0]["data"])).expect("a capture of this kind");
    names(&sample["args"][0]["data"])
}

fn names(object: &Json) -> BTreeSet<String> {
    object.as_object().unwrap().keys().cloned().collect()
}

/// The data of the events told since the last call.
fn data(desk: &mut Desk, kind: Kind) -> Vec<Json> {
    let events = desk.events().into_iter().filter(|event| event.kind == kind);
    events.map(|event| serde_json::from_str::<Json>(&event.envelope()).unwrap()["data"].take()).collect()
}

fn bracketed(desk: &mut Desk) -> i64 {
    let mut order = desk.order(OrderType::Market, Side::Sell, 1);
    order.custom_tag = Some("glt-1".into());
    order.stop_loss = Some(Bracket { ticks: 101, order_type: 4 });
    order.take_profit = Some(Bracket { ticks: -99, order_type: 1 });
    desk.placed(order)
}

#[test]
fn orders_have_the_captured_members() {
    let mut desk = Desk::new();
    desk.market(Side::Buy, 1);
    let orders = data(&mut desk, Kind::Order);
    let plain = |order: &Json| order["status"] == 6 && order["customTag"].is_null() && order["symbolId"].is_string();
    assert_eq!(names(&orders[0]), captured(Kind::Order, plain));

    let mut order = desk.order(OrderType::Market, Side::Sell, 1);
    order.custom_tag = Some("glt-0".into());
    desk.exchange.reject_next(desk.account, "no");
    desk.place(order);
    desk.later();
    let orders = data(&mut desk, Kind::Order);
    assert_eq!(names(&orders[1]), captured(Kind::Order, |order| order["status"] == 5));

    bracketed(&mut desk);
    let orders = data(&mut desk, Kind::Order);
    let member = |status: i32, order_type: i32, tagged: bool| {
        move |order: &Json| {
            order["status"] == status && order["type"] == order_type && order["parentOrderId"].is_number() == tagged
        }
    };
    let entry = |order: &Json| order["status"] == 6 && order["customTag"].is_string();
    for (told, wanted) in orders.iter().zip([
        captured(Kind::Order, member(8, 4, true)),
        captured(Kind::Order, entry),
        captured(Kind::Order, member(8, 1, true)),
    ]) {
        assert_eq!(names(told), wanted, "{told}");
    }
    for (told, wanted) in orders[4..].iter().zip([member(1, 1, true), member(1, 4, true)]) {
        assert_eq!(names(told), captured(Kind::Order, wanted), "{told}");
    }
    assert_eq!(orders.len(), 6);
}

#[test]
fn trades_positions_and_accounts_have_the_captured_members() {
    let mut desk = Desk::new();
    desk.market(Side::Buy, 1);
    desk.market(Side::Sell, 1);
    let (mut opening, mut closing, mut positions, mut accounts) = (vec![], vec![], vec![], vec![]);
    for event in desk.events() {
        let data = serde_json::from_str::<Json>(&event.envelope()).unwrap()["data"].take();
        match &event.value {
            Value::Trade(trade) if trade.profit_and_loss.is_none() => opening.push(data),
            Value::Trade(_) => closing.push(data),
            Value::Position(_) => positions.push(data),
            Value::Account(_) => accounts.push(data),
            Value::Order(_) => {}
        }
    }
    let current = |trade: &Json| trade["commissions"].is_number();
    let opened = captured(Kind::Trade, |trade| current(trade) && trade["profitAndLoss"].is_null());
    let closed = captured(Kind::Trade, |trade| current(trade) && trade["profitAndLoss"].is_number());
    assert_eq!((opening.len(), closing.len(), positions.len()), (2, 1, 2));
    assert!(opening.iter().all(|trade| names(trade) == opened));
    assert_eq!(names(&closing[0]), closed);
    for (position, size) in positions.iter().zip([15, 0]) {
        assert_eq!(names(position), captured(Kind::Position, |position| position["size"] == size));
    }
    assert!(accounts.iter().all(|account| names(account) == captured(Kind::Account, |_| true)));
}

#[test]
fn the_stream_prints_as_captured() {
    let mut desk = Desk::new();
    desk.market(Side::Buy, 1);
    let events = desk.events();
    let Value::Order(order) = &events[0].value else { panic!("{events:?}") };
    let wanted = format!(
        "{{\"action\":1,\"data\":{{\"id\":{},\"accountId\":10000001,\"contractId\":\"CON.F.US.MNQ.Z26\",\
         \"symbolId\":\"F.US.MNQ\",\"creationTimestamp\":\"2026-11-21T12:00:00+00:00\",\
         \"updateTimestamp\":\"2026-11-21T12:00:00+00:00\",\"status\":6,\"type\":2,\"side\":0,\"size\":1,\
         \"fillVolume\":0}}}}",
        order.id
    );
    assert_eq!(events[0].envelope(), wanted);
    assert!(events[2].envelope().contains("\"filledPrice\":20000}"), "{}", events[2].envelope());
    assert!(events[3].envelope().contains("\"contractDisplayName\":\"MNQZ26\""));
}

#[test]
fn rest_writes_nulls_and_leaves_links_out() {
    let mut desk = Desk::new();
    let entry = bracketed(&mut desk);
    let rest = |order: &Order| names(&serde_json::from_str(&order.rest_json()).unwrap());
    let base = "id accountId contractId symbolId creationTimestamp updateTimestamp status type side size limitPrice \
                stopPrice fillVolume filledPrice customTag";
    let mut wanted: BTreeSet<String> = base.split_whitespace().map(str::to_owned).collect();
    assert_eq!(rest(&desk.find(entry)), wanted);
    wanted.insert("parentOrderId".into());
    assert_eq!(rest(&desk.find(entry + 1)), wanted);
    wanted.insert("linkedOrderId".into());
    assert_eq!(rest(&desk.find(entry + 2)), wanted);
    assert!(desk.find(entry + 1).rest_json().contains("\"limitPrice\":null,\"stopPrice\":20025"));

    let trade = desk.exchange.trades(desk.account, None, None).unwrap().remove(0);
    let wanted = format!(
        "{{\"id\":{},\"accountId\":10000001,\"contractId\":\"CON.F.US.MNQ.Z26\",\"creationTimestamp\":\"{}\",\
         \"price\":19999.75,\"profitAndLoss\":null,\"fees\":0.36,\"side\":1,\"size\":1,\"voided\":false,\
         \"orderId\":{entry}}}",
        trade.id,
        super::super::stamp::rest(trade.creation)
    );
    assert_eq!(trade.rest_json(), wanted);
}

#[test]
fn the_truth_prints_decimals_as_text() {
    let mut desk = Desk::new();
    desk.market(Side::Sell, 1);
    let truth = serde_json::to_value(desk.exchange.truth(USER)).unwrap();
    let order = desk.exchange.query(&super::super::OrderQuery::new(desk.account)).unwrap().orders.remove(0);
    assert_eq!(
        truth["orders"][0],
        serde_json::json!({
            "accountId": 10000001, "id": order.id, "contractId": MNQ, "status": 2, "type": 2, "side": 1, "size": 1,
            "fillVolume": 1, "filledPrice": "19999.75", "limitPrice": null, "stopPrice": null,
        })
    );
    assert_eq!(truth["accounts"][0], serde_json::json!({"id": 10000001, "balance": "149999.39", "canTrade": true}));
    assert_eq!(
        truth["positions"][0],
        serde_json::json!({
            "accountId": 10000001, "contractId": MNQ, "type": 2, "size": 1, "averagePrice": "19999.75"
        })
    );
    assert_eq!(truth["trades"][0]["profitAndLoss"], Json::Null);
    assert_eq!(truth["trades"][0]["price"], "19999.75");
}
