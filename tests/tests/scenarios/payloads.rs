//! IT-SIG-008 and 009: the user's trades and positions, over a hub's socket and read directly, which must be the same.
//!
//! Prices and money are exact decimals, where the text has floats. The venue wraps its events; what is documented is bare. Both are read.

use std::fmt::Debug;

use adapter_core::{HubConnection, On, Runtime};
use mock_hub::{MockHub, Options};
use serde_json::{Value, json};
use tests::scenarios;
use tests::scripted;
use tests::wait::next;
use topstep_model::{
    AccountId, Event, OrderId, OrderSide, Position, PositionId, PositionType, Price, Rows, StreamAction, Timestamp,
    TradeId, UserEvent, UserTrade,
};

scenarios! {
    it_sig_008_a_trade_s_payload,
    it_sig_008_a_trade_without_its_optional_members,
    it_sig_008_a_trade_with_members_of_the_wrong_type,
    it_sig_009_a_position_s_payload,
    it_sig_009_every_type_of_position,
    it_sig_009_a_position_without_its_optional_members,
    it_sig_009_a_position_with_members_of_the_wrong_type,
}

/// As the scenario has it, digit for digit.
const TRADE: &str = r#"{"id":101112,"accountId":123,"contractId":"CON.F.US.EP.U25","creationTimestamp":"2024-07-21T13:47:00Z","price":2100.75,"profitAndLoss":50.25,"fees":2.50,"side":0,"size":1,"voided":false,"orderId":789}"#;
/// As the scenario has it, digit for digit.
const POSITION: &str = r#"{"id":456,"accountId":123,"contractId":"CON.F.US.EP.U25","creationTimestamp":"2024-07-21T13:45:00Z","type":1,"size":2,"averagePrice":2100.25}"#;

/// A connection to a user hub, and what it tells of one target.
struct User<R, E> {
    hub: MockHub,
    target: &'static str,
    events: On<Rows<E>>,
    _connection: HubConnection<R>,
}

impl<R: Runtime, E: Event + Clone + PartialEq + Debug + Send + 'static> User<R, E>
where
    Rows<E>: serde::de::DeserializeOwned,
{
    async fn new(target: &'static str) -> Self {
        let hub = MockHub::start(Options::default()).unwrap();
        let builder = HubConnection::<R>::builder(hub.hub_url("user")).skip_negotiation(true);
        let connection = scripted::connect(builder).await;
        Self { hub, target, events: connection.on(target), _connection: connection }
    }

    /// The rows of an event with these arguments: as they come over the socket, which is how they are read directly.
    async fn rows(&mut self, arguments: &str) -> Rows<E> {
        assert_eq!(self.hub.publish("user", self.target, arguments, None).unwrap(), 1);
        let told = next::<R, _>(arguments, &mut self.events).await.into_value();
        let told = told.unwrap_or_else(|| panic!("nothing of {arguments} could be read"));
        assert_eq!(Rows::from_json(arguments).as_ref(), Ok(&told), "{arguments}");
        told
    }

    /// The one row of an event, which is as it should be.
    async fn row(&mut self, arguments: &str) -> E {
        let rows = self.rows(arguments).await;
        assert_eq!((rows.len(), rows.errors().count()), (1, 0), "{rows:?}");
        rows.into_iter().next().unwrap().unwrap()
    }

    /// What is wrong with the row in the middle, between two good ones, which are not harmed.
    async fn error_between(&mut self, good: &str, bad: &Value) -> String {
        let arguments = format!("[[{good},{bad},{good}]]");
        let rows = self.rows(&arguments).await;
        let good = self.row(&format!("[{good}]")).await;
        assert_eq!(rows.values().collect::<Vec<_>>(), [&good, &good], "{rows:?}");
        let [error] = &rows.errors().collect::<Vec<_>>()[..] else { panic!("{bad}: {rows:?}") };
        assert!(error.place().starts_with("[0][1]"), "{error}");
        error.to_string()
    }
}

/// The scenario's payload with one member of another value; `None`: without it.
fn with(payload: &str, member: &str, value: Option<Value>) -> Value {
    let mut payload: Value = serde_json::from_str(payload).unwrap();
    let members = payload.as_object_mut().unwrap();
    assert!(members.remove(member).is_some(), "{member}");
    members.extend(value.map(|value| (member.to_owned(), value)));
    payload
}

