//! Input that nobody should send: no panic, no loss of good rows, no amplification.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use signalr_proto::json::Cursor;
use topstep_model::rest::{self, Answer, Request};
use topstep_model::{
    Account, AccountId, AnyEvent, DepthRow, MarketEvent, MarketTrade, Order, OrderStatus, OrderType, Position,
    PositionType, Price, Quote, Rows, Target, UserEvent, UserTrade,
};

/// JSON of any shape, rich in what rows are made of.
fn json() -> impl Strategy<Value = String> {
    let names = prop::sample::select(vec![
        "id",
        "orderId",
        "Id",
        "action",
        "data",
        "Data",
        "accountId",
        "contractId",
        "status",
        "price",
        "volume",
        "type",
        "size",
        "0",
        "7",
        "999999999",
        "timestamp",
        "x",
        "",
        "$serde_json::private::RawValue",
        "$serde_json::private::Number",
    ]);
    let scalars = prop::sample::select(vec![
        "null",
        "true",
        "false",
        "0",
        "-1",
        "1.5",
        "1e999",
        "-1e-999",
        "5E-07",
        "\"5\"",
        "\"x\"",
        "\"\"",
        "\"\\ud800\"",
        "12345678901234567890123456789",
        "\"2026-08-19T20:51:31.4347534+00:00\"",
        "\"0001-01-01T00:00:00\"",
        "9223372036854775808",
        "\"CON.F.US.EP.U25\"",
        "\"\\u0000\"",
    ]);
    scalars.prop_map(str::to_owned).prop_recursive(7, 96, 8, move |inner| {
        let object = prop::collection::vec((names.clone(), inner.clone()), 0..8).prop_map(|members| {
            let members: Vec<String> = members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
            format!("{{{}}}", members.join(","))
        });
        let array = prop::collection::vec(inner, 0..8).prop_map(|elements| format!("[{}]", elements.join(",")));
        prop_oneof![object, array]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn no_json_panics(first in json(), second in json()) {
        for arguments in [format!("[{first}]"), format!("[{first},{second}]"), first] {
            for target in Target::ALL {
                let _ = AnyEvent::decode(target, &arguments);
            }
            let _ = Cursor::new(&arguments).decode::<Rows<UserEvent<Order>>>();
            let _ = Cursor::new(&arguments).decode::<Rows<MarketEvent<DepthRow>>>();
            let answer = Answer::new(200, arguments.as_bytes());
            let _ = rest::PlaceOrder::read(&answer);
            let _ = rest::SearchOrders::read(&answer);
            let _ = rest::FindOrder::read(&answer);
            let _ = rest::Login::read(&answer);
            let _ = rest::PlaceOrder::read(&Answer::new(400, arguments.as_bytes()));
        }
    }

    #[test]
    fn no_text_panics(text in any::<String>()) {
        for target in Target::ALL {
            let _ = AnyEvent::decode(target, &text);
        }
        let _ = text.parse::<Target>();
        let _ = text.parse::<topstep_model::ContractName>();
        let _ = text.parse::<topstep_model::ContractParts>();
    }

    /// Whatever stands beside them, good rows are all there, in order.
    #[test]
    fn a_bad_row_never_costs_its_neighbours(junk in prop::collection::vec(json(), 1..6)) {
        // Arrays and objects that are rows themselves, or hold some, are none of this test's junk.
        let junk: Vec<&String> = junk.iter().filter(|junk| !junk.starts_with(['[', '{']) || junk.len() < 3).collect();
        let good = |id: usize| format!(r#"{{"action":1,"data":{{"id":{id},"accountId":1,"contractId":"C","status":2}}}}"#);
        let mut elements = vec![good(0)];
        for (index, junk) in junk.iter().enumerate() {
            elements.push((*junk).clone());
            elements.push(good(index + 1));
        }
        let arguments = format!("[[{}]]", elements.join(","));
        let rows = Rows::<UserEvent<Order>>::from_json(&arguments).unwrap();
        let ids: Vec<i64> = rows.values().map(|order| order.value.id.number()).collect();
        let expected: Vec<i64> = (0..).take(junk.len() + 1).collect();
        prop_assert_eq!(ids, expected, "{}", arguments);
    }

    /// A member of the wrong kind costs its row, and only that.
    #[test]
    fn a_bad_member_costs_its_own_row(value in json(), name in prop::sample::select(vec!["price", "volume", "type", "timestamp"])) {
        let row = |volume: i64| format!(r#"{{"price":5023.25,"volume":{volume},"type":1,"timestamp":"2026-07-28T02:30:01Z"}}"#);
        let bad = format!(r#"{{"price":1,"volume":2,"type":3,"{name}":{value}}}"#);
        let arguments = format!(r#"["C",[{},{bad},{}]]"#, row(7), row(8));
        let rows = Rows::<MarketEvent<DepthRow>>::from_json(&arguments).unwrap();
        prop_assert!(rows.len() == 3, "{}", arguments);
        let volumes: Vec<_> = rows.iter().map(|row| row.as_ref().ok().map(|row| row.value.volume)).collect();
        prop_assert_eq!((volumes[0], volumes[2]), (Some(7), Some(8)));
        let by_cursor = Cursor::new(&arguments).decode::<Rows<MarketEvent<DepthRow>>>();
        prop_assert_eq!(by_cursor.unwrap(), rows);
    }

    #[test]
    fn positions_survive_over_their_whole_ranges(
        account in any::<i64>(),
        id in any::<Option<i64>>(),
        size in any::<i32>(),
        kind in prop::option::of(-3..6_i64),
        price in prop::option::of((any::<i64>(), 0..=28_u32)),
    ) {
        let mut position = Position::new(AccountId::new(account), "CON.F.US.EP.U25".into(), size);
        position.id = id.map(Into::into);
        position.kind = kind.map(topstep_model::Code::from_code);
        position.average_price = price.map(|(mantissa, places)| Price::new(mantissa, places).unwrap());
        let expected = match position.kind {
            _ if size == 0 => Some(0),
            Some(PositionType::Undefined) => Some(0),
            Some(PositionType::Long) => Some(i64::from(size)),
            Some(PositionType::Short) => Some(-i64::from(size)),
            _ => None,
        };
        prop_assert_eq!(position.signed_size(), expected);
        let event = AnyEvent::Position(UserEvent::new(None, position));
        let again = AnyEvent::decode(Target::UserPosition, &event.to_arguments()).unwrap();
        prop_assert_eq!(again.values().collect::<Vec<_>>(), vec![&event]);
    }

    #[test]
    fn orders_survive_over_their_whole_ranges(
        ids in prop::array::uniform2(any::<i64>()),
        links in prop::array::uniform2(any::<Option<i64>>()),
        status in any::<i64>(),
        kind in prop::option::of(-3..12_i64),
        sizes in prop::array::uniform3(any::<Option<i32>>()),
        prices in prop::array::uniform4(prop::option::of((any::<i64>(), 0..=28_u32))),
        tag in any::<Option<String>>(),
        action in prop::option::of(-1..5_i64),
    ) {
        let status = <OrderStatus as topstep_model::Code>::from_code(status);
        let mut order = Order::new(ids[0].into(), ids[1].into(), "CON.F.US.EP.U25".into(), status);
        order.parent_order_id = links[0].map(Into::into);
        order.linked_order_id = links[1].map(Into::into);
        order.kind = kind.map(<OrderType as topstep_model::Code>::from_code);
        [order.size, order.fill_volume, order.trail_distance] = sizes;
        [order.limit_price, order.stop_price, order.filled_price, order.trail_price] =
            prices.map(|price| price.map(|(mantissa, places)| Price::new(mantissa, places).unwrap()));
        order.custom_tag = tag.map(Into::into);
        let event = AnyEvent::Order(UserEvent::new(action.map(topstep_model::Code::from_code), order));
        let again = AnyEvent::decode(Target::UserOrder, &event.to_arguments()).unwrap();
        prop_assert_eq!(again.values().collect::<Vec<_>>(), vec![&event]);
    }
}

#[test]
fn statuses_say_what_they_are() {
    for code in -2..12 {
        let status = <OrderStatus as topstep_model::Code>::from_code(code);
        assert_eq!(status.is_terminal(), [2, 3, 4, 5].contains(&code), "{code}");
        assert_eq!(status.is_working(), [1, 6, 7, 8].contains(&code), "{code}");
        assert_eq!(status.terminal_rank() == 4, status.is_terminal(), "{code}");
    }
    assert_eq!(OrderStatus::PendingCancellation.to_string(), "pending cancellation");
    assert_eq!(<OrderStatus as topstep_model::Code>::from_code(42).to_string(), "unknown code 42");
}

/// A few bytes must not become a large error each, nor a large row.
#[test]
fn a_message_of_many_bad_rows_is_bounded() {
    let arguments = format!("[[{}{{\"id\":1}}]]", "5,".repeat(200_000));
    let rows = Rows::<UserEvent<Account>>::from_json(&arguments).unwrap();
    assert_eq!(rows.values().count(), 1);
    assert_eq!(rows.len(), 1_002);
    assert!(rows.errors().last().unwrap().message().starts_with("199000 more rows"), "{:?}", rows.errors().last());

    let arguments = format!("[\"C\",[{}{{}}]]", "{},".repeat(99_999));
    let rows = Rows::<MarketEvent<Quote>>::from_json(&arguments).unwrap();
    assert_eq!((rows.len(), rows.errors().count()), (65_537, 1));

    let deep = "[".repeat(100_000);
    Rows::<MarketEvent<MarketTrade>>::from_json(&deep).unwrap_err();
    let deep = format!("[{}{}]", "[".repeat(100), "]".repeat(100));
    assert_eq!(Rows::<UserEvent<UserTrade>>::from_json(&deep).unwrap().errors().count(), 1);
}

#[test]
fn what_an_error_repeats_is_cut() {
    let long = "x".repeat(100_000);
    for arguments in
        [format!(r#"[{{"id":"{long}"}}]"#), format!(r#"["{long}"]"#), format!(r#"[{{"id":1,"balance":[{long}]}}]"#)]
    {
        match Rows::<UserEvent<Account>>::from_json(&arguments) {
            Ok(rows) => {
                let error = rows.errors().next().unwrap();
                assert!(error.to_string().len() < 400, "{error}");
                assert_eq!(error.excerpt().unwrap().len(), 64);
            }
            Err(error) => assert!(error.to_string().len() < 400, "{error}"),
        }
    }
    assert!(long.parse::<Target>().unwrap_err().to_string().len() < 200);
}

#[test]
fn a_member_that_turns_good_excuses_no_other_one() {
    let orders = |members: &str| {
        let row = format!(r#"[{{"action":1,"data":{{"id":1,"accountId":2,"contractId":"C","status":1,{members}}}}}]"#);
        let rows: Rows<UserEvent<Order>> = serde_json::from_str(&row).unwrap();
        rows.errors().next().map(|error| error.place().to_owned())
    };
    assert_eq!(orders(r#""size":"?","side":"?","size":3"#).as_deref(), Some("[0].data.side"));
    assert_eq!(orders(r#""size":"?","side":"?","size":3,"side":0"#), None);
    assert_eq!(orders(r#""size":"?","side":"?","side":0"#).as_deref(), Some("[0].data.size"));
}