fn price(text: &str) -> Price {
    text.parse().unwrap()
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

async fn it_sig_008_a_trade_s_payload<R: Runtime>() {
    let mut user = User::<R, UserEvent<UserTrade>>::new("GatewayUserTrade").await;
    for (arguments, action) in [
        (format!("[{TRADE}]"), None),
        (format!(r#"[{{"action":0,"data":{TRADE}}}]"#), Some(StreamAction::Create)),
        (format!("[[{TRADE}]]"), None),
        (format!("[123,{TRADE}]"), None),
    ] {
        let event = user.row(&arguments).await;
        assert_eq!(event.action, action, "{arguments}");
        let trade = event.value;
        // Whole numbers, in types of their own.
        assert_eq!((trade.id, trade.account_id), (TradeId::new(101_112), AccountId::new(123)));
        assert_eq!((trade.order_id, trade.size), (OrderId::new(789), 1));
        assert_eq!(trade.contract_id.as_str(), "CON.F.US.EP.U25");
        // Exact decimals, with the places that they were written with.
        assert_eq!(
            (trade.price, trade.profit_and_loss, trade.fees),
            (price("2100.75"), Some(price("50.25")), Some(price("2.5")))
        );
        assert_eq!(trade.fees.map(|fees| fees.to_string()).as_deref(), Some("2.50"));
        assert_eq!(trade.price.decimal() * trade.profit_and_loss.unwrap().decimal(), price("105562.6875").decimal());
        // A point in time.
        assert_eq!(trade.creation_timestamp, Some(time("2024-07-21T13:47:00Z")));
        assert_eq!(trade.creation_timestamp.map(|at| at.utc().unix_timestamp()), Some(1_721_569_620));
        assert_eq!((trade.side, trade.side.sign(), trade.voided), (OrderSide::Bid, Some(1), Some(false)));
    }
    let sold = user.row(&format!("[{}]", with(TRADE, "side", Some(json!(1))))).await.value;
    assert_eq!(sold.side, OrderSide::Ask);
    let voided = user.row(&format!("[{}]", with(TRADE, "voided", Some(json!(true))))).await.value;
    assert_eq!(voided.voided, Some(true));
    // Ids are wider than a float can tell.
    let wide = user.row(&format!("[{}]", with(TRADE, "id", Some(json!(9_007_199_254_740_993_i64))))).await.value;
    assert_eq!(wide.id, TradeId::new(9_007_199_254_740_993));
}

async fn it_sig_008_a_trade_without_its_optional_members<R: Runtime>() {
    let mut user = User::<R, UserEvent<UserTrade>>::new("GatewayUserTrade").await;
    let bare = r#"{"id":101112,"accountId":123,"contractId":"CON.F.US.EP.U25","price":2100.75,"side":0,"size":1,"orderId":789}"#;
    let nulls = bare.replace('}', r#","creationTimestamp":null,"profitAndLoss":null,"fees":null,"voided":null}"#);
    for payload in [bare, &nulls] {
        let trade = user.row(&format!(r#"[{{"action":0,"data":{payload}}}]"#)).await.value;
        // The opening half-turn has no profit: it is unknown, not zero; and what is not known to be voided is not said to be valid.
        assert_eq!((trade.profit_and_loss, trade.fees, trade.commissions), (None, None, None));
        assert_eq!((trade.creation_timestamp, trade.voided), (None, None));
        assert_eq!(trade.id, TradeId::new(101_112));
    }
    for member in ["id", "accountId", "contractId", "price", "side", "size", "orderId"] {
        for value in [None, Some(Value::Null)] {
            let error = user.error_between(TRADE, &with(TRADE, member, value)).await;
            assert!(error.contains(member), "{error}");
        }
    }
}

async fn it_sig_008_a_trade_with_members_of_the_wrong_type<R: Runtime>() {
    let mut user = User::<R, UserEvent<UserTrade>>::new("GatewayUserTrade").await;
    let wrong = [
        ("id", json!("abc")),
        ("id", json!(1.5)),
        ("accountId", json!({})),
        ("contractId", json!(true)),
        ("creationTimestamp", json!("yesterday")),
        ("creationTimestamp", json!("2024-13-45T99:00:00Z")),
        ("creationTimestamp", json!(5)),
        ("price", json!("2100.75 USD")),
        ("price", json!(true)),
        ("profitAndLoss", json!([])),
        ("fees", json!({ "amount": 2.5 })),
        ("side", json!("Bid")),
        ("side", json!(0.5)),
        ("size", json!(2.5)),
        ("size", json!(1_i64 << 40)),
        ("voided", json!("maybe")),
        ("orderId", json!([])),
    ];
    for (member, value) in wrong {
        let error = user.error_between(TRADE, &with(TRADE, member, Some(value.clone()))).await;
        assert!(error.contains(member), "{value}: {error}");
    }
    // A number in quotes is a number; a code that nobody knows yet is kept, and lies in no known side.
    for (member, value) in
        [("id", json!("101112")), ("price", json!("2100.75")), ("size", json!("1")), ("side", json!("0"))]
    {
        let trade = user.row(&format!("[{}]", with(TRADE, member, Some(value)))).await;
        assert_eq!(trade, user.row(&format!("[{TRADE}]")).await, "{member}");
    }
    let unknown = user.row(&format!("[{}]", with(TRADE, "side", Some(json!(7))))).await.value;
    assert_eq!((unknown.side, unknown.side.sign()), (OrderSide::Other(7), None));
}

async fn it_sig_009_a_position_s_payload<R: Runtime>() {
    let mut user = User::<R, UserEvent<Position>>::new("GatewayUserPosition").await;
    for (arguments, action) in [
        (format!("[{POSITION}]"), None),
        (format!(r#"[{{"action":1,"data":{POSITION}}}]"#), Some(StreamAction::Update)),
        (format!("[[{POSITION}]]"), None),
    ] {
        let event = user.row(&arguments).await;
        assert_eq!(event.action, action, "{arguments}");
        let position = event.value;
        assert_eq!((position.id, position.account_id), (Some(PositionId::new(456)), AccountId::new(123)));
        assert_eq!(position.contract_id.as_str(), "CON.F.US.EP.U25");
        assert_eq!((position.kind, position.size), (Some(PositionType::Long), 2));
        assert_eq!(position.average_price, Some(price("2100.25")));
        assert_eq!(position.creation_timestamp, Some(time("2024-07-21T13:45:00Z")));
        assert_eq!(position.creation_timestamp.map(|at| at.utc().unix_timestamp()), Some(1_721_569_500));
    }
}

/// Long and short as documented, 0 as the close says it, and what may come.
async fn it_sig_009_every_type_of_position<R: Runtime>() {
    let mut user = User::<R, UserEvent<Position>>::new("GatewayUserPosition").await;
    let types = [
        (0, PositionType::Undefined, Some(0)),
        (1, PositionType::Long, Some(1)),
        (2, PositionType::Short, Some(-1)),
        (3, PositionType::Other(3), None),
        (-1, PositionType::Other(-1), None),
    ];
    for (code, kind, sign) in types {
        let position = user.row(&format!("[{}]", with(POSITION, "type", Some(json!(code))))).await.value;
        assert_eq!((position.kind, position.kind.and_then(PositionType::sign)), (Some(kind), sign), "{code}");
    }
    let closed = json!({ "action": 2, "data": { "id": 456, "accountId": 123, "contractId": "CON.F.US.EP.U25", "type": 0, "size": 0 } });
    let closed = user.row(&format!("[{closed}]")).await;
    assert_eq!((closed.action, closed.value.size), (Some(StreamAction::Delete), 0));
}

async fn it_sig_009_a_position_without_its_optional_members<R: Runtime>() {
    let mut user = User::<R, UserEvent<Position>>::new("GatewayUserPosition").await;
    let position = user.row(r#"[{"accountId":123,"contractId":"CON.F.US.EP.U25","size":2}]"#).await.value;
    assert_eq!((position.id, position.kind, position.average_price), (None, None, None), "absent, and not long");
    assert_eq!(position.creation_timestamp, None);
    for member in ["accountId", "contractId", "size"] {
        for value in [None, Some(Value::Null)] {
            let error = user.error_between(POSITION, &with(POSITION, member, value)).await;
            assert!(error.contains(member), "{error}");
        }
    }
}

async fn it_sig_009_a_position_with_members_of_the_wrong_type<R: Runtime>() {
    let mut user = User::<R, UserEvent<Position>>::new("GatewayUserPosition").await;
    let wrong = [
        ("id", json!("abc")),
        ("accountId", json!(1.5)),
        ("contractId", json!({})),
        ("creationTimestamp", json!("13:45")),
        ("type", json!("Long")),
        ("size", json!("two")),
        ("size", json!(0.5)),
        ("averagePrice", json!("about 2100")),
        ("averagePrice", json!(false)),
    ];
    for (member, value) in wrong {
        let error = user.error_between(POSITION, &with(POSITION, member, Some(value.clone()))).await;
        assert!(error.contains(member), "{value}: {error}");
    }
}
